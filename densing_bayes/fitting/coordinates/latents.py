"""Latents of releases, systems and cells, standardised by what is known of them.

Each latent has a flat coordinate: the latent less its conditional mean, in units of its conditional
standard deviation, given what stands above it and the scores, linearised at a fixed point. The
order is globals -> shortfall -> effect of a release -> leans -> log density -> log Neff; what
stands below is integrated out. Each map is affine in its coordinate (the shortfall's is a smooth
map onto the positive numbers) and exact for every choice of the fixed points.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from densing_bayes.joint import laws
from densing_bayes.joint.model import Parts
from densing_bayes.joint.scaling import ScalingLaw
from densing_bayes.joint.score_links import ScoreLink, cell_logit, expected_score, read_score
from densing_bayes.observed.arrays import Ints
from densing_bayes.observed.observations import Observations

Graph = Any  # a symbolic expression: numpy ufuncs on PyTensor variables defeat type checkers
AtGlobals = Callable[[list[Graph]], list[Graph]]  # places graphs at coordinates of the globals

LATENTS = (
    *("shortfall", "release_offset", "log_density"),
    *("lean_offset", "release_lean_offset", "log_effective_params"),
)
WEAK = 1e-8  # added to a precision so that a cell without information stays finite


class Stated(NamedTuple):
    """What the globals say of the latents, at their coordinates."""

    mean: Graph  # of log density, over systems, without shortfall and effects of releases
    spread: Graph  # of systems
    shortfall_scale: Graph  # over units; 0 without
    release_spread: Graph  # 0 without
    shift: Graph  # of log Neff, over cells
    lean_spread: Graph  # 0 without
    release_lean_spread: Graph
    cell_spread: Graph
    noise: Graph  # of scores
    repeat_noise: Graph
    law: ScalingLaw
    link: ScoreLink


class Reading(NamedTuple):
    """What the scores of cells say of their log Neff x: target = slope * x, with a variance."""

    slope: Graph
    target: Graph
    variance: Graph


class Lean(NamedTuple):
    """Leans of organisations or of releases."""

    value: Any  # value variable of the standardised leans, (unit, benchmark)
    spread: Graph
    unit: Ints  # of each system
    units: int


class Layer(NamedTuple):
    """Latents in coordinates: graph of each value variable of the plain model."""

    values: dict[Any, Graph]
    log_jacobian: Graph


def standardised(
    parts: Parts, observed: Observations, at_globals: AtGlobals, mode: Graph, seen: Graph
) -> Layer:
    """Latents as functions of their flat coordinates, and the log Jacobian of the map.

    Parameters
    ----------
    parts, observed
        The plain model and its observations.
    at_globals
        Places graphs of the plain model at the coordinates of the globals.
    mode
        Log Neff of the cells about which the scores are linearised.
    seen
        1 for a cell whose score is seen, 0 for one that says nothing.
    """
    stated = _stated(parts, at_globals)
    read = _reader(parts, observed, stated, seen)
    leans = _leans(parts, observed, stated)
    m = observed.cell_system

    # What the cells of a system say of its log density, each cell's delta integrated out.
    reading = read(mode)
    below = stated.cell_spread**2 + sum(lean.spread**2 for lean in leans)
    precision, estimate = _of_systems(reading, observed, stated.shift, below)
    values, log_jacobian, mean = _releases(parts, stated, precision, estimate)
    shift = stated.shift
    for lean in leans:
        below = below - lean.spread**2
        alone = reading, observed.log_params[m] + mean[m] + shift, below
        offset, own_jacobian = _leaning(lean, observed, stated.spread, *alone)
        values[lean.value] = offset
        log_jacobian += own_jacobian
        shift = shift + lean.spread * offset[lean.unit[m], observed.cell_benchmark]
    if leans:
        precision, estimate = _of_systems(reading, observed, shift, below)

    total = precision + 1.0 / stated.spread**2
    log_density = (precision * estimate + mean / stated.spread**2) / total
    log_density += pm.Flat("density_position", shape=len(observed.systems)) / np.sqrt(total)
    values[parts.model.rvs_to_values[parts.density.log_density]] = log_density
    log_jacobian += pt.sum(-0.5 * np.log(total))

    cell_mean = observed.log_params[m] + log_density[m] + shift
    # One more Fisher step from the linearised mode: where the globals push a cell at chance up
    # onto its curve, it is held by the score there, and non-centred below.
    spread = stated.cell_spread
    reading = read(_conditional(reading, cell_mean, spread)[0])
    centre, total = _conditional(reading, cell_mean, spread)
    position = pm.Flat("cell_position", shape=len(observed.score))
    log_effective_params = centre + position / np.sqrt(total)
    values[parts.model.rvs_to_values[parts.density.log_effective_params]] = log_effective_params
    log_jacobian += pt.sum(-0.5 * np.log(total))
    return Layer(values, log_jacobian)


def _of_systems(
    reading: Reading, observed: Observations, shift: Graph, spread_squared: Graph
) -> tuple[Graph, Graph]:
    """Precision and estimate of log density from the cells of a system."""
    m, systems = observed.cell_system, len(observed.systems)
    weight, says = _of_cells(reading, observed.log_params[m] + shift, spread_squared)
    precision = _sum_over(weight, m, systems) + WEAK
    return precision, _sum_over(says, m, systems) / precision


def _of_cells(reading: Reading, mean: Graph, spread_squared: Graph) -> tuple[Graph, Graph]:
    """Information of each cell on what is added to a mean of log Neff, and that times its value."""
    information = reading.slope / (reading.variance + reading.slope**2 * spread_squared)
    return information * reading.slope, information * (reading.target - reading.slope * mean)


def _stated(parts: Parts, at_globals: AtGlobals) -> Stated:
    trend, density = parts.trend, parts.density
    graphs = [
        trend.line + trend.effects,
        trend.spread,
        0.0 if trend.shortfall_scale is None else trend.shortfall_scale,
        0.0 if trend.release_spread is None else trend.release_spread,
        *(density.cell_shift, density.lean_spread, density.release_lean_spread),
        *(density.cell_spread, density.cell_noise, density.repeat_noise),
    ]
    curves = [*parts.law, *parts.link]
    found = at_globals([pt.as_tensor(graph) for graph in (*graphs, *curves)])
    law = type(parts.law)(*found[len(graphs) :][: len(parts.law)])
    link = type(parts.link)(*found[len(graphs) + len(parts.law) :])
    return Stated._make([*found[: len(graphs)], law, link])


def _releases(
    parts: Parts, stated: Stated, precision: Graph, estimate: Graph
) -> tuple[dict[Any, Graph], Graph, Graph]:
    """Shortfalls and effects of releases, the log Jacobian, and the mean of log density then."""
    trend, rvs_to_values = parts.trend, parts.model.rvs_to_values
    values: dict[Any, Graph] = {}
    log_jacobian: Graph = 0.0
    mean, spread = stated.mean, stated.release_spread
    weight = precision / (1.0 + precision * stated.spread**2)
    unit, units = trend.unit, int(trend.unit.max()) + 1
    unit_precision = _sum_over(weight, unit, units)
    # An effect of the release makes what its systems say of the shortfall less certain.
    shrunk = 1.0 / (1.0 + spread**2 * unit_precision)
    if trend.shortfall is not None:
        width = 1.0 / np.sqrt(1.0 / stated.shortfall_scale**2 + shrunk * unit_precision)
        above = shrunk * _sum_over(weight * (mean - estimate), unit, units)
        argument = width * above + pm.Flat("shortfall_position", shape=units)
        shortfall = width * pt.softplus(argument)
        values[rvs_to_values[trend.shortfall]] = np.log(shortfall)
        log_jacobian += pt.sum(np.log(width) - pt.softplus(-argument) - np.log(shortfall))
        mean = mean - shortfall[unit]
    if trend.release_effect is not None:
        says = _sum_over(weight * (estimate - mean), unit, units)
        position = pm.Flat("release_position", shape=units)
        offset = spread * shrunk * says + np.sqrt(shrunk) * position
        values[rvs_to_values[parts.model["release_offset"]]] = offset
        log_jacobian += pt.sum(0.5 * np.log(shrunk))
        mean = mean + spread * offset[unit]
    return values, log_jacobian, mean


def _leans(parts: Parts, observed: Observations, stated: Stated) -> list[Lean]:
    """Leans that the model has: of organisations, then of releases."""
    by_organisation = observed.system_organisation, len(observed.organisations)
    by_release = observed.system_release, len(observed.releases)
    found = []
    for name, (unit, units), spread in (
        ("lean_offset", by_organisation, stated.lean_spread),
        ("release_lean_offset", by_release, stated.release_lean_spread),
    ):
        if name in parts.model.named_vars:
            value = parts.model.rvs_to_values[parts.model[name]]
            found.append(Lean(value, spread, unit, units))
    return found


def _leaning(
    lean: Lean,
    observed: Observations,
    system_spread: Graph,
    reading: Reading,
    mean: Graph,
    below: Graph,
) -> tuple[Graph, Graph]:
    """Standardised leans (unit, benchmark) and the log Jacobian, log density integrated out.

    The leans of a unit depend on each other through the densities of its systems: their precision
    is that of a normal regression, and its Cholesky factor standardises them.

    Parameters
    ----------
    lean, observed
        Whose leans.
    system_spread
        Spread of log density about its mean.
    reading, mean, below
        Over cells: what scores say of log Neff, its mean without these leans, and the variance of
        what stands below them.
    """
    systems, benchmarks = len(observed.systems), len(observed.benchmarks)
    at = observed.cell_system * benchmarks + observed.cell_benchmark
    weight, says = (
        _sum_over(each, at, systems * benchmarks).reshape((systems, benchmarks))
        for each in _of_cells(reading, mean, below)
    )
    every = range(benchmarks)
    shrunk = 1.0 / (sum(weight[:, k] for k in every) + 1.0 / system_spread**2)
    density = shrunk * sum(says[:, k] for k in every)

    def of_unit(terms: Graph) -> Graph:
        return _sum_over(terms, lean.unit, lean.units)

    # In units of the spread: precision 1 + spread^2 (diag(w) - w w' / (sum(w) + 1 / v^2)).
    precision = [
        [
            float(k == j)
            + lean.spread**2 * of_unit(weight[:, k] * (float(k == j) - weight[:, j] * shrunk))
            for j in range(k + 1)
        ]
        for k in every
    ]
    score = [lean.spread * of_unit(says[:, k] - weight[:, k] * density) for k in every]
    lower = _cholesky(precision)
    position = pm.Flat(f"{lean.value.name}_position", shape=(benchmarks, lean.units))
    offset = _solved(lower, score, [position[k] for k in every])
    log_jacobian = -sum(pt.sum(np.log(lower[k][k])) for k in every)
    return pt.stack(offset, axis=1), log_jacobian


def _cholesky(matrix: list[list[Graph]]) -> list[list[Graph]]:
    """Lower Cholesky factors of many small matrices, whose elements run over the matrices."""
    lower: list[list[Graph]] = []
    for k, row in enumerate(matrix):
        lower.append([])
        for j, element in enumerate(row):
            rest = element - sum(lower[k][i] * lower[j][i] for i in range(j))
            lower[k].append(np.sqrt(rest) if j == k else rest / lower[j][j])
    return lower


def _solved(lower: list[list[Graph]], score: list[Graph], position: list[Graph]) -> list[Graph]:
    """Solution of L L' x = score + L position, elements over the matrices."""
    size = len(lower)
    half: list[Graph] = []
    for k in range(size):
        rest = score[k] - sum(lower[k][j] * half[j] for j in range(k))
        half.append(rest / lower[k][k])
    found: list[Graph] = [None] * size
    for k in reversed(range(size)):
        rest = half[k] + position[k] - sum(lower[j][k] * found[j] for j in range(k + 1, size))
        found[k] = rest / lower[k][k]
    return found


