"""Walks of a fit, on a benchmark and beyond its data, where later systems are."""

from __future__ import annotations

import dataclasses

import numpy as np
import xarray as xr

from densing_bayes.joint.line import Walk, continued_on, contrasts, stretches, walk_value
from densing_bayes.joint.tails import standard
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.estimates import SAMPLE, draws_of
from densing_bayes.posterior.result import Fit


def drift_on(fit: Fit, benchmark: str, time: Floats, group: str = "posterior") -> Floats:
    """How far a benchmark lies off the trend at times, shape (chain, draw, time).

    Straight drifts go on as they are; a walk takes further steps beyond the last datum, each draw
    by numbers of its own, so that the walks of all benchmarks sum to zero there too.
    """
    draws = draws_of(fit, group).transpose(*SAMPLE, ...)
    result = np.zeros((*draws["level"].shape, np.shape(time)[-1]))
    since = np.maximum(time - fit.observed.bend_time[0], 0.0) if "drift_change" in draws else 0.0
    for name, span in (("drift_before", time), ("drift_change", since)):
        if name in draws:
            result = result + draws[name].sel(benchmark=benchmark).to_numpy()[..., None] * span
    return np.asarray(result + walk_on(fit, benchmark, time, group))


def walk_on(fit: Fit, benchmark: str, time: Floats, group: str = "posterior") -> Floats:
    """The part of :func:`drift_on` that a benchmark has walked, 0 without walks of benchmarks."""
    draws = draws_of(fit, group).transpose(*SAMPLE, ...)
    if "benchmark_step" not in draws:
        return np.zeros((*draws["level"].shape, np.shape(time)[-1]))
    number = fit.observed.benchmarks.index(benchmark)
    begin, end = stretches(fit.observed.walk_edges)
    steps = draws["benchmark_step"].sel(benchmark=benchmark).to_numpy()
    on = contrasts(len(fit.observed.benchmarks))[number]
    spread = draws["benchmark_step_spread"].to_numpy()
    apart = Walk(begin, end, np.zeros_like(steps), steps)
    apart = continued_on(apart, float(fit.observed.time.max()), spread, on)
    return np.asarray(walk_value(apart, time))


def reaching(
    fit: Fit, coming: Observations, flat: xr.Dataset, seed: int = 0
) -> tuple[Observations, xr.Dataset]:
    """Systems to come and draws of a fit, with steps of every walk up to the dates of the systems.

    Each draw takes steps of its own where the fit has none.

    Parameters
    ----------
    fit
        A fit.
    coming
        Systems, which may lie outside the dates of the fit's.
    flat
        Draws of the fit, along the one dim ``sample_draw``.
    seed
        Of the steps.
    """
    # With it comes PyTensor, for which those who only read a fit need not wait.
    from densing_bayes.joint.marginal.shared_parameters import SAMPLE_DRAW

    walk = fit.spec.trend.walk
    if walk is None:
        return coming, flat
    own = fit.observed.walk_edges
    first, last = min(own[0], coming.time.min()), max(own[-1], coming.time.max())
    edges = np.array(walk.edges(float(first), float(last)))
    coming = dataclasses.replace(coming, walk_edges=edges)
    if len(edges) == len(own):
        return coming, flat
    before = round((own[0] - edges[0]) / walk.width)
    after = len(edges) - len(own) - before
    random = np.random.default_rng([seed, len(edges)])
    replaced = {}
    for name, tails in (
        ("slope_step_offset", None),
        ("level_step_offset", walk.tails),
        ("benchmark_step_offset", None),
    ):
        if name in flat:
            values = flat[name].transpose(SAMPLE_DRAW, "stretch", ...)
            drawn = _longer(values.to_numpy(), before, after, tails, random)
            replaced[name] = (values.dims, drawn)
    kept = flat.drop_dims("stretch")
    return coming, kept.assign(replaced)


def _longer(
    steps: Floats, before: int, after: int, tails: float | None, random: np.random.Generator
) -> Floats:
    """Standardised steps, (draw, stretch, ...), with new ones before and after them."""
    count, _, *rest = steps.shape
    parts = [standard(random, tails, (count, more, *rest)) for more in (before, after)]
    return np.concatenate([parts[0], steps, parts[1]], axis=1)
