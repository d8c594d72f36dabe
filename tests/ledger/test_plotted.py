"""The frontier through plotted densities."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import halfnorm, norm

from densing_bayes.corollaries.trends.exponential import dated_points, exponential_model
from densing_bayes.errors import DensingError
from densing_bayes.ledger.plotted import fit_plotted, plotted_spec

RATES = (0.6, 1.4)  # before and after ChatGPT, 1/year


def simulated(seed, count=60):
    random = np.random.default_rng(seed)
    days = np.sort(random.integers(-900, 900, count))
    time = days / 365.25
    line = -2.0 + RATES[0] * time + (RATES[1] - RATES[0]) * np.maximum(time, 0)
    logs = line - 0.8 * np.abs(random.standard_normal(count)) + 0.25 * random.standard_normal(count)
    dates = pd.Timestamp("2022-11-30") + pd.to_timedelta(days, "D")
    return pd.DataFrame({"date": dates, "value": np.exp(logs)})


@pytest.mark.parametrize("bend", [False, True])
def test_likelihood_is_the_integral_over_the_shortfall(bend):
    points = simulated(0, 6)
    spec = plotted_spec(bend)
    model = exponential_model(dated_points(points, spec), spec)
    at = {"level": -2.0, "growth_before": 0.7, "shortfall_spread": 0.9, "system_spread": 0.3}
    if bend:
        at["growth_change"] = [0.5]
    (potential,) = model.potentials
    value = potential.eval({rv: at[rv.name] for rv in model.free_RVs}, mode="FAST_COMPILE")
    time = (points["date"] - pd.Timestamp("2022-11-30")).dt.days / 365.25
    line = at["level"] + at["growth_before"] * time
    line += sum(at.get("growth_change", [])) * np.maximum(time, 0.0)
    for log_density, edge, found in zip(np.log(points["value"]), line, value, strict=True):
        expected, _ = quad(
            lambda u, y=log_density, f=edge: halfnorm.pdf(u, scale=0.9) * norm.pdf(y, f - u, 0.3),
            0,
            8,
            epsabs=1e-12,
        )
        assert found == pytest.approx(np.log(expected), abs=1e-6)


def test_known_rates_are_recovered():
    fit = fit_plotted(simulated(4), bend=True, seed=2)
    assert fit.verdict == "PASS"
    before = fit.posterior["growth_before"]
    after = before + fit.posterior["growth_change"].isel(slope_change=0)
    for draws, truth in zip((before, after), RATES, strict=True):
        low, high = np.quantile(draws, [0.005, 0.995])
        assert low < truth < high
    assert set(fit.prior) == set(fit.posterior)
    assert float(fit.prior["growth_before"].std()) > 3 * float(before.std())


def test_bad_points_are_refused():
    with pytest.raises(DensingError, match="fig9: a trend needs at least five points"):
        fit_plotted(simulated(0, 4), bend=False, name="fig9")
    with pytest.raises(DensingError, match="row 3 has a value that is not above 0"):
        fit_plotted(simulated(0, 6).assign(value=[1, 2, 0, 1, 1, 1]), bend=False)
