"""Trend component: log density of a release against its date, as a stochastic frontier."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from densing_bayes.inputs.dates import DAYS_PER_YEAR, date_of, years_since_origin
from densing_bayes.inputs.hypothesis import ChangeSpec, LineSpec, PeriodSpec, SmoothSpec, WalkSpec
from densing_bayes.inputs.specification import TrendSpec
from densing_bayes.joint.line import (
    Dated,
    Line,
    Walk,
    line_value,
    smooth_walk,
    stretches,
    walk_value,
)
from densing_bayes.joint.variables import variable
from densing_bayes.observed.arrays import Floats, Ints
from densing_bayes.observed.observations import Observations


class Trend(NamedTuple):
    """Prior of log density: line + effects - shortfall, and a spread of each system."""

    line: TensorVariable  # over systems: F(t) + s (log N - mean)
    effects: Any  # over systems: of organisations
    release_effect: TensorVariable | None  # over releases
    spread: TensorVariable
    shortfall: TensorVariable | None  # over units
    shortfall_scale: TensorVariable | None  # over units
    unit: Ints  # unit of the shortfall of each system: its release, or itself
    organisation_spread: TensorVariable | None
    release_spread: TensorVariable | None


def trend(spec: TrendSpec, observed: Observations) -> Trend:
    """State the trend: F(t) - u_release + w_organisation + s (log N - mean), spread v."""
    line = _mean_line(spec, observed)
    time = observed.time
    if spec.periods is not None:
        line = line + _period_effects(spec.periods, observed)
    if spec.size_slope:
        slope = variable("size_slope", spec.size)
        line = line + slope * (observed.log_params - observed.mean_log_params)
    effects: Any = 0.0
    organisation_spread = release_spread = release_effect = None
    if spec.organisation_effects:
        organisation_spread = variable("organisation_spread", spec.organisation_spread)
        effect = _scaled("organisation_effect", organisation_spread, "organisation")
        effects = effects + effect[observed.system_organisation]
    if spec.release_effects and (spec.frontier == "none" or spec.release_scatter):
        release_spread = variable("release_spread", spec.release_spread)
        release_effect = _scaled("release_effect", release_spread, "release", spec.release_tails)

    shortfall, scale = None, None
    unit = observed.system_release if spec.release_effects else np.arange(len(observed.systems))
    if spec.frontier == "half-normal":
        dims = "release" if spec.release_effects else "system"
        unit_time = observed.release_time if spec.release_effects else time
        scale = variable("shortfall_spread", spec.shortfall_spread) * np.ones_like(unit_time)
        if spec.shortfall_drift:
            growth = variable("shortfall_growth", spec.shortfall_growth)
            scale = scale * np.exp(growth * unit_time)
        if spec.release_tails is None:
            shortfall = pm.HalfNormal("shortfall", scale, dims=dims)
        else:
            shortfall = pm.HalfStudentT("shortfall", spec.release_tails, scale, dims=dims)
    spread = variable("system_spread", spec.system_spread)
    return Trend(
        line, effects, release_effect, spread, shortfall, scale, unit, organisation_spread,
        release_spread,
    )  # fmt: skip


def _mean_line(spec: TrendSpec, observed: Observations) -> TensorVariable:
    """F(t) over systems. Without reference runs it is zero at the mean date of the systems.

    There a shift of all densities would be the same as one of all difficulties.
    """
    pinned = observed.pinned_time
    time = np.concatenate([observed.time, pinned])
    line = line_value(frontier_line(spec, observed, 0.0 if pinned.size else None), time)
    if spec.walk is not None:
        line = line + walk_value(_wandering(spec.walk, observed.walk_edges), time)
    if not pinned.size:
        return line
    level = pm.Deterministic("level", -line[-1])
    return line[:-1] + level


def frontier_line(spec: LineSpec, observed: Dated, level: Any = None) -> Line:
    """State the parameters of F(t): level, growth, and what a hypothesis says of its changes.

    A level that is given has no prior.
    """
    if level is None:
        level = variable("level", spec.level)
    if spec.smooth is not None:
        return _random_walk(level, variable("growth_at_origin", spec.growth_before), spec.smooth)
    growth = variable("growth_before", spec.growth_before)
    times = _change_times(spec.changes, observed)
    bends, jumps = [], []
    at_slopes = [i for i, change in enumerate(spec.changes) if change.slope]
    if at_slopes:
        change = variable("growth_change", spec.growth_change, "slope_change")
        bends = [(times[i], change[j]) for j, i in enumerate(at_slopes)]
    at_levels = [i for i, change in enumerate(spec.changes) if change.level]
    if at_levels:
        jump = variable("level_change", spec.level_change, "level_change_at")
        jumps = [(times[i], jump[j]) for j, i in enumerate(at_levels)]
    if spec.saturation is None:
        return Line(level, growth, bends, jumps)
    decay = variable("decay", spec.saturation.decay)
    start = years_since_origin(spec.saturation.start)
    return Line(level, growth, bends, jumps, decay, start)


def _random_walk(level: Any, growth: Any, spec: SmoothSpec) -> Line:
    """State a growth rate that steps at knots, known best at the origin and walking both ways."""
    spread = variable("growth_step_spread", spec.spread) * np.sqrt(spec.every_days / DAYS_PER_YEAR)
    return Line(level, growth, walks=[smooth_walk(spec, _scaled("growth_step", spread, "knot"))])


def _wandering(spec: WalkSpec, edges: Floats) -> Walk:
    """State a local linear trend: level and growth rate step in every stretch of time."""
    root = np.sqrt(spec.width)
    slope = variable("slope_step_spread", spec.growth_spread) * root
    level = variable("level_step_spread", spec.level_spread) * root
    return Walk(
        *stretches(edges),
        _scaled("slope_step", slope, "stretch"),
        _scaled("level_step", level, "stretch", spec.tails),
    )


class Periods(NamedTuple):
    """Stretches of time that hold something, in order, and where each thing lies."""

    label: list[str]  # date of its begin
    number: list[int]  # counted from time 0 on
    of: Ints  # place of the stretch of each thing, in the shape of the times


def periods(spec: PeriodSpec, time: Floats) -> Periods:
    """Stretches of time that some times lie in, which may have any shape."""
    found, of = np.unique(spec.begun(time.ravel()), return_inverse=True)
    numbers = [int(number) for number in found]
    labels = [str(date_of(spec.begin(number)).date()) for number in numbers]
    return Periods(labels, numbers, of.reshape(time.shape).astype(np.int64))


def _period_effects(spec: PeriodSpec, observed: Observations) -> TensorVariable:
    """What the systems of a stretch of time have in common, over systems."""
    effect = _scaled("period_effect", variable("period_spread", spec.spread), "period")
    return effect[periods(spec, observed.time).of]


def _change_times(changes: tuple[ChangeSpec, ...], observed: Dated) -> list[Any]:
    """Dates of the changes in years: data where they are known, else uniform over a window.

    The k-th of n ordered dates in a window takes a Beta(1, n - k) share of what is left of it.
    """
    if not changes:
        return []
    earliest = pm.Data("change_earliest", observed.change_earliest, dims="change")
    unknown = [i for i, change in enumerate(changes) if not change.known]
    times: list[Any] = [earliest[i] for i in range(len(changes))]
    if not unknown:
        return times
    latest = pm.Data("change_latest", observed.change_latest, dims="change")
    windows = [changes[i].window for i in unknown]
    left = np.array([windows[k:].count(window) for k, window in enumerate(windows)], dtype=float)
    position = pm.Beta("change_position", 1.0, left, dims="undated_change")
    for k, i in enumerate(unknown):
        begin = times[i - 1] if k and windows[k] == windows[k - 1] else earliest[i]
        times[i] = begin + (latest[i] - begin) * position[k]
    pm.Deterministic("change_time", pt.stack([times[i] for i in unknown]), dims="undated_change")
    return times


def _scaled(name: str, spread: Any, dims: str, tails: float | None = None) -> TensorVariable:
    """Normal or Student-t effects with a spread, from standardised ones."""
    standard = f"{name.removesuffix('_effect')}_offset"
    if tails is None:
        offset = pm.Normal(standard, dims=dims)
    else:
        offset = pm.StudentT(standard, nu=tails, dims=dims)
    return pm.Deterministic(name, spread * offset, dims=dims)
