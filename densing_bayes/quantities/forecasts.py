"""Forecasts: when a system of some size reaches a score, what size does at a date, what it scores.

Three answers of one curve: the line of a benchmark over dates, log Neff of a system of N params,
and the score of the reference family at that Neff. The curve ends at a score that no size reaches
(:func:`score_limit`); how likely a score is to lie above it is said apart from every date.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logit

from densing_bayes.errors import DensingError
from densing_bayes.inputs.dates import years_since_origin
from densing_bayes.joint import laws
from densing_bayes.joint.line import knots
from densing_bayes.joint.tails import standard
from densing_bayes.posterior.estimates import SAMPLE
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.growth import (
    Reading,
    is_straight,
    line_at,
    line_of,
    size_slope,
)
from densing_bayes.quantities.walks import drift_on

HORIZON = 20.0  # years for which a line that curves is followed
STEP = 0.1  # years between the points of such a line


# The curve of a benchmark ------------------------------------------------------------------------


def params_needed(fit: Fit, benchmark: str, score: float) -> xr.DataArray:
    """Effective params at which the reference family reaches a score on a benchmark.

    Returns
    -------
    xarray.DataArray
        ln(Neff), dims (chain, draw); infinite where no size reaches the score.
    """
    observed, draws = fit.observed, fit.posterior
    _check_benchmark(fit, benchmark)
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


def score_limit(fit: Fit, benchmark: str) -> xr.DataArray:
    """Score that no size reaches: of a reference model of infinite size trained on D0 tokens.

    Returns
    -------
    xarray.DataArray
        Score, dims (chain, draw). Below the ceiling of the curve where D0 tokens leave loss.
    """
    _check_benchmark(fit, benchmark)
    return _as_draws(fit, _expected_score(fit, benchmark, np.array([np.inf]))[..., 0])


def reference_logit(
    fit: Fit, benchmark: str, log_effective_params: np.ndarray, of: Callable[..., np.ndarray]
) -> np.ndarray:
    """Logit of the score, from floor to ceiling, of reference models of some ln Neff on D0 tokens.

    ``of(name, dim=benchmark)`` gives the draws of a parameter in a shape that broadcasts with
    ``log_effective_params``.
    """
    observed = fit.observed
    n = log_effective_params - np.log(observed.centre_params)
    d = observed.log_reference_tokens
    if benchmark in observed.loss_benchmarks:
        own = {"loss_benchmark": benchmark}
        names = (
            "irreducible_loss",
            "params_loss",
            "params_exponent",
            "tokens_loss",
            "tokens_exponent",
        )
        loss = laws.scaling_loss(n, d, *(of(name, **own) for name in names))
        return np.asarray(of("steepness", **own) * (of("midpoint", **own) - loss))
    own = {"direct_benchmark": benchmark}
    ability = laws.ability(n, d, of("token_elasticity", **own))
    return np.asarray(of("discrimination", **own) * (ability - of("difficulty", **own)))


def _expected_score(fit: Fit, benchmark: str, log_effective_params: np.ndarray) -> np.ndarray:
    """Score of the reference family at log Neff, shape (chain, draw, point)."""
    draws = fit.posterior

    def of(name: str, **where: str) -> np.ndarray:
        return np.asarray(draws[name].sel(where).transpose(*SAMPLE).to_numpy()[..., None])

    z = reference_logit(fit, benchmark, log_effective_params, of)
    floor, ceiling = of("floor", benchmark=benchmark), of("ceiling", benchmark=benchmark)
    return np.asarray(laws.sigmoid_score(z, floor, ceiling), dtype=float)


# The line of a benchmark -------------------------------------------------------------------------


def _line_on(fit: Fit, benchmark: str, time: np.ndarray, reading: Reading) -> np.ndarray:
    """Log density as a benchmark shows it, at the mean size, shape (chain, draw, time)."""
    draws = fit.posterior
    line = line_at(fit, time, reading)
    offset = draws["format_offset"].sel(benchmark=benchmark).transpose(*SAMPLE).to_numpy()
    line = line + offset[..., None]
    line = line + drift_on(fit, benchmark, time)
    return np.asarray(line)


def _effective(
    fit: Fit, benchmark: str, time: np.ndarray, params: float, reading: Reading
) -> np.ndarray:
    """Log Neff of a system of so many params on a reading, shape (chain, draw, time)."""
    log_params = np.log(params)
    size = size_slope(fit) * (log_params - fit.observed.mean_log_params)
    return _line_on(fit, benchmark, time, reading) + size[..., None] + log_params


# Answers -----------------------------------------------------------------------------------------


def forecast_date(
    fit: Fit, params: float, benchmark: str, score: float, reading: Reading = "frontier"
) -> xr.DataArray:
    """Date at which a system of ``params`` on the frontier reaches a score, in model years.

    The frontier of that benchmark: its own format offset and drift are added, and the size slope.
    Where the score is already reached this is the date of the last datum.

    Returns
    -------
    xarray.DataArray
        Years since 2022-11-30, dims (chain, draw); infinite where that never happens.
        :func:`forecast_summary` turns it into calendar dates.
    """
    _check_params(params)
    target = params_needed(fit, benchmark, score).transpose(*SAMPLE).to_numpy()
    time, goes_on = _course(fit, reading)
    return _as_draws(fit, _crossing(fit, params, benchmark, target, time, goes_on, reading), "date")


def _course(fit: Fit, reading: Reading) -> tuple[np.ndarray, bool]:
    """Times from the last datum on between which a reading is straight; whether it goes on so.

    A reading that curves is followed by chords.
    """
    begin, line = float(fit.observed.time.max()), line_of(fit)
    if not is_straight(fit, reading):
        return begin + np.arange(0.0, HORIZON + STEP, STEP), line.decay is None
    later = [float(at) for at in knots(line, begin) if np.ndim(at) == 0 and at > begin]
    drawn = max((float(np.max(at)) for at in knots(line, begin) if np.ndim(at)), default=begin)
    later += list(np.arange(begin + STEP, drawn + STEP, STEP))  # a bend at a date of each draw
    return np.array([begin, *sorted(later), max([begin, *later]) + 1.0]), True


def _crossing(
    fit: Fit,
    params: float,
    benchmark: str,
    target: np.ndarray,
    time: np.ndarray,
    goes_on: bool,
    reading: Reading,
) -> np.ndarray:
    """First time at which a system on a line reaches a target; the line is straight between times.

    The last stretch goes on for ever, or ends.
    """
    with np.errstate(invalid="ignore"):
        above = _effective(fit, benchmark, time, params, reading) - target[..., None]
    reached = above >= 0
    first = np.argmax(reached, axis=-1)
    before = np.maximum(first - 1, 0)
    right = np.take_along_axis(above, first[..., None], -1)[..., 0]
    left = np.take_along_axis(above, before[..., None], -1)[..., 0]
    width = time[first] - time[before]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(first > 0, left / (left - right), 0.0)
        found = time[before] + width * share
        slope = (above[..., -1] - above[..., -2]) / (time[-1] - time[-2])
        later = np.where(slope > 0, time[-1] - above[..., -1] / slope, np.inf)
    later = later if goes_on else np.full_like(found, np.inf)
    return np.asarray(np.where(reached.any(axis=-1), found, later))


def params_at(
    fit: Fit,
    dates: Any,
    benchmark: str,
    score: float,
    reading: Reading = "frontier",
) -> xr.DataArray:
    """Params that a system on the frontier needs for a score, at dates.

    Parameters
    ----------
    fit
        A fit.
    dates
        A date or several.
    benchmark, score
        What is to be reached.
    reading
        Which line the system lies on, as in :func:`densing_bayes.frontier`.

    Returns
    -------
    xarray.DataArray
        Count, dims (chain, draw, date): infinite where no size reaches the score, 0 where a
        system that knows nothing does.
    """
    needed = params_needed(fit, benchmark, score).transpose(*SAMPLE).to_numpy()[..., None]
    stamps, time = years_of(dates)
    slope = size_slope(fit)[..., None]
    line = _line_on(fit, benchmark, time, reading) - slope * fit.observed.mean_log_params
    # log Neff = (1 + slope) log N + line; where it falls with N no size helps.
    with np.errstate(divide="ignore", invalid="ignore"):
        log_params = np.where(slope > -1.0, (needed - line) / (1.0 + slope), np.inf)
    with np.errstate(over="ignore"):
        return _over_dates(fit, np.exp(log_params), stamps, "params")


def score_at(
    fit: Fit, dates: Any, params: float, benchmark: str, reading: Reading = "frontier"
) -> xr.DataArray:
    """Expected score of a system of ``params`` on the frontier, at dates.

    Parameters
    ----------
    fit
        A fit.
    dates
        A date or several.
    params
        Count.
    benchmark
        A benchmark of the fit.
    reading
        Which line the system lies on: "frontier", "mean", "p95" or "best".

    Returns
    -------
    xarray.DataArray
        Score, dims (chain, draw, date): of the line itself, see :func:`release_score_at` for a
        release that scatters about it.
    """
    _check_benchmark(fit, benchmark)
    _check_params(params)
    stamps, time = years_of(dates)
    neff = _effective(fit, benchmark, time, params, reading)
    return _over_dates(fit, _expected_score(fit, benchmark, neff), stamps, "score")


def release_score_at(
    fit: Fit, dates: Any, params: float, benchmark: str, seed: int = 0
) -> xr.DataArray:
    """Score of a new release of ``params`` by an organisation not seen yet, at dates.

    The predictive distribution: shortfall, effects of organisation and release, scatter of
    systems and of benchmarks, and the noise of a measurement are drawn anew at each date.

    Returns
    -------
    xarray.DataArray
        Score, dims (chain, draw, date).
    """
    _check_benchmark(fit, benchmark)
    _check_params(params)
    stamps, time = years_of(dates)
    draws = fit.posterior
    random = np.random.default_rng(seed)
    neff = _effective(fit, benchmark, time, params, "frontier")

    def spread(name: str) -> np.ndarray:
        if name not in draws:
            return np.zeros((*draws["level"].shape, 1))
        values = draws[name].sel(benchmark=benchmark) if "benchmark" in draws[name].dims else None
        values = draws[name] if values is None else values
        return np.asarray(values.transpose(*SAMPLE).to_numpy()[..., None])

    shortfall = spread("shortfall_spread")
    if "shortfall_growth" in draws:
        shortfall = shortfall * np.exp(spread("shortfall_growth") * time)
    neff = neff - shortfall * np.abs(random.standard_normal(neff.shape))
    for name in ("organisation_spread", "release_spread", "system_spread", "benchmark_spread",
                 "period_spread", "lean_spread", "release_lean_spread"):  # fmt: skip
        neff = neff + spread(name) * random.standard_normal(neff.shape)
    mean = _expected_score(fit, benchmark, neff)
    own = fit.observed.cell_benchmark == fit.observed.benchmarks.index(benchmark)
    items = float(np.median(fit.observed.cell_items[own]))
    sd = np.sqrt(laws.score_variance(mean, np.array(items), spread("protocol_noise")))
    error = standard(random, fit.spec.performance.score_tails, neff.shape)
    score = np.clip(mean + sd * error, 0.0, 1.0)
    return _over_dates(fit, score, stamps, "score")


# Checks and shapes -------------------------------------------------------------------------------


def _check_benchmark(fit: Fit, benchmark: str) -> None:
    if benchmark not in fit.observed.benchmarks:
        raise DensingError(
            f"no benchmark '{benchmark}' in this fit (it has {', '.join(fit.observed.benchmarks)})"
        )


def _check_params(params: float) -> None:
    if not (np.isfinite(params) and params >= 1e5):
        raise DensingError(f"params = {params:g} looks like billions; write a count such as 8e9")


def years_of(dates: Any) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """A date or several, as time stamps and as model times."""
    several = dates if isinstance(dates, list | tuple | np.ndarray | pd.Index) else [dates]
    try:
        stamps = pd.DatetimeIndex(pd.to_datetime(list(several)))
    except (ValueError, TypeError) as error:
        raise DensingError(f"'{dates}' is not a date; write it as 2025-12-31") from error
    if stamps.hasnans or not len(stamps):
        raise DensingError(f"'{dates}' is not a date; write it as 2025-12-31")
    return stamps, np.array([years_since_origin(stamp) for stamp in stamps])


def _as_draws(fit: Fit, values: np.ndarray, name: str | None = None) -> xr.DataArray:
    level = fit.posterior["level"].transpose(*SAMPLE)
    return level.copy(data=values).rename(name)


def _over_dates(fit: Fit, values: np.ndarray, stamps: pd.DatetimeIndex, name: str) -> xr.DataArray:
    coords = {**fit.posterior["level"].coords, "date": stamps}
    return xr.DataArray(values, dims=(*SAMPLE, "date"), coords=coords, name=name)
