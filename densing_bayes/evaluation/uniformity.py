"""Whether numbers between 0 and 1 are uniform: a test, and bands for their ECDF."""

from __future__ import annotations

import arviz_stats  # noqa: F401  # gives xarray objects their accessor
import numpy as np
import xarray as xr

from densing_bayes.observed.arrays import Floats

# One in a hundred of such tests calls out a model that is right; a fit has about ten of them.
P_MIN = 0.01
SIMULATIONS = 2000


def uniformity_p(values: Floats) -> float:
    """P-value of a pointwise test of order statistics, combined over the points (ArviZ's pot_c).

    It takes values that depend on each other a little, as those of leave-one-out do.
    """
    p, *_ = xr.DataArray(values, dims="unit").azstats.uniformity_test(dim="unit")
    return float(p)


def ecdf_difference(
    values: Floats, probability: float = 1.0 - P_MIN
) -> tuple[Floats, Floats, Floats, Floats]:
    """ECDF of values less that of a uniform, with simultaneous bands.

    Returns
    -------
    tuple of numpy.ndarray
        Points between 0 and 1, the difference there, and the lower and upper band that holds
        the whole line of uniform values with some probability (Säilynoja et al. 2022).
    """
    from arviz_stats.ecdf_utils import ecdf_pit

    at, ecdf, lower, upper = ecdf_pit(values, probability, SIMULATIONS)
    return at, ecdf - at, np.maximum(lower, 0.0) - at, np.minimum(upper, 1.0) - at
