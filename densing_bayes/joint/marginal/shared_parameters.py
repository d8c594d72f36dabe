"""Parameters that all systems share, at many draws, as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint.model import Parts, assemble, coordinates
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.observations import Observations

SAMPLE_DRAW = "sample_draw"
# Standardised effects that are given, with the unit that each belongs to.
EFFECTS = (
    ("lean_offset", "organisation"),
    ("release_lean_offset", "release"),
    ("period_offset", "period"),
)


class Given(NamedTuple):
    """What the scores of systems depend on, besides their latents: arrays with draws in front."""

    law: Floats  # E, a, alpha, b, beta in front, over loss-linked benchmarks
    floor: Floats
    ceiling: Floats
    steepness: Floats
    midpoint: Floats
    discrimination: Floats
    difficulty: Floats
    token_elasticity: Floats
    line: Floats  # over systems
    spread: Floats  # of systems
    shortfall: Floats  # scale over units; 0 without
    organisation: Floats  # spread; 0 without
    release: Floats  # spread; 0 without
    shift: Floats  # over cells, without leans
    lean: Floats  # over cells: of organisations and releases
    lean_spread: Floats  # 0 without
    release_lean_spread: Floats  # 0 without
    cell_spread: Floats
    noise: Floats
    offset: Floats  # of the measures beside the anchors
    repeat_noise: Floats  # of readings that repeat those of the cells


def shared_parameters(parts: Parts) -> dict[str, Any]:
    """Symbolic counterpart of :class:`Given`, by name."""
    trend, law, link, density = parts.trend, parts.law, parts.link, parts.density
    units = int(trend.unit.max()) + 1
    none = np.zeros(())
    return {f"law_{i}": parameter for i, parameter in enumerate(law)} | {
        "floor": link.floor,
        "ceiling": link.ceiling,
        "steepness": link.steepness,
        "midpoint": link.midpoint,
        "discrimination": link.discrimination,
        "difficulty": link.difficulty,
        "token_elasticity": link.token_elasticity,
        "line": trend.line,
        "spread": trend.spread,
        "shortfall": np.zeros(units) if trend.shortfall_scale is None else trend.shortfall_scale,
        "organisation": none if trend.organisation_spread is None else trend.organisation_spread,
        "release": none if trend.release_spread is None else trend.release_spread,
        "shift": density.cell_shift,
        "lean": density.cell_lean,
        "lean_spread": density.lean_spread,
        "release_lean_spread": density.release_lean_spread,
        "cell_spread": density.cell_spread,
        "noise": density.cell_noise,
        "offset": link.protocol_offset,
        "repeat_noise": density.repeat_noise,
    }


def vectorized(
    graphs: Mapping[str, Any], inputs: Sequence[Any]
) -> Callable[[Sequence[Floats]], dict[str, Floats]]:
    """Function that evaluates graphs at many draws at once, draws in front; nothing is compiled."""
    import pytensor.tensor as pt
    from pytensor.compile.maker import function
    from pytensor.compile.mode import Mode
    from pytensor.graph.replace import vectorize_graph

    symbols = {name: pt.as_tensor(graph) for name, graph in graphs.items()}
    batched = {
        x: pt.tensor(f"{x.name}_draws", dtype=x.dtype, shape=(None, *x.type.shape)) for x in inputs
    }
    at = function(
        list(batched.values()),
        vectorize_graph(list(symbols.values()), replace=batched),
        mode=Mode(linker="py", optimizer=None),  # type: ignore[arg-type]  # None: no rewrites
        on_unused_input="ignore",
    )

    def evaluate(draws: Sequence[Floats]) -> dict[str, Floats]:
        count, found = len(draws[0]), {}
        for (name, symbol), value in zip(symbols.items(), at(*draws), strict=True):
            constant = value.ndim == symbol.ndim  # it depends on no input
            shape = (count, *value.shape) if constant else value.shape
            found[name] = np.ascontiguousarray(np.broadcast_to(value, shape), dtype=np.float64)
        return found

    return evaluate


def given(spec: ModelSpec, observed: Observations, draws: xr.Dataset) -> Given:
    """Evaluate what the scores depend on at draws of the globals.

    Parameters
    ----------
    spec, observed
        Of the fit; the systems may be others than those that it was fitted to.
    draws
        Variables of the posterior with the one sample dim ``sample_draw``.
    """
    parts = assemble(spec, observed)
    draws = of_units(spec, observed, draws)
    return as_given(at_draws(shared_parameters(parts), parts, draws))


def of_units(spec: ModelSpec, observed: Observations, draws: xr.Dataset) -> xr.Dataset:
    """Draws of effects of organisations, releases and periods, for those of the observations.

    One that the fit knows keeps its own; for another, each draw takes one from the prior.
    """
    coords = coordinates(spec, observed)
    for number, (name, unit) in enumerate(EFFECTS):
        if name not in draws or list(draws[unit].values) == list(coords[unit]):
            continue
        own = draws[name].transpose(SAMPLE_DRAW, unit, ...)
        random = np.random.default_rng([own.sizes[unit], number])
        count, _, *rest = own.shape
        new = random.standard_normal((count, len(coords[unit]), *rest))
        effects = known_or_new(own, unit, coords[unit], new)
        draws = draws.drop_dims(unit).assign({name: (own.dims, effects)})
    return draws


def known_or_new(own: xr.DataArray, unit: str, labels: Sequence[str], new: Floats) -> Floats:
    """Effects of units by label: those that a fit has, and new ones for units that it has not.

    Parameters
    ----------
    own
        Draws of the effects that the fit has.
    unit
        The dim that its units run along.
    labels
        Of the units that are wanted.
    new
        An effect for each of them, with the dims of ``own``.
    """
    known, axis = list(own[unit].values), own.get_axis_num(unit)
    effects = new.copy()
    wanted, values = np.moveaxis(effects, axis, 0), np.moveaxis(own.to_numpy(), axis, 0)
    for i, label in enumerate(labels):
        if label in known:
            wanted[i] = values[known.index(label)]
    return effects


def at_draws(
    graphs: Mapping[str, Any],
    parts: Parts,
    draws: xr.Dataset,
    also: Mapping[Any, Floats] | None = None,
) -> dict[str, Floats]:
    """Graphs of a model at draws of its variables, and at values of other symbols."""
    from pytensor.graph.traversal import ancestors

    also = also or {}
    needed = set(ancestors([graph for graph in graphs.values() if hasattr(graph, "owner")]))
    free = [rv for rv in parts.model.free_RVs if rv in needed]
    values = [draws[rv.name].transpose(SAMPLE_DRAW, ...).to_numpy() for rv in free]
    return vectorized(graphs, [*also, *free])([*also.values(), *values])


def as_given(found: dict[str, Floats]) -> Given:
    """Values of :func:`shared_parameters` as the kernel takes them."""
    law = np.stack([found[f"law_{i}"] for i in range(5)])
    return Given(law, **{name: found[name] for name in Given._fields if name != "law"})
