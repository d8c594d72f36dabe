"""The likelihood of scores with everything of a release integrated out, given the globals.

Given the parameters that all systems share, an organisation's releases are independent of all
others. Within it, effects, shortfalls, densities and the Neff of the cells are integrated
numerically, innermost first, on lattices that are fine enough for the narrowest of their
spreads: the trapezoid rule is then exact to many digits. What is left is the density of the
scores of a release, or of a system, given the others: the ground of leave-one-out scores,
forecasts of new releases and marginal likelihoods.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint.shared_parameters import Given
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.observations import Observations

REACH = 6.0  # standard deviations that a lattice covers on either side
HEAVY_REACH = 20.0  # scales, of an effect with heavy tails: beyond lies less than 1e-4 of four df
# Least density by an effect, beside the greatest: releases of one organisation that contradict each
# other by more leave something of their product, and so a density that is low and not undefined.
FAINTEST = 1e-150
FINENESS = 0.7  # of a lattice step, in standard deviations of the narrowest spread on it
FAR = 12.0  # standard deviations from a score beyond which its density counts for nothing
COARSEST = 0.15  # lattice step at most, in log density
# Weights of the first points of a sum that stands for an integral from an edge on (Gregory).
EDGE = (3.0 / 8.0, 7.0 / 6.0, 23.0 / 24.0)


class Predictive(NamedTuple):
    """Log predictive densities; arrays with draws in front."""

    total: Floats  # of all scores that are given
    release: Floats  # of a release's scores given those of the others
    system: Floats  # of a system's scores given those of the others
    organisation: Floats  # over releases: a draw of the organisation's effect given the others


def predictive_densities(
    spec: ModelSpec,
    observed: Observations,
    parameters: Given,
    conditioned_on: NDArray[np.bool_] | None = None,
    *,
    pointwise: bool = True,
    seed: int = 0,
) -> Predictive:
    """Log predictive densities of the scores at each draw of the globals.

    Parameters
    ----------
    spec, observed
        Of the model.
    parameters
        Of :func:`given`, for the same observations.
    conditioned_on
        Which releases stand among "the others": all by default; for a forecast those of the past.
    pointwise
        Give the densities of releases and systems too, not the total only.
    seed
        Of the draws of effects.
    """
    if conditioned_on is None:
        conditioned_on = np.ones(len(observed.releases), dtype=bool)
    organisation = np.zeros(len(observed.releases), dtype=np.int64)
    organisation[observed.system_release] = observed.system_organisation
    order = np.argsort(observed.cell_system, kind="stable")
    first_cell = np.searchsorted(observed.cell_system[order], np.arange(len(observed.systems) + 1))
    results = _predictive(
        parameters,
        observed.score,
        observed.cell_items,
        observed.cell_benchmark,
        len(observed.loss_benchmarks),
        observed.log_params,
        float(np.log(observed.centre_params)),
        observed.log_reference_tokens,
        observed.cell_system,
        order,
        first_cell,
        observed.system_release,
        organisation,
        conditioned_on,
        spec.trend.release_effects,
        spec.trend.release_tails or 0.0,
        spec.performance.likelihood == "normal",
        pointwise,
        np.random.default_rng(seed).random((len(parameters.line), len(observed.releases))),
    )
    return Predictive(*results)


# The kernel --------------------------------------------------------------------------------------


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
def _expected(x, k, split, g, i, log_centre, log_tokens):  # type: ignore[no-untyped-def]
    """Expected score on benchmark k of a reference model with exp(x) params: laws.py, scalar."""
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
    return floor + (g.ceiling[i, k] - floor) * (0.5 + 0.5 * math.tanh(0.5 * z))


@numba.njit(cache=True, nogil=True)
def _normal_band(offset, step, sd, low, high):  # type: ignore[no-untyped-def]
    """Normal density at (d - offset) * step for d from low to high, times the step."""
    band = np.empty(high - low + 1)
    norm = step / (sd * math.sqrt(2.0 * math.pi))
    for d in range(low, high + 1):
        band[d - low] = norm * math.exp(-0.5 * ((d - offset) * step / sd) ** 2)
    return band


@numba.njit(cache=True, nogil=True, fastmath=True)
def _correlate(values, band, start, stride, points):  # type: ignore[no-untyped-def]
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
def _standard(z, tails):  # type: ignore[no-untyped-def]
    """Standard normal density, or that of Student's t with ``tails`` degrees of freedom."""
    if tails == 0.0:
        return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    log_norm = math.lgamma(0.5 * (tails + 1.0)) - math.lgamma(0.5 * tails)
    norm = math.exp(log_norm) / math.sqrt(tails * math.pi)
    return norm * (1.0 + z * z / tails) ** (-0.5 * (tails + 1.0))


@numba.njit(cache=True, nogil=True)
def _reach(tails):  # type: ignore[no-untyped-def]
    return REACH if tails == 0.0 else HEAVY_REACH


