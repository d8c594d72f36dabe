"""Density of the scores of a cell, with its Neff integrated out, by the density of its system.

Integrals are sums on lattices of log Neff. The score that is expected there is computed once for
each benchmark and protocol, since all cells share it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.arrays import Floats, Ints
from densing_bayes.observed.observations import Observations

REACH = 6.0  # standard deviations that a lattice covers on either side
# Least density by an effect, beside the greatest: releases of one organisation that contradict each
# other by more leave something of their product, and so a density that is low and not undefined.
FAINTEST = 1e-150
FINENESS = 0.7  # of a lattice step, in standard deviations of the narrowest spread on it
FAR = 12.0  # standard deviations from a score beyond which its density counts for nothing


class Cells(NamedTuple):
    """Cells with their readings, and how these are expected and distributed.

    Readings are the first of each cell, then the others by cell. Curves are of measures.
    """

    system: Ints
    benchmark: Ints
    log_params: Floats
    score: Floats
    items: Floats
    curve: Ints  # that of the anchor has the place of the benchmark
    again_score: Floats
    again_items: Floats
    again_curve: Ints
    first_again: Ints  # of each cell among the others, and their end
    of_curve: Ints  # benchmark of each curve
    split: int  # benchmarks that are linked through their loss, which come first
    log_centre: float  # log N0 of the reference runs
    log_tokens: float  # log(D0 / D0')
    tails: float  # degrees of freedom of the noise; 0 for a normal
    normal: bool  # or beta-binomial


class Lattice(NamedTuple):
    """Points of log density about the line of a system that a sum stands for an integral over."""

    step: float
    zero: int  # which point is on the line
    points: int


def cells_of(spec: ModelSpec, observed: Observations) -> Cells:
    """The cells of observations, as the kernels take them."""
    benchmark, count = observed.cell_benchmark, len(observed.benchmarks)
    of_cell = benchmark
    if observed.measures:
        measure = observed.cell_measure
        of_cell = np.where(measure >= 0, count + measure, benchmark)
    return Cells(
        system=observed.cell_system,
        benchmark=benchmark,
        log_params=observed.log_params[observed.cell_system],
        score=observed.score,
        items=observed.cell_items,
        curve=of_cell,
        again_score=observed.repeat_score,
        again_items=observed.repeat_items,
        again_curve=count + observed.repeat_measure,
        first_again=np.searchsorted(observed.repeat_cell, np.arange(len(benchmark) + 1)),
        of_curve=np.concatenate([np.arange(count), observed.measure_benchmark]),
        split=len(observed.loss_benchmarks),
        log_centre=float(np.log(observed.centre_params)),
        log_tokens=observed.log_reference_tokens,
        tails=spec.performance.score_tails or 0.0,
        normal=spec.performance.likelihood == "normal",
    )


@numba.njit(cache=True, nogil=True)
def _beta_binomial(score, items, noise, expected):  # type: ignore[no-untyped-def]
    """Probability of a count of solved items, as performance.observe_score states it."""
    n = float(round(items))
    x = float(round(score * items))
    total = 1.0 / (4.0 * noise * noise) - 1.0
    a, b = expected * total, (1.0 - expected) * total
    return math.exp(
        math.lgamma(n + 1.0)
        - math.lgamma(x + 1.0)
        - math.lgamma(n - x + 1.0)
        + math.lgamma(x + a)
        + math.lgamma(n - x + b)
        - math.lgamma(n + total)
        + math.lgamma(total)
        - math.lgamma(a)
        - math.lgamma(b)
    )


@numba.njit(cache=True, nogil=True)
def _expected(x, k, offset, g, i, cells):  # type: ignore[no-untyped-def]
    """Expected score on benchmark k of a reference model with exp(x) params: laws.py, scalar.

    As a protocol reads it that has an ``offset`` on the logit.
    """
    n = x - cells.log_centre
    if k < cells.split:
        law = g.law[:, i, k]
        tokens = law[3] * math.exp(-law[4] * cells.log_tokens)
        loss = law[0] + law[1] * math.exp(-law[2] * n) + tokens
        z = g.steepness[i, k] * (g.midpoint[i, k] - loss)
    else:
        j = k - cells.split
        ability = n + g.token_elasticity[i, j] * cells.log_tokens
        z = g.discrimination[i, j] * (ability - g.difficulty[i, j])
    floor = g.floor[i, k]
    return floor + (g.ceiling[i, k] - floor) * (0.5 + 0.5 * math.tanh(0.5 * (z + offset)))


@numba.njit(cache=True, nogil=True)
def _of_score(expected, score, items, noise, tails, normal):  # type: ignore[no-untyped-def]
    """Density of a score by what is expected, as performance.observe_score states it."""
    if not normal:
        return np.array([_beta_binomial(score, items, noise, value) for value in expected])
    variance = expected * (1.0 - expected) * (1.0 / items + 4.0 * noise * noise)
    if tails > 0.0:
        norm = standard_density(0.0, tails)
        terms = 1.0 + (score - expected) ** 2 / (tails * variance)
        return norm * terms ** (-0.5 * (tails + 1.0)) / np.sqrt(variance)
    return np.exp(-0.5 * (score - expected) ** 2 / variance) / np.sqrt(2.0 * math.pi * variance)


@numba.njit(cache=True, nogil=True)
def normal_band(offset, step, sd, low, high):  # type: ignore[no-untyped-def]
    """Normal density at (d - offset) * step for d from low to high, times the step."""
    band = np.empty(high - low + 1)
    norm = step / (sd * math.sqrt(2.0 * math.pi))
    for d in range(low, high + 1):
        band[d - low] = norm * math.exp(-0.5 * ((d - offset) * step / sd) ** 2)
    return band


@numba.njit(cache=True, nogil=True, fastmath=True)
def correlate(values, band, start, stride, points):  # type: ignore[no-untyped-def]
    """Sums of ``band`` against ``values`` from start, start + stride, ... on; 0 outside."""
    result = np.zeros(points)
    for i in range(points):
        at = start + i * stride
        low, high = max(0, -at), min(len(band), len(values) - at)
        if low >= high:
            continue
        # Views, since a loop over at + d has to mind negative indices and is not vectorised.
        weights, own = band[low:high], values[at + low : at + high]
        total = 0.0
        for d in range(len(weights)):
            total += weights[d] * own[d]
        result[i] = total
    return result


@numba.njit(cache=True, nogil=True)
def standard_density(z, tails):  # type: ignore[no-untyped-def]
    """Standard normal density, or that of Student's t with ``tails`` degrees of freedom."""
    if tails == 0.0:
        return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    log_norm = math.lgamma(0.5 * (tails + 1.0)) - math.lgamma(0.5 * tails)
    norm = math.exp(log_norm) / math.sqrt(tails * math.pi)
    return norm * (1.0 + z * z / tails) ** (-0.5 * (tails + 1.0))


