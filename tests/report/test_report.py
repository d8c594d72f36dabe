"""The report: words follow numbers, every file is whole, a browser can read it."""

import copy
import dataclasses
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from examples import payback_by
from matplotlib.figure import Figure
from playwright.sync_api import sync_playwright

from densing_bayes.corollaries.payback.arrivals import waiting_time
from densing_bayes.corollaries.payback.calculator import calculator, thinned_draws
from densing_bayes.corollaries.payback.model import earning_days
from densing_bayes.corollaries.payback.release import release_of
from densing_bayes.display.figures.reference import plot_scaling, plot_score_links
from densing_bayes.display.figures.trend import notable_systems, plot_frontier, plot_growth
from densing_bayes.display.headline import headline
from densing_bayes.display.section import Section, Table
from densing_bayes.errors import DensingError
from densing_bayes.evaluation.hypotheses.averaged import averaged_of
from densing_bayes.evaluation.token_range import over_tokens_of
from densing_bayes.inputs.panel import export_panel, load_panel
from densing_bayes.ledger.ledger import claims, load_claims
from densing_bayes.ledger.rows import ledger_rows
from densing_bayes.posterior.plain import json_text, plain
from densing_bayes.quantities import numbers
from densing_bayes.quantities.densities import density_table
from densing_bayes.quantities.growth import frontier, growth
from densing_bayes.quantities.summary import trend_summary
from densing_bayes.report.assembly import make_report
from densing_bayes.report.browser import NAMES
from densing_bayes.report.files import html_page, write_report
from densing_bayes.report.sections.basis import model_section

CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FIGURES = ("frontier", "growth", "scaling", "score_links")
PICTURES = (*FIGURES, "claims", "by-year")
TABLES = ("trend", "densities", "readings", "definitions", "shelf-lives", "benchmarks", "claims",
          "claims-definitions", "by-year", "priors", "diagnostics", "data-benchmarks", "releases",
          "data", "provenance")  # fmt: skip


@pytest.fixture(scope="module")
def summary(small_fit):
    return trend_summary(small_fit)


def whole_summary(fit):
    """With the averaged answers that the store or the package may have of the fit."""
    return trend_summary(fit, averaged=averaged_of(fit), over_tokens=over_tokens_of(fit))


@pytest.fixture(scope="module")
def passed_fit(small_fit):
    return dataclasses.replace(
        small_fit, diagnostics=small_fit.diagnostics | {"verdict": "PASS", "reasons": []}
    )


@pytest.fixture(scope="module")
def failed_fit(small_fit):
    diagnostics = small_fit.diagnostics | {
        "verdict": "FAIL",
        "reasons": ["3 divergent transitions"],
    }
    return dataclasses.replace(small_fit, diagnostics=diagnostics)


@pytest.fixture(scope="module")
def made(passed_fit):
    """A report with the calculator, which a section of the corollaries brings."""

    def payback():
        result = payback_of(passed_fit)
        return Section(
            "payback", "Pay-back", ("A life.",), calculator=calculator(passed_fit, result)
        )

    return make_report(passed_fit, more={"payback": payback})


def payback_of(fit, **options):
    return payback_by(fit, params=8e9, training_cost=2e6, condition="smooth", **options)


@pytest.fixture(scope="module")
def report(made, tmp_path_factory):
    paths = write_report(made, tmp_path_factory.mktemp("report"))
    return {path.name: path for path in paths}


# Words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (119.4, "119"),
        (1764.2, "1,764"),
        (0.00582, "0.00582"),
        (None, "inf"),
        (float("inf"), "inf"),
        (float("nan"), "unknown"),
        (-0.25, "-0.250"),
    ],
)
def test_numbers_have_no_exponent(value, text):
    assert numbers.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7e9, "7B"),
        (1.24e8, "124M"),
        (7.24e9, "7.2B"),
        (9.99e11, "999B"),
        (1.1e12, "1.1T"),
        (5, "5"),
    ],
)
def test_counts_have_the_letters_of_the_field(value, text):
    assert numbers.count(value) == text


def test_probability_is_never_0_or_1():
    assert [numbers.probability(p) for p in (0.0, 0.005, 0.5, 0.995, 1.0)] == [
        "< 0.001",
        "0.005",
        "0.50",
        "0.995",
        "> 0.999",
    ]


def test_documents_have_no_nan_and_no_infinity():
    text = json_text({"a": np.float64("nan"), "b": [np.inf, np.int64(3)], "c": np.bool_(True)})
    assert json.loads(text) == {"a": None, "b": [None, 3], "c": True}
    with pytest.raises(TypeError, match="has no form in JSON"):
        plain(object())


