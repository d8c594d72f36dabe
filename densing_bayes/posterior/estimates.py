"""Draws to estimates: median, interval and probability, in one form everywhere."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import xarray as xr

from densing_bayes.errors import DensingError
from densing_bayes.inputs.dates import date_of
from densing_bayes.posterior.result import CI, Fit

SAMPLE = ("chain", "draw")
DISTANT = 200.0  # years after which a date is called unbounded


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
    check_ci(ci)
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


def estimate_date(years: xr.DataArray | np.ndarray, ci: float = CI) -> dict[str, Any]:
    """Summary of draws of a model time, in years since 2022-11-30, as :func:`estimate` of a date.

    Median and limits are ISO days, or None ("unbounded") where they lie two centuries off.
    """
    result = estimate(years, "date", ci, mean=False)
    for name in ("median", "lower", "upper"):
        value = result[name]
        if value is not None:
            distant = value > DISTANT
            result[name] = None if distant else date_of(value).date().isoformat()
            if distant:
                result[f"{name}_unbounded"] = True
    return result


def check_runs(fit: Fit, what: str) -> None:
    """Refuse what has no meaning where density is relative to the line of the systems themselves.

    Raises
    ------
    DensingError
        If no reference run has a part in the fit.
    """
    if fit.observed.without_runs:
        raise DensingError(
            f"{what} cannot be told from a fit without reference runs, whose densities are "
            f"relative to the mean line of its own systems: fit a specification that links its "
            f"benchmarks to runs, such as 'joint'"
        )


def check_ci(ci: float) -> None:
    """Refuse an interval that is not a probability."""
    if not 0.0 < ci < 1.0:
        raise DensingError(f"ci = {ci} is not a probability; use for instance 0.95")


def probability(event: Any) -> float:
    """Share of draws in which an event holds."""
    return float(np.mean(event))


def draws_of(fit: Fit, group: str) -> xr.Dataset:
    """Draws of a group, "posterior" or "prior"."""
    return fit.prior if of_prior(group) else fit.posterior


def of_prior(group: str) -> bool:
    """Whether a group is the prior; refuses what is neither that nor the posterior."""
    return check_choice("group", group, ("posterior", "prior")) == "prior"


def check_choice(what: str, choice: str, choices: Collection[str]) -> str:
    """A choice, once it is known to be among the choices."""
    if choice not in choices:
        raise DensingError(f"no {what} '{choice}'; use one of {', '.join(choices)}")
    return choice
