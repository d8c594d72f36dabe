"""Answers averaged over hypotheses, as mixtures of their posteriors.

A headline under one hypothesis is conditional on it. Where several hypotheses cannot be
distinguished, the mixture of their posteriors says what is known, and is wider than each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.errors import DensingError
from densing_bayes.evaluation.comparison_table import Comparison
from densing_bayes.fitting.settings import SEED
from densing_bayes.posterior.estimates import check_choice, estimate, probability
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.growth import doubling_time, estimand_growth, growth
from densing_bayes.quantities.shelf_life import frontier_shelf_life

Weights = Literal["evidence", "stacking"]
COLUMNS = {"evidence": "probability", "stacking": "weight_release"}
DRAWS = 4000


def _growth(part: str) -> Callable[[Fit], xr.DataArray]:
    return lambda fit: growth(fit)[part]


def _doubling_time_in_general(fit: Fit) -> xr.DataArray:
    rates = estimand_growth(fit)["after"]
    return doubling_time(rates.sel(estimand="benchmarks in general", drop=True))


QUANTITIES: dict[str, tuple[Callable[[Fit], xr.DataArray], str]] = {
    "growth_before": (_growth("before"), "1/day"),
    "growth_after": (_growth("after"), "1/day"),
    "growth_change": (_growth("change"), "1/day"),
    "doubling_time_after": (lambda fit: doubling_time(growth(fit)["after"]), "days"),
    "doubling_time_in_general": (_doubling_time_in_general, "days"),
    "shelf_life": (frontier_shelf_life, "days"),
}
"""Quantities that can be asked for by name, with their units."""


def average(
    comparison: Comparison,
    quantity: str | Callable[[Fit], xr.DataArray],
    weights: Weights = "evidence",
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> xr.DataArray:
    """Draws of a quantity from the mixture of the posteriors of the hypotheses compared.

    Parameters
    ----------
    comparison
        Of :func:`densing_bayes.compare`.
    quantity
        Name in :data:`QUANTITIES`, or a function of a fit that gives draws with dims (chain, draw).
    weights
        "evidence": the posterior probabilities of the hypotheses, given that one of them holds;
        "stacking": the weights that predict left-out releases best.
    draws
        Of the mixture.
    seed
        Which draws of each hypothesis are taken.

    Returns
    -------
    xarray.DataArray
        Dims (chain, draw), one chain; the coordinate ``hypothesis`` says whence each draw is.
        Each hypothesis has its share of the draws to within one.

    Raises
    ------
    DensingError
        If there is no such quantity or kind of weight, or no hypothesis has a weight.
    """
    if isinstance(quantity, str):
        if quantity not in QUANTITIES:
            raise DensingError(f"no quantity '{quantity}'; use one of {', '.join(QUANTITIES)}")
        quantity = QUANTITIES[quantity][0]
    random = np.random.default_rng(seed)
    values, names = [], []
    for name, count in _counts(hypothesis_weights(comparison, weights), draws).items():
        own = np.ravel(quantity(comparison.fits[str(name)]).transpose("chain", "draw"))
        values.append(random.choice(own, count, replace=count > own.size))
        names += [str(name)] * count
    return xr.DataArray(
        np.concatenate(values)[None],
        dims=("chain", "draw"),
        coords={"chain": [0], "draw": np.arange(draws), "hypothesis": ("draw", names)},
    )


def hypothesis_weights(comparison: Comparison, weights: Weights = "evidence") -> pd.Series:
    """Weight of each hypothesis; they sum to one.

    One whose fit has not passed, or whose evidence is not usable, has none.
    """
    check_choice("weights", weights, COLUMNS)
    table = comparison.table
    found = table[COLUMNS[weights]].astype(float).where(table["verdict"] == "PASS", 0.0).fillna(0.0)
    if not found.sum() > 0.0:
        raise DensingError(
            f"no hypothesis has a weight by {weights}: no fit has passed"
            + (" with a usable evidence" if weights == "evidence" else "")
            + "; compare with more draws"
        )
    return found / found.sum()


def _counts(weight: pd.Series, draws: int) -> pd.Series:
    """Whole numbers of draws in proportion to weights, by largest remainders."""
    exact = weight * draws
    counts = np.floor(exact).astype(int)
    rest = (exact - counts).sort_values(ascending=False).index[: draws - int(counts.sum())]
    counts[rest] += 1
    return counts[counts > 0]


def average_summary(comparison: Comparison, ci: float = CI) -> dict[str, Any]:
    """Averaged quantities by kind of weight, for documents and sentences.

    Returns
    -------
    dict
        By kind of weight that can be had: ``weights`` by hypothesis, and an estimate of each of
        :data:`QUANTITIES`, growth rates with ``p_gt_0``.
    """
    result: dict[str, Any] = {}
    for kind in COLUMNS:
        try:
            weight = hypothesis_weights(comparison, kind)  # type: ignore[arg-type]
        except DensingError:
            continue
        result[kind] = {"weights": {str(name): float(w) for name, w in weight.items()}}
        for name, (_, unit) in QUANTITIES.items():
            values = average(comparison, name, kind)  # type: ignore[arg-type]
            result[kind][name] = estimate(values, unit, ci, mean=unit == "1/day")
            if unit == "1/day":
                result[kind][name]["p_gt_0"] = probability(values > 0)
    return result
