"""A corollary is registered once: what loops over the list, and the page that adds one."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from densing_bayes.cli.main import app
from densing_bayes.corollaries.registered import COROLLARIES
from densing_bayes.corollaries.sections import answers
from densing_bayes.inputs.tables.reading import load_table
from densing_bayes.ledger.ledger import load_claims
from densing_bayes.ledger.of_corollaries import CLAIMED
from densing_bayes.report.gallery import OF_FIGURES
from densing_bayes.source import HERE

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "own-corollary.md"
FOLDERS = {path.parent.name for path in (HERE / "corollaries").glob("*/__init__.py")}


def test_every_folder_is_registered_once():
    assert sorted(each.name for each in COROLLARIES) == sorted(FOLDERS)
    for each in COROLLARIES:
        for table in each.parts().tables:
            assert len(load_table(table)), table.file


def test_what_is_registered_is_where_it_is_asked_for():
    commands = {command.name for command in app.registered_commands}
    quantities = {str(text).partition(":")[0] for text in load_claims()["quantity"]}
    for each in COROLLARIES:
        parts = each.parts()
        assert set(each.commands) <= commands
        assert set(parts.figures) <= set(OF_FIGURES)
        assert set(parts.claims) <= set(CLAIMED) & quantities
    names = [answer.name for answer in answers()]
    assert len(names) == len(set(names)) == 7


def follow(page, package):
    """Write the files of a page into a copy of the package, and add lines to one that is there."""
    text = page.read_text(encoding="utf-8")
    for name, content in re.findall(r"^```py\n# (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        path = package.parent / name
        if path.exists():
            imported, line = content.strip().split("\n\n")
            there = path.read_text(encoding="utf-8")
            there = there.replace("\nCOROLLARIES = (\n", f"{imported}\n\nCOROLLARIES = (\n{line}\n")
            path.write_text(there, encoding="utf-8")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")


@pytest.mark.fit
def test_the_page_adds_a_corollary(small_fit_file, tmp_path, monkeypatch):
    package = tmp_path / "densing_bayes"
    shutil.copytree(HERE, package, ignore=shutil.ignore_patterns("__pycache__"))
    before = {path for path in package.rglob("*") if path.is_file()}
    follow(PAGE, package)
    new = {path.parent.name for path in package.rglob("*.py") if path not in before}
    assert new == {"energy"}
    code = f"""
from typer.testing import CliRunner
from densing_bayes import Fit, load_claims
from densing_bayes.cli.main import app
from densing_bayes.corollaries.sections import corollary_sections
from densing_bayes.ledger.quantities import quantity_of
fit = Fit.load({str(small_fit_file)!r})
said = CliRunner().invoke(app, ["energy", {str(small_fit_file)!r}])
assert said.exit_code == 0 and "kWh on the frontier of 2023-01-01" in said.stdout, said
makers = corollary_sections(fit)
assert list(makers)[0] == "energy"
made = [makers["energy"]() for _ in range(2)]
assert made[0].tables[0].rows == made[1].tables[0].rows
assert made[0].sentences[0] in " ".join(said.stdout.split())
fell = quantity_of("energy_fell", fit)(fit, "hellaswag 0.7 2023-01-01 2025-01-01", "posterior")
print(fell.mean())
"""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("DENSING_BAYES_CACHE", str(tmp_path / "store"))
    monkeypatch.setenv("COLUMNS", "200")
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    assert float(ended.stdout) > 0.9
    assert [path.name.split("-")[1] for path in (tmp_path / "store").iterdir()] == ["energy"]
