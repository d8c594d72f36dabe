"""Limits of size: of a module, of a function, of a signature. Each exception has its reason."""

import ast
import importlib
from pathlib import Path

import pytest

from densing_bayes.source import HERE

ONE = "numba compiles it once, as one function"
OPTIONS = "each parameter is an option of the command line"
PUBLIC = "public: each keyword is documented, and calls stay as they are"
EXCEPTIONS = {
    "fitting/engine/machine.py": ONE,
    "fitting/engine/machine.py: run": ONE,
    "fitting/fit.py: fit": PUBLIC,
    "evaluation/hypotheses/comparison.py: compare": PUBLIC,
    "evaluation/backtests/backtests.py: backtest": PUBLIC,
    "report/assembly.py: make_report": PUBLIC,
}


MOST = 12  # modules of a room, those of its sub-rooms apart


@pytest.fixture
def measures(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "docs")
    return importlib.import_module("measures")


def is_command(name, function):
    """Whether a function is a command, whose parameters are options."""
    return name.endswith(("command.py", "commands.py")) and not function.name.startswith("_")


def beyond(measures):
    """What is beyond a limit, and which."""
    found = {}
    for path in sorted(HERE.rglob("*.py")):
        name, text = str(path.relative_to(HERE)), path.read_text("utf-8")
        if measures.lines(text) > measures.MODULE:
            found[name] = f"{measures.lines(text)} lines"
        for node in measures.functions(text):
            own = f"{name}: {node.name}"
            if measures.code_lines(node, text) > measures.FUNCTION:
                found[own] = f"{measures.code_lines(node, text)} lines"
            if measures.parameters(node) > measures.PARAMETERS and not is_command(name, node):
                found[own] = f"{measures.parameters(node)} parameters"
    return found


def test_modules_functions_and_signatures_stay_within_their_limits(measures):
    found = beyond(measures)
    new = {name: what for name, what in found.items() if name not in EXCEPTIONS}
    assert not new
    assert found.keys() >= EXCEPTIONS.keys(), "take from the exceptions what is within"


def crowded(folder):
    """Rooms with more modules than a reader keeps in mind, and how many."""
    rooms = {path.parent for path in folder.rglob("*.py")}
    counts = {room: len({*room.glob("*.py")} - {room / "__init__.py"}) for room in rooms}
    return {str(room.relative_to(folder)): n for room, n in counts.items() if n > MOST}


def test_no_room_has_more_modules_than_a_reader_keeps_in_mind():
    assert crowded(HERE) == {}


def test_a_crowded_room_is_seen(tmp_path):
    (tmp_path / "room").mkdir()
    for number in range(MOST + 1):
        (tmp_path / "room" / f"m{number}.py").touch()
    (tmp_path / "room" / "__init__.py").touch()
    assert crowded(tmp_path) == {"room": MOST + 1}


def test_a_long_function_and_a_long_signature_are_seen(measures):
    text = 'def f(a, *b, c, **d):\n    """Said."""\n\n    # why\n    x = 1\n    return x\n'
    (function,) = ast.parse(text).body
    assert measures.code_lines(function, text) == 2 and measures.parameters(function) == 4


def test_circles_and_chains_of_imports_are_seen(measures, tmp_path):
    package = tmp_path / "house"
    package.mkdir()
    for name, text in {
        "__init__": "from house.a import x",
        "a": "x = 1",
        "b": "from house.a import x\n\ndef f():\n    from house.c import y",
        "c": "import house.b\n\ny = 2",
        "d": "from house import c",
    }.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    found = measures.measured(package)
    assert (found.modules, found.levels, found.circles) == (4, 3, 1)


def test_no_modules_import_each_other(measures):
    assert measures.measured().circles == 0
