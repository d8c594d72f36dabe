"""Priors of a specification as PyMC random variables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.shape_utils import change_dist_size
from pymc.pytensorf import find_rng_nodes, reseed_rngs
from pytensor.compile.maker import function
from pytensor.compile.mode import Mode
from pytensor.configdefaults import config
from pytensor.graph.replace import vectorize_graph
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.variable import TensorVariable
from scipy.special import logit

from densing_bayes.errors import SpecError
from densing_bayes.inputs.families import (
    Beta,
    Exponential,
    Family,
    HalfNormal,
    LogitNormal,
    LogNormal,
    Normal,
    Prior,
)
from densing_bayes.inputs.specification import ModelSpec


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
        case Exponential():
            return pm.Exponential(name, scale=of("mean"), dims=dims)
        case Beta():
            return pm.Beta(name, of("alpha"), of("beta"), dims=dims)
        case LogitNormal():
            # PyMC 6.3 gives LogitNormal no transform, so its logit is the free variable.
            z = pm.Normal(f"{name}_logit", logit(of("median")), of("sigma"), dims=dims)
            return pm.Deterministic(name, pm.math.invlogit(z), dims=dims)


# What only reference runs give a meaning to, by section or by path.
OF_RUNS = (
    "scaling",
    "performance.steepness",
    "performance.midpoint",
    "performance.token_elasticity",
    "performance.reference_noise",
    "performance.run_spread",
    "density.format_offset",
    "trend.level",
    "trend.size",
)


def listed(spec: ModelSpec) -> dict[str, str]:
    """Every prior of a specification described, by its path in the file.

    Those of reference runs are left out where there are none.
    """
    found = dict(_found(spec, ""))
    if not spec.without_runs:
        return found
    return {
        path: text
        for path, text in found.items()
        if not any(path == name or path.startswith(f"{name}.") for name in OF_RUNS)
    }


def _found(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Family):
        yield path, value.described()
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _found(item, f"{path}.{key}" if path else str(key))
    elif hasattr(value, "model_fields_set"):
        for key in type(value).model_fields:
            yield from _found(getattr(value, key), f"{path}.{key}" if path else key)


def drawn(model: pm.Model, names: Sequence[str], draws: int, seed: int) -> dict[str, np.ndarray]:
    """Prior draws of variables of a model, by name, with draws in front.

    Every variable is drawn for all draws at once, so that neither a loop over draws nor a compiled
    function is needed: compiling one takes minutes.
    """
    batched: dict[Any, Any] = {}
    for rv in model.free_RVs:
        node = rv.owner
        if isinstance(node.op, RandomVariable):
            dims = model.named_vars_to_dims.get(rv.name) or (None,) * rv.ndim
            shape = [
                size if size is not None else len(model.coords[dim])
                for size, dim in zip(rv.type.shape, dims, strict=True)
            ]
            parameters = [
                _in_line(new, old, rv.ndim)
                for old in node.op.dist_params(node)
                for new in [vectorize_graph(old, replace=batched) if batched else old]
            ]
            _, batched[rv] = node.op(
                *parameters, size=(draws, *shape), rng=node.inputs[0], return_next_rng=True
            )
        else:  # symbolic distributions, which depend on no other variable here
            batched[rv] = change_dist_size(rv, (draws,), expand=True)
    graphs = vectorize_graph([model[name] for name in names], replace=batched)
    interpreted = Mode(linker="py", optimizer=None)  # type: ignore[arg-type]  # None: no rewrites
    reseed_rngs(find_rng_nodes(graphs), seed)
    with config.change_flags(cxx=""):  # else what is symbolic inside would be compiled as C
        values = function([], graphs, mode=interpreted)()
    return {
        name: _for_all(draws, value, model[name].ndim)
        for name, value in zip(names, values, strict=True)
    }


def _for_all(draws: int, value: np.ndarray, ndim: int) -> np.ndarray:
    """A value with draws in front, also where it is a constant of the model."""
    return np.broadcast_to(value, (draws, *value.shape)) if value.ndim == ndim else value


def _in_line(new: Any, old: Any, ndim: int) -> Any:
    """A parameter with draws in front, in line with the dims of its variable."""
    if new.ndim == old.ndim:  # it is the same for all draws
        return new
    return pt.expand_dims(new, tuple(range(1, 1 + ndim - old.ndim)))
