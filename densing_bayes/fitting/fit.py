"""Fitting: pilot, whitening, sampling, verdict."""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from densing_bayes.errors import FitError
from densing_bayes.fitting.chains import by_mode, continued, pilot_run, sample
from densing_bayes.fitting.compiled import Compiled, compile_fit
from densing_bayes.fitting.engine.machine import is_compiled
from densing_bayes.fitting.settings import (
    LEAST_CHAINS,
    LEAST_DRAWS,
    LEAST_TUNE,
    MAX_SEED,
    PRIOR_DRAWS,
    SEED,
    TARGET_ACCEPT,
)
from densing_bayes.inputs.hypothesis import Hypothesis
from densing_bayes.inputs.panel import Panel, load_panel
from densing_bayes.inputs.specification import ModelSpec, load_hypothesis, load_spec
from densing_bayes.observed.observations import Observations, observe
from densing_bayes.posterior.result import Fit
from densing_bayes.progress import Tell, expected, phases, unheard

PHASES = {"model": 3.0, "pilot": 2.0, "sampling": 6.5, "summaries": 2.0}  # seconds, about
ENOUGH = 100  # draws of a chain, below which modes are not told from chance


def fit(
    spec: ModelSpec | str | os.PathLike[str] = "joint",
    panel: Panel | str | os.PathLike[str] | None = None,
    *,
    hypothesis: Hypothesis | str | os.PathLike[str] | None = None,
    draws: int = 1000,
    tune: int = 500,
    chains: int = 4,
    cores: int | None = None,
    seed: int = SEED,
    target_accept: float = TARGET_ACCEPT,
    sampler: Literal["nutpie", "pymc"] = "nutpie",
    progress: Tell | bool | None = None,
) -> Fit:
    """Fit a specification to a panel.

    Least squares give a start, a Laplace approximation and a short pilot run the whitening; then
    the conditioned model is sampled and judged. The verdict is stored with the fit: a fit that
    has not converged is returned, marked FAIL with its reasons.

    Parameters
    ----------
    spec
        A specification, or the name or path of one.
    panel
        A panel, or the name or folder of one; by default the specification's own.
    hypothesis
        What the trend did, or the name or path of such a hypothesis; by default what the
        specification says.
    draws, tune, chains
        Draws and tuning steps of each chain, and number of chains. Chains that miss the limits of
        R-hat or effective size by little go on for as many draws again.
    cores
        Processes to sample on; by default what the machine has, at most one a chain.
    seed
        Seed of everything random: the same seed on the same machine gives the same numbers.
    target_accept
        Acceptance that the step size aims at; nearer to 1 means smaller steps, the remedy for a
        few divergent transitions.
    sampler
        "nutpie", or "pymc" for PyMC's own NUTS (slower).
    progress
        Show what is done, with a bar of the draws; by default on a terminal only. Or a function
        that is told the phase ("model", "pilot", "sampling", "summaries") and the share of it that
        is done.

    Raises
    ------
    TableError, SpecError
        If panel or specification are not valid.
    FitError
        If sampling is not possible.
    """
    check_settings(draws, tune, chains, seed)
    _check_sampler(target_accept, sampler)
    started = time.perf_counter()
    spec = spec if isinstance(spec, ModelSpec) else load_spec(spec)
    if hypothesis is not None:
        if not isinstance(hypothesis, Hypothesis):
            hypothesis = load_hypothesis(hypothesis)
        spec = spec.under(hypothesis)
    if not isinstance(panel, Panel):
        panel = load_panel(spec.panel.source if panel is None else panel)
    with _told(progress) as tell:
        tell("model", 0.0)
        observed = observe(panel, spec)
        compiled = compile_fit(spec, observed)
        source = {"panel": panel.name, "tables_hash": panel.sha256}
        return fit_compiled(
            compiled,
            observed,
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            seed=seed,
            target_accept=target_accept,
            sampler=sampler,
            tell=tell,
            source=source,
            started=started,
        )


def _told(progress: Tell | bool | None) -> AbstractContextManager[Tell]:
    """The function to tell, within a block that shows what it is told."""
    if callable(progress):
        return nullcontext(progress)
    if progress or (progress is None and sys.stderr.isatty()):
        return phases(*expected(PHASES, is_compiled()))
    return nullcontext(unheard)


def whole(tell: Tell) -> Tell:
    """Function to tell of phases, which tells ``tell`` the share of the whole fit."""
    seconds = list(PHASES.values())
    begin = dict(zip(PHASES, np.cumsum([0.0, *seconds[:-1]]), strict=True))

    def told(phase: str, share: float) -> None:
        tell(phase, float(begin[phase] + PHASES[phase] * share) / sum(seconds))

    return told


