"""Predictive densities where organisations and releases lean towards benchmarks.

With leans the cells of an organisation hang together in more ways than nested integrals on a
lattice can follow. Given the globals, all that an organisation's scores share is normal (its own
effect, leans, effects of its systems) or half-normal (what a release falls short by), and the
scores of a cell bear on one sum of these. Expectation propagation (Minka 2001) replaces the density
of each cell's scores, by that sum, and the edge of each shortfall by a normal factor whose first
moments are right beside the others. The densities are log-concave or nearly so, where the method
is known to be accurate; tests hold it against the lattice of :mod:`.predictive` where there are no
leans, and against plain Monte Carlo integration where there are.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from densing_bayes.joint.marginal.cells import (
    FINENESS,
    REACH,
    Lattice,
    cell_density,
    curves_of,
    first_places,
    scaled,
)
from densing_bayes.observed.arrays import Floats, Ints

SWEEPS = 12  # over the factors of an organisation, at most
SETTLED = 1e-3  # change of the log density between two sweeps below which they end
FINEST = 0.8  # of a lattice step, in standard deviations of what it integrates
LEAST = 1e-300
WIDENED = 0.5  # share of a precision that a factor may take away, where it is not log-concave


class Shared(NamedTuple):
    """Values that the scores of an organisation share, and the cells and edges bearing on them."""

    variance: Floats  # of the prior: of minus a shortfall before its edge is minded
    edges: Ints  # values that lie below zero
    bears: Ints  # values that each cell bears on the sum of, (cell, 7); -1 for none
    tables: Floats  # density of each cell by that sum, over the lattice
    logs: Floats  # of a factor that the tables leave out
    lattice: Lattice


@numba.njit(cache=True, nogil=True)
def _edge(mean, variance):  # type: ignore[no-untyped-def]
    """Twice the normal mass below zero, and mean and variance there: of minus a shortfall."""
    sd = math.sqrt(variance)
    alpha = -mean / sd
    mass = max(0.5 * math.erfc(-alpha / math.sqrt(2.0)), LEAST)
    ratio = math.exp(-0.5 * alpha * alpha) / math.sqrt(2.0 * math.pi) / mass
    if alpha < -30.0:  # far on the wrong side: an exponential tail
        return math.log(2.0) - 0.5 * alpha * alpha, -sd / -alpha, variance / (alpha * alpha)
    narrowed = max(1.0 - alpha * ratio - ratio * ratio, 1e-6)
    return math.log(2.0 * mass), mean - sd * ratio, variance * narrowed


@numba.njit(cache=True, nogil=True)
def _tilted(table, step, zero, mean, variance):  # type: ignore[no-untyped-def]
    """Log integral of a tabulated density against a normal one; mean and variance of the product.

    The table has its value at ``(d - zero) step`` in place d.
    """
    sd = math.sqrt(variance)
    parts = max(1, math.ceil(step / (FINEST * sd)))
    fine = step / parts
    low = max(math.floor((mean - REACH * sd) / fine), -zero * parts)
    high = min(math.ceil((mean + REACH * sd) / fine), (len(table) - 1 - zero) * parts)
    mass = first = second = 0.0
    for n in range(low, high + 1):
        place = n / parts + zero
        d = min(int(place), len(table) - 2)
        share = place - d
        t = n * fine
        weight = (1.0 - share) * table[d] + share * table[d + 1]
        weight *= math.exp(-0.5 * (t - mean) * (t - mean) / variance)
        mass += weight
        first += weight * t
        second += weight * t * t
    if mass <= LEAST:
        return -700.0, mean, variance
    centre = first / mass
    spread = max(second / mass - centre * centre, 1e-8 * variance)
    return math.log(mass * fine / (sd * math.sqrt(2.0 * math.pi))), centre, spread


@numba.njit(cache=True, nogil=True)
def _matched(f, shared, rest, mean):  # type: ignore[no-untyped-def]
    """Precision and pull of a normal factor beside the others, and its term of the log density.

    The others together have precision ``rest`` and ``mean``, of the sum that the factor bears on.
    """
    cells, lattice = len(shared.tables), shared.lattice
    if f < cells:
        log_mass, centre, spread = _tilted(
            shared.tables[f], lattice.step, lattice.zero, mean, 1.0 / rest
        )
        log_mass += shared.logs[f]
    else:
        log_mass, centre, spread = _edge(mean, 1.0 / rest)
    precision = max(1.0 / spread - rest, -WIDENED * rest)
    pull = centre * (rest + precision) - mean * rest
    # Normal integrals of the others and of the others with this factor.
    total, total_pull = rest + precision, mean * rest + pull
    term = (
        log_mass
        + 0.5 * (mean * mean * rest - math.log(rest))
        - 0.5 * (total_pull * total_pull / total - math.log(total))
    )
    return precision, pull, term


@numba.njit(cache=True, nogil=True)
def _joined(variance, places, precision, pull):  # type: ignore[no-untyped-def]
    """Precision and pull of the shared values, of the prior and of all factors."""
    inverse, natural = np.diag(1.0 / variance), np.zeros(len(variance))
    for f in range(len(places)):
        for p in places[f]:
            if p >= 0:
                natural[p] += pull[f]
                for q in places[f]:
                    if q >= 0:
                        inverse[p, q] += precision[f]
    return inverse, natural


@numba.njit(cache=True, nogil=True)
def _propagated(shared, precision, pull):  # type: ignore[no-untyped-def]
    """Log density of the scores of all cells, and mean and covariance of the shared values.

    ``precision`` and ``pull`` of the factors, cells first and then edges, are those to begin with,
    and become those that are found.
    """
    size, cells = len(shared.variance), len(shared.tables)
    places = np.full((cells + len(shared.edges), shared.bears.shape[1]), -1)
    places[:cells] = shared.bears
    places[cells:, 0] = shared.edges
    found, before = 0.0, np.inf
    along = np.empty(size)
    covariance, mean = np.empty((size, size)), np.empty(size)
    for _ in range(SWEEPS):
        # Afresh each time, so that rounding errors do not add up.
        inverse, natural = _joined(shared.variance, places, precision, pull)
        covariance[:] = np.linalg.inv(inverse)
        mean[:] = covariance @ natural
        terms = 0.0
        for f in range(len(places)):
            along[:] = 0.0
            at = own = 0.0
            for p in places[f]:
                if p >= 0:
                    at += mean[p]
                    along += covariance[p]
            for p in places[f]:
                if p >= 0:
                    own += along[p]
            rest = 1.0 / own - precision[f]
            if rest <= 1e-8 / own:
                continue
            new, new_pull, term = _matched(f, shared, rest, (at / own - pull[f]) / rest)
            terms += term
            change, change_pull = new - precision[f], new_pull - pull[f]
            scale = change / (1.0 + change * own)
            mean += along * (change_pull - scale * (at + own * change_pull))
            for i in range(size):
                covariance[i] -= scale * along[i] * along
            precision[f], pull[f] = new, new_pull
        _inverse, natural = _joined(shared.variance, places, precision, pull)
        _sign, log_determinant = np.linalg.slogdet(covariance)
        log_prior = np.log(shared.variance).sum()
        found = terms + 0.5 * (natural @ mean + log_determinant - log_prior)
        if abs(found - before) < SETTLED:
            break
        before = found
    return found, mean, covariance


@numba.njit(cache=True, nogil=True)
def _among(keep, shared, precision, pull):  # type: ignore[no-untyped-def]
    """:func:`_propagated` of the cells that are kept, and the factors that it ends with.

    It begins with factors found before. What no cell that is kept bears on has its prior, and an
    edge there changes nothing.
    """
    cells = np.flatnonzero(keep)
    borne = np.zeros(len(shared.variance), dtype=np.bool_)
    for c in cells:
        for place in shared.bears[c]:
            if place >= 0:
                borne[place] = True
    falls = np.flatnonzero(borne[shared.edges])
    factors = np.concatenate((cells, len(shared.bears) + falls))
    own = Shared(
        shared.variance, shared.edges[falls], shared.bears[cells], shared.tables[cells],
        shared.logs[cells], shared.lattice,
    )  # fmt: skip
    own_precision, own_pull = precision[factors], pull[factors]
    log_density, mean, covariance = _propagated(own, own_precision, own_pull)
    precision, pull = precision.copy(), pull.copy()
    precision[factors], pull[factors] = own_precision, own_pull
    return log_density, mean, covariance, precision, pull


@numba.njit(cache=True, nogil=True)
def _places(g, i, own, members, benchmarks, release_effects):  # type: ignore[no-untyped-def]
    """Prior variances of what an organisation's systems share, and where each stands; -1 if not.

    Its effect and leans come first, then what its releases and its systems have of their own.
    """
    effect = np.full(1 + benchmarks, -1)
    of_release = np.full((len(own), 2 + benchmarks), -1)  # the fall last
    of_system = np.full((len(members), 2), -1)
    variance, edges = [0.0], [0]
    variance.clear()
    edges.clear()
    for n in range(1 + benchmarks):
        sd = g.organisation[i] if n == 0 else g.lean_spread[i]
        if sd > 0.0:
            effect[n] = len(variance)
            variance.append(sd * sd)
    falls = g.shortfall[i].max() > 0.0
    for r in range(len(own)):
        if falls and release_effects:
            of_release[r, 1 + benchmarks] = len(variance)
            edges.append(len(variance))
            variance.append(g.shortfall[i, own[r]] ** 2)
        if g.release[i] > 0.0:
            of_release[r, 0] = len(variance)
            variance.append(g.release[i] ** 2)
        for k in range(benchmarks):
            if g.release_lean_spread[i] > 0.0:
                of_release[r, 1 + k] = len(variance)
                variance.append(g.release_lean_spread[i] ** 2)
    for m in range(len(members)):
        of_system[m, 0] = len(variance)
        variance.append(g.spread[i] ** 2)
        if falls and not release_effects:
            of_system[m, 1] = len(variance)
            edges.append(len(variance))
            variance.append(g.shortfall[i, members[m]] ** 2)
    return effect, of_release, of_system, np.array(variance), np.array(edges, dtype=np.int64)


@numba.njit(cache=True, nogil=True)
def _shared(g, i, o, cells, units, curves, starts, lattice):  # type: ignore[no-untyped-def]
    """Cells of an organisation, what they share, and where its effect and leans stand in that."""
    benchmarks = g.floor.shape[1]
    releases = np.flatnonzero(units.organisation == o)
    systems = np.flatnonzero(units.organisation[units.release] == o)
    own = np.flatnonzero(units.organisation[units.release[cells.system]] == o)
    effect, of_release, of_system, variance, edges = _places(
        g, i, releases, systems, benchmarks, units.release_effects
    )
    bears = np.full((len(own), 7), -1)
    tables, logs = np.empty((len(own), lattice.points)), np.empty(len(own))
    for n, c in enumerate(own):
        k, m = cells.benchmark[c], cells.system[c]
        r, at = np.searchsorted(releases, units.release[m]), np.searchsorted(systems, m)
        bears[n, 0], bears[n, 1] = effect[0], effect[1 + k]
        bears[n, 2], bears[n, 3] = of_release[r, 0], of_release[r, 1 + k]
        bears[n, 4], bears[n, 5] = of_system[at, 0], of_system[at, 1]
        bears[n, 6] = of_release[r, 1 + benchmarks]
        density, log_density = cell_density(g, i, c, cells, curves, starts, lattice)
        tables[n] = density
        logs[n] = log_density + scaled(tables[n])
    return own, Shared(variance, edges, bears, tables, logs, lattice), effect


@numba.njit(cache=True, nogil=True)
def _drawn(effect, mean, covariance, standard):  # type: ignore[no-untyped-def]
    """A draw of an organisation's effect and leans; 0 for what it has not."""
    result, there = np.zeros(len(effect)), effect >= 0
    places = effect[there]
    if len(places):
        root = np.linalg.cholesky(covariance[places][:, places])
        result[there] = mean[places] + root @ standard[: len(places)]
    return result


