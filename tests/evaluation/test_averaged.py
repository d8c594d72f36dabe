"""The averaged answer that belongs beside a fit: where it is found, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import densing_bayes as db
from densing_bayes.cli.main import app
from densing_bayes.display.answers.trend import trend_rows
from densing_bayes.display.headline import headline
from densing_bayes.errors import DensingError
from densing_bayes.evaluation.hypotheses import averaged, comparison
from densing_bayes.evaluation.hypotheses.table import Comparison
from densing_bayes.inputs.hypothesis import NONE
from densing_bayes.observed.observations import observe
from densing_bayes.posterior.plain import json_text
from densing_bayes.quantities.summary import trend_summary

pytestmark = pytest.mark.fit
EMPTY = pd.DataFrame()


@pytest.fixture
def compared(small_fit):
    """A comparison of the model and data of the small fit, of two hypotheses that passed."""
    spec = small_fit.spec
    bare = observe(db.load_panel("open"), spec.under(NONE))
    table = pd.DataFrame(
        {"verdict": ["PASS", "PASS"], "probability": [0.25, 0.75], "weight_release": [0.5, 0.5]},
        index=["chatgpt", "gpt-4"],
    )
    fits = {"chatgpt": small_fit, "gpt-4": small_fit}
    return Comparison(spec, bare, {}, fits, table, EMPTY, EMPTY, EMPTY)


@pytest.fixture(autouse=True)
def nothing_known(tmp_path, monkeypatch):
    """An empty store, and a package that brings nothing."""
    monkeypatch.setenv("DENSING_BAYES_CACHE", str(tmp_path / "store"))
    monkeypatch.setattr(averaged, "in_package", lambda: [])


def test_a_fit_without_a_comparison_says_that_it_is_conditional(small_fit):
    assert averaged.averaged_of(small_fit) is None
    summary = trend_summary(small_fit)
    assert summary["averaged"] is None
    said = headline(small_fit, summary)
    assert [each.key for each in said[:2]] == ["doubling_time", "growth_change"]
    assert "given a growth rate that may change at the release of ChatGPT" in said[0].title
    assert "Given a growth rate that may change at the release of ChatGPT" in said[0].sentence
    assert "conditional on that hypothesis" in said[0].sentence
    assert "--average" in said[0].sentence


def test_what_compare_leaves_in_the_store_is_found_by_model_and_data(small_fit, compared, tmp_path):
    averaged.keep_averaged(compared)
    found = averaged.averaged_of(small_fit)
    assert found["source"] == "store" and found["kind"] == "evidence"
    assert found["evidence"]["weights"] == {"chatgpt": 0.25, "gpt-4": 0.75}
    assert found["hypotheses"] == ["chatgpt", "gpt-4"]
    # a fit under another hypothesis of the same model shares it, one of another model does not
    later = db.load_spec("joint").under(db.load_hypothesis("gpt-4"))
    other = type(small_fit)(small_fit.data, later, small_fit.observed, {}, {})
    assert averaged.averaged_of(other)["evidence"] == found["evidence"]
    changed = small_fit.spec.replace(panel__size="total")
    assert (
        averaged.averaged_of(type(small_fit)(small_fit.data, changed, small_fit.observed, {}, {}))
        is None
    )
    # a store in another folder has nothing
    assert list((tmp_path / "store").glob("averaged-*.json"))


@pytest.mark.parametrize("content", ["[]", '{"a": 1}', "{", "[" * 20000])
def test_an_entry_that_is_not_what_was_written_is_passed_over(
    content, small_fit, compared, tmp_path, caplog
):
    averaged.keep_averaged(compared)
    (entry,) = (tmp_path / "store").iterdir()
    entry.write_text(content, encoding="utf-8")
    assert averaged.averaged_of(small_fit) is None
    assert "cannot be read" in caplog.text
    with pytest.raises(DensingError, match=r"not valid JSON|no averages of a comparison"):
        averaged.averaged_of(small_fit, entry)


def test_a_comparison_is_not_lost_where_its_averages_cannot_be_kept(compared, tmp_path, caplog):
    (tmp_path / "file").touch()
    averaged.keep_averaged(compared, tmp_path / "file" / "sub")
    assert "could not be stored" in caplog.text


def test_of_several_comparisons_the_one_of_most_hypotheses_counts(small_fit, compared):
    averaged.keep_averaged(compared)
    table = pd.DataFrame(
        {"verdict": ["PASS"] * 3, "probability": [0.2, 0.3, 0.5], "weight_release": [0.2] * 3},
        index=["chatgpt", "gpt-4", "none"],
    )
    more = Comparison(compared.spec, compared.observed, {}, compared.fits | {"none": small_fit},
                      table, EMPTY, EMPTY, EMPTY)  # fmt: skip
    averaged.keep_averaged(more)
    averaged.keep_averaged(compared)
    assert len(averaged.averaged_of(small_fit)["hypotheses"]) == 3


def test_a_comparison_in_which_nothing_passed_is_not_kept(small_fit, compared, monkeypatch):
    failed = Comparison(compared.spec, compared.observed, {}, compared.fits,
                        compared.table.assign(verdict="FAIL"), EMPTY, EMPTY, EMPTY)  # fmt: skip
    averaged.keep_averaged(failed)
    assert averaged.averaged_of(small_fit) is None
    assert averaged.averaged_of(small_fit, failed) is None
    monkeypatch.setattr(comparison, "compare", lambda *_, **__: failed)
    with pytest.raises(DensingError, match="no hypothesis has passed"):
        comparison.make_averaged(small_fit, db.load_panel("open"))


def test_what_the_package_brings_counts_only_for_its_own_model_and_data(
    small_fit, compared, monkeypatch
):
    document = averaged.averaged_document(compared) | {"name": "joint", "source": "package"}
    monkeypatch.setattr(averaged, "in_package", lambda: [document])
    assert averaged.averaged_of(small_fit)["source"] == "package"
    document["data_hash"] = "0" * 64
    assert averaged.averaged_of(small_fit) is None


def test_the_averaged_figure_is_said_beside_the_conditional_one(small_fit, compared):
    found = averaged.averaged_of(small_fit, compared, ci=0.8)
    summary = trend_summary(small_fit, 0.8, found)
    said = {each.key: each for each in headline(small_fit, summary)}
    assert "conditional on that hypothesis" not in said["doubling_time"].sentence
    mixed = said["averaged"]
    assert mixed.title.endswith("averaged over 2 hypotheses by evidence")
    assert "(gpt-4 0.75, chatgpt 0.25)" in mixed.sentence and "80% interval" in mixed.sentence
    exact = np.median(db.doubling_time(db.growth(small_fit)["after"]))
    assert found["evidence"]["doubling_time_after"]["median"] == pytest.approx(exact, rel=0.02)
    labels = [row.label for row in trend_rows(small_fit, summary)]
    assert labels[-3] == "Doubling time since 2022-11-30, days, averaged"
    wide = trend_rows(small_fit, trend_summary(small_fit, 0.5, found))
    assert wide[-1].label.endswith("(80% interval)")


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_trend_takes_a_comparison_from_a_file(small_fit_file, compared, tmp_path):
    path = tmp_path / "comparison.json"
    path.write_text(json_text({"averaged": averaged.averaged_document(compared)}))
    shown = run("trend", small_fit_file, "--comparison", path)
    assert shown.exit_code == 0, shown.output
    assert "Averaged over 2 hypotheses by evidence" in " ".join(shown.stdout.split())
    document = json.loads(run("trend", small_fit_file, "--comparison", path, "--json").stdout)
    estimate = document["averaged"]["evidence"]["doubling_time_after"]
    assert {"mean", "median", "lower", "upper", "ci", "unit"} <= set(estimate)
    assert document["averaged"]["source"] == "file comparison.json"
    assert json.loads(run("trend", small_fit_file, "--json").stdout)["averaged"] is None


def test_bad_comparisons_are_refused(small_fit_file, compared, tmp_path):
    content = averaged.averaged_document(compared)
    cases = {
        "not valid JSON": "{",
        "no averages of a comparison in it": json_text({"hypotheses": []}),
        "is of another model than the fit": json_text({"averaged": content | {"spec_hash": "0"}}),
        "is of another data than the fit": json_text({"averaged": content | {"data_hash": "0"}}),
    }
    for message, text in cases.items():
        path = tmp_path / "comparison.json"
        path.write_text(text)
        refused = run("trend", small_fit_file, "--comparison", path)
        assert refused.exit_code == 2 and message in " ".join(refused.stderr.split())
    absent = run("trend", small_fit_file, "--comparison", tmp_path / "absent.json")
    assert absent.exit_code == 2 and "cannot be read" in absent.stderr
    both = run("trend", small_fit_file, "--comparison", path, "--average")
    assert both.exit_code == 2 and "leave --comparison out" in both.stderr
    alone = run("trend", small_fit_file, "--data", tmp_path)
    assert alone.exit_code == 2 and "--data names the tables for --average" in alone.stderr


def test_average_compares_all_hypotheses_on_the_tables_of_the_fit(
    small_fit_file, small_fit, compared, monkeypatch
):
    asked = []

    def compare(spec, panel, draws, progress):
        asked.append((spec, panel, draws))
        return compared

    monkeypatch.setattr("densing_bayes.evaluation.hypotheses.comparison.compare", compare)
    shown = run("trend", small_fit_file, "--average", "--json", "--ci", "0.9")
    assert shown.exit_code == 0, shown.output
    assert "some ten minutes" in shown.stderr
    found = json.loads(shown.stdout)["averaged"]
    assert found["source"] == "made now"
    assert found["stacking"]["growth_after"]["ci"] == 0.9
    ((spec, panel, draws),) = asked
    assert spec.hash == small_fit.spec.hash and draws == 1000
    assert panel.sha256 == small_fit.provenance["tables_hash"]
    wrong = run("trend", small_fit_file, "--average", "--data", "paper")
    assert wrong.exit_code == 2 and "are not those that the fit has seen" in wrong.stderr


def test_the_package_brings_only_what_can_be_read():
    """The committed file: each record says what it belongs to, and has averages."""
    from importlib.resources import files

    text = files("densing_bayes.data").joinpath(averaged.IN_PACKAGE).read_text(encoding="utf-8")
    for record in json.loads(text):
        assert {"name", "spec_hash", "data_hash", "created", "hypotheses"} <= set(record)
        assert any(kind in record for kind in averaged.KINDS)
        assert sum(record[averaged.KINDS[0]]["weights"].values()) == pytest.approx(1.0)