def fit_compiled(
    compiled: Compiled,
    observed: Observations,
    *,
    spec: ModelSpec | None = None,
    near: Fit | None = None,
    draws: int,
    tune: int,
    chains: int,
    cores: int | None,
    seed: int,
    target_accept: float = TARGET_ACCEPT,
    sampler: Literal["nutpie", "pymc"] = "nutpie",
    tell: Tell = unheard,
    prior: bool = True,
    source: dict[str, Any] | None = None,
    started: float | None = None,
    seen: NDArray[np.bool_] | None = None,
) -> Fit:
    """Fit observations with a model compiled for their shape; arguments as of :func:`fit`.

    ``spec`` is another specification that the compiled model serves, ``near`` a fit of the same
    panel, or of one like it, whose pilot serves, and ``prior=False`` leaves the prior draws out,
    for many fits of simulated panels. With ``seen``, over systems, the fit is that of
    ``observed.of_systems(seen)``: the others keep their places in the compiled arrays, say
    nothing, and are dropped from the draws.
    """
    from densing_bayes.fitting.coordinates import global_point
    from densing_bayes.fitting.modes import chain_groups, multimodality
    from densing_bayes.fitting.start import loss_optima, pilot
    from densing_bayes.fitting.whitening import laplace, whitened, whitening_near
    from densing_bayes.posterior.diagnostics import too_short

    compiled_at = time.perf_counter()
    parts, conditioned, engine = compiled[1:]
    spec = spec or compiled.spec
    if not compiled.serves(spec, observed):
        raise FitError("the compiled model has another structure: compile this specification anew")
    cores = min(chains, cores or os.cpu_count() or 1)
    whole = observed
    seen = np.ones(len(observed.systems), dtype=bool) if seen is None else seen
    measured = {
        "loss_data": observed.loss,
        "reference_loss_data": np.nan_to_num(observed.reference_loss, nan=0.0),
        "reference_score_data": observed.reference_score,
        "score_data": observed.score,
    }
    if observed.repeat_label:
        measured["repeat_data"] = observed.repeat_score
    cells_seen = seen[observed.cell_system].astype(float)
    conditioned.model["cell_seen"].set_value(cells_seen)
    dates = compiled.dates(spec, observed)
    measured |= dates
    for name, value in measured.items():
        parts.model[name].set_value(value)
    initial = parts.model.initial_point()
    global_point(conditioned, pilot(spec, observed).point(initial))
    engine = engine.with_data(**measured, cell_seen=cells_seen)
    tell("pilot", 0.0)
    whitening = None
    idle = compiled.idle(spec)
    if near is not None:
        pilot_found = near.data["pilot"].dataset
        whitening = whitening_near(conditioned, engine, pilot_found, idle)
    if whitening is None:
        whitening = pilot_run(engine, laplace(conditioned, engine), chains, cores, seed, tell)
        pilot_found = whitening.dataset(conditioned, idle)
    else:  # the pilot may know coordinates besides, of use to others
        modes = whitening.dataset(conditioned, idle)[["cell_mode"]]
        pilot_found = pilot_found.drop_dims("cell").merge(modes)
    # Where the loss laws have several optima, the chains start from different ones.
    optima = loss_optima(spec, observed)
    positions = [
        whitened(conditioned, whitening, pilot(spec, observed, exponents).point(initial))
        for exponents in (optima[:chains] if len(optima) > 1 else [])
    ]
    piloted_at = time.perf_counter()
    settings: dict[str, Any] = {
        "draws": draws,
        "tune": tune,
        "cores": cores,
        "target_accept": target_accept,
        "tell": tell,
    }
    trace = sample(
        conditioned,
        engine,
        whitening,
        positions,
        sampler,
        chains=chains,
        seed=seed,
        **settings,
    )
    drawn = trace["posterior"].dataset[compiled.names]
    groups_of = chain_groups(drawn) if draws >= ENOUGH else [list(range(chains))]
    if len(groups_of) > 1:
        trace = by_mode(
            conditioned, engine, whitening, trace, groups_of, sampler, seed=seed, **settings
        )
    tell("summaries", 0.0)
    posterior, statistics, diagnostics, table = _judged(trace, compiled.names, spec, whole, seen)
    if len(groups_of) == 1 and too_short(diagnostics):
        trace = continued(conditioned, engine, whitening, trace, sampler, seed=seed, **settings)
        tell("summaries", 0.0)
        posterior, statistics, diagnostics, table = _judged(
            trace, compiled.names, spec, whole, seen
        )
    sampled_at = time.perf_counter()
    if not seen.all():
        observed = observed.of_systems(seen)
        pilot_found = pilot_found.sel(cell=list(observed.cell_label))
    groups = {
        "posterior": posterior,
        "sample_stats": statistics,
        "diagnostics": table,
        "observed_data": xr.Dataset(
            {"score": ("cell", observed.score)}, coords={"cell": list(observed.cell_label)}
        ),
        "constant_data": xr.Dataset(
            {name: ("change", getattr(observed, name)) for name in dates if observed.changes},
            coords={"change": list(observed.changes)},
        ),
        "pilot": pilot_found,
    }
    if prior:
        groups["prior"] = _relabelled(_prior(compiled, seed), spec, whole)
        if whole is not observed:
            groups["prior"] = _narrowed(groups["prior"], spec, observed)
    now = time.perf_counter()
    provenance = (source or {}) | {
        "spec_hash": spec.hash,
        "data_hash": observed.hash(),
        "seed": seed,
        "sampler": {
            "name": sampler,
            "draws": posterior.sizes["draw"],
            "tune": tune,
            "chains": chains,
            "cores": cores,
            "target_accept": target_accept,
            "starts": max(1, len(positions)),
        },
        "seconds": {
            "compile": compiled_at - (started or compiled_at),
            "pilot": piloted_at - compiled_at,
            "sampling": sampled_at - piloted_at,
            "total": now - (started or compiled_at),
        },
        "versions": {
            name: version(name)
            for name in ("densing-bayes", "pymc", "pytensor", "nutpie", "arviz", "numpy")
        },
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }
    found = Fit(xr.DataTree.from_dict(groups), spec, observed, diagnostics, provenance)
    if len(groups_of) > 1:
        diagnostics |= multimodality(found)
    return found


