"""Measurements that the others of a table do not explain, by one robust rule.

Residuals are compared with the spread of most of them: their median absolute deviation, which a
few wild ones do not move, in units of a normal standard deviation (Rousseeuw and Croux 1993). The
limit grows with the table: of normal residuals one lies beyond it with a fixed probability.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from densing_bayes.observed.arrays import Floats

FAR = 0.01  # probability that a table of normal residuals has one that is named
NORMAL = 1.4826  # standard deviation of a normal law whose median absolute deviation is 1


def far_limit(count: int, far: float = FAR) -> float:
    """Standard deviations beyond which one of so many normal residuals lies with a probability."""
    return float(norm.isf(far / (2.0 * count)))


def robust_distance(residual: Floats, least: float = 0.0, error: Floats | float = 0.0) -> Floats:
    """Residuals in robust standard deviations about their median.

    Parameters
    ----------
    residual
        Residuals, any unit.
    least
        Standard deviation that most of them have at least.
    error
        Standard error of each, which comes on top where it is more than that of most.
    """
    about = residual - np.median(residual)
    spread = max(NORMAL * float(np.median(np.abs(about))), least, np.finfo(float).tiny)
    return np.asarray(about / np.hypot(spread, error))