@numba.njit(cache=True, nogil=True)
def _lattice(g, i):  # type: ignore[no-untyped-def]
    """A lattice for the densities of the cells by all that they bear on."""
    step = FINENESS * min(g.spread[i], g.cell_spread[i].min())
    reach = REACH * (
        g.spread[i] + g.organisation[i] + g.release[i]
        + g.lean_spread[i] + g.release_lean_spread[i]
    )  # fmt: skip
    zero = int((reach + REACH * g.shortfall[i].max()) / step) + 1
    return Lattice(step, zero, zero + int(reach / step) + 2)


@numba.njit(cache=True, nogil=True)
def leaning(g, cells, units, pointwise, standard):  # type: ignore[no-untyped-def]
    """As the kernel of :mod:`.predictive`, with the leans of organisations and releases integrated.

    ``standard`` are standard normal numbers, (draw, release, 1 + benchmark), for draws of an
    organisation's effect and leans given its other releases.
    """
    draws, systems = g.line.shape
    total = np.zeros(draws)
    by_release = np.zeros((draws, len(units.organisation)))
    by_system = np.zeros((draws, systems))
    drawn = np.zeros(standard.shape)
    for i in range(draws):
        lattice = _lattice(g, i)
        starts = first_places(g, i, cells, lattice)
        curves = curves_of(g, i, cells, starts, lattice)
        for o in range(units.organisation.max() + 1):
            own, shared, effect = _shared(g, i, o, cells, units, curves, starts, lattice)
            system, release = cells.system[own], units.release[cells.system[own]]
            known = units.known[release]
            nothing = np.zeros(len(own) + len(shared.edges))
            whole, _, _, precision, pull = _among(known, shared, nothing, nothing)
            total[i] += whole
            if not pointwise:
                continue
            for r in np.flatnonzero(units.organisation == o):
                others, mean, covariance, _, _ = _among(
                    known & (release != r), shared, precision, pull
                )
                seen, with_it = known | (release == r), whole
                if not units.known[r]:
                    with_it = _among(seen, shared, precision, pull)[0]
                by_release[i, r] = with_it - others
                drawn[i, r] = _drawn(effect, mean, covariance, standard[i, r])
                for m in np.flatnonzero(units.release == r):
                    left = _among(seen & (system != m), shared, precision, pull)[0]
                    by_system[i, m] = with_it - left
    return total, by_release, by_system, drawn
