"""Specification of the drivers, and the data that they are fitted to."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from typing import Literal

import numpy as np

from densing_bayes.corollaries.drivers.overtraining import tokens_of
from densing_bayes.errors import DensingError
from densing_bayes.inputs.dates import years_since_origin
from densing_bayes.inputs.families import Frozen, PositivePrior, RealPrior
from densing_bayes.inputs.panel import Panel
from densing_bayes.inputs.specification import load_corollary
from densing_bayes.observed.arrays import Floats, Ints
from densing_bayes.posterior.estimates import SAMPLE, check_runs
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.densities import log_density_draws

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
    return load_corollary(source, DriversSpec)


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
    check_runs(fit, "what longer training gives")
    observed = fit.observed
    tokens = tokens_of(fit, panel).to_numpy()
    chosen = chosen_systems(fit, spec, tokens)
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


def chosen_systems(fit: Fit, spec: DriversSpec, tokens: Floats) -> np.ndarray:
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
