"""Growth, doubling times and the frontier from posterior draws.

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

from densing_bayes.inputs.dates import DAYS_PER_YEAR, date_of, years_since_origin
from densing_bayes.joint import laws
from densing_bayes.joint.line import (
    Line,
    continued,
    drawn_line,
    line_slope,
    line_value,
    wandering,
)
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.estimates import SAMPLE, check_choice, draws_of, of_prior
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.walks import walk_on

Reading = Literal["frontier", "mean", "p95", "best"]
READINGS: tuple[Reading, ...] = ("frontier", "mean", "p95", "best")
ESTIMANDS = ("these benchmarks", "benchmarks in general", "new benchmark")
BEST_WINDOW_DAYS = 182  # the window of the "best" reading


def line_of(fit: Fit, group: str = "posterior") -> Line:
    """The trend line of a fit; entries have dims (chain, draw) and a last axis for the time.

    A growth rate that takes a random walk goes on walking past the last datum, each draw by
    numbers of its own, the same in every call.
    """
    key = "line", of_prior(group)
    if key not in fit.kept:
        fit.kept[key] = _line(fit, group)
    line: Line = fit.kept[key]
    return line


def _line(fit: Fit, group: str) -> Line:
    draws = draws_of(fit, group)
    names = ("level", "growth_before", "growth_change", "level_change", "change_time",
             "growth_step", "growth_at_origin", "decay", "slope_step", "level_step")  # fmt: skip
    arrays = {
        name: draws[name].transpose(*SAMPLE, ...).to_numpy() for name in names if name in draws
    }
    line = drawn_line(fit.spec.trend, fit.observed, arrays)
    line = wandering(line, fit.observed.walk_edges, arrays)
    last = float(fit.observed.time.max())

    def spread(name: str) -> Floats:
        return np.asarray(draws[name].transpose(*SAMPLE).to_numpy())

    walks = []
    for walk in line.walks:
        if walk.level is None:
            walks.append(continued(walk, last, spread("growth_step_spread")))
        else:
            spreads = spread("slope_step_spread"), spread("level_step_spread")
            tails = fit.spec.trend.walk.tails if fit.spec.trend.walk else None
            walks.append(continued(walk, last, *spreads, tails))
    return line._replace(walks=walks)


def _walked(fit: Fit, benchmark: str, part: str, group: str) -> Floats:
    """Mean rate at which a benchmark has walked off the trend in a stretch of growth, 1/day."""
    shape = draws_of(fit, group)["level"].shape
    if fit.spec.density.walk is None:
        return np.zeros(shape)
    begin, end = growth_stretches(fit, group)[part]
    at = [np.broadcast_to(time, shape)[..., None] for time in (begin, end)]
    rise = walk_on(fit, benchmark, at[1], group) - walk_on(fit, benchmark, at[0], group)
    return np.asarray(rise[..., 0] / (end - begin) / DAYS_PER_YEAR)


def size_slope(fit: Fit, group: str = "posterior") -> Floats:
    """Slope s of log density in log params at one date, shape (chain, draw); 0 without one."""
    draws = draws_of(fit, group)
    return _scale(draws.transpose(*SAMPLE, ...), "size_slope", draws["level"].shape)


def growth_rate(
    fit: Fit, dates: Sequence[Any] | pd.DatetimeIndex, group: str = "posterior"
) -> xr.DataArray:
    """Growth rate of the frontier, d ln(density)/dt, at dates.

    Under a trend that wanders this is the underlying rate, at which the frontier is expected to go
    on from that date, without the steps that its level takes.

    Returns
    -------
    xarray.DataArray
        1/day, dims (chain, draw, date).
    """
    stamps = pd.DatetimeIndex(pd.to_datetime(list(dates)))
    time = np.array([years_since_origin(stamp) for stamp in stamps])
    level = draws_of(fit, group)["level"].transpose(*SAMPLE)
    rate = line_slope(line_of(fit, group), time, underlying=True) / DAYS_PER_YEAR
    return xr.DataArray(
        np.broadcast_to(rate, (*level.shape, len(time))),
        dims=(*SAMPLE, "date"),
        coords={**level.coords, "date": stamps},
        name="growth_rate",
    )


def growth(fit: Fit, group: str = "posterior") -> xr.Dataset:
    """Growth rate of the frontier before the first and after the last change of the trend.

    Under a trend that wanders these are the mean rates of the path that it has taken over two
    stretches of time, :func:`growth_stretches`. Where the rate of a line changes all along, they
    are those at the first and at the last release.

    Returns
    -------
    xarray.Dataset
        ``before``, ``after``, ``change`` in 1/day, dims (chain, draw).
    """
    if fit.spec.trend.walk is not None:
        return _over(fit, growth_stretches(fit, group), group)
    time = fit.observed.time
    rates = growth_rate(fit, [date_of(time.min()), date_of(time.max())], group)
    before, after = (rates.isel(date=i, drop=True) for i in (0, 1))
    return xr.Dataset({"before": before, "after": after, "change": after - before})


def growth_around(fit: Fit, date: Any, group: str = "posterior") -> xr.Dataset:
    """Growth rate of the frontier before and after a date, whatever the form of its trend.

    The mean rates from the first release to the date, and from there to the last release: one
    quantity, so that fits under different hypotheses can be averaged. A jump on the date is part
    of neither.

    Returns
    -------
    xarray.Dataset
        ``before``, ``after``, ``change`` in 1/day, dims (chain, draw).
    """
    return _over(fit, _stretches_around(fit, date), group)


def _stretches_around(fit: Fit, date: Any) -> dict[str, tuple[Any, Any]]:
    at, time = years_since_origin(date), fit.observed.time
    return {"before": (float(time.min()), at), "after": (at, float(time.max()))}


def _over(fit: Fit, stretches: dict[str, tuple[Any, Any]], group: str) -> xr.Dataset:
    before, after = (_mean_rate(fit, *stretch, group) for stretch in stretches.values())
    return xr.Dataset({"before": before, "after": after, "change": after - before})


def growth_stretches(fit: Fit, group: str = "posterior") -> dict[str, tuple[Any, Any]]:
    """Begin and end, in model time, of the stretches that growth "before" and "after" speak of.

    From the first release to the first change of the rate, and from its last change to the last
    release; without a change the first and the last year of the data. Shapes broadcast with
    (chain, draw): the date of a change may be one of each draw.
    """
    time, trend = fit.observed.time, fit.spec.trend
    first, last = float(time.min()), float(time.max())
    bends = [i for i, change in enumerate(trend.changes) if change.slope]
    if not bends:
        year = min(1.0, (last - first) / 2.0)
        return {"before": (first, first + year), "after": (last - year, last)}
    line = line_of(fit, group)
    begin, end = (np.asarray(line.bends[i][0]) for i in (0, -1))
    begin, end = (at if at.ndim == 0 else at[..., 0] for at in (begin, end))
    return {"before": (first, begin), "after": (end, last)}


def _mean_rate(fit: Fit, begin: Any, end: Any, group: str) -> xr.DataArray:
    """Mean slope of the line between two times, 1/day, dims (chain, draw).

    A jump at the end, like one at the beginning, is no growth in between.
    """
    level = draws_of(fit, group)["level"].transpose(*SAMPLE)
    line = line_of(fit, group)
    ends = begin, np.nextafter(end, -np.inf)
    at = [np.broadcast_to(time, level.shape)[..., None] for time in ends]
    rise = (line_value(line, at[1]) - line_value(line, at[0]))[..., 0]
    rate = rise / (end - begin) / DAYS_PER_YEAR
    return level.copy(data=rate).rename("growth_rate")


def estimand_growth(
    fit: Fit, group: str = "posterior", seed: int = 0, around: Any = None
) -> xr.Dataset:
    """Growth rate of the mean of these benchmarks, of benchmarks in general, and of a new one.

    Before and after the change of the trend, or as of :func:`growth_around` a date.

    The drifts of K benchmarks have the spread sigma and sum to zero, so the line of the fit is the
    mean of these K. They are a sample: the mean of all benchmarks differs from theirs by a normal
    deviate of variance sigma^2 / K, and one not yet seen by another, of variance sigma^2 more.

    Returns
    -------
    xarray.Dataset
        ``before``, ``after``, ``change`` in 1/day, dims (chain, draw, estimand), labels
        :data:`ESTIMANDS`. All three are the same without drifts of benchmarks.
    """
    if around is None:
        mean, stretches = growth(fit, group), growth_stretches(fit, group)
    else:
        stretches = _stretches_around(fit, around)
        mean = _over(fit, stretches, group)
    draws = draws_of(fit, group)
    count, shape = len(fit.observed.benchmarks), mean["before"].shape
    random = np.random.default_rng(seed)

    def apart(sigma: Floats) -> Floats:
        """Distance of each estimand from the mean of these benchmarks, 1/day."""
        general = sigma / np.sqrt(count) * random.standard_normal(shape)
        new = general + sigma * random.standard_normal(shape)
        return np.stack([np.zeros(shape), general, new], axis=-1) / DAYS_PER_YEAR

    before, change = (
        apart(_scale(draws.transpose(*SAMPLE, ...), f"drift_spread_{part}", shape))
        for part in ("before", "change")
    )
    if fit.spec.density.walk is not None:  # walks of benchmarks over the two stretches
        spread = draws["benchmark_step_spread"].transpose(*SAMPLE).to_numpy()
        first, second = (apart(spread / np.sqrt(end - begin)) for begin, end in stretches.values())
        before, change = before + first, change + second - first
    dims = (*SAMPLE, "estimand")
    result = xr.Dataset(
        {"before": (dims, before), "change": (dims, change)},
        coords={**mean.coords, "estimand": list(ESTIMANDS)},
    )
    result["before"] = result["before"] + mean["before"]
    result["change"] = result["change"] + mean["change"]
    result["after"] = result["before"] + result["change"]
    return result


def benchmark_growth(fit: Fit, group: str = "posterior", seed: int = 0) -> xr.Dataset:
    """Growth rate as each benchmark shows it, and as a benchmark not yet seen would.

    Returns
    -------
    xarray.Dataset
        ``before``, ``after``, ``change`` in 1/day, dims (chain, draw, benchmark); the last label
        is "new benchmark", as of :func:`estimand_growth`.
    """
    mean = growth(fit, group)
    draws = draws_of(fit, group)
    benchmarks = list(fit.observed.benchmarks)
    shape = (*mean["before"].shape, len(benchmarks))

    def drift(name: str) -> np.ndarray:
        if name not in draws:
            return np.zeros(shape)
        values = draws[name].transpose(*SAMPLE, "benchmark").to_numpy()
        return np.asarray(values / DAYS_PER_YEAR)

    dims = (*SAMPLE, "benchmark")
    each = xr.Dataset(
        {"before": (dims, drift("drift_before")), "change": (dims, drift("drift_change"))},
        coords={**mean.coords, "benchmark": benchmarks},
    )
    walked = {
        part: (dims, np.stack([_walked(fit, name, part, group) for name in benchmarks], axis=-1))
        for part in ("before", "after")
    }
    apart = xr.Dataset(walked, coords=each.coords)
    each["before"] = each["before"] + mean["before"] + apart["before"]
    each["change"] = each["change"] + mean["change"] + apart["after"] - apart["before"]
    each["after"] = each["before"] + each["change"]
    new = estimand_growth(fit, group, seed).sel(estimand="new benchmark", drop=True)
    return xr.concat([each, new.expand_dims(benchmark=["new benchmark"])], "benchmark").transpose(
        *dims
    )


def doubling_time(rate: xr.DataArray) -> xr.DataArray:
    """Doubling time ln 2 / A in days of a rate in 1/day; infinite where the rate is <= 0."""
    return rate.copy(data=laws.doubling_time(rate.to_numpy()))


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
    edge = line_at(fit, time, reading, group)
    level = draws_of(fit, group)["level"]
    return xr.DataArray(
        edge, dims=(*SAMPLE, "date"), coords={**level.coords, "date": stamps}, name=reading
    )


def line_at(fit: Fit, time: np.ndarray, reading: Reading, group: str = "posterior") -> np.ndarray:
    """Log density of a reading at model times, shape (chain, draw, time).

    Times are common to all draws, or have the shape (chain, draw, time).
    """
    edge = line_value(line_of(fit, group), time)
    return np.asarray(edge + _below_edge(fit, time, reading, group))


def is_straight(fit: Fit, reading: Reading, group: str = "posterior") -> bool:
    """Whether a reading is straight between the changes of the trend."""
    check_choice("reading", reading, READINGS)
    drifts = "shortfall_growth" in draws_of(fit, group) and reading != "frontier"
    return fit.spec.trend.saturation is None and not drifts


def _below_edge(fit: Fit, time: np.ndarray, reading: Reading, group: str) -> np.ndarray:
    """Distance of a reading from F(t), shape (chain, draw, time or 1)."""
    check_choice("reading", reading, READINGS)
    draws = draws_of(fit, group)
    shape = draws["level"].shape
    if reading == "frontier":
        return np.zeros((*shape, 1))
    shortfall = _scale(draws, "shortfall_spread", shape)[..., None] * np.ones(time.shape[-1])
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
