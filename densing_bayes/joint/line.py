"""The trend line F(t) that hypotheses differ in, for numpy arrays and PyTensor variables alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import helmert

from densing_bayes.inputs.dates import DAYS_PER_YEAR, years_since_origin
from densing_bayes.inputs.hypothesis import LineSpec, SmoothSpec
from densing_bayes.joint.laws import Array
from densing_bayes.joint.tails import standard
from densing_bayes.observed.arrays import Floats

CONTINUED = 20.0  # years for which a random walk goes on after the last datum
WALK = 20221130  # seed of its steps


class Walk(NamedTuple):
    """Steps of a line in stretches of time, each kept to from there on, away from time 0.

    So level and growth rate at time 0 are parameters of their own, and the line walks from there
    into the future and into the past. Arrays have the stretches last.
    """

    begin: Floats  # end of each stretch that lies nearer to time 0
    end: Floats  # its other end: later than the first if it leads into the future
    slope: Array  # step of the growth rate at the begin of each stretch, per year
    level: Array | None = None  # step of the level, taken evenly over the stretch

    @property
    def forward(self) -> NDArray[np.bool_]:
        """Which stretches lead into the future."""
        return self.end > self.begin


class Line(NamedTuple):
    """Trend of log density: F(t) = level + A e(t) + sum of bends + sum of jumps + walk.

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
    walks: Sequence[Walk] = ()


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


def stretches(edges: Floats) -> tuple[Floats, Floats]:
    """Begin and end of the stretches between some edges, seen from time 0, which is one of them."""
    left, right = edges[:-1], edges[1:]
    return np.where(left >= 0.0, left, right), np.where(left >= 0.0, right, left)


def contrasts(count: int) -> Floats:
    """Orthonormal contrasts of so many benchmarks, (benchmark, contrast): each sums to zero.

    Independent standard normal numbers times these are those of a zero-sum normal vector.
    """
    return helmert(count).T


def ramps(begin: Floats, end: Floats, time: Array) -> tuple[Array, Array]:
    """What a step of the growth rate and one of the level add to a line, (..., time, stretch)."""
    since = _since(begin, end, time)
    share = since / np.abs(end - begin)
    return since, share * (share < 1.0) + (share >= 1.0)


def _since(begin: Floats, end: Floats, time: Array) -> Array:
    """Time since the begin of each stretch, away from time 0; nothing before it."""
    at = time if hasattr(time, "ndim") else np.asarray(time)
    return _ramp(np.where(end > begin, 1.0, -1.0) * (at[..., None] - begin))


def _weighted(weights: Array, steps: Array) -> Array:
    """Sums of weighted steps: weights ([time,] stretch), or with the sample dims in front."""
    if weights.ndim <= 2:
        return steps.dot(weights.T)  # one product: sums of many terms are beyond the interpreter
    return (weights * steps[..., None, :]).sum(axis=-1)


def walk_value(walk: Walk, time: Array) -> Array:
    """What a walk adds to the line at times."""
    of_slope, of_level = ramps(walk.begin, walk.end, time)
    value = _weighted(of_slope, walk.slope)
    return value if walk.level is None else value + _weighted(of_level, walk.level)


def walk_slope(walk: Walk, time: Floats, *, underlying: bool = False) -> Array:
    """Slope of a walk at times, at a step that after it; ``underlying``: without level steps."""
    at, sign = np.asarray(time)[..., None], np.where(walk.forward, 1.0, -1.0)
    begun = np.where(walk.forward, at >= walk.begin, at < walk.begin)
    slope = _weighted(sign * begun, walk.slope)
    if walk.level is None or underlying:
        return slope
    ended = np.where(walk.forward, at >= walk.end, at < walk.end)
    share = begun * ~ended / (walk.end - walk.begin)
    return slope + _weighted(share, walk.level)