@pytest.mark.fit
@pytest.mark.parametrize(
    ("lower", "upper", "said"),
    [(0.001, 0.006, "accelerated"), (-0.006, -0.001, "slowed"), (-0.001, 0.006, "is open")],
)
def test_a_change_is_said_only_where_its_interval_excludes_0(
    small_fit, summary, lower, upper, said
):
    changed = copy.deepcopy(summary)
    changed["growth_change"] |= {"lower": lower, "upper": upper, "median": (lower + upper) / 2}
    words = {item.key: item.sentence for item in headline(small_fit, changed)}
    for word in ("accelerated", "slowed", "is open"):
        assert (word in words["growth_change"]) == (word == said)
    assert not re.search(r"because|caused|due to|thanks to", " ".join(words.values()))


@pytest.mark.fit
def test_growth_that_may_be_zero_is_not_called_doubling(small_fit, summary):
    changed = copy.deepcopy(summary)
    changed["growth_rate"]["after"] |= {"lower": -0.001, "p_le_0": 0.2}
    changed["doubling_time_days"]["after"] |= {"upper": None, "upper_unbounded": True}
    first = headline(small_fit, changed)[0]
    assert "not established" in first.sentence and "0.20" in first.sentence
    assert "no upper limit" in first.interval


# Files


@pytest.mark.fit
def test_report_writes_all_its_files_and_nothing_else(report):
    names = {"report.html", "report.md", "report.json", *(f"report_{n}.png" for n in PICTURES)}
    names |= {f"report_{name}.csv" for name in TABLES}
    assert set(report) == names
    assert {path.name for path in report["report.html"].parent.iterdir()} == names
    assert report["report.html"].stat().st_size < 5e6


@pytest.mark.fit
def test_report_html_needs_no_network(report):
    html = report["report.html"].read_text()
    loads = re.findall(
        r"""(?:\b(?:src|href)\s*=\s*["']|url\(\s*["']?|@import\s*["'])([^"')]*)""", html
    )
    assert [target for target in loads if not target.startswith(("#", "data:"))] == []


@pytest.mark.fit
def test_csv_files_hold_unrounded_numbers(report, passed_fit):
    table = pd.read_csv(report["report_densities.csv"], index_col="system")
    expected = density_table(passed_fit)
    np.testing.assert_allclose(table["density"], expected["density"])
    assert list(table.index) == list(expected.index)
    averaged = 4 if averaged_of(passed_fit) else 0
    assert len(pd.read_csv(report["report_trend.csv"])) == 9 + averaged


@pytest.mark.fit
def test_only_wanted_sections_are_made(passed_fit, monkeypatch):
    monkeypatch.setattr("densing_bayes.ledger.ledger.claims", lambda *_: pytest.fail("judged"))
    made = make_report(passed_fit, title="Mine\udcff", sections=["provenance", "trend"])
    assert [section.name for section in made.sections] == ["trend", "provenance"]
    html = html_page(made)
    assert (
        r"<title>Mine\udcff</title>" in html.encode().decode()
        and 'id="section-densities"' not in html
    )
    with pytest.raises(
        DensingError, match="no section 'trends' in the report; did you mean 'trend'"
    ):
        make_report(passed_fit, sections=["trends"])


@pytest.mark.fit
def test_data_of_ones_own_give_the_same_report(passed_fit, tmp_path):
    """With their sources where the tables are given, and a sentence where they are not."""
    export_panel("open", tmp_path / "mine")
    table = pd.read_csv(tmp_path / "mine" / "scores.csv")
    table.loc[table["system"] == "llama-2-7b", "source"] = "my own bench"
    table.to_csv(tmp_path / "mine" / "scores.csv", index=False)
    mine = load_panel(tmp_path / "mine")
    provenance = passed_fit.provenance | {"panel": mine.name, "tables_hash": mine.sha256}
    own = dataclasses.replace(passed_fit, provenance=provenance)
    told = make_report(own, sections=["data", "claims", "densities"], panel=mine)
    assert "my own bench" in " ".join(told.sections[2].folded[1])
    assert "panel 'mine'" in " ".join(told.notes)
    untold = make_report(own, sections=["data"]).sections[0]
    assert untold.folded is None and "not available" in untold.notes[0]
    with pytest.raises(DensingError, match="has seen other tables than those of 'mine'"):
        make_report(passed_fit, panel=mine)