@numba.njit(cache=True, nogil=True)
def _one_sided_band(step, scale, points, tails):  # type: ignore[no-untyped-def]
    """Density of a shortfall at points - 1, ..., 1, 0 steps, times the step and edge weights."""
    band = np.empty(points)
    for d in range(points):
        weight = EDGE[d] if d < 3 else 1.0
        band[points - 1 - d] = weight * 2.0 * step / scale * _standard(d * step / scale, tails)
    return band


@numba.njit(cache=True, nogil=True)
def _scaled(values):  # type: ignore[no-untyped-def]
    """Divide by the largest value, in place; its logarithm."""
    top = values.max()
    if top <= 0.0:
        return -np.inf
    values /= top
    return math.log(top)


@numba.njit(cache=True, nogil=True)
def _below(values, unit_scale, step, tails):  # type: ignore[no-untyped-def]
    """Integrate a shortfall out: from the place of a unit to the place of its edge."""
    if unit_scale == 0.0:
        return values.copy()
    points = min(len(values), int(_reach(tails) * unit_scale / step) + 3)
    band = _one_sided_band(step, unit_scale, points, tails)
    return _correlate(values, band, 1 - points, 1, len(values))


@numba.njit(cache=True, nogil=True)
def _about(values, sd, step, tails):  # type: ignore[no-untyped-def]
    """Integrate a symmetric effect out: from the place of the inner to that of the outer."""
    if sd == 0.0:
        return values.copy()
    reach = min(len(values), int(_reach(tails) * sd / step) + 1)
    band = np.empty(2 * reach + 1)
    for d in range(-reach, reach + 1):
        band[d + reach] = step / sd * _standard(d * step / sd, tails)
    return _correlate(values, band, -reach, 1, len(values))


@numba.njit(cache=True, nogil=True)
def _predictive(  # type: ignore[no-untyped-def]
    g,
    score,
    items,
    benchmark,
    split,
    log_params,
    log_centre,
    log_tokens,
    system_of,
    order,
    first_cell,
    release_of,
    organisation_of,
    conditioned_on,
    release_effects,
    tails,
    normal,
    pointwise,
    uniform,
):
    draws, systems = g.line.shape
    releases, organisations = len(organisation_of), organisation_of.max() + 1
    total = np.zeros(draws)
    by_release = np.empty((draws, releases))
    by_system = np.empty((draws, systems))
    effect = np.zeros((draws, releases))
    for i in range(draws):
        # One lattice for all effects, in steps of log density from the line of a system.
        sd, outer = g.spread[i], g.organisation[i]
        step = min(sd, g.cell_spread[i].min())
        for other in (outer, g.release[i], g.shortfall[i].min()):
            if other > 0.0:
                step = min(step, other)
        step = min(FINENESS * step, COARSEST)
        reach = REACH * (sd + outer) + _reach(tails) * g.release[i]
        deepest = _reach(tails) * g.shortfall[i].max()
        zero = int((reach + deepest) / step) + 1  # index of no effect
        points = zero + int(reach / step) + 2
        nodes = int(REACH * outer / step)

        starts = log_params[system_of] + g.line[i, system_of] + g.shift[i] - zero * step
        curves = [
            _curve(
                g, i, k, split, score[benchmark == k], items[benchmark == k],
                starts[benchmark == k], g.noise[i, benchmark == k],
                g.cell_spread[i, benchmark == k], step, points,
                log_centre, log_tokens,
            )
            for k in range(g.floor.shape[1])
        ]  # fmt: skip
        placed = np.empty((systems, points))  # density of a system's scores, by its effects
        log_placed = np.empty(systems)
        for m in range(systems):
            product = np.ones(points)
            logs = 0.0
            for c in order[first_cell[m] : first_cell[m + 1]]:
                product *= _cell(
                    curves[benchmark[c]], starts[c], step, points, g.cell_spread[i, c],
                    g.noise[i, c], score[c], items[c], normal,
                )  # fmt: skip
                logs += _scaled(product)
            product = _about(product, sd, step, 0.0)
            if not release_effects:
                product = _below(product, g.shortfall[i, m], step, tails)
            placed[m] = product
            log_placed[m] = logs + _scaled(placed[m])

        edge = np.empty((releases, 2 * nodes + 1))  # of a release's, by organisation effect
        log_edge = np.empty(releases)
        for j in range(releases):
            members = np.flatnonzero(release_of == j)
            log_edge[j] = _release(
                edge[j], members, -1, placed, log_placed, g, i, j, step, zero, nodes,
                release_effects, tails,
            )  # fmt: skip
        weights = _normal_band(0.0, step, outer, -nodes, nodes) if outer > 0.0 else np.ones(1)
        for o in range(organisations):
            own = np.flatnonzero(organisation_of == o)
            among = weights.copy()
            logs = 0.0
            for r in own:
                if conditioned_on[r]:
                    among *= edge[r]
                    logs += log_edge[r] + _scaled(among)
            total[i] += logs + math.log(among.sum())
            if not pointwise:
                continue
            for r in own:
                rest = weights.copy()
                for other in own:
                    if other != r and conditioned_on[other]:
                        rest *= edge[other]
                        _scaled(rest)
                by_release[i, r] = log_edge[r] + math.log((rest * edge[r]).sum() / rest.sum())
                effect[i, r] = step * (_place(rest, uniform[i, r]) - nodes)
                members = np.flatnonzero(release_of == r)
                without = np.empty(2 * nodes + 1)
                for left_out in members:
                    logs = _release(
                        without, members, left_out, placed, log_placed, g, i, r, step, zero, nodes,
                        release_effects, tails,
                    )  # fmt: skip
                    by_system[i, left_out] = (
                        log_edge[r]
                        - logs
                        + math.log((rest * edge[r]).sum() / (rest * without).sum())
                    )
    return total, by_release, by_system, effect


