"""The trend in numbers: the content of ``trend --json`` and the head of the report."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from densing_bayes.fits import CI, Fit
from densing_bayes.observations import date_of
from densing_bayes.quantities import (
    ESTIMANDS,
    READINGS,
    benchmark_growth,
    doubling_time,
    estimand_growth,
    estimate,
    estimate_date,
    frontier,
    growth,
    probability,
    size_slope,
)
from densing_bayes.shelf import frontier_shelf_life


def change_dates(fit: Fit, ci: float = CI) -> dict[str, dict[str, Any]]:
    """Estimates of the changes whose date the data choose, by name."""
    return {
        change.name: estimate_date(fit.posterior["change_time"].isel(undated_change=i), ci)
        for i, change in enumerate(fit.spec.trend.undated)
    }


def trend_summary(
    fit: Fit, ci: float = CI, averaged: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The trend in numbers: growth, change, doubling times, readings, prior and provenance.

    All but ``averaged`` is conditional on the hypothesis of the fit. ``averaged`` is as it is
    given, of :func:`densing_bayes.averaged.averaged_of`.
    Growth rates are of the mean over the benchmarks of the fit; ``by_estimand`` has the same of
    benchmarks in general, of which these are a sample, and of a new one; ``by_benchmark`` gives
    each one. ``change_dates`` has the changes whose date the data choose, by name.
    """
    rates = growth(fit)
    result = _growth_summary(rates, ci)
    result["change_dates"] = change_dates(fit, ci)
    each = benchmark_growth(fit)
    result["by_benchmark"] = {
        str(name): _growth_summary(each.sel(benchmark=name), ci)
        for name in each["benchmark"].to_numpy()
    }
    result["by_estimand"] = _by_estimand(fit, "posterior", ci)
    life = frontier_shelf_life(fit)
    result["shelf_life_days"] = estimate(life, "days", ci, mean=False) | {
        "kappa": 2.0,
        "p_never": probability(np.isinf(life)),
    }
    result["size_slope"] = estimate(size_slope(fit), "1", ci)
    last = date_of(fit.observed.time.max())
    result["density_at_last_release"] = {"date": last.date().isoformat()} | {
        reading: estimate(np.exp(frontier(fit, [last], reading)), "1", ci) for reading in READINGS
    }
    result["counts"] = fit.observed.counts().to_dict(orient="index")
    result["prior"] = _growth_summary(growth(fit, "prior"), ci) | {
        "shelf_life_days": estimate(
            frontier_shelf_life(fit, group="prior"), "days", ci, mean=False
        ),
        "size_slope": estimate(size_slope(fit, "prior"), "1", ci),
        "by_estimand": _by_estimand(fit, "prior", ci),
    }
    result["averaged"] = averaged
    result["diagnostics"] = fit.diagnostics
    result["provenance"] = fit.provenance
    return result


def _by_estimand(fit: Fit, group: str, ci: float) -> dict[str, Any]:
    rates = estimand_growth(fit, group)
    return {name: _growth_summary(rates.sel(estimand=name), ci) for name in ESTIMANDS}


def _growth_summary(rates: xr.Dataset, ci: float) -> dict[str, Any]:
    before, after, change = rates["before"], rates["after"], rates["change"]
    ratio = (after / before).where(before > 0, np.inf)  # not defined where density did not grow
    return {
        "growth_rate": {
            "before": estimate(before, "1/day", ci) | {"p_le_0": probability(before <= 0)},
            "after": estimate(after, "1/day", ci) | {"p_le_0": probability(after <= 0)},
        },
        "growth_change": estimate(change, "1/day", ci)
        | {
            "p_gt_0": probability(change > 0),
            "p_ge_half": probability(after >= 1.5 * before),
        },
        "doubling_time_days": {
            name: estimate(doubling_time(rates[name]), "days", ci, mean=False)
            for name in ("before", "after")
        },
        "growth_ratio": estimate(ratio, "1", ci, mean=False)
        | {"p_before_gt_0": probability(before > 0)},
    }
