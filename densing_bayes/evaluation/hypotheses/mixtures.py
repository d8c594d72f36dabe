"""Mixtures of posteriors: draws of one quantity from several fits, in proportion to weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED
from densing_bayes.posterior.estimates import estimate, probability
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.growth import (
    doubling_time,
    estimand_growth,
    growth,
    growth_around,
)
from densing_bayes.quantities.shelf_life import frontier_shelf_life

DRAWS = 4000
Quantity = Callable[[Fit], xr.DataArray]
Dated = Callable[[Fit, Any], xr.DataArray]  # of a fit and the date that growth is before and after
Drawn = Callable[[Any], np.ndarray]  # draws of a quantity in a part of the mixture


def _growth(part: str) -> Dated:
    return lambda fit, date: (growth(fit) if date is None else growth_around(fit, date))[part]


def _doubling_time_in_general(fit: Fit, date: Any) -> xr.DataArray:
    rates = estimand_growth(fit, around=date)["after"]
    return doubling_time(rates.sel(estimand="benchmarks in general", drop=True))


QUANTITIES: dict[str, tuple[Dated, str]] = {
    "growth_before": (_growth("before"), "1/day"),
    "growth_after": (_growth("after"), "1/day"),
    "growth_change": (_growth("change"), "1/day"),
    "doubling_time_after": (lambda fit, date: doubling_time(_growth("after")(fit, date)), "days"),
    "doubling_time_in_general": (_doubling_time_in_general, "days"),
    "shelf_life": (lambda fit, date: frontier_shelf_life(fit), "days"),
}
"""Quantities that can be asked for by name, with their units.

Growth "before" and "after" is that around a date if there is one, else as each fit has it.
"""


def mixture(
    fits: Mapping[Any, Fit],
    weights: pd.Series,
    quantity: str | Quantity,
    of: str,
    *,
    around: Any = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> xr.DataArray:
    """Draws of a quantity from a mixture of posteriors.

    Parameters
    ----------
    fits
        By what they differ in.
    weights
        The same index; they sum to one.
    quantity
        Name in :data:`QUANTITIES`, or a function of a fit that gives draws with dims (chain, draw).
    of
        Name of the coordinate that says whence each draw is.
    around
        Date that named quantities are before and after; by default as each fit has it.
    draws
        Of the mixture.
    seed
        Which draws of each fit are taken.

    Returns
    -------
    xarray.DataArray
        Dims (chain, draw), one chain. Each fit has its share of the draws to within one.

    Raises
    ------
    DensingError
        If there is no such quantity.
    """
    if isinstance(quantity, str):
        if quantity not in QUANTITIES:
            raise DensingError(f"no quantity '{quantity}'; use one of {', '.join(QUANTITIES)}")
        return _mixed(drawn_once(fits, around)[quantity], weights, of, draws, seed)
    return _mixed(partial(_flat, quantity, fits), weights, of, draws, seed)


def drawn_once(fits: Mapping[Any, Fit], around: Any = None) -> dict[str, Drawn]:
    """Draws of each of :data:`QUANTITIES` by fit, computed when first asked for and kept.

    ``around`` is as of :func:`mixture`.
    """

    def at_date(quantity: Dated) -> Quantity:
        return lambda fit: quantity(fit, around)

    return {
        name: cache(partial(_flat, at_date(quantity), fits))
        for name, (quantity, _) in QUANTITIES.items()
    }


def _flat(quantity: Quantity, fits: Mapping[Any, Fit], part: Any) -> np.ndarray:
    return np.ravel(quantity(fits[part]).transpose("chain", "draw"))


def _mixed(drawn: Drawn, weights: pd.Series, of: str, draws: int, seed: int) -> xr.DataArray:
    random = np.random.default_rng(seed)
    values, parts = [], []
    for part, count in _counts(weights, draws).items():
        own = drawn(part)
        values.append(random.choice(own, count, replace=count > own.size))
        parts += [part] * count
    return xr.DataArray(
        np.concatenate(values)[None],
        dims=("chain", "draw"),
        coords={"chain": [0], "draw": np.arange(draws), of: ("draw", parts)},
    )


def mixture_summary(
    drawn: Mapping[str, Drawn], weights: pd.Series, of: str, ci: float = CI
) -> dict[str, Any]:
    """An estimate of each of :data:`QUANTITIES`, growth rates with ``p_gt_0``.

    Parameters
    ----------
    drawn
        Of :func:`drawn_once`, so that several mixtures of the same fits share their draws.
    weights, of
        As of :func:`mixture`.
    ci
        Probability of the intervals.
    """
    result = {}
    for name, (_, unit) in QUANTITIES.items():
        values = _mixed(drawn[name], weights, of, DRAWS, SEED)
        result[name] = estimate(values, unit, ci, mean=unit == "1/day")
        if unit == "1/day":
            result[name]["p_gt_0"] = probability(values > 0)
    return result


def _counts(weights: pd.Series, draws: int) -> pd.Series:
    """Whole numbers of draws in proportion to weights, by largest remainders."""
    exact = weights * draws
    counts = np.floor(exact).astype(int)
    rest = (exact - counts).sort_values(ascending=False, kind="stable").index
    counts[rest[: draws - int(counts.sum())]] += 1
    return counts[counts > 0]
