"""One score a cell: what a specification takes of a panel that several people measured."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from examples import LINE

from densing_bayes.errors import DensingError, SpecError
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.observed.observations import observe
from densing_bayes.observed.selection import select
from densing_bayes.quantities.paper_estimator import estimate_as_paper

OPEN, JOINT = load_panel("open"), load_spec("joint")
CURRENT, SPEC = load_panel("current"), load_spec("current")


def measured_again(system: str = "llama-2-7b", score: float = 0.5, flag: str = ""):
    """The open panel with a second reading of a system's MMLU."""
    row = OPEN.scores[(OPEN.scores["system"] == system) & (OPEN.scores["benchmark"] == "mmlu")]
    second = row.assign(protocol="house", score=score, flag=flag)
    return replace(OPEN, scores=pd.concat([OPEN.scores, second], ignore_index=True))


def mmlu_of(observed, system: str = "llama-2-7b") -> float:
    return float(observed.score[observed.cell_label.index(f"{system}|mmlu")])


def test_two_scores_of_a_cell_are_refused_without_an_order():
    with pytest.raises(SpecError) as error:
        observe(measured_again(), JOINT)
    for words in ("llama-2-7b has 2 scores on mmlu", "panel, house", "[panel] protocols ="):
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("order", "taken"), [(("house", "panel"), 0.5), (("panel", "house"), 0.438)]
)
def test_the_first_protocol_that_has_a_score_gives_it(order, taken):
    observed = observe(measured_again(), JOINT.replace(panel__protocols=order))
    assert mmlu_of(observed) == taken
    assert len(observed.score) == len(observe(OPEN, JOINT).score)


def test_a_protocol_that_is_not_named_is_not_used():
    observed = observe(measured_again(), JOINT.replace(benchmarks__mmlu__protocols=("house",)))
    cells = [label for label in observed.cell_label if label.endswith("|mmlu")]
    assert cells == ["llama-2-7b|mmlu"]
    assert sum(label.endswith("|hellaswag") for label in observed.cell_label) > 100


def test_a_flagged_score_gives_way_to_the_next_protocol():
    panel = measured_again(flag="doubtful")
    spec = JOINT.replace(panel__protocols=("house", "panel"))
    assert mmlu_of(observe(panel, spec)) == 0.438
    kept = observe(panel, spec.replace(panel__flagged="offset"))
    assert mmlu_of(kept) == 0.5 and "doubtful" in kept.flags


def test_unknown_protocols_and_families_are_refused_with_a_suggestion():
    with pytest.raises(SpecError, match=r"protocol 'swalow'.*did you mean 'swallow'"):
        observe(CURRENT, SPEC.replace(benchmarks__mmlu__protocols=("report", "swalow")))
    with pytest.raises(SpecError, match=r"family 'OLMo 3'.*did you mean 'OLMo 2'"):
        observe(CURRENT, SPEC.replace(benchmarks__mmlu__families=("OLMo 3",)))


def test_protocols_are_part_of_a_specification_and_not_of_data_without_them():
    assert JOINT.replace(panel__protocols=("panel",)).hash != JOINT.hash
    assert observe(OPEN, LINE).hash().startswith("7fd139da72c3")


def test_a_panel_of_one_protocol_comes_back_as_it_was():
    panel = select(OPEN, JOINT.replace(panel__flagged="offset"))
    for name in ("runs", "losses", "reference_scores", "scores"):
        pd.testing.assert_frame_equal(getattr(panel, name), getattr(OPEN, name))


def test_losses_on_two_scales_are_refused():
    spec = SPEC.replace(benchmarks__mmlu__families=())
    with pytest.raises(SpecError) as error:
        observe(CURRENT, spec)
    for words in ("'mmlu'", "bits_per_byte and nats", "not on one scale", "'OLMo ladder'"):
        assert words in str(error.value)


def test_current_specification_sees_each_cell_once_and_one_family():
    panel = select(CURRENT, SPEC)
    assert not panel.scores.duplicated(["system", "benchmark", "protocol"]).any()
    assert set(panel.runs["family"]) == {"OLMo ladder", "OLMo 2"}
    observed = observe(CURRENT, SPEC)
    assert len(set(observed.cell_label)) == len(observed.cell_label)
    assert max(observed.time) > 3.0  # years after 2022-11-30: December 2025
    left_out = CURRENT.systems.index[CURRENT.systems["derivation"].isin(["continued", "upcycled"])]
    assert not set(left_out) & set(observed.systems)


def test_another_family_can_be_the_reference():
    families = ("EleutherAI on the Pile",)
    spec = SPEC.replace(
        benchmarks={
            name: {"link": "loss", "families": families, "protocols": ("report",)}
            for name in ("hellaswag", "arc_challenge")
        }
    )
    observed = observe(CURRENT, spec)
    assert len(observed.loss) == 24 and len(observed.reference_score) == 24
    assert all(label.startswith("llm-line:") for label in observed.loss_label)


def test_the_papers_method_refuses_several_protocols():
    with pytest.raises(DensingError, match=r"several scores on .*the paper's method knows one"):
        estimate_as_paper(CURRENT, ["mmlu"])
