"""Whatever is read or typed: an answer, or one message; never a traceback, never half a file."""

import contextlib
import gzip
from importlib.resources import files
from pathlib import Path

import h5py
import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from densing_bayes.cli.main import app
from densing_bayes.errors import DensingError
from densing_bayes.inputs.panel import export_panel, load_panel
from densing_bayes.inputs.specification import load_hypothesis, load_spec
from densing_bayes.inputs.tables.schema import TABLES

# PyTensor changes the recursion limit when a command imports it.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The recursion limit will not be reset"),
]

MODELS = files("densing_bayes.models")
SPEC = MODELS.joinpath("joint.toml").read_text("utf-8")
HYPOTHESES = [
    MODELS.joinpath("hypotheses", f"{name}.toml").read_text("utf-8")
    for name in ("chatgpt", "smooth", "unknown-date", "saturating")
]
ODD = st.sampled_from(
    ["", "\0", "\x1b[31m", "nan", "-inf", "1e400", "-1", "0", "99999999999999999999", "1000-01-01",
     "9999-12-31", "=1+1", '"', "\n", "\ufeff", "\u202e", "$x_", "<script>", "ü", "[" * 3000]
)  # fmt: skip
VALUES = st.one_of(ODD, st.text(max_size=8), st.integers().map(str), st.floats().map(str))
NONE = st.just([])
quick = settings(
    max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def spliced(text, at, length, value):
    place = at % (len(text) + 1)
    return text[:place] + value + text[place + length :]


@pytest.fixture(scope="module")
def panel_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panel")
    export_panel("open", folder)
    return folder


@quick
@given(
    st.sampled_from(sorted(schema.file for schema in TABLES.values() if not schema.optional)),
    st.integers(0, 10**6), st.integers(0, 12), VALUES,
)  # fmt: skip
def test_tables(panel_folder, file, at, length, value):
    path = panel_folder / file
    whole = path.read_bytes()
    try:
        path.write_bytes(spliced(whole, at, length, value.encode("utf-8", "surrogatepass")))
        with contextlib.suppress(DensingError):
            load_panel(panel_folder)
    finally:
        path.write_bytes(whole)


@quick
@given(st.integers(0, 10**6), st.integers(0, 12), VALUES)
def test_specifications(tmp_path_factory, at, length, value):
    path = tmp_path_factory.getbasetemp() / "own.toml"
    for text, load in [(SPEC, load_spec), *((text, load_hypothesis) for text in HYPOTHESES)]:
        path.write_bytes(spliced(text, at, length, value).encode("utf-8", "surrogatepass"))
        with contextlib.suppress(DensingError):
            load(path)


SAVED = Path(__file__).parent / "posterior" / "saved_before.nc.gz"
READERS = (["density"], ["trend", "--json"], ["shelf-life"])


def read_or_refused(path):
    """Commands that read a fit answer, or say in one message what is wrong with its file."""
    for name, *options in READERS:
        result = CliRunner().invoke(app, [name, str(path), *options])
        assert isinstance(result.exception, SystemExit | None), repr(result.exception)
        assert result.exit_code in (0, 2, 3)
        assert result.exit_code == 0 or result.stderr.strip()


@quick
@given(st.integers(0, 10**9), st.binary(max_size=16), st.booleans())
def test_fit_files(tmp_path_factory, at, value, cut):
    whole = gzip.decompress(SAVED.read_bytes())
    path = tmp_path_factory.getbasetemp() / f"damaged{at}.nc"
    place = at % len(whole)
    path.write_bytes(whole[:place] + value + (b"" if cut else whole[place + len(value) :]))
    read_or_refused(path)
    path.unlink()


@quick
@given(
    st.sampled_from(["format", "spec", "diagnostics", "provenance", "observations"]),
    st.one_of(
        VALUES, st.sampled_from(["null", "[]", "{}", "1", '{"verdict": "PASS"}', '{"seed": {}}'])
    ),
)
def test_attributes_of_fit_files(tmp_path_factory, name, value):
    path = tmp_path_factory.getbasetemp() / "attribute.nc"
    path.write_bytes(gzip.decompress(SAVED.read_bytes()))
    with h5py.File(path, "a") as file, contextlib.suppress(ValueError, UnicodeError):
        file.attrs[name] = value  # HDF5 refuses some text
    read_or_refused(path)
    path.unlink()  # so that none is found open


def commands(group, before=()):
    """Every command of the command line by its words, with its options; some take no value."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))
        else:
            options = [
                (max(each.opts, key=len), each.is_flag)
                for each in command.params
                if each.param_type_name == "option"
            ]
            yield (*before, name), options


COMMANDS = list(commands(typer.main.get_command(app)))


def called(command):
    """Calls of a command: what stands for its file, and some of its options with odd values."""
    words, options = command
    given = st.lists(st.tuples(st.sampled_from(options), VALUES), max_size=4) if options else NONE
    return st.tuples(st.just(words), VALUES, given)


def test_all_commands_are_tried():
    found = {" ".join(words) for words, _ in COMMANDS}
    assert {"fit", "trend", "compare", "report", "data import", "price", "backtest"} <= found


@quick
@given(st.sampled_from(COMMANDS).flatmap(called))
def test_command_lines(tmp_path_factory, call):
    words, fit, given = call
    folder = tmp_path_factory.getbasetemp() / "empty"
    folder.mkdir(exist_ok=True)
    path = str(folder / "none") + fit + ".nc"
    options = [
        word for (name, flag), value in given for word in ([name] if flag else [name, value])
    ]
    result = CliRunner().invoke(app, [*words, path, *options])
    assert isinstance(result.exception, SystemExit | None), repr(result.exception)
    assert result.exit_code in (0, 2, 3)
    assert result.exit_code == 0 or result.stderr.strip()
    assert not list(folder.iterdir())
