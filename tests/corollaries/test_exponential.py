"""Exponential trends through dated values."""

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.integrate import quad
from scipy.stats import halfnorm, norm, t

from densing_bayes.corollaries.engines.model import load_engines
from densing_bayes.corollaries.small_model import Posterior
from densing_bayes.corollaries.trends.exponential import (
    ExponentialFit,
    dated_points,
    exponential_model,
    fit_exponential,
    growth_of,
    line_through,
)
from densing_bayes.errors import DensingError
from densing_bayes.inputs.hypothesis import ChangeSpec
from densing_bayes.inputs.specification import load_hypothesis, load_spec

MEAN = load_engines().engines["compute-per-price"].trend
FRONTIER = MEAN.model_copy(update={"form": "frontier", "degrees_of_freedom": None})
AT = {"level": 23.0, "growth_before": 0.3, "system_spread": 0.4, "shortfall_spread": 0.9}


def table(values, dates=None, **columns):
    dates = dates or [f"{2015 + i}-06-30" for i in range(len(values))]
    return pd.DataFrame({"date": pd.to_datetime(dates), "value": values} | columns)


def densities(points, spec, **extra):
    model = exponential_model(points, spec)
    (potential,) = model.potentials
    known = AT | extra
    return potential.eval({rv: known[rv.name] for rv in model.free_RVs}, mode="FAST_COMPILE")


def line(points):
    return AT["level"] + AT["growth_before"] * points.last


def below(y, edge, shortfall=0.9, scatter=0.4):
    def integrand(u):
        return halfnorm.pdf(u, scale=shortfall) * norm.pdf(y, edge - u, scatter)

    near = float(np.clip(edge - y, 0.0, None))
    return quad(integrand, 0, near + 8, points=[near], epsabs=1e-14)[0]


def test_mean_form_is_a_student_line():
    points = dated_points(table([1e9, 2e9, 8e9, 4e9, 9e10]), MEAN)
    expected = t(4, line(points), 0.4).logpdf(points.log_low)
    np.testing.assert_allclose(densities(points, MEAN), expected)


@pytest.mark.parametrize("best", ["highest", "lowest"])
def test_frontier_form_is_the_integral_over_the_shortfall(best):
    spec = FRONTIER.model_copy(update={"best": best})
    points = dated_points(table([1e9, 2e9, 8e9, 4e9, 2e10]), spec)
    sign = 1.0 if best == "highest" else -1.0
    expected = [
        np.log(below(sign * y, sign * edge))
        for y, edge in zip(points.log_low, line(points), strict=True)
    ]
    np.testing.assert_allclose(densities(points, spec), expected, rtol=1e-6)


def test_far_above_the_frontier_the_density_stays_finite():
    points = dated_points(table([1e9, 2e9, 8e9, 4e9, 1e14]), FRONTIER)
    found = densities(points, FRONTIER, shortfall_spread=0.9, system_spread=0.05)
    assert np.isfinite(found).all()
    assert found[-1] < -1000


def test_values_and_dates_between_limits_are_latent():
    limits = {
        "value_low": [np.nan, 1e9, np.nan, np.nan, np.nan],
        "value_high": [np.nan, 4e9, 1e9, np.nan, np.nan],
        "date_earliest": pd.to_datetime([None, None, None, "2018-01-01", None]),
    }
    points = dated_points(table([1e9, np.nan, np.nan, 4e9, 9e9], **limits), MEAN)
    np.testing.assert_allclose(np.exp(points.log_low), [1e9, 1e9, 1e8, 4e9, 9e9])
    np.testing.assert_allclose(np.exp(points.log_high), [1e9, 4e9, 1e9, 4e9, 9e9])
    shares = {"value_share": [0.5, 1.0], "date_share": [0.0]}
    value = points.log_high.copy()
    value[1] = (points.log_low[1] + points.log_high[1]) / 2
    time = np.where(points.first < points.last, points.first, points.last)
    expected = t(4, AT["level"] + AT["growth_before"] * time, 0.4).logpdf(value)
    np.testing.assert_allclose(densities(points, MEAN, **shares), expected)


