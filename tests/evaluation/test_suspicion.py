"""Slips that are valid: what a careful person would look up is named, and what is right is not."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from densing_bayes.cli.main import app
from densing_bayes.errors import TableError
from densing_bayes.evaluation.suspicion import suspicions, suspicions_of
from densing_bayes.inputs.panel import export_panel, load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.observed.observations import observe

OPEN = load_panel("open")


def named(panel, kind):
    return {one.names for one in suspicions(panel, [kind])}


def with_system(panel, name, like, **changes):
    row = panel.systems.loc[[like]].rename(index={like: name}).assign(**changes)
    return dataclasses.replace(panel, systems=pd.concat([panel.systems, row]))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("claude-4.5-opus", "claude-opus-4.5"),
        ("gemini-9-8b", "Gemini 9 8B"),
        ("olmoe-1b", "olmo-e-1b"),
    ],
)
def test_one_system_under_two_names_is_named(first, second):
    panel = with_system(OPEN, first, "mistral-7b-v0.1")
    panel = with_system(panel, second, first)
    assert (first, second) in named(panel, "like names")


def test_siblings_are_not_one_system():
    assert named(OPEN, "like names") == set()


def test_keys_that_look_the_same_are_named():
    panel = with_system(OPEN, "Mistral\u20117B v0.1", "mistral-7b-v0.1")
    assert ("mistral-7b-v0.1", "Mistral\u20117B v0.1") in named(panel, "like keys")
    panel = with_system(OPEN, "other", "mistral-7b-v0.1", organisation="mistral  AI")
    found = [names for names in named(panel, "like keys") if "mistral  AI" in names]
    assert len(found) == 1
    assert named(OPEN, "like keys") == set()


def test_a_score_that_neighbours_do_not_explain_is_named():
    """Yi-1.5-34B on HellaSwag, as a leaderboard has it: 0.959, where Llama-3.1-405B has 0.89."""
    panel = load_panel("current")
    cell = (panel.scores["system"] == "yi-1.5-34b") & (panel.scores["benchmark"] == "hellaswag")
    assert cell.any()
    scores = panel.scores.assign(score=panel.scores["score"].where(~cell, 0.959))
    name = ("yi-1.5-34b, hellaswag",)
    assert name in named(dataclasses.replace(panel, scores=scores), "score")
    assert name not in named(panel, "score")


def test_a_run_whose_tokens_are_not_all_it_saw_is_named():
    runs = OPEN.runs.copy()
    runs.loc["1B-10xC", "tokens"] /= 20.0
    changed = dataclasses.replace(OPEN, runs=runs)
    assert ("1B-10xC",) in named(changed, "loss")
    assert ("1B-10xC",) not in named(OPEN, "loss")
    odd = suspicions_of(observe(changed, load_spec("joint")))
    assert any(one.kind == "loss" and one.names == ("1B-10xC",) for one in odd)


def test_bounds_and_first_days_of_a_year_are_named():
    systems = OPEN.systems.copy()
    bound = set(systems.index[systems["date_basis"].str.contains("bound")])
    systems.loc["gpt2-xl", "release_date"] = pd.Timestamp("2019-01-01")
    found = named(dataclasses.replace(OPEN, systems=systems), "date")
    assert {frozenset(names) for names in found} == {frozenset(bound), frozenset({"gpt2-xl"})}


def test_few_scores_are_no_ground_for_suspicion():
    systems = OPEN.systems.head(5)
    scores = OPEN.scores[OPEN.scores["system"].isin(systems.index)].copy()
    scores.iloc[0, scores.columns.get_loc("score")] = 0.99
    panel = dataclasses.replace(OPEN, systems=systems, scores=scores)
    assert named(panel, "score") == set()


def test_suspicions_do_not_hang_on_the_order_of_rows():
    rows = np.random.default_rng(1).permutation(len(OPEN.scores))
    panel = dataclasses.replace(OPEN, scores=OPEN.scores.iloc[rows])
    assert named(panel, "score") == named(OPEN, "score")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("scores.csv", ",mmlu,", ",MMLU,", "did you mean 'mmlu'"),
        ("scores.csv", ",mmlu,", ",hendrycksTest,", "did you mean 'mmlu'"),
        ("systems.csv", "6738415616", '"6,738,415,616"', "write 6738415616, without commas"),
        (
            "systems.csv",
            "2023-07-18",
            "Jul/2023",
            "is a month; write a day, for example 2023-07-15",
        ),
        ("systems.csv", "2023-07-18", '"July 18, 2023"', "write 2023-07-18"),
        ("systems.csv", "2023-07-18", "18/07/2023", "is not a date; write YYYY-MM-DD"),
    ],
)
def test_what_was_meant_is_suggested(file, old, new, said, tmp_path):
    export_panel("open", tmp_path)
    path = tmp_path / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(TableError, match=said):
        load_panel(tmp_path)


def test_validation_says_what_is_worth_a_look():
    shown = CliRunner().invoke(app, ["data", "validate", "open"]).stdout
    assert "open: valid" in shown and "Worth a look" in shown
    found = json.loads(CliRunner().invoke(app, ["data", "validate", "open", "--json"]).stdout)
    assert {one["kind"] for one in found["suspicions"]} >= {"date"}
