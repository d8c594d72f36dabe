"""A section is one answer: the same as text, as a page, as files of the store, in a notebook."""

import pickle
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import densing_bayes as db
from densing_bayes.display.pages import section_html, section_markdown, table_csv
from densing_bayes.display.section import Equation, Picture, Section, Table
from densing_bayes.display.section_files import SECTION
from densing_bayes.display.terminal import print_section
from densing_bayes.fitting.store import kept

THIRD = 1.0 / 3.0


def drawn():
    figure = Figure()
    figure.subplots().plot([0.0, 1.0], [1.0, 3.0])
    return figure


@pytest.fixture
def section():
    numbers = pd.DataFrame({"name": ["a", "b"], "x": [THIRD, np.nan], "n": [1, 2]})
    return Section(
        "thing",
        "A <thing>",
        ("It grows.",),
        ("Read it so.",),
        (
            Table(("Name", "Aside", "x"), (("a", "left out", "0.33"), ("b", "this too", "-")),
                  note="Two rows.", hints=("first", "second"), numbers=numbers,
                  left=frozenset({1}), spare=frozenset({1})),
            Table(("Only", "cells"), (("c", "1"),), name="cells"),
        ),
        (Picture(drawn, "A line from 1 to 3.", "thing", "Rising.", "Line"),),
        (Equation("Square", "x^2"),),
        ("More", ("one", "two")),
        {"draws": 1, "of": 2, "times": [0.1, THIRD]},
        {"x": [THIRD, None], "by": {"a": 1}},
    )  # fmt: skip


def test_the_store_gives_a_section_back_as_it_was(section):
    again = SECTION.unpack(SECTION.pack(section))
    for field in fields(Section):
        if field.name not in ("tables", "pictures"):
            assert getattr(again, field.name) == getattr(section, field.name), field.name
    for one, other in zip(again.tables, section.tables, strict=True):
        assert replace(one, numbers=None) == replace(other, numbers=None)
        assert table_csv(one) == table_csv(other)
    assert again.tables[0].numbers["x"][0] == THIRD
    (one,), (other,) = again.pictures, section.pictures
    assert one.image == other.image and one.image.png.startswith(b"\x89PNG")
    assert replace(one, draw=drawn) == other
    assert section_html(again) == section_html(section)


def test_a_stored_section_is_read_without_a_pickle_and_not_made_again(
    section, tmp_path, monkeypatch
):
    made = []

    def make():
        made.append(1)
        return section

    def stored():
        return kept("section-thing", ["key"], make, tmp_path, "densing_bayes.errors", SECTION)

    first = stored()
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, lambda *_, **__: pytest.fail("unpickled"))
    again = stored()
    assert made == [1] and section_html(first) == section_html(again)
    assert [path.suffix for path in tmp_path.iterdir()] == [".zip"]


def test_a_terminal_shows_what_a_page_does_but_for_spare_columns(section, capsys):
    print_section(section)
    shown = capsys.readouterr().out
    markdown = section_markdown(section)
    for text in ("It grows.", "Read it so.", "Two rows.", "0.33"):
        assert text in shown and text in markdown
    assert "left out" in markdown and "left out" not in shown and "Aside" not in shown


def test_a_picture_is_drawn_when_it_is_asked_for_and_once(section, capsys):
    times = []

    def draw():
        times.append(1)
        return drawn()

    watched = replace(section, pictures=(Picture(draw, "A line.", "thing"),))
    print_section(watched)
    assert times == []
    section_html(watched)
    SECTION.pack(watched)
    assert times == [1]


def test_a_notebook_shows_a_section_by_itself(section):
    shown = section._repr_html_()
    assert "A &lt;thing&gt;" in shown and "data:image/png;base64," in shown
    assert "<script" not in shown and "var(--" not in shown


@pytest.mark.fit
def test_a_notebook_shows_a_fit_as_its_sections_do(small_fit):
    shown = small_fit._repr_html_()
    trend = db.trend_summary(small_fit)
    assert "Quantities of the trend" in shown and "R-hat, largest" in shown
    assert small_fit.verdict in shown
    assert f"{trend['doubling_time_days']['after']['median']:.0f} days" in shown
