"""Fitting: pilot, whitening, sampling, verdict."""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

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
    Sampler,
    Sampling,
)
from densing_bayes.inputs.hypothesis import Hypothesis
from densing_bayes.inputs.panel import Panel, load_panel
from densing_bayes.inputs.specification import ModelSpec, load_hypothesis, load_spec
from densing_bayes.observed.observations import Observations, observe
from densing_bayes.posterior.result import Fit
from densing_bayes.progress import Tell, expected, phases, unheard

if TYPE_CHECKING:
    from densing_bayes.fitting.engine.functions import Engine
    from densing_bayes.fitting.whitening import Whitening

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
    sampler: Sampler = "nutpie",
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
    sampling = Sampling(draws, tune, chains, cores, seed, target_accept, sampler)
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
        origin = Origin({"panel": panel.name, "tables_hash": panel.sha256}, started)
        return fit_compiled(compiled, observed, sampling, origin=origin, tell=tell)


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


class Origin(NamedTuple):
    """Where a fit comes from, for its provenance."""

    source: Mapping[str, Any]  # name and hash of the tables
    started: float  # when it was begun, by time.perf_counter


class _Task(NamedTuple):
    """What is to be fitted, and how."""

    compiled: Compiled
    spec: ModelSpec
    observed: Observations
    seen: NDArray[np.bool_]  # of systems
    sampling: Sampling
    tell: Tell


def fit_compiled(
    compiled: Compiled,
    observed: Observations,
    sampling: Sampling,
    *,
    spec: ModelSpec | None = None,
    near: Fit | None = None,
    seen: NDArray[np.bool_] | None = None,
    origin: Origin | None = None,
    tell: Tell = unheard,
) -> Fit:
    """Fit observations with a model compiled for their shape.

    Parameters
    ----------
    compiled, observed
        The model, and what it sees.
    sampling
        Settings; at most one core a chain is used.
    spec
        Another specification that the compiled model serves.
    near
        A fit of the same panel, or of one like it, whose pilot serves.
    seen
        Over systems: the fit is that of ``observed.of_systems(seen)``. The others keep their places
        in the compiled arrays, say nothing, and are dropped from the draws.
    origin
        Of the fit.
    tell
        Told the phase, and the share of it that is done.
    """
    from densing_bayes.fitting.modes import multimodality

    begun = time.perf_counter()
    spec = spec or compiled.spec
    if not compiled.serves(spec, observed):
        raise FitError("the compiled model has another structure: compile this specification anew")
    cores = min(sampling.chains, sampling.cores or os.cpu_count() or 1)
    sampling = replace(sampling, cores=cores)
    seen = np.ones(len(observed.systems), dtype=bool) if seen is None else seen
    task = _Task(compiled, spec, observed, seen, sampling, tell)
    engine = _given(task)
    tell("pilot", 0.0)
    whitening, pilot_found = _whitening(task, engine, near)
    positions = _positions(task, whitening)
    piloted = time.perf_counter()
    (posterior, statistics, diagnostics, table), modes = _sampled(
        task, engine, whitening, positions
    )
    sampled = time.perf_counter()
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
            {
                name: ("change", getattr(observed, name))
                for name in compiled.dates(spec, task.observed)
                if observed.changes
            },
            coords={"change": list(observed.changes)},
        ),
        "pilot": pilot_found,
    }
    if sampling.prior:
        groups["prior"] = _relabelled(_prior(compiled, sampling.seed), spec, task.observed)
        if not seen.all():
            groups["prior"] = _narrowed(groups["prior"], spec, observed)
    started = begun if origin is None else origin.started
    provenance = (
        dict({} if origin is None else origin.source)
        | _provenance(task, observed)
        | {
            "seconds": {
                "compile": begun - started,
                "pilot": piloted - begun,
                "sampling": sampled - piloted,
                "total": time.perf_counter() - started,
            }
        }
    )
    provenance["sampler"] |= {"draws": posterior.sizes["draw"], "starts": max(1, len(positions))}
    found = Fit(xr.DataTree.from_dict(groups), spec, observed, diagnostics, provenance)
    if modes > 1:
        diagnostics |= multimodality(found)
    return found


