"""Functions of a model for the sampler: its log density and gradient, and its named variables.

They are recorded as tapes (:mod:`.tape`) and run without the interpreter's lock, so
that chains in threads do not wait for each other. All that touches nutpie is here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from densing_bayes.fitting.engine.machine import DRAWN, callbacks, packed, run, run_each
from densing_bayes.fitting.engine.tape import Tape, record
from densing_bayes.fitting.settings import Sampling

if TYPE_CHECKING:
    import pymc as pm

Floats = NDArray[np.float64]
POSITION = "position"
POLL = 0.02  # seconds between two looks at the chains
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
    # What is stable in the density is so in its gradient, at a part of the price.
    stable: Any = rewrite_graph(log_density, include=("stabilize",))
    start = np.concatenate([np.ravel(point[value.name]) for value in values]).astype(float)
    given = {
        model.rvs_to_values[free].name: model.rvs_to_initial_values[free] is not None
        for free in model.free_RVs
    }
    scatter = [np.full(np.size(point[v.name]), 0.0 if given[v.name] else 1.0) for v in values]
    gradient: Any = grad(stable, position)
    return Engine(
        density=record({position: start}, [stable, gradient]),
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
    sampling: Sampling,
    depth: int,
    progress: Callable[[float], None] | None = None,
) -> xr.DataTree:
    """Sample from the engine's start, or each chain near one of some positions.

    ``positions`` may leave out coordinates at the end, which then start near zero. ``depth`` is the
    largest of a tree, and ``progress`` is told the share of all draws made so far, now and then.

    Returns
    -------
    xarray.DataTree
        ``posterior`` with the kept variables, and ``sample_stats``.
    """
    settings: dict[str, Any] = {
        "draws": sampling.draws,
        "tune": sampling.tune,
        "target_accept": sampling.target_accept,
        "maxdepth": depth,
    }
    waiting = [
        partial(_begun, engine, _start(engine, positions, i), sampling.seed + i, settings)
        for i in range(sampling.chains)
    ]
    cores = sampling.cores or os.cpu_count() or 1
    total = sampling.chains * (sampling.draws + sampling.tune)
    running: list[Chain] = []
    ended: list[Chain] = []
    try:
        while waiting or running:
            while waiting and len(running) < cores:
                running.append(waiting.pop(0)())
            time.sleep(POLL)
            finished = [chain for chain in running if _finished(chain)]
            ended += finished
            running = [chain for chain in running if chain not in finished]
            if progress is not None:
                done = sum(int(chain.data[DRAWN]) for chain in (*running, *ended))
                progress(min(1.0, done / total))
    finally:
        for chain in running:  # after Ctrl-C, or an error of one chain
            chain.sampler.cancel()
    ended.sort(key=lambda chain: chain.seed)
    return _named(engine, [chain.sampler.wait() for chain in ended])


@dataclass(frozen=True, eq=False)
class Chain:
    """A chain that runs in a thread of nutpie's."""

    seed: int
    sampler: Any
    data: NDArray[np.uint64]  # its tape, with the number of draws so far


def _finished(chain: Chain) -> bool:
    try:
        return bool(chain.sampler.is_finished)
    except TimeoutError:  # nutpie's way to say not yet
        return False


def _start(engine: Engine, positions: list[Floats], number: int) -> Callable[[Any], Floats]:
    """Function from a seed to the start of a chain."""
    if not positions:

        def scattered(key: Any) -> Floats:
            random = np.random.default_rng(int(key) % 2**32)
            return engine.start + engine.scatter * random.uniform(-1.0, 1.0, engine.size)

        return scattered
    position = positions[number % len(positions)]
    at = np.pad(position, (0, engine.size - len(position)))

    def jittered(key: Any) -> Floats:
        return at + JITTER * np.random.default_rng(int(key) % 2**32).standard_normal(len(at))

    return jittered


def _begun(
    engine: Engine, start: Callable[[Any], Floats], seed: int, settings: dict[str, Any]
) -> Chain:
    import nutpie
    from nutpie.compile_pymc import CompiledPyMCModel

    tape, functions = engine.density, callbacks()
    places = [tape.inputs[POSITION].start, *(where.start for where, _ in tape.outputs)]
    data = packed(tape.blocks, tape.code, tape.listed, engine.memory(tape), tuple(places))
    model = CompiledPyMCModel(
        dims={},
        compiled_logp_func=functions.log_density,
        compiled_expand_func=functions.expand,
        initial_point_func=start,
        shared_data={},
        shared_var_keys={},
        user_data=data,
        n_expanded=engine.size,
        shape_info=([POSITION], [slice(0, engine.size)], [(engine.size,)]),
        logp_func=None,
        expand_func=None,
        _n_dim=engine.size,
        _shapes={POSITION: (engine.size,)},
        _coords={},
    )
    sampler = nutpie.sample(
        model,
        chains=1,
        cores=1,
        seed=seed,
        save_warmup=False,
        progress_bar=False,
        blocking=False,
        **settings,
    )
    return Chain(seed, sampler, data)


def joined(traces: list[Any], along: Literal["chain", "draw"] = "chain") -> xr.DataTree:
    """Traces as the chains of one, or as the draws of its chains."""
    count = sum(trace["posterior"].sizes[along] for trace in traces)
    return xr.DataTree.from_dict(
        {
            name: xr.concat([trace[name].dataset for trace in traces], along).assign_coords(
                {along: range(count)}
            )
            for name in ("posterior", "sample_stats")
        }
    )


def _named(engine: Engine, traces: list[Any]) -> xr.DataTree:
    """Chains of some traces as one, with the kept variables under their names."""
    trace = joined(traces)
    trace["posterior"] = xr.DataTree(expanded(engine, trace["posterior"].dataset[POSITION]))
    return trace


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
