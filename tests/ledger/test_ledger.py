"""The ledger of claims: the rule, the table of claims, every quantity, terminal and document."""

import dataclasses
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from typer.testing import CliRunner

import densing_bayes as db
from densing_bayes.cli.main import app
from densing_bayes.corollaries.engines.model import fit_engine, load_engines
from densing_bayes.corollaries.prices.model import fit_prices, fold_reduction
from densing_bayes.errors import DensingError, NotTestableError
from densing_bayes.ledger import ledger, quantities
from densing_bayes.ledger import rows as tally
from densing_bayes.ledger import terms as ledger_terms
from densing_bayes.ledger.figures import plot_claims
from densing_bayes.ledger.ledger import load_claims
from densing_bayes.ledger.of_corollaries import OF_TABLES, TablePanel
from densing_bayes.ledger.plotted import fit_paper_figures
from densing_bayes.ledger.quantile import quantile_growth
from densing_bayes.ledger.quantities import PLOTTED, QUANTITIES
from densing_bayes.ledger.rule import VERDICTS, bayes_factor, verdict
from densing_bayes.ledger.section import claims_document
from densing_bayes.ledger.terms import terms_of
from densing_bayes.posterior.plain import json_text
from densing_bayes.posterior.result import Fit

RANDOM = np.random.default_rng(1)
NORMAL = RANDOM.standard_normal(4000)


def about(low, high, rival=np.nan, value=None):
    value = (low + high) / 2 if value is None else value
    return {"kind": "about", "value": value, "low": low, "high": high, "rival": rival}


WIDE = 100 + 90 * RANDOM.standard_normal(4000)


@pytest.fixture(scope="module")
def plotted():
    return fit_paper_figures(seed=3)


@pytest.mark.parametrize(
    ("claim", "draws", "prior", "expected", "reason"),
    [
        (about(98, 102), 100 + 5 * NORMAL, WIDE, "supported", "any other value"),
        (about(98, 102), 140 + 10 * NORMAL, WIDE, "contradicted", "any other value"),
        (about(98, 102), 60 + 10 * NORMAL, WIDE, "contradicted", "any other value"),
        # what hardly narrows the prior supports nothing
        (about(98, 102), 100 + 80 * NORMAL, WIDE, "inconclusive", "any other value"),
        # as probable as a named rival
        (about(98, 102, 104.0), 101 + 5 * NORMAL, WIDE, "inconclusive", "104"),
        # and much less than it
        (about(98, 102, 112.0), 113 + 4 * NORMAL, WIDE, "contradicted", ""),
        # half of the draws never double, as in the prior
        (
            about(98, 102, np.inf),
            np.where(NORMAL > 0, np.inf, 100.0 + NORMAL),
            np.where(NORMAL > 0, np.inf, WIDE),
            "supported",
            "",
        ),
        (
            about(98, 102, np.inf),
            np.where(NORMAL > -0.8, np.inf, 100.0 + 10 * NORMAL[::-1]),
            np.where(NORMAL > 0, np.inf, WIDE),
            "inconclusive",
            "never happens",
        ),
    ],
)
def test_rule_for_a_claim_about_a_value(claim, draws, prior, expected, reason):
    judged = verdict(claim, draws, prior)
    assert judged.verdict == expected, judged
    assert reason in judged.reason
    inside = (draws >= claim["low"]) & (draws <= claim["high"])
    assert judged.probability == pytest.approx(np.mean(inside))


def test_bayes_factor_is_that_of_normal_distributions():
    """Against the closed form of a normal posterior and prior, within and without a tolerance."""
    many = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    posterior, prior = 101 + 6 * many, 90 + 40 * many
    for half in (0.05, 1.0, 4.0):
        odds = []
        for mean, sd in ((101, 6), (90, 40)):
            p = norm.cdf((100 + half - mean) / sd) - norm.cdf((100 - half - mean) / sd)
            odds.append(p / (1 - p))
        factor = bayes_factor(about(100 - half, 100 + half), posterior, prior).factor
        assert factor == pytest.approx(odds[0] / odds[1], rel=0.05)
    # against a named value, of tolerances that go to nothing: the ratio of density ratios
    factor, _, _, rival = bayes_factor(about(99.9, 100.1, 115.0), posterior, prior)
    at = [norm.pdf(x, 101, 6) / norm.pdf(x, 90, 40) for x in (100, 115)]
    assert rival == "any other value" and factor < at[0] / at[1]


