"""How evidence and growth depend on the width of the priors of a hypothesis."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.inputs.families import Prior
from densing_bayes.inputs.hypothesis import ChangeSpec
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint.marginal.shared_parameters import at_draws
from densing_bayes.joint.model import assemble
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.diagnostics import effective_size
from densing_bayes.posterior.draws import thinned
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.growth import growth

FACTORS = (0.5, 2.0)
SENSITIVE = 0.05  # of power-scaling, above which a posterior moves with its prior (Kallioinen)


def change_priors(spec: ModelSpec) -> dict[str, Prior]:
    """Priors of how much the growth rate or the level changes, by variable of the posterior."""
    trend, found = spec.trend, dict[str, Prior]()
    if any(change.slope for change in trend.changes):
        found["growth_change"] = trend.growth_change
    if any(change.level for change in trend.changes):
        found["level_change"] = trend.level_change
    if trend.smooth is not None:
        found["growth_step_spread"] = trend.smooth.spread
    if trend.saturation is not None:
        found["decay"] = trend.saturation.decay
    return found


def with_scaled_priors(spec: ModelSpec, factor: float) -> ModelSpec:
    """The specification with the scale of every prior of :func:`change_priors` multiplied."""
    update: dict[str, Any] = {}
    for name, prior in change_priors(spec).items():
        new = prior.times(factor)
        if name == "growth_step_spread":
            update["smooth"] = spec.trend.smooth.model_copy(update={"spread": new})  # type: ignore[union-attr]
        elif name == "decay":
            update["saturation"] = spec.trend.saturation.model_copy(update={"decay": new})  # type: ignore[union-attr]
        else:
            update[name] = new
    return spec.model_copy(update={"trend": spec.trend.model_copy(update=update)})


def with_doubled_windows(spec: ModelSpec) -> ModelSpec:
    """The specification with every window of an unknown date doubled about its middle.

    Changes stay in order: a window grows to a known date at most, and two windows meet halfway.
    """
    changes = spec.trend.changes

    def room(one: ChangeSpec, two: ChangeSpec) -> int:
        """Days between two changes that either may take."""
        between = (two.window[0] - one.window[1]).days - 1
        return between if one.known or two.known else between // 2

    doubled = []
    for i, change in enumerate(changes):
        if change.known:
            doubled.append(change)
            continue
        first, last = change.window
        margin = (last - first).days // 2
        before = [room(other, change) for other in changes[:i] if other.window != change.window]
        after = [room(change, other) for other in changes[i:] if other.window != change.window]
        window = {
            "earliest": first - dt.timedelta(days=min([margin, *before])),
            "latest": last + dt.timedelta(days=min([margin, *after])),
        }
        doubled.append(change.model_copy(update=window))
    return spec.model_copy(
        update={"trend": spec.trend.model_copy(update={"changes": tuple(doubled)})}
    )


def rescaled(fit: Fit, factor: float) -> dict[str, Any]:
    """Evidence and growth change with the scale of the changes' priors multiplied, by reweighting.

    Returns
    -------
    dict
        ``log_ratio`` of the evidence to that of the fit, with ``error``; ``change`` of the growth
        rate per day, mean and 95% interval; ``k``, the Pareto shape of the weights.
    """
    from arviz_stats.base import array_stats

    draws = fit.posterior["level"].size
    flat = thinned(fit.posterior, draws)
    log_weights = np.zeros(flat.sizes["sample_draw"])
    for name, prior in change_priors(fit.spec).items():
        values = flat[name].transpose("sample_draw", ...).to_numpy()
        terms = prior.times(factor).log_density(values) - prior.log_density(values)
        log_weights += terms.reshape(len(terms), -1).sum(axis=1)
    smoothed, k = array_stats.psislw(-log_weights)  # it takes log ratios that are divided by
    weights = np.exp(log_weights - log_weights.max())
    effective = effective_size(weights.reshape(fit.posterior.sizes["chain"], -1))
    error = weights.std() / weights.mean() / np.sqrt(effective)
    change = thinned(growth(fit), draws)["change"].to_numpy()
    return {
        "log_ratio": float(np.log(weights.mean()) + log_weights.max()),
        "error": float(error),
        "change": weighted_summary(change, np.exp(smoothed - np.max(smoothed))),
        "k": float(k),
    }


def halved_windows(fit: Fit) -> dict[str, Any]:
    """Evidence and growth change with every window halved about its middle: a share of the draws.

    Returns
    -------
    dict
        As of :func:`rescaled`; ``draws`` that lie in the halved windows instead of ``k``.
    """
    flat = thinned(fit.posterior, fit.posterior["level"].size)
    times = flat["change_time"].transpose("sample_draw", ...).to_numpy()
    undated = [i for i, change in enumerate(fit.spec.trend.changes) if not change.known]
    first, last = fit.observed.change_earliest[undated], fit.observed.change_latest[undated]
    quarter = (last - first) / 4.0
    inside = np.all((times >= first + quarter) & (times <= last - quarter), axis=1)
    share = inside.mean()
    if not inside.any():
        return {"log_ratio": None, "error": None, "change": None, "draws": 0}
    effective = effective_size(inside.astype(float).reshape(fit.posterior.sizes["chain"], -1))
    change = thinned(growth(fit), inside.size)["change"].to_numpy()[inside]
    return {
        "log_ratio": float(np.log(share) + len(undated) * np.log(2.0)),
        "error": float(np.sqrt((1.0 - share) / share / effective)),
        "change": weighted_summary(change, np.ones(change.size)),
        "draws": int(inside.sum()),
    }


def power_scaling(fit: Fit, release_density: Floats, draws: int) -> dict[str, float | None]:
    """Sensitivity of the growth change to power-scaling priors of the changes and likelihood.

    Kallioinen et al. 2024; above 0.05 the posterior of the change moves with it.

    Parameters
    ----------
    fit
        A fit.
    release_density
        Log predictive density of each release, (chain, draw, release) of the thinned draws.
    draws
        Number of those.
    """
    names = change_priors(fit.spec)
    if not set(names) - {"level_change"}:  # the growth rate does not change
        return {"prior": None, "likelihood": None}
    step = max(1, fit.posterior["level"].size // draws)
    part = fit.posterior.isel(draw=slice(0, None, step))
    change = growth(fit)[["change"]].isel(draw=slice(0, None, step))
    log_prior = np.zeros(change["change"].shape)
    for name, prior in names.items():
        values = part[name].transpose("chain", "draw", ...).to_numpy()
        log_prior += prior.log_density(values).reshape(*log_prior.shape, -1).sum(axis=-1)
    densities = {
        "prior": xr.Dataset({"change": (("chain", "draw"), log_prior)}),
        "likelihood": xr.Dataset({"score": (("chain", "draw", "release"), release_density)}),
    }
    return {
        group: float(_psense(change, values, group)["change"])
        for group, values in densities.items()
    }


def _psense(
    quantities: xr.Dataset, log_densities: xr.Dataset, group: str, names: list[str] | None = None
) -> xr.Dataset:
    """Sensitivity of quantities to power-scaling log densities at the same draws."""
    import arviz_stats as azs

    labels = {dim: range(quantities.sizes[dim]) for dim in ("chain", "draw")}
    tree = xr.DataTree.from_dict(
        {
            "posterior": quantities.assign_coords(labels),
            f"log_{group}": log_densities.assign_coords(labels),
        }
    )
    return azs.psense(tree, group=group, group_var_names=names)


def prior_densities(fit: Fit) -> xr.Dataset:
    """Log prior density of every variable whose prior depends on no other variable.

    These are what a specification states as priors. Effects, densities and the like have
    distributions that depend on them, and standardised effects none that could be chosen; they
    belong to the model.

    Returns
    -------
    xarray.Dataset
        Nats by name of the variable, summed over its elements; dims (chain, draw).
    """
    import pymc as pm
    from pytensor.graph.traversal import ancestors

    parts = assemble(fit.spec, fit.observed)
    free = set(parts.model.free_RVs)
    names = {rv.name for rv in free} | {variable.name for variable in parts.model.deterministics}

    def is_prior(rv: Any) -> bool:
        stem = rv.name.removesuffix("_offset")
        standardised = stem != rv.name and not names.isdisjoint({stem, f"{stem}_effect"})
        return not standardised and free.isdisjoint(set(ancestors([rv])) - {rv})

    graphs = {rv.name: pm.logp(rv, rv).sum() for rv in free if is_prior(rv)}
    level = fit.posterior["level"]
    found = at_draws(graphs, parts, thinned(fit.posterior, level.size))
    return xr.Dataset(
        {
            name: (("chain", "draw"), found[name].reshape(level.shape))
            for name in sorted(found)
            if np.ptp(found[name]) > 0.0  # a variable without elements has no prior
        }
    )


def growth_sensitivity(fit: Fit, log_likelihood: xr.Dataset, draws: int) -> pd.DataFrame:
    """Sensitivity of the growth rates to power-scaling all priors, and the likelihood.

    Kallioinen et al. 2024: how fast the posterior moves as the density of one of the two is
    raised to a power near 1.

    Parameters
    ----------
    fit
        A fit.
    log_likelihood
        Log density of what was measured, by name, dims (chain, draw, ...) of the thinned draws.
    draws
        Number of those.

    Returns
    -------
    pandas.DataFrame
        Index ``before``, ``after``, ``change`` (``before`` alone where the growth rate is
        constant); ``prior``, ``likelihood``, and ``strongest``, the prior that matters most,
        with its own sensitivity ``strongest_prior``.
    """
    rates = growth(fit)
    constant = bool((rates["change"] == 0.0).all())
    rates = rates[["before"] if constant else ["before", "after", "change"]]
    log_prior = prior_densities(fit)
    step = max(1, fit.posterior["level"].size // draws)
    part = rates.isel(draw=slice(0, None, step))
    likelihood = _psense(part, log_likelihood, "likelihood")
    prior = _psense(rates, log_prior, "prior")
    single = {
        name: _psense(rates, log_prior, "prior", [name]) for name in map(str, log_prior.data_vars)
    }
    rows = {}
    for quantity in map(str, rates.data_vars):
        strongest = max(single, key=lambda name: float(single[name][quantity]))
        rows[quantity] = {
            "prior": float(prior[quantity]),
            "likelihood": float(likelihood[quantity]),
            "strongest": strongest,
            "strongest_prior": float(single[strongest][quantity]),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def weighted_summary(values: Floats, weights: Floats) -> dict[str, float]:
    """Mean and 95% equal-tailed interval of weighted draws."""
    ends = np.quantile(values, [0.025, 0.975], weights=weights, method="inverted_cdf")
    mean = np.average(values, weights=weights)
    return {"mean": float(mean), "lower": float(ends[0]), "upper": float(ends[1])}
