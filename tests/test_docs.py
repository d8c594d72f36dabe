"""Documentation: its Python runs, its commands parse, its links lead somewhere."""

import dataclasses
import importlib
import json
import re
import shlex
import shutil
from pathlib import Path

import joblib
import pytest
from examples import last_window
from matplotlib import pyplot as plt
from typer.main import get_command

import densing_bayes as db
from densing_bayes.cli.main import app
from densing_bayes.evaluation.hypotheses import averaging, mixtures
from densing_bayes.evaluation.token_range import TokenRange
from densing_bayes.observed.observations import observe

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if "_build" not in page.parts]
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
COMMAND = get_command(app)
# Pages that would sample for minutes.
SAMPLED = ("checks.md", "compression.md", "drivers.md", "engines.md", "prices.md", "scaling.md")


def blocks(page: Path, language: str) -> list[str]:
    """Fenced blocks of a language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


# Python ------------------------------------------------------------------------------------------


@pytest.fixture
def instead(small_fit_file, tmp_path, monkeypatch):
    """A folder with saved fits, and fits that check what they are given but do not sample.

    ``fit`` reads specification, hypothesis and panel and puts the model to the data, then gives the
    small fit. ``compare`` checks its hypotheses and gives a table that is empty.
    """
    fitted = db.Fit.load(small_fit_file)

    def fit(spec="current", panel=None, *, hypothesis=None, **settings):
        assert settings.keys() <= {"draws", "tune", "chains", "cores", "seed", "target_accept",
                                   "sampler", "progress"}  # fmt: skip
        spec = spec if isinstance(spec, db.ModelSpec) else db.load_spec(spec)
        if hypothesis is not None:
            spec = spec.under(db.load_hypothesis(hypothesis))
        named = panel if isinstance(panel, db.Panel) else db.load_panel(panel or spec.panel.source)
        observe(named, spec)
        return fitted

    class Nothing:
        """A table in which every column is known to be documented."""

        def __getitem__(self, names):
            written = (ROOT / "docs" / "schema.md").read_text(encoding="utf-8")
            for name in [names] if isinstance(names, str) else names:
                stem = re.sub(r"_(release|system)$", "_", name)
                assert f"`{name}`" in written or f"`{stem}`" in written, name

    def compare(spec, hypotheses=None):
        for hypothesis in hypotheses or db.list_hypotheses():
            if not isinstance(hypothesis, db.Hypothesis):
                hypothesis = db.load_hypothesis(hypothesis)
            db.load_spec(spec).under(hypothesis)
        return type("Comparison", (), {"table": Nothing()})

    def average(comparison, quantity, weights="evidence"):
        assert weights in averaging.COLUMNS
        return mixtures.QUANTITIES[quantity][0](fitted, None)

    monkeypatch.setattr(db, "average", average, raising=False)

    def backtest(spec="current", panel=None, **settings):
        assert settings.keys() <= {"hypothesis", "cuts", "draws", "tune", "chains", "seed", "jobs",
                                   "store", "progress"}  # fmt: skip
        return last_window(fitted)

    def over_tokens(spec="current", panel=None):
        db.load_spec(spec)
        passed = dataclasses.replace(fitted, diagnostics=fitted.diagnostics | {"verdict": "PASS"})
        return TokenRange(1e12, 15e12, dict.fromkeys((2e12, 8e12), passed))

    monkeypatch.setattr(db, "over_tokens", over_tokens, raising=False)
    monkeypatch.setattr(db, "fit", fit, raising=False)
    monkeypatch.setattr(db, "backtest", backtest, raising=False)
    monkeypatch.setattr(db, "compare", compare, raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("fit.nc", "theirs.nc", "joint.nc"):
        shutil.copy(small_fit_file, name)
    Path("mine.toml").write_text('name = "mine"\n', encoding="utf-8")
    yield fitted
    plt.close("all")


@pytest.fixture
def cluster(monkeypatch):
    """A scheduler within this process, whatever the address."""
    from dask import distributed

    settings = {"n_workers": 1, "threads_per_worker": 1, "processes": False}
    with distributed.LocalCluster(dashboard_address=":0", **settings) as local:
        real = distributed.Client
        monkeypatch.setattr(distributed, "Client", lambda address: real(local))
        yield


WITH_PYTHON = [
    pytest.param(page, id=name, marks=pytest.mark.slow if page.name in SAMPLED else ())
    for page, name in zip(PAGES, IDS, strict=True)
    if blocks(page, "python")
]


@pytest.mark.fit
@pytest.mark.parametrize("page", WITH_PYTHON)
def test_the_python_of_a_page_runs(page, instead, request):
    """From top to bottom in one namespace, in threads where it asks for processes."""
    found = blocks(page, "python")
    if any("distributed" in block for block in found):
        request.getfixturevalue("cluster")
    namespace = {"__name__": "page", "fit": instead}
    with joblib.parallel_config(backend="threading"):
        for block in found:
            exec(compile(block, str(page), "exec"), namespace)


@pytest.mark.slow
@pytest.mark.ci
def test_the_notebook_of_the_tutorial_runs(small_fit_file, tmp_path, monkeypatch):
    """Every cell, in a kernel of its own, with a stored fit in place of the minutes of sampling."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell
    from tutorial_notebook import tutorial_notebook

    book = tutorial_notebook()
    stored = (
        "import densing_bayes as db\n"
        f"db.fit = lambda **settings: db.Fit.load({str(small_fit_file)!r})"
    )
    book.cells.insert(0, new_code_cell(stored))
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(book, timeout=600, startup_timeout=300, resources=resources).execute()
    assert (tmp_path / "fit.nc").exists() and (tmp_path / "frontier.png").exists()
    printed = "".join(
        output.get("text", "") for cell in book.cells for output in cell.get("outputs", [])
    )
    assert "P(faster after) =" in printed and "llama-3-8b" in printed
    markdown = "".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    assert "{func}" not in markdown and ".md" not in markdown