@settings(max_examples=60, deadline=None)
@given(
    centre=st.floats(-3.0, 3.0), spread=st.floats(0.05, 2.0), second=st.floats(-3.0, 3.0),
    value=st.floats(-2.0, 2.0), rival=st.sampled_from([np.nan, np.inf, 0.5]),
)  # fmt: skip
def test_a_wider_tolerance_never_makes_a_claim_less_supported(centre, spread, second, value, rival):
    draws = np.where(np.arange(NORMAL.size) % 3, centre, second) + spread * NORMAL
    order = ["contradicted", "inconclusive", "supported"]
    found = []
    for half in (0.01, 0.02, 0.03, 0.1, 0.25, 0.7, 1.0, 1.5):
        claim = about(value - half, value + half, rival)
        found.append(order.index(verdict(claim, draws, 2.0 * NORMAL[::-1]).verdict))
    assert found == sorted(found)


def test_verdicts_are_the_same_over_twenty_seeds():
    """Of posteriors and priors that are drawn anew, where the exact factor is not at a limit."""
    cases = {"supported": (100, 5), "contradicted": (150, 12), "inconclusive": (125, 14)}
    for expected, (mean, sd) in cases.items():
        words = set()
        for seed in range(20):
            random = np.random.default_rng(seed)
            draws = mean + sd * random.standard_normal(4000)
            prior = 200 + 120 * random.standard_normal(2000)
            words.add(verdict(about(99.5, 100.5), draws, prior).verdict)
            words.add(verdict(about(95, 105), draws, prior).verdict)
        assert words == {expected}


def test_limits_of_a_bayes_factor_hold_it_over_seeds():
    exact = np.log(norm.pdf(2.4) / 10 / (norm.pdf(-76 / 100) / 100))
    held = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        draws, prior = random.standard_normal(4000), random.standard_normal(2000)
        found = bayes_factor(about(123.9, 124.1), 100 + 10 * draws, 200 + 100 * prior)
        # the kernel makes tails heavier: at 2.4 standard deviations by a third
        held.append(np.log(found.lower) < exact + 0.3 and exact < np.log(found.upper))
    assert np.mean(held) > 0.9


def test_an_observed_number_holds_or_does_not():
    claim = about(266.65, 266.75, value=266.7)
    for number, expected in ((20 / 0.075, "supported"), (571.4, "contradicted")):
        judged = verdict(claim, np.array([number]))
        assert judged.verdict == expected and judged.bayes_factor is None


