"""Shares of the growth of density by driver."""

from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.corollaries.drivers.data import FEWEST, DriversSpec, chosen_systems, drivers_spec
from densing_bayes.corollaries.drivers.overtraining import overtraining, tokens_of
from densing_bayes.corollaries.small_model import Posterior
from densing_bayes.errors import DensingError
from densing_bayes.inputs.panel import Panel
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.draws import stacked
from densing_bayes.posterior.estimates import SAMPLE, estimate, of_prior, probability
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.densities import log_density_draws

# What the scaling law says -----------------------------------------------------------------------


def overtraining_growth(
    fit: Fit,
    spec: DriversSpec | str | os.PathLike[str] = "drivers",
    panel: Panel | str | os.PathLike[str] | None = None,
) -> xr.Dataset:
    """Growth of density and of what longer training alone gives, draw by draw.

    Least squares in each draw of the joint posterior, so that whatever the scaling law does to
    the densities it does to both. The mean over benchmarks stands for all; systems that are
    infinite in any draw are left out of both.

    Returns
    -------
    xarray.Dataset
        Dims (chain, draw). ``density_growth``, ``overtraining_growth``, ``rest_growth``: slopes
        in date, with size if the specification says so, 1/year. ``density_slope`` and
        ``law_slope``: slopes in the driver besides. ``share``: the part of the growth that longer
        training alone gives. Attributes: ``systems`` and ``left_out``, numbers of systems.
    """
    spec = drivers_spec(spec)
    tokens = tokens_of(fit, panel).to_numpy()
    chosen = chosen_systems(fit, spec, tokens)
    gain = overtraining(fit, panel).mean("benchmark").transpose(*SAMPLE, "system").to_numpy()
    gain = gain.reshape(-1, gain.shape[-1])[:, chosen[np.isfinite(tokens)]]
    finite = np.isfinite(gain).all(axis=0)
    if finite.sum() < FEWEST:
        raise DensingError(
            f"{int(finite.sum())} systems have a finite gain by longer training in every draw; "
            f"least squares need at least {FEWEST}: use a fit with more reference tokens D0"
        )
    own = fit.observed.of_systems(chosen)
    density = log_density_draws(fit)[:, chosen][:, finite]
    gain, time, size = gain[:, finite], own.time[finite], own.log_params[finite]
    driver = np.log(tokens[chosen][finite]) - (size if spec.driver == "tokens-per-param" else 0.0)
    without = [np.ones_like(time), time] + ([size] if spec.size else [])

    def slopes(columns: list[Floats], values: Floats) -> Floats:
        return np.asarray(np.linalg.pinv(np.column_stack(columns)) @ values.T)

    total, by_law = slopes(without, density)[1], slopes(without, gain)[1]
    level = fit.posterior["level"].transpose(*SAMPLE)

    def shaped(values: Floats) -> xr.DataArray:
        return level.copy(data=values.reshape(level.shape))

    found = xr.Dataset(
        {
            "density_growth": shaped(total),
            "overtraining_growth": shaped(by_law),
            "rest_growth": shaped(total - by_law),
            "density_slope": shaped(slopes([*without, driver], density)[-1]),
            "law_slope": shaped(slopes([*without, driver], gain)[-1]),
            "share": shaped(by_law / total),
        }
    )
    return found.assign_attrs(systems=int(finite.sum()), left_out=int((~finite).sum()))


# Answers -----------------------------------------------------------------------------------------


def separation(sampled: Posterior) -> dict[str, float]:
    """How far date and driver can be distinguished.

    Returns
    -------
    dict
        ``correlation`` of the growth at fixed driver and the slope in the driver over draws, and
        ``width``: the interval of that growth over the interval of the total.
    """
    draws = stacked(sampled.draws, "each")
    growth, total = draws["growth"].to_numpy(), draws["growth_total"].to_numpy()
    correlation = np.corrcoef(growth, draws["driver_slope"].to_numpy())[0, 1]
    width = np.ptp(np.quantile(growth, [0.025, 0.975])) / np.ptp(np.quantile(total, [0.025, 0.975]))
    return {"correlation": float(correlation), "width": float(width)}


def driver_share(sampled: Posterior, group: Literal["posterior", "prior"] = "posterior") -> Floats:
    """Draws of the share of growth that goes with the driver; NaN where nothing grows."""
    draws = sampled.prior if of_prior(group) else sampled.draws
    total = draws["growth_total"].to_numpy()
    share = draws["growth_by_driver"].to_numpy() / np.where(total > 0, total, np.nan)
    return np.asarray(share.ravel())


def drivers_table(
    fit: Fit,
    sampled: Posterior,
    spec: DriversSpec | str | os.PathLike[str] = "drivers",
    panel: Panel | str | os.PathLike[str] | None = None,
    ci: float = CI,
) -> pd.DataFrame:
    """Growth by driver as regressed, and as the scaling law has it, with intervals.

    Parameters
    ----------
    fit, sampled
        A joint fit, and :func:`fit_drivers` of it.
    spec
        The specification of ``sampled``.
    panel
        As of :func:`tokens_of`.
    ci
        Probability of the intervals.

    Returns
    -------
    pandas.DataFrame
        Index ``quantity``; ``unit``, ``median``, ``lower``, ``upper``, ``p_gt_0`` and, where the
        quantity has a prior, ``prior_lower`` and ``prior_upper``. Shares are given the draws that
        grow.
    """
    spec = drivers_spec(spec)
    law = overtraining_growth(fit, spec, panel)
    rows: dict[str, tuple[Any, Any, str]] = {}
    for name, unit in (
        ("growth_total", "1/year"),
        ("growth", "1/year"),
        ("growth_by_driver", "1/year"),
        ("driver_growth", "1/year"),
        ("driver_slope", "1"),
        ("size_slope", "1"),
    ):
        if name in sampled.draws:
            rows[name] = (sampled.draws[name], sampled.prior[name], unit)
    rows["share_by_driver"] = (driver_share(sampled), driver_share(sampled, "prior"), "1")
    for name, unit in (
        ("density_growth", "1/year"),
        ("overtraining_growth", "1/year"),
        ("rest_growth", "1/year"),
        ("density_slope", "1"),
        ("law_slope", "1"),
        ("share", "1"),
    ):
        rows[f"law:{name}"] = (law[name], None, unit)
    return pd.DataFrame.from_dict(
        {name: _row(*values, ci) for name, values in rows.items()}, orient="index"
    ).rename_axis("quantity")


def _row(draws: Any, prior: Any, unit: str, ci: float) -> dict[str, Any]:
    values = np.ravel(draws)
    values = values[np.isfinite(values)]
    said = estimate(values, unit, ci, mean=False)
    before = None if prior is None else np.ravel(prior)[np.isfinite(np.ravel(prior))]
    limits = (np.nan, np.nan)
    if before is not None:
        limits = tuple(np.quantile(before, [(1 - ci) / 2, (1 + ci) / 2]))
    return {
        "unit": unit,
        **{key: said[key] for key in ("median", "lower", "upper")},
        "p_gt_0": probability(values > 0),
        "prior_lower": float(limits[0]),
        "prior_upper": float(limits[1]),
    }
