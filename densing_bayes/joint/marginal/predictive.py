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

from densing_bayes.errors import DensingError
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint.marginal.cells import (
    FAINTEST,
    FINENESS,
    REACH,
    Lattice,
    cell_density,
    cells_of,
    correlate,
    curves_of,
    first_places,
    normal_band,
    scaled,
    standard_density,
)
from densing_bayes.joint.marginal.leaning import leaning
from densing_bayes.joint.marginal.shared_parameters import Given
from densing_bayes.observed.arrays import Floats, Ints
from densing_bayes.observed.observations import Observations

HEAVY_REACH = 20.0  # scales, of an effect with heavy tails: beyond lies less than 1e-4 of four df
COARSEST = 0.15  # lattice step at most, in log density
# Weights of the first points of a sum that stands for an integral from an edge on (Gregory).
EDGE = (3.0 / 8.0, 7.0 / 6.0, 23.0 / 24.0)


class Predictive(NamedTuple):
    """Log predictive densities; arrays with draws in front."""

    total: Floats  # of all scores that are given
    release: Floats  # of a release's scores given those of the others
    system: Floats  # of a system's scores given those of the others
    organisation: Floats  # over releases: a draw of the organisation's effect given the others
    lean: Floats | None = None  # the same of its leans, over releases and benchmarks


