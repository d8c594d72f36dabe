"""Predictive densities where organisations and releases lean towards benchmarks.

With leans the cells of an organisation hang together in more ways than nested integrals on a
lattice can follow. Given the globals, all that an organisation's scores share is normal (its own
effect, leans, effects of its systems) or half-normal (what a release falls short by), and the
scores of a cell bear on one sum of these. Expectation propagation (Minka 2001) replaces the density
of each cell's scores, by that sum, and the edge of each shortfall by a normal factor whose first
moments are right beside the others. The densities are log-concave or nearly so, where the method
is known to be accurate; tests hold it against the lattice of :mod:`.marginal` where there are no
leans, and against plain Monte Carlo integration where there are.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from densing_bayes.joint.cells import REACH, cell_density, curve, scaled

SWEEPS = 12  # over the factors of an organisation, at most
SETTLED = 1e-3  # change of the log density between two sweeps below which they end
FINEST = 0.8  # of a lattice step, in standard deviations of what it integrates
LEAST = 1e-300
WIDENED = 0.5  # share of a precision that a factor may take away, where it is not log-concave


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
def _propagated(variance, members, tables, logs, edges, step, zero, precision, pull):  # type: ignore[no-untyped-def]
    """Log density of the scores of some cells, and mean and covariance of what they share.

    Parameters
    ----------
    variance
        Prior variances of the shared values, of minus a shortfall before its edge is minded.
    members
        Shared values that each cell bears on the sum of, (cell, 7); -1 for none.
    tables, logs
        Density of each cell by that sum, and the logarithm of a factor that is left out.
    edges
        Shared values that lie below zero.
    step, zero
        Of the tables.
    precision, pull
        Natural parameters of the factors, cells first and then edges, to begin with and as found.
    """
    size, cells = len(variance), len(tables)
    count = cells + len(edges)
    places = np.full((count, members.shape[1]), -1)
    places[:cells] = members
    places[cells:, 0] = edges
    found, before = 0.0, np.inf
    natural, along = np.empty(size), np.empty(size)
    covariance, mean = np.empty((size, size)), np.empty(size)
    for _ in range(SWEEPS):
        # Afresh each time, so that rounding errors do not add up.
        inverse = np.diag(1.0 / variance)
        natural[:] = 0.0
        for f in range(count):
            for p in places[f]:
                if p >= 0:
                    natural[p] += pull[f]
                    for q in places[f]:
                        if q >= 0:
                            inverse[p, q] += precision[f]
        covariance[:] = np.linalg.inv(inverse)
        mean[:] = covariance @ natural
        terms = 0.0
        for f in range(count):
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
            rest_mean = (at / own - pull[f]) / rest
            if f < cells:
                log_mass, centre, spread = _tilted(tables[f], step, zero, rest_mean, 1.0 / rest)
                log_mass += logs[f]
            else:
                log_mass, centre, spread = _edge(rest_mean, 1.0 / rest)
            new = max(1.0 / spread - rest, -WIDENED * rest)
            new_pull = centre * (rest + new) - rest_mean * rest
            change, change_pull = new - precision[f], new_pull - pull[f]
            scale = change / (1.0 + change * own)
            mean += along * (change_pull - scale * (at + own * change_pull))
            for i in range(size):
                covariance[i] -= scale * along[i] * along
            precision[f], pull[f] = new, new_pull
            # Normal integrals of the cavity and of the cavity with its factor.
            total, total_pull = rest + new, rest_mean * rest + new_pull
            terms += (
                log_mass
                + 0.5 * (rest_mean * rest_mean * rest - math.log(rest))
                - 0.5 * (total_pull * total_pull / total - math.log(total))
            )
        natural[:] = 0.0
        for f in range(count):
            for p in places[f]:
                if p >= 0:
                    natural[p] += pull[f]
        _sign, log_determinant = np.linalg.slogdet(covariance)
        found = terms + 0.5 * (natural @ mean + log_determinant - np.log(variance).sum())
        if abs(found - before) < SETTLED:
            break
        before = found
    return found, mean, covariance


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
def _among(keep, bears, variance, edges, tables, logs, step, zero, precision, pull):  # type: ignore[no-untyped-def]
    """:func:`_propagated` of the cells that are kept, from factors found before, and what remains.

    What no cell that is kept bears on has its prior, and an edge there changes nothing.
    """
    cells = np.flatnonzero(keep)
    borne = np.zeros(len(variance), dtype=np.bool_)
    for c in cells:
        for place in bears[c]:
            if place >= 0:
                borne[place] = True
    falls = np.flatnonzero(borne[edges])
    factors = np.concatenate((cells, len(bears) + falls))
    own_precision, own_pull = precision[factors], pull[factors]
    result = _propagated(
        variance, bears[cells], tables[cells], logs[cells], edges[falls], step, zero,
        own_precision, own_pull,
    )  # fmt: skip
    return result, factors, own_precision, own_pull


@numba.njit(cache=True, nogil=True)
def leaning(  # type: ignore[no-untyped-def]
    g,
    read,
    layout,
    law,
    likelihood,
    fineness,
    pointwise,
    standard,
):
    """As the kernel of :mod:`.marginal`, with the leans of organisations and releases integrated.

    ``standard`` are standard normal numbers, (draw, release, 1 + benchmark), for draws of an
    organisation's effect and leans given its other releases.
    """  # fmt: skip
    system_of, release_of, organisation_of, conditioned_on, release_effects = layout
    split, log_params, log_centre, log_tokens = law
    score_tails, normal = likelihood
    benchmark = read.benchmark
    draws, systems = g.line.shape
    releases, organisations = len(organisation_of), organisation_of.max() + 1
    benchmarks = g.floor.shape[1]
    total = np.zeros(draws)
    by_release = np.zeros((draws, releases))
    by_system = np.zeros((draws, systems))
    shared = np.zeros((draws, releases, 1 + benchmarks))
    for i in range(draws):
        step = fineness * min(g.spread[i], g.cell_spread[i].min())
        reach = REACH * (
            g.spread[i] + g.organisation[i] + g.release[i]
            + g.lean_spread[i] + g.release_lean_spread[i]
        )  # fmt: skip
        zero = int((reach + REACH * g.shortfall[i].max()) / step) + 1
        points = zero + int(reach / step) + 2
        starts = log_params[system_of] + g.line[i, system_of] + g.shift[i] - zero * step
        curves = [
            curve(
                g, i, q, k, split, read.score[benchmark == k], read.items[benchmark == k],
                starts[benchmark == k], g.noise[i, benchmark == k],
                g.cell_spread[i, benchmark == k], step, points,
                log_centre, log_tokens,
            )
            for q, k in enumerate(read.of_curve)
        ]  # fmt: skip
        for o in range(organisations):
            own = np.flatnonzero(organisation_of == o)
            members = np.flatnonzero(organisation_of[release_of] == o)
            cells = np.flatnonzero(organisation_of[release_of[system_of]] == o)
            effect, of_release, of_system, variance, edges = _places(
                g, i, own, members, benchmarks, release_effects
            )
            bears = np.full((len(cells), 7), -1)
            tables, logs = np.empty((len(cells), points)), np.empty(len(cells))
            for n in range(len(cells)):
                c = cells[n]
                k, m = benchmark[c], system_of[c]
                r, at = np.searchsorted(own, release_of[m]), np.searchsorted(members, m)
                bears[n, 0], bears[n, 1] = effect[0], effect[1 + k]
                bears[n, 2], bears[n, 3] = of_release[r, 0], of_release[r, 1 + k]
                bears[n, 4], bears[n, 5] = of_system[at, 0], of_system[at, 1]
                bears[n, 6] = of_release[r, 1 + benchmarks]
                density, log_density = cell_density(
                    g, i, c, read, curves, starts[c], step, points, score_tails, normal
                )
                tables[n] = density
                logs[n] = log_density + scaled(tables[n])
            release = release_of[system_of[cells]]
            known = conditioned_on[release]
            precision = np.zeros(len(cells) + len(edges))
            pull = np.zeros(len(cells) + len(edges))
            result, factors, own_precision, own_pull = _among(
                known, bears, variance, edges, tables, logs, step, zero, precision, pull
            )
            precision[factors], pull[factors] = own_precision, own_pull
            whole = result[0]
            total[i] += whole
            if not pointwise:
                continue
            for r in own:
                given, _, _, _ = _among(
                    known & (release != r), bears, variance, edges, tables, logs, step, zero,
                    precision, pull,
                )  # fmt: skip
                _, mean, covariance = given
                seen = known | (release == r)
                with_it = whole
                if not conditioned_on[r]:
                    with_it = _among(
                        seen, bears, variance, edges, tables, logs, step, zero, precision, pull
                    )[0][0]
                by_release[i, r] = with_it - given[0]
                places = effect[effect >= 0]
                if len(places):
                    among = covariance[places][:, places]
                    root = np.linalg.cholesky(among)
                    drawn = mean[places] + root @ standard[i, r, : len(places)]
                    n = 0
                    for k in range(1 + benchmarks):
                        if effect[k] >= 0:
                            shared[i, r, k] = drawn[n]
                            n += 1
                for m in np.flatnonzero(release_of == r):
                    left = _among(
                        seen & (system_of[cells] != m), bears, variance, edges, tables, logs, step,
                        zero, precision, pull,
                    )[0][0]  # fmt: skip
                    by_system[i, m] = with_it - left
    return total, by_release, by_system, shared
