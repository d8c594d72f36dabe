"""Sampling of a conditioned model: a short pilot, the chains that count, and each mode anew."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from densing_bayes.fitting.engine.functions import Engine, joined
from densing_bayes.fitting.engine.functions import sample as run_chains
from densing_bayes.fitting.settings import Sampling
from densing_bayes.posterior.diagnostics import TREE_DEPTH_LIMIT
from densing_bayes.posterior.draws import stacked
from densing_bayes.progress import Tell, unheard

if TYPE_CHECKING:
    from densing_bayes.fitting.coordinates.conditioned import Conditioned
    from densing_bayes.fitting.whitening import Whitening

# A pilot needs the shape of the posterior, not draws that are worth much: tuning steps, draws and
# depth of trees. The first is a scout, where the Laplace approximation may be far off and a draw
# costs most; the second is made again where it still finds the whitening to be no good.
PILOTS = ((150, 150, 6), (250, 400, 7), (250, 400, 7))
PILOT_ACCEPT = 0.8
# Log densities of draws scatter by sqrt(n / 2) in n dimensions. Chains whose mean lies further
# below the best one's than this many sqrt(n) are not there yet, or nowhere.
LOST = 3.0
WIDE = 10.0  # spread of pilot draws, in whitened units, above which the whitening was no good


def pilot_run(
    engine: Engine, whitening: Whitening, sampling: Sampling, tell: Tell = unheard
) -> Whitening:
    """Refine the whitening by a short run; too few draws for its covariance keep the Laplace.

    Where the whitening was far off, chains lose their way or draws spread far beyond it: then the
    run is made again, near the centre of those chains that found the posterior.
    """
    chains, origin = max(sampling.chains, 4), np.zeros(len(whitening.globals_centre))
    for number, (tune, draws, depth) in enumerate(PILOTS):
        trace = run_chains(
            engine.with_data(**whitening._asdict()),
            [origin],
            Sampling(
                draws, tune, chains, sampling.cores, sampling.seed + 1 + 1000 * number, PILOT_ACCEPT
            ),
            depth,
            partial(tell, "pilot"),
        )
        height = trace["sample_stats"]["logp"].mean("draw").to_numpy()
        arrived = np.flatnonzero(height > height.max() - LOST * np.sqrt(engine.size))
        whitened = trace["posterior"]["whitened"].isel(chain=arrived)
        spread = float(whitened.std(("chain", "draw")).max())
        whitening = _refined(whitening, trace, list(arrived))
        if number and len(arrived) == chains and spread < WIDE:
            break
    return whitening


def _refined(
    whitening: Whitening, trace: xr.DataTree, chains: list[int] | slice = slice(None)
) -> Whitening:
    """Whitening from draws of the conditioned model, or from some of its chains."""
    from densing_bayes.fitting.whitening import refine

    posterior = trace["posterior"].dataset[["whitened", "log_effective_params"]]
    flat = stacked(posterior.isel(chain=chains), "each").transpose("each", ...)
    return refine(whitening, flat["whitened"].values, flat["log_effective_params"].values)


def sample(
    conditioned: Conditioned,
    engine: Engine,
    whitening: Whitening,
    positions: list[np.ndarray],
    sampling: Sampling,
    tell: Tell = unheard,
) -> xr.DataTree:
    """Sample near the origin of the coordinates, or each chain near one of some positions."""
    if sampling.sampler == "nutpie":
        return run_chains(
            engine.with_data(**whitening._asdict()),
            positions,
            sampling,
            TREE_DEPTH_LIMIT,
            partial(tell, "sampling"),
        )
    import pymc as pm

    for name, value in whitening._asdict().items():
        conditioned.model[name].set_value(value)
    at = [{"whitened": position} for position in positions]
    trace = pm.sample(
        draws=sampling.draws,
        tune=sampling.tune,
        chains=sampling.chains,
        cores=sampling.cores,
        random_seed=sampling.seed,
        target_accept=sampling.target_accept,
        progressbar=False,
        max_treedepth=TREE_DEPTH_LIMIT,
        model=conditioned.model,
        nuts_sampler="pymc",
        init="jitter+adapt_diag",
        initvals=[at[chain % len(at)] for chain in range(sampling.chains)] if at else None,
        compute_convergence_checks=False,
    )
    renamed = {"tree_depth": "depth", "lp": "logp"}
    trace["sample_stats"] = trace["sample_stats"].dataset.rename(renamed)
    return trace


def continued(
    conditioned: Conditioned,
    engine: Engine,
    whitening: Whitening,
    trace: xr.DataTree,
    sampling: Sampling,
    tell: Tell = unheard,
) -> xr.DataTree:
    """Twice as many draws of each chain: those of a trace, and as many with a whitening from it."""
    chains = trace["posterior"].sizes["chain"]
    more = replace(sampling, chains=chains, seed=sampling.seed + 50)
    new = sample(conditioned, engine, _refined(whitening, trace), [], more, tell)
    return joined([trace, new], "draw")


def by_mode(
    conditioned: Conditioned,
    engine: Engine,
    whitening: Whitening,
    trace: xr.DataTree,
    groups: list[list[int]],
    sampling: Sampling,
    tell: Tell = unheard,
) -> xr.DataTree:
    """Sample each mode anew, with a whitening of its own: one whitening serves one mode."""
    traces = []
    for number, chains in enumerate(groups, start=1):
        own = _refined(whitening, trace, chains)
        more = replace(sampling, chains=max(2, len(chains)), seed=sampling.seed + 100 * number)
        traces.append(sample(conditioned, engine, own, [], more, tell))
    return joined(traces)
