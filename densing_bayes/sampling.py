"""Sampling of a conditioned model: a short pilot, the chains that count, and each mode anew."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from densing_bayes.diagnostics import TREE_DEPTH_LIMIT
from densing_bayes.draws import stacked

if TYPE_CHECKING:
    import pymc as pm

    from densing_bayes.conditioned import Conditioned
    from densing_bayes.laplace import Whitening

PILOT_DRAWS = 400
PILOT_TUNE = 300
JITTER = 0.1  # of the start of a chain about its position
PILOT_DEPTH = 7  # a pilot needs the shape of the posterior, not draws that are worth much
PILOT_ROUNDS = 3
PILOT_ACCEPT = 0.8
# Log densities of draws scatter by sqrt(n / 2) in n dimensions. Chains whose mean lies further
# below the best one's than this many sqrt(n) are not there yet, or nowhere.
LOST = 3.0
WIDE = 10.0  # spread of pilot draws, in whitened units, above which the whitening was no good


def compile_model(model: pm.Model, names: list[str] | None = None) -> Any:
    """Compile a model for nutpie; ``names`` are the variables to keep, by default all.

    Variables with an initial value of their own start there in every chain, the others within 1 of
    their prior's centre.
    """
    import nutpie
    from pytensor.configdefaults import config

    scattered = {free for free in model.free_RVs if model.rvs_to_initial_values[free] is None}
    # Fast math would give other roundings, and so other draws, from a warm cache than from a cold.
    with config.change_flags(numba__fastmath=False):
        return nutpie.compile_pymc_model(model, var_names=names, jitter_rvs=scattered)


def log_density(compiled: Any, position: np.ndarray) -> tuple[float, np.ndarray]:
    """Log density and its gradient at a position, as the sampler sees them.

    The function that the sampler calls: PyTensor's own would have to be compiled a second time.
    """
    size = compiled.n_dim
    x, gradient, value = np.array(position, float), np.full(size, np.nan), np.full(1, np.nan)
    function = compiled.compiled_logp_func.ctypes
    function(size, _start(x), _start(gradient), _start(value), compiled.user_data.ctypes.data)
    return float(value[0]), gradient


def expanded(compiled: Any, position: np.ndarray) -> np.ndarray:
    """All kept values at a position in one vector, laid out as ``compiled.shape_info`` says."""
    size, kept = compiled.n_dim, compiled.n_expanded
    x, values = np.array(position, float), np.full(kept, np.nan)
    function = compiled.compiled_expand_func.ctypes
    function(size, kept, _start(x), _start(values), compiled.user_data.ctypes.data)
    return values


def _start(array: np.ndarray) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_double))


def pilot_run(compiled: Any, whitening: Whitening, chains: int, cores: int, seed: int) -> Whitening:
    """Refine the whitening by a short run; too few draws for its covariance keep the Laplace.

    Where the Laplace approximation was far off, chains lose their way or draws spread far beyond
    it: then the run is made again, near the centre of those chains that found the posterior.
    """
    chains, origin = max(chains, 4), np.zeros(len(whitening.globals_centre))
    for number in range(PILOT_ROUNDS):
        trace = _nutpie(
            compiled.with_data(**whitening._asdict()),
            [origin],
            chains,
            cores,
            seed + 1 + 1000 * number,
            draws=PILOT_DRAWS,
            tune=PILOT_TUNE,
            maxdepth=PILOT_DEPTH,
            target_accept=PILOT_ACCEPT,
            progress_bar=False,
        )
        height = trace["sample_stats"]["logp"].mean("draw").to_numpy()
        arrived = np.flatnonzero(height > height.max() - LOST * np.sqrt(compiled.n_dim))
        whitened = trace["posterior"]["whitened"].isel(chain=arrived)
        spread = float(whitened.std(("chain", "draw")).max())
        whitening = _refined(whitening, trace, list(arrived))
        if len(arrived) == chains and spread < WIDE:
            break
    return whitening


def _refined(
    whitening: Whitening, trace: xr.DataTree, chains: list[int] | slice = slice(None)
) -> Whitening:
    """Whitening from draws of the conditioned model, or from some of its chains."""
    from densing_bayes.laplace import refine

    posterior = trace["posterior"].dataset[["whitened", "log_effective_params"]]
    flat = stacked(posterior.isel(chain=chains), "each").transpose("each", ...)
    return refine(whitening, flat["whitened"].values, flat["log_effective_params"].values)


def sample(
    conditioned: Conditioned,
    compiled: Any,
    whitening: Whitening,
    positions: list[np.ndarray],
    sampler: str,
    *,
    draws: int,
    tune: int,
    chains: int,
    cores: int,
    seed: int,
    target_accept: float,
    progress: bool,
) -> xr.DataTree:
    """Sample near the origin of the coordinates, or each chain near one of some positions."""
    if sampler == "nutpie":
        trace = _nutpie(
            compiled.with_data(**whitening._asdict()),
            positions,
            chains,
            cores,
            seed,
            draws=draws,
            tune=tune,
            target_accept=target_accept,
            progress_bar=progress,
        )
        if trace["posterior"].sizes["draw"] < draws:  # nutpie keeps what it has on Ctrl-C
            raise KeyboardInterrupt
        return trace
    import pymc as pm

    for name, value in whitening._asdict().items():
        conditioned.model[name].set_value(value)
    at = [{"whitened": position} for position in positions]
    trace = pm.sample(
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        random_seed=seed,
        target_accept=target_accept,
        progressbar=progress,
        max_treedepth=TREE_DEPTH_LIMIT,
        model=conditioned.model,
        nuts_sampler="pymc",
        init="jitter+adapt_diag",
        initvals=[at[chain % len(at)] for chain in range(chains)] if at else None,
        compute_convergence_checks=False,
    )
    renamed = {"tree_depth": "depth", "lp": "logp"}
    trace["sample_stats"] = trace["sample_stats"].dataset.rename(renamed)
    return trace


def by_mode(
    conditioned: Conditioned,
    compiled: Any,
    whitening: Whitening,
    trace: xr.DataTree,
    groups: list[list[int]],
    sampler: str,
    *,
    seed: int,
    **settings: Any,
) -> xr.DataTree:
    """Sample each mode anew, with a whitening of its own: one whitening serves one mode."""
    traces = []
    for number, chains in enumerate(groups):
        own = _refined(whitening, trace, chains)
        new = sample(
            conditioned,
            compiled,
            own,
            [],
            sampler,
            chains=max(2, len(chains)),
            seed=seed + 100 * (number + 1),
            **settings,
        )
        traces.append(new)
    return _joined(traces)


def _nutpie(
    compiled: Any,
    positions: list[np.ndarray],
    chains: int,
    cores: int,
    seed: int,
    **settings: Any,
) -> xr.DataTree:
    """Sample near the origin, or each chain near one of some positions of the globals."""
    import nutpie

    if not positions:
        return nutpie.sample(
            compiled,
            chains=chains,
            cores=cores,
            seed=seed,
            save_warmup=False,
            **({"maxdepth": TREE_DEPTH_LIMIT} | settings),
        )

    def near(position: np.ndarray, key: Any) -> np.ndarray:
        jitter = np.random.default_rng(int(key) % 2**32).standard_normal(compiled.n_dim)
        return np.pad(position, (0, compiled.n_dim - len(position))) + JITTER * jitter

    def chain(number: int) -> xr.DataTree:
        start = partial(near, positions[number % len(positions)])
        return nutpie.sample(
            replace(compiled, initial_point_func=start),
            chains=1,
            cores=1,
            seed=seed + number,
            save_warmup=False,
            **({"maxdepth": TREE_DEPTH_LIMIT} | settings | {"progress_bar": False}),
        )

    with ThreadPoolExecutor(cores) as pool:
        return _joined(list(pool.map(chain, range(chains))))


def _joined(traces: list[xr.DataTree]) -> xr.DataTree:
    """Traces as the chains of one."""
    count = sum(trace["posterior"].sizes["chain"] for trace in traces)
    return xr.DataTree.from_dict(
        {
            name: xr.concat([trace[name].dataset for trace in traces], "chain").assign_coords(
                chain=range(count)
            )
            for name in ("posterior", "sample_stats")
        }
    )
