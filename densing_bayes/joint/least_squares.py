"""Least squares of loss laws and score curves, one benchmark at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import least_squares, nnls
from scipy.special import expit, logit

from densing_bayes.errors import DensingError
from densing_bayes.inputs.families import Prior
from densing_bayes.inputs.performance import PerformanceSpec
from densing_bayes.inputs.specification import ScalingSpec
from densing_bayes.joint import laws
from densing_bayes.joint.curves import stated
from densing_bayes.observed.arrays import Floats

FEWEST_LOSSES = 5
SAME = 1e-3  # distance of the exponents below which two optima are one
EXPONENTS = np.geomspace(0.02, 1.0, 60)  # grid of alpha and beta on which optima are looked for
LOGITS_OF_RUNS = 8.0  # from the highest to the lowest loss: from near the floor to near the ceiling


def loss_surface(
    params: Floats,
    tokens: Floats,
    loss: Floats,
    alphas: Floats = EXPONENTS,
    betas: Floats = EXPONENTS,
    *,
    relative: bool = False,
    irreducible: bool = False,
) -> Floats:
    """Root mean square error of the best amounts for each pair of exponents.

    Given the exponents the loss is linear in the amounts a, b (and E) >= 0, so that the surface
    over (alpha, beta) is exact and shows every optimum. Arguments as of :func:`fit_losses`.

    Returns
    -------
    numpy.ndarray
        Shape (alpha, beta).
    """
    runs = params, tokens, loss
    return np.array(
        [
            [_amounts(*runs, alpha, beta, relative, irreducible)[1] for beta in betas]
            for alpha in alphas
        ]
    )


def fit_losses(
    params: ArrayLike,
    tokens: ArrayLike,
    loss: ArrayLike,
    *,
    relative: bool = False,
    irreducible: bool = False,
) -> pd.DataFrame:
    """Least squares of the loss curve: every optimum, best first.

    Starts are the local minima of :func:`loss_surface`, and each optimum is then polished.

    Parameters
    ----------
    params, tokens
        Counts, one per reference model.
    loss
        Losses, in the unit of the curve.
    relative
        Weigh errors by 1/loss, as a log-normal likelihood nearly does. The paper's drawn curves
        are optima of the plain errors, where the small models with their large losses decide.
    irreducible
        Allow a constant E >= 0; the paper has none.

    Returns
    -------
    pandas.DataFrame
        Columns a, alpha, b, beta, E, rmse (in the unit of the loss, or relative).

    Raises
    ------
    DensingError
        If there are fewer than five losses.
    """
    N, D, L = (np.asarray(values, dtype=float) for values in (params, tokens, loss))
    if len(L) < FEWEST_LOSSES:
        raise DensingError(
            f"{len(L)} losses: a curve of four constants needs at least {FEWEST_LOSSES}"
        )
    how = relative, irreducible
    surface = loss_surface(N, D, L, relative=relative, irreducible=irreducible)
    size = len(surface)
    padded = np.pad(surface, 1, constant_values=np.inf)
    around = [
        padded[i : i + size, j : j + size] for i in range(3) for j in range(3) if (i, j) != (1, 1)
    ]
    rows: list[dict[str, float]] = []

    def errors(logs: Floats) -> Floats:
        return _errors(np.exp(logs), N, D, L, *how)

    for i, j in zip(*np.nonzero(surface < np.min(around, axis=0)), strict=True):
        found = least_squares(
            errors,
            np.log([EXPONENTS[i], EXPONENTS[j]]),
            bounds=(np.log(EXPONENTS[0]), np.log(EXPONENTS[-1])),
            x_scale=0.1,
            xtol=1e-12,
            ftol=1e-12,
            gtol=1e-12,
        )
        alpha, beta = np.exp(found.x)
        if any(abs(alpha - r["alpha"]) + abs(beta - r["beta"]) < SAME for r in rows):
            continue
        (a, b, *rest), rmse = _amounts(N, D, L, alpha, beta, *how)
        rows.append(
            {"a": a, "alpha": alpha, "b": b, "beta": beta, "E": sum(rest, 0.0), "rmse": rmse}
        )
    return pd.DataFrame(rows).sort_values("rmse", ignore_index=True)


def _amounts(
    params: Floats,
    tokens: Floats,
    loss: Floats,
    alpha: float,
    beta: float,
    relative: bool,
    irreducible: bool,
) -> tuple[Floats, float]:
    """Best amounts a, b (and E) >= 0 of given exponents, and the rms error."""
    unit = loss if relative else np.ones_like(loss)
    columns = [params**-alpha, tokens**-beta] + irreducible * [np.ones_like(loss)]
    terms = np.column_stack(columns) / unit[:, None]
    scale = terms.max(axis=0)
    amounts, norm = nnls(terms / scale, loss / unit)
    return amounts / scale, float(norm / np.sqrt(len(loss)))


def _errors(
    exponents: Floats,
    params: Floats,
    tokens: Floats,
    loss: Floats,
    relative: bool,
    irreducible: bool,
) -> Floats:
    alpha, beta = exponents
    (a, b, *rest), _ = _amounts(params, tokens, loss, alpha, beta, relative, irreducible)
    expected = a * params**-alpha + b * tokens**-beta + sum(rest, 0.0)
    return np.asarray((expected - loss) / (loss if relative else 1.0))


def steadied_law(
    priors: ScalingSpec, n: Floats, d: Floats, loss: Floats, exponents: Floats
) -> Floats:
    """Least squares of one loss law, which priors keep finite where the runs do not fix it.

    Parameters
    ----------
    priors
        Of a specification.
    n, d
        log(N/N0) and log(D/D0') of the runs.
    loss
        Their losses.
    exponents
        alpha and beta to start at.

    Returns
    -------
    numpy.ndarray
        Loss at the centre, irreducible share, params share of the rest, alpha and beta.
    """
    medians = np.log([priors.params_exponent.median, priors.tokens_exponent.median])
    widths = np.array([priors.params_exponent.sigma, priors.tokens_exponent.sigma])

    def unpack(theta: Floats) -> tuple[float, ...]:
        share = expit(theta[1]) if priors.irreducible else 0.0
        return np.exp(theta[0]), share, expit(theta[2]), np.exp(theta[3]), np.exp(theta[4])

    def residuals(theta: Floats) -> Floats:
        expected = laws.scaling_loss(n, d, *law_of(unpack(theta), priors.irreducible))
        return np.r_[np.log(loss / expected) / 0.02, theta[1:3], (theta[3:] - medians) / widths]

    start = np.r_[np.log(np.median(loss)), 0.0, 0.0, np.log(exponents)]
    centre, share, *rest = unpack(least_squares(residuals, start).x)
    return np.array([centre, share if priors.irreducible else 0.5, *rest])


def law_of(estimates: Any, irreducible: bool) -> tuple[Any, ...]:
    """E, a, alpha, b and beta of what :func:`steadied_law` gives, which may be arrays."""
    centre, share, params_share, alpha, beta = estimates
    share = share if irreducible else 0.0 * share
    reducible = centre * (1 - share)
    return centre * share, reducible * params_share, alpha, reducible * (1 - params_share), beta


def fit_link(
    priors: PerformanceSpec, ceiling: Prior, chance: float, score: Floats, *covariates: Floats
) -> Floats:
    """Least squares of one link: covariates are a loss, or log(N/N0) and log(D/D0').

    Returns
    -------
    numpy.ndarray
        Floor, ceiling, slope, midpoint and token elasticity (NaN for the loss link).
    """
    direct = len(covariates) == 2
    slope = _start_slope(priors, covariates)
    start = np.r_[0.0, logit(ceiling.middle()), np.log(slope), np.median(covariates[0])]
    if direct:
        start = np.r_[start, np.log(priors.token_elasticity.middle())]

    def unpack(theta: Floats) -> Floats:
        elasticity = np.exp(theta[4]) if direct else np.nan
        return np.r_[chance + theta[0], expit(theta[1]), np.exp(theta[2]), theta[3], elasticity]

    def residuals(theta: Floats) -> Floats:
        prior = np.r_[theta[0] / 0.02, theta[1] - start[1], (theta[2] - start[2]) / 0.7]
        misfit = (score - link_score(unpack(theta), *covariates)) / 0.01
        return np.r_[misfit, prior, (theta[4:] - start[4:]) / 0.5]

    return unpack(least_squares(residuals, start).x)


def _start_slope(priors: PerformanceSpec, covariates: tuple[Floats, ...]) -> float:
    """Slope to start at: the prior's, or of losses one that takes the runs up their curve."""
    curve, direct = priors.curve, len(covariates) == 2
    if curve is None:
        return stated(priors.discrimination if direct else priors.steepness).middle()
    if direct:
        return curve.rise.middle() / float(np.log(curve.large / curve.small))
    return LOGITS_OF_RUNS / max(float(np.ptp(covariates[0])), 1e-3)


def link_score(link: Floats, *covariates: Floats) -> Floats:
    """Score that a link of :func:`fit_link` predicts at its covariates."""
    floor, ceiling, slope, midpoint, elasticity = link
    if len(covariates) == 2:
        z = slope * (laws.ability(*covariates, elasticity) - midpoint)
    else:
        z = slope * (midpoint - covariates[0])
    return laws.sigmoid_score(z, floor, ceiling)
