"""How well past forecasts held: fits to the past of a date, scored on the half year after it.

A cut is a date. The model is fitted to the systems released before it and says, for the systems
of the half year from it on, given their sizes, dates and organisations, what they will score. An
organisation that the fit knows keeps its effect; everything else of a release is drawn anew.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit, ndtri
from scipy.stats import binomtest, chi2

from densing_bayes.errors import DensingError
from densing_bayes.evaluation import leave_out
from densing_bayes.evaluation.backtests.rivals import EDGE, RIVALS, rival_scores
from densing_bayes.evaluation.hypotheses.criteria import careful
from densing_bayes.evaluation.leave_out import (
    WINDOW_DAYS,
    cuts_of,
    predicted_scores,
    released_within,
)
from densing_bayes.evaluation.uniformity import uniformity_p
from densing_bayes.fitting.fit import check_settings
from densing_bayes.fitting.many import Request, Terms, cores_of_each, fitter, name_of, run
from densing_bayes.fitting.settings import SEED, STANDARD
from densing_bayes.fitting.store import folder_of, stored_answer, versions
from densing_bayes.inputs.dates import date_of
from densing_bayes.inputs.default import DEFAULT
from densing_bayes.inputs.hypothesis import Hypothesis
from densing_bayes.inputs.panel import Panel, as_panel
from densing_bayes.inputs.specification import ModelSpec, as_spec
from densing_bayes.joint.marginal.shared_parameters import SAMPLE_DRAW
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.observations import Observations, observe, observe_systems
from densing_bayes.posterior.draws import thinned
from densing_bayes.posterior.result import Fit

CUTS = 4
LEVELS = (50, 80, 95)
DRAWS = 4000  # of the parameters
ROUNDS = 2  # predictions at each of them


@dataclasses.dataclass(frozen=True)
class Held:
    """Scores beside what was said of them beforehand. Made by :func:`backtest` and :func:`score`.

    Attributes
    ----------
    cells
        A row per score: ``window``, ``system``, ``release``, ``organisation``, ``benchmark``,
        ``date``, ``score``, its prediction (``mean``, ``median``, ``lower80``, ``upper80``),
        ``covered50``, ``covered80``, ``covered95``, ``crps`` and ``pit``, and for each rival
        ``crps: <rival>``, NaN where a rival has too few scores to say anything.
    windows
        A row per window: ``verdict`` of the fit, ``cells``, ``releases``, ``joint_log_score`` in
        nats, ``mean_pit``, that of the mean of all scores, and what sampling took
        (``leapfrog_mean``, ``tree_depth_max``, ``divergences``).
    """

    cells: pd.DataFrame
    windows: pd.DataFrame

    @property
    def verdict(self) -> str:
        """PASS if all fits have passed."""
        return "PASS" if (self.windows["verdict"] == "PASS").all() else "FAIL"


# Fits to the past --------------------------------------------------------------------------------


def backtest(
    spec: ModelSpec | str | os.PathLike[str] = DEFAULT,
    panel: Panel | str | os.PathLike[str] | None = None,
    *,
    hypothesis: Hypothesis | str | os.PathLike[str] | None = None,
    cuts: int = CUTS,
    draws: int = 1000,
    tune: int = 500,
    chains: int = 4,
    seed: int = SEED,
    jobs: int | None = None,
    store: bool | str | os.PathLike[str] = True,
    progress: bool | None = None,
) -> Held:
    """Fit the past of each cut and score the half year after it.

    Fits run in processes of :mod:`joblib`, so within ``joblib.parallel_config("dask")`` they run
    on a cluster. What is finished is kept: a backtest that was stopped goes on from there.

    Parameters
    ----------
    spec
        A specification, or the name or path of one.
    panel
        A panel, or its name or folder; by default the specification's own.
    hypothesis
        What the trend did; by default what the specification says.
    cuts
        Number of cuts, half a year apart: the last window ends with the last release.
    draws, tune, chains, seed
        Of the fits. A fit that does not converge is tried once more, as by
        :func:`densing_bayes.compare`.
    jobs, store, progress
        As of :func:`densing_bayes.compare`.

    Raises
    ------
    DensingError
        If the data do not reach back so far.
    """
    check_settings(draws, tune, chains, seed)
    spec = as_spec(spec, hypothesis)
    if cuts < 1:
        raise DensingError(f"cuts = {cuts}: a backtest needs at least one cut")
    panel = as_panel(panel, spec.panel.source)
    observed = observe(panel, spec)
    settings = STANDARD | {"draws": draws, "tune": tune, "chains": chains, "seed": seed}
    cores = cores_of_each(jobs)
    with folder_of(store) as folder:
        terms = careful(Terms(settings, versions(), panel.identity, folder, cores))
        request = Request(spec, observed)
        found = run(
            "cuts",
            _held_after,
            [(request, cut, terms) for cut in cuts_of(observed, cuts)],
            jobs=jobs,
            progress=progress,
            names=[cut.isoformat() for cut in cuts_of(observed, cuts)],
        )
    return Held(
        pd.concat([pd.DataFrame(each["cells"]) for each in found], ignore_index=True),
        pd.DataFrame([each["window"] for each in found]),
    )


def _held_after(request: Request, cut: dt.date, terms: Terms) -> dict[str, Any]:
    """Rows of the window after a cut, kept in the store."""
    reduced = request._replace(seen=leave_out.released_before(request.observed, cut))
    return stored_answer(
        f"{name_of(reduced, terms)}-{cut}-backtest",
        partial(_scored_after, request, reduced, cut, terms),
        terms.folder,
        __name__,
    )


def _scored_after(request: Request, reduced: Request, cut: dt.date, terms: Terms) -> dict[str, Any]:
    fit = fitter(terms, keep=False)(reduced)
    own = released_within(request.observed, cut)[request.observed.system_release]
    if not own.any():
        raise DensingError(f"no release in the {WINDOW_DAYS} days from {cut} on: use fewer cuts")
    return held(fit, request.observed.of_systems(own), cut, WINDOW_DAYS)


# Systems that a fit has not seen -----------------------------------------------------------------


def score(
    fit: Fit,
    panel: Panel | str | os.PathLike[str] | None = None,
    *,
    protocols: Sequence[str] | None = None,
    seed: int = 0,
) -> Held:
    """Score a fit on the systems of a panel that it has not seen, by half years.

    Siblings of a release that it has seen give a system away, so those are left out.

    Parameters
    ----------
    fit
        A fit.
    panel
        A panel, or its name or folder; by default the one that the specification names. Its
        systems are chosen as the specification says; reference runs are those of the fit.
    protocols
        Of which scores are taken, in order of preference, in place of the specification's: a panel
        in which a cell has several needs them.
    seed
        Of the predictive draws.

    Raises
    ------
    DensingError
        If the panel has no system that the fit has not seen.
    """
    panel = as_panel(panel, fit.spec.panel.source)
    bare = fit.spec.replace(trend__changes=())
    seen, known = set(fit.observed.systems), set(fit.observed.releases)
    if protocols is not None:
        bare = bare.replace(panel__protocols=tuple(protocols))
    everything = observe_systems(fit.observed, panel, bare)
    releases = np.array(everything.releases, object)[everything.system_release]
    new = np.array(
        [
            name not in seen and release not in known
            for name, release in zip(everything.systems, releases, strict=True)
        ]
    )
    if not new.any():
        raise DensingError(
            f"panel '{panel.name}' has no system that the fit has not seen: give a panel with "
            f"later systems, or a fit of the systems before a date"
        )
    coming = everything.of_systems(new)
    halves = np.array([_half_year(t) for t in coming.release_time])[coming.system_release]
    found = []
    for half in np.unique(halves):
        year, number = half.split("-H")
        start = dt.date(int(year), 1 if number == "1" else 7, 1)
        found.append(held(fit, coming.of_systems(halves == half), start, WINDOW_DAYS, seed, half))
    return Held(
        pd.concat([pd.DataFrame(each["cells"]) for each in found], ignore_index=True),
        pd.DataFrame([each["window"] for each in found]),
    )


def _half_year(time: float) -> str:
    date = date_of(time)
    return f"{date.year}-H{1 if date.month <= 6 else 2}"


# What held ---------------------------------------------------------------------------------------


def held(
    fit: Fit,
    coming: Observations,
    start: dt.date,
    days: int,
    seed: int = 0,
    label: str | None = None,
) -> dict[str, Any]:
    """Rows of a window: what a fit and the rivals say of systems to come, beside their scores.

    Returns
    -------
    dict
        ``cells``, a list of rows of :attr:`Held.cells`, and ``window``, a row of
        :attr:`Held.windows`.
    """
    from scoringrules import crps_ensemble

    flat = thinned(fit.posterior, DRAWS)
    again = np.tile(np.arange(flat.sizes[SAMPLE_DRAW]), ROUNDS)
    drawn = predicted_scores(fit, coming, flat.isel({SAMPLE_DRAW: again}), seed)
    name, m = label or start.isoformat(), coming.cell_system
    lower, middle, upper = np.quantile(drawn, [0.1, 0.5, 0.9], axis=0)
    cells: dict[str, Any] = {
        "window": name,
        "system": np.array(coming.systems, object)[m],
        "release": np.array(coming.releases, object)[coming.system_release[m]],
        "organisation": np.array(coming.organisations, object)[coming.system_organisation[m]],
        "benchmark": np.array(coming.benchmarks, object)[coming.cell_benchmark],
        "date": [date_of(t).date().isoformat() for t in coming.time[m]],
        "score": coming.score,
        "mean": drawn.mean(axis=0),
        "median": middle,
        "lower80": lower,
        "upper80": upper,
        "crps": crps_ensemble(coming.score, drawn.T),
        "pit": _pit(drawn, coming.score),
    }
    for level in LEVELS:
        tail = (1.0 - level / 100.0) / 2.0
        low, high = np.quantile(drawn, [tail, 1.0 - tail], axis=0)
        cells[f"covered{level}"] = (coming.score >= low) & (coming.score <= high)
    for rival, values in rival_scores(fit.spec, fit.observed, coming, start, days, seed).items():
        cells[f"crps: {rival}"] = crps_ensemble(coming.score, values.T)
    mean = drawn.mean(axis=1, keepdims=True)
    figures = fit.diagnostics
    window = {
        "window": name,
        "verdict": fit.verdict,
        "reasons": "; ".join(figures["reasons"]),
        "systems_before": len(fit.observed.systems),
        "releases_before": len(fit.observed.releases),
        "cells": len(coming.score),
        "releases": len(coming.releases),
        "joint_log_score": joint_log_score(drawn, coming.score),
        "mean_pit": float(_pit(mean, coming.score.mean(keepdims=True))[0]),
        **{key: figures[key] for key in ("leapfrog_mean", "tree_depth_max", "divergences")},
        "draws": fit.provenance["sampler"]["draws"],
    }
    rows = pd.DataFrame(cells).astype({f"covered{level}": bool for level in LEVELS})
    return {"cells": rows.to_dict("records"), "window": window}


def _pit(drawn: Floats, observed: Floats) -> Floats:
    """Share of draws below what was observed, half of ties, and never quite 0 or 1."""
    share = (0.5 * (drawn < observed) + 0.5 * (drawn <= observed)).mean(axis=0)
    return np.asarray(np.clip(share, 0.5 / len(drawn), 1.0 - 0.5 / len(drawn)))


def joint_log_score(drawn: Floats, observed: Floats) -> float:
    """Log density of all scores of a window together, on the scale of the logit.

    Of the normal distribution with the mean and covariance of the draws (the score of Dawid and
    Sebastiani 1999, as a log density): it is proper, and it asks for the right dependence of
    scores that share a trend and a release, which no mean over scores does.

    Parameters
    ----------
    drawn
        Predictive draws, (draw, cell).
    observed
        What came, (cell,).
    """
    draws = logit(np.clip(drawn, EDGE, 1.0 - EDGE))
    at = logit(np.clip(observed, EDGE, 1.0 - EDGE))
    factor = np.linalg.cholesky(np.atleast_2d(np.cov(draws.T)))
    standard = np.linalg.solve(factor, at - draws.mean(axis=0))
    size = len(at) * np.log(2.0 * np.pi)
    return float(-0.5 * (standard @ standard + size) - np.log(np.diag(factor)).sum())


# Summaries ---------------------------------------------------------------------------------------


def summary(found: Held) -> dict[str, Any]:
    """Figures of all windows together, as ``densing-bayes score --json`` prints them.

    Returns
    -------
    dict
        ``n``; ``coverage`` of central intervals by level, each with the ``share`` and its 95%
        binomial ``band`` (of independent scores; those of a release and a window are not);
        ``crps``, ``crps_ratio`` to each rival on the scores that the rival knows; ``width80``,
        the mean width of 80% intervals; ``pit`` by ``benchmark``, ``window`` and ``release``: mean
        PIT and p-value of uniformity; ``window_means``, the chi-square of the PITs of window means
        with its p-value; ``joint_log_score``, the sum over windows, in nats; and ``windows``.
    """
    cells, windows = found.cells, found.windows
    count = len(cells)
    coverage = {}
    for level in LEVELS:
        hits = int(cells[f"covered{level}"].sum())
        band = binomtest(hits, count).proportion_ci(0.95, method="wilson")
        coverage[str(level)] = {"share": hits / count, "band": [band.low, band.high]}
    z = ndtri(windows["mean_pit"].to_numpy(float))
    square = float(np.sum(z**2))
    return {
        "n": count,
        "coverage": coverage,
        "crps": float(cells["crps"].mean()),
        "crps_ratio": {rival: _ratio(cells, f"crps: {rival}") for rival in RIVALS},
        "width80": float((cells["upper80"] - cells["lower80"]).mean()),
        "pit": {
            by: {
                str(name): {
                    "n": len(part),
                    "mean": float(part["pit"].mean()),
                    "p_uniform": uniformity_p(part["pit"].to_numpy()) if len(part) > 4 else None,
                }
                for name, part in cells.groupby(by)
            }
            for by in ("benchmark", "window", "release")
        },
        "window_means": {
            "chi_square": square,
            "windows": len(z),
            "p": float(chi2.sf(square, len(z))),
        },
        "joint_log_score": float(windows["joint_log_score"].sum()),
        "windows": windows.to_dict("records"),
    }


def _ratio(cells: pd.DataFrame, rival: str) -> float | None:
    """Mean CRPS by that of a rival, on the scores of which the rival says something."""
    known = cells[rival].notna()
    if not known.any():
        return None
    return float(cells.loc[known, "crps"].mean() / cells.loc[known, rival].mean())
