"""The joint model in coordinates that sample well: the same density, other variables.

Hierarchies with a latent value for each cell defeat both the centred and the non-centred form:
a HellaSwag score fixes log Neff to a few percent, an MMLU score at chance says nothing of it.
Here every latent is standardised by its own conditional mean and precision given what stands
above it, with the likelihood linearised at a fixed point (partial centring, with the Fisher
information as weight). The order is globals -> shortfall -> log density -> log Neff; each map is
affine in its coordinate (the shortfall's is a smooth map onto the positive numbers), exact for
every choice of the fixed points, and its log Jacobian is part of the density. The globals are
whitened by the Cholesky factor of an approximate posterior covariance.

:mod:`densing_bayes.model` states the model; a test holds the two densities equal.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.replace import graph_replace
from pytensor.tensor.variable import TensorVariable

from densing_bayes.model import Parts
from densing_bayes.observations import Observations
from densing_bayes.performance import expected_score
from densing_bayes import laws

LATENTS = ("shortfall", "log_density", "log_effective_params")
CENTRED = {"drift_before_offset_zerosum__": "drift_spread_before", "drift_change_offset_zerosum__": "drift_spread_change"}
WEAK = 1e-8  # added to a precision so that a cell without information stays finite


class Conditioned(NamedTuple):
    """A conditioned model and the layout of its global coordinates."""

    model: pm.Model
    names: tuple[str, ...]  # value variables of the plain model, in order
    shapes: tuple[tuple[int, ...], ...]


def global_values(parts: Parts) -> list[TensorVariable]:
    """Value variables of the plain model that are not latents of single releases or systems."""
    model = parts.model
    return [model.rvs_to_values[rv] for rv in model.free_RVs if rv.name not in LATENTS]


def condition(parts: Parts, observed: Observations, point: dict[str, np.ndarray]) -> Conditioned:
    """Restate an assembled model in conditioned coordinates.

    Parameters
    ----------
    parts, observed
        The plain model and its observations.
    point
        A point of the plain model's value variables, for the centre of the globals and for the
        modes of log Neff. Both can be refreshed through the model's data ("globals_centre",
        "globals_scale", "cell_mode").
    """
    plain = parts.model
    values = global_values(parts)
    shapes = [np.shape(point[value.name]) for value in values]
    sizes = [int(np.prod(shape)) for shape in shapes]
    centre = np.concatenate([np.ravel(point[value.name]) for value in values])
    cells = len(observed.score)

    with pm.Model(coords=plain.coords) as model:
        centre_data = pm.Data("globals_centre", centre)
        scale_data = pm.Data("globals_scale", 0.05 * np.eye(centre.size))
        mode = pm.Data("cell_mode", np.asarray(point["log_effective_params"], dtype=float))
        whitened = pm.Flat("whitened", shape=centre.size)
        theta = centre_data + pt.dot(scale_data, whitened)
        replace: dict[Any, Any] = {}
        start = 0
        log_jacobian: Any = 0.0
        for value, shape, size in zip(values, shapes, sizes, strict=True):
            piece = theta[start : start + size].reshape(shape).astype(value.dtype)
            spread = CENTRED.get(value.name)
            if spread:
                log_spread = replace[plain.rvs_to_values[plain[spread]]]
                piece = piece / np.exp(log_spread)
                log_jacobian -= size * log_spread
            replace[value] = piece
            start += size

        def at_globals(graphs: list[TensorVariable]) -> list[TensorVariable]:
            return graph_replace(plain.replace_rvs_by_values(graphs), replace, strict=False)

        law = type(parts.law)(*at_globals(list(map(pt.as_tensor, parts.law))))
        link = type(parts.link)(*at_globals(list(parts.link)))
        mean, spread, shift, cell_spread, noise = at_globals(
            [parts.trend.mean, parts.trend.spread, *parts.density[2:]]
        )

        # The likelihood of a cell, linearised at its mode: S ~ f + d (x - mode).
        f, d = expected_score(observed, law, link, mode)
        clipped = np.clip(observed.score, 0.5 / observed.cell_items, 1 - 0.5 / observed.cell_items)
        variance = laws.score_variance(clipped, observed.cell_items, noise)
        target = d * mode + observed.score - f  # d times the x that the score points to

        # What the cells of a system say of its log density, each cell's delta integrated out.
        m, k = observed.cell_system, observed.cell_benchmark
        information = d / (variance + (d * cell_spread) ** 2)
        says = information * (target - d * (observed.log_params[m] + shift))
        precision = _sum_over(information * d, m, len(observed.systems)) + WEAK
        estimate = _sum_over(says, m, len(observed.systems)) / precision

        if parts.trend.shortfall is not None:
            (scale,) = at_globals([parts.trend.shortfall_scale])
            unit, units = parts.trend.unit, int(parts.trend.unit.max()) + 1
            weight = precision / (1.0 + precision * spread**2)
            unit_precision = _sum_over(weight, unit, units)
            unit_mean = _sum_over(weight * (mean - estimate), unit, units)
            width = 1.0 / np.sqrt(1.0 / scale**2 + unit_precision)
            position = pm.Flat("shortfall_position", shape=units)
            argument = width * unit_mean + position
            shortfall = width * pt.softplus(argument)
            value = plain.rvs_to_values[parts.trend.shortfall]
            replace[value] = np.log(shortfall)
            log_jacobian += pt.sum(np.log(width) - pt.softplus(-argument) - np.log(shortfall))
            mean = mean - shortfall[unit]

        total = precision + 1.0 / spread**2
        position = pm.Flat("density_position", shape=len(observed.systems))
        log_density = (precision * estimate + mean / spread**2) / total + position / np.sqrt(total)
        replace[plain.rvs_to_values[parts.density.log_density]] = log_density
        log_jacobian += pt.sum(-0.5 * np.log(total))

        cell_mean = observed.log_params[m] + log_density[m] + shift
        total = d**2 / variance + 1.0 / cell_spread**2
        position = pm.Flat("cell_position", shape=cells)
        log_effective_params = (d * target / variance + cell_mean / cell_spread**2) / total + (
            position / np.sqrt(total)
        )
        replace[plain.rvs_to_values[parts.density.log_effective_params]] = log_effective_params
        log_jacobian += pt.sum(-0.5 * np.log(total))

        (log_density_of_plain,) = graph_replace([plain.logp()], replace, strict=False)
        pm.Potential("joint", log_density_of_plain + log_jacobian)
        _keep_plain_names(plain, replace)
    return Conditioned(model, tuple(v.name for v in values), tuple(shapes))


def _sum_over(terms: TensorVariable, index: np.ndarray, size: int) -> TensorVariable:
    return pt.inc_subtensor(pt.zeros(size)[index], terms)


def _keep_plain_names(plain: pm.Model, replace: dict[Any, Any]) -> None:
    """Record every variable of the plain model under its own name and dims."""
    named = [*plain.free_RVs, *plain.deterministics]
    graphs = graph_replace(plain.replace_rvs_by_values(named), replace, strict=False)
    for variable, graph in zip(named, graphs, strict=True):
        pm.Deterministic(variable.name, graph, dims=plain.named_vars_to_dims.get(variable.name))
