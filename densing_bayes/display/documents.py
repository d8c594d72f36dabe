"""Answers as JSON documents: what ``--json`` prints and what report.json holds.

No document has NaN or infinity: what is not known or not bounded is null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from densing_bayes.posterior.estimates import estimate, probability
from densing_bayes.posterior.plain import plain
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.densities import densities, density_table
from densing_bayes.quantities.growth import size_slope
from densing_bayes.quantities.shelf_life import frontier_shelf_life, shelf_life_table

if TYPE_CHECKING:
    from densing_bayes.evaluation.checks import Checks
    from densing_bayes.evaluation.comparison_table import Comparison


def density_document(fit: Fit, ci: float = CI, top: int | None = None) -> dict[str, Any]:
    """Densities of the systems, densest first.

    Parameters
    ----------
    fit
        A fit.
    ci
        Probability of the intervals.
    top
        Keep this many systems; all by default.

    Returns
    -------
    dict
        ``systems``: a list of system, organisation, release, release_date, params, the estimates
        ``density``, ``rank`` and ``effective_params``, in_range and p_no_finite; then
        ``diagnostics`` and ``provenance``.
    """
    table = density_table(fit, ci).iloc[:top]
    draws = densities(fit).sel(system=list(table.index))
    means = draws.mean(("chain", "draw"))
    observed = fit.observed
    release = dict(zip(observed.systems, observed.system_release, strict=True))
    systems = []
    for name, row in table.iterrows():
        record: dict[str, Any] = {"system": name, "release": observed.releases[release[str(name)]]}
        record |= {key: row[key] for key in ("organisation", "release_date", "params")}
        for key, unit in (("density", "1"), ("rank", "1"), ("effective_params", "1")):
            record[key] = {
                "mean": means[key].sel(system=name).item(),
                "median": row[key],
                "lower": row[f"{key}_lower"],
                "upper": row[f"{key}_upper"],
                "ci": ci,
                "unit": unit,
            }
        systems.append(record | {"in_range": row["in_range"], "p_no_finite": row["p_no_finite"]})
    return plain({"systems": systems} | _footing(fit))


def shelf_life_document(
    fit: Fit, systems: Sequence[str] | None = None, kappa: float = 2.0, ci: float = CI
) -> dict[str, Any]:
    """Shelf lives of the frontier and of systems.

    Returns
    -------
    dict
        ``kappa``; ``frontier``: the shelf life in days of a system on the frontier after the last
        change; ``size_slope``: the slope of log density in log params that it rests on;
        ``systems``: a list of system, release_date, the estimate ``shelf_life``,
        p_passed (at release already) and p_never; then ``diagnostics`` and ``provenance``.
    """
    table = shelf_life_table(fit, systems, kappa, ci)
    records = []
    for name, row in table.iterrows():
        life = {
            "mean": None,
            "median": row["median"],
            "lower": row["lower"],
            "upper": row["upper"],
            "ci": ci,
            "unit": "days",
        }
        for limit in ("median", "lower", "upper"):
            if pd.isna(life[limit]):
                life[f"{limit}_unbounded"] = True
        records.append(
            {
                "system": name,
                "release_date": row["release_date"],
                "shelf_life": life,
                "p_passed": row["p_passed"],
                "p_never": row["p_never"],
            }
        )
    frontier = frontier_shelf_life(fit, kappa)
    return plain(
        {
            "kappa": kappa,
            "frontier": estimate(frontier, "days", ci, mean=False)
            | {"p_never": probability(np.isinf(frontier))},
            "size_slope": estimate(size_slope(fit), "1", ci),
            "systems": records,
        }
        | _footing(fit)
    )


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """A comparison of hypotheses.

    Returns
    -------
    dict
        ``hypotheses``: a list with a record per hypothesis, all criteria; ``dates``: what lies
        between neighbouring candidate dates; ``change_dates``: by hypothesis and change, estimates
        of dates that the data choose; ``sensitivity``; ``forecasts`` per hypothesis and cut;
        ``averaged``: of :func:`.averaged_document`; ``findings``: sentences;
        ``provenance`` of each fit by name.
    """
    from densing_bayes.display.findings import sentences
    from densing_bayes.evaluation.averaged import averaged_document
    from densing_bayes.quantities.summary import change_dates

    return plain(
        {
            "hypotheses": comparison.table.reset_index().to_dict(orient="records"),
            "dates": comparison.dates.to_dict(orient="records"),
            "change_dates": {
                name: dates for name, fit in comparison.fits.items() if (dates := change_dates(fit))
            },
            "sensitivity": comparison.sensitivity.to_dict(orient="records"),
            "forecasts": comparison.forecasts.to_dict(orient="records"),
            "averaged": averaged_document(comparison),
            "findings": sentences(comparison),
            "provenance": {name: fit.provenance for name, fit in comparison.fits.items()},
        }
    )


def checks_document(fit: Fit, checks: Checks) -> dict[str, Any]:
    """The checks of a fit.

    Returns
    -------
    dict
        ``verdict``, the worst status; ``checks``: a list with a record per check, as the table of
        :func:`densing_bayes.check` has it; ``score_pit`` and ``run_pit``: lists of the PITs
        behind them; then ``diagnostics`` and ``provenance``.
    """
    tables = {"checks": checks.table, "score_pit": checks.score_pit, "run_pit": checks.run_pit}
    records = {name: table.to_dict(orient="records") for name, table in tables.items()}
    return plain({"verdict": checks.verdict} | records | _footing(fit))


def _footing(fit: Fit) -> dict[str, Any]:
    return {"diagnostics": fit.diagnostics, "provenance": fit.provenance}
