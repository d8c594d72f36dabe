"""Steps of a fit of a compiled model: data, whitening, starts, draws, and what is kept of them."""

from __future__ import annotations

import datetime as dt
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from densing_bayes.fitting.chains import by_mode, continued, pilot_run, sample
from densing_bayes.fitting.compiled import Compiled
from densing_bayes.fitting.settings import PRIOR_DRAWS, Sampling
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.result import Fit
from densing_bayes.progress import Tell

if TYPE_CHECKING:
    from densing_bayes.fitting.engine.functions import Engine
    from densing_bayes.fitting.whitening import Whitening

ENOUGH = 100  # draws of a chain, below which modes are not told from chance


class Task(NamedTuple):
    """What is to be fitted, and how."""

    compiled: Compiled
    spec: ModelSpec
    observed: Observations
    seen: NDArray[np.bool_]  # of systems
    sampling: Sampling
    tell: Tell

    @property
    def visible(self) -> Observations:
        """The observations of the systems that the fit may see."""
        return self.observed if self.seen.all() else self.observed.of_systems(self.seen)


def given(task: Task) -> Engine:
    """The engine with the data; the model holds them, too, and the point of its least squares."""
    from densing_bayes.fitting.coordinates.conditioned import global_point
    from densing_bayes.fitting.start import pilot

    parts, conditioned, engine = task.compiled[1:]
    observed = task.observed
    cells_seen = task.seen[observed.cell_system].astype(float)
    conditioned.model["cell_seen"].set_value(cells_seen)
    measured = {
        "loss_data": observed.loss,
        "reference_loss_data": np.nan_to_num(observed.reference_loss, nan=0.0),
        "reference_score_data": observed.reference_score,
        "score_data": observed.score,
    } | task.compiled.dates(task.spec, observed)
    if observed.repeat_label:
        measured["repeat_data"] = observed.repeat_score
    if observed.others:
        measured["family_loss_data"] = np.array(observed.others.loss)
    for name, value in measured.items():
        parts.model[name].set_value(value)
    global_point(conditioned, pilot(task.spec, observed).point(parts.model.initial_point()))
    return engine.with_data(**measured, cell_seen=cells_seen)


def whitened_by(task: Task, engine: Engine, near: Fit | None) -> tuple[Whitening, xr.Dataset]:
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


def starts(task: Task, whitening: Whitening) -> list[NDArray[np.float64]]:
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


class Drawn(NamedTuple):
    """Draws of what the specification and the seen systems have, and how they are judged."""

    posterior: xr.Dataset
    statistics: xr.Dataset
    diagnostics: dict[str, Any]
    table: xr.Dataset  # R-hat and effective sizes
    modes: int


def sampled(
    task: Task, engine: Engine, whitening: Whitening, positions: list[NDArray[np.float64]]
) -> Drawn:
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
    drawn = _judged(trace, task, len(groups))
    if len(groups) == 1 and too_short(drawn.diagnostics):
        trace = continued(conditioned, engine, whitening, trace, sampling, tell)
        tell("summaries", 0.0)
        drawn = _judged(trace, task, len(groups))
    return drawn


def _judged(trace: xr.DataTree, task: Task, modes: int) -> Drawn:
    from densing_bayes.posterior.diagnostics import diagnose

    drawn = trace["posterior"].dataset[task.compiled.names]
    posterior = _relabelled(drawn, task.spec, task.observed)
    if not task.seen.all():
        posterior = _narrowed(posterior, task.spec, task.visible)
    statistics = trace["sample_stats"].dataset[
        ["diverging", "energy", "depth", "n_steps", "step_size", "logp"]
    ]
    return Drawn(posterior, statistics, *diagnose(posterior, statistics), modes)


def groups_of(task: Task, drawn: Drawn, pilot: xr.Dataset) -> dict[str, xr.Dataset]:
    """Groups of the fit's tree: draws, statistics, prior draws, and what the model saw."""
    observed, compiled = task.visible, task.compiled
    if not task.seen.all():
        pilot = pilot.sel(cell=list(observed.cell_label))
    dates = compiled.dates(task.spec, task.observed) if observed.changes else ()
    groups = {
        "posterior": drawn.posterior,
        "sample_stats": drawn.statistics,
        "diagnostics": drawn.table,
        "observed_data": xr.Dataset(
            {"score": ("cell", observed.score)}, coords={"cell": list(observed.cell_label)}
        ),
        "constant_data": xr.Dataset(
            {name: ("change", getattr(observed, name)) for name in dates},
            coords={"change": list(observed.changes)},
        ),
        "pilot": pilot,
    }
    if task.sampling.prior:
        groups["prior"] = _relabelled(
            _prior(compiled, task.sampling.seed), task.spec, task.observed
        )
        if not task.seen.all():
            groups["prior"] = _narrowed(groups["prior"], task.spec, observed)
    return groups


def provenance_of(task: Task, drawn: Drawn, starts: int) -> dict[str, Any]:
    """What made a fit, but for its times; from how many places its chains started."""
    sampling = task.sampling
    return {
        "spec_hash": task.spec.hash,
        "data_hash": task.visible.hash(),
        "seed": sampling.seed,
        "sampler": {
            "name": sampling.sampler,
            "draws": drawn.posterior.sizes["draw"],
            "tune": sampling.tune,
            "chains": sampling.chains,
            "cores": sampling.cores,
            "target_accept": sampling.target_accept,
            "starts": max(1, starts),
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
