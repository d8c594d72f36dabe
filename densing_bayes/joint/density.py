"""Density component: log Neff of every cell, and the scores that it predicts."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from densing_bayes.inputs.families import Prior
from densing_bayes.inputs.specification import DensitySpec, ModelSpec
from densing_bayes.joint.line import contrasts, ramps, stretches
from densing_bayes.joint.scaling import ScalingLaw
from densing_bayes.joint.score_links import (
    ScoreLink,
    cell_logit,
    observe_score,
    read_score,
)
from densing_bayes.joint.trend import Trend
from densing_bayes.joint.variables import variable
from densing_bayes.observed.observations import Observations


class Density(NamedTuple):
    """Log density of the systems and log Neff of the cells, with what their priors depend on."""

    log_density: TensorVariable
    log_effective_params: TensorVariable
    cell_shift: Any  # mean of log Neff - log N - log density, leans left out
    cell_lean: Any  # what organisation and release add to it; 0 without
    lean_spread: Any  # 0 without
    release_lean_spread: Any
    cell_spread: TensorVariable
    cell_noise: TensorVariable
    repeat_noise: TensorVariable  # of readings that repeat those of the cells


def densities(
    spec: ModelSpec,
    observed: Observations,
    score: TensorVariable,
    repeat: TensorVariable | None,
    law: ScalingLaw,
    link: ScoreLink,
    trend: Trend,
) -> Density:
    """State log Neff = log N + log density + delta and observe the scores of the systems."""
    prior = spec.density
    mean = trend.line + trend.effects
    if trend.release_effect is not None:
        mean = mean + trend.release_effect[observed.system_release]
    if trend.shortfall is not None:
        mean = mean - trend.shortfall[trend.unit]
    log_density = pm.Normal("log_density", mean, trend.spread, dims="system")

    m, k = observed.cell_system, observed.cell_benchmark
    shift = _format_offset(spec, observed)[k]
    if prior.drift and len(observed.benchmarks) > 1:
        shift = shift + _drift(spec, observed)
    if prior.walk is not None and len(observed.benchmarks) > 1:
        shift = shift + _wandering(prior.walk, observed)
    lean, lean_spread, release_lean_spread = _leans(prior, observed)
    spread = variable("benchmark_spread", prior.benchmark_spread, "benchmark")[k]
    if observed.flags:
        flagged = observed.cell_flag >= 0
        flag_offset = variable("flag_offset", prior.flag_offset, "flag")
        flag_spread = variable("flag_spread", prior.flag_spread, "flag")
        shift = shift + flagged * flag_offset[observed.cell_flag]
        spread = np.sqrt(spread**2 + flagged * flag_spread[observed.cell_flag] ** 2)
    log_effective_params = pm.Normal(
        "log_effective_params",
        observed.log_params[m] + log_density[m] + shift + lean,
        spread,
        dims="cell",
    )

    noise, repeat_noise = _noises(spec, observed)
    z, z_slope = cell_logit(observed, law, link, log_effective_params)
    tails = spec.performance.score_tails
    expected, _ = read_score(k, observed.cell_measure, link, z, z_slope)
    observe_score("score", spec, expected, observed.cell_items, noise, score, "cell", tails)
    if repeat is not None:
        c = observed.repeat_cell
        again, _ = read_score(k[c], observed.repeat_measure, link, z[c], z_slope[c])
        items = observed.repeat_items
        observe_score("repeat_score", spec, again, items, repeat_noise, repeat, "repeat", tails)
    return Density(
        log_density, log_effective_params, shift, lean * np.ones(len(m)), lean_spread,
        release_lean_spread, spread, noise, repeat_noise,
    )  # fmt: skip


def _format_offset(spec: ModelSpec, observed: Observations) -> TensorVariable:
    """How scores of systems differ from those of runs; nothing where there are no runs."""
    if observed.without_runs:
        return pm.Deterministic(
            "format_offset", pt.zeros(len(observed.benchmarks)), dims="benchmark"
        )
    benchmarks = [spec.benchmarks[name] for name in observed.benchmarks]
    priors = [b.format_offset or spec.density.format_offset for b in benchmarks]
    return variable("format_offset", priors, "benchmark")


def _leans(prior: DensitySpec, observed: Observations) -> tuple[Any, Any, Any]:
    """What organisation and release add to each cell, and the spreads of both; 0 without."""
    m, k = observed.cell_system, observed.cell_benchmark
    lean: Any = 0.0
    lean_spread: Any = np.zeros(())
    release_lean_spread: Any = np.zeros(())
    if prior.lean is not None and len(observed.benchmarks) > 1:
        lean_spread, own = _lean("lean", "organisation", prior.lean)
        lean = lean + own[observed.system_organisation[m], k]
    if prior.release_lean is not None and len(observed.benchmarks) > 1:
        release_lean_spread, own = _lean("release_lean", "release", prior.release_lean)
        lean = lean + own[observed.system_release[m], k]
    return lean, lean_spread, release_lean_spread


def _noises(spec: ModelSpec, observed: Observations) -> tuple[Any, Any]:
    """Protocol noise of the first readings, over cells, and of those that repeat them."""
    k, priors = observed.cell_benchmark, spec.performance
    of_benchmarks = [spec.benchmarks[name].protocol_noise for name in observed.benchmarks]
    noise = variable(
        "protocol_noise", [own or priors.protocol_noise for own in of_benchmarks], "benchmark"
    )
    if priors.protocols is None:
        return noise[k], np.zeros(0)
    apart = variable("protocol_noise_spread", priors.protocols.noise_spread)
    offset = pm.Normal("protocol_noise_offset", dims="measure")
    own = noise[observed.measure_benchmark] * np.exp(apart * offset)
    of_measure = pm.Deterministic("measure_noise", own, dims="measure")
    first = of_measure[observed.cell_measure]
    noise = pt.where(observed.cell_measure >= 0, first, noise[k])
    return noise, of_measure[observed.repeat_measure]


def _lean(name: str, unit: str, prior: Prior) -> tuple[TensorVariable, TensorVariable]:
    """Spread of what a unit does better or worse than its density says, and that itself."""
    spread = variable(f"{name}_spread", prior)
    offset = pm.Normal(f"{name}_offset", dims=(unit, "benchmark"))
    lean = f"{unit}_lean" if name == "lean" else name
    return spread, pm.Deterministic(lean, spread * offset, dims=(unit, "benchmark"))


def _wandering(prior: Prior, observed: Observations) -> TensorVariable:
    """Walks of the benchmarks off their mean, which sum to zero at every time."""
    begin, end = stretches(observed.walk_edges)
    of_step = ramps(begin, end, observed.time)[1][observed.cell_system]
    apart = contrasts(len(observed.benchmarks))
    spread = variable("benchmark_step_spread", prior) * np.sqrt(np.abs(end - begin)[0])
    z = pm.Normal("benchmark_step_offset", dims=("stretch", "contrast")).ravel()
    shape = len(begin), len(apart)
    steps = pt.dot(np.kron(np.eye(len(begin)), apart), z).reshape(shape)
    pm.Deterministic("benchmark_step", spread * steps, dims=("stretch", "benchmark"))
    # One product with the free values: sums over many steps are beyond the interpreter.
    weights = of_step[:, :, None] * apart[observed.cell_benchmark][:, None, :]
    return spread * pt.dot(weights.reshape(len(weights), -1), z)


def _drift(spec: ModelSpec, observed: Observations) -> TensorVariable:
    """Drift of the benchmarks against their mean, B_k t + C_k (time since the bend)."""
    k, time = observed.cell_benchmark, observed.time[observed.cell_system]
    spread = variable("drift_spread_before", spec.density.drift_spread)
    z = pm.ZeroSumNormal("drift_before_offset", dims="benchmark")
    drift = pm.Deterministic("drift_before", spread * z, dims="benchmark")[k] * time
    for bend in observed.bend_time:
        spread = variable("drift_spread_change", spec.density.drift_change_spread)
        z = pm.ZeroSumNormal("drift_change_offset", dims="benchmark")
        change = pm.Deterministic("drift_change", spread * z, dims="benchmark")
        drift = drift + change[k] * np.maximum(time - bend, 0.0)
    return drift
