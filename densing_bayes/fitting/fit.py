"""Fitting: pilot, whitening, sampling, verdict."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from densing_bayes.errors import FitError
from densing_bayes.fitting.compiled import Compiled, compile_fit
from densing_bayes.fitting.engine.machine import is_compiled
from densing_bayes.fitting.modes import multimodality
from densing_bayes.fitting.settings import (
    LEAST_CHAINS,
    LEAST_DRAWS,
    LEAST_TUNE,
    MAX_SEED,
    SEED,
    TARGET_ACCEPT,
    Sampler,
    Sampling,
)
from densing_bayes.fitting.steps import (
    Task,
    given,
    groups_of,
    provenance_of,
    sampled,
    starts,
    whitened_by,
)
from densing_bayes.inputs.default import DEFAULT
from densing_bayes.inputs.hypothesis import Hypothesis
from densing_bayes.inputs.panel import Panel, as_panel
from densing_bayes.inputs.specification import ModelSpec, as_spec
from densing_bayes.observed.observations import Observations, observe
from densing_bayes.posterior.result import Fit
from densing_bayes.progress import Tell, expected, phases, unheard

PHASES = {"model": 3.0, "pilot": 2.0, "sampling": 6.5, "summaries": 2.0}  # seconds, about


def fit(
    spec: ModelSpec | str | os.PathLike[str] = DEFAULT,
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
    spec = as_spec(spec, hypothesis)
    panel = as_panel(panel, spec.panel.source)
    with _told(progress) as tell:
        tell("model", 0.0)
        observed = observe(panel, spec)
        compiled = compile_fit(spec, observed)
        origin = Origin(panel.identity, started)
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
    begun = time.perf_counter()
    spec = spec or compiled.spec
    if not compiled.serves(spec, observed):
        raise FitError("the compiled model has another structure: compile this specification anew")
    cores = min(sampling.chains, sampling.cores or os.cpu_count() or 1)
    seen = np.ones(len(observed.systems), dtype=bool) if seen is None else seen
    task = Task(compiled, spec, observed, seen, replace(sampling, cores=cores), tell)
    engine = given(task)
    tell("pilot", 0.0)
    whitening, pilot = whitened_by(task, engine, near)
    positions = starts(task, whitening)
    piloted = time.perf_counter()
    drawn = sampled(task, engine, whitening, positions)
    ended = time.perf_counter()
    groups = groups_of(task, drawn, pilot)
    started = begun if origin is None else origin.started
    provenance = {} if origin is None else dict(origin.source)
    provenance |= provenance_of(task, drawn, len(positions))
    provenance["seconds"] = {
        "compile": begun - started,
        "pilot": piloted - begun,
        "sampling": ended - piloted,
        "total": time.perf_counter() - started,
    }
    tree = xr.DataTree.from_dict(groups)
    found = Fit(tree, spec, task.visible, drawn.diagnostics, provenance)
    if drawn.modes > 1:
        found.diagnostics.update(multimodality(found))
    return found


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
