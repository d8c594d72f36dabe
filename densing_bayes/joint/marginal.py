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
from densing_bayes.joint.cells import (
    FAINTEST,
    FINENESS,
    REACH,
    cell_density,
    correlate,
    curve,
    normal_band,
    readings,
    scaled,
    standard_density,
)
from densing_bayes.joint.leaning import leaning
from densing_bayes.joint.shared_parameters import Given
from densing_bayes.observed.arrays import Floats
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
    order = np.argsort(observed.cell_system, kind="stable")
    first_cell = np.searchsorted(observed.cell_system[order], np.arange(len(observed.systems) + 1))
    law = (
        len(observed.loss_benchmarks),
        observed.log_params,
        float(np.log(observed.centre_params)),
        observed.log_reference_tokens,
    )
    if (parameters.lean_spread > 0.0).any() or (parameters.release_lean_spread > 0.0).any():
        if spec.trend.release_tails is not None:
            raise DensingError(
                "leans are integrated out beside normal effects of releases, and this fit has "
                "release_tails: leave it out of [trend], or lean and release_lean out of [density]"
            )
        count = len(observed.releases), 1 + len(observed.benchmarks)
        total, release, system, shared = leaning(
            parameters,
            readings(observed),
            (
                observed.cell_system,
                observed.system_release,
                organisation,
                conditioned_on,
                spec.trend.release_effects,
            ),
            law,
            (spec.performance.score_tails or 0.0, spec.performance.likelihood == "normal"),
            FINENESS,
            pointwise,
            np.random.default_rng(seed).standard_normal((len(parameters.line), *count)),
        )
        return Predictive(total, release, system, shared[:, :, 0], shared[:, :, 1:])
    results = _predictive(
        parameters,
        readings(observed),
        *law,
        observed.cell_system,
        order,
        first_cell,
        observed.system_release,
        organisation,
        conditioned_on,
        spec.trend.release_effects,
        spec.trend.release_tails or 0.0,
        spec.performance.score_tails or 0.0,
        spec.performance.likelihood == "normal",
        pointwise,
        np.random.default_rng(seed).random((len(parameters.line), len(observed.releases))),
    )
    return Predictive(*results)


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
def _predictive(  # type: ignore[no-untyped-def]
    g,
    read,
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
    score_tails,
    normal,
    pointwise,
    uniform,
):
    benchmark = read.benchmark
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
            curve(
                g, i, q, k, split, read.score[benchmark == k], read.items[benchmark == k],
                starts[benchmark == k], g.noise[i, benchmark == k],
                g.cell_spread[i, benchmark == k], step, points,
                log_centre, log_tokens,
            )
            for q, k in enumerate(read.of_curve)
        ]  # fmt: skip
        placed = np.empty((systems, points))  # density of a system's scores, by its effects
        log_placed = np.empty(systems)
        for m in range(systems):
            product = np.ones(points)
            logs = 0.0
            for c in order[first_cell[m] : first_cell[m + 1]]:
                density, log_density = cell_density(
                    g, i, c, read, curves, starts[c], step, points, score_tails, normal
                )
                product *= density
                logs += log_density + scaled(product)
            product = _about(product, sd, step, 0.0)
            if not release_effects:
                product = _below(product, g.shortfall[i, m], step, tails)
            placed[m] = product
            log_placed[m] = logs + scaled(placed[m])

        edge = np.empty((releases, 2 * nodes + 1))  # of a release's, by organisation effect
        log_edge = np.empty(releases)
        for j in range(releases):
            members = np.flatnonzero(release_of == j)
            log_edge[j] = _release(
                edge[j], members, -1, placed, log_placed, g, i, j, step, zero, nodes,
                release_effects, tails,
            )  # fmt: skip
        weights = normal_band(0.0, step, outer, -nodes, nodes) if outer > 0.0 else np.ones(1)
        for o in range(organisations):
            own = np.flatnonzero(organisation_of == o)
            among = weights.copy()
            logs = 0.0
            for r in own:
                if conditioned_on[r]:
                    among *= edge[r]
                    logs += log_edge[r] + scaled(among)
            total[i] += logs + math.log(among.sum())
            if not pointwise:
                continue
            for r in own:
                rest = weights.copy()
                for other in own:
                    if other != r and conditioned_on[other]:
                        rest *= edge[other]
                        scaled(rest)
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
            logs += log_placed[m] + scaled(product)
    if release_effects:
        product = _below(product, g.shortfall[i, j], step, tails)
    product = _about(product, g.release[i], step, tails)
    result[:] = product[zero - nodes : zero + nodes + 1]
    logs += scaled(result)
    result[:] = np.maximum(result, FAINTEST)
    return logs
