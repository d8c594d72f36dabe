"""The systems of a fit: their densities and shelf lives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from densing_bayes.display.section import Section, Table
from densing_bayes.display.sentences import extrapolation_sentence, marked
from densing_bayes.posterior.estimates import estimate, probability
from densing_bayes.posterior.plain import plain
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities import numbers
from densing_bayes.quantities.densities import densities, density_table
from densing_bayes.quantities.growth import size_slope
from densing_bayes.quantities.labels import benchmark_label
from densing_bayes.quantities.shelf_life import frontier_shelf_life, shelf_life_table


def density_document(fit: Fit, ci: float = CI, top: int | None = None) -> list[dict[str, Any]]:
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
    list of dict
        system, organisation, release, release_date, params, the estimates ``density``, ``rank``
        and ``effective_params``, in_range and p_no_finite.
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
    return plain(systems)


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
        p_passed (at release already) and p_never.
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
    )


# Systems -----------------------------------------------------------------------------------------


def benchmarks_of(fit: Fit) -> dict[str, str]:
    """Benchmarks on which each system has a score, as text."""
    observed = fit.observed
    labels = [benchmark_label(name, observed) for name in observed.benchmarks]
    return {
        name: ", ".join(
            labels[k] for k in sorted(observed.cell_benchmark[observed.cell_system == i])
        )
        for i, name in enumerate(observed.systems)
    }


def density_section(fit: Fit, ci: float = CI, top: int | None = None) -> Section:
    """Densities of the systems, densest first; of the ``top`` ones, or of all."""
    document = density_document(fit, ci, top)
    scored, span = benchmarks_of(fit), numbers.percent(ci)
    rows, hints = [], []
    for entry in document:
        density = entry["density"]
        rows.append(
            (
                entry["system"],
                entry["organisation"],
                entry["release_date"],
                numbers.count(entry["params"]),
                numbers.median(density, 2),
                numbers.limits(density, 2),
                f"{entry['rank']['lower']:.0f} to {entry['rank']['upper']:.0f}",
                numbers.count(entry["effective_params"]["median"])
                + ("" if entry["in_range"] else " *"),
            )
        )
        hints.append(
            f"{entry['system']}: density {numbers.median(density, 3)} ({span} interval "
            f"{numbers.limits(density, 3)}), from {scored[entry['system']]}"
            + ("" if entry["in_range"] else "; extrapolated")
        )
    of = "systems of this fit" if fit.observed.without_runs else "reference runs"
    outside = extrapolation_sentence(document, of)
    return Section(
        "densities",
        "Densities of the systems",
        notes=(
            "Density is effective params over params, densest first; rank with its "
            f"{span} interval.",
            outside + (" An asterisk marks them." if "extrapolated" in outside else ""),
        ),
        tables=(
            Table(
                (
                    "System",
                    "Organisation",
                    "Released",
                    "Params",
                    "Density",
                    f"{span} interval",
                    "Rank",
                    "Effective",
                ),
                tuple(rows),
                left=frozenset({1}),
                hints=tuple(hints),
                long=True,
                spare=frozenset({1}),
                numbers=density_table(fit, ci).iloc[:top].reset_index(),
            ),
        ),
        document=document,
    )


def shelf_life_section(
    fit: Fit, systems: Sequence[str] | None = None, kappa: float = 2.0, ci: float = CI
) -> Section:
    """Shelf lives of all systems or of some, the longest first."""
    document = shelf_life_document(fit, systems, kappa, ci)
    frontier, span = document["frontier"], numbers.percent(ci)
    sentence = (
        f"On the frontier: {numbers.median(frontier)} days until 1/{kappa:g} of the params do, "
        f"{span} interval {numbers.time_limits(frontier)}."
    )

    def longest(entry: dict[str, Any]) -> float:
        middle = entry["shelf_life"]["median"]
        return -np.inf if middle is None else -float(middle)

    rows = tuple(
        (
            entry["system"],
            entry["release_date"],
            numbers.median(entry["shelf_life"]),
            numbers.limits(entry["shelf_life"]),
            numbers.probability(entry["p_passed"]),
            numbers.probability(entry["p_never"]),
        )
        for entry in sorted(document["systems"], key=longest)
    )
    return Section(
        "shelf-lives",
        "Shelf lives",
        (marked(fit.verdict, sentence),),
        (
            f"Days from release until the frontier matches a system with 1/{kappa:g} of its "
            "params; the frontier at that smaller size, by the size slope of the fit. P(passed): "
            "the frontier was that far at release already, so the shelf life is 0. inf or ∞: "
            "never.",
        ),
        (
            Table(
                ("System", "Released", "Days", f"{span} interval", "P(passed)", "P(never)"),
                rows,
                long=True,
                numbers=shelf_life_table(fit, systems, kappa, ci).reset_index(),
            ),
        ),
        document=document,
    )
