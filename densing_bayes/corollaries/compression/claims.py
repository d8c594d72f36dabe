"""Quantities of compressed systems that claims are about."""

from __future__ import annotations

import numpy as np

from densing_bayes.corollaries.compression.panel_pairs import only_gemma_denser, published_shifts
from densing_bayes.corollaries.corollary import Claimed
from densing_bayes.errors import DensingError, NotTestableError
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.result import Fit


def _only_gemma(fit: Fit, argument: str, group: str) -> Floats:
    """Whether of the published pairs that have scores only one is denser; posterior only."""
    try:
        shifts = published_shifts(fit)
    except DensingError as error:
        raise NotTestableError(str(error)) from error
    return np.ravel(only_gemma_denser(shifts)).astype(float)


CLAIMS = {"only_gemma_denser": Claimed(_only_gemma, prior=False)}
