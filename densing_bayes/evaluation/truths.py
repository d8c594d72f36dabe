"""What is reported of a fit, and the same of the truth behind a simulated panel.

A truth is one draw of everything; as a fit of one draw it goes through the same functions as a
posterior, whatever the form of the trend.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from densing_bayes.inputs.dates import DAYS_PER_YEAR, date_of
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.forecasts import score_at
from densing_bayes.quantities.growth import benchmark_growth, frontier, growth, size_slope
from densing_bayes.quantities.shelf_life import frontier_shelf_life

HALF_YEAR = 0.5
PARAMS = 8e9  # of the system whose score in half a year is told


def truth_as_fit(fit: Fit, truth: xr.Dataset, log_density: Floats) -> Fit:
    """The truth behind the panel of a fit, as a fit of one draw.

    Parameters
    ----------
    fit
        A fit of the simulated panel.
    truth
        What all systems share, without sample dims.
    log_density
        True log density of each system of the fit.
    """
    labels = {
        str(dim): fit.posterior[dim].values for dim in truth.dims if dim in fit.posterior.coords
    }
    both = truth.drop_vars(list(truth.coords)).assign_coords(labels)
    both["log_density"] = (("system",), log_density)
    both = both.assign_coords(system=list(fit.observed.systems)).expand_dims(chain=[0], draw=[0])
    return replace(fit, data=xr.DataTree.from_dict({"posterior": both}))


def reported(fit: Fit) -> dict[str, Floats]:
    """Draws of the headline and derived quantities by name, in one row each.

    Doubling times are monotone in growth rates, so a truth lies in the interval of both or none.
    """
    rates, each = growth(fit) * DAYS_PER_YEAR, benchmark_growth(fit) * DAYS_PER_YEAR
    last = float(fit.observed.time.max())
    ahead = date_of(last + HALF_YEAR)
    edge = frontier(fit, [date_of(0.0), date_of(last), ahead])
    found: dict[str, Any] = {
        "growth before": rates["before"],
        "growth after": rates["after"],
        "change of growth": rates["change"],
        "level": edge[..., 0],
        "frontier at the end": edge[..., 1],
        "frontier half a year on": edge[..., 2],
        "shelf life on the frontier": frontier_shelf_life(fit),
        "size slope": size_slope(fit),
        "density of the first system": fit.posterior["log_density"].isel(system=0),
        "density of the last system": fit.posterior["log_density"].isel(system=-1),
    }
    for name in fit.observed.benchmarks:
        found[f"growth after, {name}"] = each["after"].sel(benchmark=name)
        score = score_at(fit, [ahead], PARAMS, name)
        found[f"score of {PARAMS:.0e} params half a year on, {name}"] = score[..., 0]
    return {name: np.ravel(np.asarray(values)) for name, values in found.items()}


def ranks(draws: dict[str, Floats], truth: dict[str, Floats]) -> dict[str, float]:
    """Share of draws below the truth, by quantity; those equal to it count half."""
    return {
        name: float(np.mean(values < truth[name]) + 0.5 * np.mean(values == truth[name]))
        for name, values in draws.items()
    }
