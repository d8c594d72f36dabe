"""Density of each system, and how sure it is that it has a finite one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.inputs.dates import date_of
from densing_bayes.joint import laws
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.estimates import SAMPLE, check_ci, draws_of
from densing_bayes.posterior.result import CI, Fit


def densities(fit: Fit, group: str = "posterior") -> xr.Dataset:
    """Density, rank (1 is the densest) and effective params of every system.

    Returns
    -------
    xarray.Dataset
        ``log_density``, ``density``, ``rank``, ``effective_params``, dims (chain, draw, system).
    """
    log_density = draws_of(fit, group)["log_density"].transpose(*SAMPLE, "system")
    order = np.argsort(np.argsort(-log_density.to_numpy(), axis=-1), axis=-1) + 1
    size = xr.DataArray(np.exp(fit.observed.log_params), dims="system")
    density = np.exp(log_density)
    return xr.Dataset(
        {
            "log_density": log_density,
            "density": density,
            "rank": log_density.copy(data=order),
            "effective_params": density * size,
        }
    )


def unreachable(fit: Fit) -> xr.DataArray:
    """P(no finite Neff): share of draws in which a cell's score lies above what any size reaches.

    The score of a reference model of infinite size on D0 tokens is the asymptote of its curve.

    Returns
    -------
    xarray.DataArray
        Probability per cell; 0 for directly linked benchmarks below their ceiling.
    """
    observed, draws = fit.observed, fit.posterior
    k = observed.cell_benchmark
    ceiling = draws["ceiling"].transpose(*SAMPLE, "benchmark").to_numpy()
    limit = ceiling[..., k].copy()
    split = observed.loss_cells
    if split:
        law = {
            name: draws[name].transpose(*SAMPLE, "loss_benchmark").to_numpy()
            for name in (
                "irreducible_loss",
                "tokens_loss",
                "tokens_exponent",
                "steepness",
                "midpoint",
            )
        }
        loss = law["irreducible_loss"] + law["tokens_loss"] * np.exp(
            -law["tokens_exponent"] * observed.log_reference_tokens
        )
        z = law["steepness"] * (law["midpoint"] - loss)
        loss_linked = z.shape[-1]
        floor = draws["floor"].transpose(*SAMPLE, "benchmark").to_numpy()[..., :loss_linked]
        top = laws.sigmoid_score(z, floor, ceiling[..., :loss_linked])
        limit[..., :split] = top[..., k[:split]]
    share = np.mean(observed.score > limit, axis=(0, 1))
    return xr.DataArray(share, dims="cell", coords={"cell": list(observed.cell_label)})


def run_sizes(observed: Observations) -> tuple[float, float]:
    """Params of the smallest and the largest run that the curve of density rests on.

    Of the systems where there are no runs.
    """
    if observed.without_runs:
        sizes = np.exp(observed.log_params)
        return float(sizes.min()), float(sizes.max())
    others = observed.others.log_params if observed.others else ()
    logs = np.r_[
        observed.loss_log_params,
        observed.reference_log_params,
        observed.expected_log_params,
        others,
    ]
    sizes = observed.centre_params * np.exp(logs)
    return float(sizes.min()), float(sizes.max())


def log_density_draws(fit: Fit) -> Floats:
    """Log densities with all chains in one row, shape (sample, system)."""
    values = fit.posterior["log_density"].transpose(*SAMPLE, "system").to_numpy()
    return np.asarray(values.reshape(-1, values.shape[-1]))


def density_table(fit: Fit, ci: float = CI) -> pd.DataFrame:
    """Densities, ranks and effective params of all systems, densest first.

    Returns
    -------
    pandas.DataFrame
        Index ``system``; release date, params, ``density``, ``rank`` and ``effective_params``
        (median, ``_lower``, ``_upper``), ``in_range`` (Neff inside the sizes of the reference
        runs, or of the systems where there are none), ``p_no_finite`` (largest over the
        system's benchmarks).
    """
    check_ci(ci)
    observed = fit.observed
    values = densities(fit)
    tail = (1.0 - ci) / 2.0
    columns: dict[str, Any] = {
        "organisation": [observed.organisations[i] for i in observed.system_organisation],
        "release_date": [date_of(t).date() for t in observed.time],
        "params": np.exp(observed.log_params),
    }
    for name in ("density", "rank", "effective_params"):
        lower, median, upper = np.quantile(values[name], [tail, 0.5, 1 - tail], axis=(0, 1))
        columns |= {name: median, f"{name}_lower": lower, f"{name}_upper": upper}
    smallest, largest = run_sizes(observed)
    columns["in_range"] = (columns["effective_params"] >= smallest) & (
        columns["effective_params"] <= largest
    )
    worst = np.zeros(len(observed.systems))
    np.maximum.at(worst, observed.cell_system, unreachable(fit).to_numpy())
    columns["p_no_finite"] = worst
    table = pd.DataFrame(columns, index=pd.Index(observed.systems, name="system"))
    return table.sort_values("density", ascending=False)
