"""Checks of a fit before it is quoted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from densing_bayes.display.section import Section, Table
from densing_bayes.evaluation.checks import Checks, check_rows, sentences
from densing_bayes.evaluation.suspicion import Suspicion
from densing_bayes.posterior.plain import plain


def checks_section(checks: Checks, odd: Sequence[Suspicion] = ()) -> Section:
    """Every check with its figure, limit and status, what to do about it, and what looks odd."""
    return Section(
        "checks",
        "Checks",
        (*sentences(checks), *(f"Worth a look: {one}" for one in odd)),
        tables=(
            Table(
                ("Check", "Figure", "Limit", "Status"),
                tuple(map(tuple, check_rows(checks))),
                left=frozenset({3}),
                numbers=checks.table,
            ),
        ),
        document=checks_document(checks) | {"suspicions": [asdict(one) for one in odd]},
    )


def checks_document(checks: Checks) -> dict[str, Any]:
    """The checks of a fit.

    Returns
    -------
    dict
        ``verdict``, the worst status; ``checks``: a list with a record per check, as the table of
        :func:`densing_bayes.check` has it; ``score_pit`` and ``run_pit``: lists of the PITs
        behind them.
    """
    tables = {"checks": checks.table, "score_pit": checks.score_pit, "run_pit": checks.run_pit}
    records = {name: table.to_dict(orient="records") for name, table in tables.items()}
    return plain({"verdict": checks.verdict} | records)
