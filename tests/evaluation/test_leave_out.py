"""Left-out releases and the left-out future: densities against draws, windows, and a refit."""

import dataclasses

import numpy as np
import pytest

import densing_bayes as db
from densing_bayes.errors import DensingError
from densing_bayes.evaluation import leave_out
from densing_bayes.fitting.compiled import compile_fit
from densing_bayes.fitting.fit import fit_compiled
from densing_bayes.fitting.settings import Sampling
from densing_bayes.joint.marginal.predictive import predictive_densities
from densing_bayes.joint.marginal.shared_parameters import given
from densing_bayes.observed.observations import observe
from densing_bayes.posterior.draws import thinned


@pytest.mark.fit
@pytest.mark.parametrize("changes", [{}, {"trend__release_tails": 3.0, "density__lean": None}])
def test_predictive_draws_and_predictive_density_are_one_distribution(small_fit, changes):
    """The share of drawn scores below a value is the integral of the density up to it."""
    small_fit = dataclasses.replace(small_fit, spec=small_fit.spec.replace(**changes))
    observed = small_fit.observed
    flat = thinned(small_fit.posterior, 250)
    single = observed.of_systems(np.array([name == "mistral-7b-v0.1" for name in observed.systems]))
    cell = single.cell_benchmark == 0
    one = dataclasses.replace(
        single,
        score=single.score[cell],
        cell_label=tuple(np.array(single.cell_label)[cell]),
        cell_system=single.cell_system[cell],
        cell_benchmark=single.cell_benchmark[cell],
        cell_items=single.cell_items[cell],
        cell_flag=single.cell_flag[cell],
        organisations=("nobody",),
    )
    drawn = np.concatenate(
        [leave_out.predicted_scores(small_fit, one, flat, seed).ravel() for seed in range(15)]
    )
    parameters = given(small_fit.spec, one, flat)
    grid = np.linspace(0.3, 0.95, 66)
    density = [
        np.exp(
            predictive_densities(
                small_fit.spec, dataclasses.replace(one, score=np.array([s])), parameters
            ).total
        ).mean()
        for s in grid
    ]
    step = grid[1] - grid[0]
    below = np.cumsum(density) * step  # up to half a step above each point
    assert below[-1] == pytest.approx(1.0, abs=0.01)
    for share in (0.1, 0.5, 0.9):
        value = np.interp(share, below, grid + step / 2)
        assert np.mean(drawn <= value) == pytest.approx(share, abs=0.03)


@pytest.mark.fit
def test_a_release_hangs_on_those_of_its_organisation_only(small_fit):
    """Given the globals, so that the others need not be computed."""
    observed, draws = small_fit.observed, 20
    parameters = given(small_fit.spec, observed, thinned(small_fit.posterior, draws))
    all_of_them = predictive_densities(small_fit.spec, observed, parameters).release
    for release in (3, 20, 49):
        chosen = np.arange(len(observed.releases)) == release
        assert len(leave_out.kin(observed, chosen).systems) < len(observed.systems)
        alone = leave_out.density_of_release(small_fit, observed, release, draws)
        expected = np.logaddexp.reduce(all_of_them[:, release]) - np.log(len(all_of_them))
        assert alone == pytest.approx(expected, abs=1e-6)


@pytest.mark.fit
def test_forecasts_are_of_the_window_only(small_fit):
    observed = small_fit.observed
    cut = leave_out.cuts_of(observed)[2]
    scores = leave_out.forecast_scores(small_fit, observed, cut)
    past = leave_out.before(observed, cut)
    assert not set(scores["releases"]) & set(past.releases)
    assert len(scores["log_score"]) == len(scores["k"]) == len(scores["releases"])
    assert len(scores["crps"]) == len(scores["covered95"]) > len(scores["releases"])
    assert np.isfinite(scores["log_score"]).all() and min(scores["crps"]) >= 0.0


