"""The loss law alone: known answers, runs off it, larger runs left out, and the commands."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from typer.testing import CliRunner

from densing_bayes import Fit
from densing_bayes.cli.main import app
from densing_bayes.corollaries.scaling.judgement import (
    largest_left_out,
    law_checks,
    off_the_law,
)
from densing_bayes.corollaries.scaling.model import LawFit, fit_law, law_draws, law_summary
from densing_bayes.corollaries.scaling.runs import chosen_runs, load_law_spec, load_runs
from densing_bayes.corollaries.scaling.section import law_report, predicted_sentence
from densing_bayes.errors import DensingError, FileFormatError, TableError
from densing_bayes.evaluation.outliers import far_limit, robust_distance
from densing_bayes.report.files import report_files

pytestmark = pytest.mark.fit

KNOWN = {"irreducible_loss": 1.8172, "params_exponent": 0.3478, "tokens_exponent": 0.3658}
FEWEST_TOKENS = {
    f"chinchilla-{i:03d}" for i in range(1, 6)
}  # a parameter, which are left out there
SHORT = {"draws": 1000, "tune": 700}


def including(spec):
    return spec.model_copy(update={"runs": spec.runs.model_copy(update={"flagged": "include"})})


def simulated(count, seed=3):
    """Runs on a grid, with a law whose constants are known and normal noise of 0.005."""
    rng = np.random.default_rng(seed)
    params = np.exp(rng.uniform(np.log(5e7), np.log(1e10), count))
    tokens = np.exp(rng.uniform(np.log(1e9), np.log(3e11), count))
    loss = 1.7 + (5e8 / params) ** 0.35 + (3e9 / tokens) ** 0.4
    loss *= np.exp(0.005 * rng.standard_normal(count))
    return pd.DataFrame({"params": params, "tokens": tokens, "loss": loss})


@pytest.fixture(scope="module")
def chinchilla():
    return fit_law(**SHORT)


@pytest.fixture(scope="module")
def own_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("law") / "own.csv"
    simulated(60).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def own(own_file):
    return fit_law(own_file, **SHORT)


@pytest.mark.slow
@pytest.mark.ci
def test_the_reanalysis_of_chinchilla_lies_within_the_posterior(chinchilla):
    assert chinchilla.verdict == "PASS", chinchilla.diagnostics["reasons"]
    said = law_summary(chinchilla)
    assert (said["runs"], said["flagged"]) == (240, 5)
    for name, value in KNOWN.items():
        assert said[name]["lower"] < value < said[name]["upper"], name
        width = said[name]["upper"] - said[name]["lower"]
        assert width < 0.1 * (said["prior"][name]["upper"] - said["prior"][name]["lower"])


@pytest.mark.slow
@pytest.mark.ci
def test_the_five_outliers_are_named_when_they_are_not_left_out():
    fit = fit_law(spec=including(load_law_spec()), **SHORT)
    assert fit.verdict == "PASS", fit.diagnostics["reasons"]
    judged = off_the_law(fit)
    assert set(judged["run"][:5]) == FEWEST_TOKENS
    assert judged["far"][:5].all()
    nothing = pd.DataFrame({"inside": [True]})
    nothing.attrs["verdict"] = "PASS"
    found = law_checks(fit, nothing)
    assert found.verdict == "REVIEW"
    advice = found.table.set_index("check")["recommendation"]["runs off the law"]
    assert all(name in advice for name in FEWEST_TOKENS)


def test_the_flagged_runs_are_those_with_fewest_tokens_a_parameter():
    runs = load_runs()
    few = runs.iloc[(runs["tokens"] / runs["params"]).argsort()[:5]]
    assert set(few["run"]) == FEWEST_TOKENS == set(runs["run"][runs["flag"] != ""])


def test_a_law_that_is_true_is_found_and_predicts_larger_runs(own):
    assert own.verdict == "PASS", own.diagnostics["reasons"]
    said = law_summary(own)
    for name, value in {
        "irreducible_loss": 1.7,
        "params_exponent": 0.35,
        "tokens_exponent": 0.4,
    }.items():
        assert said[name]["lower"] < value < said[name]["upper"], name
    assert not off_the_law(own)["far"].any()
    predicted = largest_left_out(own)
    assert len(predicted) == 6 and predicted["inside"].sum() >= 5
    seen = own.runs[~own.runs["run"].isin(predicted["run"])]
    assert seen["compute"].max() <= (6 * predicted["params"] * predicted["tokens"]).min()
    assert law_checks(own, predicted).verdict == "PASS"


def test_a_run_whose_tokens_are_not_all_it_saw_is_named(own):
    wrong = own.table.copy()
    wrong.loc[7, "tokens"] *= 20.0
    judged = off_the_law(LawFit(own.spec, wrong, own.runs, own.sampled))
    assert list(judged["run"][judged["far"]]) == [wrong["run"][7]]


def test_a_robust_distance_is_a_standard_deviation_and_outliers_do_not_move_it():
    residual = norm.ppf((np.arange(500) + 0.5) / 500) * 0.02
    np.testing.assert_allclose(robust_distance(residual), residual / 0.02, rtol=0.01)
    with_wild = robust_distance(np.r_[residual, [5.0, 7.0]])
    np.testing.assert_allclose(with_wild[:500], residual / 0.02, atol=0.05)
    assert norm.sf(far_limit(200)) * 2 * 200 == pytest.approx(0.01)


def test_a_fit_is_saved_without_loss(own, tmp_path):
    path = own.save(tmp_path / "law.nc")
    again = LawFit.load(path)
    assert law_summary(again) == law_summary(own)
    pd.testing.assert_frame_equal(again.runs, own.runs, check_dtype=False)
    np.testing.assert_array_equal(law_draws(again, own.runs), law_draws(own, own.runs))
    with pytest.raises(FileFormatError, match="loss law alone, which has no systems"):
        Fit.load(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.head(5), "5 runs: a loss law needs at least 8"),
        (lambda table: table.assign(tokens=1e10), "all runs have 1e.10 tokens"),
    ],
)
def test_tables_that_no_law_can_be_fitted_to_are_refused(change, said):
    table = change(load_runs().query("flag == ''"))
    with pytest.raises(DensingError, match=said):
        chosen_runs(table, load_law_spec())


def test_rows_without_a_name_are_called_by_their_row(own_file, tmp_path):
    assert load_runs(own_file)["run"][0] == "row 2"
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("params,tokens,loss\n7,1e12,2.0\n")
    with pytest.raises(TableError, match="looks like billions; write 7e9"):
        load_runs(wrong)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.slow
@pytest.mark.ci
def test_fit_check_and_report_take_a_law(own_file, tmp_path):
    saved, settings = tmp_path / "law.nc", ("--draws", 1000, "--tune", 700)
    made = run("fit", "scaling", "--data", own_file, "--out", saved, *settings)
    assert made.exit_code == 0, made.output
    found = json.loads(run("scaling", saved, "--json").stdout)
    assert found["runs"] == 60 and found["off_the_law"] == []
    checked = json.loads(run("check", saved, "--json").stdout)
    assert {row["check"] for row in checked["checks"]} >= {"runs off the law", "largest R-hat"}
    out = tmp_path / "report"
    assert run("report", saved, "--sections", "law,runs", "--out", out).exit_code == 0
    written = json.loads((out / "report.json").read_text())
    assert set(written["sections"]) == {"law", "runs"}
    for wrong, said in (
        (("trend", saved), "has no systems"),
        (("report", saved, "--sections", "trend"), "no section 'trend'"),
        (("report", saved, "--data", "open"), "leave --beside"),
        (("fit", "scaling", "--hypothesis", "none"), "without a trend"),
    ):
        result = run(*wrong)
        assert result.exit_code == 2 and said in result.stderr


def test_the_report_has_the_sections_that_are_wanted(own):
    page = report_files(law_report(own, wanted=["runs"]), ["md", "csv"])
    assert "## Runs off the law" in page["report.md"].decode()
    assert page["report_runs.csv"].decode().count("\n") == 61


def test_a_law_that_has_not_converged_predicts_nothing(own):
    predicted = own.runs.tail(6)[["run", "params", "tokens", "loss"]].assign(inside=True)
    predicted.attrs["verdict"] = "FAIL"
    found = law_checks(own, predicted)
    row = found.table.set_index("check").loc["share of the largest runs outside"]
    assert row["status"] == "REVIEW" and np.isnan(row["figure"])
    assert "nothing is predicted" in predicted_sentence(predicted, 0.95)
