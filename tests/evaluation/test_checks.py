"""Checks of a fit: statuses follow from figures, PITs are uniform where the model is right."""

import dataclasses
import importlib.util
import json
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from densing_bayes import check
from densing_bayes.cli.main import app
from densing_bayes.display.figures.checks import plot_loo_pit
from densing_bayes.errors import DensingError
from densing_bayes.evaluation.checks import NOTHING, check_rows, convergence, misfit, sentences
from densing_bayes.evaluation.pit import leave_releases_out, run_densities, run_pit, score_pit
from densing_bayes.evaluation.prior_sensitivity import prior_densities
from densing_bayes.evaluation.simulation import simulate
from densing_bayes.evaluation.uniformity import P_MIN, ecdf_difference, uniformity_p
from densing_bayes.report.gallery import get_plot_data

ANALYSES = Path(__file__).parents[2] / "analyses"
DRAWS = 250
GOOD = {
    "rhat_max": 1.002,
    "ess_bulk_min": 900.0,
    "ess_tail_min": 800.0,
    "divergences": 0,
    "bfmi_min": 0.9,
    "tree_depth_max": 5,
    "worst": {"rhat": "level", "ess_bulk": "level", "ess_tail": "level"},
    "reasons": [],
    "verdict": "PASS",
}


def with_diagnostics(fit, **figures):
    return dataclasses.replace(fit, diagnostics=GOOD | figures)


def with_scores(fit, scores):
    observed = dataclasses.replace(fit.observed, score=scores)
    return dataclasses.replace(fit, observed=observed, diagnostics=GOOD)


@pytest.fixture(scope="module")
def checks(small_fit):
    return check(with_diagnostics(small_fit), draws=DRAWS)


# Uniformity


def test_uniform_values_pass_and_others_do_not():
    random = np.random.default_rng(1)
    p = [uniformity_p(random.random(60)) for _ in range(150)]
    assert np.mean(np.array(p) < P_MIN) < 0.05
    assert uniformity_p(random.beta(3, 3, 200)) < P_MIN
    assert uniformity_p(random.random(60) ** 2) < P_MIN


def test_bands_hold_uniform_values_and_not_shifted_ones():
    random = np.random.default_rng(2)
    at, difference, lower, upper = ecdf_difference(random.random(80))
    assert at[0] == 0.0 and at[-1] == 1.0
    assert np.all((difference >= lower) & (difference <= upper))
    _, difference, lower, upper = ecdf_difference(random.random(80) ** 2)
    assert np.any((difference < lower) | (difference > upper))


def test_a_misfit_is_named_by_its_kind():
    grid = (np.arange(100) + 0.5) / 100
    assert misfit(grid**0.5) == "higher than"
    assert misfit(grid**2) == "lower than"
    assert misfit(np.sin(np.pi * (grid - 0.5)) / 2 + 0.5) == "more spread out than"
    assert misfit(0.25 + grid / 2) == "less spread out than"
    assert misfit(grid) == "distributed otherwise than"


# PIT


@pytest.mark.fit
def test_simulated_panels_have_uniform_pits_under_the_truth(small_fit):
    """With draws that are all the truth, what is left out is predicted by the truth itself."""
    truth = small_fit.posterior.isel(chain=0, draw=10).drop_vars(["chain", "draw"])
    # The simulation draws effects of runs and quarters anew, the draws keep theirs: none in either.
    effects = ("run_spread", "run_effect", "period_spread", "period_effect")
    truth = truth.assign({name: 0.0 * truth[name] for name in effects})
    pits, measured = [], []
    for seed in range(3):
        observed, _ = simulate(small_fit.spec, small_fit.observed, truth, seed, clip=False)
        same = truth.expand_dims(chain=2, draw=100).copy(deep=True)
        for name in ("level", "loss_noise", "reference_noise"):  # weights that are all equal fail
            jitter = np.random.default_rng(seed).normal(1.0, 1e-9, (2, 100))
            same[name] = same[name] * xr.DataArray(jitter, dims=("chain", "draw"))
        fit = dataclasses.replace(
            small_fit, observed=observed, data=xr.DataTree.from_dict({"posterior": same})
        )
        pits.append(score_pit(fit, leave_releases_out(fit, 200)))
        measured.append(run_pit(fit, run_densities(fit, 200)))
    for k in range(len(observed.benchmarks)):
        name = observed.benchmarks[k]
        pit = np.concatenate([table["pit"][table["benchmark"] == name] for table in pits])
        assert uniformity_p(pit) > 0.001
        assert abs(pit.mean() - 0.5) < 0.08 and abs(pit.std() - 12**-0.5) < 0.05
    pit = np.concatenate([table["pit"] for table in measured])
    assert uniformity_p(pit) > 0.001


