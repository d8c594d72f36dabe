"""The ledger of claims as a section, and as the document of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from densing_bayes.display.section import Picture, Section, Table
from densing_bayes.ledger import rows as tally
from densing_bayes.ledger.figures import claims_data, plot_claims
from densing_bayes.posterior.plain import plain
from densing_bayes.posterior.result import CI
from densing_bayes.quantities import numbers


def claims_section(ledger: pd.DataFrame, ci: float = CI) -> Section:
    """The ledger of claims."""
    header, rows = tally.ledger_rows(ledger)
    summary, span = tally.summary_sentence(ledger), numbers.percent(ci)
    pictures: tuple[Picture, ...] = ()
    if len(claims_data(ledger)["claims"]):
        pictures = (
            Picture(
                partial(plot_claims, ledger),
                f"Medians and {span} intervals of claimed quantities over their published values, "
                f"by panel. {summary}",
                "claims",
                "Each posterior over the value that was published for it: 1 is the published "
                "value, the grey band what rounds to it, a cross a named rival of it.",
                title="Published values on our posteriors",
            ),
        )
    document, judges = claims_document(ledger), tally.judges(ledger)
    best_header, best = tally.definition_rows(ledger)
    definitions = (
        Table(
            tuple(best_header),
            tuple(map(tuple, best)),
            left=frozenset({1, 2}),
            long=True,
            blocks=True,
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
            *([f"Judged on: {' '.join(judges)}"] if judges else []),
        ),
        (
            Table(
                tuple(header),
                tuple(map(tuple, rows)),
                left=frozenset(range(1, len(header))),
                long=True,
                blocks=True,
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


def claims_document(table: pd.DataFrame) -> dict[str, Any]:
    """The ledger of claims.

    Returns
    -------
    dict
        ``rule``; ``claims``: a list with a record per claim and panel, as the table of
        :func:`densing_bayes.claims` has it, empty cells as null.
    """
    return plain({"rule": tally.RULE, "claims": table.to_dict(orient="records")})
