"""Files and folders without permission: one message, before anything is fitted."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from densing_bayes.inputs.panel import export_panel

SAVED = Path(__file__).parents[1] / "posterior" / "saved_before.nc.gz"
WITHOUT_POWERS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]  # root may read all else

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX"),
    pytest.mark.skipif(
        hasattr(os, "geteuid") and os.geteuid() == 0 and not shutil.which("setpriv"),
        reason="root may read everything, and there is nothing here to take that away",
    ),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a fit, and with things that may be neither read nor written."""
    folder = tmp_path_factory.mktemp("place")
    content = gzip.decompress(SAVED.read_bytes())
    (folder / "fit.nc").write_bytes(content)
    for name in ("closed.nc", "closed.toml", "closed.csv", "closed.json", "closed.css"):
        (folder / name).write_bytes(content)
        (folder / name).chmod(0)
    for name, mode in (("closed", 0), ("listed", 0o600), ("read-only", 0o555)):
        export_panel("open", folder / name)
        (folder / name).chmod(mode)
    export_panel("open", folder / "one-closed")
    (folder / "one-closed" / "scores.csv").chmod(0)
    yield folder
    for name in ("closed", "listed", "read-only"):
        (folder / name).chmod(0o755)  # so that it can be removed


@pytest.mark.parametrize(
    "words",
    [
        "trend closed.nc",
        "fit closed.toml",
        "fit joint --data closed",
        "fit joint --data one-closed",
        "fit joint --hypothesis closed.toml",
        "fit joint --out read-only/fit.nc",
        "fit joint --out closed.nc",
        "data validate closed",
        "data validate listed",
        "data import closed.csv new",
        "data import fit.nc read-only/new",
        "data export open read-only/new",
        "price --data closed.csv",
        "scaling closed.csv",
        "compare joint --hypotheses none chatgpt --out read-only",
        "compare joint --hypotheses none closed.nc",
        "report fit.nc --out read-only",
        "report fit.nc --out read-only/new",
        "report fit.nc --css closed.css",
    ],
)
def test_one_message_says_what_may_not_be_read_or_written(place, words):
    before = sorted(place.iterdir())
    command = [sys.executable, "-m", "densing_bayes", *words.split()]
    found = subprocess.run(
        [*(WITHOUT_POWERS if os.geteuid() == 0 else []), *command],
        cwd=place, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert found.returncode == 2, found.stderr
    said = " ".join(found.stderr.split())
    assert "Traceback" not in said
    assert any(what in said for what in ("ermission", "not readable", "may not be written")), said
    assert sorted(place.iterdir()) == before


def test_a_store_that_may_not_be_written_is_done_without(place):
    command = [sys.executable, "-m", "densing_bayes", "trend", "fit.nc", "--json"]
    found = subprocess.run(
        [*(WITHOUT_POWERS if os.geteuid() == 0 else []), *command],
        cwd=place, env=os.environ | {"DENSING_BAYES_CACHE": str(place / "read-only")},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert found.returncode in (0, 3) and found.stdout.startswith("{"), found.stderr
    assert "Traceback" not in found.stderr
