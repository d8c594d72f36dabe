"""Density of the scores of a cell, with its Neff integrated out, by the density of its system.

Integrals are sums on lattices of log Neff. The score that is expected there is computed once for
each benchmark and protocol, since all cells share it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from densing_bayes.observed.arrays import Floats, Ints
from densing_bayes.observed.observations import Observations

REACH = 6.0  # standard deviations that a lattice covers on either side
# Least density by an effect, beside the greatest: releases of one organisation that contradict each
# other by more leave something of their product, and so a density that is low and not undefined.
FAINTEST = 1e-150
FINENESS = 0.7  # of a lattice step, in standard deviations of the narrowest spread on it
FAR = 12.0  # standard deviations from a score beyond which its density counts for nothing


class Readings(NamedTuple):
    """Readings of the cells: the first of each, then the others by cell. Curves are of measures."""

    score: Floats
    items: Floats
    benchmark: Ints  # of the cells
    curve: Ints  # of the cells: that of the anchor has the place of the benchmark
    again_score: Floats
    again_items: Floats
    again_curve: Ints
    first_again: Ints  # of each cell among the others, and their end
    of_curve: Ints  # benchmark of each curve


def readings(observed: Observations) -> Readings:
    """Readings of observations, as the kernel takes them."""
    benchmark, count = observed.cell_benchmark, len(observed.benchmarks)
    of_cell = benchmark
    if observed.measures:
        measure = observed.cell_measure
        of_cell = np.where(measure >= 0, count + measure, benchmark)
    return Readings(
        observed.score,
        observed.cell_items,
        benchmark,
        of_cell,
        observed.repeat_score,
        observed.repeat_items,
        count + observed.repeat_measure,
        np.searchsorted(observed.repeat_cell, np.arange(len(benchmark) + 1)),
        np.concatenate([np.arange(count), observed.measure_benchmark]),
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
def _expected(x, k, split, g, i, offset, log_centre, log_tokens):  # type: ignore[no-untyped-def]
    """Expected score on benchmark k of a reference model with exp(x) params: laws.py, scalar.

    As a protocol reads it that has an ``offset`` on the logit.
    """
    n = x - log_centre
    if k < split:
        law = g.law[:, i, k]
        loss = law[0] + law[1] * math.exp(-law[2] * n) + law[3] * math.exp(-law[4] * log_tokens)
        z = g.steepness[i, k] * (g.midpoint[i, k] - loss)
    else:
        j = k - split
        ability = n + g.token_elasticity[i, j] * log_tokens
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
def curve(  # type: ignore[no-untyped-def]
    g, i, q, k, split, score, items, starts, noise, sd, step, points, log_centre, log_tokens
):
    """Expected score of a benchmark on a lattice of log Neff that all its cells share.

    Its step is a part of ``step``, fine beside the spread of the cells and beside what a score
    pins down where the curve is steepest. Curve ``q`` is that of the anchor, or of a protocol that
    has an offset from it, on the lattice of the anchor.
    """
    offset = 0.0 if q < g.floor.shape[1] else g.offset[i, q - g.floor.shape[1]]
    if len(score) == 0:
        return 0.0, 1, np.zeros(0)
    error = np.sqrt(np.maximum(score * (1.0 - score), 0.01) * (1.0 / items + 4.0 * noise**2)).min()
    steepest = 1e-3
    before = _expected(10.0, k, split, g, i, 0.0, log_centre, log_tokens)
    for n in range(1, 101):
        after = _expected(10.0 + 0.25 * n, k, split, g, i, 0.0, log_centre, log_tokens)
        steepest = max(steepest, (after - before) / 0.25)
        before = after
    finer = max(1, math.ceil(step / (FINENESS * min(sd.min(), error / steepest))))
    fine = step / finer
    reach = REACH * sd.max() + 2.0 * fine
    origin = starts.min() - reach
    count = int((starts.max() - origin + (points - 1) * step + reach) / fine) + 2
    expected = np.empty(count)
    for n in range(count):
        expected[n] = _expected(origin + n * fine, k, split, g, i, offset, log_centre, log_tokens)
    return origin, finer, expected


@numba.njit(cache=True, nogil=True)
def cell_density(g, i, c, read, curves, start, step, points, tails, normal):  # type: ignore[no-untyped-def]
    """Density of a cell's scores with its Neff integrated out, by the density of its system.

    ``start`` is the mean of log Neff at the first point of the system's lattice. The logarithm of
    a factor stands apart.
    """
    origin, finer, expected = curves[read.curve[c]]
    sd, score, items, noise = g.cell_spread[i, c], read.score[c], read.items[c], g.noise[i, c]
    fine = step / finer
    reach = int(REACH * sd / fine) + 1
    place = (start - origin) / fine
    at = math.floor(place)
    low, high = at - reach, at + (points - 1) * finer + reach + 2
    if tails == 0.0:
        # The score rises with Neff, so only a stretch of the curve comes near it.
        near = FAR * 0.5 * math.sqrt(1.0 / items + 4.0 * noise * noise)
        low = max(np.searchsorted(expected, score - near), low)
        high = min(np.searchsorted(expected, score + near), high)
    low = max(low, 0)
    high = max(low, high)
    density = _of_score(expected[low:high], score, items, noise, tails, normal)
    logs = 0.0
    for r in range(read.first_again[c], read.first_again[c + 1]):
        if len(density) == 0:
            break
        logs += scaled(density)
        density = np.maximum(density, FAINTEST)  # readings may contradict each other
        density *= _of_score(
            curves[read.again_curve[r]][2][low:high], read.again_score[r], read.again_items[r],
            g.repeat_noise[i, r], tails, normal,
        )  # fmt: skip
    band = normal_band(place - at, fine, sd, -reach, reach + 1)
    return correlate(density, band, at - reach - low, finer, points), logs
