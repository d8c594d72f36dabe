"""Claims about scores by a date, as facts that a panel of that date can be asked about."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from densing_bayes.errors import DensingError, NotTestableError
from densing_bayes.inputs.panel import Panel, load_panel
from densing_bayes.ledger.ledger import HEAD, ledger_row, load_claims
from densing_bayes.ledger.rule import Judged, not_testable, verdict
from densing_bayes.posterior.estimates import estimate

CURRENT = "current"  # panel that claims since the paper are looked up in
REPORTED = "report"  # GPT-4's own scores are its developer's, so are those that are held against it
NO_TABLE = {
    "knowledge_growth": "no benchmark of the panels asks for obscure facts",
    "time_horizon_doubling": "no table has lengths of tasks, and density is not of one level",
    "capability_growth_ratio": "no table has a capability index, and density is not of one size",
}


def highest_scores(panel: Panel, params: float, benchmark: str, date: str) -> pd.DataFrame:
    """The highest scores of systems of at most some params, released by a date, highest first.

    Parameters
    ----------
    panel
        A panel; scores that carry a flag are left out.
    params
        Count of all parameters, at most.
    benchmark
        Name of a benchmark of the panel.
    date
        Last day, as "2025-12-31".

    Returns
    -------
    pandas.DataFrame
        ``system``, ``organisation``, ``release_date``, ``params_total``, ``protocol``, ``score``,
        ``source``.

    Raises
    ------
    DensingError
        If the panel does not have the benchmark, or no such system has a score on it.
    """
    if benchmark not in panel.benchmarks.index:
        known = ", ".join(panel.benchmarks.index)
        raise DensingError(f"panel '{panel.name}' has no benchmark '{benchmark}' (it has {known})")
    systems = panel.systems
    small = systems[
        (systems["params_total"] <= params) & (systems["release_date"] <= pd.Timestamp(date))
    ]
    scores = panel.scores[(panel.scores["benchmark"] == benchmark) & (panel.scores["flag"] == "")]
    columns = ["organisation", "release_date", "params_total"]
    found = scores.merge(small[columns], left_on="system", right_index=True)
    if found.empty:
        raise DensingError(
            f"panel '{panel.name}' has no score on {benchmark} of a system of at most {params:g} "
            f"params that was released by {date}"
        )
    found = found.sort_values("score", ascending=False, kind="stable", ignore_index=True)
    return found[["system", *columns, "protocol", "score", "source"]]


def fact_rows(panels: Iterable[str]) -> pd.DataFrame:
    """Claims made since the paper as rows of the ledger, judged on the current panel.

    Parameters
    ----------
    panels
        Those of the ledger; only the current one reaches to the dates that these claims are about.

    Returns
    -------
    pandas.DataFrame
        As of :func:`densing_bayes.claims`.
    """
    current, rows = load_panel(CURRENT), []
    for name, claim in load_claims("claims_2026").iterrows():
        head = {"claim": name} | {key: claim[key] for key in HEAD}
        tail = {"note": claim["note"], "source": claim["source"]}
        for panel in panels:
            judged, best = not_testable("the panel ends before the date of the claim"), None
            if panel == CURRENT:
                judged, best = judged_fact(claim, current)
            row = ledger_row("", "", None, judged)
            if judged.verdict != "not testable" and best is not None:
                reported = best.loc[best["protocol"] == REPORTED].iloc[0]
                score = np.array([reported["score"]])
                said = f"highest by developers' reports: {reported['system']}"
                row = ledger_row(said, "", estimate(score, "score"), judged, judged.verdict)
            rows.append(head | {"panel": panel} | row | tail)
    return pd.DataFrame(rows)


def judged_fact(claim: pd.Series, panel: Panel) -> tuple[Judged, pd.DataFrame | None]:
    """Verdict on a claim that needs no posterior, and what came nearest to it by each protocol.

    It is judged on developers' own reports, as the value of the claim is one; what others have
    measured may be on another scale.

    Parameters
    ----------
    claim
        A row of ``load_claims("claims_2026")``.
    panel
        The panel that is asked.
    """
    quantity, _, argument = str(claim["quantity"]).partition(":")
    if quantity in NO_TABLE:
        return not_testable(NO_TABLE[quantity]), None
    if quantity != "highest_score":
        raise NotTestableError(f"nothing answers '{quantity}'")
    params, benchmark, date = argument.split()
    found = highest_scores(panel, float(params), benchmark, date)
    best = found.drop_duplicates("protocol")
    reported = best.loc[best["protocol"] == REPORTED, "score"]
    if reported.empty:
        return not_testable(f"no developer reports {benchmark} of so small a system"), best
    return verdict(claim, reported.to_numpy(float)), best
