"""Checkpoints of a training run share an effect: who has one, and what it does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytensor
import pytest
from scipy.special import logit

from densing_bayes.evaluation.simulation import run_scores, simulate
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.joint.model import assemble
from densing_bayes.observed.observations import observe
from densing_bayes.quantities.predictive import predictive

FAST = pytensor.compile.Mode(linker="py", optimizer=None)
SPEC = load_spec("joint")
PANEL = load_panel("open")
OBSERVED = observe(PANEL, SPEC)


def test_runs_with_several_scores_on_a_benchmark_have_an_effect_there():
    assert OBSERVED.checkpointed == tuple(
        f"OLMo 2 {size}|{benchmark}"
        for size in ("13B", "7B")
        for benchmark in ("arc_challenge", "hellaswag", "mmlu")
    )
    for label, i in zip(OBSERVED.reference_label, OBSERVED.reference_checkpointed, strict=True):
        run, benchmark = label.split("|")
        training = PANEL.runs.at[run, "checkpoint_of"]
        # WinoGrande has the two ends of the runs only: nothing is shared there
        shared = training != "" and benchmark != "winogrande"
        assert (OBSERVED.checkpointed[i] == f"{training}|{benchmark}") if shared else i == -1
    mmlu = OBSERVED.reference_benchmark == OBSERVED.benchmarks.index("mmlu")
    assert mmlu.sum() == 60 and (OBSERVED.reference_checkpointed[mmlu] >= 0).all()


def test_without_checkpoints_or_with_the_switch_off_there_is_no_effect():
    paper = load_spec("paper")
    for spec in (SPEC.replace(performance__run_effects=False), paper):
        observed = observe(load_panel(spec.panel.source), spec)
        assert observed.checkpointed == () and (observed.reference_checkpointed == -1).all()
        assert "run_spread" not in assemble(spec, observed).model
    assert "run_effect" in assemble(SPEC, OBSERVED).model


def test_of_the_checkpoints_of_a_run_only_the_last_is_a_finished_run():
    """So neither the scaling law nor a direct link counts a training run twice."""
    careless = dataclasses.replace(PANEL, runs=PANEL.runs.assign(annealed="unknown"))
    observed = observe(careless, SPEC)
    assert observed.loss_label == OBSERVED.loss_label
    np.testing.assert_array_equal(observed.loss, OBSERVED.loss)
    unnamed = dataclasses.replace(careless, runs=careless.runs.assign(checkpoint_of=""))
    assert len(observe(unnamed, SPEC).loss) == len(OBSERVED.loss) + 3 * 58


@pytest.mark.fit
def test_an_effect_moves_all_scores_of_its_run_on_its_benchmark_by_as_much_on_the_link(small_fit):
    draw = small_fit.posterior.isel(chain=0, draw=3, drop=True)
    value = {str(name): draw[name].to_numpy() for name in draw.data_vars}
    k = OBSERVED.reference_benchmark
    floor, ceiling = value["floor"][k], value["ceiling"][k]

    def link(effect):
        score = run_scores(OBSERVED, value | {"run_effect": effect})
        return logit((score - floor) / (ceiling - floor))

    effects = np.linspace(-0.5, 0.5, len(OBSERVED.checkpointed))
    moved = link(effects) - link(np.zeros(len(effects)))
    run = OBSERVED.reference_checkpointed
    np.testing.assert_allclose(moved, np.where(run >= 0, effects[run], 0.0), atol=1e-9)


@pytest.mark.fit
def test_simulated_checkpoints_of_a_run_are_correlated_as_the_model_says(small_fit):
    """Over panels, the mean residual of a run has the variance of its effect, not that of noise."""
    draw = small_fit.posterior.isel(chain=0, draw=3, drop=True)
    spread, panels = 0.4, 400
    truth = draw.assign(run_spread=draw["run_spread"] * 0.0 + spread)
    value = {str(name): draw[name].to_numpy() for name in draw.data_vars}
    value["run_effect"] = np.zeros(len(OBSERVED.checkpointed))
    i = OBSERVED.checkpointed.index("OLMo 2 13B|hellaswag")
    own = OBSERVED.reference_checkpointed == i
    alone = (OBSERVED.reference_checkpointed == -1) & (OBSERVED.reference_benchmark == 0)
    means = []
    for seed in range(panels):
        simulated, _ = simulate(SPEC, OBSERVED, truth, seed)
        residual = simulated.reference_score - run_scores(simulated, value)
        means.append((residual[own].mean(), residual[alone].mean()))
    shared, single = np.std(means, axis=0)
    score = run_scores(OBSERVED, value)
    floor, ceiling = value["floor"][0], value["ceiling"][0]
    slope = ((score - floor) * (ceiling - score) / (ceiling - floor))[own].mean()
    assert shared == pytest.approx(spread * slope, rel=0.12)  # its error is 1/sqrt(2 * 400) = 0.035
    assert single < 0.1 * shared


@pytest.mark.fit
def test_a_training_run_is_predicted_with_its_effect(small_fit):
    drawn = predictive(small_fit, draws=200, seed=1)["reference_score"]
    predicted = drawn.mean(("chain", "draw")).to_numpy()
    residual = OBSERVED.reference_score - predicted
    noise = drawn.std(("chain", "draw")).to_numpy()
    for i, label in enumerate(OBSERVED.checkpointed):
        own = OBSERVED.reference_checkpointed == i
        assert abs(np.mean((residual / noise)[own])) < 0.25, label


@pytest.mark.fit
def test_other_losses_need_no_model_of_their_own(small_fit):
    """Losses beside reference scores are data: a panel of the same shape takes the same model."""
    draw = small_fit.posterior.isel(chain=0, draw=3, drop=True)
    simulated, _ = simulate(SPEC, OBSERVED, draw, seed=4)
    assert (simulated.reference_loss != OBSERVED.reference_loss).any()
    densities = []
    for parts in (assemble(SPEC, OBSERVED), assemble(SPEC, simulated)):
        model = parts.model
        for name in ("loss", "reference_loss", "reference_score", "score"):
            model[f"{name}_data"].set_value(getattr(simulated, name))
        values = [model.rvs_to_values[rv] for rv in model.free_RVs]
        density = model.logp(vars=model["reference_score"])
        at = pytensor.function(values, density, mode=FAST, on_unused_input="ignore")
        densities.append(at(*model.initial_point().values()))
    assert densities[0] == densities[1]
