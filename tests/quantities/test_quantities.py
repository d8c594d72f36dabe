"""Quantities from hand-made draws, against closed forms."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.optimize import brentq

from densing_bayes.display.headline import headline
from densing_bayes.errors import DensingError
from densing_bayes.inputs.dates import DAYS_PER_YEAR, date_of, years_since_origin
from densing_bayes.inputs.hypothesis import Hypothesis
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_hypothesis, load_spec
from densing_bayes.joint import laws
from densing_bayes.joint.line import line_value
from densing_bayes.observed.observations import observe
from densing_bayes.posterior import estimates
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities import densities, forecasts, growth, shelf_life, summary
from densing_bayes.quantities.summary import forecast_summary

SPEC = load_spec("joint")
SYSTEMS = ("gpt2-xl", "llama-2-7b", "mistral-7b-v0.1")
LN2 = np.log(2.0)


def make_fit(spec=SPEC, **values):
    """A fit whose posterior is one chain of given values: name -> (dims, array)."""
    panel = load_panel("open")
    panel = dataclasses.replace(
        panel,
        systems=panel.systems.loc[list(SYSTEMS)],
        scores=panel.scores[panel.scores["system"].isin(SYSTEMS)],
    )
    observed = observe(panel, spec)
    draws = len(values["level"])
    variables = {}
    for name, value in values.items():
        value = np.asarray(value, dtype=float)
        dims = {
            "growth_change": ("slope_change",),
            "log_density": ("system",),
            "change_time": ("undated_change",),
        }.get(name, ())
        value = value.reshape(draws, *([-1] if dims else []))
        variables[name] = (("chain", "draw", *dims), value[None])
    coords = {
        "chain": [0],
        "draw": range(draws),
        "system": list(observed.systems),
        "slope_change": [c.name for c in spec.trend.changes if c.slope],
        "undated_change": [c.name for c in spec.trend.changes if not c.known],
    }
    posterior = xr.Dataset(variables, coords=coords)
    tree = xr.DataTree.from_dict({"posterior": posterior, "prior": posterior})
    return Fit(tree, spec, observed, {"verdict": "PASS"}, {})


@pytest.fixture
def simple():
    # growth 0.5/year before and 2/year after 2022-11-30; and a draw with no growth at all
    return make_fit(
        level=[0.0, 0.0],
        growth_before=[0.5, 0.0],
        growth_change=[1.5, 0.0],
        log_density=[[-3.0, 0.5, 1.0], [-3.0, 0.5, 1.0]],
    )


def test_growth_is_per_day(simple):
    rates = growth.growth(simple)
    np.testing.assert_allclose(rates["before"] * DAYS_PER_YEAR, [[0.5, 0.0]])
    np.testing.assert_allclose(rates["after"] * DAYS_PER_YEAR, [[2.0, 0.0]])


def test_growth_around_a_date_is_one_quantity_under_every_hypothesis():
    """Mean rates of the two stretches, where a change and a jump lie elsewhere or on the date."""
    changes = [
        {"name": "jump", "date": "2023-03-14", "slope": False, "level": True},
        {"name": "bend", "date": "2023-05-30", "level": False},
    ]
    spec = SPEC.under(Hypothesis.model_validate({"name": "both", "changes": changes}))
    fit = make_fit(
        spec, level=[0.0], growth_before=[0.5], growth_change=[1.5], level_change=[0.7],
        log_density=[[-3.0, 0.5, 1.0]],
    )  # fmt: skip
    bend, jump = (years_since_origin(date) for date in ("2023-05-30", "2023-03-14"))
    last = float(fit.observed.time.max())
    rates = growth.growth_around(fit, "2022-11-30") * DAYS_PER_YEAR
    np.testing.assert_allclose(rates["before"], 0.5)
    np.testing.assert_allclose(rates["after"], (0.5 * last + 1.5 * (last - bend) + 0.7) / last)
    rates = growth.growth_around(fit, "2023-03-14") * DAYS_PER_YEAR  # the jump is in neither
    np.testing.assert_allclose(rates["before"], 0.5)
    whole = 0.5 * (last - jump) + 1.5 * (last - bend)
    np.testing.assert_allclose(rates["after"], whole / (last - jump))
    general = growth.estimand_growth(fit, around="2023-03-14") * DAYS_PER_YEAR
    np.testing.assert_allclose(general["after"][..., 0], rates["after"])


def test_doubling_time_is_never_without_growth(simple):
    days = growth.doubling_time(growth.growth(simple)["after"])
    np.testing.assert_allclose(days, [[LN2 / 2.0 * DAYS_PER_YEAR, np.inf]])


def test_interval_of_a_doubling_time_is_that_of_the_rate():
    rate = xr.DataArray(np.random.default_rng(0).normal(0.005, 0.001, (4, 500)))
    of_time = estimates.estimate(growth.doubling_time(rate), "days", mean=False)
    of_rate = estimates.estimate(rate, "1/day")
    assert of_time["mean"] is None
    assert of_time["upper"] == pytest.approx(LN2 / of_rate["lower"], rel=2e-3)
    assert of_time["lower"] == pytest.approx(LN2 / of_rate["upper"], rel=2e-3)


def test_an_unbounded_limit_is_null_and_said():
    days = xr.DataArray(np.r_[np.full(90, 100.0), np.full(10, np.inf)])
    summary = estimates.estimate(days, "days", mean=False)
    assert summary["upper"] is None and summary["upper_unbounded"] is True
    assert summary["median"] == 100.0


@pytest.mark.parametrize("ci", [0.0, 1.0, 95.0, -0.5])
def test_an_impossible_interval_is_refused(ci):
    with pytest.raises(DensingError, match="not a probability"):
        estimates.estimate(xr.DataArray([1.0, 2.0]), "1", ci)


def test_frontier_bends_at_the_change(simple):
    dates = ["2021-11-30", "2022-11-30", "2023-11-30"]
    line = growth.frontier(simple, dates).isel(chain=0, draw=0)
    np.testing.assert_allclose(line, [-0.5, 0.0, 2.0], atol=0.003)


def test_readings_are_ordered():
    fit = make_fit(
        level=[0.0],
        growth_before=[1.0],
        growth_change=[0.0],
        log_density=[[0.0, 0.0, 0.0]],
        shortfall_spread=[1.0],
        system_spread=[0.3],
        organisation_spread=[0.2],
    )
    mean, edge, high = (
        growth.frontier(fit, ["2023-01-01"], reading).item()
        for reading in ("mean", "frontier", "p95")
    )
    assert mean == pytest.approx(edge - np.sqrt(2 / np.pi))
    assert mean < edge < high
    with pytest.raises(DensingError, match="no reading 'edge'"):
        growth.frontier(fit, ["2023-01-01"], "edge")


def test_shelf_life_of_a_system_below_the_frontier_is_zero_or_later(simple):
    # Mistral-7B was released at t = 0.825 years; the frontier stood at 1.65 = its 1.0 + 0.65.
    days = shelf_life.shelf_life(simple, ["mistral-7b-v0.1"]).isel(chain=0)
    at_release = simple.observed.time[simple.observed.systems.index("mistral-7b-v0.1")]
    expected = max(0.0, (1.0 + LN2) / 2.0 - at_release) * DAYS_PER_YEAR
    assert days[0].item() == pytest.approx(expected, abs=1e-6)
    assert np.isinf(days[1].item())


def test_a_change_during_the_life_is_integrated():
    fit = make_fit(
        level=[0.0], growth_before=[0.5], growth_change=[1.5], log_density=[[-1.0, 0.0, 0.0]]
    )
    # gpt2-xl (2019-11-05): the frontier was at -1.54; it needs -1 + ln 2 = -0.307, before the
    # change: t = -0.614.  With kappa = 10 it needs 1.303, after the change: t = 0.651.
    start = fit.observed.time[fit.observed.systems.index("gpt2-xl")]
    for kappa, arrival in ((2.0, (-1.0 + LN2) / 0.5), (10.0, (-1.0 + np.log(10.0)) / 2.0)):
        days = shelf_life.shelf_life(fit, ["gpt2-xl"], kappa).item()
        assert days == pytest.approx((arrival - start) * DAYS_PER_YEAR, rel=1e-9)


def test_a_date_that_differs_by_draw_is_integrated():
    spec = SPEC.under(
        Hypothesis.model_validate(
            {
                "name": "open",
                "changes": [{"name": "x", "earliest": "2020-01-01", "latest": "2023-08-01"}],
            }
        )
    )
    fit = make_fit(
        spec,
        level=[0.0, 0.0],
        growth_before=[0.5, 0.5],
        growth_change=[1.5, 1.5],
        change_time=[-1.0, 0.0],
        log_density=[[-1.0, 0.0, 0.0]] * 2,
    )
    # gpt2-xl needs -0.307: with the bend at -1 the line is there at 0.5 t + 1.5 (t + 1) = -0.307.
    start = fit.observed.time[fit.observed.systems.index("gpt2-xl")]
    days = shelf_life.shelf_life(fit, ["gpt2-xl"]).to_numpy().ravel()
    arrivals = [(-1.0 + LN2 - 1.5) / 2.0, (-1.0 + LN2) / 0.5]
    np.testing.assert_allclose(days, (np.array(arrivals) - start) * DAYS_PER_YEAR, rtol=1e-9)
    rates = growth.growth(fit) * DAYS_PER_YEAR
    np.testing.assert_allclose(rates["before"], [[0.5, 0.5]])
    np.testing.assert_allclose(rates["after"], [[2.0, 2.0]])


def test_a_date_that_the_data_choose_is_part_of_the_trend():
    window = {"earliest": "2020-01-01", "latest": "2023-08-01"}
    changes = [{"name": "x", **window}]
    spec = SPEC.under(Hypothesis.model_validate({"name": "open", "changes": changes}))
    fit = make_fit(
        spec,
        level=[0.0] * 3,
        growth_before=[0.5] * 3,
        growth_change=[1.5] * 3,
        change_time=[-1.0, 0.0, 0.5],
        log_density=[[-1.0, 0.0, 0.0]] * 3,
    )
    content = summary.trend_summary(fit)
    assert content["change_dates"]["x"]["median"] == "2022-11-30"
    assert content["change_dates"]["x"]["lower"] < "2022-01-01" < "2023-05-01"
    said = {statement.key: statement for statement in headline(fit, content)}
    assert said["change_date"].value == "2022-11-30"
    assert "2022-11-30" in said["change_date"].sentence


def test_a_frontier_that_levels_off_may_never_arrive():
    spec = SPEC.under(load_hypothesis("saturating"))
    fit = make_fit(
        spec,
        level=[0.0],
        growth_before=[1.0],
        decay=[0.5],
        log_density=[[-3.0, -0.5, 0.4]],
    )
    # From 2021-07-01 (t = -1.416) on the line gains at most 1 / 0.5: it ends at 0.584.
    asymptote = line_value(growth.line_of(fit), 100.0).item()
    assert asymptote == pytest.approx(-1.416 + 2.0, abs=0.01)
    life = shelf_life.shelf_life(fit, ["llama-2-7b", "mistral-7b-v0.1"]).to_numpy().ravel()
    assert np.isfinite(life[0]) and np.isinf(life[1])
    arrival = fit.observed.time[fit.observed.systems.index("llama-2-7b")] + life[0] / DAYS_PER_YEAR
    assert line_value(growth.line_of(fit), arrival).item() == pytest.approx(-0.5 + LN2, abs=2e-3)


def test_frontier_shelf_life_scales_with_the_factor(simple):
    two, four = (shelf_life.frontier_shelf_life(simple, kappa)[0, 0] for kappa in (2.0, 4.0))
    assert four.item() == pytest.approx(2 * two.item())


def sloped(slope, count=1, **values):
    """Fits without drift whose density changes with size, on three dates of growth."""
    rates = np.linspace(1.5, 2.5, count)
    fit = make_fit(
        level=[0.0] * count,
        growth_before=rates - 1.5,
        growth_change=[1.5] * count,
        size_slope=[slope] * count,
        log_density=[[0.0, 0.0, 0.0]] * count,
        **values,
    )
    return with_links(fit)


def days_until_half(fit, params, benchmark, begin, kappa):
    """Days after which a system of params / kappa on the frontier scores as one of params did.

    By params_at and a root-finder alone; dates are whole days, between which it is interpolated.
    """
    score = forecasts.score_at(fit, begin, params, benchmark).item()
    assert 0.3 < score < 0.85
    start = pd.Timestamp(begin)

    def gap(days):
        whole = int(days)
        dates = [start + pd.Timedelta(days=day) for day in (whole, whole + 1)]
        needed = np.log(forecasts.params_at(fit, dates, benchmark, score).to_numpy().ravel())
        return np.interp(days - whole, [0.0, 1.0], needed) - np.log(params / kappa)

    return brentq(gap, 0.0, 3000.0, xtol=1e-3)


@pytest.mark.parametrize("slope", [-0.3, 0.0, 0.3])
@pytest.mark.parametrize(("params", "kappa"), [(2e9, 2.0), (3e8, 3.0)])
def test_shelf_life_agrees_with_a_root_finder_on_the_params_needed(slope, params, kappa):
    fit = sloped(slope)
    begin = "2024-02-01"
    expected = days_until_half(fit, params, "winogrande", begin, kappa)
    found = shelf_life.frontier_shelf_life(fit, kappa).item()
    assert found == pytest.approx(expected, rel=0.005)
    assert found == pytest.approx((1 + slope) * np.log(kappa) / 1.5 * DAYS_PER_YEAR, rel=1e-6)
    # and a system that lies on the frontier at its own size and date lives as long
    (name,) = ("mistral-7b-v0.1",)
    i = fit.observed.systems.index(name)
    size = fit.observed.log_params[i]
    logs = fit.posterior["log_density"].copy()
    edge = growth.line_at(fit, fit.observed.time[i : i + 1], "frontier").item()
    logs[..., i] = edge + slope * (size - fit.observed.mean_log_params)
    own = dataclasses.replace(
        fit, data=xr.DataTree.from_dict({"posterior": fit.posterior.assign(log_density=logs)})
    )
    assert shelf_life.shelf_life(own, [name], kappa).item() == pytest.approx(expected, rel=0.005)


def test_a_smaller_system_that_is_no_worse_passes_at_once():
    fit = sloped(-1.2)
    assert shelf_life.frontier_shelf_life(fit).item() == 0.0


def drifting(fit, before=0.4, change=0.7, draws=40_000, seed=5):
    """A fit of many draws of one rate, whose benchmarks drift with known spreads."""
    random = np.random.default_rng(seed)
    count = len(fit.observed.benchmarks)
    dims, shape = ("chain", "draw"), (1, draws)

    def zero_sum(spread):
        z = random.standard_normal((*shape, count))
        return (*dims, "benchmark"), spread * (z - z.mean(axis=-1, keepdims=True))

    posterior = xr.Dataset(
        {
            "level": (dims, np.zeros(shape)),
            "growth_before": (dims, np.full(shape, 1.0)),
            "growth_change": ((*dims, "slope_change"), np.full((*shape, 1), 1.0)),
            "drift_spread_before": (dims, np.full(shape, before)),
            "drift_spread_change": (dims, np.full(shape, change)),
            "drift_before": zero_sum(before),
            "drift_change": zero_sum(change),
        },
        coords={"benchmark": list(fit.observed.benchmarks)},
    )
    return dataclasses.replace(fit, data=xr.DataTree.from_dict({"posterior": posterior}))


def test_three_estimands_have_the_spread_of_simulated_benchmarks(simple):
    """K + 1 benchmarks are simulated, of which the mean of the first K is what a fit knows."""
    before, change, count = 0.4, 0.7, len(simple.observed.benchmarks)
    fit = drifting(simple, before, change)
    found = growth.estimand_growth(fit) * DAYS_PER_YEAR
    random = np.random.default_rng(8)
    worlds = 200_000
    early = before * random.standard_normal((worlds, count + 1))
    late = early + change * random.standard_normal((worlds, count + 1))
    for part, rates in (("before", early), ("after", late)):
        known = rates[:, :count].mean(axis=1)
        draws = found[part] - found[part].sel(estimand="these benchmarks")
        for name, truth in (
            ("benchmarks in general", -known),
            ("new benchmark", rates[:, -1] - known),
        ):
            got = draws.sel(estimand=name)
            assert float(got.std()) == pytest.approx(truth.std(), rel=0.02), (part, name)
            assert float(got.mean()) == pytest.approx(0.0, abs=0.02)
    new = growth.benchmark_growth(fit).sel(benchmark="new benchmark") * DAYS_PER_YEAR
    assert new["after"].to_numpy() == pytest.approx(found["after"].sel(estimand="new benchmark"))
    each = growth.benchmark_growth(fit).isel(benchmark=slice(None, -1))
    assert float(each["after"].mean("benchmark")[0, 0]) == pytest.approx(2.0 / DAYS_PER_YEAR)


def test_without_drifts_the_three_estimands_are_one(simple):
    rates = growth.estimand_growth(simple)["after"]
    for name in growth.ESTIMANDS:
        np.testing.assert_array_equal(rates.sel(estimand=name), rates.isel(estimand=0))
    assert tuple(rates["estimand"].to_numpy()) == growth.ESTIMANDS


def walking(draws=4000, spread=0.8):
    """A fit under the random walk whose draws share all that the data say."""
    spec = SPEC.under(load_hypothesis("smooth"))
    knots = spec.trend.smooth.knots
    fit = make_fit(
        spec,
        level=np.zeros(draws),
        growth_at_origin=np.full(draws, 1.5),
        growth_step_spread=np.full(draws, spread),
        size_slope=np.zeros(draws),
        log_density=np.zeros((draws, 3)),
    )
    step = xr.DataArray(np.zeros((1, draws, len(knots))), dims=("chain", "draw", "knot"))
    posterior = fit.posterior.assign(growth_step=step)
    return with_links(
        dataclasses.replace(fit, data=xr.DataTree.from_dict({"posterior": posterior}))
    ), knots


def test_an_edge_whose_scale_drifts_has_not_the_slope_of_the_mean():
    """Against releases that are drawn one by one at two dates."""
    values = {"level": [0.0], "growth_before": [1.0], "growth_change": [0.0],
              "log_density": [[0.0, 0.0, 0.0]], "shortfall_spread": [0.8]}  # fmt: skip
    steady = make_fit(**values)
    drifting = make_fit(SPEC.replace(trend__shortfall_drift=True), **values, shortfall_growth=[0.3])
    dates = ["2022-11-30", "2024-11-30"]
    random = np.random.default_rng(1)
    for fit, psi in ((steady, 0.0), (drifting, 0.3)):
        time = [years_since_origin(date) for date in dates]
        short = np.abs(random.standard_normal((2, 200_000)))
        drawn = [t - 0.8 * np.exp(psi * t) * u for t, u in zip(time, short, strict=True)]
        found = growth.frontier(fit, dates, "mean").to_numpy().ravel()
        expected = [each.mean() for each in drawn]
        np.testing.assert_allclose(found, expected, atol=0.01)
        edge = growth.frontier(fit, dates).to_numpy().ravel()
        assert edge[1] - edge[0] == pytest.approx(2.0, abs=0.01)
        assert (abs((found[1] - found[0]) - 2.0) < 0.01) == (psi == 0.0)


def test_a_random_walk_goes_on_past_the_last_knot():
    fit, knots = walking()
    every = fit.spec.trend.smooth.every_days
    last = pd.Timestamp(knots[-1])
    sd = 0.8 * np.sqrt(every / DAYS_PER_YEAR)
    ahead = 4.0
    date = last + pd.Timedelta(days=ahead * DAYS_PER_YEAR)
    # an independent walk, a day at a time
    random = np.random.default_rng(3)
    days = np.arange(int(ahead * DAYS_PER_YEAR))
    steps = sd * random.standard_normal((20_000, len(days) // every + 1))
    steps[:, 0] = 0.0  # the last knot is among the data's own
    rate = 1.5 + np.cumsum(steps, axis=1)[:, days // every]
    path = np.cumsum(rate, axis=1) / DAYS_PER_YEAR
    start = growth.frontier(fit, [last]).isel(date=0)
    rise = (growth.frontier(fit, [date]).isel(date=0) - start).to_numpy().ravel()
    assert rise.std() == pytest.approx(path[:, -1].std(), rel=0.03)
    assert rise.mean() == pytest.approx(1.5 * ahead, abs=0.1)
    later = growth.growth_rate(fit, [date]).to_numpy() * DAYS_PER_YEAR
    assert later.std() == pytest.approx(rate[:, -1].std(), rel=0.03)
    # what the data cover is as it was
    np.testing.assert_allclose(growth.frontier(fit, ["2023-11-30"]), 1.5, rtol=1e-3)


def test_a_forecast_under_a_walk_agrees_with_a_brute_force_search():
    fit, _ = walking(draws=3000)
    score = 0.62
    found = forecasts.forecast_date(fit, 1e6, "mmlu", score).to_numpy().ravel()
    grid = pd.date_range(date_of(fit.observed.time.max()), periods=600, freq="15D")
    above = forecasts.score_at(fit, grid, 1e6, "mmlu").to_numpy()[0] >= score
    first = np.where(above.any(axis=1), above.argmax(axis=1), -1)
    expected = np.array([years_since_origin(stamp) for stamp in grid])
    reached = first > 0
    assert 0.3 < reached.mean() <= 1.0
    assert np.isfinite(found[reached]).all()
    late = expected[first[reached]] - found[reached]
    assert (late >= -1e-9).all() and (late <= 15.1 / DAYS_PER_YEAR).all()
    # and draws scatter, where they all were one with the rate of the last knot
    assert np.quantile(found, 0.9) - np.quantile(found, 0.1) > 0.3
    life = shelf_life.frontier_shelf_life(fit).to_numpy()
    own = shelf_life.shelf_life(fit, ["llama-2-7b"], 1e3).to_numpy()
    assert np.isfinite(life).all() and np.isfinite(own).any()


def test_shelf_life_table_says_passed_and_never(simple):
    table = shelf_life.shelf_life_table(simple, ["llama-2-7b"])
    assert table.loc["llama-2-7b", "p_never"] == 0.5
    assert bool(table.loc["llama-2-7b", "upper_unbounded"])


@pytest.mark.parametrize(
    ("kappa", "systems", "said"),
    [
        (1.0, None, "kappa = 1.0 must be above 1"),
        (float("nan"), None, "must be above 1"),
        (2.0, ["mistral-7b"], "did you mean 'mistral-7b-v0.1"),
    ],
)
def test_bad_questions_are_refused(simple, kappa, systems, said):
    with pytest.raises(DensingError, match=said):
        shelf_life.shelf_life(simple, systems, kappa)


def test_densities_rank_the_densest_first(simple):
    values = densities.densities(simple).isel(chain=0, draw=0)
    assert values["rank"].sel(system=simple.observed.systems[2]) == 1
    size = np.exp(simple.observed.log_params)
    np.testing.assert_allclose(values["effective_params"], values["density"] * size)


def with_links(fit):
    """Add one draw of link parameters to the posterior of a fit."""
    extra = xr.Dataset(
        {
            "floor": ("benchmark", [0.25] * 4),
            "ceiling": ("benchmark", [0.9] * 4),
            "format_offset": ("benchmark", [0.1] * 4),
            "steepness": ("loss_benchmark", [10.0] * 3),
            "midpoint": ("loss_benchmark", [0.8] * 3),
            "irreducible_loss": ("loss_benchmark", [0.4] * 3),
            "params_loss": ("loss_benchmark", [0.3] * 3),
            "tokens_loss": ("loss_benchmark", [0.2] * 3),
            "params_exponent": ("loss_benchmark", [0.2] * 3),
            "tokens_exponent": ("loss_benchmark", [0.3] * 3),
            "discrimination": ("direct_benchmark", [0.6]),
            "difficulty": ("direct_benchmark", [2.0]),
            "token_elasticity": ("direct_benchmark", [0.7]),
        },
        coords={
            "benchmark": list(fit.observed.benchmarks),
            "loss_benchmark": list(fit.observed.loss_benchmarks),
            "direct_benchmark": list(fit.observed.direct_benchmarks),
        },
    )
    shape = {"chain": fit.posterior["chain"], "draw": fit.posterior["draw"]}
    posterior = fit.posterior.assign(
        {name: extra[name].expand_dims(shape) for name in extra.data_vars}
    )
    return dataclasses.replace(fit, data=xr.DataTree.from_dict({"posterior": posterior}))


def test_params_needed_invert_the_curve(simple):
    fit = with_links(simple)
    observed = fit.observed
    for benchmark in ("mmlu", "winogrande"):
        n = forecasts.params_needed(fit, benchmark, 0.6)[0, 0].item() - np.log(
            observed.centre_params
        )
        d = observed.log_reference_tokens
        if benchmark == "mmlu":
            z = 10.0 * (0.8 - laws.scaling_loss(n, d, 0.4, 0.3, 0.2, 0.2, 0.3))
        else:
            z = 0.6 * (laws.ability(n, d, 0.7) - 2.0)
        assert laws.sigmoid_score(z, 0.25, 0.9) == pytest.approx(0.6)


def test_a_score_above_the_ceiling_needs_infinite_params(simple):
    assert np.isposinf(forecasts.params_needed(with_links(simple), "mmlu", 0.95)).all()


def test_forecast_reaches_the_score_when_the_frontier_does(simple):
    fit = with_links(simple)
    needed = forecasts.params_needed(fit, "mmlu", 0.6)[0, 0].item()
    years = forecasts.forecast_date(fit, 1e8, "mmlu", 0.6)[0, 0].item()
    last = fit.observed.time.max()
    assert years == pytest.approx(max(last, (needed - np.log(1e8) - 0.1) / 2.0))
    assert np.isinf(forecasts.forecast_date(fit, 1e8, "mmlu", 0.6)[0, 1])
    summary = forecast_summary(fit, 1e8, "mmlu", 0.6)
    assert pd.Timestamp(summary["lower"]) >= pd.Timestamp("2023-09-27")
    assert summary["p_never"] == 0.5


@pytest.mark.parametrize(
    ("params", "benchmark", "score", "said"),
    [
        (8.0, "mmlu", 0.6, "looks like billions"),
        (8e9, "mmul", 0.6, "no benchmark 'mmul'"),
        (8e9, "mmlu", 86.4, "write 0.864"),
    ],
)
def test_bad_forecasts_are_refused(simple, params, benchmark, score, said):
    with pytest.raises(DensingError, match=said):
        forecasts.forecast_date(with_links(simple), params, benchmark, score)


def test_trend_summary_keeps_its_contract(simple):
    content = summary.trend_summary(simple)
    assert {
        "growth_rate",
        "growth_change",
        "doubling_time_days",
        "growth_ratio",
        "by_benchmark",
        "prior",
        "diagnostics",
        "provenance",
        "counts",
    } <= set(content)
    assert content["growth_change"]["p_gt_0"] == 0.5
    assert content["doubling_time_days"]["after"]["mean"] is None
    assert content["growth_ratio"]["mean"] is None
    assert "new benchmark" in content["by_benchmark"]


def test_one_default_interval_everywhere():
    import inspect

    from densing_bayes.posterior.result import CI

    members = [
        member
        for module in (growth, shelf_life, forecasts, summary)
        for member in inspect.getmembers(module, inspect.isfunction)
    ]
    for name, function in members:
        parameter = inspect.signature(function).parameters.get("ci")
        if parameter is not None and name != "check_ci" and not name.startswith("_"):
            assert parameter.default == CI, name
