"""Recovery on simulated panels: the committed study, and a few panels anew."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from examples import LINE

from densing_bayes.evaluation.simulation import simulate
from densing_bayes.fitting.compiled import compile_fit
from densing_bayes.fitting.fit import fit_compiled
from densing_bayes.fitting.settings import Sampling
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.posterior.estimates import estimate
from densing_bayes.quantities.growth import doubling_time, growth
from densing_bayes.quantities.shelf_life import frontier_shelf_life

ANALYSES = Path(__file__).parents[2] / "analyses"


@pytest.mark.parametrize(("study", "panels"), [("recovery", 50), ("recovery_paper", 8)])
def test_the_committed_study_covers_the_truth(study, panels):
    content = json.loads((ANALYSES / f"{study}.json").read_text(encoding="utf-8"))
    rows = [row for row in content["summary"] if row["scenario"] == "all that passed"]
    assert rows and rows[0]["panels"] >= panels
    for row in rows:
        for level in (50, 95):
            low, high = row[f"band{level}"]
            assert low <= row[f"covered{level}"] <= high, row


def test_the_committed_study_calls_no_change_an_acceleration_rarely():
    content = json.loads((ANALYSES / "recovery.json").read_text(encoding="utf-8"))
    flat = [row for row in content["acceleration"] if row["scenario"] in ("floor", "no change")]
    panels = sum(row["panels"] for row in flat)
    # 5% of 20 panels is one; four or more would have probability 0.016 if P were calibrated.
    assert sum(row["above95"] for row in flat) < 4
    assert panels >= 20


@pytest.mark.slow
def test_simulated_panels_are_recovered(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ANALYSES)
    import recovery

    monkeypatch.setenv("DENSING_BAYES_CACHE", str(tmp_path / "store"))
    out = tmp_path / "recovery.json"
    monkeypatch.setattr(sys, "argv", ["recovery.py", "--panels", "6", "--out", str(out)])
    recovery.main()
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    headline = [row for row in rows if row["verdict"] == "PASS" and "growth" in row["quantity"]]
    assert headline
    assert np.mean([row["in95"] for row in headline]) > 0.7


@pytest.fixture(scope="module")
def sloped_panel(small_fit):
    """A panel of the shape of the open one whose density rises with size, s = 0.25."""
    truth = small_fit.posterior.isel(chain=0, draw=7, drop=True)
    truth = truth.assign(size_slope=truth["size_slope"] * 0.0 + 0.25)
    truth = truth.drop_vars([name for name in truth if "_step" in name or "lean" in name])
    observed = replace(small_fit.observed, walk_edges=np.zeros(0))
    simulated, _ = simulate(LINE, observed, truth, seed=12)
    return truth, simulated


@pytest.mark.fit
def test_simulated_reference_scores_belong_to_simulated_losses(small_fit, sloped_panel):
    _, simulated = sloped_panel
    real = small_fit.observed
    losses = dict(zip(simulated.loss_label, simulated.loss, strict=True))
    labels = real.reference_label[: real.loss_references]
    finished = np.array([label in losses for label in labels])
    assert finished.any() and not finished.all()
    expected = [losses[label] for label in np.array(labels)[finished]]
    np.testing.assert_array_equal(simulated.reference_loss[finished], expected)
    assert (simulated.reference_loss[finished] != real.reference_loss[finished]).all()
    # checkpoints are given, in the model as here
    np.testing.assert_array_equal(
        simulated.reference_loss[~finished], real.reference_loss[~finished]
    )


@pytest.mark.fit
def test_shelf_life_of_a_simulated_panel_with_a_size_slope_is_covered(sloped_panel):
    truth, simulated = sloped_panel
    found = fit_compiled(
        compile_fit(LINE, simulated), simulated,
        Sampling(draws=500, tune=400, chains=2, cores=2, seed=3, prior=False),
    )  # fmt: skip
    rate = float(truth["growth_before"] + truth["growth_change"].sum())
    days = DAYS_PER_YEAR / rate
    life = estimate(frontier_shelf_life(found), "days", mean=False)
    assert life["lower"] < 1.25 * np.log(2.0) * days < life["upper"]
    slope = estimate(found.posterior["size_slope"], "1")
    assert slope["lower"] < 0.25 < slope["upper"] and slope["lower"] > 0.0
    # and without the slope the life is too short
    doubling = doubling_time(growth(found)["after"])
    assert float(np.mean(frontier_shelf_life(found) > doubling)) > 0.99
