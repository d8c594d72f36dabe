"""Answers averaged over hypotheses, and standard errors of forecasts by cut."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import norm

from densing_bayes.display import findings
from densing_bayes.errors import DensingError
from densing_bayes.evaluation.hypotheses import averaging
from densing_bayes.evaluation.hypotheses import table as comparison_table
from densing_bayes.evaluation.hypotheses.mixtures import QUANTITIES
from densing_bayes.inputs.dates import date_of
from densing_bayes.inputs.hypothesis import NONE
from densing_bayes.inputs.specification import load_spec

MEANS = {"one": 0.0, "two": 5.0, "failed": 100.0}


def compared(**columns):
    """A comparison whose fits are draws of one number."""
    random = np.random.default_rng(2)
    table = pd.DataFrame(
        {
            "verdict": ["PASS", "PASS", "FAIL"],
            "probability": [0.7, 0.3, np.nan],
            "weight_release": [0.1, 0.5, 0.4],
        }
        | columns,
        index=list(MEANS),
    )
    fits = {
        name: xr.DataArray(mean + random.standard_normal((4, 1000)), dims=("chain", "draw"))
        for name, mean in MEANS.items()
    }
    observed = SimpleNamespace(time=np.array([-3.0, 0.5, 1.5]))
    return SimpleNamespace(table=table, fits=fits, spec=load_spec("joint"), observed=observed)


def test_growth_is_averaged_around_one_date():
    """That of the change which the specification states, if releases lie on both sides."""
    made = compared()
    assert averaging.date_of_growth(made.spec, made.observed) == pd.Timestamp("2022-11-30")
    none = made.spec.under(NONE)
    assert averaging.date_of_growth(none, made.observed) == date_of(0.5)
    later = SimpleNamespace(time=np.array([0.2, 0.6]))
    assert averaging.date_of_growth(made.spec, later) == date_of(0.4)


def test_average_is_the_mixture_of_the_posteriors():
    found = averaging.average(compared(), lambda fit: fit)
    values, counts = np.unique(found["hypothesis"], return_counts=True)
    assert dict(zip(values, counts, strict=True)) == {"one": 2800, "two": 1200}
    grid = np.array([-1.0, 0.5, 2.5, 5.0])
    expected = 0.7 * norm.cdf(grid) + 0.3 * norm.cdf(grid - 5.0)
    assert [float((found < x).mean()) for x in grid] == pytest.approx(expected, abs=0.02)
    assert found.dims == ("chain", "draw") and found.shape == (1, 4000)


def test_stacking_weights_leave_out_what_has_not_passed_and_sum_to_one():
    weight = averaging.hypothesis_weights(compared(), "stacking")
    assert weight.to_dict() == pytest.approx({"one": 1 / 6, "two": 5 / 6, "failed": 0.0})
    found = averaging.average(compared(), lambda fit: fit, "stacking", draws=999)
    assert found.size == 999
    assert float(found.mean()) == pytest.approx(5.0 * 5 / 6, abs=0.1)


def test_what_cannot_be_averaged_is_refused():
    with pytest.raises(DensingError, match="no quantity 'growth'; use one of growth_before"):
        averaging.average(compared(), "growth")
    with pytest.raises(DensingError, match="no weights 'equal'; use one of evidence, stacking"):
        averaging.average(compared(), lambda fit: fit, "equal")
    nothing = compared(probability=[np.nan] * 3)
    with pytest.raises(DensingError, match="no hypothesis has a weight by evidence"):
        averaging.average(nothing, lambda fit: fit)
    failed = compared(verdict=["FAIL"] * 3)
    with pytest.raises(DensingError, match="compare with more draws"):
        averaging.hypothesis_weights(failed, "stacking")


@pytest.mark.fit
def test_named_quantities_of_real_fits(small_fit):
    table = pd.DataFrame(
        {"verdict": ["PASS"] * 2, "probability": [0.5, 0.5], "weight_release": [0.8, 0.2]},
        index=["chatgpt", "again"],
    )
    made = SimpleNamespace(
        table=table,
        fits={"chatgpt": small_fit, "again": small_fit},
        spec=small_fit.spec,
        observed=small_fit.observed,
    )
    asked: list[str] = []
    with pytest.MonkeyPatch.context() as patch:  # a shelf life takes longest
        life, unit = QUANTITIES["shelf_life"]
        patch.setitem(
            QUANTITIES,
            "shelf_life",
            (lambda fit, date: asked.append("life") or life(fit, date), unit),
        )
        said = averaging.average_summary(made)
    assert len(asked) == 2  # of each fit once, for both kinds of weights
    assert set(said) == {"evidence", "stacking"}
    for kind, first in (("evidence", 0.5), ("stacking", 0.8)):
        assert said[kind]["weights"]["chatgpt"] == pytest.approx(first)
        assert said[kind]["growth_after"]["p_gt_0"] > 0.99
        narrow, wide = (
            said[kind][name]["upper"] - said[kind][name]["lower"]
            for name in ("doubling_time_after", "doubling_time_in_general")
        )
        assert narrow < wide
    (first, second) = findings.averages(said)
    assert first.startswith("Averaged over the hypotheses by evidence (chatgpt 0.50, again 0.50)")
    assert "by stacking (chatgpt 0.80, again 0.20)" in second


def test_errors_of_forecast_differences_are_clustered_by_cut():
    random = np.random.default_rng(6)
    rows = []
    for cut in ("2022-01-01", "2022-07-01", "2023-01-01", "2023-07-01"):
        shared = 10.0 * random.standard_normal()  # the error of the trend, alike for all releases
        for name in ("a", "b"):
            scores = random.standard_normal(20) + (shared if name == "b" else 0.0)
            rows.append({"hypothesis": name, "cut": cut, "log_score": scores.tolist()})
    table = pd.DataFrame(rows)
    found = comparison_table._clustered_errors(table, "a")
    totals = table.assign(total=[sum(own) for own in table["log_score"]])
    apart = totals[totals["hypothesis"] == "b"]["total"].to_numpy()
    apart = apart - totals[totals["hypothesis"] == "a"]["total"].to_numpy()
    assert found["a"] == 0.0
    assert found["b"] == pytest.approx(2.0 * apart.std(ddof=1))
    each = np.concatenate(table[table["hypothesis"] == "b"]["log_score"].to_list())
    assert found["b"] > 3.0 * np.sqrt(each.size * each.var())  # as if they were independent
