"""Quantities of prices that claims are about; each takes the fits of tables by name."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from densing_bayes.corollaries.corollary import Claimed
from densing_bayes.corollaries.prices.model import fold_reduction, halving_time, observed_fold
from densing_bayes.corollaries.trends.exponential import ExponentialFit
from densing_bayes.observed.arrays import Floats

Fits = Mapping[str, ExponentialFit]


def _fold(fits: Fits, argument: str, group: str) -> Floats:
    return np.ravel(fold_reduction(fits["prices"], group=group))


def _observed(fits: Fits, argument: str, group: str) -> Floats:
    first, last = argument.split()
    return np.array([observed_fold(fits["prices"], first, last)["fold"]])


def _halving(fits: Fits, argument: str, group: str) -> Floats:
    return np.ravel(halving_time(fits["prices"], group=group))


CLAIMS = {
    "price_fold": Claimed(_fold, of_tables=True),
    "price_observed": Claimed(_observed, of_tables=True, prior=False),
    "price_halving": Claimed(_halving, of_tables=True),
}