def _conditional(reading: Reading, mean: Graph, spread: Graph) -> tuple[Graph, Graph]:
    """Mean and precision of log Neff given its prior and what the scores say."""
    total = reading.slope**2 / reading.variance + 1.0 / spread**2
    centre = reading.slope * reading.target / reading.variance + mean / spread**2
    return centre / total, total


# What scores say -------------------------------------------------------------------------------


def _reader(
    parts: Parts, observed: Observations, stated: Stated, seen: Graph
) -> Callable[[Graph], Reading]:
    """A function that linearises the scores of the cells at some x: S ~ f + slope (x - at)."""
    curve = stated.law, stated.link
    score = parts.data.score
    clipped = pt.clip(score, 0.5 / observed.cell_items, 1 - 0.5 / observed.cell_items)
    measured = laws.score_variance(clipped, observed.cell_items, stated.noise)

    def read(at: Graph) -> Reading:
        f, slope = expected_score(observed, *curve, at)
        slope = slope * seen
        variance = _weighed(measured, score - f, parts.score_tails)
        first = Reading(slope, slope * at + score - f, variance)
        if parts.data.repeat is None:
            return first
        z, z_slope = cell_logit(observed, *curve, at)
        c, k = observed.repeat_cell, observed.cell_benchmark[observed.repeat_cell]
        again = read_score(k, observed.repeat_measure, curve[1], z[c], z_slope[c])
        return _repeated(parts, observed, at, first, again, (stated.repeat_noise, seen[c]))

    return read


