"""The graph of results: it names every script and result, and runs what is out of date."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ANALYSES = ROOT / "analyses"
NO_RESULTS = {"graph.toml", "made_from.json", "results.py"}  # what the graph itself consists of


@pytest.fixture
def results(monkeypatch):
    monkeypatch.syspath_prepend(ANALYSES)
    return importlib.import_module("results")


def committed(*patterns):
    found = {path for pattern in patterns for path in ANALYSES.glob(pattern)}
    return {str(path.relative_to(ROOT)) for path in found if path.name not in NO_RESULTS}


def test_every_script_and_every_committed_result_is_in_the_graph_once(results):
    rows = results.load_graph().values()
    assert {row["script"] for row in rows} == committed("*.py", "speed/*.py")
    outputs = [path for row in rows for path in row["outputs"]]
    assert len(outputs) == len(set(outputs))
    ours = {path for path in outputs if path.startswith("analyses/")}
    found = committed(*(f"{where}*.{kind}" for where in ("", "speed/")
                        for kind in ("json", "md", "png", "svg")))  # fmt: skip
    assert ours == found - {"analyses/speed/README.md"}


def test_what_the_graph_names_is_there(results):
    for name, row in results.load_graph().items():
        assert row.keys() <= {"script", "arguments", "inputs", "outputs", "afresh", "by_hand"}, name
        for path in [*row["inputs"], *row["outputs"]]:
            assert (ROOT / path).exists(), f"{name}: {path}"


def test_code_is_what_a_script_imports_and_what_it_takes_from_the_package(results):
    files = results.with_imports(ANALYSES / "paper_panel.py")
    named = {str(path.relative_to(ROOT)) for path in files}
    assert {
        "analyses/paper_panel.py",
        "analyses/multiverse.py",  # imported from the folder
        "densing_bayes/inputs/panel.py",  # of db.load_panel
        "densing_bayes/fitting/engine/machine.py",  # imported by what it imports
    } <= named
    assert not any(name.startswith(("densing_bayes/report", "densing_bayes/cli")) for name in named)


@pytest.mark.parametrize(
    "text",
    ["import densing_bayes as db\ndb.load_panel\n", "from densing_bayes import load_panel\n"],
)
def test_what_the_package_exports_counts_as_the_module_that_it_is_from(results, tmp_path, text):
    script = tmp_path / "script.py"
    script.write_text(text, encoding="utf-8")
    assert ROOT / "densing_bayes/inputs/panel.py" in results.with_imports(script)


def test_comments_docstrings_and_blank_lines_are_no_code(results, tmp_path):
    def code(text):
        path = tmp_path / f"{abs(hash(text))}.py"
        path.write_text(text, encoding="utf-8")
        return results.code(path)

    plain = code('def f():\n    return "one"\n')
    assert code('"""Said."""\n\ndef f():  # why\n\n    "Said."\n    return "one"\n') == plain
    assert code('def f():\n    return "two"\n') != plain
    assert code('def f():\n    x = 1\n    return "one"\n') != plain


@pytest.fixture
def small(tmp_path):
    """A folder with two scripts, the second of which reads what the first writes."""
    folder = tmp_path / "analyses"
    folder.mkdir()
    shutil.copy(ANALYSES / "results.py", folder)
    (tmp_path / "constraints.txt").write_text("numpy==1\nrich==1\n", encoding="utf-8")
    (tmp_path / "table.csv").write_text("1", encoding="utf-8")
    rows, before = [], "table.csv"
    for name in ("first", "second"):
        rows.append(f'[{name}]\ninputs = ["{before}"]\noutputs = ["{name}.txt"]\n')
        text = f'"""Say."""\nx = open("{before}").read()\nopen("{name}.txt", "w").write(x)\n'
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
        before = f"{name}.txt"
    (folder / "graph.toml").write_text("[inputs]\n" + "".join(rows), encoding="utf-8")
    return tmp_path


def said(folder, do, *words):
    """Letter before each task of a list, or tasks that a run has not left alone."""
    command = [sys.executable, "-m", "doit", do, "-f", "analyses/results.py", "-d", ".", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return [line.split()[:2] for line in done.stdout.splitlines()]


def test_a_script_runs_if_what_it_reads_has_changed_and_else_does_not(small):
    ran, left = [[".", "first"], [".", "second"]], [["--", "first"], ["--", "second"]]
    assert said(small, "run") == ran
    for path in small.rglob("*.*"):
        os.utime(path, (1, 1))  # as a checkout does
    (small / "constraints.txt").write_text("numpy==1\nrich==2\n", encoding="utf-8")
    assert said(small, "run") == left

    (small / "table.csv").write_text("2", encoding="utf-8")
    assert said(small, "list", "--status") == [["R", "first"], ["U", "second"]]
    assert said(small, "run", "second") == ran  # with what it needs
    assert (small / "second.txt").read_text(encoding="utf-8") == "2"

    with (small / "analyses/second.py").open("a", encoding="utf-8") as file:
        file.write("y = 1\n")
    assert said(small, "run") == [left[0], ran[1]]
    (small / "constraints.txt").write_text("numpy==2\nrich==2\n", encoding="utf-8")
    assert said(small, "list", "--status") == [["R", "first"], ["R", "second"]]
