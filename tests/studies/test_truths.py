"""Parts of the studies that hold fits against known truths, without a fit of their own."""

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from densing_bayes.evaluation.truths import ranks, reported, truth_as_fit

ANALYSES = Path(__file__).parents[2] / "analyses"


def script(name):
    place = importlib.util.spec_from_file_location(name, ANALYSES / f"{name}.py")
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module


posterior_calibration, misspecified = script("posterior_calibration"), script("misspecified")


@pytest.fixture(scope="module")
def truth(small_fit):
    """A draw of the small fit: what all systems share, and their log densities."""
    one = small_fit.posterior.isel(chain=0, draw=0, drop=True)
    return posterior_calibration.shared(one), one["log_density"].to_numpy()


def without_spreads(truth):
    """A truth in which systems differ by nothing but the line."""
    spreads = ("shortfall", "system", "organisation", "release", "period", "lean")
    names = [name for name in (f"{each}_spread" for each in spreads) if name in truth]
    return truth.assign({name: truth[name] * 0.0 for name in [*names, "benchmark_spread"]})


def bent(cell, fit, truth, seed=1):
    return misspecified.bent(cell, fit.spec, fit.observed, truth, seed)


def test_a_draw_as_truth_is_reported_as_in_its_fit(small_fit, truth):
    one = small_fit.posterior.isel(chain=[0], draw=[0])
    own = dataclasses.replace(small_fit, data=xr.DataTree.from_dict({"posterior": one}))
    told, expected = reported(truth_as_fit(small_fit, *truth)), reported(own)
    assert list(told) == list(expected)
    for name, value in told.items():
        assert value == pytest.approx(expected[name]), name


def test_ranks_are_shares_below_and_ties_count_half():
    found = ranks({"x": np.array([1.0, 2.0, 3.0, 4.0])}, {"x": np.array([3.0])})
    assert found == {"x": 0.625}
    never = ranks({"x": np.array([1.0, np.inf])}, {"x": np.array([np.inf])})
    assert never == {"x": 0.75}


def test_coverage_tells_right_intervals_from_narrow_and_wide_ones():
    random = np.random.default_rng(1)
    rows = [
        {"verdict": "PASS", "ranks": {"right": u, "too wide": 0.4 + 0.2 * u, "too high": u**6}}
        for u in random.random(400)
    ]
    failed = {"verdict": "FAIL", "ranks": dict.fromkeys(rows[0]["ranks"], 0.0)}
    table = posterior_calibration.summary([*rows, failed, {"verdict": "ERROR", "ranks": None}])
    for level in (50, 80, 95):
        low, high = table.loc["right", f"band{level}"]
        assert low <= table.loc["right", f"covered{level}"] <= high
        assert table.loc["too wide", f"covered{level}"] == 1.0
        assert table.loc["too high", f"covered{level}"] < low
    assert (table["replicates"] == 400).all()


def test_shocks_move_the_systems_of_a_half_year_together(small_fit, truth):
    shared, _ = truth
    shared = without_spreads(shared)
    calm, shaken = (bent(cell, small_fit, shared) for cell in ("as fitted", "level shocks"))
    shock = shaken.log_density - calm.log_density
    spec = small_fit.spec.replace(
        trend__periods={
            "every_months": 6,
            "spread": {"distribution": "exponential", "upper": 1.0},
        }
    )
    begun = np.array(spec.trend.periods.begun(small_fit.observed.time))
    within = [np.ptp(shock[begun == period]) for period in np.unique(begun)]
    assert max(within) < 1e-9 and np.std(shock) > 0.1


def test_leaks_raise_one_benchmark_from_their_date_on_and_not_past_the_ceiling(small_fit, truth):
    shared, _ = truth
    calm, leaky = (bent(cell, small_fit, shared) for cell in ("as fitted", "contamination ramp"))
    observed = small_fit.observed
    gain = leaky.panel.score - calm.panel.score
    hit = observed.cell_benchmark == observed.benchmarks.index(misspecified.LEAKED)
    time = observed.time[observed.cell_system]
    assert (gain[~hit] == 0.0).all() and (gain[time <= misspecified.LEAK_FROM] == 0.0).all()
    assert gain[hit & (time > misspecified.LEAK_FROM)].max() > 0.02
    ceiling = shared["ceiling"].to_numpy()[observed.cell_benchmark]
    assert (leaky.panel.score <= np.maximum(ceiling, calm.panel.score) + 1e-12).all()


def test_the_least_dense_third_of_each_half_year_is_not_published(small_fit, truth):
    shared, _ = truth
    one = bent("selection", small_fit, shared)
    half_year = np.floor(small_fit.observed.time / misspecified.HALF_YEAR)
    for period in np.unique(half_year):
        own = half_year == period
        hidden, shown = (one.log_density[own & mask] for mask in (~one.published, one.published))
        assert len(hidden) == len(one.log_density[own]) // 3
        assert not hidden.size or hidden.max() < shown.min()


def test_siblings_that_lean_alike_scatter_more_by_release(small_fit, truth):
    shared, _ = truth
    shared = without_spreads(shared)
    calm, leaning = (bent(cell, small_fit, shared) for cell in ("as fitted", "correlated siblings"))
    again = bent("as fitted", small_fit, shared, seed=2)
    assert np.ptp(leaning.log_density - calm.log_density) < 1e-9  # densities are what they were
    noise = np.std(again.panel.score - calm.panel.score)
    assert np.std(leaning.panel.score - calm.panel.score) > 1.5 * noise


def test_scores_to_come_are_counted_by_their_intervals(small_fit):
    few = np.zeros(len(small_fit.observed.systems), dtype=bool)
    few[-4:] = True
    found = misspecified.covered(small_fit, small_fit.observed.of_systems(few), seed=1)
    assert found["scores"] == small_fit.observed.of_systems(few).score.size
    assert 0.0 <= found["covered50"] <= found["covered80"] <= found["covered95"] <= 1.0


def test_the_grid_is_summed_by_cell():
    row = {"verdict": "PASS", "scores": {"scores": 10, "covered50": 0.5, "covered80": 0.8,
           "covered95": 1.0}}  # fmt: skip
    rows = [
        row | {"cell": cell, "ranks": dict.fromkeys(misspecified.GROWTH, rank)}
        for cell, rank in (("as fitted", 0.5), ("as fitted", 0.99), ("selection", 0.1))
    ]
    table = misspecified.summary([*rows, rows[1] | {"verdict": "FAIL"}])
    assert list(table.loc["as fitted", ["replicates", "passed"]]) == [3, 2]
    assert table.loc["as fitted", "growth after, covered95"] == 0.5
    assert table.loc["selection", "growth after, covered50"] == 0.0
    assert table.loc["selection", "growth after, covered80"] == 1.0
    assert table.loc["as fitted", "scores, covered80"] == 0.8
