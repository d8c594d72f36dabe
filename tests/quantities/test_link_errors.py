"""The links of the shipped specification against their held-out errors."""

import dataclasses

import pytest

from densing_bayes.evaluation.left_out_members import left_out_members
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.quantities.link_errors import link_errors


def test_no_shipped_link_is_clearly_worse_than_its_rival():
    table = link_errors(load_spec("joint"), load_panel("open"))
    for _, row in table.iterrows():
        rival = {"loss": "direct", "direct": "loss"}[row["chosen"]]
        assert row[row["chosen"]] <= row[rival] + 0.005


def test_winogrande_does_not_follow_its_loss():
    table = link_errors(load_spec("joint"), load_panel("open"))
    assert table.loc["winogrande", "direct"] < table.loc["winogrande", "loss"] - 0.02
    assert table.loc["hellaswag", "loss"] == pytest.approx(0.001, abs=0.005)


def test_the_largest_member_of_a_family_is_foreseen_from_the_smaller_ones():
    table = left_out_members(load_spec("current"), load_panel("current"))
    largest = table.groupby("family")["params"].max()
    assert largest["OLMo ladder and OLMo 2"] > 3.1e10
    assert largest["EleutherAI on the Pile"] > 2e10
    assert set(table["benchmark"]) == {"hellaswag", "arc_challenge"}
    assert table["error"].abs().max() < 0.06


def test_a_member_off_the_curve_of_its_family_is_outside_of_its_interval():
    panel, spec = load_panel("current"), load_spec("current")
    runs = panel.reference_scores["run"] == "llm-line:gpt-neox-20b"
    moved = panel.reference_scores.assign(
        score=panel.reference_scores["score"].mask(runs, panel.reference_scores["score"] + 0.2)
    )
    table = left_out_members(spec, dataclasses.replace(panel, reference_scores=moved))
    own = table["run"] == "llm-line:gpt-neox-20b"
    assert own.sum() == 2 and not table.loc[own, "within"].any()
