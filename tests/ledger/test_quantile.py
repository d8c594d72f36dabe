"""An upper quantile of densities as a frontier: against brute force, closed forms, simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from densing_bayes.corollaries.trends.exponential import ExponentialFit, dated_points
from densing_bayes.errors import DensingError
from densing_bayes.inputs.specification import load_hypothesis, load_spec
from densing_bayes.ledger.definitions import definition_cells, growth_by_definition
from densing_bayes.ledger.ledger import DEFINITIONS
from densing_bayes.ledger.plotted import plotted_spec
from densing_bayes.ledger.quantile import quantile_growth, quantile_line, quantile_lines


def check_loss(line, values, design, weight, q):
    apart = values - design @ line
    return float(np.sum(weight * np.maximum(q * apart, (q - 1.0) * apart)))


@pytest.mark.parametrize("q", [0.5, 0.9])
def test_no_line_has_a_smaller_check_loss(q):
    random = np.random.default_rng(1)
    time = random.uniform(-3, 2, 60)
    design = np.stack([np.ones(60), time, np.maximum(time, 0)], axis=1)
    values = design @ [1.0, 0.5, 1.0] - np.abs(random.standard_normal(60))
    weight = random.standard_exponential(60)
    line = quantile_line(values, design, weight, q)
    least = check_loss(line, values, design, weight, q)
    found = minimize(check_loss, line + 0.1, (values, design, weight, q), method="Nelder-Mead",
                     options={"maxiter": 5000, "xatol": 1e-9, "fatol": 1e-12})  # fmt: skip
    assert least <= found.fun + 1e-8
    for _ in range(200):
        near = line + 10.0 ** random.uniform(-4, 0) * random.standard_normal(3)
        assert check_loss(near, values, design, weight, q) >= least - 1e-10


def test_a_release_counts_once_however_many_systems_it_has():
    time = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    values = np.array([0.0, 1.3, 1.7, 3.2, 4.4, 4.9])
    design = np.stack([np.ones(6), time], axis=1)
    once = quantile_lines(values[None], design, np.arange(6), 0.7, np.random.default_rng(4))
    again = [0, 0, 0, 1, 2, 3, 4, 5, 5]
    many = quantile_lines(values[again][None], design[again], again, 0.7, np.random.default_rng(4))
    np.testing.assert_allclose(many, once, atol=1e-9)


def plotted(seed, count=400, opening=0.15):
    """Densities that spread out with date: the best grow faster than the mean."""
    random = np.random.default_rng(seed)
    days = np.sort(random.integers(-900, 900, count))
    time = days / 365.25
    logs = -1.0 + 1.2 * time + np.exp(opening * time) * random.standard_normal(count)
    dates = pd.Timestamp("2022-11-30") + pd.to_timedelta(days, "D")
    spec = plotted_spec(bend=False)
    table = pd.DataFrame({"date": dates, "value": np.exp(logs)})
    return ExponentialFit(spec, dated_points(table, spec), None)


def test_the_slope_of_the_best_is_found_where_it_is_not_that_of_the_mean():
    """Of twenty simulated panels: the truth is the slope of the line of least expected loss."""
    held, middle = [], []
    time = np.linspace(-900, 900, 4001) / 365.25
    edge = -1.0 + 1.2 * time + np.exp(0.15 * time) * norm.ppf(0.9)
    truth = np.polyfit(time, edge, 1, w=np.exp(-0.075 * time))[0]
    assert truth > 1.38  # where the mean has 1.2
    for seed in range(20):
        rates = quantile_growth(plotted(seed), draws=120)["after"].to_numpy() * 365.25
        low, high = np.quantile(rates, [0.025, 0.975])
        held.append(low < truth < high)
        middle.append(np.median(rates))
    assert np.mean(held) >= 0.8
    assert np.mean(middle) == pytest.approx(truth, abs=0.05)


def test_errors_of_the_densities_widen_the_answer(simulated_fit):
    fit = simulated_fit(0.0)
    sharp = quantile_growth(fit, draws=200)["after"]
    blurred = quantile_growth(simulated_fit(0.6), draws=200)["after"]
    assert float(blurred.std()) > 1.15 * float(sharp.std())
    again = quantile_growth(fit, draws=200)["after"]
    np.testing.assert_array_equal(again, sharp)
    assert sharp.dims == ("chain", "draw")


@pytest.fixture
def simulated_fit(small_fit):
    """The small fit with densities of our own: a line, and errors that each draw has anew."""

    def make(error):
        random = np.random.default_rng(3)
        density = small_fit.posterior["log_density"]
        time = small_fit.observed.time
        count = len(small_fit.observed.releases)
        lack = np.abs(random.standard_normal(count))[small_fit.observed.system_release]
        values = 1.5 * time - lack + error * random.standard_normal(density.shape)
        data = small_fit.data.copy()
        data["posterior"] = data["posterior"].assign(log_density=density.copy(data=values))
        return type(small_fit)(
            data, small_fit.spec, small_fit.observed, small_fit.diagnostics | {"verdict": "PASS"},
            small_fit.provenance | {"created": f"simulated, {error}"},
        )  # fmt: skip

    return make


@pytest.mark.fit
def test_definitions_stand_side_by_side(simulated_fit):
    table = growth_by_definition([simulated_fit(0.0)])
    assert list(table["definition"]) == ["edge", "quantile"]
    assert set(table["definition"]) <= set(DEFINITIONS)
    assert (table["panel"] == "open").all() and (table["size"] == "comparable").all()
    (_, quantile) = table["growth_rate"]
    assert quantile["lower"] * 365.25 < 1.5 < quantile["upper"] * 365.25
    cells = definition_cells(table)
    assert [row[2] for row in cells] == ["edge, constant scale", "0.9 quantile"]
    assert [row[5] for row in cells] == ["", ""]


@pytest.mark.fit
def test_what_has_no_quantile_is_refused(small_fit):
    with pytest.raises(DensingError, match=r"q = 1.5 is not a share of the releases"):
        quantile_growth(small_fit, 1.5)
    smooth = load_spec("joint").under(load_hypothesis("smooth"))
    other = type(small_fit)(small_fit.data, smooth, small_fit.observed, {}, {})
    with pytest.raises(DensingError, match="needs changes at known dates"):
        quantile_growth(other)
    with pytest.raises(DensingError, match="take one that passed"):
        growth_by_definition([small_fit])
