"""Sections of the report on a fit itself, in order, and the one on its frontier."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from densing_bayes.display import sentences as wording
from densing_bayes.display.answers.hypotheses import comparison_section
from densing_bayes.display.answers.systems import density_section, shelf_life_section
from densing_bayes.display.answers.trend import benchmark_section, trend_section
from densing_bayes.display.figures.trend import plot_frontier
from densing_bayes.display.section import Picture, Section, Table
from densing_bayes.errors import DensingError
from densing_bayes.inputs.dates import date_of
from densing_bayes.ledger.ledger import claims
from densing_bayes.ledger.section import claims_section
from densing_bayes.posterior.estimates import estimate
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities import numbers
from densing_bayes.quantities.growth import READINGS, frontier
from densing_bayes.quantities.labels import before_after, unit_of_density
from densing_bayes.report.sections.basis import (
    data_section,
    diagnostics_section,
    model_section,
    provenance_section,
    reference_section,
)
from densing_bayes.report.sections.protocols import protocol_section
from densing_bayes.report.sections.years import years_section

if TYPE_CHECKING:
    from densing_bayes.evaluation.hypotheses.table import Comparison
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
    alone = fit.observed.without_runs  # published claims are about densities of a reference family

    def judged() -> Section:
        return claims_section(claims([fit, *beside], ci), ci)

    return {
        "trend": lambda: trend_section(fit, trend, ci),
        "densities": lambda: density_section(fit, ci),
        "frontier": lambda: frontier_section(fit, trend, ci),
        "shelf-lives": lambda: shelf_life_section(fit, ci=ci),
        "benchmarks": lambda: benchmark_section(fit, trend, ci),
        "hypotheses": lambda: hypothesis_section(fit, comparison),
        **({} if alone else {"claims": judged, "by-year": years_section}),
        "model": lambda: model_section(fit, ci),
        "score-links" if alone else "reference-runs": lambda: reference_section(fit, ci),
        **({"protocols": lambda: protocol_section(fit, ci)} if fit.observed.measures else {}),
        "diagnostics": lambda: diagnostics_section(fit),
        "data": lambda: data_section(fit, panel),
        "provenance": lambda: provenance_section(fit),
    }


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
    span, names = numbers.percent(ci), before_after(fit)
    last, times = trend["density_at_last_release"], trend["doubling_time_days"]
    edge = last["frontier"]
    said = (
        f"The frontier stands at {numbers.median(edge, 2)} times the {unit_of_density(fit)} on "
        f"{last['date']} ({span} interval {numbers.limits(edge, 2)})."
    )
    sides = ""
    if names is not None:
        sides = " Doubling time " + ", ".join(
            f"{name}: {numbers.median(times[key])} days ({numbers.limits(times[key])})"
            for name, key in zip(names, ("before", "after"), strict=True)
        )
    edge_name = "mean" if fit.spec.trend.frontier == "none" else "upper edge"
    known = "systems" if fit.observed.without_runs else "reference runs"
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
                note=f"Density ({unit_of_density(fit)} = 1) under four readings, median and {span} "
                "interval. With a shortfall of constant scale they differ in level only.",
            ),
            *([_definition_table(best)] if len(best) else []),
        ),
        pictures=(
            Picture(
                partial(plot_frontier, fit, ci=ci),
                f"Scatter of the densities of {len(fit.observed.systems)} systems over release "
                f"dates with the frontier. {said}{sides}",
                "frontier",
                f"Capability density of each system (median, {span} interval) and the frontier F, "
                f"the {edge_name} of the trend (line and band). A density of 1 is that of the "
                f"{unit_of_density(fit)}. Open circles are extrapolated beyond the sizes of the "
                f"{known}. Names: systems that were the densest at their date.",
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


def hypothesis_section(fit: Fit, comparison: Comparison | None) -> Section:
    """What a comparison of hypotheses says, or how to make one."""
    if comparison is not None:
        return comparison_section(comparison)
    return Section(
        "hypotheses",
        "Hypotheses of the change",
        (
            f"{wording.hypothesis_sentence(fit)} Its rivals are compared by 'densing-bayes "
            "compare', and in this section by 'densing-bayes report --hypotheses "
            "none,chatgpt,unknown-date'.",
        ),
    )
