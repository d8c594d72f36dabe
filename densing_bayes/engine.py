"""Functions of a model for the sampler: its log density and gradient, and its named variables.

They are recorded as tapes (:mod:`densing_bayes.tape`) and run without the interpreter's lock, so
that chains in threads do not wait for each other. All that touches nutpie is here.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from densing_bayes.machine import run, run_each
from densing_bayes.tape import Tape, record

if TYPE_CHECKING:
    import pymc as pm

Floats = NDArray[np.float64]
POSITION = "position"
JITTER = 0.1  # of the start of a chain about a position that is given


@dataclass(frozen=True)
class Engine:
    """A model ready to be sampled.

    Attributes
    ----------
    density
        Tape from a position to the log density and its gradient.
    expansion
        Tape from a position to the kept variables.
    dims, coords
        Dims of each kept variable by name, and labels along those that have any.
    start, scatter
        Where chains start, and by how much each coordinate is scattered about it.
    data
        Values of the model's data in place of those at recording.
    """

    density: Tape
    expansion: Tape
    dims: dict[str, tuple[str, ...]]
    coords: dict[str, Any]
    start: Floats
    scatter: Floats
    data: dict[str, Any]

    @property
    def size(self) -> int:
        """Number of free values."""
        return len(self.start)

    def with_data(self, **values: Any) -> Engine:
        """The same with other values of some of the model's data, of the same shapes."""
        return replace(self, data=self.data | values)

    def memory(self, tape: Tape) -> Floats:
        """Memory for runs of a tape, with the data in place."""
        memory = tape.memory.copy()
        for name, value in self.data.items():
            if name in tape.inputs:
                memory[tape.inputs[name]] = np.ravel(value)
        return memory

    def log_density(self) -> Callable[[Floats], tuple[float, Floats]]:
        """Log density and gradient at a position; each thread needs a function of its own."""
        blocks, code, index, _, inputs, outputs = self.density
        memory, position = self.memory(self.density), inputs[POSITION]
        (value, _), (gradient, _) = outputs

        def at(x: Floats) -> tuple[float, Floats]:
            memory[position] = x
            run(blocks, code, index, memory)
            return memory[value.start], memory[gradient].copy()

        return at

    def expanded(self, positions: Floats) -> dict[str, Floats]:
        """Kept variables at positions (..., position), by name and with the same dims in front."""
        blocks, code, index, _, inputs, outputs = self.expansion
        rows = np.ascontiguousarray(positions.reshape(-1, self.size), dtype=float)
        spans = [np.arange(where.start, where.stop) for where, _ in outputs]
        places = np.concatenate(spans).astype(np.uint64)
        found = np.empty((len(rows), len(places)))
        begin = np.uint64(inputs[POSITION].start)
        run_each(blocks, code, index, self.memory(self.expansion), begin, rows, places, found)
        parts = np.split(found, np.cumsum([len(span) for span in spans])[:-1], axis=1)
        return {
            name: part.reshape((*positions.shape[:-1], *shape))
            for name, part, (_, shape) in zip(self.dims, parts, outputs, strict=True)
        }


def make_engine(model: pm.Model, names: list[str] | None = None) -> Engine:
    """Record the functions of a model.

    Parameters
    ----------
    model
        A model. Variables with an initial value of their own start there in every chain, the
        others within 1 of their prior's centre.
    names
        Variables to keep besides those that are sampled; by default all with a name.
    """
    from pymc.pytensorf import join_nonshared_inputs
    from pytensor.gradient import grad
    from pytensor.graph.rewriting.utils import rewrite_graph

    values, point = model.value_vars, model.initial_point()
    kept = [*model.free_RVs, *model.deterministics]
    if names is not None:
        kept = [rv for rv in kept if rv.name in names]
    whole = [model.logp(), *model.replace_rvs_by_values(kept)]
    (log_density, *expansion), position = join_nonshared_inputs(
        point=point, outputs=whole, inputs=values
    )
    position.name = POSITION
    # What is simple or stable in the density is so in its gradient, at half the price.
    log_density = rewrite_graph(log_density, include=("canonicalize", "stabilize"))
    start = np.concatenate([np.ravel(point[value.name]) for value in values]).astype(float)
    given = {
        model.rvs_to_values[free].name: model.rvs_to_initial_values[free] is not None
        for free in model.free_RVs
    }
    scatter = [np.full(np.size(point[v.name]), 0.0 if given[v.name] else 1.0) for v in values]
    return Engine(
        density=record({position: start}, [log_density, grad(log_density, position)]),
        expansion=record({position: start}, expansion),
        dims={rv.name: dims_of(model, rv) for rv in kept},
        coords={name: list(labels) for name, labels in model.coords.items() if labels is not None},
        start=start,
        scatter=np.concatenate(scatter),
        data={},
    )


