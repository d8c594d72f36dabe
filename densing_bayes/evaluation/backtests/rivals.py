"""Forecasts that ask little of a model: what a fit has to beat on scores that it has not seen.

Each is a distribution, Student's predictive law of a regression, so that its spread comes from the
same past as that of the fit.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit, logit

from densing_bayes.errors import DensingError
from densing_bayes.fitting.start import Pilot, pilot
from densing_bayes.inputs.dates import DAYS_PER_YEAR, date_of, years_since_origin
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint import laws
from densing_bayes.joint.least_squares import link_score
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.observations import Observations
from densing_bayes.quantities.paper_estimator import running_maximum

LAST_LEVEL = "last level by size"
LEAST_SQUARES = "least squares on size and date"
RUNNING_MAXIMUM = "line through running maximum"
RIVALS = (LAST_LEVEL, LEAST_SQUARES, RUNNING_MAXIMUM)
DRAWS = 2000
FEWEST = 5  # training scores of a benchmark, below which a regression says nothing
EDGE = 0.005  # scores are kept so far from 0 and 1 for their logit


def rival_scores(
    spec: ModelSpec,
    past: Observations,
    coming: Observations,
    cut: dt.date,
    days: int,
    seed: int = 0,
) -> dict[str, Floats]:
    """Predictive draws of each rival for the scores of systems to come.

    Parameters
    ----------
    spec, past
        Of the fit: its specification, and the systems before the cut.
    coming
        Systems of the window after it.
    cut, days
        First date of the window, and its length.
    seed
        Of the draws.

    Returns
    -------
    dict
        Scores by name, (draw, cell); NaN where the past has fewer than five scores of a benchmark.
    """
    return {
        LAST_LEVEL: regression_scores(past, coming, cut, days, trend=False, seed=seed),
        LEAST_SQUARES: regression_scores(past, coming, cut, days, trend=True, seed=seed),
        RUNNING_MAXIMUM: _on_the_maximum(spec, past, coming, seed),
    }


def regression_scores(
    past: Observations,
    coming: Observations,
    cut: dt.date,
    days: int,
    *,
    trend: bool,
    seed: int,
) -> Floats:
    """Predictive draws, (draw, cell), of a regression of logit scores on log params and date.

    Each benchmark on its own. Without a trend the level is that of the last window before the
    cut, or of as many windows as it takes to have enough scores.
    """
    random = np.random.default_rng(seed)
    result = np.full((DRAWS, coming.score.size), np.nan)
    window, start = days / DAYS_PER_YEAR, years_since_origin(cut)
    for k in range(len(coming.benchmarks)):
        own, wanted = past.cell_benchmark == k, coming.cell_benchmark == k
        if own.sum() < FEWEST or not wanted.any():
            continue
        m = past.cell_system[own]
        time, size, score = past.time[m], past.log_params[m], past.score[own]
        recent = np.ones(len(time), dtype=bool)
        back = 1
        while not trend:
            recent = time >= start - back * window
            if recent.sum() >= FEWEST:
                break
            back += 1
        centre = size[recent].mean()

        def design(time: Floats, size: Floats, centre: float = centre) -> Floats:
            columns = [np.ones_like(time), size - centre] + ([time - start] if trend else [])
            return np.column_stack(columns)

        to = coming.cell_system[wanted]
        drawn = student_draws(
            design(time[recent], size[recent]),
            logit(np.clip(score[recent], EDGE, 1.0 - EDGE)),
            design(coming.time[to], coming.log_params[to]),
            random,
        )
        result[:, wanted] = expit(drawn)
    return result


def student_draws(
    design: Floats, values: Floats, new: Floats, random: np.random.Generator, draws: int = DRAWS
) -> Floats:
    """Predictive draws, (draw, new), of a linear regression with flat priors (Student's law)."""
    freedom = len(values) - design.shape[1]
    if freedom < 1:
        raise DensingError(
            f"{len(values)} points for a regression with {design.shape[1]} terms: the spread of a "
            f"forecast needs at least {design.shape[1] + 1}"
        )
    inverse = np.linalg.pinv(design.T @ design)
    slopes = inverse @ design.T @ values
    spread = np.sqrt(np.sum((values - design @ slopes) ** 2) / freedom)
    scale = spread * np.sqrt(1.0 + np.einsum("ij,jk,ik->i", new, inverse, new))
    return np.asarray(new @ slopes + scale * random.standard_t(freedom, (draws, len(new))))


def _on_the_maximum(spec: ModelSpec, past: Observations, coming: Observations, seed: int) -> Floats:
    """The paper's way: invert scores, draw a line through the running maximum of density.

    A system to come is put on that line, and its score read off the curve of the reference runs.
    """
    found = pilot(spec, past)
    on = running_maximum(pd.Series([date_of(t) for t in past.time]), np.exp(found.log_density))

    def design(time: Floats) -> Floats:
        return np.column_stack([np.ones_like(time), time])

    known = np.bincount(past.cell_benchmark, minlength=len(past.benchmarks)) >= FEWEST
    if on.sum() < 3:
        return np.full((DRAWS, coming.score.size), np.nan)
    random = np.random.default_rng(seed)
    density = student_draws(
        design(past.time[on]), found.log_density[on], design(coming.time), random
    )
    m = coming.cell_system
    x = coming.log_params[m] + density[:, m]
    scores = _curve_scores(spec, past, found, coming.cell_benchmark, x)
    return np.where(known[coming.cell_benchmark], scores, np.nan)


def _curve_scores(
    spec: ModelSpec, observed: Observations, found: Pilot, benchmark: np.ndarray, x: Floats
) -> Floats:
    """Scores of reference models with log Neff x, (draw, cell), on the pilot's curves."""
    split = len(observed.loss_benchmarks)
    n, d = x - np.log(observed.centre_params), observed.log_reference_tokens
    result = np.empty(x.shape)
    for k in np.unique(benchmark):
        own = benchmark == k
        ends = found.floor[k], found.ceiling[k]
        if k < split:
            share = found.irreducible_share[k] if spec.scaling.irreducible else 0.0
            reducible = found.loss_at_centre[k] * (1.0 - share)
            loss = laws.scaling_loss(
                n[:, own],
                d,
                found.loss_at_centre[k] * share,
                reducible * found.params_share[k],
                found.params_exponent[k],
                reducible * (1.0 - found.params_share[k]),
                found.tokens_exponent[k],
            )
            link = np.array([*ends, found.steepness[k], found.midpoint[k], np.nan])
            result[:, own] = link_score(link, loss)
        else:
            j = k - split
            elasticity = found.token_elasticity[j]
            link = np.array([*ends, found.discrimination[j], found.difficulty[j], elasticity])
            result[:, own] = link_score(link, n[:, own], np.full(n[:, own].shape, d))
    return result


def envelope(
    past: Observations, density: Floats, cut: dt.date, days: int, random: np.random.Generator
) -> Floats:
    """The paper's estimator at the end of the window: a line through the running maximum."""
    dates = pd.Series([date_of(t) for t in past.time])
    on = running_maximum(dates, np.exp(density))
    start, end = years_since_origin(cut), years_since_origin(cut) + days / DAYS_PER_YEAR
    design = np.column_stack([np.ones(on.sum()), past.time[on] - start])
    new = np.array([[1.0, end - start]])
    return student_draws(design, density[on], new, random)[:, 0]


def last_best(
    past: Observations, density: Floats, cut: dt.date, days: int, random: np.random.Generator
) -> Floats:
    """The best of the last window carried forward, spread as its changes in the past."""
    window, start = days / DAYS_PER_YEAR, years_since_origin(cut)
    number = np.floor((start - past.time) / window - 1e-9).astype(int)
    found = {int(i): density[number == i].max() for i in np.unique(number)}
    changes = [found[i] - found[i + 1] for i in found if i + 1 in found]
    if len(changes) < 2:
        raise DensingError(
            f"fewer than three windows of {days} days with systems before {cut}: the spread of a "
            f"forecast needs them; use shorter windows or a later cut"
        )
    spread = float(np.sqrt(np.mean(np.square(changes))))
    return np.asarray(
        found[min(found)] + spread * stats.t.rvs(len(changes), size=DRAWS, random_state=random)
    )
