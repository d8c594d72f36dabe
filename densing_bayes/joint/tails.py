"""Standard effects with normal or heavy tails: Student-t with so many degrees of freedom."""

from __future__ import annotations

import numpy as np

from densing_bayes.observed.arrays import Floats


def standard(random: np.random.Generator, tails: float | None, shape: tuple[int, ...]) -> Floats:
    """Student-t numbers with ``tails`` degrees of freedom and scale 1, or normal ones."""
    if tails is None:
        return random.standard_normal(shape)
    return random.standard_t(tails, shape)
