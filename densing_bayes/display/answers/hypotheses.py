"""A comparison of hypotheses about the trend."""

from __future__ import annotations

from typing import Any

import pandas as pd

from densing_bayes.display import findings
from densing_bayes.display.figures.hypotheses import comparison_figures
from densing_bayes.display.section import Picture, Section, Table
from densing_bayes.evaluation.hypotheses.table import Comparison
from densing_bayes.posterior.plain import plain


def comparison_section(comparison: Comparison) -> Section:
    """What a comparison of hypotheses says: growth, criteria, other priors, what lies between."""
    document = comparison_document(comparison)
    said = tuple(document["findings"])
    whole, second = comparison.table, frozenset({1})
    tables = [  # all side by side need a very wide page
        _table("", findings.growth_rows(whole), whole.reset_index()),
        _table("criteria", findings.criterion_rows(whole)),
        _table("power", findings.power_rows(whole)),
        _table(
            "priors", findings.sensitivity_rows(comparison.sensitivity), comparison.sensitivity,
            second,
        ),
        _table("dates", findings.date_rows(comparison.dates), comparison.dates, second),
    ]  # fmt: skip
    return Section(
        "hypotheses",
        "Hypotheses of the change",
        said,
        (findings.NOTES,),
        tuple(table for table in tables if table.rows),
        pictures=tuple(
            Picture(draw, f"Figure of the hypotheses, {name}. {said[0]}", f"hypotheses-{name}")
            for name, draw in comparison_figures(comparison).items()
        ),
        document=document,
    )


def _table(
    name: str,
    said: tuple[list[str], list[list[str]]],
    numbers: pd.DataFrame | None = None,
    left: frozenset[int] = frozenset(),
) -> Table:
    header, rows = said
    name = f"hypotheses-{name}".removesuffix("-")
    return Table(tuple(header), tuple(map(tuple, rows)), name, left=left, numbers=numbers)


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
    from densing_bayes.evaluation.hypotheses.averaged import averaged_document
    from densing_bayes.quantities.summary import change_dates

    averaged = averaged_document(comparison)
    return plain(
        {
            "hypotheses": comparison.table.reset_index().to_dict(orient="records"),
            "dates": comparison.dates.to_dict(orient="records"),
            "change_dates": {
                name: dates for name, fit in comparison.fits.items() if (dates := change_dates(fit))
            },
            "sensitivity": comparison.sensitivity.to_dict(orient="records"),
            "forecasts": comparison.forecasts.to_dict(orient="records"),
            "averaged": averaged,
            "findings": findings.sentences(comparison, averaged),
            "provenance": {name: fit.provenance for name, fit in comparison.fits.items()},
        }
    )
