"""Trend component: log density of a release against its date, as a stochastic frontier."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from densing_bayes.observations import Floats, Ints, Observations
from densing_bayes.priors import variable
from densing_bayes.spec import TrendSpec


class Trend(NamedTuple):
    """Prior of log density: frontier + effects - shortfall, and a spread of each system."""

    mean: TensorVariable  # over systems, without the shortfall
    spread: TensorVariable
    shortfall: TensorVariable | None  # over units
    shortfall_scale: TensorVariable | None  # over units
    unit: Ints  # unit of the shortfall of each system: its release, or itself


def ramps(spec: TrendSpec, observed: Observations, time: Floats) -> tuple[Floats, Floats]:
    """Time since each change (0 before it), and whether it has come; dims (change, ...)."""
    since = np.asarray(time)[None, ...] - observed.change_time.reshape((-1,) + (1,) * np.ndim(time))
    return np.maximum(since, 0.0), (since >= 0).astype(float)


def trend(spec: TrendSpec, observed: Observations) -> Trend:
    """State the trend: F(t) - u_release + w_organisation + s (log N - mean), spread v."""
    time = observed.time
    ramp, step = ramps(spec, observed, time)
    mean = variable("level", spec.level) + variable("growth_before", spec.growth_before) * time
    slopes = [i for i, change in enumerate(spec.changes) if change.slope]
    if slopes:
        change = variable("growth_change", spec.growth_change, "slope_change")
        mean = mean + pt.dot(change, ramp[slopes])
    levels = [i for i, change in enumerate(spec.changes) if change.level]
    if levels:
        jump = variable("level_change", spec.level_change, "level_change_at")
        mean = mean + pt.dot(jump, step[levels])
    if spec.organisation_effects:
        spread = variable("organisation_spread", spec.organisation_spread)
        z = pm.Normal("organisation_offset", dims="organisation")
        effect = pm.Deterministic("organisation_effect", spread * z, dims="organisation")
        mean = mean + effect[observed.system_organisation]
    if spec.size_slope:
        slope = variable("size_slope", spec.size)
        mean = mean + slope * (observed.log_params - observed.mean_log_params)
    if spec.frontier == "none" and spec.release_effects:
        spread = variable("release_spread", spec.release_spread)
        z = pm.Normal("release_offset", dims="release")
        effect = pm.Deterministic("release_effect", spread * z, dims="release")
        mean = mean + effect[observed.system_release]

    shortfall, scale = None, None
    unit = observed.system_release if spec.release_effects else np.arange(len(observed.systems))
    if spec.frontier == "half-normal":
        dims = "release" if spec.release_effects else "system"
        unit_time = observed.release_time if spec.release_effects else time
        base = variable("shortfall_spread", spec.shortfall_spread)
        growth = (
            variable("shortfall_growth", spec.shortfall_growth) if spec.shortfall_drift else 0.0
        )
        scale = (
            base * np.exp(growth * unit_time)
            if spec.shortfall_drift
            else (base * np.ones_like(unit_time))
        )
        shortfall = pm.HalfNormal("shortfall", scale, dims=dims)
    spread = variable("system_spread", spec.system_spread)
    return Trend(mean, spread, shortfall, scale, unit)
