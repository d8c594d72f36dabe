"""The trend line F(t) that hypotheses differ in, for numpy arrays and PyTensor variables alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from densing_bayes.hypothesis import LineSpec, SmoothSpec
from densing_bayes.laws import Array
from densing_bayes.observations import DAYS_PER_YEAR, Floats, years_since_origin

CONTINUED = 20.0  # years for which a random walk goes on after the last datum
WALK = 20221130  # seed of its steps


class Line(NamedTuple):
    """Trend of log density: F(t) = level + A e(t) + sum of bends + sum of jumps.

    Times are in years and rates per year; entries broadcast with the time asked for. With a
    ``decay`` the growth rate A falls off exponentially from ``start`` on, and e(t) is the time
    that counts: t before the start, start + (1 - exp(-decay (t - start))) / decay after it.
    """

    level: Array
    growth: Array
    bends: Sequence[tuple[Array, Array]] = ()  # time, change of the growth rate
    jumps: Sequence[tuple[Array, Array]] = ()  # time, change of the level
    decay: Array | None = None
    start: float = 0.0


class Dated(Protocol):
    """What a line needs to know of the data: the windows of its changes, in years."""

    @property
    def change_earliest(self) -> Floats:
        """First time that each change can have."""
        ...

    @property
    def change_latest(self) -> Floats:
        """Last time that each change can have."""
        ...


def walk(level: Array, growth: Array, bends: Sequence[tuple[Array, Array]]) -> Line:
    """The line whose level and growth rate are given at time 0, not before its first bend."""
    for at, change in bends:
        if at <= 0.0:
            level, growth = level + change * at, growth - change
    return Line(level, growth, bends)


def continued(line: Line, spec: SmoothSpec, spread: Floats, last: float) -> Line:
    """A drawn walk that goes on for twenty years after the last datum, draw by draw.

    Parameters
    ----------
    line
        Of :func:`drawn_line`, under the walk ``spec``.
    spread
        Of the steps of a year, with the shape of the sample dims.
    last
        Time of the last datum: the fit has seen the rate as it is up to there.
    """
    every = spec.every_days / DAYS_PER_YEAR
    begin = years_since_origin(spec.knots[-1])
    step = spread * np.sqrt(every)
    bends = list(line.bends)
    for i in range(1, int((last + CONTINUED - begin) / every) + 1):
        at = begin + i * every
        if at > last:
            # a generator per knot, so that no date hangs on how far the walk is followed
            drawn = np.random.default_rng([WALK, i]).standard_normal(step.shape)
            bends.append((at, (step * drawn)[..., None]))
    return line._replace(bends=bends)


def line_value(line: Line, time: Array) -> Array:
    """F(t) of a :class:`Line`."""
    elapsed = time
    if line.decay is not None:
        since = _ramp(time - line.start)
        elapsed = time - since + (1.0 - np.exp(-line.decay * since)) / line.decay
    value = line.level + line.growth * elapsed
    for at, change in line.bends:
        value = value + change * _ramp(time - at)
    for at, change in line.jumps:
        value = value + change * (time >= at)
    return value


def line_slope(line: Line, time: Array) -> Array:
    """Growth rate dF/dt of a :class:`Line`, at a change the rate after it."""
    slope = line.growth
    if line.decay is not None:
        slope = slope * np.exp(-line.decay * _ramp(time - line.start))
    for at, change in line.bends:
        slope = slope + change * (time >= at)
    return slope


def _ramp(x: Array) -> Array:
    """X where it is positive, else 0; its slope at 0 is 0, not undefined."""
    return x * (x > 0)


def drawn_line(spec: LineSpec, observed: Dated, draws: Mapping[str, Any]) -> Line:
    """The line of draws: entries have the shape of the sample dims and a last axis of length one.

    Parameters
    ----------
    spec, observed
        Of the fit that the draws belong to.
    draws
        Arrays by name, sample dims first, then the variable's own; without sample dims for one
        draw.
    """

    def each(name: str) -> list[np.ndarray]:
        values = np.moveaxis(np.asarray(draws[name]), -1, 0)
        return [value[..., None] for value in values]

    def alone(name: str) -> np.ndarray:
        return np.asarray(draws[name])[..., None]

    if spec.smooth is not None:
        steps = zip(map(years_since_origin, spec.smooth.knots), each("growth_step"), strict=True)
        return walk(alone("level"), alone("growth_at_origin"), list(steps))
    times: list[Any] = list(observed.change_earliest)
    unknown = [i for i, change in enumerate(spec.changes) if not change.known]
    if unknown:
        for i, drawn in zip(unknown, each("change_time"), strict=True):
            times[i] = drawn
    at_slopes = [times[i] for i, change in enumerate(spec.changes) if change.slope]
    at_levels = [times[i] for i, change in enumerate(spec.changes) if change.level]
    bends = list(zip(at_slopes, each("growth_change"), strict=True)) if at_slopes else []
    jumps = list(zip(at_levels, each("level_change"), strict=True)) if at_levels else []
    if spec.saturation is None:
        return Line(alone("level"), alone("growth_before"), bends, jumps)
    start = years_since_origin(spec.saturation.start)
    return Line(alone("level"), alone("growth_before"), bends, jumps, alone("decay"), start)


def knots(line: Line, horizon: float) -> list[Array]:
    """Times between which the line is straight, in order where they are known beforehand.

    A line that levels off is followed by a chord each fifth of a year up to ``horizon``.
    """
    times = [at for at, _ in (*line.bends, *line.jumps)]
    if line.decay is not None:
        times += list(np.arange(line.start, horizon, 0.2))
    return times
