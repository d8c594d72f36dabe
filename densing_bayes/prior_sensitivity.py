"""How evidence and growth hang on the width of the priors that a hypothesis brings."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import xarray as xr

from densing_bayes.diagnostics import effective_size
from densing_bayes.fitting import Fit
from densing_bayes.marginal import thinned
from densing_bayes.observations import Floats
from densing_bayes.priors import log_density
from densing_bayes.quantities import growth
from densing_bayes.spec import LogNormal, ModelSpec, Normal, Prior

FACTORS = (0.5, 2.0)


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


def scaled(prior: Prior, factor: float) -> Prior:
    """A prior of so many times the scale: of a log-normal, so many times the median."""
    match prior:
        case LogNormal():
            return prior.model_copy(update={"median": prior.median * factor})
        case Normal():
            return prior.model_copy(update={"sigma": prior.sigma * factor})
        case _:
            return prior.model_copy(update={"sigma": getattr(prior, "sigma", 1.0) * factor})


def with_scaled_priors(spec: ModelSpec, factor: float) -> ModelSpec:
    """The specification with the scale of every prior of :func:`change_priors` multiplied."""
    update: dict[str, Any] = {}
    for name, prior in change_priors(spec).items():
        new = scaled(prior, factor)
        if name == "growth_step_spread":
            update["smooth"] = spec.trend.smooth.model_copy(update={"spread": new})  # type: ignore[union-attr]
        elif name == "decay":
            update["saturation"] = spec.trend.saturation.model_copy(update={"decay": new})  # type: ignore[union-attr]
        else:
            update[name] = new
    return spec.model_copy(update={"trend": spec.trend.model_copy(update=update)})


def with_doubled_windows(spec: ModelSpec) -> ModelSpec:
    """The specification with every window of an unknown date doubled about its middle."""
    changes = []
    for change in spec.trend.changes:
        if change.known:
            changes.append(change)
            continue
        first, last = change.window
        margin = dt.timedelta(days=(last - first).days // 2)
        changes.append(
            change.model_copy(update={"earliest": first - margin, "latest": last + margin})
        )
    return spec.model_copy(
        update={"trend": spec.trend.model_copy(update={"changes": tuple(changes)})}
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
        terms = log_density(scaled(prior, factor), values) - log_density(prior, values)
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
    import arviz_stats as azs

    names = change_priors(fit.spec)
    if not set(names) - {"level_change"}:  # the growth rate does not change
        return {"prior": None, "likelihood": None}
    step = max(1, fit.posterior["level"].size // draws)
    part = fit.posterior.isel(draw=slice(0, None, step))
    sizes = {"chain": part.sizes["chain"], "draw": part.sizes["draw"]}

    def plain(values: Floats, *dims: str) -> xr.Dataset:
        labels = {dim: range(size) for dim, size in sizes.items()}
        return xr.Dataset({"growth_change": (("chain", "draw", *dims), values)}, coords=labels)

    change = growth(fit)["change"].isel(draw=slice(0, None, step)).to_numpy()
    log_prior = np.zeros(change.shape)
    for name, prior in names.items():
        values = part[name].transpose("chain", "draw", ...).to_numpy()
        log_prior += log_density(prior, values).reshape(*change.shape, -1).sum(axis=-1)
    tree = xr.DataTree.from_dict(
        {
            "posterior": plain(change),
            "log_prior": plain(log_prior),
            "log_likelihood": plain(release_density, "release"),
        }
    )
    return {
        "prior": float(azs.psense(tree, group="prior")["growth_change"]),
        "likelihood": float(azs.psense(tree, group="likelihood")["growth_change"]),
    }


def weighted_summary(values: Floats, weights: Floats) -> dict[str, float]:
    """Mean and 95% equal-tailed interval of weighted draws."""
    order = np.argsort(values)
    ranks = np.cumsum(weights[order]) / weights.sum()
    lower, upper = (float(values[order][np.searchsorted(ranks, q)]) for q in (0.025, 0.975))
    return {"mean": float(np.average(values, weights=weights)), "lower": lower, "upper": upper}
