"""Shelf lives by the arrival of releases, pay-back, and the cost of training."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from examples import LINE, payback_by
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import kstest, norm

from densing_bayes.corollaries.payback import arrivals, figures
from densing_bayes.corollaries.payback import training_cost as costs
from densing_bayes.corollaries.payback.arrivals import ArrivalSpec, waiting_time
from densing_bayes.corollaries.payback.break_even import (
    break_even_cost,
    break_even_demand,
    break_even_margin,
    break_even_price,
    implied_cost,
    implied_earning,
    p_break_even,
    payback_document,
    revenue,
)
from densing_bayes.corollaries.payback.model import (
    earned_per_daily_visit,
    earning_days,
    load_payback_spec,
)
from densing_bayes.corollaries.payback.release import CONDITIONS, release_of
from densing_bayes.errors import DensingError, SpecError, TableError
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.inputs.families import LogNormal
from densing_bayes.inputs.specification import load_spec
from densing_bayes.posterior.plain import json_text
from densing_bayes.quantities.shelf_life import frontier_shelf_life, shelf_life
from densing_bayes.report.gallery import get_plot_data

SPEC = load_payback_spec()
SHORTFALL, SCATTER, RATE = 0.9, 0.3, 12.0
RELEASES = 97  # one every 1/12 of a year, over eight years


@dataclass(frozen=True)
class KnownFit:
    """Draws that are known, in place of a fit: a flat frontier at zero, one system a release."""

    posterior: xr.Dataset
    spec: object
    observed: object
    verdict: str = "PASS"
    kept: dict = field(default_factory=dict)

    @property
    def prior(self):
        return self.posterior


def known_fit(growth=0.0, log_params=(22.0,), log_density=-5.0, draws=1500):
    """A panel whose releases come at a known rate and whose frontier grows at a known one."""
    spec = LINE.model_copy(update={"trend": LINE.trend.model_copy(update={"changes": ()})})
    time = np.repeat(np.arange(RELEASES) / RATE - 6.0, len(log_params))
    release = np.repeat(np.arange(RELEASES), len(log_params))
    observed = Panel(
        systems=tuple(f"system-{i}" for i in range(len(time))),
        organisations=("one",),
        time=time,
        log_params=np.tile(np.array(log_params), RELEASES),
        system_release=release,
        system_organisation=np.zeros(len(time), int),
        release_time=np.arange(RELEASES) / RATE - 6.0,
        mean_log_params=22.0,
        change_earliest=np.array([]),
        change_latest=np.array([]),
    )
    shape = (2, draws)
    fixed = {
        "level": 0.0,
        "growth_before": growth,
        "shortfall_spread": SHORTFALL,
        "system_spread": SCATTER,
    }
    data = {name: (("chain", "draw"), np.full(shape, value)) for name, value in fixed.items()}
    data["log_density"] = (("chain", "draw", "system"), np.full((*shape, len(time)), log_density))
    return KnownFit(xr.Dataset(data), spec, observed)


@dataclass(frozen=True)
class Panel:
    """What the arrivals need to know of a panel."""

    systems: tuple
    organisations: tuple
    time: np.ndarray
    log_params: np.ndarray
    system_release: np.ndarray
    system_organisation: np.ndarray
    release_time: np.ndarray
    mean_log_params: float
    change_earliest: np.ndarray
    change_latest: np.ndarray
    walk_edges: np.ndarray = field(default_factory=lambda: np.zeros(0))
    without_runs: bool = False


def success(target):
    """P(scatter minus half-normal shortfall is at least a target), by integration."""
    return quad(
        lambda u: 2 * norm.pdf(u, scale=SHORTFALL) * norm.sf(target + u, scale=SCATTER), 0, 8
    )[0]


KNOWN = known_fit()
# A rate that is known as good as exactly: the prior is worth a hundred thousand years.
EXACT = ArrivalSpec(rate_shape=RATE * 1e5, rate_years=1e5)


@pytest.mark.parametrize("kappa", [2.0, 4.0])
def test_waiting_time_on_a_flat_frontier_is_exponential(kappa):
    release = release_of(KNOWN, params=np.exp(22.0), density=0.4)
    days = np.ravel(waiting_time(KNOWN, release, kappa, spec=EXACT))
    hazard = RATE * success(np.log(0.4 * kappa)) / DAYS_PER_YEAR
    horizon = EXACT.horizon_years * DAYS_PER_YEAR
    assert np.mean(np.isinf(days)) == pytest.approx(np.exp(-hazard * horizon), abs=0.02)
    arrived = days[np.isfinite(days)]
    law = lambda t: -np.expm1(-hazard * t) / -np.expm1(-hazard * horizon)  # noqa: E731
    assert kstest(arrived, law).pvalue > 1e-3


def test_waiting_time_on_a_rising_frontier_follows_the_integrated_hazard():
    fit = known_fit(growth=1.5)
    date = pd.Timestamp("2022-11-30")
    release = release_of(fit, params=np.exp(22.0), density=1.0, date=date)
    days = np.ravel(waiting_time(fit, release, spec=EXACT))
    for after in (60.0, 180.0, 400.0):
        hazard = quad(lambda t: RATE * success(np.log(2.0) - 1.5 * t), 0, after / DAYS_PER_YEAR)[0]
        assert np.mean(days <= after) == pytest.approx(-np.expm1(-hazard), abs=0.03)


def test_rate_is_the_conjugate_posterior():
    rate = arrivals.release_rate(KNOWN, ArrivalSpec(rate_shape=3.0, rate_years=0.5))
    # two years hold 24 releases beside the last one, which ends the window
    assert float(rate.mean()) == pytest.approx((24 + 3.0) / 2.5, rel=0.02)
    assert float(rate.var()) == pytest.approx((24 + 3.0) / 2.5**2, rel=0.1)


def test_system_condition_needs_a_system_that_is_small_enough():
    fit = known_fit(log_params=(22.0, 20.0))
    large = release_of(fit, params=np.exp(22.0), density=0.1)
    small = release_of(fit, params=np.exp(20.0), density=0.1)
    options = {"condition": "system", "spec": EXACT}
    assert np.isinf(waiting_time(fit, small, **options)).all()
    days = np.ravel(waiting_time(fit, large, **options))
    # only the size of e^20 will do, and its density has to be e^2 times that of the release
    hazard = RATE * success(np.log(0.1) + 2.0) / DAYS_PER_YEAR
    assert np.mean(days <= 100.0) == pytest.approx(-np.expm1(-100.0 * hazard), abs=0.03)


def test_recipe_condition_takes_the_size_slope_away():
    fit = known_fit(log_params=(24.0,))
    sloped = dataclasses.replace(
        fit,
        posterior=fit.posterior.assign(size_slope=xr.full_like(fit.posterior["level"], 0.5)),
    )
    options = {"condition": "recipe", "spec": EXACT}
    release = release_of(sloped, params=np.exp(22.0) * 2.0, density=0.4)
    flat = release_of(fit, params=np.exp(22.0) * 2.0, density=0.4)
    # half of its params are e^22, the mean of the slope, where the density is that without one
    assert np.array_equal(
        waiting_time(sloped, release, **options), waiting_time(fit, flat, spec=EXACT)
    )


def test_smooth_condition_is_the_shelf_life_and_a_hypothetical_release_has_one(small_fit):
    name = small_fit.observed.systems[60]
    days = waiting_time(small_fit, release_of(small_fit, name), condition="smooth")
    told = shelf_life(small_fit, [name]).isel(system=0)
    near = told.to_numpy() <= 5.0 * DAYS_PER_YEAR
    assert np.array_equal(days.to_numpy()[near], told.to_numpy()[near])
    assert np.isinf(days.to_numpy()[~near]).all()
    # on the frontier it is that of the frontier, whatever the size
    expected = frontier_shelf_life(small_fit, 3.0).to_numpy()
    expected = np.where(expected > 5.0 * DAYS_PER_YEAR, np.inf, expected)
    for params in (1e9, 7e10):
        release = release_of(small_fit, params=params)
        days = waiting_time(small_fit, release, 3.0, condition="smooth")
        assert days.to_numpy() == pytest.approx(expected, rel=1e-6)


def test_earlier_and_observed_systems_of_the_panel_count():
    fit = known_fit(log_density=1.0)
    middle = fit.observed.systems[40]
    assert (waiting_time(fit, release_of(fit, params=1e9, density=1.0)) == 0).all()
    # all are equally dense: none has twice the density of another
    for kind in ("simulated", "observed"):
        assert (waiting_time(fit, release_of(fit, middle), 1.5, successors=kind) > 0).all()
    denser = fit.posterior["log_density"].copy()
    denser[..., 45] = 2.0
    fit = dataclasses.replace(fit, posterior=fit.posterior.assign(log_density=denser))
    days = waiting_time(fit, release_of(fit, middle), successors="observed")
    assert days.to_numpy() == pytest.approx(5 / RATE * DAYS_PER_YEAR)
    # a release does not succeed itself
    assert (waiting_time(fit, release_of(fit, fit.observed.systems[45])) > 0).all()


@settings(max_examples=8, deadline=None)
@given(
    density=st.floats(0.05, 3.0), more=st.floats(1.0, 4.0), kappa=st.floats(1.05, 8.0),
    condition=st.sampled_from(CONDITIONS),
)  # fmt: skip
def test_waiting_time_rises_with_density_and_kappa(density, more, kappa, condition):
    options = {"condition": condition, "spec": EXACT}
    first = release_of(KNOWN, params=np.exp(23.5), density=density)
    denser = release_of(KNOWN, params=np.exp(23.5), density=density * more)
    days = waiting_time(KNOWN, first, kappa, **options).to_numpy()
    assert (waiting_time(KNOWN, denser, kappa, **options).to_numpy() >= days).all()
    assert (waiting_time(KNOWN, first, kappa * more, **options).to_numpy() >= days).all()


def test_one_seed_gives_one_answer():
    release = release_of(KNOWN, params=1e9, density=0.5)
    one, same, other = (waiting_time(KNOWN, release, seed=seed) for seed in (7, 7, 8))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@settings(deadline=None)
@given(
    life=st.floats(0.0, 3000.0), halving=st.floats(5.0, 5000.0), growth=st.floats(-2.0, 4.0)
)  # fmt: skip
def test_earning_days_is_the_integral(life, halving, growth):
    def worth(t):
        return 2.0 ** (-t / halving) * np.exp(growth * t / DAYS_PER_YEAR)

    grid = np.linspace(0.0, life, 20001)
    brute = np.trapezoid(worth(grid), grid)
    assert float(earning_days(life, halving, growth)) == pytest.approx(brute, rel=1e-4, abs=1e-9)


def test_earning_days_at_its_limits():
    assert float(earning_days(np.inf, 79.0)) == pytest.approx(79.0 / np.log(2.0))
    assert float(earning_days(100.0, np.inf)) == 100.0
    assert float(earning_days(0.0, 79.0)) == 0.0
    # demand that grows as fast as the price falls
    assert float(earning_days(100.0, 79.0, DAYS_PER_YEAR * np.log(2.0) / 79.0)) == pytest.approx(
        100
    )


def simple(**options):
    """A pay-back of a release that is not passed by construction, with spread in all inputs."""
    return payback_by(KNOWN, params=1e9, density=0.5, training_cost=1e6, **options)


def test_serving_cost_is_the_integral_until_the_price_meets_it():
    result = simple(serving_cost=0.05, price=0.4, halving_days=80.0, tokens_per_visit=500.0)
    life = np.ravel(result.draws["life"])[:20]
    earned = np.ravel(result.draws["earned_per_daily_visit"])[:20]
    for days, found in zip(life, earned, strict=True):
        # until 240 days, when the price has halved three times
        grid = np.linspace(0.0, min(days, 240.0), 20001)
        brute = np.trapezoid(0.4 * 2.0 ** (-grid / 80.0) - 0.05, grid) * 500.0 / 1e6
        assert found == pytest.approx(brute, rel=1e-6)
    never = simple(serving_cost=0.5, price=0.4)
    assert np.isinf(never.draws["daily_visits_needed"]).all()


@pytest.mark.parametrize("options", [{}, {"window": 60.0}, {"serving_cost": 0.05}])
def test_inverse_answers_are_exact_over_the_draws(options):
    result = simple(**options)
    demand = break_even_demand(result, 0.9)
    assert p_break_even(result, demand * (1 + 1e-9)) >= 0.9
    assert p_break_even(result, demand * (1 - 1e-9)) < 0.9
    visits = 1e8
    for question, name in ((break_even_price, "price"), (break_even_margin, "margin")):
        if name == "margin" and "margin" not in result.draws:
            continue
        needed = question(result, visits * 20, 0.8)
        for factor, enough in ((1 + 1e-6, True), (1 - 1e-6, False)):
            changed = xr.full_like(result.draws[name], needed * factor)
            draws = result.draws.assign({name: changed})
            earned = earned_per_daily_visit(draws, result.demand_growth) * visits * 20
            assert (np.mean(earned >= draws["training_cost"].to_numpy()) >= 0.8) == enough
    cost = break_even_cost(result, visits, 0.9)
    share = np.mean(revenue(result, visits) >= cost)
    assert 0.9 <= share < 0.9 + 2e-3


@settings(max_examples=10, deadline=None)
@given(visits=st.floats(1e4, 1e10), more=st.floats(1.0, 10.0), p=st.floats(0.05, 0.95))
def test_break_even_is_monotone(visits, more, p):
    result = RESULT
    assert p_break_even(result, visits * more) >= p_break_even(result, visits)
    assert break_even_price(result, visits * more, p) <= break_even_price(result, visits, p)
    assert break_even_cost(result, visits * more, p) >= break_even_cost(result, visits, p)
    assert break_even_demand(result, min(p * more, 0.99)) >= break_even_demand(result, p)


RESULT = simple()


def test_visits_needed_are_the_integral_of_demand():
    result = simple(demand_growth=1.2)
    daily, life = (np.ravel(result.draws[k])[:5] for k in ("daily_visits_needed", "life"))
    for needed, start, days in zip(
        np.ravel(result.draws["visits_needed"])[:5], daily, life, strict=True
    ):
        brute = quad(lambda t, s=start: s * np.exp(1.2 * t / DAYS_PER_YEAR), 0, days)[0]
        assert needed == pytest.approx(brute, rel=1e-8)


def test_visits_of_an_implied_cost_pay_it_back():
    cost = implied_cost(RESULT, 1.7e9, 61.0)
    within = payback_by(
        KNOWN, params=1e9, density=0.5, training_cost=1e6, window=61.0
    ).draws  # the same seed, so the same prices
    assert (cost / 1e6 * within["visits_needed"]).to_numpy() == pytest.approx(1.7e9)
    per_visit = implied_earning(2e6, 1.7e9, 61.0, 79.0)
    total = quad(lambda t: 1.7e9 / 61.0 * per_visit * 2.0 ** (-t / 79.0), 0, 61.0)[0]
    assert total == pytest.approx(2e6)


def test_release_that_was_passed_at_release_earns_nothing():
    fit = known_fit(log_density=1.0)
    result = payback_by(fit, params=1e9, density=0.5, training_cost=1e6)
    assert result.p_passed == 1.0
    assert np.isinf(break_even_demand(result))
    assert np.isinf(break_even_price(result, 1e9))
    assert "unbounded" in result.sentence()
    assert np.isinf(result.table().loc["visits_needed", "median"])


def test_words_and_figures():
    result = simple(window=60.0)
    text = result.sentence()
    assert "back within 60 days takes" in text and "To earn 1 million USD" in text
    assert "the fit is FAIL" in dataclasses.replace(result, verdict="FAIL").sentence()
    table = result.table()
    assert table.loc["life", ["median", "lower", "upper"]].tolist() == [60.0] * 3
    curve = figures.payback_curve(result, costs=np.array([1e6, 2e6]))
    assert curve["median"][0] == pytest.approx(table.loc["visits_needed", "median"], rel=1e-2)
    assert curve["upper"][1] == pytest.approx(2 * curve["upper"][0])
    behind = get_plot_data("payback", result, window=60.0)
    assert behind["training_cost"]["median"][0] == table.loc["training_cost", "median"]
    assert (behind["curve"]["lower"] <= behind["curve"]["upper"]).all()
    ax = figures.plot_payback(result, window=60.0, visits=1.7e9)
    assert "1,700 million visits" in ax.get_legend_handles_labels()[1]
    waits = result.draws["waiting_time"]
    curve = figures.waiting_curve(waits, 400)
    assert curve["p_not_succeeded"][100] == pytest.approx(float((waits > 100).mean()))
    assert len(figures.plot_waiting({"one": waits}).lines) == 1
    curves = get_plot_data("waiting", {"one": waits, "two": 2.0 * waits}, until=400)["curves"]
    one, two = (part["p_not_succeeded"] for _, part in curves.groupby("label"))
    np.testing.assert_allclose(one, curve["p_not_succeeded"])
    assert (two.to_numpy() >= one.to_numpy()).all()


def test_document_has_every_answer_and_no_infinity():
    for options in ({}, {"serving_cost": 0.5, "price": 0.4}):
        result = simple(**options)
        document = json.loads(json_text(payback_document(result, 1e8)))
        answers = document["break_even"]
        assert answers["p_break_even"] == p_break_even(result, 1e8)
        assert ("margin" in answers) == ("margin" in result.draws)
        assert set(document["estimates"]) == set(result.draws)
    # the price is below the cost of serving
    assert answers["visits_per_day"] is None
    assert document["estimates"]["visits_needed"]["upper_unbounded"] is True


def test_inputs_may_be_numbers_priors_or_draws():
    wanted = LogNormal(distribution="lognormal", median=5e5, sigma=0.3)
    for value in (wanted, np.full(10, 5e5), xr.DataArray([5e5, np.nan][:1])):
        result = payback_by(KNOWN, params=1e9, density=0.5, training_cost=value)
        assert float(result.draws["training_cost"].median()) == pytest.approx(5e5, rel=0.05)
    share = np.array([0.025, 0.5, 0.975])
    joint = load_spec("joint")
    for prior in (
        joint.trend.level, joint.trend.shortfall_spread, joint.scaling.params_share,
        joint.performance.ceiling,
    ):  # fmt: skip
        quantiles = prior.quantile(share)
        assert (np.diff(quantiles) > 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"training_cost": -1.0}, "training_cost = -1 must be above 0; its unit is USD"),
        ({"price": 0.0}, "price = 0 must be above 0; its unit is USD per million tokens"),
        ({"margin": 40.0}, "margin = 40 is above 1: it is a share of revenue; write 0.4 for 40%"),
        ({"margin": np.nan}, "margin = nan must be above 0"),
        ({"kappa": 1.0}, "kappa = 1.0 must be above 1"),
        ({"window": 0.0}, "window = 0 must be above 0 days"),
        ({"margin": 0.5, "serving_cost": 0.1}, "give margin or serving_cost"),
        ({"condition": "same"}, "no condition 'same'; use one of smooth, density, recipe, system"),
        ({"density": -0.5}, "density = -0.5 must be above 0"),
        ({"params": 8}, "params = 8 looks like billions; write a count such as 8e9"),
        ({"params": None}, "a hypothetical release needs params"),
        ({"date": "2010-01-01"}, "before the panel's first release"),
        ({"demand_growth": np.inf}, "demand_growth = inf must be a rate"),
        ({"training_cost": np.array([])}, "training_cost: there are no draws"),
        ({"system": "system-1"}, "give either the system 'system-1' or density"),
    ],
)
def test_bad_input_is_refused(options, message):
    arguments = {"params": 1e9, "density": 0.5, "training_cost": 1e6} | options
    with pytest.raises(DensingError, match=message.replace("(", "\\(")):
        payback_by(KNOWN, **arguments)


def test_unknown_names_come_with_a_suggestion(tmp_path):
    with pytest.raises(DensingError, match="'sytem-12' in this fit; did you mean 'system"):
        payback_by(KNOWN, "sytem-12", training_cost=1e6)
    with pytest.raises(DensingError, match="visits = 0 must be a number above 0"):
        p_break_even(RESULT, 0)
    with pytest.raises(DensingError, match="ci = 90 is not a probability"):
        break_even_demand(RESULT, 90)
    path = tmp_path / "own.toml"
    text = "margn = 0.4\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match="unknown key 'margn'; did you mean 'margin'"):
        load_payback_spec(path)


def simulated_costs(seed, count=40):
    random = np.random.default_rng(seed)
    params, tokens = np.exp(random.uniform(20, 27, count)), np.exp(random.uniform(26, 31, count))
    peak = random.choice([312e12, 989.4e12], count)
    hours = 6 * params * tokens / (peak * 3600) / 0.4
    hours *= (params / np.exp(np.log(params).mean())) ** -0.1 * np.exp(
        0.2 * random.standard_normal(count)
    )
    rows = pd.DataFrame(
        {
            "entry": [f"run-{i}" for i in range(count)],
            "name": [f"run {i}" for i in range(count)],
            "date": "2024-01-01",
            "quantity": "gpu_hours",
            "value": hours,
            "hardware": np.where(peak == 312e12, "A100", "H100"),
            "peak_flops": peak,
            "basis": "reported",
            "params": params,
            "tokens": tokens,
        }
    )
    prices = rows.iloc[:20].assign(
        entry=[f"price-{i}" for i in range(20)],
        quantity="rental_price",
        basis="rented",
        value=2.0 * peak[:20] / 1e15 * np.exp(0.2 * random.standard_normal(20)),
        params=np.nan,
        tokens=np.nan,
    )
    return pd.concat([rows, prices])


def test_known_costs_are_recovered(tmp_path):
    path = tmp_path / "mine.csv"
    simulated_costs(3).to_csv(path, index=False)
    fit = costs.fit_training_cost(SPEC.training, costs.load_costs(path), seed=5)
    assert fit.verdict == "PASS"
    truth = {
        "utilisation": 0.4, "params_exponent": 0.9, "tokens_exponent": 1.0, "hours_spread": 0.2,
        "rate_spread": 0.2,
    }  # fmt: skip
    for name, value in truth.items():
        low, high = np.quantile(fit.sampled.draws[name], [0.005, 0.995])
        assert low < value < high, name
    low, high = np.quantile(fit.sampled.draws["rate"].sel(basis="rented"), [0.005, 0.995])
    assert low < 2.0 < high
    cost = costs.training_cost(fit, 8e9, 15e12)
    assert np.allclose(cost["training_cost"], cost["gpu_hours"] * cost["hour_price"])
    more = costs.training_cost(fit, 16e9, 15e12)["training_cost"]
    assert float((more > cost["training_cost"]).mean()) == 1.0  # the same scatter
    wide, narrow = (
        np.ptp(np.log(costs.training_cost(fit, 8e9, 15e12, group=group)["gpu_hours"]).to_numpy())
        for group in ("prior", "posterior")
    )
    assert wide > narrow
    table = figures.predicted_hours(fit)
    assert (
        np.mean(table["observed"].between(table["posterior_lower"], table["posterior_upper"])) > 0.8
    )
    pd.testing.assert_frame_equal(get_plot_data("training_cost", fit)["hours"], table)
    assert figures.plot_training_cost(fit).get_xscale() == "log"
    with pytest.raises(DensingError, match=r"no hardware 'H10' .* did you mean 'H100"):
        costs.training_cost(fit, 8e9, 15e12, hardware="H10")
    with pytest.raises(DensingError, match="tokens = 15 must be a count such as 15e12"):
        costs.training_cost(fit, 8e9, 15)
    with pytest.raises(DensingError, match="no basis 'owned'; use one of rented, amortised"):
        costs.training_cost(fit, 8e9, 15e12, basis="owned")


def test_embedded_costs_give_a_cost_of_a_system():
    draws = costs.training_cost_of("llama-3-8b", SPEC.training, seed=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    # 1.3M hours of an H100 at 2 USD
    assert low < 2.6e6 < high
    with pytest.raises(DensingError, match=r"no system 'lama-3-8b' .* did you mean 'llama-3-8b"):
        costs.training_cost_of("lama-3-8b", SPEC.training)
    with pytest.raises(DensingError, match=r"the tokens of mistral-7b-v0\.1 are not known"):
        costs.training_cost_of("mistral-7b-v0.1", SPEC.training)


def test_hours_and_prices_of_the_embedded_table():
    table = costs.load_costs()
    runs, prices = costs.trained(table), costs.hourly_prices(table)
    assert "llama-3.2-1b-hours" not in runs.index  # pruned and distilled
    assert "llama-3-8b-hours" in runs.index
    # the price of an hour that DeepSeek assumes is in the table once
    assert "h800-2024-12" in prices.index and "deepseek-v3-cost" not in prices.index
    assert prices.loc["a100-2023-07", "rate"] == pytest.approx(1.1 / 0.312)
    share = runs["value"] * runs["peak_flops"] * 3600 / (6 * runs["params"] * runs["tokens"])
    assert share.between(1.0, 10.0).all()  # no run is faster than its chips


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("value", "-5", "row 2, column 'value': -5 is not a positive number"),
        ("basis", "owned", "row 2, column 'basis': owned is not known; write one of reported"),
        ("quantity", "hours", "row 2, column 'quantity': hours is not known"),
        ("params", "70", "row 2, column 'params': 70 looks like billions; write 7e10"),
    ],
)
def test_bad_tables_of_costs_are_refused(tmp_path, column, value, message):
    table = simulated_costs(0, 20).astype(object)
    table.iloc[0, table.columns.get_loc(column)] = value
    path = tmp_path / "costs.csv"
    table.to_csv(path, index=False)
    with pytest.raises(TableError, match=message):
        costs.load_costs(path)


def test_too_few_costs_are_refused():
    table = costs.load_costs()
    with pytest.raises(DensingError, match="2 systems have gpu_hours"):
        costs.fit_training_cost(SPEC.training, table.loc[["llama-3-8b-hours", "llama-2-7b-hours"]])


def test_committed_study_has_passed_and_covers_costs_it_was_not_fitted_to():
    path = Path(__file__).parents[2] / "analyses" / "payback.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    fits = content["training_cost"]["fits"]
    assert len(fits) == 3
    assert {row["diagnostics"]["verdict"] for row in fits.values()} == {"PASS"}
    assert {content[name]["verdict"] for name in ("open", "paper")} == {"PASS"}
    inside = [
        row["predicted"]["lower"] < row["published"] < row["predicted"]["upper"]
        for row in content["training_cost"]["held_out"]
    ]
    assert len(inside) >= 8 and np.mean(inside) > 0.8
    medians = [row["gemma-2-9b"]["median"] for row in fits.values()]
    assert max(medians) / min(medians) < 1.05


@pytest.mark.fit
def test_payback_of_a_system_of_a_fit(small_fit):
    result = payback_by(small_fit, "llama-3-8b", training_cost=2.6e6, condition="system")
    assert 0.0 <= result.p_passed < 0.5
    assert "the fit is FAIL" in result.sentence()
    days = result.draws["waiting_time"]
    assert days.dims == ("chain", "draw")
    whole = arrivals.waiting_table(small_fit, ["llama-3-8b"], condition="system")
    middle = np.quantile(days, 0.5, method="inverted_cdf" if np.isinf(days).any() else "linear")
    assert whole.loc["llama-3-8b", "median"] == pytest.approx(float(middle), rel=1e-6)
    prior = release_of(small_fit, "llama-3-8b", group="prior")
    spread = waiting_time(small_fit, prior, group="prior")
    assert spread.shape == small_fit.prior["level"].shape
