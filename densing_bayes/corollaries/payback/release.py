"""A release whose successors are asked about: its place on the trend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from densing_bayes.errors import DensingError, did_you_mean
from densing_bayes.inputs.dates import date_of, years_since_origin
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.estimates import SAMPLE, check_runs, draws_of
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.growth import line_at, size_slope
from densing_bayes.quantities.numbers import count

Condition = Literal["smooth", "density", "recipe", "system"]
CONDITIONS: tuple[Condition, ...] = ("smooth", "density", "recipe", "system")


@dataclass(frozen=True)
class Release:
    """A release whose successors are sought.

    Attributes
    ----------
    name
        How it is called.
    time
        Years since 2022-11-30 at which it came out.
    log_params
        ln of its params.
    log_density
        ln of its density, shape (chain, draw).
    unit
        Number of its release in the panel, which does not succeed itself; -1 if it has none.
    """

    name: str
    time: float
    log_params: float
    log_density: Floats
    unit: int = -1


def release_of(
    fit: Fit,
    system: str | None = None,
    *,
    density: float | None = None,
    params: float | None = None,
    date: Any = None,
    group: str = "posterior",
) -> Release:
    """A system of a fit, or a hypothetical release, as something that can be succeeded.

    Parameters
    ----------
    fit
        A fit.
    system
        Name of a system of the fit; no other argument is then needed.
    density, params, date
        Of a hypothetical release. Without ``density`` it lies on the frontier at its date and
        size; the date is that of the panel's last release unless given.
    group
        "posterior" or "prior".

    Raises
    ------
    DensingError
        If there is no such system, or a value cannot be right.
    """
    observed, draws = fit.observed, draws_of(fit, group)
    if system is not None:
        if any(value is not None for value in (density, params, date)):
            raise DensingError(f"give either the system '{system}' or density, params and date")
        if system not in observed.systems:
            hint = did_you_mean(system, observed.systems, most=3)
            raise DensingError(f"no system '{system}' in this fit{hint}")
        i = observed.systems.index(system)
        logs = draws["log_density"].transpose(*SAMPLE, "system").to_numpy()[..., i]
        return Release(
            system,
            float(observed.time[i]),
            float(observed.log_params[i]),
            logs,
            int(observed.system_release[i]),
        )
    if params is None:
        raise DensingError("a hypothetical release needs params, such as 8e9, or give a system")
    if not (np.isfinite(params) and params >= 1e5):
        raise DensingError(f"params = {params:g} looks like billions; write a count such as 8e9")
    if density is not None and not (np.isfinite(density) and density > 0):
        raise DensingError(f"density = {density:g} must be above 0")
    if density is not None:
        check_runs(fit, "a release of a given density")
    last = float(observed.time.max())
    time = last if date is None else years_since_origin(pd.Timestamp(date))
    if time < observed.time.min():
        raise DensingError(
            f"{pd.Timestamp(date):%Y-%m-%d} is before the panel's first release, "
            f"{date_of(observed.time.min()):%Y-%m-%d}; give a later date"
        )
    logs = np.empty(draws["level"].shape)
    if density is None:
        edge = line_at(fit, np.array([time]), "frontier", group)[..., 0]
        logs[:] = edge + size_slope(fit, group) * (np.log(params) - observed.mean_log_params)
        name = f"a release of {count(params)} params on the frontier"
    else:
        logs[:] = np.log(density)
        name = f"a release of {count(params)} params and density {density:g}"
    name = f"{name}, {date_of(time):%Y-%m-%d}"
    return Release(name, time, float(np.log(params)), logs)
