"""Growth of density by driver: what longer training explains, and what it cannot be told from.

Two answers to one question. A regression of log density on date, log tokens per param and size
says how density goes with the data that a system was trained on, whatever the reason. The
scaling law of the joint posterior says how much of it is nothing but longer training:
density = Neff / N compares a system with reference models trained on D0 tokens, so a plain
reference model that is trained on more has a density above one (:func:`overtraining`).
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from densing_bayes.corollaries.drivers.data import (
    DriverData,
    DriversSpec,
    driver_data,
    drivers_spec,
)
from densing_bayes.corollaries.small_model import Posterior, sample_posterior
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.panel import Panel
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.result import Fit

if TYPE_CHECKING:
    import pymc as pm

# The regression ----------------------------------------------------------------------------------


def drivers_model(data: DriverData, spec: DriversSpec) -> pm.Model:
    """State the regression of log density, and the line of the driver over dates.

    Measured densities have the posterior's variance given the reference family as their error: a
    system at the floor of its benchmarks has little to say. What an error in the reference
    family does to all of them is added afterwards (:func:`fit_driver_data`). In one likelihood
    with the rest it would let a straight line in date choose the exponents of the scaling law.
    """
    import pymc as pm

    from densing_bayes.joint.variables import variable

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