def test_a_point_that_may_not_belong_is_a_mixture():
    points = dated_points(table([1e9, 2e9, 8e9, 4e9, 9e10], member=[1, 1, 0.3, 1, 1]), MEAN)
    sure = dataclasses.replace(points, member=np.ones(5))
    mixed, alone = densities(points, MEAN), densities(sure, MEAN)
    logs = points.log_high
    outside = norm(logs.mean(), 2 * logs.std()).pdf(logs[2])
    assert mixed[2] == pytest.approx(np.log(0.3 * np.exp(alone[2]) + 0.7 * outside))
    np.testing.assert_allclose(np.delete(mixed, 2), np.delete(alone, 2))


def simulated(seed, spec, rates=(0.2, 0.5), count=80):
    random = np.random.default_rng(seed)
    days = np.sort(random.integers(-2500, 1000, count))
    time = days / 365.25
    logs = 23.0 + rates[0] * time + (rates[1] - rates[0]) * np.maximum(time, 0)
    logs = logs + 0.3 * random.standard_t(4, count)
    if spec.form == "frontier":
        logs = logs - 1.2 * np.abs(random.standard_normal(count))
    dates = pd.Timestamp("2022-11-30") + pd.to_timedelta(days, "D")
    return pd.DataFrame({"date": dates, "value": np.exp(logs)})


@pytest.mark.parametrize("form", ["mean", "frontier"])
def test_known_rates_are_recovered(form):
    change = ChangeSpec(name="chatgpt", date=dt.date(2022, 11, 30))
    spec = MEAN.model_copy(update={"form": form, "changes": (change,)})
    fit = fit_exponential(dated_points(simulated(3, spec), spec), spec, seed=1)
    assert fit.verdict == "PASS", fit.diagnostics["reasons"]
    rates = growth_of(fit, ["2020-01-01", "2024-01-01"]) * 365.25
    for i, truth in enumerate((0.2, 0.5)):
        low, high = np.quantile(rates.isel(date=i), [0.005, 0.995])
        assert low < truth < high
    step = line_through(fit, ["2020-01-01", "2021-01-01"]).diff("date").isel(date=0)
    np.testing.assert_allclose(step, rates.isel(date=0) * 366 / 365.25, rtol=1e-6)
    assert "precision" not in fit.posterior
    assert set(fit.prior) == set(fit.posterior)


def test_any_hypothesis_of_the_trend_can_be_stated():
    points = dated_points(simulated(0, MEAN), MEAN)
    for name in ("unknown-date", "smooth", "saturating", "chatgpt-both"):
        spec = MEAN.under(load_hypothesis(name))
        points = dated_points(simulated(0, MEAN), spec)
        model = exponential_model(points, spec)
        logp = model.compile_logp(mode="FAST_COMPILE")(model.initial_point())
        assert np.isfinite(logp), name


def drawn_walk(count, spread=0.5):
    """A fit whose draws are made by hand: a walk of the growth rate, known up to the last knot."""
    spec = MEAN.under(load_hypothesis("smooth"))
    dates = ["2020-01-15", "2021-01-15", "2022-01-15", "2023-01-15", "2024-06-01"]
    points = dated_points(table([1e9, 2e9, 8e9, 4e9, 9e10], dates), spec)
    random = np.random.default_rng(3)
    knots = spec.coordinates["knot"]
    steps = 0.1 * random.standard_normal((1, count, len(knots)))
    sample = ("chain", "draw")
    draws = xr.Dataset(
        {
            "level": (sample, 20 + random.standard_normal((1, count))),
            "growth_at_origin": (sample, 0.7 + 0.2 * random.standard_normal((1, count))),
            "growth_step_spread": (sample, np.full((1, count), spread)),
            "growth_step": ((*sample, "knot"), steps),
        },
        coords={"knot": knots},
    )
    return ExponentialFit(spec, points, Posterior(draws, draws, {}, {}))


