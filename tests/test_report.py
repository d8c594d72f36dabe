"""The report: words follow numbers, every file is whole, a browser can read it."""

import copy
import dataclasses
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure

from densing_bayes import wording
from densing_bayes.documents import json_text, plain
from densing_bayes.errors import DensingError
from densing_bayes.ledger import claims, load_claims
from densing_bayes.plots import (
    notable_systems,
    plot_frontier,
    plot_growth,
    plot_scaling,
    plot_score_links,
)
from densing_bayes.quantities import density_table, frontier
from densing_bayes.report import write_report
from densing_bayes.summary import trend_summary
from densing_bayes.tally import ledger_rows

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FIGURES = ("frontier", "growth", "scaling", "score_links")
PICTURES = (*FIGURES, "claims")


@pytest.fixture(scope="module")
def summary(small_fit):
    return trend_summary(small_fit)


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
def report(passed_fit, tmp_path_factory):
    paths = write_report(passed_fit, tmp_path_factory.mktemp("report"))
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
    assert wording.number(value) == text


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
    assert wording.count(value) == text


def test_probability_is_never_0_or_1():
    assert [wording.probability(p) for p in (0.0, 0.005, 0.5, 0.995, 1.0)] == [
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
    words = {item.key: item.sentence for item in wording.headline(small_fit, changed)}
    for word in ("accelerated", "slowed", "is open"):
        assert (word in words["growth_change"]) == (word == said)
    assert not re.search(r"because|caused|due to|thanks to", " ".join(words.values()))


@pytest.mark.fit
def test_growth_that_may_be_zero_is_not_called_doubling(small_fit, summary):
    changed = copy.deepcopy(summary)
    changed["growth_rate"]["after"] |= {"lower": -0.001, "p_le_0": 0.2}
    changed["doubling_time_days"]["after"] |= {"upper": None, "upper_unbounded": True}
    first = wording.headline(small_fit, changed)[0]
    assert "not established" in first.sentence and "0.20" in first.sentence
    assert "no upper limit" in first.interval


# Files


@pytest.mark.fit
def test_report_writes_all_its_files_and_nothing_else(report):
    names = {"report.html", "report.md", "report.json", *(f"report_{n}.png" for n in PICTURES)}
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
    assert "<script" not in html


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
    assert document["trend"] == plain(trend_summary(passed_fit))
    assert document["verdict"] == "PASS"
    assert len(document["densities"]) == len(passed_fit.observed.systems)
    assert len(document["shelf_lives"]["systems"]) == len(passed_fit.observed.systems)
    assert {row["reading"] for row in document["readings"]} == {"frontier", "mean", "p95", "best"}
    assert [row["claim"] for row in document["claims"]["claims"]] == list(load_claims().index)
    html = report["report.html"].read_text()
    markdown = report["report.md"].read_text()
    for row in ledger_rows(claims([passed_fit]))[1]:
        assert row[0] in html and f"| {row[0]} |" in markdown
    for item in document["headline"]:
        assert item["sentence"] in markdown
    after = wording.limits(summary["doubling_time_days"]["after"])
    assert after in html and after in markdown
    for row in passed_fit.observed.counts().to_dict("records"):
        assert f"{row['systems']} systems in {row['releases']} releases" in html


@pytest.mark.fit
def test_report_of_a_failed_fit_says_so_first(failed_fit, tmp_path):
    html, markdown, *_ = (path for path in write_report(failed_fit, tmp_path))
    for path in (html, markdown):
        text = path.read_text()
        assert "has not converged" in text and "3 divergent transitions" in text
        assert text.index("has not converged") < text.index("doubles every")
        assert text.count("[FAIL]") == len(wording.headline(failed_fit, trend_summary(failed_fit)))


@pytest.mark.fit
def test_report_that_cannot_be_written_is_refused(small_fit, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DensingError, match="cannot write the report"):
        write_report(small_fit, tmp_path / "file")


@pytest.mark.fit
def test_report_of_a_trend_without_change_says_nothing_of_one(passed_fit, tmp_path):
    trend = passed_fit.spec.trend.model_copy(update={"changes": ()})
    none = np.array([])
    observed = dataclasses.replace(
        passed_fit.observed, changes=(), change_earliest=none, change_latest=none
    )
    plain_fit = dataclasses.replace(
        passed_fit, spec=passed_fit.spec.model_copy(update={"trend": trend}), observed=observed
    )
    html = write_report(plain_fit, tmp_path)[0].read_text()
    elsewhere = re.sub(
        # the ledger quotes what others say of it
        r"<p class=\"by\">.*?</p>|<td>Specification.*?</tr>|<h2>Ledger.*?</section>",
        "",
        html,
        flags=re.DOTALL,
    )
    assert "ChatGPT" not in elsewhere
    assert "doubles every" in html or "not established" in html


@pytest.mark.fit
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (CI installs it)")
def test_browser_shows_headline_and_figures(report, tmp_path):
    result = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}",
            "--virtual-time-budget=2000",
            "--enable-logging=stderr",
            "--dump-dom",
            report["report.html"].as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0
    assert "CONSOLE" not in result.stderr
    dom = result.stdout
    assert "Doubling time after ChatGPT" in dom
    for name in FIGURES:
        figure = dom[dom.index(f'id="figure-{name}"') :]
        assert "<svg" in figure[: figure.index("</figure>")]


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
