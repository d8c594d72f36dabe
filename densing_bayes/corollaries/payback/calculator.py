"""The draws that a page needs to compute shelf lives and pay-backs by itself.

The frontier of each draw is a line with knots, so its values at the knots are all that a page has
to know: between them it is straight, and past the last one it goes on as it was.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from densing_bayes.corollaries.payback.model import Payback
from densing_bayes.inputs.dates import DAYS_PER_YEAR, date_of
from densing_bayes.joint.line import knots
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.draws import stacked
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.growth import line_at, line_of, size_slope

DRAWS = 500
FOLLOWED = 20.0  # years past the last release
MONTH = 1.0 / 12.0
INSTANT = 1e-9


def thinned_draws(fit: Fit, most: int = DRAWS) -> Floats:
    """Positions of evenly spaced draws in the chains laid end to end."""
    count = fit.posterior["level"].size
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))


def calculator(fit: Fit, paid: Payback, most: int = DRAWS) -> dict[str, Any]:
    """What the calculator of a page works on.

    Parameters
    ----------
    fit
        A fit.
    paid
        A pay-back whose tokens of a visit and halving of the price are used; its price, margin,
        cost and size are where the sliders start.
    most
        Draws that are kept.

    Returns
    -------
    dict
        ``times`` (years since 2022-11-30 of the knots), ``frontier`` (per draw ln density at the
        knots, at the mean size), ``size_slope`` (per draw), ``mean_log_params``,
        ``tokens_per_visit`` and ``halving_days`` (per draw), ``first``, ``last`` (dates
        between which a release may lie), ``start`` (where the sliders stand) and the numbers of
        ``draws`` kept and made.
    """
    rows = thinned_draws(fit, most)
    times = _knots(fit)
    edge = line_at(fit, times, "frontier").reshape(-1, len(times))[rows]
    inputs = stacked(paid.draws[["tokens_per_visit", "halving_days"]], "each")
    first, last = float(fit.observed.time.min()), float(fit.observed.time.max())
    draws = paid.draws
    return {
        "draws": len(rows),
        "of": int(fit.posterior["level"].size),
        "days_per_year": DAYS_PER_YEAR,
        "times": times.tolist(),
        "frontier": np.round(edge, 5).tolist(),
        "size_slope": np.round(np.ravel(size_slope(fit))[rows], 5).tolist(),
        "mean_log_params": float(fit.observed.mean_log_params),
        "tokens_per_visit": np.round(inputs["tokens_per_visit"].to_numpy()[rows], 2).tolist(),
        "halving_days": np.round(inputs["halving_days"].to_numpy()[rows], 3).tolist(),
        "first": date_of(first).date().isoformat(),
        "last": date_of(last + 1.0).date().isoformat(),
        "start": {
            "date": date_of(last).date().isoformat(),
            "params": float(np.exp(paid.release.log_params)),
            "kappa": paid.kappa,
            "cost": float(draws["training_cost"].median()),
            "price": float(draws["price"].median()),
            "margin": float(draws["margin"].median()),
        },
    }


def _knots(fit: Fit) -> Floats:
    """Times at which the frontier of some draw may bend, and both ends.

    Where draws bend at dates of their own, each month is a knot: a life is then off by days.
    """
    observed = fit.observed
    first, end = float(observed.time.min()), float(observed.time.max()) + FOLLOWED
    line = line_of(fit)
    found = [np.unique(np.asarray(at)) for at in knots(line, end)]
    inner = [at for at in found if len(at) == 1]
    wide = [at for at in found if len(at) > 1]
    # a level may jump at a knot, so each has a twin just before it
    times = [np.array([first, end]), *inner, *(at - INSTANT for at in inner)]
    if wide:
        low, high = (float(pick(np.concatenate(wide))) for pick in (np.min, np.max))
        times.append(np.arange(low, high + MONTH, MONTH))
    every = np.unique(np.concatenate(times))
    return every[(every >= first) & (every <= end)]
