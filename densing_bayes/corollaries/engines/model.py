"""Growth of chips and batteries, and what it does together with the growth of density."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import Field

from densing_bayes.corollaries.engines.table import TECHNOLOGY
from densing_bayes.corollaries.trends.exponential import (
    ExponentialFit,
    ExponentialSpec,
    dated_points,
    fit_exponential,
    growth_of,
)
from densing_bayes.corollaries.trends.kept import kept_fits
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.inputs.families import Frozen
from densing_bayes.inputs.specification import load_corollary
from densing_bayes.inputs.tables.reading import load_table
from densing_bayes.posterior.estimates import SAMPLE, check_choice, check_runs, estimate, of_prior
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.growth import doubling_time, frontier, growth, size_slope

WEIGHTS_SHARE = 0.8  # of a device's memory; the rest is for the cache and the system
GIB = 2.0**30
ENGINES = {
    "model-density": "density of language models",
    "transistor-density": "transistors per area of a chip",
    "compute-per-price": "compute per price of a chip",
    "battery-energy-per-volume": "energy per volume of Li-ion cells",
    "battery-energy-per-mass": "energy per mass of Li-ion cells",
}
"""What the engines are called in text, by their names in models/corollaries/engines.toml."""


def engine_label(name: str) -> str:
    """Name of an engine as it is written in text."""
    return ENGINES.get(name, name)


class EngineSpec(Frozen):
    """One engine: which points of the table it is, and the trend through them."""

    quantity: str
    kinds: tuple[str, ...] = ()
    trend: ExponentialSpec


class EnginesSpec(Frozen):
    """The engines, each a trend of its own."""

    name: str
    description: str = ""
    engines: dict[str, EngineSpec] = Field(min_length=1)


def load_technology(source: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Dated values of chips and batteries.

    Parameters
    ----------
    source
        A CSV file of one's own; the embedded table by default.

    Returns
    -------
    pandas.DataFrame
        point, quantity, kind, label, date_earliest (a year alone begins there), date, value,
        value_low and value_high (limits, where there is no value; a high limit alone is an upper
        bound), unit, basis, detail, source.

    Raises
    ------
    TableError
        Names the file, the row, the column, the value and what would be right.
    """
    return load_table(TECHNOLOGY, source)


def fit_engine(
    name: str,
    *,
    form: Literal["frontier", "mean"] | None = None,
    since: Any = None,
    table: pd.DataFrame | None = None,
    spec: str | os.PathLike[str] | EnginesSpec = "engines",
    seed: int = SEED,
) -> ExponentialFit:
    """Fit one engine; some seconds.

    Parameters
    ----------
    name
        Of an engine of the specification.
    form
        "frontier" or "mean"; by default as specified.
    since
        First date of the points that enter; all by default.
    table
        Of :func:`load_technology`; the embedded one by default.
    spec
        Name or path of a specification, or one that is loaded.
    seed
        Of the sampler.

    Raises
    ------
    DensingError
        If there is no such engine, or fewer than five points of it.
    """
    if form is not None:
        check_choice("form", form, ("frontier", "mean"))
    spec = load_engines(spec)
    if name not in spec.engines:
        raise DensingError(f"no engine '{name}': there are {', '.join(spec.engines)}")
    engine = spec.engines[name]
    table = load_technology() if table is None else table
    rows = table[table["quantity"] == engine.quantity]
    if engine.kinds:
        rows = rows[rows["kind"].isin(engine.kinds)]
    if since is not None:
        rows = rows[rows["date"] >= pd.Timestamp(since)]
    trend = engine.trend if form is None else engine.trend.model_copy(update={"form": form})
    return fit_exponential(dated_points(rows, trend, name), trend, name, seed=seed)


def load_engines(spec: str | os.PathLike[str] | EnginesSpec = "engines") -> EnginesSpec:
    """The specification of the engines, by name or path."""
    return load_corollary(spec, EnginesSpec)


def fit_engines(
    spec: str | os.PathLike[str] | EnginesSpec = "engines", seed: int = SEED
) -> dict[str, ExponentialFit]:
    """Fit every engine of a specification to the embedded table."""
    spec = load_engines(spec)
    return {name: fit_engine(name, spec=spec, seed=seed) for name in spec.engines}


@cache
def stored_engines(seed: int = SEED) -> dict[str, ExponentialFit]:
    """All engines of the built-in specification, from the store or fitted and kept there."""
    return kept_fits("engines", seed, partial(fit_engines, seed=seed), __name__)