@pytest.mark.parametrize(
    ("kind", "share", "expected"),
    [
        ("event", 0.96, "supported"),
        ("event", 0.95, "supported"),
        ("event", 0.5, "inconclusive"),
        ("event", 0.05, "contradicted"),
        ("at least", 0.97, "supported"),
        ("at most", 0.97, "contradicted"),
        ("at most", 0.4, "inconclusive"),
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
    current = table
    assert set(current["kind"]) <= {"about", "at least", "at most", "event"}
    answered = set(QUANTITIES) | set(OF_TABLES) | {"visits"}
    assert {str(q).partition(":")[0] for q in current["quantity"]} == answered
    assert set(PLOTTED) <= set(QUANTITIES)
    values = current[current["kind"] == "about"]
    assert ((values["low"] <= values["value"]) & (values["value"] <= values["high"])).all()
    assert set(table["estimand"]) == {
        "maximum", "edge", "mean", "one system", "observed ratio"
    }  # fmt: skip
    of_density = table[table["topic"].isin(["growth", "change", "example", "densities"])]
    of_density = of_density[of_density["estimand"] != "observed ratio"]
    journal = of_density["source"].str.contains("Nature")
    assert (of_density.loc[journal, "reference_tokens"] == 5e12).all()
    assert (of_density.loc[~journal, "reference_tokens"] == 1e12).all()
    # the rival is no rival if it rounds to the claim
    assert not ((values["low"] <= values["rival"]) & (values["rival"] <= values["high"])).any()


def test_ledger_of_the_plotted_points(plotted):
    assert plotted.verdict == "PASS"
    table = db.claims([plotted])
    assert set(table["verdict"]) <= set(VERDICTS)
    rows = table.set_index("claim")
    for name in ("doubling-3.5-months", "growth-rose", "mmlu-cf-0.0066"):
        assert rows.loc[name, "verdict"] != "not testable"
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
    tables = TablePanel({"prices": fit_prices("gpt-3.5", until="2024-08-31"), **engines})
    rows = db.claims([tables]).set_index("claim")
    assert rows.loc["price-266.7", "verdict"] == "supported"
    assert rows.loc["price-266.7", "estimate"]["median"] == pytest.approx(20 / 0.075)
    assert rows.loc["price-266.7-edge", "verdict"] == "contradicted"
    fold = np.median(fold_reduction(tables.fits["prices"]))
    assert rows.loc["price-266.7-edge", "estimate"]["median"] == pytest.approx(fold)
    compute = rows.loc["llama-3.1-405b-compute"]
    systems = db.load_panel("paper").systems
    known = systems[systems["tokens"].notna() & (systems["release_date"] <= "2024-12-09")]
    largest = known.loc["llama-3.1-405b"]
    assert (largest["params_active"], largest["tokens"]) == (405853388800, 1.56e13)
    times = largest["params_active"] * largest["tokens"]
    times = times / (known["params_active"] * known["tokens"]).drop("llama-3.1-405b")
    assert compute["probability"] == pytest.approx((times > 100).mean())
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
    with pytest.raises(NotTestableError, match="the fit has no math"):
        QUANTITIES["reached_by"](small_fit, "8e9 math 0.4 2025-12-31", "posterior")


@pytest.mark.fit
def test_ledger_of_a_fit_and_of_one_that_has_not_passed(small_fit, plotted):
    table = db.claims([small_fit, plotted])
    mine = table[table["panel"] == "open"]
    assert small_fit.verdict == "FAIL"  # 500 draws: too few for the gate
    assert set(mine["verdict"]) == {"not testable"}
    of_journal = mine["reference_tokens"] == 5e12
    assert mine.loc[~of_journal, "reason"].str.contains("the fit is FAIL").all()
    assert mine.loc[of_journal, "reason"].str.contains("D0 = 5e12 tokens, and the panel").all()
    with pytest.raises(DensingError, match="two fits of panel 'open': give one fit of each panel"):
        db.claims([small_fit, small_fit])
    small_fit.diagnostics["verdict"] = "PASS"
    # the same draws, as if under the D0 of the journal
    other = dataclasses.replace(
        small_fit, spec=small_fit.spec.replace(panel__reference_tokens=5e12)
    )
    try:
        mine = db.claims([small_fit, other]).query("panel == 'open'").set_index("claim")
    finally:
        small_fit.diagnostics["verdict"] = "FAIL"
    assert mine.loc["doubling-95-days", "judged_on"] == "edge; D0 = 1e12; comparable params"
    assert mine.loc["growth-rose", "judged_on"] == "edge; D0 = 5e12; comparable params"
    life = mine.loc["half-the-params-every-3-months", "estimate"]["median"]
    lives = db.frontier_shelf_life(small_fit)
    middle = np.quantile(lives, 0.5, method="inverted_cdf" if np.isinf(lives).any() else "linear")
    assert life == pytest.approx(float(middle))
    rates = db.growth(small_fit)
    change = mine.loc["growth-rose"]
    assert change["probability"] == pytest.approx(float((rates["change"] > 0).mean()))
    assert change["estimate"]["mean"] == pytest.approx(float(rates["change"].mean()))
    share = mine.loc["share-after-4-months", "estimate"]["median"]
    worth = 1 + small_fit.posterior["size_slope"]
    assert share == pytest.approx(float(np.exp(-127 * rates["after"] / worth).median()), rel=1e-6)
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
    assert first[0] == "Maximum density doubles every 3.5 months"
    assert first[1] == "106.5 days; maximum, D0 = 5e12"
    assert re.search(r"B [=<] \d.*: (contradicted|inconclusive)$", first[3])
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
    _, definitions = tally.definition_rows(table)
    assert text.count("\n| ") == len(rows) + len(definitions) + 4  # and the headers
    shown = db.get_plot_data("claims", table)["claims"]
    assert shown["estimate"].notna().all() and 0 < len(shown) < len(table)
    ax = plot_claims(table)
    labels = [" ".join(label.get_text().split()) for label in ax.get_yticklabels()]
    assert labels[0] == "Maximum density doubles every 3.5 months [106.5 days]"
    assert ax.get_legend_handles_labels()[1] == ["open panel", "plotted points", "rival value"]


@pytest.mark.fit
def test_claims_command(small_fit_file, plotted, monkeypatch):
    monkeypatch.setattr(ledger, "table_fits", lambda: [plotted])
    found = CliRunner().invoke(app, ["claims", str(small_fit_file), "--json"])
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout)
    assert {row["panel"] for row in document["claims"]} == {"open", "plotted"}
    shown = CliRunner().invoke(app, ["claims", str(small_fit_file)])
    assert re.search(
        r"doubles every 3.5 months\n  Published +106.5 days; maximum, D0", shown.stdout
    )
    assert "What could not be tested, and why:\n" in shown.stdout
    assert re.search(r"plotted points  1[45]\d \(", shown.stdout)


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
        "densing_bayes.fitting.many.fitter",
        lambda terms: lambda request: made.append((terms, request)),
    )
    monkeypatch.setattr(ledger, "table_fits", lambda: [plotted])
    found = ledger.built_in_fits()
    specs = [request.spec for _, request in made]
    assert specs[:3] == [db.load_spec(name) for name in ("current", "joint", "paper")]
    # what each claim about densities asks of a panel, a fit has: form, D0 and size convention
    has = {(spec.panel.source, terms_of(Fit(None, spec, None, {}, {}))) for spec in specs}
    assert len(has) == len(specs)  # no two are alike
    for _, claim in load_claims().iterrows():
        if not np.isnan(claim["reference_tokens"]):
            asked = (
                ledger_terms.nearest_forms(claim)[0], claim["reference_tokens"], claim["size"]
            )  # fmt: skip
            needs_paper = (claim["estimand"], claim["reference_tokens"]) == ("one system", 5e12)
            for panel in ("paper",) if needs_paper else ("current", "open", "paper"):
                assert (panel, ledger_terms.Terms(*asked)) in has, claim
    assert [terms.settings["draws"] for terms, _ in made[:3]] == [2000, 1000, 2000]
    assert found[len(made)] is plotted
    panels = [terms.source["panel"] for terms, _ in made[:3]]
    assert panels == ["current", "open", "paper"]


