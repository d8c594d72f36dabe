"""Quantities of chips and batteries that claims are about."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from densing_bayes.corollaries.corollary import Claimed
from densing_bayes.corollaries.engines.model import (
    effective_doubling_time,
    engine_rate,
    stored_engines,
)
from densing_bayes.corollaries.trends.exponential import ExponentialFit
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.growth import doubling_time


def _product(fit: Fit, argument: str, group: str) -> Floats:
    return np.ravel(effective_doubling_time(fit, stored_engines()[argument], group))


def _doubling(fits: Mapping[str, ExponentialFit], argument: str, group: str) -> Floats:
    return np.ravel(doubling_time(engine_rate(fits[argument], group)))


CLAIMS = {
    "density_times_engine": Claimed(_product),
    "engine_doubling": Claimed(_doubling, of_tables=True),
}