@numba.njit(cache=True, nogil=True)
def scaled(values):  # type: ignore[no-untyped-def]
    """Divide by the largest value, in place; its logarithm."""
    top = values.max()
    if top <= 0.0:
        return -np.inf
    values /= top
    return math.log(top)


@numba.njit(cache=True, nogil=True)
def first_places(g, i, cells, lattice):  # type: ignore[no-untyped-def]
    """Mean of log Neff of each cell where its system stands at the first point of the lattice."""
    line = cells.log_params + g.line[i, cells.system]
    return line + g.shift[i] - lattice.zero * lattice.step


@numba.njit(cache=True, nogil=True)
def curves_of(g, i, cells, starts, lattice):  # type: ignore[no-untyped-def]
    """Expected score of each measure on a lattice of log Neff that all its cells share.

    ``starts`` are of :func:`first_places`. Protocols that have an offset from an anchor stand on
    its lattice.
    """
    anchors = g.floor.shape[1]
    return [
        _curve(g, i, k, 0.0 if q < anchors else g.offset[i, q - anchors], cells, starts, lattice)
        for q, k in enumerate(cells.of_curve)
    ]


@numba.njit(cache=True, nogil=True)
def _curve(g, i, k, offset, cells, starts, lattice):  # type: ignore[no-untyped-def]
    """First point, parts of a step of the lattice of systems, and expected scores.

    The step is fine beside the spread of the cells and beside what a score pins down where the
    curve is steepest.
    """
    own = cells.benchmark == k
    if not own.any():
        return 0.0, 1, np.zeros(0)
    score, sd, starts = cells.score[own], g.cell_spread[i, own], starts[own]
    variance = 1.0 / cells.items[own] + 4.0 * g.noise[i, own] ** 2
    error = np.sqrt(np.maximum(score * (1.0 - score), 0.01) * variance).min()
    steepest = 1e-3
    before = _expected(10.0, k, 0.0, g, i, cells)
    for n in range(1, 101):
        after = _expected(10.0 + 0.25 * n, k, 0.0, g, i, cells)
        steepest = max(steepest, (after - before) / 0.25)
        before = after
    finer = max(1, math.ceil(lattice.step / (FINENESS * min(sd.min(), error / steepest))))
    fine = lattice.step / finer
    reach = REACH * sd.max() + 2.0 * fine
    origin = starts.min() - reach
    length = starts.max() - origin + (lattice.points - 1) * lattice.step + reach
    expected = np.empty(int(length / fine) + 2)
    for n in range(len(expected)):
        expected[n] = _expected(origin + n * fine, k, offset, g, i, cells)
    return origin, finer, expected


@numba.njit(cache=True, nogil=True)
def cell_density(g, i, c, cells, curves, starts, lattice):  # type: ignore[no-untyped-def]
    """Density of a cell's scores with its Neff integrated out, by the density of its system.

    The logarithm of a factor stands apart.
    """
    origin, finer, expected = curves[cells.curve[c]]
    sd, score, items, noise = g.cell_spread[i, c], cells.score[c], cells.items[c], g.noise[i, c]
    fine = lattice.step / finer
    reach = int(REACH * sd / fine) + 1
    place = (starts[c] - origin) / fine
    at = math.floor(place)
    low, high = at - reach, at + (lattice.points - 1) * finer + reach + 2
    if cells.tails == 0.0:
        # The score rises with Neff, so only a stretch of the curve comes near it.
        near = FAR * 0.5 * math.sqrt(1.0 / items + 4.0 * noise * noise)
        low = max(np.searchsorted(expected, score - near), low)
        high = min(np.searchsorted(expected, score + near), high)
    low = max(low, 0)
    high = max(low, high)
    density = _of_score(expected[low:high], score, items, noise, cells.tails, cells.normal)
    logs = 0.0
    for r in range(cells.first_again[c], cells.first_again[c + 1]):
        if len(density) == 0:
            break
        logs += scaled(density)
        density = np.maximum(density, FAINTEST)  # readings may contradict each other
        density *= _of_score(
            curves[cells.again_curve[r]][2][low:high], cells.again_score[r], cells.again_items[r],
            g.repeat_noise[i, r], cells.tails, cells.normal,
        )  # fmt: skip
    band = normal_band(place - at, fine, sd, -reach, reach + 1)
    return correlate(density, band, at - reach - low, finer, lattice.points), logs