def test_a_score_that_rests_on_few_draws_is_known_by_its_k():
    """Densities whose logarithm scatters by 0.3 nats have a mean; by 6 nats, one draw is all."""
    random = np.random.default_rng(0)
    terms = random.standard_normal((2000, 2)) * [0.3, 6.0]
    coming = observe(db.load_panel("open"), db.load_spec("joint"))
    drawn = random.random((50, len(coming.score)))
    sure, unsure = leave_out.judged(coming, terms, drawn)["k"]
    assert sure < leave_out.K_LIMIT < unsure


@pytest.mark.fit
def test_forecasts_of_scores_are_judged_by_their_draws(small_fit):
    """CRPS by its definition, over pairs of draws; coverage by counting them."""
    observed = small_fit.observed
    cut = leave_out.cuts_of(observed)[3]
    scores = leave_out.forecast_scores(small_fit, observed, cut, seed=4)
    coming = observed.of_systems(np.isin(observed.system_release, _numbers(observed, scores)))
    flat = thinned(small_fit.posterior, leave_out.DRAWS)
    drawn = leave_out.predicted_scores(small_fit, coming, flat, seed=4)
    for i in (0, 7, len(coming.score) - 1):
        x, y = drawn[:, i], coming.score[i]
        crps = np.abs(x - y).mean() - np.abs(x[:, None] - x).mean() / 2.0
        assert scores["crps"][i] == pytest.approx(crps, rel=1e-3)
        share = np.mean(x <= y)
        assert scores["covered95"][i] == (0.025 <= share <= 0.975)
        assert scores["covered50"][i] == (0.25 <= share <= 0.75)


def _numbers(observed, scores):
    return [observed.releases.index(name) for name in scores["releases"]]


def test_cuts_reach_to_the_last_release():
    observed = observe(db.load_panel("open"), db.load_spec("joint"))
    cuts = leave_out.cuts_of(observed)
    assert len(cuts) == 5
    windows = [leave_out.before(observed, cut).time.size for cut in cuts]
    assert windows == sorted(windows) and windows[0] > 0
    for count in (20, 10**12):
        with pytest.raises(DensingError, match="use fewer or shorter windows"):
            leave_out.cuts_of(observed, count)
    with pytest.raises(DensingError, match="no release in the 3 days"):
        leave_out.forecast_scores(None, observed, cuts[0].replace(day=1), days=3)


@pytest.mark.slow
def test_importance_sampling_agrees_with_a_refit():
    """Where k is below 0.7, the density of a release is that of a fit without it."""
    fit = db.fit("joint", seed=1, progress=False)
    found, _ = leave_out.leave_one_out(fit)
    k = np.array(found["release"]["k"])
    release = int(np.flatnonzero((k > 0.3) & (k < 0.65))[0])
    others = fit.observed.system_release != release
    settings = {"draws": 1000, "tune": 500, "chains": 4, "cores": None, "prior": False}
    compiled = compile_fit(fit.spec, fit.observed)
    masked = fit_compiled(
        compiled, fit.observed, Sampling(seed=2, **settings), seen=others, near=fit
    )
    reduced = fit.observed.of_systems(others)
    anew = fit_compiled(compile_fit(fit.spec, reduced), reduced, Sampling(seed=3, **settings))
    for refit in (masked, anew):
        assert refit.verdict == "PASS"
        assert refit.observed.hash() == reduced.hash()
        exact = leave_out.density_of_release(refit, fit.observed, release)
        assert found["release"]["elpd"][release] == pytest.approx(exact, abs=0.2)
    # without its cells in the compiled arrays or with them unseen, the posterior is one
    tables = [refit.to_dataframe() for refit in (masked, anew)]
    assert list(tables[0].index) == list(tables[1].index)
    errors = [table["sd"] / np.sqrt(table["ess_bulk"]) for table in tables]
    apart = (tables[0]["mean"] - tables[1]["mean"]).abs() / np.hypot(*errors)
    assert apart.max() < 5.0