@pytest.mark.fit
def test_formats_are_chosen_and_unknown_ones_refused(passed_fit, tmp_path, monkeypatch):
    made = make_report(passed_fit, sections=["provenance"])
    assert [path.name for path in write_report(made, tmp_path, ["json"])] == ["report.json"]
    with pytest.raises(DensingError, match="no format 'docx' of a report; use html, md"):
        write_report(made, tmp_path, ["docx"])
    monkeypatch.setattr("densing_bayes.report.browser.shutil.which", lambda _: None)
    with pytest.raises(DensingError, match="printed by Chromium, and none of"):
        write_report(made, tmp_path, ["pdf"])


@pytest.mark.fit
def test_what_is_written_in_a_cell_stays_text(passed_fit, tmp_path):
    """Also where data of one's own have the signs of HTML, Markdown or JSON in a script."""
    odd = Section("odd", "<b>", tables=(Table(("a|b", "c"), (("x|y*", "</script><i>"),)),),
                  calculator={"draws": 1, "of": 1, "name": "</script>"})  # fmt: skip
    made = dataclasses.replace(make_report(passed_fit, sections=[]), sections=(odd,))
    html = html_page(made)
    assert "<i>" not in html and "&lt;/script&gt;&lt;i&gt;" in html
    assert html.count("</script>") == 2  # that of the draws, and that of the page
    markdown = write_report(made, tmp_path, ["md"])[0].read_text()
    assert r"| x\|y\* | \</script>\<i> |" in markdown


@pytest.mark.fit
def test_a_fit_of_one_chain_has_a_table_of_priors(passed_fit):
    data = passed_fit.data.copy()
    data["posterior"] = type(data)(passed_fit.posterior.isel(chain=[0]))
    one = dataclasses.replace(passed_fit, data=data)
    rows = {row[0]: row[2] for row in model_section(one).tables[0].rows}
    assert " to " in rows["scaling.loss_noise"] and "(" in rows["trend.level"]


class _Ids(HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.labels, self.used = [], [], set()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if attributes.get("role") == "img":
            self.labels.append(attributes["aria-label"])
        if "xlink:href" in attributes:
            self.used.add(attributes["xlink:href"])


@pytest.mark.fit
def test_figures_have_words_and_ids_of_their_own(report):
    parser = _Ids()
    parser.feed(report["report.html"].read_text())
    assert len(parser.labels) == len(PICTURES)
    assert all(re.search(r"\d", label) for label in parser.labels)
    assert len(parser.ids) == len(set(parser.ids))
    assert {link[1:] for link in parser.used if link[0] == "#"} <= set(parser.ids)


@pytest.mark.fit
def test_report_json_holds_the_numbers_of_the_page(report, passed_fit, summary):
    document = json.loads(report["report.json"].read_text(), parse_constant=pytest.fail)
    found = document["sections"]
    assert found["trend"] == plain(whole_summary(passed_fit))
    assert document["verdict"] == "PASS"
    assert len(found["densities"]) == len(passed_fit.observed.systems)
    assert len(found["shelf-lives"]["systems"]) == len(passed_fit.observed.systems)
    readings = {row["reading"] for row in found["frontier"]["readings"]}
    assert readings == {"frontier", "mean", "p95", "best"}
    best = {row["definition"]: row for row in found["frontier"]["definitions"]}
    assert set(best) == {"edge", "quantile"}
    rate = float(growth(passed_fit)["after"].median())
    assert best["edge"]["growth_rate"]["median"] == pytest.approx(rate)
    assert [row["claim"] for row in found["claims"]["claims"]] == list(load_claims().index)
    html = report["report.html"].read_text()
    markdown = report["report.md"].read_text()
    for row in ledger_rows(claims([passed_fit]))[1]:
        assert row[0] in html and f"| {row[0]} |" in markdown
    for item in document["headline"]:
        assert item["sentence"] in markdown
    after = numbers.limits(summary["doubling_time_days"]["after"])
    assert after in html and after in markdown
    for row in passed_fit.observed.counts().to_dict("records"):
        assert f"{row['systems']} systems in {row['releases']} releases" in html


@pytest.mark.fit
def test_report_of_a_failed_fit_says_so_first(failed_fit, tmp_path):
    failed = make_report(failed_fit, sections=["trend", "diagnostics"])
    html, markdown, *_ = write_report(failed, tmp_path)
    for path in (html, markdown):
        text = path.read_text()
        assert "has not converged" in text and "3 divergent transitions" in text
        assert text.index("has not converged") < text.index("doubles every")
        assert text.count("[FAIL]") == len(headline(failed_fit, whole_summary(failed_fit)))


@pytest.mark.fit
def test_report_that_cannot_be_written_is_refused(small_fit, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DensingError, match="cannot write the report"):
        write_report(make_report(small_fit, sections=[]), tmp_path / "file")


@pytest.mark.fit
def test_report_of_a_trend_without_change_says_nothing_of_one(passed_fit):
    trend = passed_fit.spec.trend.model_copy(update={"changes": ()})
    none = np.array([])
    observed = dataclasses.replace(
        passed_fit.observed, changes=(), change_earliest=none, change_latest=none
    )
    plain_fit = dataclasses.replace(
        passed_fit, spec=passed_fit.spec.model_copy(update={"trend": trend}), observed=observed
    )
    names = ("trend", "frontier", "densities", "shelf-lives", "benchmarks", "hypotheses", "model")
    html = html_page(make_report(plain_fit, sections=names))
    elsewhere = re.sub(r"<p class=\"by\">.*?</p>|--hypotheses", "", html, flags=re.DOTALL)
    assert "ChatGPT" not in elsewhere
    assert "doubles every" in html or "not established" in html


# In a browser -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (CI installs it)")
    with sync_playwright() as tools:
        opened = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser, report):
    """The page of the report; whatever it asks of a network or says on the console fails."""
    said = []
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda asked: said.append(asked.url) if asked.url[:4] == "http" else None)
    opened.goto(report["report.html"].as_uri())
    yield opened
    opened.close()
    assert said == []


