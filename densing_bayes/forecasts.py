"""Forecasts: when a system of some size on the frontier reaches a score."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from scipy.special import logit

from densing_bayes.errors import DensingError
from densing_bayes.fitting import CI, Fit
from densing_bayes.observations import DAYS_PER_YEAR, date_of
from densing_bayes.quantities import (
    Reading,
    benchmark_growth,
    estimate,
    growth,
    line_at,
    probability,
)


def params_needed(fit: Fit, benchmark: str, score: float) -> xr.DataArray:
    """Effective params at which the reference family reaches a score on a benchmark.

    Returns
    -------
    xarray.DataArray
        ln(Neff), dims (chain, draw); infinite where no size reaches the score.
    """
    observed, draws = fit.observed, fit.posterior
    if benchmark not in observed.benchmarks:
        raise DensingError(
            f"no benchmark '{benchmark}' in this fit (it has {', '.join(observed.benchmarks)})"
        )
    if not 0.0 < score < 1.0:
        hint = f"; write {score / 100:g} for {score:g}%" if 1 < score <= 100 else ""
        raise DensingError(f"score = {score} must lie between 0 and 1{hint}")
    floor, ceiling = (
        draws["floor"].sel(benchmark=benchmark),
        draws["ceiling"].sel(benchmark=benchmark),
    )
    share = (score - floor) / (ceiling - floor)
    z = share.copy(data=logit(np.clip(share, 1e-12, 1.0 - 1e-12)))
    if benchmark in observed.loss_benchmarks:
        own = {"loss_benchmark": benchmark}
        loss = draws["midpoint"].sel(own) - z / draws["steepness"].sel(own)
        rest = (
            loss
            - draws["irreducible_loss"].sel(own)
            - draws["tokens_loss"].sel(own)
            * np.exp(-draws["tokens_exponent"].sel(own) * observed.log_reference_tokens)
        )
        ratio = rest.where(rest > 0) / draws["params_loss"].sel(own)
        n = ratio.copy(data=-np.log(ratio)) / draws["params_exponent"].sel(own)
    else:
        own = {"direct_benchmark": benchmark}
        n = (
            draws["difficulty"].sel(own)
            + z / draws["discrimination"].sel(own)
            - draws["token_elasticity"].sel(own) * observed.log_reference_tokens
        )
    needed = (n + np.log(observed.centre_params)).where(share < 1.0, np.inf).fillna(np.inf)
    return needed.where(share > 0.0, -np.inf).drop_vars(["benchmark", *own], errors="ignore")


def forecast_date(
    fit: Fit, params: float, benchmark: str, score: float, reading: Reading = "frontier"
) -> xr.DataArray:
    """Date at which a system of ``params`` on the frontier reaches a score, in model years.

    The frontier of that benchmark: its own format offset and drift are added, and the size slope.

    Returns
    -------
    xarray.DataArray
        Years since 2022-11-30, dims (chain, draw); infinite where that never happens.
        :func:`forecast_summary` turns it into calendar dates.
    """
    if not (np.isfinite(params) and params >= 1e5):
        raise DensingError(f"params = {params:g} looks like billions; write a count such as 8e9")
    observed, draws = fit.observed, fit.posterior
    log_params = np.log(params)
    target = params_needed(fit, benchmark, score) - log_params
    target = target - draws["format_offset"].sel(benchmark=benchmark)
    if "size_slope" in draws:
        target = target - draws["size_slope"] * (log_params - observed.mean_log_params)
    drift = benchmark_growth(fit).sel(benchmark=benchmark) - growth(fit)
    extra = drift * DAYS_PER_YEAR  # per year; zero at the origin, bends at each slope change

    # The line of this benchmark is straight between changes; the search starts at the last datum.
    begin = float(observed.time.max())
    at_begin = line_at(fit, np.array([begin]), reading)[..., 0]
    slope = line_at(fit, np.array([begin + 1.0]), reading)[..., 0] - at_begin
    slope = slope + extra["after"].to_numpy()
    since = _drift_since(fit, benchmark, begin)
    gap = target.to_numpy() - at_begin - since
    with np.errstate(divide="ignore", invalid="ignore"):
        wait = np.where(slope > 0, gap / slope, np.where(gap <= 0, 0.0, np.inf))
    wait = np.where(np.isposinf(target.to_numpy()), np.inf, np.where(gap <= 0, 0.0, wait))
    return draws["level"].copy(data=begin + wait).rename("date")


def _drift_since(fit: Fit, benchmark: str, time: float) -> np.ndarray:
    """Drift of a benchmark against the mean of all, from the origin to a time."""
    draws = fit.posterior
    total = np.zeros(draws["level"].shape)
    if "drift_before" in draws:
        total = total + draws["drift_before"].sel(benchmark=benchmark).to_numpy() * time
    if "drift_change" in draws:
        change = draws["drift_change"].sel(benchmark=benchmark).to_numpy()
        total = total + change * np.maximum(time - fit.observed.bend_time[0], 0.0)
    return total


def forecast_summary(
    fit: Fit,
    params: float,
    benchmark: str,
    score: float,
    ci: float = CI,
    reading: Reading = "frontier",
) -> dict[str, Any]:
    """Forecast as calendar dates: median and interval, P(never), P(already reached)."""
    years = forecast_date(fit, params, benchmark, score, reading)
    summary = estimate(years, "date", ci, mean=False)
    last = float(fit.observed.time.max())
    for name in ("median", "lower", "upper"):
        value = summary[name]
        if value is not None:
            distant = value > 200.0
            summary[name] = None if distant else date_of(value).date().isoformat()
            if distant:
                summary[f"{name}_unbounded"] = True
    return summary | {
        "params": params,
        "benchmark": benchmark,
        "score": score,
        "reading": reading,
        "p_reached": probability(years <= last),
        "p_never": probability(np.isinf(years)),
        "last_datum": date_of(last).date().isoformat(),
    }