@pytest.mark.fit
def test_pit_of_a_release_is_one_number_per_benchmark(small_fit, checks):
    table, observed = checks.score_pit, small_fit.observed
    assert not table.duplicated(["benchmark", "release"]).any()
    assert table["systems"].sum() == len(observed.score)
    assert table["pit"].between(0, 1).all()
    assert set(table["benchmark"]) == set(observed.benchmarks)
    assert len(checks.run_pit) == len(observed.loss) + len(observed.reference_score)


@pytest.mark.fit
def test_a_benchmark_whose_scores_are_shifted_is_called_out(small_fit):
    observed = small_fit.observed
    hellaswag = observed.cell_benchmark == observed.benchmarks.index("hellaswag")
    shifted = np.where(hellaswag, observed.score + 0.2 * (0.9 - observed.score), observed.score)
    table = check(with_scores(small_fit, shifted), draws=DRAWS).table.set_index("check")
    row = table.loc["PIT of releases, HellaSwag"]
    assert row["status"] == "REVIEW" and row["figure"] < P_MIN
    assert "higher than the model predicts" in row["recommendation"]
    assert "without hellaswag" in row["recommendation"]


# The table


@pytest.mark.fit
def test_statuses_follow_from_figures(checks):
    for row in checks.table.itertuples():
        inside = row.figure <= row.limit if row.bound == "at most" else row.figure >= row.limit
        assert (row.status == "PASS") == inside
        assert (row.recommendation == NOTHING) == inside
        assert row.status == "PASS" or (row.status == "FAIL") == (row.topic == "convergence")
    assert set(checks.table["topic"]) == {"convergence", "prediction", "reference", "priors"}
    assert checks.verdict in ("PASS", "REVIEW")
    assert len(check_rows(checks)) == len(checks.table)
    assert len(sentences(checks)) == (checks.table["status"] != "PASS").sum() + 1


@pytest.mark.parametrize(
    ("figures", "name"),
    [
        ({"rhat_max": 1.3}, "largest R-hat"),
        ({"ess_bulk_min": 20.0}, "smallest bulk ESS"),
        ({"ess_tail_min": 20.0}, "smallest tail ESS"),
        ({"divergences": 3}, "divergent transitions"),
        ({"bfmi_min": 0.1}, "smallest E-BFMI"),
        ({"tree_depth_max": 10}, "greatest tree depth"),
        ({"modes": [{}, {}], "verdict": "MULTIMODAL"}, "modes that chains sit in"),
        ({"rhat_max": float("nan")}, "largest R-hat"),
    ],
)
def test_a_fit_that_has_not_converged_fails_by_the_figure(figures, name):
    rows = convergence(GOOD | figures)
    (failed,) = (row for row in rows if row.status != "PASS")
    assert failed.check == name and failed.status == "FAIL"
    assert failed.recommendation != NOTHING
    assert all(row.status == "PASS" for row in convergence(GOOD))