class Units(NamedTuple):
    """What systems have in common, as the kernels take it."""

    release: Ints  # of the systems
    organisation: Ints  # of the releases
    known: NDArray[np.bool_]  # releases that stand among "the others"
    release_effects: bool  # systems of a release share what it falls short by
    tails: float  # degrees of freedom of the effects of releases; 0 for normal ones


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

    Raises
    ------
    DensingError
        If there are leans beside heavy tails of releases, which are not integrated out together.
    """
    if conditioned_on is None:
        conditioned_on = np.ones(len(observed.releases), dtype=bool)
    organisation = np.zeros(len(observed.releases), dtype=np.int64)
    organisation[observed.system_release] = observed.system_organisation
    units = Units(
        release=observed.system_release,
        organisation=organisation,
        known=conditioned_on,
        release_effects=spec.trend.release_effects,
        tails=spec.trend.release_tails or 0.0,
    )
    cells, random = cells_of(spec, observed), np.random.default_rng(seed)
    shape = len(parameters.line), len(observed.releases)
    if (parameters.lean_spread > 0.0).any() or (parameters.release_lean_spread > 0.0).any():
        if spec.trend.release_tails is not None:
            raise DensingError(
                "leans are integrated out beside normal effects of releases, and this fit has "
                "release_tails: leave it out of [trend], or lean and release_lean out of [density]"
            )
        standard = random.standard_normal((*shape, 1 + len(observed.benchmarks)))
        total, release, system, shared = leaning(parameters, cells, units, pointwise, standard)
        return Predictive(total, release, system, shared[:, :, 0], shared[:, :, 1:])
    return Predictive(*_predictive(parameters, cells, units, pointwise, random.random(shape)))


# The kernel --------------------------------------------------------------------------------------


@numba.njit(cache=True, nogil=True)
def _reach(tails):  # type: ignore[no-untyped-def]
    return REACH if tails == 0.0 else HEAVY_REACH


@numba.njit(cache=True, nogil=True)
def _one_sided_band(step, scale, points, tails):  # type: ignore[no-untyped-def]
    """Density of a shortfall at points - 1, ..., 1, 0 steps, times the step and edge weights."""
    band = np.empty(points)
    for d in range(points):
        weight = EDGE[d] if d < 3 else 1.0
        band[points - 1 - d] = (
            weight * 2.0 * step / scale * standard_density(d * step / scale, tails)
        )
    return band


@numba.njit(cache=True, nogil=True)
def _below(values, unit_scale, step, tails):  # type: ignore[no-untyped-def]
    """Integrate a shortfall out: from the place of a unit to the place of its edge."""
    if unit_scale == 0.0:
        return values.copy()
    points = min(len(values), int(_reach(tails) * unit_scale / step) + 3)
    band = _one_sided_band(step, unit_scale, points, tails)
    return correlate(values, band, 1 - points, 1, len(values))


@numba.njit(cache=True, nogil=True)
def _about(values, sd, step, tails):  # type: ignore[no-untyped-def]
    """Integrate a symmetric effect out: from the place of the inner to that of the outer."""
    if sd == 0.0:
        return values.copy()
    reach = min(len(values), int(_reach(tails) * sd / step) + 1)
    band = np.empty(2 * reach + 1)
    for d in range(-reach, reach + 1):
        band[d + reach] = step / sd * standard_density(d * step / sd, tails)
    return correlate(values, band, -reach, 1, len(values))


@numba.njit(cache=True, nogil=True)
def _lattice(g, i, tails):  # type: ignore[no-untyped-def]
    """One lattice for all effects; and how many points off the middle an organisation reaches."""
    sd, outer = g.spread[i], g.organisation[i]
    step = min(sd, g.cell_spread[i].min())
    for other in (outer, g.release[i], g.shortfall[i].min()):
        if other > 0.0:
            step = min(step, other)
    step = min(FINENESS * step, COARSEST)
    reach = REACH * (sd + outer) + _reach(tails) * g.release[i]
    deepest = _reach(tails) * g.shortfall[i].max()
    zero = int((reach + deepest) / step) + 1
    return Lattice(step, zero, zero + int(reach / step) + 2), int(REACH * outer / step)


@numba.njit(cache=True, nogil=True)
def _placed(g, i, cells, units, lattice):  # type: ignore[no-untyped-def]
    """Density of the scores of each system by the effects above it, and the log of a factor."""
    systems = len(units.release)
    placed, logs = np.ones((systems, lattice.points)), np.zeros(systems)
    starts = first_places(g, i, cells, lattice)
    curves = curves_of(g, i, cells, starts, lattice)
    for c in range(len(cells.system)):
        m = cells.system[c]
        density, log_density = cell_density(g, i, c, cells, curves, starts, lattice)
        placed[m] *= density
        logs[m] += log_density + scaled(placed[m])
    for m in range(systems):
        placed[m] = _about(placed[m], g.spread[i], lattice.step, 0.0)
        if not units.release_effects:
            placed[m] = _below(placed[m], g.shortfall[i, m], lattice.step, units.tails)
        logs[m] += scaled(placed[m])
    return placed, logs


@numba.njit(cache=True, nogil=True)
def _predictive(g, cells, units, pointwise, uniform):  # type: ignore[no-untyped-def]
    draws, systems = g.line.shape
    releases = len(units.organisation)
    total = np.zeros(draws)
    by_release = np.empty((draws, releases))
    by_system = np.empty((draws, systems))
    effect = np.zeros((draws, releases))
    for i in range(draws):
        lattice, nodes = _lattice(g, i, units.tails)
        step, outer = lattice.step, g.organisation[i]
        placed = _placed(g, i, cells, units, lattice)
        edge = np.empty((releases, 2 * nodes + 1))  # of a release's, by organisation effect
        log_edge = np.empty(releases)
        for at in range(releases):
            edge[at], log_edge[at] = _release(g, i, at, -1, placed, units, lattice, nodes)
        weights = normal_band(0.0, step, outer, -nodes, nodes) if outer > 0.0 else np.ones(1)
        for o in range(units.organisation.max() + 1):
            own = np.flatnonzero(units.organisation == o)
            among, logs = _product(weights, edge, log_edge, own[units.known[own]])
            total[i] += logs + math.log(among.sum())
            if not pointwise:
                continue
            for r in own:
                rest, _ = _product(weights, edge, log_edge, own[units.known[own] & (own != r)])
                both = (rest * edge[r]).sum()
                by_release[i, r] = log_edge[r] + math.log(both / rest.sum())
                effect[i, r] = step * (_place(rest, uniform[i, r]) - nodes)
                for m in np.flatnonzero(units.release == r):
                    without, logs = _release(g, i, r, m, placed, units, lattice, nodes)
                    left = math.log(both / (rest * without).sum())
                    by_system[i, m] = log_edge[r] - logs + left
    return total, by_release, by_system, effect


@numba.njit(cache=True, nogil=True)
def _product(weights, edge, log_edge, releases):  # type: ignore[no-untyped-def]
    """Weights times the densities of some releases, and the log of a factor."""
    product, logs = weights.copy(), 0.0
    for r in releases:
        product *= edge[r]
        logs += log_edge[r] + scaled(product)
    return product, logs


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
def _release(g, i, r, left_out, placed, units, lattice, nodes):  # type: ignore[no-untyped-def]
    """Density of a release's scores by the effect of its organisation, but for one system.

    The logarithm of a factor stands apart.
    """
    density, log_density = placed
    product, logs = np.ones(lattice.points), 0.0
    for m in np.flatnonzero(units.release == r):
        if m != left_out:
            product *= density[m]
            logs += log_density[m] + scaled(product)
    if units.release_effects:
        product = _below(product, g.shortfall[i, r], lattice.step, units.tails)
    product = _about(product, g.release[i], lattice.step, units.tails)
    result = product[lattice.zero - nodes : lattice.zero + nodes + 1]
    logs += scaled(result)
    return np.maximum(result, FAINTEST), logs
