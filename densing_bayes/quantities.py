"""From posterior draws to answers: growth, doubling times, densities, frontier, shelf lives.

Every quantity is an xarray object that keeps its draws, dims (chain, draw, ...). Rates are per
day, doubling times and shelf lives in days; infinity stands for "never", so that quantiles of
such a time follow from those of the rate, and no mean of it is taken. ``group="prior"`` gives
the same quantity under the prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logit

from densing_bayes import laws
from densing_bayes.errors import DensingError
from densing_bayes.fitting import CI, Fit
from densing_bayes.observations import DAYS_PER_YEAR, date_of, years_since_origin

Reading = Literal["frontier", "mean", "p95", "best"]
READINGS: tuple[Reading, ...] = ("frontier", "mean", "p95", "best")
SAMPLE = ("chain", "draw")
BEST_WINDOW_DAYS = 182  # the window of the "best" reading


def estimate(
    draws: xr.DataArray | np.ndarray, unit: str, ci: float = CI, *, mean: bool = True
) -> dict[str, Any]:
    """Summary of draws of one scalar: mean, median and equal-tailed interval.

    Parameters
    ----------
    draws
        Draws of a scalar; infinity is allowed and gives an unbounded limit.
    unit
        Unit of the draws, written into the result.
    ci
        Probability of the interval.
    mean
        Give the mean; no for doubling times, ratios and shelf lives.

    Returns
    -------
    dict
        ``mean`` (None if not asked for), ``median``, ``lower``, ``upper``, ``ci``, ``unit``; a
        limit at infinity is None, with ``lower_unbounded`` or ``upper_unbounded`` true.
    """
    _check_ci(ci)
    values = np.ravel(draws)
    tail = (1.0 - ci) / 2.0
    lower, median, upper = np.quantile(values, [tail, 0.5, 1.0 - tail], method="inverted_cdf")
    if np.isfinite(values).all():
        lower, median, upper = np.quantile(values, [tail, 0.5, 1.0 - tail])
    result: dict[str, Any] = {"mean": float(values.mean()) if mean else None}
    for name, value in (("median", median), ("lower", lower), ("upper", upper)):
        result[name] = float(value) if np.isfinite(value) else None
        if not np.isfinite(value):
            result[f"{name}_unbounded"] = True
    return result | {"ci": ci, "unit": unit}


def _check_ci(ci: float) -> None:
    if not 0.0 < ci < 1.0:
        raise DensingError(f"ci = {ci} is not a probability; use for instance 0.95")


def probability(event: Any) -> float:
    """Share of draws in which an event holds."""
    return float(np.mean(event))


# Growth ------------------------------------------------------------------------------------------


def _draws(fit: Fit, group: str) -> xr.Dataset:
    return fit.posterior if group == "posterior" else fit.prior


def _slopes(fit: Fit, group: str) -> tuple[xr.DataArray, list[float], np.ndarray]:
    """Growth rate per year before any change, times of the slope changes, and the changes."""
    draws = _draws(fit, group)
    before = draws["growth_before"]
    times = [
        float(at)
        for at, change in zip(fit.observed.change_time, fit.spec.trend.changes, strict=True)
        if change.slope
    ]
    if not times:
        return before, [], np.zeros((*before.shape, 0))
    return before, times, draws["growth_change"].transpose(*SAMPLE, ...).to_numpy()


def growth(fit: Fit, group: str = "posterior") -> xr.Dataset:
    """Growth rate of the frontier, d ln(density)/dt, before the first and after the last change.

    Returns
    -------
    xarray.Dataset
        ``before``, ``after``, ``change`` in 1/day, dims (chain, draw).
    """
    before, _, changes = _slopes(fit, group)
    before = before / DAYS_PER_YEAR
    change = before.copy(data=changes.sum(axis=-1) / DAYS_PER_YEAR)
    return xr.Dataset({"before": before, "after": before + change, "change": change})


def benchmark_growth(fit: Fit, group: str = "posterior", seed: int = 0) -> xr.Dataset:
    """Growth rate as each benchmark shows it, and as a benchmark not yet seen would.

    Returns
    -------
    xarray.Dataset
        ``before``, ``after``, ``change`` in 1/day, dims (chain, draw, benchmark); the last label
        is "new benchmark": the mean over benchmarks plus a fresh drift.
    """
    mean = growth(fit, group)
    draws = _draws(fit, group)
    benchmarks = list(fit.observed.benchmarks)
    labels = [*benchmarks, "new benchmark"]
    count, shape = len(benchmarks), mean["before"].shape
    random = np.random.default_rng(seed)

    def drift(name: str, spread: str) -> np.ndarray:
        if name not in draws:
            return np.zeros((*shape, count + 1))
        known = draws[name].transpose(*SAMPLE, ..., "benchmark").to_numpy()
        known = known.sum(axis=2) if known.ndim == 4 else known
        # Drifts sum to zero over K benchmarks: a fresh one scatters about their mean with the
        # standard deviation that gives K of them, centred, the variance of the known ones.
        fresh = random.standard_normal(shape) * draws[spread].to_numpy()
        return np.concatenate([known, fresh[..., None]], axis=-1) / DAYS_PER_YEAR

    before = drift("drift_before", "drift_spread_before")
    change = drift("drift_change", "drift_spread_change")
    dims = (*SAMPLE, "benchmark")
    result = xr.Dataset(
        {"before": (dims, before), "change": (dims, change)},
        coords={**mean.coords, "benchmark": labels},
    )
    result["before"] = result["before"] + mean["before"]
    result["change"] = result["change"] + mean["change"]
    result["after"] = result["before"] + result["change"]
    return result


def doubling_time(rate: xr.DataArray) -> xr.DataArray:
    """Doubling time ln 2 / A in days of a rate in 1/day; infinite where the rate is <= 0."""
    return rate.copy(data=laws.doubling_time(rate.to_numpy()))


# Frontier ----------------------------------------------------------------------------------------


def frontier(
    fit: Fit,
    dates: Sequence[Any] | pd.DatetimeIndex,
    reading: Reading = "frontier",
    group: str = "posterior",
) -> xr.DataArray:
    """Log density that the best systems reach at dates.

    Parameters
    ----------
    fit
        A fit.
    dates
        Calendar dates.
    reading
        "frontier" (F, the upper edge of the trend), "mean" (of the densities at a date), "p95"
        (their 95th percentile), or "best" (expected best of the releases of half a year).
    group
        "posterior" or "prior".

    Returns
    -------
    xarray.DataArray
        ln(density), dims (chain, draw, date).
    """
    stamps = pd.DatetimeIndex(pd.to_datetime(list(dates)))
    time = np.array([years_since_origin(stamp) for stamp in stamps])
    edge = _edge(fit, time, group) + _below_edge(fit, time, reading, group)
    level = _draws(fit, group)["level"]
    return xr.DataArray(
        edge, dims=(*SAMPLE, "date"), coords={**level.coords, "date": stamps}, name=reading
    )


def _edge(fit: Fit, time: np.ndarray, group: str) -> np.ndarray:
    """F(t), shape (chain, draw, time)."""
    draws = _draws(fit, group)
    before, times, changes = _slopes(fit, group)
    edge = draws["level"].to_numpy()[..., None] + before.to_numpy()[..., None] * time
    for i, at in enumerate(times):
        edge = edge + changes[..., i, None] * np.maximum(time - at, 0.0)
    levels = [
        at
        for at, change in zip(fit.observed.change_time, fit.spec.trend.changes, strict=True)
        if change.level
    ]
    if levels:
        jumps = draws["level_change"].transpose(*SAMPLE, ...).to_numpy()
        for i, at in enumerate(levels):
            edge = edge + jumps[..., i, None] * (time >= at)
    return edge


def _below_edge(fit: Fit, time: np.ndarray, reading: Reading, group: str) -> np.ndarray:
    """Distance of a reading from F(t), shape (chain, draw, time or 1)."""
    if reading not in READINGS:
        raise DensingError(f"no reading '{reading}'; use one of {', '.join(READINGS)}")
    draws = _draws(fit, group)
    shape = draws["level"].shape
    if reading == "frontier":
        return np.zeros((*shape, 1))
    shortfall = _scale(draws, "shortfall_spread", shape)[..., None] * np.ones(len(time))
    if "shortfall_growth" in draws:
        shortfall = shortfall * np.exp(draws["shortfall_growth"].to_numpy()[..., None] * time)
    if reading == "mean":
        return -shortfall * np.sqrt(2.0 / np.pi)
    constant = "shortfall_growth" not in draws
    shortfall = shortfall[..., :1] if constant else shortfall
    # Monte Carlo with common random numbers: scatter of releases about the edge.
    normal = np.sqrt(
        _scale(draws, "system_spread", shape) ** 2
        + _scale(draws, "organisation_spread", shape) ** 2
        + _scale(draws, "release_spread", shape) ** 2
    )
    random = np.random.default_rng(20221130)
    count = _releases_per_window(fit)
    rounds = 400 if reading == "p95" else -(-1200 // count)
    below = np.abs(random.standard_normal((rounds, count if reading == "best" else 1)))
    about = random.standard_normal(below.shape)
    result = np.empty(shortfall.shape)
    for index in np.ndindex(shortfall.shape):
        scatter = normal[index[:2]] * about - shortfall[index] * below
        result[index] = (
            np.quantile(scatter, 0.95) if reading == "p95" else scatter.max(axis=1).mean()
        )
    return result


def _scale(draws: xr.Dataset, name: str, shape: tuple[int, ...]) -> np.ndarray:
    return draws[name].to_numpy() if name in draws else np.zeros(shape)


def _releases_per_window(fit: Fit) -> int:
    """Releases of the last window of the data, at least one."""
    times = fit.observed.release_time
    return max(1, int(np.sum(times > times.max() - BEST_WINDOW_DAYS / DAYS_PER_YEAR)))


# Systems -----------------------------------------------------------------------------------------


def densities(fit: Fit, group: str = "posterior") -> xr.Dataset:
    """Density, rank (1 is the densest) and effective params of every system.

    Returns
    -------
    xarray.Dataset
        ``log_density``, ``density``, ``rank``, ``effective_params``, dims (chain, draw, system).
    """
    log_density = _draws(fit, group)["log_density"].transpose(*SAMPLE, "system")
    order = np.argsort(np.argsort(-log_density.to_numpy(), axis=-1), axis=-1) + 1
    size = xr.DataArray(np.exp(fit.observed.log_params), dims="system")
    density = np.exp(log_density)
    return xr.Dataset(
        {
            "log_density": log_density,
            "density": density,
            "rank": log_density.copy(data=order),
            "effective_params": density * size,
        }
    )


def unreachable(fit: Fit) -> xr.DataArray:
    """P(no finite Neff): share of draws in which a cell's score lies above what any size reaches.

    The score of a reference model of infinite size on D0 tokens is the asymptote of its curve.

    Returns
    -------
    xarray.DataArray
        Probability per cell; 0 for directly linked benchmarks below their ceiling.
    """
    observed, draws = fit.observed, fit.posterior
    k = observed.cell_benchmark
    ceiling = draws["ceiling"].transpose(*SAMPLE, "benchmark").to_numpy()
    limit = ceiling[..., k].copy()
    split = observed.loss_cells
    if split:
        law = {
            name: draws[name].transpose(*SAMPLE, "loss_benchmark").to_numpy()
            for name in (
                "irreducible_loss",
                "tokens_loss",
                "tokens_exponent",
                "steepness",
                "midpoint",
            )
        }
        loss = law["irreducible_loss"] + law["tokens_loss"] * np.exp(
            -law["tokens_exponent"] * observed.log_reference_tokens
        )
        z = law["steepness"] * (law["midpoint"] - loss)
        loss_linked = z.shape[-1]
        floor = draws["floor"].transpose(*SAMPLE, "benchmark").to_numpy()[..., :loss_linked]
        top = laws.sigmoid_score(z, floor, ceiling[..., :loss_linked])
        limit[..., :split] = top[..., k[:split]]
    share = np.mean(observed.score > limit, axis=(0, 1))
    return xr.DataArray(share, dims="cell", coords={"cell": list(observed.cell_label)})


def density_table(fit: Fit, ci: float = CI) -> pd.DataFrame:
    """Densities, ranks and effective params of all systems, densest first.

    Returns
    -------
    pandas.DataFrame
        Index ``system``; release date, params, ``density``, ``rank`` and ``effective_params``
        (median, ``_lower``, ``_upper``), ``in_range`` (Neff inside the sizes of the reference
        runs), ``p_no_finite`` (largest over the system's benchmarks).
    """
    _check_ci(ci)
    observed = fit.observed
    values = densities(fit)
    tail = (1.0 - ci) / 2.0
    columns: dict[str, Any] = {
        "organisation": [observed.organisations[i] for i in observed.system_organisation],
        "release_date": [date_of(t).date() for t in observed.time],
        "params": np.exp(observed.log_params),
    }
    for name in ("density", "rank", "effective_params"):
        lower, median, upper = np.quantile(values[name], [tail, 0.5, 1 - tail], axis=(0, 1))
        columns |= {name: median, f"{name}_lower": lower, f"{name}_upper": upper}
    sizes = observed.centre_params * np.exp(
        np.r_[observed.loss_log_params, observed.reference_log_params]
    )
    columns["in_range"] = (columns["effective_params"] >= sizes.min()) & (
        columns["effective_params"] <= sizes.max()
    )
    worst = np.zeros(len(observed.systems))
    np.maximum.at(worst, observed.cell_system, unreachable(fit).to_numpy())
    columns["p_no_finite"] = worst
    table = pd.DataFrame(columns, index=pd.Index(observed.systems, name="system"))
    return table.sort_values("density", ascending=False)


def frontier_shelf_life(fit: Fit, kappa: float = 2.0, group: str = "posterior") -> xr.DataArray:
    """Shelf life in days of a system on the frontier after the last change: ln(kappa) / A."""
    _check_kappa(kappa)
    return doubling_time(growth(fit, group)["after"]) * (np.log(kappa) / np.log(2.0))


def shelf_life(
    fit: Fit,
    systems: Sequence[str] | None = None,
    kappa: float = 2.0,
    reading: Reading = "frontier",
) -> xr.DataArray:
    """Days from a system's release until the frontier matches it with 1/kappa of its params.

    Parameters
    ----------
    fit
        A fit.
    systems
        Names of systems; all by default.
    kappa
        Factor by which the successor is smaller, above 1.
    reading
        Which line has to reach the system, as in :func:`frontier`.

    Returns
    -------
    xarray.DataArray
        Days, dims (chain, draw, system): 0 where the line had passed at release, infinity where
        it never arrives. A change of the trend during the life is integrated.
    """
    _check_kappa(kappa)
    observed = fit.observed
    rows = _rows(fit, systems)
    target = fit.posterior["log_density"].transpose(*SAMPLE, "system").to_numpy()[..., rows]
    target = target + np.log(kappa)
    start = observed.time[rows]
    arrival = _arrival(fit, target, start, reading)
    days = np.maximum(arrival - start, 0.0) * DAYS_PER_YEAR
    return xr.DataArray(
        days,
        dims=(*SAMPLE, "system"),
        coords={**fit.posterior["level"].coords, "system": [observed.systems[i] for i in rows]},
    )


def _arrival(fit: Fit, target: np.ndarray, start: np.ndarray, reading: Reading) -> np.ndarray:
    """First time, in years and not before ``start``, at which a reading reaches ``target``.

    Between changes the line is straight, so each stretch is solved in closed form.
    """
    knots = np.sort(fit.observed.change_time)
    arrival = np.full(target.shape, np.inf)
    for begin, end in zip([-np.inf, *knots], [*knots, np.inf], strict=True):
        left = np.maximum(start, begin)
        right = left + 1.0 if np.isinf(end) else np.nextafter(end, -np.inf)
        value = _values_at(fit, left, reading)
        width = right - left
        slope = (_values_at(fit, np.broadcast_to(right, left.shape), reading) - value) / np.where(
            width == 0, 1.0, width
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            wait = np.where(value >= target, 0.0, (target - value) / slope)
        wait = np.where((value < target) & ~(slope > 0), np.inf, wait)
        reached = (left + wait < end) & (left < end)
        arrival = np.where(reached & np.isinf(arrival), left + wait, arrival)
    return arrival


def _values_at(fit: Fit, time: np.ndarray, reading: Reading) -> np.ndarray:
    return _edge(fit, time, "posterior") + _below_edge(fit, time, reading, "posterior")


def _check_kappa(kappa: float) -> None:
    if not (np.isfinite(kappa) and kappa > 1.0):
        raise DensingError(f"kappa = {kappa} must be above 1: the successor has 1/kappa the params")


def _rows(fit: Fit, systems: Sequence[str] | None) -> list[int]:
    if systems is None:
        return list(range(len(fit.observed.systems)))
    from difflib import get_close_matches

    rows = []
    for name in systems:
        if name not in fit.observed.systems:
            close = get_close_matches(name, fit.observed.systems, n=3)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise DensingError(f"no system '{name}' in this fit{hint}")
        rows.append(fit.observed.systems.index(name))
    return rows


def shelf_life_table(
    fit: Fit,
    systems: Sequence[str] | None = None,
    kappa: float = 2.0,
    ci: float = CI,
    reading: Reading = "frontier",
) -> pd.DataFrame:
    """Shelf lives in days with intervals, P(already passed at release) and P(never)."""
    draws = shelf_life(fit, systems, kappa, reading)
    rows = []
    for name in draws["system"].to_numpy():
        values = draws.sel(system=name)
        summary = estimate(values, "days", ci, mean=False)
        rows.append(
            {
                "system": name,
                "release_date": date_of(fit.observed.time[fit.observed.systems.index(name)]).date(),
                "median": summary["median"],
                "lower": summary["lower"],
                "upper": summary["upper"],
                "upper_unbounded": summary.get("upper_unbounded", False),
                "p_passed": probability(values == 0),
                "p_never": probability(np.isinf(values)),
            }
        )
    return pd.DataFrame(rows).set_index("system")


# Forecast ----------------------------------------------------------------------------------------


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
    at_begin = _values_at(fit, np.array([begin]), reading)[..., 0]
    slope = _values_at(fit, np.array([begin + 1.0]), reading)[..., 0] - at_begin
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
        change = draws["drift_change"].sel(benchmark=benchmark).transpose(*SAMPLE, ...).to_numpy()
        _, times, _ = _slopes(fit, "posterior")
        total = total + change @ np.maximum(time - np.array(times), 0.0)
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


# Headline ----------------------------------------------------------------------------------------


def trend_summary(fit: Fit, ci: float = CI) -> dict[str, Any]:
    """The trend in numbers: growth, change, doubling times, readings, prior and provenance.

    Growth rates are of the mean over benchmarks; ``by_benchmark`` gives each one and a new one.
    """
    rates = growth(fit)
    result = _growth_summary(rates, ci)
    each = benchmark_growth(fit)
    result["by_benchmark"] = {
        str(name): _growth_summary(each.sel(benchmark=name), ci)
        for name in each["benchmark"].to_numpy()
    }
    life = frontier_shelf_life(fit)
    result["shelf_life_days"] = estimate(life, "days", ci, mean=False) | {
        "kappa": 2.0,
        "p_never": probability(np.isinf(life)),
    }
    last = date_of(fit.observed.time.max())
    result["density_at_last_release"] = {"date": last.date().isoformat()} | {
        reading: estimate(np.exp(frontier(fit, [last], reading)), "1", ci) for reading in READINGS
    }
    result["counts"] = fit.observed.counts().to_dict(orient="index")
    result["prior"] = _growth_summary(growth(fit, "prior"), ci) | {
        "shelf_life_days": estimate(frontier_shelf_life(fit, group="prior"), "days", ci, mean=False)
    }
    result["diagnostics"] = fit.diagnostics
    result["provenance"] = fit.provenance
    return result


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
