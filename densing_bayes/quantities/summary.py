"""Summaries in numbers: of the trend, and of a forecast."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import xarray as xr

from densing_bayes.inputs.dates import date_of
from densing_bayes.posterior.estimates import estimate, estimate_date, probability
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.forecasts import forecast_date, score_limit, years_of
from densing_bayes.quantities.growth import (
    ESTIMANDS,
    READINGS,
    Reading,
    benchmark_growth,
    doubling_time,
    estimand_growth,
    frontier,
    growth,
    size_slope,
)
from densing_bayes.quantities.shelf_life import frontier_shelf_life


def change_dates(fit: Fit, ci: float = CI) -> dict[str, dict[str, Any]]:
    """Estimates of the changes whose date the data choose, by name."""
    return {
        change.name: estimate_date(fit.posterior["change_time"].isel(undated_change=i), ci)
        for i, change in enumerate(fit.spec.trend.undated)
    }


def trend_summary(
    fit: Fit,
    ci: float = CI,
    averaged: dict[str, Any] | None = None,
    over_tokens: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The trend in numbers: growth, change, doubling times, readings, prior and provenance.

    All but ``averaged`` is conditional on the hypothesis of the fit, and all but ``over_tokens`` on
    its D0. These two are as they are given, of
    :func:`densing_bayes.evaluation.hypotheses.averaged.averaged_of` and
    :func:`densing_bayes.evaluation.token_range.over_tokens_of`.
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
    result["over_tokens"] = over_tokens
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


def forecast_summary(
    fit: Fit,
    params: float,
    benchmark: str,
    score: float,
    ci: float = CI,
    reading: Reading = "frontier",
    by: str | dt.date | None = None,
) -> dict[str, Any]:
    """Forecast as calendar dates, apart from whether any size reaches the score at all.

    Parameters
    ----------
    fit, params, benchmark, score, reading
        As of :func:`forecast_date`.
    ci
        Probability of the intervals.
    by
        A date; gives the probability that the score is reached by then.

    Returns
    -------
    dict
        ``median``, ``lower``, ``upper`` as dates; ``p_reached`` (by the last datum), ``p_never``;
        ``p_above_limit``, the probability that the score lies above what any size reaches, and
        ``limit``, that score with its interval; ``if_below_limit``, the dates given that it does
        not (None if no draw says so); ``highest_seen``, the best score on the benchmark that the
        fit knows: a limit above it is extrapolated; with ``by``, ``p_by`` and, within
        ``if_below_limit``, the same.
    """
    years = forecast_date(fit, params, benchmark, score, reading)
    limit = score_limit(fit, benchmark)
    deadline = None if by is None else years_of(by)[1][0]
    last = float(fit.observed.time.max())
    below = (limit > score).to_numpy()
    within = years.to_numpy()[below]
    own = np.flatnonzero(fit.observed.cell_benchmark == fit.observed.benchmarks.index(benchmark))
    best = own[np.argmax(fit.observed.score[own])]
    return (
        _dated(years, ci)
        | {
            "params": params,
            "benchmark": benchmark,
            "score": score,
            "reading": reading,
            "p_reached": probability(years <= last),
            "p_never": probability(np.isinf(years)),
            "p_above_limit": probability(~below),
            "limit": estimate(limit, "score", ci),
            "if_below_limit": _dated(within, ci, deadline) if within.size else None,
            "highest_seen": {
                "system": fit.observed.systems[fit.observed.cell_system[best]],
                "score": float(fit.observed.score[best]),
            },
            "last_datum": date_of(last).date().isoformat(),
        }
        | ({} if deadline is None else {"by": str(by), "p_by": probability(years <= deadline)})
    )


def _dated(years: Any, ci: float, deadline: float | None = None) -> dict[str, Any]:
    """Median and interval of model times as dates, and whether they lie before a deadline."""
    summary = estimate_date(years, ci)
    if deadline is not None:
        summary["p_by"] = probability(years <= deadline)
    return summary