@numba.njit(cache=True, nogil=True)
def _place(weights, share):  # type: ignore[no-untyped-def]
    """Where the cumulated weights of a lattice reach a share of their sum, between its points."""
    cumulated = np.cumsum(weights)
    cumulated /= cumulated[-1]
    at = min(np.searchsorted(cumulated, share), len(weights) - 1)
    below = cumulated[at - 1] if at > 0 else 0.0
    inside = (share - below) / (cumulated[at] - below) if cumulated[at] > below else 0.5
    return at - 0.5 + inside


@numba.njit(cache=True, nogil=True)
def _release(  # type: ignore[no-untyped-def]
    result,
    members,
    left_out,
    placed,
    log_placed,
    g,
    i,
    j,
    step,
    zero,
    nodes,
    release_effects,
    tails,
):
    """Density of a release's scores by the effect of its organisation, but for one system."""
    product = np.ones(placed.shape[1])
    logs = 0.0
    for m in members:
        if m != left_out:
            product *= placed[m]
            logs += log_placed[m] + _scaled(product)
    if release_effects:
        product = _below(product, g.shortfall[i, j], step, tails)
    product = _about(product, g.release[i], step, tails)
    result[:] = product[zero - nodes : zero + nodes + 1]
    logs += _scaled(result)
    result[:] = np.maximum(result, FAINTEST)
    return logs


@numba.njit(cache=True, nogil=True)
def _curve(  # type: ignore[no-untyped-def]
    g, i, k, split, score, items, starts, noise, sd, step, points, log_centre, log_tokens
):
    """Expected score of a benchmark on a lattice of log Neff that all its cells share.

    Its step is a part of ``step``, fine beside the spread of the cells and beside what a score
    pins down where the curve is steepest.
    """
    if len(score) == 0:
        return 0.0, 1, np.zeros(0)
    error = np.sqrt(np.maximum(score * (1.0 - score), 0.01) * (1.0 / items + 4.0 * noise**2)).min()
    steepest = 1e-3
    before = _expected(10.0, k, split, g, i, log_centre, log_tokens)
    for n in range(1, 101):
        after = _expected(10.0 + 0.25 * n, k, split, g, i, log_centre, log_tokens)
        steepest = max(steepest, (after - before) / 0.25)
        before = after
    finer = max(1, math.ceil(step / (FINENESS * min(sd.min(), error / steepest))))
    fine = step / finer
    reach = REACH * sd.max() + 2.0 * fine
    origin = starts.min() - reach
    count = int((starts.max() - origin + (points - 1) * step + reach) / fine) + 2
    expected = np.empty(count)
    for n in range(count):
        expected[n] = _expected(origin + n * fine, k, split, g, i, log_centre, log_tokens)
    return origin, finer, expected


@numba.njit(cache=True, nogil=True)
def _cell(curve, start, step, points, sd, noise, score, items, normal):  # type: ignore[no-untyped-def]
    """Density of a cell's score with its Neff integrated out, by the density of its system.

    ``start`` is the mean of log Neff at the first point of the system's lattice.
    """
    origin, finer, expected = curve
    fine = step / finer
    reach = int(REACH * sd / fine) + 1
    place = (start - origin) / fine
    at = math.floor(place)
    scale = 1.0 / items + 4.0 * noise * noise
    # The score rises with Neff, so only a stretch of the curve comes near it.
    near = FAR * 0.5 * math.sqrt(scale)
    low = max(np.searchsorted(expected, score - near), at - reach)
    high = min(np.searchsorted(expected, score + near), at + (points - 1) * finer + reach + 2)
    density = expected[low : max(low, high)]
    if normal:
        variance = density * (1.0 - density) * scale
        density = np.exp(-0.5 * (score - density) ** 2 / variance) / np.sqrt(
            2.0 * math.pi * variance
        )
    else:
        density = np.array([_beta_binomial(score, items, noise, value) for value in density])
    band = _normal_band(place - at, fine, sd, -reach, reach + 1)
    return _correlate(density, band, at - reach - low, finer, points)
