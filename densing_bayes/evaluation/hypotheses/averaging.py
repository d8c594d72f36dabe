"""Answers averaged over hypotheses, as mixtures of their posteriors.

A headline under one hypothesis is conditional on it. Where several hypotheses cannot be
distinguished, the mixture of their posteriors says what is known, and is wider than each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pandas as pd
import xarray as xr

from densing_bayes.errors import DensingError
from densing_bayes.evaluation.hypotheses.mixtures import (
    DRAWS,
    drawn_once,
    mixture,
    mixture_summary,
)
from densing_bayes.evaluation.hypotheses.table import Comparison
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import date_of, years_since_origin
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.estimates import check_choice
from densing_bayes.posterior.result import CI, Fit

Weights = Literal["evidence", "stacking"]
COLUMNS = {"evidence": "probability", "stacking": "weight_release"}


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
        Name in :data:`.mixtures.QUANTITIES`, or a function of a fit that gives draws with dims
        (chain, draw). Named growth is before and after :func:`date_of_growth` under each
        hypothesis.
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
    fits, weight = comparison.fits, hypothesis_weights(comparison, weights)
    named = isinstance(quantity, str)
    around = date_of_growth(comparison.spec, comparison.observed) if named else None
    return mixture(fits, weight, quantity, "hypothesis", around=around, draws=draws, seed=seed)


def date_of_growth(spec: ModelSpec, observed: Observations) -> pd.Timestamp:
    """The date that averaged growth is before and after, the same under every hypothesis.

    That of the last change of the rate that the specification states, if its date is known and
    releases lie on both sides; else a year before the last release. Under hypotheses of their own,
    growth "after" would be of another stretch of time each.
    """
    first, last = float(observed.time.min()), float(observed.time.max())
    dates = [change.date for change in spec.trend.changes if change.slope and change.date]
    inside = [at for date in dates if first < (at := years_since_origin(date)) < last]
    return date_of(inside[-1] if inside else last - min(1.0, (last - first) / 2.0))


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


def average_summary(comparison: Comparison, ci: float = CI) -> dict[str, Any]:
    """Averaged quantities by kind of weight, for documents and sentences.

    Returns
    -------
    dict
        By kind of weight that can be had: ``weights`` by hypothesis, ``since``, the date that
        growth is before and after, and what :func:`.mixture_summary` gives.
    """
    result: dict[str, Any] = {}
    date = date_of_growth(comparison.spec, comparison.observed)
    drawn = drawn_once(comparison.fits, date)
    for kind in COLUMNS:
        try:
            weight = hypothesis_weights(comparison, kind)  # type: ignore[arg-type]
        except DensingError:
            continue
        shares = {str(name): float(w) for name, w in weight.items()}
        result[kind] = {"weights": shares, "since": f"{date:%Y-%m-%d}"}
        result[kind] |= mixture_summary(drawn, weight, "hypothesis", ci)
    return result
