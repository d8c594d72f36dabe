"""What a fit says of systems that are not released yet, or that nobody has measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from densing_bayes.errors import TableError
from densing_bayes.evaluation.leave_out import predicted_scores
from densing_bayes.inputs.dates import years_since_origin
from densing_bayes.observed.observations import Observations
from densing_bayes.observed.readings import NO_REPEATS
from densing_bayes.posterior.draws import thinned
from densing_bayes.posterior.estimates import check_ci
from densing_bayes.posterior.result import CI, Fit

COLUMNS = ("system", "organisation", "release_date", "params")
DRAWS = 4000


def predict(
    fit: Fit,
    systems: pd.DataFrame | Sequence[Mapping[str, Any]],
    ci: float = CI,
    seed: int = 0,
) -> pd.DataFrame:
    """Scores that a fit expects of systems it has not seen, on each of its benchmarks.

    An organisation that the fit knows keeps its effect, and one that it does not know has one of
    its own; systems of one release share what it falls short by. A trend that wanders goes on.

    Parameters
    ----------
    fit
        A fit.
    systems
        A row per system: ``system`` (a name), ``organisation``, ``release_date``, ``params`` (a
        count in the size convention of the fit), and ``release`` where systems share one.
    ci
        Probability of the intervals.
    seed
        Of the predictive draws.

    Returns
    -------
    pandas.DataFrame
        A row per system and benchmark: ``system``, ``benchmark``, ``mean``, ``median``, ``lower``,
        ``upper``, of a score between 0 and 1, measurement noise included.

    Raises
    ------
    TableError
        If a column is missing, a date is none, or a count is not positive.
    """
    check_ci(ci)
    coming = as_observations(fit, pd.DataFrame(systems))
    drawn = predicted_scores(fit, coming, thinned(fit.posterior, DRAWS), seed)
    tail = (1.0 - ci) / 2.0
    lower, median, upper = np.quantile(drawn, [tail, 0.5, 1.0 - tail], axis=0)
    return pd.DataFrame(
        {
            "system": np.array(coming.systems, object)[coming.cell_system],
            "benchmark": np.array(coming.benchmarks, object)[coming.cell_benchmark],
            "mean": drawn.mean(axis=0),
            "median": median,
            "lower": lower,
            "upper": upper,
        }
    ).sort_values("system", kind="stable", ignore_index=True)


def as_observations(fit: Fit, table: pd.DataFrame) -> Observations:
    """Systems of a table as observations of a fit, with a cell on each benchmark and no score."""
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise TableError(
            f"systems to predict lack the column {', '.join(missing)}: give {', '.join(COLUMNS)}, "
            f"and release where systems share one"
        )
    if table.empty:
        raise TableError("there are no systems to predict: give at least one row")
    params = pd.to_numeric(table["params"], errors="coerce").to_numpy(float)
    dates = pd.to_datetime(table["release_date"], errors="coerce")
    for row, (name, count, date) in enumerate(zip(table["system"], params, dates, strict=True)):
        if not (np.isfinite(count) and count > 0):
            raise TableError(
                f"system '{name}' (row {row}): "
                f"params = {table['params'].iloc[row]} is not a count; "
                f"write for instance 7e9"
            )
        if pd.isna(date):
            raise TableError(
                f"system '{name}' (row {row}): release_date = {table['release_date'].iloc[row]} is "
                f"not a date; write for instance 2025-06-30"
            )
    release = table["release"] if "release" in table else table["system"]
    releases, system_release = np.unique(release.to_numpy(str), return_inverse=True)
    organisations, system_organisation = np.unique(
        table["organisation"].to_numpy(str), return_inverse=True
    )
    time = np.array([years_since_origin(date) for date in dates])
    benchmarks, count = len(fit.observed.benchmarks), len(table)
    seen = fit.observed
    items = [np.median(seen.cell_items[seen.cell_benchmark == k]) for k in range(benchmarks)]
    systems = tuple(table["system"].astype(str))
    return dataclasses.replace(
        seen,
        systems=systems,
        releases=tuple(map(str, releases)),
        organisations=tuple(map(str, organisations)),
        log_params=np.log(params),
        time=time,
        system_release=system_release.astype(np.int64),
        system_organisation=system_organisation.astype(np.int64),
        system_family=tuple(map(str, release)),
        release_time=np.array([time[system_release == i].min() for i in range(len(releases))]),
        size_fallbacks=0,
        score=np.full(benchmarks * count, 0.5),  # not looked at
        cell_label=tuple(f"{name}|{on}" for on in seen.benchmarks for name in systems),
        cell_system=np.tile(np.arange(count), benchmarks),
        cell_benchmark=np.repeat(np.arange(benchmarks), count),
        cell_items=np.repeat(items, count),
        cell_flag=np.full(benchmarks * count, -1, dtype=np.int64),
        flags=(),
        cell_measure=np.full(benchmarks * count if seen.measures else 0, -1, dtype=np.int64),
        **NO_REPEATS,
    )
