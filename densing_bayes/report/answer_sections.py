"""Sections of the report that compare: hypotheses, and the ledger of claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from densing_bayes.display import sentences
from densing_bayes.display.canvas import figure_of
from densing_bayes.display.section import Picture, Section, Table
from densing_bayes.ledger import rows as tally
from densing_bayes.ledger.document import claims_document
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities import numbers

if TYPE_CHECKING:
    from densing_bayes.evaluation.comparison_table import Comparison

# Hypotheses and claims ---------------------------------------------------------------------------


def hypothesis_section(fit: Fit, comparison: Comparison | None) -> Section:
    """What a comparison of hypotheses says, or how to make one."""
    if comparison is None:
        return Section(
            "hypotheses",
            "Hypotheses of the change",
            (
                f"{sentences.hypothesis_sentence(fit)} Its rivals are "
                "compared by 'densing-bayes compare', and in this section by 'densing-bayes "
                "report --hypotheses none,chatgpt,unknown-date'.",
            ),
        )
    from densing_bayes.display import findings
    from densing_bayes.display.documents import comparison_document
    from densing_bayes.display.hypothesis_figures import comparison_figures

    header, rows = findings.rows_of(comparison.table)
    said = tuple(findings.sentences(comparison))
    return Section(
        "hypotheses",
        "Hypotheses of the change",
        said,
        tables=(
            Table(
                tuple(header),
                tuple(map(tuple, rows)),
                note=findings.NOTES,
                numbers=comparison.table.reset_index(),
            ),
        ),
        pictures=tuple(
            Picture(
                figure, f"Figure of the hypotheses, {name}. {said[0]}", name=f"hypotheses-{name}"
            )
            for name, figure in comparison_figures(comparison).items()
        ),
        document=comparison_document(comparison),
    )


def claims_section(ledger: pd.DataFrame, ci: float = CI) -> Section:
    """The ledger of claims."""
    from densing_bayes.ledger.figures import claims_data, plot_claims

    header, rows = tally.ledger_rows(ledger)
    summary, span = tally.summary_sentence(ledger), numbers.percent(ci)
    pictures: tuple[Picture, ...] = ()
    if len(claims_data(ledger)["claims"]):
        pictures = (
            Picture(
                figure_of(plot_claims(ledger)),
                f"Medians and {span} intervals of claimed quantities over their published values, "
                f"by panel. {summary}",
                "Each posterior over the value that was published for it: 1 is the published "
                "value, the grey band what rounds to it, a cross a named rival of it.",
                title="Published values on our posteriors",
            ),
        )
    document = claims_document(ledger)
    best_header, best = tally.definition_rows(ledger)
    definitions = (
        Table(
            tuple(best_header),
            tuple(map(tuple, best)),
            left=frozenset({1, 2}),
            long=True,
            name="claims-definitions",
            note="Claims about a maximum under each definition of the best that the fits of this "
            "report have. A quantile is of the densities of the fit that judges; it has no prior.",
        ),
    )
    return Section(
        "claims",
        "Ledger of claims",
        (summary,),
        (
            f"{tally.RULE} Medians with {span} intervals.",
            "Judged on: " + " ".join(tally.judges(ledger)),
        ),
        (
            Table(
                tuple(header),
                tuple(map(tuple, rows)),
                left=frozenset(range(1, len(header))),
                long=True,
                numbers=flat_ledger(ledger),
            ),
            *(definitions if best else ()),
        ),
        pictures,
        folded=("What could not be tested, and why", tuple(tally.reasons(ledger))),
        document=document,
    )


def flat_ledger(ledger: pd.DataFrame) -> pd.DataFrame:
    """The ledger with a column for each figure of an estimate."""
    estimates = ledger["estimate"]
    flat = ledger.drop(columns=["estimate", "definitions"])
    for key in ("median", "lower", "upper"):
        flat[key] = [None if said is None else said[key] for said in estimates]
    return flat
