"""Laplace approximation of the globals, in the coordinates of the conditioned model.

At the origin of the conditioned latents the joint density, Jacobian included, is close to the
marginal density of the globals: each latent sits at its conditional mode and carries its
conditional precision. So the mode and the curvature in the globals alone give their posterior
covariance, and with it the whitening that the sampler starts from.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from densing_bayes.conditioned import Conditioned
from densing_bayes.errors import FitError
from densing_bayes.observations import Floats

ROUNDS = 8
# Step of the central differences in whitened units: a tenth of a standard deviation averages over
# the bends that cells at the floor put into the profile.
STEP = 0.1
WIDEST = 2.0  # standard deviation of any global: none has a wider prior


class Whitening(NamedTuple):
    """Constants of the conditioned model: they change how fast it samples, not its density."""

    globals_centre: Floats
    globals_scale: Floats
    cell_mode: Floats


def laplace(conditioned: Conditioned, compiled: Any) -> Whitening:
    """Find the mode and the whitening, starting from the constants that the model holds.

    Parameters
    ----------
    conditioned
        The conditioned model.
    compiled
        Its functions, as compiled by nutpie.

    Raises
    ------
    FitError
        If the density is not finite at the start.
    """
    data = conditioned.model
    centre, scale, mode = (data[name].get_value() for name in Whitening._fields)
    size = len(centre)
    origin = np.zeros(compiled.n_dim)
    names, slices, _ = compiled.shape_info
    cells = slices[names.index("log_effective_params")]

    def negative(whitened: Floats) -> tuple[float, Floats]:
        position = origin.copy()
        position[:size] = whitened
        value, gradient = compiled.logp_func(position)
        return -float(value), -np.asarray(gradient)[:size]

    def refresh() -> None:
        for name, value in zip(Whitening._fields, (centre, scale, mode), strict=True):
            data[name].set_value(value)

    value, gradient = negative(np.zeros(size))
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        raise FitError(
            "the joint density is not finite at the least-squares start: look for scores or sizes "
            "far outside the others (densing-bayes data validate), or for very narrow priors"
        )
    for _ in range(ROUNDS):
        found = minimize(
            negative, np.zeros(size), jac=True, method="BFGS", options={"maxiter": 400}
        )
        centre = centre + scale @ found.x
        refresh()
        expanded = np.ravel(compiled.expand_func(origin))
        moved = np.max(np.abs(expanded[cells] - mode), initial=0.0)
        mode = expanded[cells].copy()
        refresh()
        steps = STEP * np.eye(size)
        hessian = np.array([(negative(e)[1] - negative(-e)[1]) / (2 * STEP) for e in steps])
        hessian = (hessian + hessian.T) / 2
        values = np.linalg.eigvalsh(hessian)
        scale = _whiten(hessian, scale)
        refresh()
        if moved < 0.05 and values.min() > 0.5 and values.max() < 2.0:
            break
    return Whitening(centre, scale, mode)


def _whiten(hessian: Floats, scale: Floats) -> Floats:
    """Cholesky factor of the inverse curvature, no direction wider than the priors are."""
    inverse = np.linalg.inv(scale)
    values, vectors = np.linalg.eigh(inverse.T @ hessian @ inverse)
    spread = vectors / np.sqrt(np.maximum(values, 1.0 / WIDEST**2))
    return np.linalg.cholesky(spread @ spread.T)


def refine(whitening: Whitening, whitened: Floats, log_effective_params: Floats) -> Whitening:
    """Whitening from pilot draws: their mean and covariance, and the median of the cells.

    Parameters
    ----------
    whitening
        The constants under which the draws were made.
    whitened
        Draws of the global coordinates, (draw, global).
    log_effective_params
        Draws of log Neff, (draw, cell).
    """
    centre, scale, _ = whitening
    draws = centre + whitened @ scale.T
    covariance = np.atleast_2d(np.cov(draws.T)) + 1e-12 * np.eye(len(centre))
    return Whitening(
        draws.mean(axis=0), np.linalg.cholesky(covariance), np.median(log_effective_params, axis=0)
    )
