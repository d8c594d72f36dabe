"""Growth of density by driver: what longer training explains, and what it cannot be told from.

Two answers to one question. A regression of log density on date, log tokens per param and size
says how density goes with the data that a system was trained on, whatever the reason. The
scaling law of the joint posterior says how much of it is nothing but longer training:
density = Neff / N compares a system with reference models trained on D0 tokens, so a plain
reference model that is trained on more has a density above one (:func:`overtraining`).
"""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.corollaries.overtraining import overtraining, tokens_of
from densing_bayes.distributions import Frozen, PositivePrior, RealPrior
from densing_bayes.draws import stacked
from densing_bayes.errors import DensingError
from densing_bayes.fits import CI, Fit
from densing_bayes.fitting import SEED
from densing_bayes.observations import Floats, Ints, years_since_origin
from densing_bayes.posterior import Posterior, sample_posterior
from densing_bayes.quantities import SAMPLE, estimate, log_density_draws, probability
from densing_bayes.spec import load_corollary
from densing_bayes.tables import Panel

if TYPE_CHECKING:
    import pymc as pm

FEWEST = 10  # systems with known tokens
# Parameters of the reference family and of the benchmarks: an error in them moves all densities.
SHARED = (
    "loss_at_centre", "irreducible_share", "params_share", "params_exponent", "tokens_exponent",
    "floor", "ceiling", "steepness", "midpoint", "discrimination", "difficulty",
    "token_elasticity", "format_offset", "drift_before", "drift_change",
)  # fmt: skip


class DriverLineSpec(Frozen):
    """Priors of the line of the driver against date and size."""

    level: RealPrior
    growth: RealPrior
    size_slope: RealPrior
    release_spread: PositivePrior
    system_spread: PositivePrior


class DriversSpec(Frozen):
    """Regression of log density on date, a driver and size; rates are per year."""

    name: str = "drivers"
    description: str = ""
    form: Literal["frontier", "mean"] = "frontier"
    driver: Literal["tokens-per-param", "tokens"] = "tokens-per-param"
    size: bool = True
    since: dt.date | None = None
    level: RealPrior
    growth: RealPrior
    driver_slope: RealPrior
    size_slope: RealPrior
    shortfall_spread: PositivePrior
    release_spread: PositivePrior
    system_spread: PositivePrior
    driver_line: DriverLineSpec


@dataclass(frozen=True)
class DriverData:
    """Densities with their errors, and what may drive them; one entry per system.

    Attributes
    ----------
    systems
        Names.
    log_density
        Posterior means.
    variance
        Of their posterior given the reference family: the error of each system's own scores.
    shared
        What draws of the reference family do to the densities, (draw, system), about the mean.
    driver, size
        Log tokens per param (or log tokens) and log params, about their means.
    driver_mean
        What was taken off the driver.
    time
        Years since 2022-11-30.
    release
        Index of each system's.
    releases
        Names.
    """

    systems: tuple[str, ...]
    log_density: Floats
    variance: Floats
    shared: Floats
    driver: Floats
    driver_mean: float
    size: Floats
    time: Floats
    release: Ints
    releases: tuple[str, ...]


def drivers_spec(source: DriversSpec | str | os.PathLike[str] = "drivers") -> DriversSpec:
    """A specification, or the one of a name or path."""
    return source if isinstance(source, DriversSpec) else load_corollary(source, DriversSpec)


# What is known of the systems --------------------------------------------------------------------


def driver_data(
    fit: Fit,
    spec: DriversSpec | str | os.PathLike[str] = "drivers",
    panel: Panel | str | os.PathLike[str] | None = None,
) -> DriverData:
    """Densities of the systems with known tokens, and their drivers.

    Raises
    ------
    DensingError
        If fewer than ten systems are left, or none of the drivers varies.
    """
    spec = drivers_spec(spec)
    observed = fit.observed
    tokens = tokens_of(fit, panel).to_numpy()
    chosen = _chosen(fit, spec, tokens)
    own = observed.of_systems(chosen)
    draws = log_density_draws(fit)[:, chosen]
    shared = _shared(fit, draws)
    rest = draws - shared
    size = own.log_params
    driver = np.log(tokens[chosen]) - (size if spec.driver == "tokens-per-param" else 0.0)
    for name, values in ((spec.driver, driver), ("date", own.time)):
        if np.ptp(values) == 0:
            raise DensingError(
                f"all {chosen.sum()} systems have the same {name}: a slope in it has no meaning; "
                f"use more systems"
            )
    return DriverData(
        systems=own.systems,
        log_density=draws.mean(axis=0),
        variance=rest.var(axis=0),
        shared=shared - shared.mean(axis=0),
        driver=driver - driver.mean(),
        driver_mean=float(driver.mean()),
        size=size - size.mean(),
        time=own.time,
        release=own.system_release,
        releases=own.releases,
    )