@pytest.mark.fit
def test_priors_are_those_of_the_specification(small_fit):
    found = prior_densities(small_fit)
    assert {"growth_before", "growth_change", "level", "format_offset"} <= set(found)
    assert not {"log_density", "shortfall", "organisation_offset", "drift_before"} & set(found)
    before = small_fit.posterior["growth_before"]
    prior = small_fit.spec.trend.growth_before
    z = (before - prior.mu) / prior.sigma
    expected = -0.5 * z**2 - np.log(prior.sigma * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(found["growth_before"], expected, rtol=1e-6)


@pytest.mark.fit
def test_too_few_draws_are_refused(small_fit):
    with pytest.raises(DensingError, match="50 draws are too few"):
        check(small_fit, draws=50)


@pytest.mark.fit
def test_the_figure_shows_what_was_checked(checks):
    axes = plot_loo_pit(checks)
    benchmarks = list(checks.score_pit["benchmark"].unique())
    assert len(axes) == len(benchmarks)
    part = checks.score_pit[checks.score_pit["benchmark"] == benchmarks[0]]
    at, difference, *_ = ecdf_difference(part["pit"].to_numpy())
    (line,) = (line for line in axes[0].lines if len(line.get_xdata()) == len(at))
    np.testing.assert_array_equal(line.get_ydata(), difference)
    ecdf, tests = get_plot_data("loo_pit", checks).values()
    np.testing.assert_array_equal(ecdf[ecdf["benchmark"] == benchmarks[0]]["pit"], at)
    assert list(tests["benchmark"]) == benchmarks and tests["p"].between(0, 1).all()
    plt.close(axes[0].figure)


# The command


@pytest.mark.fit
def test_the_command_prints_every_check_and_fails_with_the_fit(small_fit, tmp_path, monkeypatch):
    monkeypatch.setattr("densing_bayes.evaluation.checks.check", partial(check, draws=DRAWS))
    path = with_diagnostics(small_fit).save(tmp_path / "good.nc")
    result = CliRunner().invoke(app, ["check", str(path)])
    assert result.exit_code == 0, result.output
    for text in ("largest R-hat", "PIT of releases, MMLU", "prior sensitivity", "nothing to do"):
        assert text in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80

    path = with_diagnostics(small_fit, divergences=4, verdict="FAIL").save(tmp_path / "bad.nc")
    result = CliRunner().invoke(app, ["check", str(path), "--json"])
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    assert document["verdict"] == "FAIL"
    assert {"checks", "score_pit", "run_pit", "diagnostics", "provenance"} <= set(document)
    (failed,) = (row for row in document["checks"] if row["status"] == "FAIL")
    assert failed["check"] == "divergent transitions" and failed["figure"] == 4
    assert "target_accept" in failed["recommendation"]


# Calibration


@pytest.fixture(scope="module")
def calibration():
    place = importlib.util.spec_from_file_location("calibration", ANALYSES / "calibration.py")
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module


def test_summary_tells_uniform_ranks_from_others(calibration):
    random = np.random.default_rng(3)
    levels = calibration.LEVELS
    rows = [
        {
            "verdict": "PASS" if i % 4 else "FAIL",
            "ranks": {
                "right": int(random.integers(0, levels + 1)),
                "too wide": int(random.binomial(levels, 0.5)),
                "too low": int(levels * random.random() ** 3),
            },
        }
        for i in range(200)
    ]
    rows.append({"verdict": "ERROR", "ranks": None})
    table = calibration.summary(rows)
    assert list(table["replicates"]) == [200, 200, 200]
    right, wide, low = (table.loc[name] for name in ("right", "too wide", "too low"))
    assert min(right["p"], right["p_chi2"], right["p_passed"]) > 0.01
    assert abs(right["covered95"] - 0.95) < 0.05 and abs(right["covered50"] - 0.5) < 0.1
    for bent in (wide, low):
        assert max(bent["p"], bent["p_chi2"], bent["p_passed"]) < 0.001
    assert wide["covered50"] == pytest.approx(1.0, abs=0.01)
    assert low["mean_rank"] < 0.35


def test_panels_that_nobody_would_fit_are_told_by_their_data(calibration):
    _, observed = calibration.reduced()
    assert calibration.usable(observed)
    for change in (
        {"score": np.full_like(observed.score, 0.25)},
        {"loss": observed.loss[0] * np.ones_like(observed.loss)},
    ):
        assert not calibration.usable(dataclasses.replace(observed, **change))