def _given(task: _Task) -> Engine:
    """The engine with the data; the model holds them, too, and the point of its least squares."""
    from densing_bayes.fitting.coordinates import global_point
    from densing_bayes.fitting.start import pilot

    parts, conditioned, engine = task.compiled[1:]
    observed = task.observed
    cells_seen = task.seen[observed.cell_system].astype(float)
    conditioned.model["cell_seen"].set_value(cells_seen)
    measured = {
        "loss_data": observed.loss,
        "reference_loss_data": observed.reference_loss,
        "reference_score_data": observed.reference_score,
        "score_data": observed.score,
    } | task.compiled.dates(task.spec, observed)
    for name, value in measured.items():
        parts.model[name].set_value(value)
    global_point(conditioned, pilot(task.spec, observed).point(parts.model.initial_point()))
    return engine.with_data(**measured, cell_seen=cells_seen)


def _whitening(task: _Task, engine: Engine, near: Fit | None) -> tuple[Whitening, xr.Dataset]:
    """The whitening, that of a fit nearby if it serves, and what a fit keeps of it."""
    from densing_bayes.fitting.whitening import laplace, whitening_near

    conditioned, idle = task.compiled.conditioned, task.compiled.idle(task.spec)
    if near is not None:
        kept = near.data["pilot"].dataset
        whitening = whitening_near(conditioned, engine, kept, idle)
        if whitening is not None:  # the pilot may know coordinates besides, of use to others
            modes = whitening.dataset(conditioned, idle)[["cell_mode"]]
            return whitening, kept.drop_dims("cell").merge(modes)
    whitening = pilot_run(engine, laplace(conditioned, engine), task.sampling, task.tell)
    return whitening, whitening.dataset(conditioned, idle)


def _positions(task: _Task, whitening: Whitening) -> list[NDArray[np.float64]]:
    """Where the loss laws have several optima, the chains start from different ones."""
    from densing_bayes.fitting.start import loss_optima, pilot
    from densing_bayes.fitting.whitening import whitened

    optima = loss_optima(task.spec, task.observed)
    if len(optima) == 1:
        return []
    initial = task.compiled.parts.model.initial_point()
    return [
        whitened(
            task.compiled.conditioned,
            whitening,
            pilot(task.spec, task.observed, exponents).point(initial),
        )
        for exponents in optima[: task.sampling.chains]
    ]


Judged = tuple[xr.Dataset, xr.Dataset, dict[str, Any], xr.Dataset]


def _sampled(
    task: _Task, engine: Engine, whitening: Whitening, positions: list[NDArray[np.float64]]
) -> tuple[Judged, int]:
    """Draws with their verdict, and the number of modes: each of several is sampled anew."""
    from densing_bayes.fitting.modes import chain_groups
    from densing_bayes.posterior.diagnostics import too_short

    conditioned, sampling, tell = task.compiled.conditioned, task.sampling, task.tell
    trace = sample(conditioned, engine, whitening, positions, sampling, tell)
    groups = [list(range(sampling.chains))]
    if sampling.draws >= ENOUGH:
        groups = chain_groups(trace["posterior"].dataset[task.compiled.names])
    if len(groups) > 1:
        trace = by_mode(conditioned, engine, whitening, trace, groups, sampling, tell)
    tell("summaries", 0.0)
    judged = _judged(trace, task)
    if len(groups) == 1 and too_short(judged[2]):
        trace = continued(conditioned, engine, whitening, trace, sampling, tell)
        tell("summaries", 0.0)
        judged = _judged(trace, task)
    return judged, len(groups)


def _judged(trace: xr.DataTree, task: _Task) -> Judged:
    """Draws of what the specification and the seen systems have, statistics, and the verdict."""
    from densing_bayes.posterior.diagnostics import diagnose

    drawn = trace["posterior"].dataset[task.compiled.names]
    posterior = _relabelled(drawn, task.spec, task.observed)
    if not task.seen.all():
        posterior = _narrowed(posterior, task.spec, task.observed.of_systems(task.seen))
    statistics = trace["sample_stats"].dataset[
        ["diverging", "energy", "depth", "n_steps", "step_size", "logp"]
    ]
    return posterior, statistics, *diagnose(posterior, statistics)


def _provenance(task: _Task, observed: Observations) -> dict[str, Any]:
    """What made a fit, but for its times."""
    sampling = task.sampling
    return {
        "spec_hash": task.spec.hash,
        "data_hash": observed.hash(),
        "seed": sampling.seed,
        "sampler": {
            "name": sampling.sampler,
            "draws": sampling.draws,
            "tune": sampling.tune,
            "chains": sampling.chains,
            "cores": sampling.cores,
            "target_accept": sampling.target_accept,
        },
        "versions": {
            name: version(name)
            for name in ("densing-bayes", "pymc", "pytensor", "nutpie", "arviz", "numpy")
        },
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }


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
