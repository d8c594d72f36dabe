"""Forecasts put to the test: fitted to the past of a date, scored on the half year after it.

Two targets, kept apart. The scores of each new release, given its params and date, against the
last level carried forward and a mean trend. The best density of the window, not given what will
be released in it, against a straight line through the running maximum (the paper's estimator) and
the best of the last window. Every rival is a distribution: Student's predictive law of its own
regression, whose spread comes from the same past.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from densing_bayes.errors import DensingError
from densing_bayes.evaluation import leave_out
from densing_bayes.evaluation.backtests.rivals import (
    DRAWS,
    FEWEST,
    envelope,
    last_best,
    regression_scores,
)
from densing_bayes.fitting.many import Request, Terms, fitter, name_of
from densing_bayes.fitting.store import stored_answer
from densing_bayes.inputs.dates import DAYS_PER_YEAR, date_of, years_since_origin
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.draws import thinned
from densing_bayes.posterior.estimates import SAMPLE
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.densities import log_density_draws
from densing_bayes.quantities.growth import line_at

# Ways to forecast the scores of new releases, and the best density of a window.
MODEL, LAST_LEVEL, MEAN_TREND = "joint model", "last level", "mean trend"
ENVELOPE, LAST_BEST = "line through running maximum", "last best"
LEVELS = (0.5, 0.8, 0.95)
WINDOW_DAYS = leave_out.WINDOW_DAYS


# Scores of new releases --------------------------------------------------------------------------


def score_forecasts(
    fit: Fit, observed: Observations, cut: dt.date, days: int = WINDOW_DAYS, seed: int = 0
) -> pd.DataFrame:
    """Forecasts of the scores of the releases of a window, given their params and dates.

    Parameters
    ----------
    fit
        Of :func:`densing_bayes.evaluation.leave_out.before` the cut.
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
    pandas.DataFrame
        A row per cell and method: ``cut``, ``cell``, ``release``, ``benchmark``, ``method``,
        ``crps`` (in points of score), ``covered50``, ``covered80``, ``covered95``. Cells of
        benchmarks with fewer than five scores before the cut are left out for all methods.

    Raises
    ------
    DensingError
        If the fit has seen the window, or nothing is released in it.
    """
    past, coming = split(fit, observed, cut, days)
    drawn = {
        MODEL: leave_out.predicted_scores(fit, coming, thinned(fit.posterior, DRAWS), seed),
        LAST_LEVEL: regression_scores(past, coming, cut, days, trend=False, seed=seed),
        MEAN_TREND: regression_scores(past, coming, cut, days, trend=True, seed=seed),
    }
    known = np.isfinite(drawn[MEAN_TREND]).all(axis=0)
    if not known.any():
        raise DensingError(
            f"no benchmark of the window from {cut} on has {FEWEST} scores before it: a rival "
            f"cannot be fitted; take a later cut"
        )
    release = [coming.releases[i] for i in coming.system_release[coming.cell_system]]
    frames = [
        pd.DataFrame(
            {
                "cut": cut.isoformat(),
                "cell": coming.cell_label,
                "release": release,
                "benchmark": [coming.benchmarks[k] for k in coming.cell_benchmark],
                "method": method,
                **scored(coming.score, values),
            }
        )[known]
        for method, values in drawn.items()
    ]
    return pd.concat(frames, ignore_index=True)


def split(
    fit: Fit, observed: Observations, cut: dt.date, days: int = WINDOW_DAYS
) -> tuple[Observations, Observations]:
    """Systems before a cut, and the releases of the window after it."""
    start = years_since_origin(cut)
    if fit.observed.time.max() >= start:
        raise DensingError(
            f"the fit has seen systems of {date_of(fit.observed.time.max()).date()}, after the cut "
            f"{cut}: fit the systems before the cut"
        )
    if not days > 0:
        raise DensingError(f"days = {days}: a window needs at least one day")
    first = observed.release_time
    future = (first >= start) & (first < start + days / DAYS_PER_YEAR)
    if not future.any():
        raise DensingError(f"no release in the {days} days from {cut} on: use a longer window")
    return leave_out.before(observed, cut), observed.of_systems(future[observed.system_release])


def scored(observed: Floats, drawn: Floats) -> dict[str, Any]:
    """CRPS and coverage of predictive draws, (draw, cell), for what was observed, (cell,)."""
    from scoringrules import crps_ensemble

    found: dict[str, Any] = {"crps": crps_ensemble(observed, drawn.T)}
    for level in LEVELS:
        tail = (1.0 - level) / 2.0
        low, high = np.quantile(drawn, [tail, 1.0 - tail], axis=0)
        found[f"covered{level * 100:.0f}"] = (observed >= low) & (observed <= high)
    return found


# Best density of a window ------------------------------------------------------------------------


def best_density_forecasts(
    fit: Fit, full: Fit, cut: dt.date, days: int = WINDOW_DAYS, seed: int = 0
) -> pd.DataFrame:
    """Forecasts of the best log density among the systems of a window.

    What was "observed" is latent too: the posterior median, in the fit of all systems, of the
    best of the window. The model does not know what will be released: it draws as many releases
    of the same sizes as in the window before, from new organisations. The rivals see posterior
    medians of densities of the fit of the past.

    Parameters
    ----------
    fit
        Of the systems before the cut.
    full
        Of all systems, with the same specification.
    cut, days, seed
        As of :func:`score_forecasts`.

    Returns
    -------
    pandas.DataFrame
        A row per method: ``cut``, ``method``, ``observed`` and ``observed_sd`` (of its
        posterior), ``median``, ``lower``, ``upper`` (95%), ``crps`` and coverage; in nats.
    """
    past, coming = split(fit, full.observed, cut, days)
    rows = [full.observed.systems.index(name) for name in coming.systems]
    best = log_density_draws(full)[:, rows].max(axis=1)
    known = np.median(log_density_draws(fit), axis=0)
    random = np.random.default_rng(seed)
    drawn = {
        MODEL: _best_of_window(fit, cut, days, random),
        ENVELOPE: envelope(past, known, cut, days, random),
        LAST_BEST: last_best(past, known, cut, days, random),
    }
    observed = np.array([np.median(best)])
    result = []
    for method, values in drawn.items():
        lower, middle, upper = np.quantile(values, [0.025, 0.5, 0.975])
        said = {name: value.item() for name, value in scored(observed, values[:, None]).items()}
        result.append(
            {
                "cut": cut.isoformat(),
                "method": method,
                "observed": observed.item(),
                "observed_sd": float(best.std()),
                "median": float(middle),
                "lower": float(lower),
                "upper": float(upper),
                **said,
            }
        )
    return pd.DataFrame(result)


def _best_of_window(fit: Fit, cut: dt.date, days: int, random: np.random.Generator) -> Floats:
    """Draws of the best log density of a window with the releases of the one before it."""
    window, start = days / DAYS_PER_YEAR, years_since_origin(cut)
    seen = fit.observed
    back = 1
    while not (seen.release_time >= start - back * window).any():
        back += 1
    recent = seen.of_systems((seen.release_time >= start - back * window)[seen.system_release])
    time = np.clip(recent.time + back * window, start, start + window)
    draws = fit.posterior
    line = line_at(fit, time, "frontier")
    count = line.shape[0] * line.shape[1]

    def scale(name: str) -> Floats:
        if name not in draws:
            return np.zeros((count, 1))
        return np.asarray(draws[name].transpose(*SAMPLE).to_numpy().reshape(count, 1))

    def normal(size: int) -> Floats:
        return random.standard_normal((count, size))

    releases, systems = len(recent.releases), len(recent.systems)
    shortfall = scale("shortfall_spread") * np.exp(
        scale("shortfall_growth") * (recent.release_time + back * window)
    )
    release = scale("release_spread") * normal(releases) - shortfall * np.abs(normal(releases))
    organisation = scale("organisation_spread") * normal(len(recent.organisations))
    density = (
        line.reshape(count, systems)
        + scale("period_spread") * normal(1)
        + scale("size_slope") * (recent.log_params - seen.mean_log_params)
        + release[:, recent.system_release]
        + organisation[:, recent.system_organisation]
        + scale("system_spread") * normal(systems)
    )
    return np.asarray(density.max(axis=1))


# Over cuts ---------------------------------------------------------------------------------------


def accuracy_at(
    cut: dt.date, request: Request, terms: Terms, days: int = WINDOW_DAYS, seed: int = 0
) -> dict[str, Any]:
    """Both targets at one cut; fits and answers are kept in the store, so a run can go on.

    Returns
    -------
    dict
        ``cut``, ``verdict`` of the fit of the past, ``systems`` and ``releases`` before the cut,
        and the rows of :func:`score_forecasts` (``scores``) and :func:`best_density_forecasts`
        (``best``).
    """
    make = fitter(terms)
    seen = leave_out.released_before(request.observed, cut)
    reduced = request._replace(fit=None, seen=seen)
    return stored_answer(
        f"{name_of(reduced, terms)}-accuracy-{days}-{seed}",
        lambda: _accuracy(make, request, reduced, cut, days, seed),
        terms.folder,
        __name__,
    )


def _accuracy(
    make: Callable[..., Fit],
    request: Request,
    reduced: Request,
    cut: dt.date,
    days: int,
    seed: int,
) -> dict[str, Any]:
    full, fit = make(request), make(reduced)
    return {
        "cut": cut.isoformat(),
        "verdict": fit.verdict,
        "full_verdict": full.verdict,
        "systems": len(fit.observed.systems),
        "releases": len(fit.observed.releases),
        "scores": score_forecasts(fit, request.observed, cut, days, seed).to_dict("records"),
        "best": best_density_forecasts(fit, full, cut, days, seed).to_dict("records"),
    }


def accuracy_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean CRPS and coverage of each method, and how far it is behind the model.

    Parameters
    ----------
    rows
        Of :func:`score_forecasts` or :func:`best_density_forecasts`, over cuts.

    Returns
    -------
    pandas.DataFrame
        Index ``method``; ``count``, ``crps``, ``crps_behind`` (that of the method minus that of
        the model, above 0 where the model is better) with its standard error over releases (over
        cuts, for the best density), and the share of each interval that holds what was observed.
    """
    unit = "release" if "release" in rows else "cut"
    key = ["cut", "cell"] if "cell" in rows else ["cut"]
    wide = rows.pivot_table(index=key, columns="method", values="crps")
    group = rows.drop_duplicates(key).set_index(key)[unit] if unit not in key else None
    table = {}
    for method, own in rows.groupby("method", sort=False):
        behind = wide[method] - wide[MODEL]
        labels = behind.index if group is None else group.reindex(behind.index)
        total = (behind - behind.mean()).groupby(np.asarray(labels)).sum()
        count = len(total)
        correction = count / (count - 1) if count > 1 else np.nan
        table[str(method)] = {
            "count": len(own),
            "crps": float(own["crps"].mean()),
            "crps_behind": float(behind.mean()),
            "crps_behind_se": float(np.sqrt(correction * np.sum(total**2)) / len(behind)),
            **{
                f"covered{level * 100:.0f}": float(own[f"covered{level * 100:.0f}"].mean())
                for level in LEVELS
            },
        }
    return pd.DataFrame.from_dict(table, orient="index").rename_axis("method")