@pytest.mark.fit
def test_the_nearest_fit_of_its_own_d0_judges(small_fit):
    """Form before size convention; what differs is said; another D0 judges nothing."""
    small = dataclasses.replace(small_fit, diagnostics=small_fit.diagnostics | {"verdict": "PASS"})

    def like(**changes):
        return dataclasses.replace(small, spec=small.spec.replace(**changes))

    plain = db.claims([small]).set_index("claim")
    maximum, share = plain.loc["doubling-95-days"], plain.loc["share-after-4-months"]
    assert maximum["judged_apart"] == (
        "edge in place of edge with a drifting scale, comparable in place of total params"
    )
    assert share["judged_apart"] == "comparable in place of total params"
    total, bare = like(panel__size="total"), like(panel__size="non-embedding")
    drifting = like(trend__shortfall_drift=True)
    table = db.claims([small, total, bare, drifting, like(trend__frontier="none")])
    rows = table.set_index("claim")
    assert rows.loc["share-after-4-months", "judged_on"] == "edge; D0 = 1e12; total params"
    assert rows.loc["share-after-4-months", "judged_apart"] == ""
    matched = rows.loc["minicpm-matches-mistral-mmlu"]
    assert matched["judged_on"] == "edge; D0 = 1e12; non-embedding params"
    maximum = rows.loc["doubling-95-days"]
    assert maximum["judged_on"].startswith("edge with a drifting scale; ")
    assert maximum["judged_apart"] == "comparable in place of total params"
    # beside it, the definitions that fits alike in all else have, and a quantile
    found = maximum["definitions"]
    assert list(found) == ["mean", "edge", "edge with a drifting scale", "quantile"]
    rates = quantile_growth(small)["after"]
    expected = float(np.median(db.doubling_time(rates)))
    assert found["quantile"]["median"] == pytest.approx(expected)
    assert rows.loc["share-after-4-months", "definitions"] is None
    header, shown = tally.definition_rows(table)
    assert header[3:] == list(found) and len(shown) > 3
    _, cells = tally.ledger_rows(table)
    by_statement = {row[0]: row[2] for row in cells}
    assert "[a*]: " in by_statement["Density doubles every 95 days"]
    assert tally.judges(table)[0] == "[a] edge with a drifting scale; D0 = 1e12; comparable params."
    assert any(line.startswith("[a*] comparable in place of total") for line in tally.judges(table))


