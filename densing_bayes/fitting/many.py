"""Many fits at once: stored, compiled once for those of one structure, in processes of joblib."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from densing_bayes.fitting.compiled import Compiled, compile_fit, with_room
from densing_bayes.fitting.fit import Origin, fit_compiled
from densing_bayes.fitting.settings import Sampling
from densing_bayes.fitting.store import address, stored_fit
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.diagnostics import ESS_MIN, RHAT_MAX
from densing_bayes.posterior.result import Fit
from densing_bayes.progress import Steps, Tell, unheard

PATIENCE = 4  # times the draws of a fit that mixed too slowly, at most, for a second try
ROOM = 1.5  # times what was short, since effective sizes and R-hat are estimates
PATIENT_ACCEPT = 0.98
CAREFUL_ACCEPT = 0.99  # after a few divergent transitions


class Request(NamedTuple):
    """What is to be fitted, or has been."""

    spec: ModelSpec
    observed: Observations
    fit: Fit | None = None  # the user's own, which is taken as it is
    seen: NDArray[np.bool_] | None = None  # systems that the fit may see; all by default

    @property
    def visible(self) -> Observations:
        """The observations of the systems that the fit may see."""
        return self.observed if self.seen is None else self.observed.of_systems(self.seen)


class Terms(NamedTuple):
    """How fits are made and where they are kept."""

    settings: dict[str, Any]  # draws, tune, chains, seed, target_accept, sampler
    versions: dict[str, str]  # of all else that a fit depends on
    source: dict[str, Any]  # of the panel, for the provenance
    folder: Path  # of the store
    cores: int = 1  # of each fit
    tell: Tell = unheard  # told of each fit


def fitter(terms: Terms, *, keep: bool = True) -> Callable[..., Fit]:
    """A function that fits one request after the other, each starting from the one before.

    The model is compiled when a request needs it that the last compilation does not serve. A fit
    that does not converge is tried once more, by :func:`patient` settings, unless ``again`` is
    false. A fit given as ``after`` stands for the one before. Fits are taken from the store and
    kept there, unless ``keep`` is false; then they have no prior draws either.
    """
    compiled: Compiled | None = None
    near: Fit | None = None

    def make(request: Request, settings: dict[str, Any]) -> Fit:
        nonlocal compiled
        started = time.perf_counter()
        terms.tell("model", 0.0)
        if compiled is None or not compiled.serves(request.spec, request.observed):
            compiled = compile_fit(with_room(request.spec), request.observed)
        return fit_compiled(
            compiled,
            request.observed,
            Sampling(**settings, cores=terms.cores, prior=keep),
            spec=request.spec,
            near=near,
            seen=request.seen,
            origin=Origin(terms.source, started),
            tell=terms.tell,
        )

    def fit(request: Request, *, again: bool = True, after: Fit | None = None) -> Fit:
        nonlocal near
        if request.fit is not None:
            return request.fit
        near = after or near
        found = tried(request, terms.settings)
        if again and found.verdict != "PASS":
            near = found  # a pilot of its own would be the same
            found = tried(request, patient(terms.settings, found))
        near = found
        return found

    def tried(request: Request, settings: dict[str, Any]) -> Fit:
        new = partial(make, request, settings)
        name = address(request.spec, request.visible, settings | terms.versions)
        return stored_fit(name, request.spec, new, terms.folder) if keep else new()

    return fit


def patient(settings: dict[str, Any], found: Fit) -> dict[str, Any]:
    """Settings of a second try, after a fit that did not pass.

    Divergent transitions want smaller steps, slow mixing more draws: as many times as R-hat or an
    effective size falls short, with room to spare.
    """
    figures = found.diagnostics
    slow = len(figures["reasons"]) > bool(figures["divergences"])
    if not slow:  # more draws would only meet more of the tails
        return settings | {"tune": 2 * settings["tune"], "target_accept": CAREFUL_ACCEPT}
    if figures["divergences"]:
        return settings | {
            "draws": PATIENCE * settings["draws"],
            "tune": 2 * settings["tune"],
            "target_accept": PATIENT_ACCEPT,
        }
    short = np.max(
        [
            (figures["rhat_max"] - 1.0) / (RHAT_MAX - 1.0),
            ESS_MIN / figures["ess_bulk_min"],
            ESS_MIN / figures["ess_tail_min"],
        ]
    )
    times = int(np.clip(np.ceil(ROOM * short), 2, PATIENCE)) if np.isfinite(short) else PATIENCE
    return settings | {"draws": times * settings["draws"]}


def name_of(request: Request, terms: Terms) -> str:
    """First part of the names of answers about a request in the store.

    It is the name of the entry of its first try, or stands for a fit of the user's own. What a fit
    to a part of the data is asked depends on the other part, too.
    """
    settings = terms.settings
    if request.fit is not None:
        settings = {key: request.fit.provenance[key] for key in ("sampler", "seed", "created")}
    name = address(request.spec, request.visible, settings | terms.versions)
    return name if request.seen is None else f"{name}-{request.observed.hash()[:16]}"


def run(
    label: str,
    task: Callable[..., Any],
    arguments: Sequence[tuple[Any, ...]],
    *,
    jobs: int | None,
    progress: bool | None,
    names: Sequence[str] = (),
) -> list[Any]:
    """Results of a task for each set of arguments, in order, from processes of joblib.

    Within ``joblib.parallel_config`` that configuration holds; else ``jobs`` processes run. With
    ``progress``, or on a terminal where it is None, each task that has ended is said, by its name.
    """
    import joblib

    workers = workers_of(jobs)
    if workers is not None:
        workers = min(workers, max(1, len(arguments)))  # more would only be started
    results: list[Any] = [None] * len(arguments)
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
    calls = (joblib.delayed(_numbered)(i, task, *each) for i, each in enumerate(arguments))
    shown = sys.stderr.isatty() if progress is None else progress
    said = [f"{label}, {names[i] if names else i + 1}" for i in range(len(arguments))]
    steps = Steps(dict.fromkeys(said, 1.0)) if shown else None
    with steps or nullcontext(), warnings.catch_warnings():
        # loky replaces a worker that holds on to the memory of compiled code; no task is lost.
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
        for i, result, seconds in parallel(calls):
            results[i] = result
            if steps:
                steps.end(said[i], seconds)
    return results


def workers_of(jobs: int | None) -> int | None:
    """Processes to use; None leaves it to ``joblib.parallel_config``."""
    import joblib

    if jobs is not None:
        return jobs
    backend, configured = joblib.parallel.get_active_backend()
    if configured is not None or not isinstance(backend, joblib.parallel.LokyBackend):
        return None
    return os.cpu_count() or 1


def cores_of_each(jobs: int | None) -> int:
    """Cores for each of the fits that run at a time: they share those that there are."""
    workers = workers_of(jobs)
    return max(1, (os.cpu_count() or 1) // workers) if workers else 1


def _numbered(number: int, task: Callable[..., Any], *arguments: Any) -> tuple[int, Any, float]:
    started = time.perf_counter()
    result = task(*arguments)
    _give_memory_back()
    return number, result, time.perf_counter() - started


def _give_memory_back() -> None:
    """Return what compiling took: glibc keeps it, and workers live long."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