def _chosen(fit: Fit, spec: DriversSpec, tokens: Floats) -> np.ndarray:
    """Which systems enter: tokens are known, and they are as recent as the specification asks."""
    start = -np.inf if spec.since is None else years_since_origin(spec.since)
    chosen = np.isfinite(tokens) & (fit.observed.time >= start)
    if chosen.sum() < FEWEST:
        since = "" if spec.since is None else f" released since {spec.since}"
        raise DensingError(
            f"{int(chosen.sum())} systems{since} have known tokens (column 'tokens' of "
            f"systems.csv); the regression needs at least {FEWEST}: fill in tokens, or take an "
            f"earlier 'since'"
        )
    return np.asarray(chosen)


def _shared(fit: Fit, draws: Floats) -> Floats:
    """What the reference family says of the densities, linear in its parameters, (draw, system)."""
    columns = [np.ones((len(draws), 1))]
    for name in SHARED:
        if name in fit.posterior:
            values = fit.posterior[name].transpose(*SAMPLE, ...).to_numpy()
            columns.append(values.reshape(len(draws), -1))
    parameters = np.column_stack(columns)
    return np.asarray(parameters @ np.linalg.lstsq(parameters, draws, rcond=None)[0])


# The regression ----------------------------------------------------------------------------------


def drivers_model(data: DriverData, spec: DriversSpec) -> pm.Model:
    """State the regression of log density, and the line of the driver over dates.

    Measured densities have the posterior's variance given the reference family as their error: a
    system at the floor of its benchmarks has little to say. What an error in the reference
    family does to all of them is added afterwards (:func:`fit_driver_data`). In one likelihood
    with the rest it would let a straight line in date choose the exponents of the scaling law.
    """
    import pymc as pm

    from densing_bayes.priors import variable

    member = _membership(data)
    with pm.Model() as model:
        slope = variable("driver_slope", spec.driver_slope)
        growth = variable("growth", spec.growth)
        mean = variable("level", spec.level) + growth * data.time + slope * data.driver
        if spec.size:
            mean = mean + variable("size_slope", spec.size_slope) * data.size
        one_sided = spec.form == "frontier"
        name = "shortfall_spread" if one_sided else "release_spread"
        between = variable(name, getattr(spec, name))
        within = data.variance + variable("system_spread", spec.system_spread) ** 2
        log_density = _of_releases(data.log_density - mean, within, between, member, one_sided)
        pm.Potential("log_likelihood", log_density)

        line = spec.driver_line
        driver_growth = variable("driver_growth", line.growth)
        expected = variable("driver_level", line.level) + driver_growth * data.time
        if spec.size:
            expected = expected + variable("driver_size_slope", line.size_slope) * data.size
        between = variable("driver_release_spread", line.release_spread)
        spread = variable("driver_system_spread", line.system_spread)
        within = spread**2 * np.ones_like(data.time)
        log_density = _of_releases(data.driver - expected, within, between, member, False)
        pm.Potential("driver_log_likelihood", log_density)
        pm.Deterministic("growth_by_driver", slope * driver_growth)
        pm.Deterministic("growth_total", growth + slope * driver_growth)
    return model


def _membership(data: DriverData) -> Floats:
    """Ones where a system belongs to a release, (release, system)."""
    return np.eye(len(data.releases))[data.release].T