def _judged(
    trace: xr.DataTree,
    names: list[str],
    spec: ModelSpec,
    observed: Observations,
    seen: NDArray[np.bool_],
) -> tuple[xr.Dataset, xr.Dataset, dict[str, Any], xr.Dataset]:
    """Draws of what the specification and the seen systems have, statistics, and the verdict."""
    from densing_bayes.posterior.diagnostics import diagnose

    posterior = _relabelled(trace["posterior"].dataset[names], spec, observed)
    if not seen.all():
        posterior = _narrowed(posterior, spec, observed.of_systems(seen))
    statistics = trace["sample_stats"].dataset[
        ["diverging", "energy", "depth", "n_steps", "step_size", "logp"]
    ]
    return posterior, statistics, *diagnose(posterior, statistics)


def _relabelled(draws: xr.Dataset, spec: ModelSpec, observed: Observations) -> xr.Dataset:
    """Draws of what the specification has, with its labels; the compiled one can have more."""
    from densing_bayes.joint.model import coordinates

    labels = coordinates(spec, observed)
    surplus = [dim for dim in labels if draws.sizes.get(dim, 0) > len(labels[dim])]
    draws = draws.drop_dims(surplus)
    return draws.assign_coords({dim: list(labels[dim]) for dim in draws.dims if dim in labels})


def _narrowed(draws: xr.Dataset, spec: ModelSpec, observed: Observations) -> xr.Dataset:
    """Draws of what the observations have, of draws of more systems."""
    from densing_bayes.joint.model import coordinates

    labels = coordinates(spec, observed)
    return draws.sel({dim: list(labels[dim]) for dim in draws.dims if dim in labels})


def check_settings(draws: int, tune: int, chains: int, seed: int) -> None:
    """Refuse settings that cannot be sampled with, before anything is."""
    for name, value, least in (
        ("draws", draws, LEAST_DRAWS),
        ("tune", tune, LEAST_TUNE),
        ("chains", chains, LEAST_CHAINS),
    ):
        if value < least:
            raise FitError(f"{name} = {value} is too few; use at least {least}")
    if not 0 <= seed <= MAX_SEED:
        raise FitError(f"seed = {seed} is out of range; use a whole number from 0 to {MAX_SEED}")


def _check_sampler(target_accept: float, sampler: str) -> None:
    if not 0.5 <= target_accept < 1.0:
        raise FitError(f"target_accept = {target_accept} must lie between 0.5 and 1")
    if sampler not in ("nutpie", "pymc"):
        raise FitError(f"no sampler '{sampler}': use nutpie or pymc")


def _prior(compiled: Compiled, seed: int) -> xr.Dataset:
    """Prior draws of every unobserved variable but the cells, dims (chain, draw, ...)."""
    from densing_bayes.fitting.engine.functions import dims_of
    from densing_bayes.joint.variables import drawn

    model = compiled.parts.model
    names = [name for name in compiled.names if name != "log_effective_params"]
    return xr.Dataset(
        {
            name: (("chain", "draw", *dims_of(model, model[name])), values[None])
            for name, values in drawn(model, names, PRIOR_DRAWS, seed).items()
        },
        coords={"chain": [0], "draw": np.arange(PRIOR_DRAWS)},
    )
