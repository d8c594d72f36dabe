"""Figures of README and docs are those of committed results."""

import importlib
import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def figures(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    return importlib.import_module("figures")


def test_every_interval_of_a_page_is_one_of_a_result_that_it_names(figures):
    found = [line for page in figures.pages() for line in figures.unfounded(page)]
    assert not found, "run python docs/figures.py, or name the result on the page"


def test_single_figures_are_those_of_the_results_that_they_are_named_with(figures):
    for name in importlib.import_module("quotes").PAGES:
        page = (ROOT / name).read_text(encoding="utf-8")
        written, missing = figures.quoted(page, name, figures.content_of(figures.today))
        assert not missing
        assert written == page, "run python docs/figures.py"


# Numbers that somebody typed. A page may lose some, and none may be added.
TYPED = {
    "docs/criteria.md": 5,
    "docs/engines.md": 1,
    "docs/frontier-or-mean.md": 7,
    "docs/priors.md": 10,
    "docs/results.md": 2,
}


def test_no_page_has_more_typed_numbers_than_it_is_known_to_have(figures):
    numbers = importlib.import_module("page_numbers")
    found = {str(page.relative_to(ROOT)): numbers.typed(page) for page in figures.pages()}
    for name, typed in found.items():
        assert len(typed) <= TYPED.get(name, 0), f"name them in docs/quotes.py or cut them: {typed}"
    few = {name: n for name, n in TYPED.items() if len(found[name]) < n}
    assert not few, "lower their counts, so that no number can come back"


def test_a_typed_number_is_seen(figures, tmp_path, monkeypatch):
    numbers = importlib.import_module("page_numbers")
    for module in (figures, numbers):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/sources.toml").write_text(
        '["page.md"]\n"in 2.1 years" = "the paper"\n', encoding="utf-8"
    )
    page = tmp_path / "page.md"
    text = (
        "By 2024-12-31 Gemma-2-9B, `5`, $6$ and Fig. 7 in 2.1 years: P = 0.93, 12 to\n1,300 days."
    )
    page.write_text(text, encoding="utf-8")
    assert numbers.typed(page) == [(1, "0.93"), (1, "12"), (2, "1,300")]


def test_every_source_is_of_a_piece_that_its_page_has():
    for name, pieces in tomllib.loads((ROOT / "docs/sources.toml").read_text("utf-8")).items():
        page = " ".join((ROOT / name).read_text("utf-8").split())
        missing = [piece for piece in pieces if " ".join(piece.split()) not in page]
        assert not missing, f"{name} no longer says this: take it from docs/sources.toml"
        named = re.findall(r"(?:densing_bayes|models|data|analyses)/[\w/.]+", str(pieces))
        assert all((ROOT / path).exists() for path in named), name


def test_intervals_follow_their_results(figures, tmp_path, monkeypatch):
    """Digits, sizes and words stay as they stand; what two results that differ held stays, too."""
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    (tmp_path / "analyses").mkdir()
    (tmp_path / "analyses/study.json").write_text("{}", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "`analyses/study.py`: 12 days (10.0 to 15), 1.2 million (0.9 to unbounded), 3 (1 to 5)",
        encoding="utf-8",
    )

    def study(days, cost, same):
        content = {"days": days, "cost": cost, "one": [1, 3, 5], "two": same}
        return lambda name: json.dumps(content)

    before = study(
        {"median": 12.2, "lower": 10.01, "upper": 14.6},
        {"median": 1.21e6, "lower": 0.88e6, "upper": None},
        [1, 3, 5],
    )
    after = study(
        {"median": 20.0, "lower": 11.26, "upper": 31.4},
        {"median": 2e6, "lower": 1e6, "upper": 3e6},
        [1, 4, 5],
    )
    text, left = figures.carried(page, before, after)
    assert "20 days (11.3 to 31), 2.0 million (1.0 to 3), 3 (1 to 5)" in text
    assert len(left) == 1
    assert "held by study/one, study/two" in left[0]
