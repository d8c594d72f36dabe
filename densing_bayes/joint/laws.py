"""The laws of the model, each stated once. They take numpy arrays and PyTensor variables alike.

Symbols follow Xiao et al. (arXiv 2412.04315): params N, tokens D, loss L, score S.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # a numpy array, or a PyTensor variable


PARAMETERS = (
    "irreducible_loss", "params_loss", "params_exponent", "tokens_loss", "tokens_exponent"
)  # fmt: skip
"""Of the loss law as a model names them, in the order of :func:`scaling_loss`."""
OF_RUNS = "run_"
"""What their names begin with for reference runs that density is not measured against."""


def scaling_loss(
    log_params: Array, log_tokens: Array, E: Array, a: Array, alpha: Array, b: Array, beta: Array
) -> Array:
    """Loss of a reference model, L = E + a (N/N0)^-alpha + b (D/D0')^-beta (eq. 2, with E).

    ``log_params`` and ``log_tokens`` are log(N/N0) and log(D/D0'), so that ``a`` and ``b`` are
    the contributions at the centre of the runs, in the unit of the loss.
    """
    return E + a * np.exp(-alpha * log_params) + b * np.exp(-beta * log_tokens)


def scaling_loss_slope(log_params: Array, a: Array, alpha: Array) -> Array:
    """Derivative of :func:`scaling_loss` with respect to log N."""
    return -alpha * a * np.exp(-alpha * log_params)


def ability(log_params: Array, log_tokens: Array, token_elasticity: Array) -> Array:
    """Ability of a reference model on a directly linked benchmark, in units of log N.

    log(N/N0) + lambda log(D/D0'): the item-response counterpart of the loss.
    """
    return log_params + token_elasticity * log_tokens


def logistic(z: Array) -> Array:
    """1 / (1 + exp(-z)), finite in value and gradient for every z."""
    return 0.5 + 0.5 * np.tanh(0.5 * z)


def floor_score(chance: Array, shift: Array) -> Array:
    """Score of a model that knows nothing: chance + shift, or exp(shift) where chance is nothing.

    ``chance`` is an array of numbers. Where guessing scores nothing a floor of zero would leave a
    score of zero without variance, so there ``shift`` is the logarithm of a small positive floor.
    """
    guessed = (np.asarray(chance) > 0).astype(float)
    if guessed.all():
        return chance + shift
    return guessed * (chance + shift) + (1.0 - guessed) * np.exp((1.0 - guessed) * shift)


def sigmoid_score(z: Array, floor: Array, ceiling: Array) -> Array:
    """Score S = floor + (ceiling - floor) logistic(z) (eq. 3).

    z is gamma (l - L) for a benchmark linked through its loss and gamma (ability - l) for one
    linked directly.
    """
    return floor + (ceiling - floor) * logistic(z)


def sigmoid_slope(z: Array, floor: Array, ceiling: Array) -> Array:
    """Derivative of :func:`sigmoid_score` with respect to z."""
    p = logistic(z)
    return (ceiling - floor) * p * (1.0 - p)


def score_variance(mean: Array, items: Array, noise: Array) -> Array:
    """Variance of a measured score: binomial in ``items``, plus protocol noise.

    ``noise`` is the extra standard deviation at a score of one half. These are the first two
    moments of a beta-binomial with intraclass correlation 4 noise^2 (up to 1/items).
    """
    return mean * (1.0 - mean) * (1.0 / items + 4.0 * noise**2)


def doubling_time(growth_rate: Array) -> Array:
    """Ln 2 / A, in the time unit of A; infinite where A <= 0 (the density does not double)."""
    rate = np.asarray(growth_rate, dtype=float)
    with np.errstate(divide="ignore"):
        return np.where(rate > 0, np.log(2.0) / np.where(rate > 0, rate, 1.0), np.inf)
