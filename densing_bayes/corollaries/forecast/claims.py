"""Quantities of forecasts that claims are about."""

from __future__ import annotations

import numpy as np

from densing_bayes.corollaries.corollary import Claimed
from densing_bayes.errors import NotTestableError
from densing_bayes.inputs.dates import years_since_origin
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.forecasts import forecast_date


def _reached(fit: Fit, argument: str, group: str) -> Floats:
    """Whether a system of some params has reached a score by a date; posterior only."""
    params, benchmark, score, date = argument.split()
    if benchmark not in fit.observed.benchmarks:
        raise NotTestableError(f"the fit has no {benchmark}")
    years = forecast_date(fit, float(params), benchmark, float(score))
    return np.ravel(years <= years_since_origin(date)).astype(float)


CLAIMS = {"reached_by": Claimed(_reached, prior=False)}