@pytest.mark.fit
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (768, "dark"), (390, "light")])
def test_page_is_accessible_and_as_wide_as_its_window(page, width, scheme):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for name in FIGURES:
        assert page.locator(f"#figure-{name} svg").is_visible()
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []


@pytest.mark.fit
def test_tables_sort_by_numbers_dates_and_names(page, passed_fit):
    table = page.locator("#table-densities")

    def column(number):
        return table.locator(f"tbody tr td:nth-child({number})").all_inner_texts()

    for number, name in ((1, "System"), (3, "Released")):
        table.get_by_role("button", name=name).click()
        assert column(number) == sorted(column(number))
    table.get_by_role("button", name="Params", exact=True).click()
    order = np.argsort(passed_fit.observed.log_params, kind="stable")
    assert column(1)[0] == passed_fit.observed.systems[order[0]]
    assert table.locator("th[aria-sort=ascending]").inner_text().startswith("Params")
    table.get_by_role("button", name="Params", exact=True).click()
    assert column(1)[0] == passed_fit.observed.systems[order[-1]]
    assert column(4)[0].endswith("B")


@pytest.mark.fit
def test_a_search_leaves_the_rows_that_hold_its_words(page, passed_fit):
    field = page.locator("input[data-finds=table-densities]")
    field.fill("meta llama-2")
    rows = page.locator("#table-densities tbody tr:visible td:first-child").all_inner_texts()
    assert set(rows) == {n for n in passed_fit.observed.systems if n.startswith("llama-2-")}
    assert f"{len(rows)} of {len(passed_fit.observed.systems)} rows" in page.content()
    field.fill("no such system")
    assert page.locator("#table-densities tbody tr:visible").count() == 0
    field.fill("")
    assert page.locator("#table-densities tbody tr:visible").count() == 128