def dims_of(model: pm.Model, rv: Any) -> tuple[str, ...]:
    """Names of the dims of a variable, made up where it has none."""
    named = model.named_vars_to_dims.get(rv.name) or (None,) * rv.ndim
    return tuple(name or f"{rv.name}_dim_{i}" for i, name in enumerate(named))


def sample(
    engine: Engine,
    positions: list[Floats],
    *,
    draws: int,
    tune: int,
    chains: int,
    cores: int,
    seed: int,
    target_accept: float,
    depth: int,
    progress: bool = False,
) -> xr.DataTree:
    """Sample from the engine's start, or each chain near one of some positions.

    ``positions`` may leave out coordinates at the end, which then start near zero.

    Returns
    -------
    xarray.DataTree
        ``posterior`` with the kept variables, and ``sample_stats``.
    """
    import nutpie

    settings: dict[str, Any] = {
        "draws": draws,
        "tune": tune,
        "target_accept": target_accept,
        "maxdepth": depth,
        "save_warmup": False,
    }
    if not positions:

        def scattered(key: Any) -> Floats:
            random = np.random.default_rng(int(key) % 2**64)
            return engine.start + engine.scatter * random.uniform(-1.0, 1.0, engine.size)

        trace = nutpie.sample(
            _for_nutpie(engine, scattered),
            chains=chains,
            cores=cores,
            seed=seed,
            progress_bar=progress,
            **settings,
        )
        return _named(engine, [trace])

    def near(number: int) -> Callable[[Any], Floats]:
        position = positions[number % len(positions)]
        at = np.pad(position, (0, engine.size - len(position)))

        def jittered(key: Any) -> Floats:
            return at + JITTER * np.random.default_rng(int(key) % 2**32).standard_normal(len(at))

        return jittered

    def chain(number: int) -> Any:
        return nutpie.sample(
            _for_nutpie(engine, near(number)),
            chains=1,
            cores=1,
            seed=seed + number,
            progress_bar=False,
            **settings,
        )

    with ThreadPoolExecutor(cores) as pool:
        return _named(engine, list(pool.map(chain, range(chains))))


def _for_nutpie(engine: Engine, start: Callable[[Any], Floats]) -> Any:
    """The engine as nutpie's model; draws are expanded afterwards, all at once."""
    from nutpie.compiled_pyfunc import from_pyfunc

    return from_pyfunc(
        ndim=engine.size,
        make_logp_fn=engine.log_density,
        make_expand_fn=lambda *_: lambda x: {POSITION: x},
        expanded_dtypes=[np.dtype(float)],
        expanded_shapes=[(engine.size,)],
        expanded_names=[POSITION],
        make_initial_point_fn=start,
    )


def _named(engine: Engine, traces: list[Any]) -> xr.DataTree:
    """Chains of some traces as one, with the kept variables under their names."""
    count = sum(trace["posterior"].sizes["chain"] for trace in traces)
    stats, drawn = (
        xr.concat([trace[group].dataset for trace in traces], "chain").assign_coords(
            chain=range(count)
        )
        for group in ("sample_stats", "posterior")
    )
    return xr.DataTree.from_dict(
        {"posterior": expanded(engine, drawn[POSITION]), "sample_stats": stats}
    )


def expanded(engine: Engine, positions: xr.DataArray) -> xr.Dataset:
    """Kept variables at draws of the position, dims (chain, draw, ...)."""
    found = engine.expanded(positions.transpose("chain", "draw", ...).to_numpy())
    return xr.Dataset(
        {name: (("chain", "draw", *engine.dims[name]), values) for name, values in found.items()},
        coords={
            name: engine.coords[name]
            for dims in engine.dims.values()
            for name in dims
            if name in engine.coords
        }
        | {name: positions[name] for name in ("chain", "draw")},
    )