def continued(
    walk: Walk,
    last: float,
    spread: Floats,
    level_spread: Floats | None = None,
    tails: float | None = None,
) -> Walk:
    """A drawn walk that goes on for twenty years after the last datum, draw by draw.

    Parameters
    ----------
    walk
        Steps with the sample dims in front.
    last
        Time of the last datum: the fit has seen the line as it is up to there.
    spread, level_spread
        Of the steps of a year, with the shape of the sample dims.
    tails
        Degrees of freedom of the steps of the level; normal if None.
    """
    edges, numbers = _edges_beyond(walk, last)
    root = np.sqrt(edges[1] - edges[0])
    slope, level = [], []
    for number in numbers:
        # A generator per step, so that no date depends on how far the walk is followed.
        random = np.random.default_rng([WALK, number])
        slope.append(root * spread * random.standard_normal(spread.shape))
        if level_spread is not None:
            level.append(root * level_spread * standard(random, tails, spread.shape))

    def joined(own: Array, more: list[Floats]) -> Floats:
        return np.concatenate([own, np.stack(more, axis=-1)], axis=-1) if more else own

    return Walk(
        np.r_[walk.begin, edges[:-1]],
        np.r_[walk.end, edges[1:]],
        joined(walk.slope, slope),
        None if walk.level is None else joined(walk.level, level),
    )


def continued_on(walk: Walk, last: float, spread: Floats, on: Floats) -> Walk:
    """As :func:`continued`, of the level of one benchmark among others, by its contrasts."""
    edges, numbers = _edges_beyond(walk, last)
    root = np.sqrt(edges[1] - edges[0])
    more = []
    for number in numbers:
        random = np.random.default_rng([WALK, number, len(on)])
        more.append(root * spread * (random.standard_normal((*spread.shape, len(on))) @ on))
    level = np.concatenate([walk.level, np.stack(more, axis=-1)], axis=-1)
    begin, end = np.r_[walk.begin, edges[:-1]], np.r_[walk.end, edges[1:]]
    return Walk(begin, end, np.zeros_like(level), level)


def _edges_beyond(walk: Walk, last: float) -> tuple[Floats, list[int]]:
    """Edges of the stretches in which a walk goes on, up to twenty years after the last datum.

    And the numbers of these stretches, counted from the end of the walk.
    """
    width = float(np.abs(walk.end - walk.begin).mean())
    begin = float(np.max(walk.begin if walk.level is None else np.r_[walk.begin, walk.end]))
    numbers = np.arange(int((last + CONTINUED - begin) / width) + 2)
    edges: Floats = begin + width * numbers.astype(float)
    if walk.level is None:  # the last knot has had its step
        later = edges > max(begin, last)
        edges, numbers = edges[later], numbers[later]
    return edges, numbers[:-1].tolist()


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
    for walk in line.walks:
        value = value + walk_value(walk, time)
    return value


def line_slope(line: Line, time: Array, *, underlying: bool = False) -> Array:
    """Growth rate dF/dt of a :class:`Line`, at a change the rate after it.

    The ``underlying`` rate leaves out the steps that the level of a walk takes: it is the rate at
    which the line is expected to go on.
    """
    slope = line.growth
    if line.decay is not None:
        slope = slope * np.exp(-line.decay * _ramp(time - line.start))
    for at, change in line.bends:
        slope = slope + change * (time >= at)
    for walk in line.walks:
        slope = slope + walk_slope(walk, time, underlying=underlying)
    return slope


def _ramp(x: Array) -> Array:
    """X where it is positive, else 0; its slope at 0 is 0, not undefined."""
    return x * (x > 0)


def smooth_walk(spec: SmoothSpec, steps: Array) -> Walk:
    """The walk of a hypothesis whose growth rate steps at knots of its own."""
    knots = np.array([years_since_origin(knot) for knot in spec.knots])
    width = spec.every_days / DAYS_PER_YEAR
    return Walk(knots, np.where(knots > 0.0, knots + width, knots - width), steps)


def wandering(line: Line, edges: Floats, draws: Mapping[str, Any]) -> Line:
    """The line with the walk that draws have taken between some edges, if any."""
    if "level_step" not in draws:
        return line
    steps = np.asarray(draws["slope_step"]), np.asarray(draws["level_step"])
    return line._replace(walks=[*line.walks, Walk(*stretches(edges), *steps)])


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
        own = smooth_walk(spec.smooth, np.asarray(draws["growth_step"]))
        return Line(alone("level"), alone("growth_at_origin"), walks=[own])
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
    for own in line.walks:
        times += list(np.unique(own.begin if own.level is None else np.r_[own.begin, own.end]))
    if line.decay is not None:
        times += list(np.arange(line.start, horizon, 0.2))
    return times
