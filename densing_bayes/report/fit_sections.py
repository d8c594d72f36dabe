"""Sections of the report on a fit itself: its trend and its systems."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from densing_bayes.display import sentences as wording
from densing_bayes.display import summary_rows
from densing_bayes.display.canvas import figure_of
from densing_bayes.display.documents import density_document, shelf_life_document
from densing_bayes.display.section import Picture, Row, Section, Table
from densing_bayes.errors import DensingError
from densing_bayes.inputs.dates import date_of
from densing_bayes.ledger.ledger import claims
from densing_bayes.posterior.estimates import estimate
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities import numbers
from densing_bayes.quantities.densities import density_table
from densing_bayes.quantities.growth import READINGS, frontier
from densing_bayes.quantities.labels import before_after, benchmark_label
from densing_bayes.quantities.shelf_life import shelf_life_table
from densing_bayes.report.answer_sections import claims_section, hypothesis_section
from densing_bayes.report.basis_sections import (
    data_section,
    diagnostics_section,
    model_section,
    provenance_section,
    reference_section,
)
from densing_bayes.report.protocol_section import protocol_section

if TYPE_CHECKING:
    from densing_bayes.evaluation.comparison_table import Comparison
    from densing_bayes.inputs.panel import Panel
    from densing_bayes.ledger.terms import Judgeable


def fit_sections(
    fit: Fit,
    trend: dict[str, Any],
    ci: float = CI,
    *,
    beside: Iterable[Judgeable] = (),
    panel: Panel | None = None,
    comparison: Comparison | None = None,
) -> dict[str, Callable[[], Section]]:
    """Makers of the sections, by name, in the order in which they are read.

    Parameters
    ----------
    fit
        A fit.
    trend
        Of :func:`densing_bayes.quantities.summary.trend_summary`.
    ci
        Probability of the intervals.
    beside
        Fits of other panels, for the ledger of claims.
    panel
        The tables that the fit has seen, for their sources; none where they are not at hand.
    comparison
        Of hypotheses, if one was made.
    """
    return {
        "trend": lambda: trend_section(fit, trend, ci),
        "densities": lambda: density_section(fit, ci),
        "frontier": lambda: frontier_section(fit, trend, ci),
        "shelf-lives": lambda: shelf_life_section(fit, ci),
        "benchmarks": lambda: benchmark_section(fit, trend, ci),
        "hypotheses": lambda: hypothesis_section(fit, comparison),
        "claims": lambda: claims_section(claims([fit, *beside], ci), ci),
        "model": lambda: model_section(fit, ci),
        "reference-runs": lambda: reference_section(fit, ci),
        **({"protocols": lambda: protocol_section(fit, ci)} if fit.observed.measures else {}),
        "diagnostics": lambda: diagnostics_section(fit),
        "data": lambda: data_section(fit, panel),
        "provenance": lambda: provenance_section(fit),
    }


# The trend ---------------------------------------------------------------------------------------


def trend_section(fit: Fit, trend: dict[str, Any], ci: float = CI) -> Section:
    """Growth rates, their change and what follows, beside their priors."""
    from densing_bayes.display.figures import plot_growth

    names = before_after(fit)
    rows = summary_rows.trend_rows(fit, trend)
    span = numbers.percent(ci)
    notes = [
        "Unless said otherwise of the mean of the benchmarks of this fit. They are a sample of "
        "benchmarks in general, whose growth is less surely known, and a new one's less still. "
        "What the data have added is seen beside the prior's interval."
    ]
    sentences = []
    if names is not None:
        rate, change = trend["growth_rate"], trend["growth_change"]
        above = numbers.is_probability(trend["growth_ratio"]["p_before_gt_0"])
        notes.append(
            f"A ratio has no mean, since the rate {names[0]} may be near zero: "
            f"P(rate {names[0]} > 0) {above}."
        )
        sentences.append(
            f"P(rate {names[1]} > rate {names[0]}) {numbers.is_probability(change['p_gt_0'])}; "
            f"P(at least 1.5 times) {numbers.is_probability(change['p_ge_half'])}; "
            f"P(rate {names[0]} <= 0) {numbers.is_probability(rate['before']['p_le_0'])}; "
            f"P(rate {names[1]} <= 0) {numbers.is_probability(rate['after']['p_le_0'])}."
        )
    rates = "; ".join(
        f"{row.label} {row.median} ({row.limits})" for row in rows if "1/day" in row.label
    )
    return Section(
        "trend",
        "Quantities of the trend",
        tuple(sentences),
        tuple(notes),
        (
            Table(
                ("Quantity", "Median", f"{span} interval", f"Prior {span} interval"),
                tuple((row.label, row.median, row.limits, row.prior) for row in rows),
            ),
        ),
        (
            Picture(
                figure_of(plot_growth(fit, ci=ci)),
                f"Posterior densities of the growth rates over their priors. {rates}.",
                f"Posterior of the growth rate of the frontier with median and {span} interval; "
                "in grey the prior at the same scale.",
                "growth",
            ),
        ),
        document=trend,
    )


def benchmark_section(fit: Fit, trend: dict[str, Any], ci: float = CI) -> Section:
    """Growth as each benchmark shows it."""
    names, rows = before_after(fit), summary_rows.benchmark_rows(fit, trend)
    header: tuple[str, ...] = ("Benchmark", "Rate", "Doubling time")
    cells: list[Row] = [(row.label, row.rate_after, row.doubling_after) for row in rows]
    if names is not None:
        header = (
            "Benchmark",
            *(f"Rate {name}" for name in names),
            "Change",
            "P(change > 0)",
            *(f"Doubling {name}" for name in names),
        )
        cells = [tuple(row) for row in rows]
    return Section(
        "benchmarks",
        "Growth by benchmark",
        notes=(
            f"Each benchmark may drift on its own. {numbers.percent(ci)} intervals; rates in "
            "1/day, doubling times in days. The last row is what a benchmark not yet seen would "
            "show.",
        ),
        tables=(Table(header, tuple(cells)),),
        document=trend["by_benchmark"],
    )


def readings(fit: Fit, ci: float = CI) -> list[dict[str, Any]]:
    """Density under each reading of "best" at each change and at the last release.

    Returns
    -------
    list of dict
        reading and, by ISO date, the estimate of the density.
    """
    observed = fit.observed
    known = observed.change_earliest[observed.change_earliest == observed.change_latest]
    dates = [date_of(float(time)) for time in (*known, observed.time.max())]
    rows = []
    for reading in READINGS:
        draws = frontier(fit, dates, reading)
        rows.append(
            {"reading": reading}
            | {
                date.date().isoformat(): estimate(np.exp(draws.isel(date=i)), "1", ci)
                for i, date in enumerate(dates)
            }
        )
    return rows


def frontier_section(fit: Fit, trend: dict[str, Any], ci: float = CI) -> Section:
    """Densities over dates with the frontier, and what other readings of "best" give."""
    from densing_bayes.display.figures import plot_frontier

    span, names = numbers.percent(ci), before_after(fit)
    last, times = trend["density_at_last_release"], trend["doubling_time_days"]
    edge = last["frontier"]
    said = (
        f"The frontier stands at {numbers.median(edge, 2)} times the reference family on "
        f"{last['date']} ({span} interval {numbers.limits(edge, 2)})."
    )
    sides = ""
    if names is not None:
        sides = " Doubling time " + ", ".join(
            f"{name}: {numbers.median(times[key])} days ({numbers.limits(times[key])})"
            for name, key in zip(names, ("before", "after"), strict=True)
        )
    best = _definitions(fit, ci)
    rows = readings(fit, ci)
    dates = [key for key in rows[0] if key != "reading"]
    return Section(
        "frontier",
        "Densities and the frontier",
        (said,),
        tables=(
            Table(
                ("Reading of “best”", *dates),
                tuple(
                    (
                        wording.READINGS[row["reading"]],
                        *(
                            f"{numbers.median(row[date], 2)} ({numbers.limits(row[date], 2)})"
                            for date in dates
                        ),
                    )
                    for row in rows
                ),
                name="readings",
                note=f"Density (reference family = 1) under four readings, median and {span} "
                "interval. With a shortfall of constant scale they differ in level only.",
            ),
            *([_definition_table(best)] if len(best) else []),
        ),
        pictures=(
            Picture(
                figure_of(plot_frontier(fit, ci=ci)),
                f"Scatter of the densities of {len(fit.observed.systems)} systems over release "
                f"dates with the frontier. {said}{sides}",
                f"Capability density of each system (median, {span} interval) and the frontier F, "
                "the upper edge of the trend (line and band). A density of 1 is that of the "
                "reference family. Open circles are extrapolated beyond the sizes of the reference "
                "runs. Names: systems that were the densest at their date.",
            ),
        ),
        document={"readings": rows, "definitions": best.to_dict(orient="records")},
    )


def _definitions(fit: Fit, ci: float) -> pd.DataFrame:
    """Growth under the definitions of the best that one fit has; empty if it has not passed."""
    from densing_bayes.ledger.definitions import growth_by_definition

    try:
        return growth_by_definition([fit], ci)
    except DensingError:  # not passed, or a trend whose changes have no known dates
        return pd.DataFrame()


def _definition_table(found: pd.DataFrame) -> Table:
    from densing_bayes.ledger.definitions import definition_cells

    return Table(
        (
            "Definition of the best",
            "Growth after, per year",
            "Doubling time after, days",
            "Drift psi, per year",
        ),
        tuple(tuple(row[2:]) for row in definition_cells(found)),
        name="definitions",
        note="Growth of the best under the definitions of it that this fit has. With a constant "
        "scale of the shortfall the edge has the slope of the mean. The quantile is that below "
        "which nine in ten releases lie, of the densities of this fit, without a prior. "
        "'densing-bayes claims' has fits of other definitions.",
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


def density_section(fit: Fit, ci: float = CI) -> Section:
    """Densities of all systems."""
    document = density_document(fit, ci)["systems"]
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
    outside = wording.extrapolation_sentence(document)
    return Section(
        "densities",
        "Densities of the systems",
        notes=(
            "Density is effective params over params, densest first.",
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
                    "Effective params",
                ),
                tuple(rows),
                left=frozenset({1}),
                hints=tuple(hints),
                long=True,
                numbers=density_table(fit, ci).reset_index(),
            ),
        ),
        document=document,
    )


def shelf_life_section(fit: Fit, ci: float = CI) -> Section:
    """Shelf lives of all systems, the longest first."""
    document = shelf_life_document(fit, ci=ci)
    span = numbers.percent(ci)

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
        notes=(
            "Days from release until the frontier matches a system with half of its params; the "
            "frontier at that smaller size, by the size slope of the fit. "
            "P(passed): the frontier was that far at release already, so the shelf life is 0.",
        ),
        tables=(
            Table(
                ("System", "Released", "Days", f"{span} interval", "P(passed)", "P(never)"),
                rows,
                long=True,
                numbers=shelf_life_table(fit, ci=ci).reset_index(),
            ),
        ),
        document={key: document[key] for key in ("kappa", "frontier", "systems")},
    )
