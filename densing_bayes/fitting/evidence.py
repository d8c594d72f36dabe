"""Log marginal likelihoods by bridge sampling, with the latents of releases integrated out.

Bridge sampling (Meng and Wong 1996) compares draws of the posterior with draws of a normal
density fitted to it. Over all latents the two would hardly overlap; over the parameters that
systems share, in the straightened coordinates of :mod:`.conditioned`, they do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from densing_bayes.fitting.coordinates.conditioned import bend, straighten
from densing_bayes.fitting.coordinates.latents import LATENTS
from densing_bayes.joint.marginal.predictive import predictive_densities
from densing_bayes.joint.marginal.shared_parameters import (
    SAMPLE_DRAW,
    as_given,
    shared_parameters,
    vectorized,
)
from densing_bayes.joint.model import assemble
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.diagnostics import effective_size
from densing_bayes.posterior.draws import thinned
from densing_bayes.posterior.result import Fit

INTEGRATED = (*LATENTS, "organisation_offset")
CHUNK = 500  # draws evaluated at once
POINTS = 1000
ROUNDS = 1000


class Evidence(NamedTuple):
    """A log marginal likelihood (or a log Bayes factor) in nats, and its Monte Carlo error."""

    value: float
    error: float


class Target(NamedTuple):
    """Posterior density of the shared parameters, not normalised, in one vector of coordinates."""

    log_density: Callable[[Floats], Floats]  # (draw, coordinate) -> (draw,)
    draws: Floats  # of the posterior, (chain, draw, coordinate)
    names: tuple[str, ...]  # of the variable of each coordinate


def target(fit: Fit) -> Target:
    """The density of the shared parameters of a fit, and its draws."""
    import pytensor.tensor as pt

    parts = assemble(fit.spec, fit.observed)
    model = parts.model
    free = [rv for rv in model.free_RVs if rv.name not in INTEGRATED]
    values = [model.rvs_to_values[rv] for rv in free]
    names = [value.name for value in values]
    of_runs = ("loss", "reference_score", *(["family_loss"] if fit.observed.others else []))
    references = [model[name] for name in of_runs]
    terms = model.logp(vars=[*free, *references], sum=False)
    shared = shared_parameters(parts) | {"lean": np.zeros(0)}  # leans are integrated out
    graphs = dict(
        zip(
            shared,
            model.replace_rvs_by_values([pt.as_tensor(g) for g in shared.values()]),
            strict=True,
        )
    )
    at_values = vectorized(graphs | {f"term_{i}": t.sum() for i, t in enumerate(terms)}, values)

    flat = thinned(fit.posterior, fit.posterior["level"].size)
    transforms = {rv: model.rvs_to_transforms[rv] for rv in free}
    forward = vectorized(
        {
            value.name: rv
            if transforms[rv] is None
            else transforms[rv].forward(rv, *rv.owner.inputs)
            for rv, value in zip(free, values, strict=True)
        },
        free,
    )
    drawn = forward([flat[rv.name].transpose(SAMPLE_DRAW, ...).to_numpy() for rv in free])
    curve = fit.spec.performance.curve
    pieces = straighten(drawn, fit.observed, curve)
    shapes = [pieces[name].shape[1:] for name in names]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes]).tolist()
    chains = fit.posterior.sizes["chain"]
    vectors = np.concatenate(
        [pieces[name].reshape(len(pieces[name]), -1) for name in names], axis=1
    )

    def log_density(points: Floats) -> Floats:
        result = np.empty(len(points))
        for begin in range(0, len(points), CHUNK):
            rows = points[begin : begin + CHUNK]
            split = {
                name: rows[:, end - int(np.prod(shape)) : end].reshape(len(rows), *shape)
                for name, shape, end in zip(names, shapes, ends, strict=True)
            }
            bent, log_jacobian = bend(split, fit.observed, curve)
            found = at_values([bent[name] for name in names])
            scores = predictive_densities(
                fit.spec, fit.observed, as_given(found), pointwise=False
            ).total
            rest = sum(found[f"term_{i}"] for i in range(len(terms)))
            result[begin : begin + CHUNK] = scores + rest + log_jacobian
        return result

    labels = tuple(
        name for name, shape in zip(names, shapes, strict=True) for _ in range(int(np.prod(shape)))
    )
    return Target(log_density, vectors.reshape(chains, -1, vectors.shape[1]), labels)


def log_evidence(
    log_density: Callable[[Floats], Floats], draws: Floats, seed: int = 0, points: int = POINTS
) -> Evidence:
    """Log integral of a density by bridge sampling from draws of it.

    Each half of every chain is bridged to a normal density that is fitted to the other half, and
    the two estimates are averaged.

    Parameters
    ----------
    log_density
        Logarithm of the density, not normalised: (draw, dim) to (draw,).
    draws
        Draws of the density that it is proportional to, (chain, draw, dim), unbounded.
    seed
        Of the draws of the normal densities.
    points
        Draws at which the density is evaluated in each half, and as many of the normal density.

    Returns
    -------
    Evidence
        The estimate and its standard error (Fruehwirth-Schnatter 2004).
    """
    middle = draws.shape[1] // 2
    halves = draws[:, :middle], draws[:, middle : 2 * middle]
    estimates = [
        _bridge(log_density, own, other, points, np.random.default_rng([seed, i]))
        for i, (own, other) in enumerate([halves, halves[::-1]])
    ]
    value = np.mean([estimate.value for estimate in estimates])
    error = np.linalg.norm([estimate.error for estimate in estimates]) / 2.0
    return Evidence(float(value), float(error))


def _bridge(
    log_density: Callable[[Floats], Floats],
    own: Floats,
    other: Floats,
    points: int,
    random: np.random.Generator,
) -> Evidence:
    own = own[:, :: max(1, own.shape[0] * own.shape[1] // points)]
    chains, count, size = own.shape
    fitted = other.reshape(-1, size)
    centre = fitted.mean(axis=0)
    scale = np.linalg.cholesky(np.atleast_2d(np.cov(fitted.T)))
    standard = random.standard_normal((chains * count, size))

    def log_normal(points: Floats) -> Floats:
        z = solve_triangular(scale, (points - centre).T, lower=True)
        log_determinant = np.sum(np.log(np.diag(scale)))
        return -0.5 * np.sum(z**2, axis=0) - log_determinant - 0.5 * size * np.log(2.0 * np.pi)

    def log_ratio(points: Floats) -> Floats:
        ratio = log_density(points) - log_normal(points)
        return np.where(np.isfinite(ratio), ratio, -np.inf)

    at_own = log_ratio(own.reshape(-1, size)).reshape(chains, count)
    at_proposed = log_ratio(centre + standard @ scale.T)
    return _meet(at_own, at_proposed)


def _meet(at_own: Floats, at_proposed: Floats) -> Evidence:
    """The optimal bridge between two samples, from the log ratios of their densities."""
    effective = effective_size(at_own)
    share = effective / (effective + at_proposed.size)
    guess = float(np.median(at_own))
    one, two = at_own - guess, at_proposed - guess
    value = 0.0
    for _ in range(ROUNDS):
        weights = np.logaddexp(np.log(share) + two, np.log1p(-share) + value)
        other = np.logaddexp(np.log(share) + one, np.log1p(-share) + value)
        before = value
        value = float(
            logsumexp(two - weights) - np.log(two.size) - logsumexp(-other) + np.log(one.size)
        )
        if abs(value - before) < 1e-10:
            break
    f_two = np.exp(two - weights)
    f_one = np.exp(value - other)
    correlated = one.size / effective_size(f_one)
    variance = (
        np.var(f_two) / np.mean(f_two) ** 2 / two.size
        + correlated * np.var(f_one) / np.mean(f_one) ** 2 / one.size
    )
    return Evidence(guess + value, float(np.sqrt(variance)))


def savage_dickey(found: Target, name: str, log_prior: float, draws: int = 2 * POINTS) -> Evidence:
    """Log Bayes factor of the model with one shared parameter at zero against the free one.

    The posterior density at zero is estimated by importance-weighted marginal densities (Chen
    1994): every draw is moved to zero, the others with it along their regression on it.

    Parameters
    ----------
    found
        The density of the shared parameters of the larger model.
    name
        Of a scalar parameter whose coordinate is itself.
    log_prior
        Its log prior density at zero.
    draws
        Draws at which the density is evaluated.
    """
    chains, count, size = found.draws.shape
    step = max(1, chains * count // draws)
    points = found.draws[:, ::step].reshape(-1, size)
    index = found.names.index(name)
    own = points[:, index]
    centred = points - points.mean(axis=0)
    slope = centred.T @ centred[:, index] / (centred[:, index] @ centred[:, index])
    moved = points - own[:, None] * slope
    sd = own.std()
    weight = -0.5 * ((own - own.mean()) / sd) ** 2 - np.log(sd * np.sqrt(2.0 * np.pi))
    terms = weight + found.log_density(moved) - found.log_density(points)
    value = logsumexp(terms) - np.log(terms.size)
    shares = np.exp(terms - terms.max()).reshape(chains, -1)
    effective = effective_size(shares)
    error = shares.std() / shares.mean() / np.sqrt(effective)
    return Evidence(float(value - log_prior), float(error))