def _weighed(variance: Graph, residual: Graph, tails: float | None) -> Graph:
    """Variance of the normal that pulls as much at a residual as a Student-t of that scale."""
    return variance if tails is None else (tails * variance + residual**2) / (tails + 1.0)


def _repeated(
    parts: Parts,
    observed: Observations,
    at: Graph,
    first: Reading,
    again: tuple[Graph, Graph],
    noise_and_seen: tuple[Graph, Graph],
) -> Reading:
    """What all readings of a cell say of its x, as one reading with the variance of the first.

    ``again`` are expected score and slope of the readings after the first.
    """
    (f, slope), (noise, seen) = again, noise_and_seen
    c, items, score = observed.repeat_cell, observed.repeat_items, parts.data.repeat
    clipped = pt.clip(score, 0.5 / items, 1 - 0.5 / items)
    own = _weighed(laws.score_variance(clipped, items, noise), score - f, parts.score_tails)
    weight = seen * slope * first.variance[c] / own
    cells = len(observed.score)
    precision = first.slope**2 + _sum_over(weight * slope, c, cells)
    says = first.slope * first.target
    says = says + _sum_over(weight * (slope * at[c] + score - f), c, cells)
    together = np.sqrt(precision + WEAK**2)
    return Reading(together, says / together, first.variance)


def _sum_over(terms: Graph, index: Ints, size: int) -> Graph:
    return pt.inc_subtensor(pt.zeros(size)[index], terms)