def test_a_verdict_that_another_seed_may_change_is_marked():
    """Over twenty seeds each, across a border: verdicts that are not marked agree."""
    moved = 0
    for centre in (106, 109, 114, 123, 125, 130):
        found = []
        for seed in range(20):
            random = np.random.default_rng(seed)
            draws = centre + 6 * random.standard_normal(4000)
            prior = 200 + 120 * random.standard_normal(2000)
            found.append(verdict(about(99.5, 100.5), draws, prior))
        unmarked = {each.verdict for each in found if not each.near_border}
        assert len(unmarked) <= 1, centre
        words = {each.verdict for each in found}
        moved += len(words) > 1
        assert words != {"supported", "contradicted"} and len(words) < 3
        if centre in (114, 130):  # far from any border
            assert len(words) == 1 and len(unmarked) == 1
            assert not any(each.near_border for each in found)
    assert moved >= 1  # else this has shown nothing


@pytest.mark.parametrize("share", [0.93, 0.945, 0.95, 0.955, 0.97, 0.995])
def test_a_probability_near_its_border_is_marked(share):
    found = []
    for seed in range(20):
        draws = np.where(np.random.default_rng(seed).random(4000) < share, 1.0, -1.0)
        found.append(verdict({"kind": "event", "low": 0, "high": 0, "rival": np.nan}, draws))
    assert len({each.verdict for each in found if not each.near_border}) <= 1
    assert any(each.near_border for each in found) == (0.93 < share < 0.97)


def test_chains_that_mix_slowly_have_a_wider_border():
    """The same share of draws is nearer to its border where draws in a row are alike."""
    random = np.random.default_rng(0)
    event = {"kind": "event", "low": 0, "high": 0, "rival": np.nan}
    mixed = np.where(random.permutation(4000) < 0.965 * 4000, 1.0, -1.0)
    assert not verdict(event, mixed).near_border
    assert verdict(event, np.sort(mixed)).near_border


def test_a_share_of_params_without_bound_is_said_without_a_warning(monkeypatch):
    """Under the prior the line may fall while smaller systems are hardly worse, or not at all."""
    slopes = np.array([-0.999, -1.2, 0.2])
    monkeypatch.setattr(quantities, "size_slope", lambda fit, group: slopes)
    share = quantities._share(lambda fit, argument, group: np.array([-10.0, 1.0, 0.005]))
    found = share(None, "", "prior")
    np.testing.assert_allclose(found, [np.inf, 0.0, np.exp(-0.005 * quantities.LATER / 1.2)])