def test_a_smooth_rate_goes_on_walking_past_the_data_as_a_simulated_walk_does():
    fit, spread = drawn_walk(20_000), 0.5
    last, end = pd.Timestamp("2024-06-01"), pd.Timestamp("2027-06-01")
    smooth = fit.spec.smooth
    # brute force: the walk of each draw, a day at a time, from the last datum
    knots = {pd.Timestamp(knot) for knot in smooth.knots}
    known = fit.posterior
    rate = known["growth_at_origin"].to_numpy()[0].copy()
    for knot, step in zip(smooth.knots, known["growth_step"].to_numpy()[0].T, strict=True):
        if pd.Timestamp(knot) > pd.Timestamp("2022-11-30"):
            rate += step
    value = np.zeros_like(rate)
    random = np.random.default_rng(8)
    every = pd.Timedelta(days=smooth.every_days)
    ahead = [pd.Timestamp(smooth.knots[-1]) + i * every for i in range(1, 80)]
    ahead = {day for day in ahead if day > last} - knots
    for day in pd.date_range(last, end, inclusive="left"):
        if day in ahead:
            rate += spread * np.sqrt(smooth.every_days / 365.25) * random.standard_normal(rate.size)
        value += rate / 365.25
    rise = line_through(fit, [last, end]).diff("date").to_numpy().ravel()
    found = growth_of(fit, [last, end]).to_numpy()[0] * 365.25
    for ours, simulated_ones in ((rise, value), (found[:, 1], rate)):
        assert ours.mean() == pytest.approx(simulated_ones.mean(), abs=0.03)
        assert ours.std() == pytest.approx(simulated_ones.std(), rel=0.02)
    assert found[:, 1].std() > 2.5 * found[:, 0].std()
    np.testing.assert_array_equal(found, growth_of(fit, [last, end]).to_numpy()[0] * 365.25)


def test_the_scale_of_the_shortfall_may_drift():
    prior = load_spec("joint").trend.shortfall_growth
    spec = FRONTIER.model_copy(update={"shortfall_growth": prior})
    points = dated_points(table([1e9, 2e9, 8e9, 4e9, 2e10]), spec)
    expected = [
        np.log(below(y, edge, shortfall=0.9 * np.exp(0.3 * time)))
        for y, edge, time in zip(points.log_low, line(points), points.last, strict=True)
    ]
    found = densities(points, spec, shortfall_growth=0.3)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


BAD = {
    "needs at least five points, there are 4": table([1.0, 2.0, 3.0, 4.0]),
    "row 2 has a value that is not above 0": table([1.0, -2.0, 3.0, 4.0, 5.0]),
    "row 1 has a value that is not above 0": table([np.nan, 2.0, 3.0, 4.0, 5.0]),
    "row 3 has value_low above value_high; exchange them": table(
        [1.0, 2.0, 3.0, 4.0, 5.0],
        value_low=[np.nan, np.nan, 9.0, np.nan, np.nan],
        value_high=[np.nan, np.nan, 8.0, np.nan, np.nan],
    ),
    "row 5 has date_earliest after date; exchange them": table(
        [1.0, 2.0, 3.0, 4.0, 5.0], date_earliest=pd.to_datetime([None] * 4 + ["2030-01-01"])
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_points_are_refused(message):
    with pytest.raises(DensingError, match=message):
        dated_points(BAD[message], MEAN, "mine")


def test_a_change_outside_the_dates_is_refused():
    spec = MEAN.model_copy(update={"changes": (ChangeSpec(name="x", date=dt.date(2030, 1, 1)),)})
    with pytest.raises(DensingError, match="the change 'x' lies outside the dates"):
        dated_points(simulated(0, MEAN), spec)
