"""The joint model in coordinates that sample well: the same density, other variables.

Hierarchies with a latent value for each cell defeat both the centred and the non-centred form:
a HellaSwag score fixes log Neff to a few percent, an MMLU score at chance says nothing of it.
Here every latent is standardised by its own conditional mean and precision given what stands
above it, with the likelihood linearised at a fixed point (partial centring, with the Fisher
information as weight; see :mod:`.latents`). The globals above them are whitened by the Cholesky
factor of an approximate posterior covariance. Each map's log Jacobian is part of the density.

:mod:`densing_bayes.joint.model` states the model; a test holds the two densities equal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.replace import graph_replace

from densing_bayes.fitting.coordinates.latents import LATENTS, Graph, standardised
from densing_bayes.fitting.coordinates.ridges import shifts
from densing_bayes.inputs.performance import CurveSpec
from densing_bayes.joint import laws
from densing_bayes.joint.model import Parts
from densing_bayes.observed.observations import Observations

# Standardised effects z = effect / spread whose coordinate is z * spread^weight: weight 0 is the
# non-centred form, 1 the centred one; in between where data and prior say about as much.
CENTRED = {
    "params_exponent_offset": ("params_exponent_spread_log__", 1.0),
    "tokens_exponent_offset": ("tokens_exponent_spread_log__", 1.0),
    "run_offset": ("run_spread_log__", 1.0),
    "growth_step_offset": ("growth_step_spread_log__", 0.5),
    "drift_before_offset_zerosum__": ("drift_spread_before_log__", 0.6),
    "drift_change_offset_zerosum__": ("drift_spread_change_log__", 0.6),
}
# Many effects, whose spread may be near zero: centred in part where it is large beside a scale,
# from where on data and prior say about as much, and non-centred where it is small. Were they
# centred there too, the joint density would have its mode where spread and effects vanish.
SOFTLY_CENTRED = {
    "slope_step_offset": ("slope_step_spread_log__", 0.5, 0.3),
    "level_step_offset": ("level_step_spread_log__", 0.5, 0.3),
    "benchmark_step_offset": ("benchmark_step_spread_log__", 0.5, 0.3),
    "period_offset": ("period_spread_log__", 0.5, 0.3),
    "organisation_offset": ("organisation_spread_log__", 0.5, 0.3),
}
ROWS = 32  # of a triangular matrix that are multiplied at once
START_SCALE = 0.1  # of the globals, before anything is known of their spread
END_MARGIN = 0.25  # years from an open date to the time that its bend is told at, at least


class Conditioned(NamedTuple):
    """A conditioned model and the layout of its global coordinates."""

    model: pm.Model
    names: tuple[str, ...]  # value variables of the plain model, in order
    coordinates: tuple[str, ...]  # the same by element, such as "growth_change[0]"
    observed: Observations  # that its anchors were chosen on
    values: dict[Any, Graph]  # plain value variable -> graph of coordinates
    curve: CurveSpec | None  # by which curves are stated


def global_values(parts: Parts) -> list[Graph]:
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
        "globals_scale", "cell_mode"). Where its data "cell_seen" is 0 and not 1, the score of the
        cell is left out.
    """
    plain = parts.model
    with pm.Model(coords=plain.coords) as model:
        mode = pm.Data("cell_mode", np.asarray(point["log_effective_params"], dtype=float))
        # A cell that is not seen says nothing: fits without some systems need no compilation.
        seen = pm.Data("cell_seen", np.ones(len(observed.score)))
        seen_by = {"score": seen, "repeat_score": seen[observed.repeat_cell]}
        pieces, log_jacobian = _globals(parts, observed, point)
        replace: dict[Any, Graph] = {
            value: pieces[str(value.name)] for value in global_values(parts)
        }

        def at_globals(graphs: list[Graph]) -> list[Graph]:
            return graph_replace(plain.replace_rvs_by_values(graphs), replace, strict=False)

        latents, own_jacobian = standardised(parts, observed, at_globals, mode, seen)
        replace |= latents
        log_jacobian += own_jacobian
        stated = plain.basic_RVs
        factors = graph_replace(plain.logp(vars=stated, sum=False), replace, strict=False)
        for variable, factor in zip(stated, factors, strict=True):
            if variable.name in seen_by:
                factor = factor * seen_by[variable.name]
            pm.Potential(f"factor_{variable.name}", factor)
        pm.Potential("log_jacobian", log_jacobian)
        _keep_plain_names(plain, replace)
    coordinates = tuple(
        name if index == () else f"{name}[{', '.join(map(str, index))}]"
        for name in pieces
        for index in np.ndindex(np.shape(point[name]))
    )
    return Conditioned(model, tuple(pieces), coordinates, observed, replace, parts.curve)