@pytest.mark.fit
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"date": "2021-03-01", "kappa": 1.5, "density": 0.4},
        {"date": "2022-10-01", "kappa": 6.0, "cost": 4e5, "price": 3.0, "margin": 0.9},
        {"date": "2024-12-01", "density": 2.5, "params": 7e10},
    ],
)
def test_calculator_agrees_with_python(page, passed_fit, given):
    """On the draws that the page has; three digits."""
    draws = calculator(passed_fit, payback_of(passed_fit))
    inputs = draws["start"] | {"density": 1.0} | given
    found = page.evaluate("([draws, inputs]) => answer(draws, inputs)", [draws, inputs])
    thin = thinned_draws(passed_fit)

    def kept(values):
        return np.ravel(values.transpose("chain", "draw"))[thin]

    edge = frontier(passed_fit, [inputs["date"]]).isel(date=0)
    size = np.log(inputs["params"]) - passed_fit.observed.mean_log_params
    density = edge + passed_fit.posterior["size_slope"] * size + np.log(inputs["density"])
    above = dataclasses.replace(
        release_of(passed_fit, params=inputs["params"], density=1.0, date=inputs["date"]),
        log_density=density.transpose("chain", "draw").to_numpy(),
    )
    life = kept(waiting_time(passed_fit, above, inputs["kappa"], condition="smooth"))
    paid = payback_of(passed_fit).draws
    tokens, halving = kept(paid["tokens_per_visit"]), kept(paid["halving_days"])
    earned = inputs["margin"] * inputs["price"] * tokens / 1e6 * earning_days(life, halving)
    with np.errstate(divide="ignore", invalid="ignore"):
        daily = np.where(earned > 0, inputs["cost"] / earned, np.inf)
        visits = np.where(life > 0, daily * life, np.inf)
    size = np.exp(kept(density)) * inputs["params"]
    expected = {"life": life, "effective": size, "daily": daily, "visits": visits}
    for name, values in expected.items():
        # a few draws at the horizon of a life lie on its other side, by a rounded digit
        for level, got in zip([0.5, 0.025, 0.975], found[name], strict=True):
            about = np.clip(level + np.array([-3.5, 3.5]) / values.size, 0.0, 1.0)
            below, above = np.quantile(values, about, method="inverted_cdf")
            value = np.inf if got is None else float(got)
            assert below * (1 - 2e-3) <= value <= above * (1 + 2e-3), name
    assert found["passed"] == pytest.approx(np.mean(life == 0))


@pytest.mark.fit
def test_sliders_of_the_calculator_move_its_answers(page):
    def shown(key):
        return page.locator(f"#answer-{key}").inner_text()

    before = shown("life"), shown("visits")
    assert re.fullmatch(r"\d+ \(\d+ to \d+\)", before[0])
    slider = page.locator("#input-kappa")
    slider.focus()
    for _ in range(20):
        page.keyboard.press("PageUp")
    assert shown("life") != before[0]
    page.locator("#input-cost").fill("900")
    assert "billion" in page.locator("#shown-cost").inner_text()
    assert shown("visits") != before[1]


@pytest.mark.fit
def test_a_browser_prints_it(made, browser, tmp_path):
    path = write_report(made, tmp_path, ["pdf"])[0]
    assert path.name == "report.pdf" and path.read_bytes()[:5] == b"%PDF-"
    assert 50_000 < path.stat().st_size < 5e6


# Figures


@pytest.mark.fit
def test_frontier_figure_shows_the_numbers_of_the_quantities(small_fit):
    ax = plot_frontier(small_fit, Figure().subplots())
    table = density_table(small_fit)
    shown = np.concatenate(
        [
            points.get_offsets()[:, 1]
            for points in ax.collections
            if str(points.get_label()).startswith(("system", "the same"))
        ]
    )
    assert np.sort(np.asarray(shown)) == pytest.approx(np.sort(table["density"].to_numpy()))
    line = next(line for line in ax.lines if line.get_label() == "frontier, median")
    dates = np.array(line.get_xdata(), dtype="datetime64[ns]")
    expected = np.exp(np.median(frontier(small_fit, dates), axis=(0, 1)))
    assert line.get_ydata() == pytest.approx(expected)
    assert set(notable_systems(table)) <= {text.get_text() for text in ax.texts}


@pytest.mark.fit
def test_growth_figure_marks_medians_and_intervals(small_fit, summary):
    ax = plot_growth(small_fit, Figure().subplots())
    marks = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    expected = [
        summary["growth_rate"]["before"],
        summary["growth_rate"]["after"],
        summary["growth_change"],
    ]
    assert marks == pytest.approx([item["median"] for item in expected])
    bars = [line.get_xdata() for line in ax.lines if line.get_linewidth() == 2.6]
    assert np.array(bars) == pytest.approx(
        np.array([[item["lower"], item["upper"]] for item in expected])
    )


@pytest.mark.fit
def test_reference_figures_show_every_run_and_cell(small_fit):
    observed = small_fit.observed
    axes = plot_scaling(small_fit, list(Figure().subplots(1, len(observed.loss_benchmarks))))
    shown = sum(len(ax.collections[-1].get_offsets()) for ax in axes)
    assert shown == len(observed.loss)
    axes = plot_score_links(small_fit, list(Figure().subplots(1, len(observed.benchmarks))))
    for k, ax in enumerate(axes):
        points = {c.get_label(): c.get_offsets()[:, 1] for c in ax.collections}
        assert len(points["reference run"]) == (observed.reference_benchmark == k).sum()
        assert list(points["system"]) == list(observed.score[observed.cell_benchmark == k])