# Commands ----------------------------------------------------------------------------------------


def subcommand(words: list[str]):
    """The command that words call, and what is left of them."""
    command, name = COMMAND, "densing-bayes"
    while words and words[0] in getattr(command, "commands", {}):
        name, *words = words
        command = command.commands[name]
    return command, name, words


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_command_line_of_a_page_parses(page):
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "densing-bayes":
                command, name, rest = subcommand(words[1:])
                command.make_context(name, rest)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_option_that_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    for quoted in re.findall(r"`densing-bayes ([^`]+)`", text):
        command, name, rest = subcommand(quoted.split())
        known = {option for parameter in command.params for option in
                 (*parameter.opts, *parameter.secondary_opts)} | {"--help"}  # fmt: skip
        asked = set(re.findall(r"--[a-z][a-z-]*", " ".join(rest)))
        assert asked <= known, f"{name}: {sorted(asked - known)}"
        assert name != "densing-bayes" or not rest or rest[0].startswith("-"), quoted


# Links -------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """Headings as GitHub and MyST name them, and targets set by hand."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}
    return slugs | set(re.findall(r"^\((.+)\)=$", text, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_link_within_the_project_resolves(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{target}: no such file"
        if anchor:
            assert anchor in anchors(file), f"{target}: no such heading"


# Figures -----------------------------------------------------------------------------------------


def test_the_graph_of_the_model_has_every_variable(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "analyses")
    import model_graph

    pairs, dims = model_graph.edges()
    assert ("log_effective_params", "score") in pairs
    assert ("loss law", "loss") in pairs
    assert dims["log_density"] == ("system",)


# Times -------------------------------------------------------------------------------------------


def test_the_times_of_the_readme_are_those_of_the_committed_benchmark(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "analyses" / "speed")
    first_run = importlib.import_module("first_run")
    results = json.loads((ROOT / "analyses/speed/results_first_run.json").read_text("utf-8"))
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert first_run.in_readme(results) in readme
