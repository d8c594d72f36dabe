"""Claims about scores by a date, looked up in the current panel."""

import dataclasses

import pandas as pd
import pytest

from densing_bayes.errors import DensingError
from densing_bayes.inputs.panel import load_panel
from densing_bayes.ledger.facts import fact_rows, highest_scores, judged_fact
from densing_bayes.ledger.ledger import load_claims
from densing_bayes.ledger.rows import ledger_rows
from densing_bayes.ledger.section import claims_document

CURRENT = load_panel("current")
CLAIMS = load_claims("claims_2026")


def test_the_highest_scores_are_of_small_systems_up_to_the_date():
    found = highest_scores(CURRENT, 8.5e9, "mmlu", "2024-12-31")
    assert found["score"].is_monotonic_decreasing
    assert (found["params_total"] <= 8.5e9).all()
    assert found["release_date"].max() <= pd.Timestamp("2024-12-31")
    later = highest_scores(CURRENT, 8.5e9, "mmlu", "2025-12-31")
    assert set(found["system"]) < set(later["system"])


def test_a_fact_is_judged_on_reports_and_names_the_best_of_each_protocol():
    claim = CLAIMS.loc["8b-at-gpt-4-winogrande"]
    judged, best = judged_fact(claim, CURRENT)
    assert judged.verdict == "contradicted"
    assert best["protocol"].is_unique and (best["score"] >= claim["value"]).any()
    reports = CURRENT.scores["protocol"] == "report"
    raised = CURRENT.scores["score"].mask(reports & (CURRENT.scores["system"] == "qwen3-8b"), 0.99)
    moved = dataclasses.replace(CURRENT, scores=CURRENT.scores.assign(score=raised))
    assert judged_fact(CLAIMS.loc["8b-at-gpt-4-mmlu"], CURRENT)[0].verdict == "contradicted"
    assert judged_fact(CLAIMS.loc["8b-at-gpt-4-mmlu"], moved)[0].verdict == "supported"


def test_what_no_table_holds_is_not_testable_and_says_why():
    for name in ("knowledge-does-not-densify", "time-horizon-131-days"):
        judged, best = judged_fact(CLAIMS.loc[name], CURRENT)
        assert judged.verdict == "not testable" and judged.reason and best is None


def test_a_benchmark_that_is_not_there_is_refused():
    with pytest.raises(DensingError, match="has no benchmark 'gsm9k'"):
        highest_scores(CURRENT, 8e9, "gsm9k", "2025-12-31")


def test_claims_since_the_paper_are_rows_of_the_ledger():
    found = fact_rows(["open", "current"])
    assert list(found["claim"]) == [name for name in CLAIMS.index for _ in range(2)]
    assert (found.loc[found["panel"] == "open", "verdict"] == "not testable").all()
    row = found[(found["claim"] == "8b-at-gpt-4-mmlu") & (found["panel"] == "current")].iloc[0]
    judged, best = judged_fact(CLAIMS.loc["8b-at-gpt-4-mmlu"], CURRENT)
    reported = best[best["protocol"] == "report"].iloc[0]
    assert row["verdict"] == judged.verdict and row["probability"] == judged.probability
    assert row["estimate"]["median"] == reported["score"] and reported["system"] in row["judged_on"]
    header, cells = ledger_rows(found)
    assert header[-1] == "panel to 2025-12" and len(cells) == 4  # the others no panel can test
    assert claims_document(found)["claims"][0]["estimate"] is None
