"""Priors of a specification as PyMC random variables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pymc as pm
from pytensor.tensor.variable import TensorVariable
from scipy import stats
from scipy.special import logit

from densing_bayes.errors import SpecError
from densing_bayes.spec import Beta, HalfNormal, LogitNormal, LogNormal, Normal, Prior


def variable(
    name: str, prior: Prior | Sequence[Prior], dims: str | tuple[str, ...] | None = None
) -> TensorVariable:
    """Random variable with a prior; a sequence gives one prior to each element along ``dims``."""
    priors = [prior] if not isinstance(prior, Sequence) else list(prior)
    kinds = {type(p) for p in priors}
    if len(kinds) > 1:
        raise SpecError(f"'{name}': priors of one variable must share a distribution")

    def of(field: str) -> np.ndarray | float:
        values = np.array([getattr(p, field) for p in priors])
        return float(values[0]) if len(set(values)) == 1 else values

    match priors[0]:
        case Normal():
            return pm.Normal(name, of("mu"), of("sigma"), dims=dims)
        case LogNormal():
            return pm.LogNormal(name, np.log(of("median")), of("sigma"), dims=dims)
        case HalfNormal():
            return pm.HalfNormal(name, of("sigma"), dims=dims)
        case Beta():
            return pm.Beta(name, of("alpha"), of("beta"), dims=dims)
        case LogitNormal():
            # PyMC 6.3 gives LogitNormal no transform, so its logit is the free variable.
            z = pm.Normal(f"{name}_logit", logit(of("median")), of("sigma"), dims=dims)
            return pm.Deterministic(name, pm.math.invlogit(z), dims=dims)


def log_density(prior: Prior, x: np.ndarray) -> np.ndarray:
    """Log density of a prior at values of the variable."""
    match prior:
        case Normal():
            found = stats.norm.logpdf(x, prior.mu, prior.sigma)
        case LogNormal():
            found = stats.lognorm.logpdf(x, prior.sigma, scale=prior.median)
        case HalfNormal():
            found = stats.halfnorm.logpdf(x, scale=prior.sigma)
        case Beta():
            found = stats.beta.logpdf(x, prior.alpha, prior.beta)
        case LogitNormal():
            z = (logit(x) - logit(prior.median)) / prior.sigma
            found = stats.norm.logpdf(z) - np.log(prior.sigma * x * (1.0 - x))
    return np.asarray(found)
