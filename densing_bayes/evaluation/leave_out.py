"""Scores of a fit on systems that it has not seen: one release left out, or the future.

Everything that belongs to a release alone is integrated out (:mod:`.predictive`), so
the unit is a release, not one of its siblings; single systems come second.
"""

from __future__ import annotations

import datetime as dt
import warnings
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import logsumexp

from densing_bayes.errors import DensingError
from densing_bayes.inputs.dates import DAYS_PER_YEAR, date_of, years_since_origin
from densing_bayes.joint import laws
from densing_bayes.joint.marginal.predictive import predictive_densities
from densing_bayes.joint.marginal.shared_parameters import SAMPLE_DRAW, at_draws, given
from densing_bayes.joint.model import assemble
from densing_bayes.joint.score_links import expected_score
from densing_bayes.joint.tails import standard
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.draws import thinned
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.walks import reaching

K_LIMIT = 0.7  # of the Pareto shape: above it, importance sampling is not to be trusted
DRAWS = 2000
WINDOW_DAYS = 183
CUTS = 5


def leave_one_out(fit: Fit, draws: int = DRAWS) -> tuple[dict[str, dict[str, list[float]]], Floats]:
    """Log predictive density of each release and each system given all others (PSIS).

    Parameters
    ----------
    fit
        A fit.
    draws
        Number of posterior draws to use.

    Returns
    -------
    dict
        For ``release`` and ``system``: ``elpd`` in nats and ``k``, the Pareto shape, in the order
        of the fit. Where k is above 0.7 the density is not reliable: fit without that release.
    numpy.ndarray
        Log predictive density of each release at the draws, (chain, draw, release).
    """
    import arviz_stats as azs

    flat = thinned(fit.posterior, draws)
    parameters = given(fit.spec, fit.observed, flat)
    found = predictive_densities(fit.spec, fit.observed, parameters)
    chains = fit.posterior.sizes["chain"]
    result = {}
    for unit in ("release", "system"):
        values = getattr(found, unit)
        shaped = values.reshape(chains, -1, values.shape[1])
        tree = xr.DataTree.from_dict(
            {
                "posterior": xr.Dataset({"level": (("chain", "draw"), shaped[..., 0])}),
                "log_likelihood": xr.Dataset({"score": (("chain", "draw", unit), shaped)}),
            }
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Estimated shape parameter of Pareto")
            loo = azs.loo(tree, pointwise=True, reff=_relative_efficiency(shaped))
        result[unit] = {"elpd": loo.elpd_i.values.tolist(), "k": loo.pareto_k.values.tolist()}
    return result, found.release.reshape(chains, -1, found.release.shape[1])


def _relative_efficiency(values: Floats) -> float:
    """Effective share of draws, over the units."""
    import arviz_stats as azs

    ess = azs.ess(
        np.exp(values - values.max(axis=(0, 1))), chain_axis=0, draw_axis=1, method="mean"
    )
    return float(np.mean(ess) / (values.shape[0] * values.shape[1]))


def density_of_release(fit: Fit, observed: Observations, release: int, draws: int = DRAWS) -> float:
    """Log predictive density of a release under a fit that has not seen it, in nats."""
    own = kin(observed, np.arange(len(observed.releases)) == release)
    parameters = given(fit.spec, own, thinned(fit.posterior, draws))
    found = predictive_densities(fit.spec, own, parameters)
    terms = found.release[:, own.releases.index(observed.releases[release])]
    return float(_log_mean(terms))


def kin(observed: Observations, releases: NDArray[np.bool_]) -> Observations:
    """What the densities of some releases depend on, given the globals: all of their organisations.

    Releases of other organisations are independent of them.
    """
    organisations = observed.system_organisation[releases[observed.system_release]]
    return observed.of_systems(np.isin(observed.system_organisation, organisations))


def cuts_of(observed: Observations, count: int = CUTS, days: int = WINDOW_DAYS) -> list[dt.date]:
    """Dates of training cuts: windows of so many days up to the last release, oldest first."""
    first, last = (date_of(time).date() for time in (observed.time.min(), observed.time.max()))
    end = last + dt.timedelta(days=1)
    if count * days >= (end - first).days:
        raise DensingError(
            f"{count} cuts of {days} days reach back beyond {first}, when the data begin: use "
            f"fewer or shorter windows"
        )
    return [end - dt.timedelta(days=days * i) for i in range(count, 0, -1)]


def before(observed: Observations, cut: dt.date) -> Observations:
    """The observations of the systems released before a date."""
    return observed.of_systems(released_before(observed, cut))


def released_before(observed: Observations, cut: dt.date) -> NDArray[np.bool_]:
    """Which systems were released before a date."""
    return observed.time < years_since_origin(cut)


def released_within(
    observed: Observations, cut: dt.date, days: int = WINDOW_DAYS
) -> NDArray[np.bool_]:
    """Which releases lie in the window that begins with a cut."""
    since = observed.release_time - years_since_origin(cut)
    return (since >= 0.0) & (since < days / DAYS_PER_YEAR)


def densities_after(
    fit: Fit, observed: Observations, cut: dt.date, days: int = WINDOW_DAYS
) -> Floats:
    """Log predictive density of each release of :func:`released_within`, in nats.

    Parameters as of :func:`forecast_scores`.
    """
    return _log_mean(_at_draws_after(fit, observed, cut, days))


def _at_draws_after(fit: Fit, observed: Observations, cut: dt.date, days: int) -> Floats:
    """The same at each draw, (draw, release)."""
    past = released_before(observed, cut)  # of a release that lies on both sides, what came first
    future = released_within(observed, cut, days)
    if not future.any():
        raise DensingError(f"no release in the {days} days from {cut} on")
    flat = thinned(fit.posterior, DRAWS)
    coming = future[observed.system_release]
    both = observed.of_systems(past | coming)
    seen = kin(both, np.isin(both.releases, np.array(observed.releases)[future]))
    seen, flat = reaching(fit, seen, flat)
    parameters = given(fit.spec, seen, flat)
    known = seen.release_time < years_since_origin(cut)
    return np.asarray(predictive_densities(fit.spec, seen, parameters, known).release[:, ~known])


def _log_mean(terms: Floats) -> Floats:
    return np.asarray(logsumexp(terms, axis=0) - np.log(len(terms)))


def forecast_scores(
    fit: Fit, observed: Observations, cut: dt.date, days: int = WINDOW_DAYS, seed: int = 0
) -> dict[str, Any]:
    """Score the systems released in the window after a cut under a fit of :func:`before`.

    Parameters
    ----------
    fit
        Of the systems before the cut.
    observed
        All systems.
    cut
        First date of the window.
    days
        Its length.
    seed
        Of the predictive draws.

    Returns
    -------
    dict
        ``cut``; ``releases`` and ``log_score``, the log predictive density in nats of each
        release given the past; ``joint_log_score``, that of all of them together, which share the
        error of the trend; ``k``, the Pareto shape of the densities whose mean that is: above
        0.7 few draws foresee the release, and the score is not reliable; ``crps`` of each score;
        ``covered50`` and ``covered95``, whether its central interval holds it.
    """
    terms = _at_draws_after(fit, observed, cut, days)
    coming = observed.of_systems(released_within(observed, cut, days)[observed.system_release])
    drawn = predicted_scores(fit, coming, thinned(fit.posterior, DRAWS), seed)
    return {"cut": cut.isoformat()} | judged(coming, terms, drawn)


def judged(coming: Observations, terms: Floats, drawn: Floats) -> dict[str, Any]:
    """The scores of :func:`forecast_scores`, of what a fit says of the systems of a window.

    Parameters
    ----------
    coming
        The systems of the window.
    terms
        Log predictive density of each release at each draw, (draw, release), in nats.
    drawn
        Draws of the score of each cell, (draw, cell).
    """
    from arviz_stats.base import array_stats
    from scoringrules import crps_ensemble

    lower95, lower50, upper50, upper95 = np.quantile(drawn, [0.025, 0.25, 0.75, 0.975], axis=0)
    score = coming.score
    return {
        "releases": list(coming.releases),
        "log_score": _log_mean(terms).tolist(),
        "joint_log_score": float(_log_mean(terms.sum(axis=1, keepdims=True))[0]),
        # psislw takes log ratios that are divided by.
        "k": [float(array_stats.psislw(-each)[1]) for each in terms.T],
        "crps": crps_ensemble(score, drawn.T).tolist(),
        "covered50": ((score >= lower50) & (score <= upper50)).tolist(),
        "covered95": ((score >= lower95) & (score <= upper95)).tolist(),
    }


def predicted_scores(
    fit: Fit,
    observed: Observations,
    flat: xr.Dataset,
    seed: int = 0,
    effects: tuple[Floats, Floats | None] | None = None,
) -> Floats:
    """Predictive draws of the scores of new releases, (draw, cell).

    An organisation that the fit knows keeps its effect and leans, unless ``effects`` are given: the
    effect over draws and releases, and leans over draws, releases and benchmarks, if any.
    Everything of the release is drawn anew.
    """
    import pytensor.tensor as pt

    random = np.random.default_rng(seed)
    observed, flat = reaching(fit, observed, flat, seed)
    shared = given(fit.spec, observed, flat)
    count = flat.sizes[SAMPLE_DRAW]

    def normal(size: int) -> Floats:
        return random.standard_normal((count, size))

    organisation = shared.organisation[:, None] * normal(len(observed.organisations))
    if "organisation_effect" in flat:
        known = list(fit.observed.organisations)
        sampled = flat["organisation_effect"].transpose(SAMPLE_DRAW, ...).to_numpy()
        for i, name in enumerate(observed.organisations):
            if name in known:
                organisation[:, i] = sampled[:, known.index(name)]
    m, k = observed.cell_system, observed.cell_benchmark
    lean = shared.lean
    if effects is None:
        effect = organisation[:, observed.system_organisation]
    else:
        effect = effects[0][:, observed.system_release]
        if effects[1] is not None:
            shape = (count, len(observed.releases), len(observed.benchmarks))
            own = shared.release_lean_spread[:, None, None] * random.standard_normal(shape)
            lean = (effects[1] + own)[:, observed.system_release[m], k]
    tails = fit.spec.trend.release_tails
    release = shared.release[:, None] * standard(random, tails, (count, len(observed.releases)))
    unit = observed.system_release
    if not fit.spec.trend.release_effects:
        unit = np.arange(len(observed.systems))
    shortfall = shared.shortfall * np.abs(standard(random, tails, shared.shortfall.shape))
    log_density = (
        shared.line
        + effect
        + release[:, observed.system_release]
        - shortfall[:, unit]
        + shared.spread[:, None] * normal(len(observed.systems))
    )
    log_effective_params = observed.log_params[m] + log_density[:, m] + shared.shift + lean
    log_effective_params += shared.cell_spread * normal(m.size)

    parts = assemble(fit.spec, observed)
    x = pt.vector("log_effective_params", shape=(m.size,))
    expected, _ = expected_score(observed, parts.law, parts.link, x)
    mean = at_draws({"expected": expected}, parts, flat, {x: log_effective_params})["expected"]
    sd = np.sqrt(laws.score_variance(mean, observed.cell_items, shared.noise))
    error = standard(random, fit.spec.performance.score_tails, (count, m.size))
    return np.clip(mean + sd * error, 0.0, 1.0)
