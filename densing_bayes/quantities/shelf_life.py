"""Shelf lives: how long a system lasts until a smaller one matches it.

The frontier at N params is F(t) + s (ln N - mean): density depends on size. A successor of
N / kappa params therefore lies s ln(kappa) lower, besides being smaller by ln(kappa), and has as
many effective params once F has grown by (1 + s) ln(kappa).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.errors import DensingError, did_you_mean
from densing_bayes.inputs.dates import DAYS_PER_YEAR, date_of
from densing_bayes.joint.line import knots, line_slope
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.estimates import SAMPLE, draws_of, estimate, probability
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.growth import (
    Reading,
    doubling_time,
    growth,
    is_straight,
    line_at,
    line_of,
    size_slope,
)

HORIZON = 20.0  # years for which a line that levels off is followed along its curve


def frontier_shelf_life(fit: Fit, kappa: float = 2.0, group: str = "posterior") -> xr.DataArray:
    """Shelf life in days of a system on the frontier after the last change, or at the last release.

    (1 + s) ln(kappa) / A, with the size slope s of the fit; the doubling time of density at one
    size is ln(2) / A. Under a trend that wanders it is the time in which the path of each draw,
    continued beyond the last release, rises by (1 + s) ln(kappa).
    """
    _check_kappa(kappa)
    rise = rise_needed(fit, kappa, group)
    if fit.spec.trend.walk is not None:  # it goes on wandering
        last = fit.observed.time.max(keepdims=True)
        target = line_at(fit, last, "frontier", group) + rise[..., None]
        wait = line_arrival(fit, target, last, "frontier", group) - last
        level = draws_of(fit, group)["level"].transpose(*SAMPLE)
        return level.copy(data=DAYS_PER_YEAR * wait[..., 0]).rename("shelf_life")
    days = doubling_time(growth(fit, group)["after"])
    # where the smaller one is not worse at all, no rate is needed
    with np.errstate(invalid="ignore"):
        return days.copy(data=np.where(rise > 0, rise / np.log(2.0) * days.to_numpy(), 0.0))


def rise_needed(fit: Fit, kappa: float, group: str = "posterior") -> Floats:
    """Rise of the line after which 1/kappa of the params do: (1 + s) ln(kappa), (chain, draw)."""
    return (1.0 + size_slope(fit, group)) * np.log(kappa)


def shelf_life(
    fit: Fit,
    systems: Sequence[str] | None = None,
    kappa: float = 2.0,
    reading: Reading = "frontier",
) -> xr.DataArray:
    """Days from a system's release until the frontier matches it with 1/kappa of its params.

    The frontier at that smaller size, by the size slope of the fit.

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
    logs = fit.posterior["log_density"].transpose(*SAMPLE, "system").to_numpy()[..., rows]
    target = successor_target(fit, logs, observed.log_params[rows], kappa)
    start = observed.time[rows]
    arrival = line_arrival(fit, target, start, reading)
    days = np.maximum(arrival - start, 0.0) * DAYS_PER_YEAR
    return xr.DataArray(
        days,
        dims=(*SAMPLE, "system"),
        coords={**fit.posterior["level"].coords, "system": [observed.systems[i] for i in rows]},
    )


def successor_target(
    fit: Fit, log_density: Floats, log_params: Floats, kappa: float, group: str = "posterior"
) -> Floats:
    """Value of the line, at the mean size, at which 1/kappa of the params do.

    Parameters
    ----------
    fit
        A fit.
    log_density, log_params
        Of systems, shapes (chain, draw, system) and (system,).
    kappa
        Factor by which the successor is smaller.
    group
        "posterior" or "prior".
    """
    slope = size_slope(fit, group)[..., None]
    at_mean_size = log_density - slope * (log_params - fit.observed.mean_log_params)
    return np.asarray(at_mean_size + rise_needed(fit, kappa, group)[..., None])


def line_arrival(
    fit: Fit, target: np.ndarray, start: np.ndarray, reading: Reading, group: str = "posterior"
) -> np.ndarray:
    """First time, in years and not before ``start``, at which a reading reaches ``target``.

    Between changes the line is straight, so each stretch is solved in closed form.
    """
    shape = (*target.shape[:2], 1)
    line = line_of(fit, group)
    straight = is_straight(fit, reading, group)
    times = knots(line, start.max() + HORIZON)
    cuts = np.sort([np.full(shape, -np.inf), *(np.broadcast_to(at, shape) for at in times)], axis=0)
    ends = [*cuts[1:], np.full(shape, np.inf)]
    arrival = np.full(target.shape, np.inf)
    for begin, end in zip(cuts, ends, strict=True):
        left = np.maximum(start, begin)
        if straight:
            anchor = np.where(np.isinf(begin), start.min(), begin)
            slope = line_slope(line, anchor)
            value = line_at(fit, anchor, reading, group) + slope * (left - anchor)
        else:
            right = np.where(np.isinf(end), left + 1.0, np.nextafter(end, -np.inf))
            value = line_at(fit, left, reading, group)
            width = right - left
            slope = (line_at(fit, right, reading, group) - value) / np.where(width == 0, 1.0, width)
        with np.errstate(divide="ignore", invalid="ignore"):
            wait = np.where(value >= target, 0.0, (target - value) / slope)
        wait = np.where((value < target) & ~(slope > 0), np.inf, wait)
        reached = (left + wait < end) & (left < end)
        arrival = np.where(reached & np.isinf(arrival), left + wait, arrival)
    if line.decay is not None:  # past the last chord it has levelled off
        arrival = np.where(arrival > cuts[-1], np.inf, arrival)
    return arrival


def _check_kappa(kappa: float) -> None:
    if not (np.isfinite(kappa) and kappa > 1.0):
        raise DensingError(f"kappa = {kappa} must be above 1: the successor has 1/kappa the params")


def _rows(fit: Fit, systems: str | Sequence[str] | None) -> list[int]:
    if systems is None:
        return list(range(len(fit.observed.systems)))
    rows = []
    for name in [systems] if isinstance(systems, str) else systems:
        if name not in fit.observed.systems:
            hint = did_you_mean(name, fit.observed.systems, most=3)
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
