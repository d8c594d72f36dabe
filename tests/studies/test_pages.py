"""Figures of README and docs are those of committed results."""

import importlib
import json
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
