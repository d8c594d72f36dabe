"""Several protocols on one benchmark: first readings, repeats, anchors and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from examples import few_systems

from densing_bayes.errors import SpecError
from densing_bayes.evaluation.simulation import run_scores
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.joint import laws
from densing_bayes.observed.observations import observe

CURRENT, SPEC = load_panel("current"), load_spec("current")
FEW = few_systems(CURRENT)
OBSERVED = observe(FEW, SPEC)
ANCHOR = "open-llm-leaderboard-v1"


def readings(observed):
    """Score of each reading, by its cell and protocol."""
    first = {
        (label, observed.measures[i].split("|")[1] if i >= 0 else ANCHOR): score
        for label, i, score in zip(
            observed.cell_label, observed.cell_measure, observed.score, strict=True
        )
    }
    again = {
        (observed.cell_label[c], observed.measures[i].split("|")[1]): score
        for c, i, score in zip(
            observed.repeat_cell, observed.repeat_measure, observed.repeat_score, strict=True
        )
    }
    assert not set(first) & set(again)
    return first | again


def test_every_reading_is_a_row_of_the_table_and_each_cell_is_read_first_once():
    table = CURRENT.scores.set_index(["system", "benchmark", "protocol"])["score"]
    found = readings(OBSERVED)
    assert len(OBSERVED.repeat_score) > 5
    for (label, protocol), score in found.items():
        assert table[(*label.split("|"), protocol)] == score
    assert len(set(OBSERVED.cell_label)) == len(OBSERVED.cell_label)


def test_the_first_reading_is_of_the_protocol_that_is_named_first():
    other = ("report", ANCHOR)
    swapped = observe(FEW, SPEC.replace(benchmarks__mmlu__protocols=other))
    cell = "llama-2-7b|mmlu"
    assert OBSERVED.score[OBSERVED.cell_label.index(cell)] == 0.438
    assert swapped.score[swapped.cell_label.index(cell)] == 0.453
    assert f"mmlu|{ANCHOR}" in swapped.measures and "mmlu|report" not in swapped.measures


def measured_again(score: float, error: float = np.nan):
    own = FEW.scores[FEW.scores["system"] == "llama-2-7b"]
    row = own[(own["benchmark"] == "mmlu") & (own["protocol"] == ANCHOR)]
    new = row.assign(protocol="swallow", score=score, score_error=error)
    return replace(FEW, scores=pd.concat([FEW.scores, new], ignore_index=True))


@pytest.mark.parametrize(("score", "kept"), [(0.4383, False), (0.4532, False), (0.46, True)])
def test_a_reading_that_may_quote_an_earlier_one_is_left_out(score, kept):
    label = "llama-2-7b|mmlu|swallow"
    assert (label in observe(measured_again(score), SPEC).repeat_label) is kept


def test_a_stated_error_stands_for_items():
    observed = observe(measured_again(0.4, 0.02), SPEC)
    items = observed.repeat_items[observed.repeat_label.index("llama-2-7b|mmlu|swallow")]
    assert np.sqrt(laws.score_variance(0.4, items, 0.0)) == pytest.approx(0.02)


def test_a_part_of_the_systems_keeps_its_readings():
    chosen = np.arange(len(OBSERVED.systems)) % 2 == 0
    part = OBSERVED.of_systems(chosen)
    names = set(part.systems)
    everything = readings(OBSERVED)
    assert readings(part) == {k: v for k, v in everything.items() if k[0].split("|")[0] in names}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"benchmarks__mmlu__protocols": ()}, "name them in"),
        ({"benchmarks__mmlu__protocols": ("stepfun", "report")}, "has no scores there"),
        (
            {"benchmarks__arc_challenge__protocols": (ANCHOR, "nvidia")},
            "does not relate two formats",
        ),
        ({"panel__flagged": "offset"}, "only one of them"),
    ],
)
def test_what_an_offset_cannot_relate_is_refused(changes, words):
    with pytest.raises(SpecError, match=words):
        observe(FEW, SPEC.replace(**changes))


def test_runs_without_a_loss_are_scored_at_the_loss_of_the_law():
    rows = OBSERVED.expected
    names = {OBSERVED.reference_label[i].split("|")[0] for i in rows}
    assert len(rows) == 10 and all(name.startswith("32B-") for name in names)
    assert np.isnan(OBSERVED.reference_loss[rows]).all()
    assert (OBSERVED.reference_checkpointed[rows] >= 0).all()
    count, split = len(OBSERVED.benchmarks), len(OBSERVED.loss_benchmarks)
    value = dict(
        zip(
            laws.PARAMETERS,
            np.array([0.4, 0.3, 0.14, 0.2, 0.26])[:, None] * np.ones(split),
            strict=True,
        )
    )
    value |= {"steepness": np.full(split, 12.0), "midpoint": np.full(split, 0.8)}
    value |= {"floor": np.full(count, 0.25), "ceiling": np.full(count, 0.95)}
    ones = np.ones(count - split)
    value |= {"token_elasticity": ones, "discrimination": ones, "difficulty": ones}
    k = OBSERVED.reference_benchmark[rows]
    runs = OBSERVED.expected_log_params, OBSERVED.expected_log_tokens
    loss = laws.scaling_loss(*runs, *(value[name][k] for name in laws.PARAMETERS))
    scores = run_scores(OBSERVED, value)
    np.testing.assert_allclose(scores[rows], 0.25 + 0.7 / (1.0 + np.exp(12.0 * (loss - 0.8))))
    without = observe(FEW, SPEC.replace(performance__expected_losses=False))
    assert np.isfinite(without.reference_loss).all()
    np.testing.assert_allclose(np.delete(scores, rows), run_scores(without, value))