def engine_rate(fit: ExponentialFit, group: str = "posterior") -> xr.DataArray:
    """Growth rate of an engine at its last point, 1/day, dims (chain, draw)."""
    draws = fit.prior if of_prior(group) else fit.posterior
    if not fit.spec.changes:
        return draws["growth_before"] / DAYS_PER_YEAR
    return growth_of(fit, _last(fit), group).isel(date=0, drop=True)


def _last(fit: ExponentialFit) -> pd.Timestamp:
    from densing_bayes.inputs.dates import date_of

    return date_of(float(fit.points.last.max()))


def engine_table(engines: Mapping[str, ExponentialFit], fit: Fit, ci: float = CI) -> pd.DataFrame:
    """Doubling times of the engines beside that of density.

    Returns
    -------
    pandas.DataFrame
        Index ``engine``, the density of language models first; ``points``, the estimates ``growth``
        (1/year) and ``doubling_time`` (days), ``verdict``.
    """
    rows: dict[str, dict[str, Any]] = {
        "model-density": _row(growth(fit)["after"], len(fit.observed.systems), fit.verdict, ci)
    }
    for name, engine in engines.items():
        rows[name] = _row(engine_rate(engine), len(engine.points.label), engine.verdict, ci)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("engine")


def _row(rate: xr.DataArray, points: int, verdict: str, ci: float) -> dict[str, Any]:
    return {
        "points": points,
        "growth": estimate(rate * DAYS_PER_YEAR, "1/year", ci),
        "doubling_time": estimate(doubling_time(rate), "days", ci, mean=False),
        "verdict": verdict,
    }


# Density times Moore -----------------------------------------------------------------------------


def effective_doubling_time(
    fit: Fit, engine: ExponentialFit, group: str = "posterior", seed: int = SEED
) -> xr.DataArray:
    """Doubling time in days of the largest effective model that a chip of one price runs.

    Density and engine multiply (Xiao et al. 2025, Corollary 2), and the larger systems that a chip
    holds are denser by the size slope s: the rate is A + (1 + s) g. The two posteriors are
    independent: draws of the engine are resampled to the number of the fit's.

    Returns
    -------
    xarray.DataArray
        Dims (chain, draw) of the fit; infinite where neither grows.
    """
    density = growth(fit, group)["after"]
    rate = np.ravel(engine_rate(engine, group))
    drawn = np.random.default_rng(seed).choice(rate, density.shape)
    return doubling_time(density + (1.0 + size_slope(fit, group)) * drawn)


def device_table(
    fit: Fit,
    dates: Sequence[Any],
    memory: Sequence[float] = (8.0, 16.0, 24.0, 80.0),
    bits: float = 4.0,
    share: float = WEIGHTS_SHARE,
    ci: float = CI,
) -> pd.DataFrame:
    """Effective params of the largest system on the frontier that a device holds, by date.

    Parameters
    ----------
    fit
        A fit; its frontier and size slope are used. What a quantised system loses in ability is
        not taken off.
    dates
        Dates, also later than the last release.
    memory
        Of the devices, GiB.
    bits
        Of a weight.
    share
        Of the memory that weights may take.
    ci
        Probability of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row for a device and date: memory, params (that fit into it), date, the estimate
        ``effective_params``.

    Raises
    ------
    DensingError
        If memory or bits are not positive, the share is not in (0, 1], or the fit has no reference
        runs.
    """
    finite = np.isfinite([*memory, bits]).all()
    if not (finite and min(memory, default=0.0) > 0 and bits > 0 and 0 < share <= 1):
        raise DensingError(
            f"memory = {list(memory)} GiB, bits = {bits:g} and share = {share:g}: memory and bits "
            f"must be numbers above 0 and the share of memory for weights in (0, 1]"
        )
    check_runs(fit, "effective params of what a device holds")
    edge = frontier(fit, dates).transpose(*SAMPLE, "date")
    rows = []
    for size in memory:
        params = share * size * GIB * 8.0 / bits
        own = edge + np.log(params)
        own = own + size_slope(fit)[..., None] * (np.log(params) - fit.observed.mean_log_params)
        for i, date in enumerate(edge["date"].to_numpy()):
            rows.append(
                {
                    "memory": size,
                    "params": params,
                    "date": pd.Timestamp(date).date(),
                    "effective_params": estimate(np.exp(own.isel(date=i)), "1", ci, mean=False),
                }
            )
    return pd.DataFrame(rows)
