"""Walks beyond the data of a fit: what it says of systems released later than all that it saw."""

from __future__ import annotations

import dataclasses

import numpy as np
import xarray as xr

from densing_bayes.joint.marginal.shared_parameters import SAMPLE_DRAW
from densing_bayes.joint.tails import standard
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.result import Fit


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
