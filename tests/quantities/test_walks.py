"""A trend that wanders: its line, how it goes on, and what is said of later systems."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from examples import PC, WALK, few_systems
from scipy import stats

import densing_bayes as db
from densing_bayes.errors import SpecError, TableError
from densing_bayes.evaluation.backtests.unseen import as_observations
from densing_bayes.inputs import dates
from densing_bayes.inputs.families import Exponential
from densing_bayes.inputs.specification import load_hypothesis, load_spec
from densing_bayes.joint.line import (
    Line,
    Walk,
    continued,
    continued_on,
    contrasts,
    knots,
    line_slope,
    line_value,
    stretches,
)
from densing_bayes.joint.marginal.shared_parameters import SAMPLE_DRAW, given, known_or_new
from densing_bayes.joint.trend import periods
from densing_bayes.observed.observations import observe
from densing_bayes.posterior.draws import thinned
from densing_bayes.quantities import growth
from densing_bayes.quantities.walks import drift_on, reaching

EDGES = np.array([-1.0, -0.5, 0.0, 0.5, 1.0, 1.5])
SPEC = load_spec("joint").replace(
    trend__walk=WALK,
    trend__periods={"every_months": 3, "spread": PC},
    trend__release_scatter=True,
    density__walk=PC,
    density__lean=PC,
    density__release_lean=PC,
)
NEW = {"organisation": "Nobody", "release_date": "2025-06-30", "params": 7e9}


@pytest.fixture(scope="module")
def wandering():
    """A short real fit of a few systems: enough to look at, not to quote."""
    return db.fit(SPEC, few_systems(), draws=50, tune=100, chains=2, seed=1)


def a_walk(draws=1):
    random = np.random.default_rng(0)
    slope, level = random.standard_normal((2, 1, draws, 5))
    return Walk(*stretches(EDGES), slope, level)


def test_a_walk_is_the_sum_of_its_steps_away_from_time_0():
    """Step by step: the rate changes at the begin of a stretch, the level evenly over it."""
    walk = a_walk()
    slope, level = walk.slope[0, 0], walk.level[0, 0]
    line = Line(np.array([[[0.3]]]), np.array([[[2.0]]]), walks=[walk])
    # forward: stretches 2, 3, 4; backward: 1, then 0
    value, rate = 0.3, 2.0
    for i in (2, 3, 4):
        rate += slope[i]
        value += 0.5 * rate + level[i]
        assert line_value(line, EDGES[i + 1 : i + 2]).item() == pytest.approx(value)
    value, rate = 0.3, -2.0
    for i in (1, 0):
        rate += slope[i]
        value += 0.5 * rate + level[i]
        assert line_value(line, EDGES[i : i + 1]).item() == pytest.approx(value)
    assert line_value(line, np.zeros(1)).item() == pytest.approx(0.3)
    assert set(EDGES) == set(knots(line, 0.0))


def test_slopes_are_those_of_the_line():
    line = Line(np.array([[[0.3]]]), np.array([[[2.0]]]), walks=[a_walk()])
    time = np.array([-1.4, -0.7, -0.1, 0.2, 0.9, 1.2, 2.0])
    step = 1e-6
    expected = (line_value(line, time + step) - line_value(line, time - step)) / (2 * step)
    np.testing.assert_allclose(line_slope(line, time), expected, rtol=1e-6)
    # beyond the last stretch the level stands still, and the underlying rate is the rate
    underlying = line_slope(line, time, underlying=True)
    np.testing.assert_allclose(underlying[..., [0, -1]], expected[..., [0, -1]], rtol=1e-6)
    assert not np.allclose(underlying[..., 3], expected[..., 3])
    # times of each draw are the same times
    each = np.broadcast_to(time, (1, 1, time.size))
    np.testing.assert_allclose(line_value(line, each), line_value(line, time))


def test_a_walk_goes_on_by_its_own_spreads():
    walk = a_walk(draws=20_000)
    spread = np.full((1, 20_000), 0.3)
    on = continued(walk, 1.4, spread, 2.0 * spread, None)
    np.testing.assert_array_equal(on.slope[..., :5], walk.slope)
    line, before = Line(0.0, 0.0, walks=[on]), Line(0.0, 0.0, walks=[walk])
    past = np.array([-0.8, 0.3, 1.5])
    np.testing.assert_allclose(line_value(line, past), line_value(before, past))
    rise = (line_value(line, np.array([3.5])) - line_value(before, np.array([3.5])))[..., 0]
    # four stretches: steps of the level, and those of the rate for 2, 1.5, 1 and 0.5 years
    expected = np.sqrt(4 * 0.5 * 0.6**2 + 0.5 * 0.3**2 * (4.0 + 2.25 + 1.0 + 0.25))
    assert rise.std() == pytest.approx(expected, rel=0.03)
    again = continued(walk, 1.4, spread, 2.0 * spread, None)
    np.testing.assert_array_equal(on.level, again.level)
    heavy = continued(walk, 1.4, spread, 2.0 * spread, 4.0).level[..., 5:]
    assert stats.kurtosis(heavy.ravel()) > 1.0 > abs(stats.kurtosis(on.level[..., 5:].ravel()))


def test_walks_of_benchmarks_sum_to_zero_beyond_the_data_too():
    apart = contrasts(4)
    np.testing.assert_allclose(apart.sum(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(apart.T @ apart, np.eye(3), atol=1e-12)
    walk, spread = a_walk(draws=3000), np.full((1, 3000), 0.5)
    levels = np.array([continued_on(walk, 1.4, spread, on).level[..., 5:] for on in apart])
    np.testing.assert_allclose(levels.sum(axis=0), 0.0, atol=1e-12)
    assert levels[0].std() == pytest.approx(0.5 * np.sqrt(0.5 * 3 / 4), rel=0.02)


def test_an_exponential_prior_is_known_by_its_tail():
    prior = Exponential(distribution="exponential", upper=0.8, tail=0.1)
    grid = np.linspace(0.0, 20.0, 200_001)
    density = np.exp(prior.log_density(grid))
    above = np.trapezoid(density[grid >= 0.8], grid[grid >= 0.8])
    assert above == pytest.approx(0.1, abs=1e-3)
    assert np.trapezoid(grid * density, grid) == pytest.approx(prior.mean, rel=1e-3)
    assert prior.described().startswith("Exponential(mean 0.35)")


def test_walks_of_benchmarks_need_steps():
    with pytest.raises(SpecError, match=r"add a table \[trend.walk\]"):
        load_spec("joint").replace(trend__walk=None, density__walk=PC)
    with pytest.raises(SpecError, match=r"'trend.walk.every_month'; did you mean"):
        load_spec("joint").replace(trend__walk=WALK | {"every_month": 3})


def test_changes_stand_on_top_of_the_walk():
    """The grid of steps is that of the data, whatever the hypothesis."""
    panel = few_systems()
    seen = [observe(panel, SPEC.under(load_hypothesis(name))) for name in ("none", "chatgpt")]
    np.testing.assert_array_equal(seen[0].walk_edges, seen[1].walk_edges)
    edges, time = seen[0].walk_edges, seen[0].time
    assert edges[0] <= time.min() and edges[-1] >= time.max() and 0.0 in edges
    assert SPEC.under(load_hypothesis("none")).trend.walk == SPEC.trend.walk


@pytest.mark.fit
def test_growth_is_that_of_the_path_over_a_stretch_of_time(wandering):
    rates, line = growth.growth(wandering), growth.line_of(wandering)
    last = wandering.observed.time.max()
    rise = line_value(line, np.array([last])) - line_value(line, np.array([0.0]))
    expected = rise[..., 0] / last / 365.25
    np.testing.assert_allclose(rates["after"], expected)
    assert growth.growth_stretches(wandering)["after"] == (0.0, last)
    # the underlying rate is another thing: where the line is expected to go from here
    date = dates.date_of(last)
    assert not np.allclose(growth.growth_rate(wandering, [date]).isel(date=0), expected)


@pytest.mark.fit
def test_shelf_life_follows_the_path_beyond_the_data(wandering):
    days = db.frontier_shelf_life(wandering)
    last = wandering.observed.time.max()
    rise = (1.0 + growth.size_slope(wandering)) * np.log(2.0)
    start = line_value(growth.line_of(wandering), np.array([last]))[..., 0]
    arrived = last + np.nan_to_num(days.to_numpy() / 365.25, posinf=0.0)
    at = line_value(growth.line_of(wandering), arrived[..., None])[..., 0] - start
    within = np.isfinite(days.to_numpy()) & (rise > 0)
    assert within.mean() > 0.5
    np.testing.assert_allclose(at[within], rise[within], atol=1e-6)


@pytest.mark.fit
def test_lines_of_benchmarks_have_the_trend_for_their_mean(wandering):
    time = np.array([-1.0, 0.5, 4.0])
    apart = [drift_on(wandering, name, time) for name in wandering.observed.benchmarks]
    np.testing.assert_allclose(np.mean(apart, axis=0), 0.0, atol=1e-9)
    assert np.std(apart) > 0.01


@pytest.mark.fit
def test_later_systems_are_less_certain(wandering):
    """Steps of every walk are drawn up to their dates; a known organisation keeps its effects."""
    table = pd.DataFrame(
        [NEW | {"system": "a"}, NEW | {"system": "b", "release_date": "2029-06-30"}]
    )
    coming = as_observations(wandering, table)
    flat = thinned(wandering.posterior, 100)
    longer, drawn = reaching(wandering, coming, flat)
    assert longer.walk_edges[-1] >= coming.time.max() > wandering.observed.walk_edges[-1]
    more = len(longer.walk_edges) - len(wandering.observed.walk_edges)
    own = flat["level_step_offset"].transpose(SAMPLE_DRAW, ...).to_numpy()
    np.testing.assert_array_equal(drawn["level_step_offset"][:, :-more], own)
    found = db.predict(wandering, table).set_index(["system", "benchmark"])
    # on the scale of log Neff the later one is wider; its score may be near the ceiling
    line = growth.line_at(wandering, coming.time, "frontier")
    assert line[..., 1].std() > line[..., 0].std()
    assert (found["lower"] <= found["median"]).all() and (found["upper"] <= 1.0).all()
    assert set(found.loc["a"].index) == set(wandering.observed.benchmarks)


@pytest.mark.fit
@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"params": 7e9}, "lack the column organisation, release_date"),
        (NEW | {"params": "seven"}, "params = seven is not a count; write for instance 7e9"),
        (NEW | {"release_date": "soon"}, "release_date = soon is not a date"),
    ],
)
def test_systems_that_cannot_be_predicted(wandering, row, said):
    with pytest.raises(TableError, match=said):
        db.predict(wandering, [row | {"system": "x"}])


@pytest.mark.fit
def test_systems_of_a_new_quarter_share_its_effect(wandering):
    """At one draw, releases of one quarter move together, and those of another quarter do not."""
    flat = thinned(wandering.posterior, 100)
    spread = xr.full_like(flat["period_spread"], 3.0)
    rows = [
        NEW | {"system": name, "release_date": date}
        for name, date in (("a", "2025-06-03"), ("b", "2025-06-10"), ("c", "2025-09-03"))
    ]
    coming = as_observations(wandering, pd.DataFrame(rows))
    coming, longer = reaching(wandering, coming, flat.assign(period_spread=spread))
    line = given(wandering.spec, coming, longer).line
    apart = np.abs(np.diff(line, axis=1)).mean(axis=0)
    assert apart[0] < 0.5 < apart[1]


@pytest.mark.fit
def test_a_period_that_the_fit_knows_keeps_its_effect(wandering):
    flat = thinned(wandering.posterior, 20)
    label = str(flat["period"].values[-1])
    moved = flat["period_offset"] + 100.0 * (flat["period"] == label)
    before, after = (
        given(wandering.spec, wandering.observed, each).line
        for each in (flat, flat.assign(period_offset=moved))
    )
    own = periods_of(wandering) == label
    change = np.abs(after - before).max(axis=0)
    assert own.any()
    assert (change[own] > 1.0).all()
    assert (change[~own] == 0.0).all()


def test_units_that_a_fit_knows_keep_their_effects_and_others_have_new_ones():
    own = xr.DataArray([[1.0, 2.0]], dims=(SAMPLE_DRAW, "period"), coords={"period": ["a", "b"]})
    new = np.array([[10.0, 20.0, 30.0]])
    assert known_or_new(own, "period", ["b", "c", "a"], new).tolist() == [[2.0, 20.0, 1.0]]
    turned = known_or_new(own.transpose("period", ...), "period", ["b", "c", "a"], new.T)
    assert turned.tolist() == [[2.0], [20.0], [1.0]]


def test_times_of_any_shape_lie_in_periods():
    found = periods(SPEC.trend.periods, np.array([[-0.1, 0.1], [0.3, 0.2]]))
    assert found.number == [-1, 0, 1]
    assert found.of.tolist() == [[0, 1], [2, 1]]
    assert found.label == [str(dates.date_of(n / 4).date()) for n in found.number]


def periods_of(fit):
    """First day of the period of each system."""
    found = periods(fit.spec.trend.periods, fit.observed.time)
    return np.array(found.label)[found.of]


@pytest.mark.fit
def test_what_an_organisation_leans_towards_is_kept(wandering):
    """Predictions for one that the fit knows move with its lean; for another they do not."""
    name = wandering.observed.organisations[0]
    rows = [
        NEW | {"system": "own", "organisation": name, "release_date": "2023-06-30"},
        NEW | {"system": "other", "release_date": "2023-06-30"},
    ]
    offset = wandering.posterior["lean_offset"]
    moved = offset.where(offset["organisation"] != name, offset + 5.0)
    data = wandering.data.copy()
    data["posterior"] = xr.DataTree(wandering.posterior.assign(lean_offset=moved))
    other = dataclasses.replace(wandering, data=data)
    before, after = (
        db.predict(fit, rows).groupby("system")["mean"].mean() for fit in (wandering, other)
    )
    assert after["own"] > before["own"] + 0.01
    assert after["other"] == pytest.approx(before["other"], abs=1e-9)
