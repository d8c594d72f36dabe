"""Standard effects with normal or heavy tails: Student-t with so many degrees of freedom."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from densing_bayes.observed.arrays import Floats


def standard(random: np.random.Generator, tails: float | None, shape: tuple[int, ...]) -> Floats:
    """Student-t numbers with ``tails`` degrees of freedom and scale 1, or normal ones."""
    if tails is None:
        return random.standard_normal(shape)
    return random.standard_t(tails, shape)


def mean_size(tails: float | None) -> float:
    """Mean of the absolute value of :func:`standard` numbers."""
    if tails is None:
        return float(np.sqrt(2.0 / np.pi))
    ratio = np.exp(gammaln((tails + 1.0) / 2.0) - gammaln(tails / 2.0))
    return float(2.0 * np.sqrt(tails / np.pi) * ratio / (tails - 1.0))