def _globals(
    parts: Parts, observed: Observations, point: dict[str, np.ndarray]
) -> tuple[dict[str, Graph], Graph]:
    """Values of the globals as functions of whitened coordinates, and the log Jacobian."""
    values = global_values(parts)
    names = [str(value.name) for value in values]
    shapes = [np.asarray(point[name]).shape for name in names]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes]).tolist()
    centre = pm.Data("globals_centre", coordinates_of(point, names, observed, parts.curve))
    scale = pm.Data("globals_scale", START_SCALE * np.eye(ends[-1]))
    theta = centre + _lower_product(scale, pm.Flat("whitened", shape=ends[-1]), ends[-1])
    pieces: dict[str, Graph] = {
        name: theta[end - int(np.prod(shape)) : end].reshape(shape).astype(value.dtype)
        for name, value, shape, end in zip(names, values, shapes, ends, strict=True)
    }
    return bend(pieces, observed, parts.curve)


def _lower_product(matrix: Graph, vector: Graph, size: int) -> Graph:
    """Product with a lower triangular matrix, without most of its zeros."""
    spans = [(begin, min(begin + ROWS, size)) for begin in range(0, size, ROWS)]
    rows = [pt.dot(matrix[begin:end, :end], vector[:end]) for begin, end in spans]
    return rows[0] if len(rows) == 1 else pt.concatenate(rows)


def bend(
    pieces: dict[str, Any], observed: Observations, curve: CurveSpec | None
) -> tuple[dict[str, Any], Any]:
    """Free values of the globals from their coordinates, and the log Jacobian of the map.

    Takes graphs, or arrays with draws in front.
    """
    values = dict(pieces)
    for name, shift in shifts(values, observed, curve):
        values[name] = values[name] + shift
    log_jacobian: Any = 0.0
    for name, log_factor in _log_factors(values, observed):
        values[name] = values[name] * np.exp(-log_factor)
        in_front = values["system_spread_log__"].ndim
        dims = range(in_front, values[name].ndim)
        size = math.prod(values[name].shape[dim] for dim in dims)
        log_jacobian -= log_factor[(..., *(0 for _ in dims))] * size
    return values, log_jacobian


def _log_factors(values: dict[str, Any], observed: Observations) -> Iterator[tuple[str, Any]]:
    """Effects whose coordinates are multiples of them, each with the log of the one factor.

    Some are centred in part. And what the data know of a bend at an open date is by how much it
    has raised the line when they end, not the bend apart from its date.
    """
    for name, (spread, weight) in CENTRED.items():
        if name in values:
            own = (None,) * (values[name].ndim - values[spread].ndim)  # draws may stand in front
            yield name, weight * values[spread][(..., *own)]
    for name, (spread, weight, scale) in SOFTLY_CENTRED.items():
        if name in values:
            own = (None,) * (values[name].ndim - values[spread].ndim)
            soft = 0.5 * np.log(np.exp(2.0 * values[spread]) + scale**2)
            yield name, weight * soft[(..., *own)]
    position, change = "change_position_logodds__", "growth_change"
    if {position, change} <= set(values) and len(observed.change_earliest) == 1:
        earliest, latest = observed.change_earliest, observed.change_latest
        end = max(observed.time.max(), latest[0] + END_MARGIN)
        time = earliest + (latest - earliest) * laws.logistic(values[position])
        yield change, np.log(end - time)


def straighten(
    values: dict[str, Any], observed: Observations, curve: CurveSpec | None
) -> dict[str, Any]:
    """Coordinates of the globals from their free values: the inverse of :func:`bend`."""
    pieces = dict(values)
    for name, log_factor in _log_factors(values, observed):
        pieces[name] = values[name] * np.exp(log_factor)
    for name, shift in shifts(dict(pieces), observed, curve):
        pieces[name] = pieces[name] - shift
    return pieces


def global_point(conditioned: Conditioned, point: dict[str, np.ndarray]) -> None:
    """Set the constants of a conditioned model to a point, with a narrow scale."""
    observed, names = conditioned.observed, list(conditioned.names)
    model = conditioned.model
    model["globals_centre"].set_value(coordinates_of(point, names, observed, conditioned.curve))
    model["globals_scale"].set_value(START_SCALE * np.eye(model["globals_centre"].get_value().size))
    model["cell_mode"].set_value(np.asarray(point["log_effective_params"], dtype=float))


def coordinates_of(
    point: dict[str, np.ndarray],
    names: list[str],
    observed: Observations,
    curve: CurveSpec | None,
) -> np.ndarray:
    """Global coordinates of a point of the plain model, in one vector."""
    values = {name: np.asarray(point[name], dtype=float) for name in names}
    pieces = straighten(values, observed, curve)
    return np.concatenate([np.ravel(pieces[name]) for name in names])


def _keep_plain_names(plain: pm.Model, replace: dict[Any, Any]) -> None:
    """Record every variable of the plain model under its own name and dims."""
    named = [*plain.free_RVs, *plain.deterministics]
    graphs = graph_replace(plain.replace_rvs_by_values(named), replace, strict=False)
    for variable, graph in zip(named, graphs, strict=True):
        pm.Deterministic(variable.name, graph, dims=plain.named_vars_to_dims.get(variable.name))