def _of_releases(above: Any, within: Any, between: Any, member: Floats, one_sided: bool) -> Any:
    """Log density of residuals with an effect of each release integrated out.

    ``above`` is an effect of the release plus normal scatter of variance ``within``; the effect
    is normal with scale ``between``, or minus a half-normal of that scale. The precision-weighted
    mean of a release then has a normal or a skew-normal law (Aigner, Lovell, Schmidt 1977).
    """
    import pytensor.tensor as pt

    weight = 1.0 / within
    total = pt.dot(member, weight)
    mean = pt.dot(member, weight * above) / total
    rest = weight * (above - pt.dot(member.T, mean)) ** 2
    scatter = -0.5 * (rest + pt.log(2.0 * np.pi * within)).sum()
    variance = between**2 + 1.0 / total
    of_mean = -0.5 * (mean**2 / variance + pt.log(variance)) - 0.5 * pt.log(total)
    if one_sided:
        z = mean * between * pt.sqrt(total / variance)
        of_mean = of_mean + pt.log(pt.erfc(z / np.sqrt(2.0)))
    return scatter + of_mean.sum()


def fit_driver_data(
    data: DriverData,
    spec: DriversSpec,
    provenance: dict[str, Any] | None = None,
    *,
    draws: int = 2000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
) -> Posterior:
    """Sample the regression on data of one's own; arguments as of :func:`fit_drivers`.

    The uncertainty of the reference family, shared by all systems, is carried through by the
    linear map from densities to coefficients: draws of the family shift draws of the regression.
    The verdict is that of the sampled regression.
    """
    source = {
        "specification": spec.model_dump(mode="json"),
        "systems": len(data.systems),
        "releases": len(data.releases),
    }
    sampled = sample_posterior(
        drivers_model(data, spec),
        (provenance or {}) | source,
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
    )
    return replace(sampled, draws=_with_shared(sampled.draws, data, spec, seed))


def _with_shared(draws: xr.Dataset, data: DriverData, spec: DriversSpec, seed: int) -> xr.Dataset:
    """Draws of the regression shifted by draws of the reference family."""
    names = ["level", "growth", "driver_slope"] + (["size_slope"] if spec.size else [])
    columns = [np.ones_like(data.time), data.time, data.driver, data.size][: len(names)]
    design = np.column_stack(columns)
    member = _membership(data)
    spread = float(
        draws["shortfall_spread" if spec.form == "frontier" else "release_spread"].mean()
    )
    if spec.form == "frontier":
        spread *= np.sqrt(1.0 - 2.0 / np.pi)
    covariance = (
        np.diag(data.variance + float(draws["system_spread"].mean()) ** 2)
        + spread**2 * member.T @ member
    )
    weighted = np.linalg.solve(covariance, design)
    shifts = np.linalg.solve(design.T @ weighted, weighted.T @ data.shared.T)
    shape = draws["growth"].shape
    pick = np.random.default_rng(seed).integers(len(data.shared), size=shape)
    moved = {name: draws[name] + shift[pick] for name, shift in zip(names, shifts, strict=True)}
    moved["growth_by_driver"] = moved["driver_slope"] * draws["driver_growth"]
    moved["growth_total"] = moved["growth"] + moved["growth_by_driver"]
    return draws.assign(moved)


def fit_drivers(
    fit: Fit,
    spec: DriversSpec | str | os.PathLike[str] = "drivers",
    *,
    panel: Panel | str | os.PathLike[str] | None = None,
    draws: int = 2000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
) -> Posterior:
    """Regress the densities of a fit on date, tokens per param and size.

    Parameters
    ----------
    fit
        A joint fit.
    spec
        A specification, or its name or path.
    panel
        The panel of the fit, which has the tokens; by default that of the fit's specification.
    draws, tune, chains, seed
        Of the sampler.

    Returns
    -------
    Posterior
        ``growth`` (1/year, at fixed driver and size), ``driver_slope``, ``size_slope``,
        ``driver_growth`` (of the driver, 1/year), ``growth_by_driver`` (their product),
        ``growth_total`` and spreads.

    Raises
    ------
    DensingError
        If fewer than ten systems have known tokens.
    """
    spec = drivers_spec(spec)
    data = driver_data(fit, spec, panel)
    known = {key: fit.provenance[key] for key in ("panel", "spec_hash") if key in fit.provenance}
    return fit_driver_data(
        data,
        spec,
        known | {"fit_verdict": fit.verdict},
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
    )


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
    chosen = _chosen(fit, spec, tokens)
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
    """How far date and driver can be told apart.

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
    draws = sampled.draws if group == "posterior" else sampled.prior
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
