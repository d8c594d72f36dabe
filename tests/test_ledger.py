"""The ledger of claims: the rule, the table of claims, every quantity, terminal and document."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import densing_bayes as db
from densing_bayes import ledger, tally
from densing_bayes.cli import app
from densing_bayes.corollaries.claims import OF_TABLES, TablePanel
from densing_bayes.corollaries.engines import fit_engine, load_engines
from densing_bayes.corollaries.prices import fit_prices, fold_reduction
from densing_bayes.documents import claims_document, json_text
from densing_bayes.errors import DensingError, NotTestableError
from densing_bayes.ledger import PLOTTED, QUANTITIES, VERDICTS, load_claims, verdict
from densing_bayes.ledger_plot import plot_claims
from densing_bayes.plotted import fit_paper_figures

RANDOM = np.random.default_rng(1)
NORMAL = RANDOM.standard_normal(4000)


def about(low, high, rival=np.nan):
    return {"kind": "about", "low": low, "high": high, "rival": rival}


@pytest.fixture(scope="module")
def plotted():
    return fit_paper_figures(seed=3)


@pytest.mark.parametrize(
    ("claim", "draws", "prior", "expected", "reason"),
    [
        (about(95, 105, np.inf), 100 + 10 * NORMAL, None, "supported", "not its rival"),
        (about(95, 105, np.inf), 150 + 10 * NORMAL, None, "contradicted", "above the claim"),
        (about(95, 105, np.inf), 50 + 10 * NORMAL, None, "contradicted", "below the claim"),
        (about(95, 105, 90.0), 100 + 10 * NORMAL, None, "uninformative", "also holds 90"),
        (about(95, 105), 100 + 10 * NORMAL, 100 + 10 * NORMAL, "uninformative", "of the prior"),
        (about(95, 105), 100 + 10 * NORMAL, 100 + 90 * NORMAL, "supported", ""),
        # half of the draws never double: the interval is unbounded and holds the rival
        (
            about(95, 105, np.inf),
            np.where(NORMAL > 0, np.inf, 100.0),
            None,
            "uninformative",
            "also holds inf",
        ),
    ],
)
def test_rule_for_a_claim_about_a_value(claim, draws, prior, expected, reason):
    judged = verdict(claim, draws, prior)
    assert judged.verdict == expected
    assert reason in judged.reason
    inside = (draws >= claim["low"]) & (draws <= claim["high"])
    assert judged.probability == pytest.approx(np.mean(inside))


@pytest.mark.parametrize(
    ("kind", "share", "expected"),
    [
        ("event", 0.96, "supported"),
        ("event", 0.95, "supported"),
        ("event", 0.5, "uninformative"),
        ("event", 0.05, "contradicted"),
        ("at least", 0.97, "supported"),
        ("at most", 0.97, "contradicted"),
        ("at most", 0.4, "uninformative"),
    ],
)
def test_rule_for_a_bound_or_an_event(kind, share, expected):
    draws = np.where(np.arange(1000) < 1000 * share, 1.0, -1.0)
    judged = verdict({"kind": kind, "low": 0.0, "high": 0.0, "rival": np.nan}, draws)
    assert judged.verdict == expected
    assert judged.probability == pytest.approx(1 - share if kind == "at most" else share)


def test_a_kind_without_a_rule_is_refused():
    with pytest.raises(ValueError, match="no kind of claim 'equal'"):
        verdict({"kind": "equal", "low": 0, "high": 0, "rival": 0}, NORMAL)


def test_table_of_claims_is_sound():
    table = load_claims()
    assert table.index.is_unique
    assert (table[["statement", "source", "topic"]] != "").all().all()
    current = table[~table["pending"]]
    assert set(current["kind"]) <= {"about", "at least", "at most", "event"}
    answered = set(QUANTITIES) | set(OF_TABLES) | {"visits"}
    assert {str(q).partition(":")[0] for q in current["quantity"]} == answered
    assert set(PLOTTED) <= set(QUANTITIES)
    values = current[current["kind"] == "about"]
    assert ((values["low"] <= values["value"]) & (values["value"] <= values["high"])).all()
    # the rival is no rival if it rounds to the claim
    assert not ((values["low"] <= values["rival"]) & (values["rival"] <= values["high"])).any()


def test_ledger_of_the_plotted_points(plotted):
    assert plotted.verdict == "PASS"
    table = db.claims([plotted])
    assert set(table["verdict"]) <= set(VERDICTS)
    rows = table.set_index("claim")
    for name in ("doubling-3.5-months", "growth-rose", "mmlu-cf-0.0066"):
        assert rows.loc[name, "verdict"] not in ("not testable", "pending")
    # the frontier through the plotted densities is flatter than the line through their maximum
    doubling = rows.loc["doubling-3.5-months", "estimate"]
    assert doubling["mean"] is None
    assert doubling["lower"] > 106.5
    assert rows.loc["slope-before-0.0048-mmlu", "estimate"] == pytest.approx(
        rows.loc["slope-before-0.0048", "estimate"]
    )
    assert "plotted densities" in rows.loc["gemma-2-9b-near-2", "reason"]
    assert rows.loc["price-266.7", "verdict"] == "not testable"
    assert "published nowhere" in rows.loc["visits-1.7-billion", "reason"]


def test_ledger_of_prices_and_engines():
    engine = fit_engine("battery-energy-per-volume")
    engines = dict.fromkeys(load_engines().engines, engine)  # the ledger asks for each by name
    tables = TablePanel(fit_prices("gpt-3.5", until="2024-08-31"), engines)
    rows = db.claims([tables]).set_index("claim")
    assert rows.loc["price-266.7", "verdict"] == "contradicted"
    fold = np.median(fold_reduction(tables.prices))
    assert rows.loc["price-266.7", "estimate"]["median"] == pytest.approx(fold)
    life = rows.loc["battery-10-years", "estimate"]
    expected = np.median(np.log(2) * 365.25 / engine.posterior["growth_before"])
    assert life["median"] == pytest.approx(expected, rel=1e-3)  # a draw that shrinks never doubles
    assert life["mean"] is None
    assert "say nothing of densities" in rows.loc["growth-rose", "reason"]


@pytest.mark.fit
def test_claims_that_join_a_fit_with_chips_or_ask_for_a_date(small_fit):
    product = QUANTITIES["density_times_engine"](small_fit, "compute-per-price", "posterior")
    assert np.median(product) < np.median(db.doubling_time(db.growth(small_fit)["after"]))
    reached = QUANTITIES["reached_by"](small_fit, "8e9 mmlu 0.4 2025-12-31", "posterior")
    assert reached.mean() > 0.99
    with pytest.raises(NotTestableError, match="the panel has no math"):
        QUANTITIES["reached_by"](small_fit, "8e9 math 0.4 2025-12-31", "posterior")


@pytest.mark.fit
def test_ledger_of_a_fit_and_of_one_that_has_not_passed(small_fit, plotted):
    table = db.claims([small_fit, plotted])
    mine = table[table["panel"] == "open"]
    assert small_fit.verdict == "FAIL"  # 500 draws: too few for the gate
    assert set(mine["verdict"]) == {"not testable"}
    assert mine["reason"].str.contains("the fit is FAIL").all()
    small_fit.diagnostics["verdict"] = "PASS"
    try:
        mine = db.claims([small_fit]).query("panel == 'open'").set_index("claim")
    finally:
        small_fit.diagnostics["verdict"] = "FAIL"
    rates = db.growth(small_fit)
    change = mine.loc["growth-rose"]
    assert change["probability"] == pytest.approx(float((rates["change"] > 0).mean()))
    assert change["estimate"]["mean"] == pytest.approx(float(rates["change"].mean()))
    share = mine.loc["share-after-4-months", "estimate"]["median"]
    assert share == pytest.approx(float(np.exp(-127 * rates["after"]).median()), rel=1e-6)
    ratio = mine.loc["growth-rose-by-50-percent", "estimate"]
    assert ratio["mean"] is None
    half = mine.loc["growth-rose-by-half"]
    assert half["probability"] == pytest.approx(
        float((rates["after"] > 1.5 * rates["before"]).mean())
    )
    assert 0 <= mine.loc["minicpm-matches-mistral-mmlu", "probability"] <= 1
    assert "another reference family" in mine.loc["gemma-2-9b-near-2", "reason"]
    assert "llama-3.1-405b" in mine.loc["llama-3.1-405b-less-dense", "reason"]
    assert "no math" in mine.loc["share-after-4-months-math", "reason"]


@pytest.mark.fit
def test_ledger_in_words_document_and_figure(small_fit, plotted):
    table = db.claims([small_fit, plotted])
    header, rows = tally.ledger_rows(table)
    assert header == ["Claim", "Published", "open panel", "plotted points"]
    assert len(rows) == len(set(tally.testable(table)["claim"]))
    first = rows[0]
    assert first[0] == "Capability density doubles about every 100 days"
    assert first[1] == "100 days"
    assert first[3].endswith(": contradicted")
    assert tally.summary_sentence(table).startswith("open panel: ")
    why = table[(table["panel"] == "plotted") & (table["verdict"] == "not testable")]
    assert len(why) > 3
    for reason, group in why.groupby("reason"):
        named = len(group) <= 3
        said = ", ".join(group["claim"]) if named else str(len(group))
        assert f"plotted points: {reason} ({said})." in tally.reasons(table)
    document = json.loads(json_text(claims_document(table)))
    assert len(document["claims"]) == len(table)
    assert document["claims"][0]["estimate"] is None
    assert document["rule"] == tally.RULE
    text = tally.markdown(table)
    assert text.count("\n| ") == len(rows) + 2  # and the header
    shown = db.get_plot_data("claims", table)["claims"]
    assert shown["estimate"].notna().all() and 0 < len(shown) < len(table)
    ax = plot_claims(table)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[0] == "Capability density doubles about every 100 days  [100 days]"
    assert ax.get_legend_handles_labels()[1] == ["open panel", "plotted points", "rival value"]


@pytest.mark.fit
def test_claims_command(small_fit_file, plotted, monkeypatch):
    monkeypatch.setattr(ledger, "table_fits", lambda: [plotted])
    found = CliRunner().invoke(app, ["claims", str(small_fit_file), "--json"])
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout)
    assert {row["panel"] for row in document["claims"]} == {"open", "plotted"}
    shown = CliRunner().invoke(app, ["claims", str(small_fit_file)])
    assert "Density doubles every 95 days  [published: 95 days]" in shown.stdout
    assert re.search(r"plotted points  14\d \(", shown.stdout)


def test_two_fits_of_one_panel_are_refused(plotted):
    with pytest.raises(DensingError, match="two fits of panel 'plotted': give one fit of each"):
        db.claims([plotted, plotted])


def test_bad_interval_and_missing_file():
    with pytest.raises(DensingError, match="ci = 95 is not a probability"):
        db.claims([], ci=95)
    found = CliRunner().invoke(app, ["claims", "absent.nc"])
    assert found.exit_code == 2


def test_built_in_fits_come_from_the_store(monkeypatch, plotted):
    made = []
    monkeypatch.setattr(
        "densing_bayes.batch.fitter", lambda terms: lambda request: made.append((terms, request))
    )
    monkeypatch.setattr(ledger, "table_fits", lambda: [plotted])
    found = ledger.built_in_fits()
    assert [request.spec.name for _, request in made] == ["joint", "paper"]
    assert [terms.settings["draws"] for terms, _ in made] == [1000, 2000]
    assert found[2] is plotted
    assert pd.Series([terms.source["panel"] for terms, _ in made]).tolist() == ["open", "paper"]
