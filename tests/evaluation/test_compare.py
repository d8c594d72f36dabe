"""Comparison of hypotheses: a small real one, its words, and what is refused."""

import dataclasses
import json
import os
import subprocess
import sys
from importlib.resources import files

import joblib
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import densing_bayes as db
from densing_bayes.cli.main import app
from densing_bayes.display import findings
from densing_bayes.display.answers.hypotheses import comparison_document
from densing_bayes.display.figures import hypotheses as hypothesis_figures
from densing_bayes.display.figures.canvas import small_multiples
from densing_bayes.errors import DensingError
from densing_bayes.evaluation.hypotheses import criteria
from densing_bayes.evaluation.hypotheses import table as comparison_table
from densing_bayes.fitting import many
from densing_bayes.posterior import diagnostics
from densing_bayes.posterior.plain import json_text

SETTINGS = {"draws": 150, "tune": 250, "chains": 2, "jobs": 1, "progress": False}
NAMES = ["chatgpt", "gpt-4"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def comparison(folder):
    """Two hypotheses of one structure, few draws: the verdicts do not matter here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many, "patient", lambda settings, found: settings)
        patch.setattr(criteria, "DRAWS", 100)
        return db.compare("joint", NAMES, store=folder, **SETTINGS)


@pytest.mark.fit
def test_the_table_has_every_criterion(comparison):
    table = comparison.table
    assert list(table.index) == NAMES
    assert np.isfinite(table[["elpd_release", "elpd_system", "log_evidence"]].to_numpy()).all()
    assert table["diff_release"].max() == 0.0
    assert table["weight_release"].sum() == pytest.approx(1.0)
    assert (table["growth_change_lower"] < table["growth_change_upper"]).all()


@pytest.mark.fit
def test_fits_have_the_changes_of_their_hypothesis_only(comparison):
    """The compilation that they share has room for a jump."""
    for name, fit in comparison.fits.items():
        for group in ("posterior", "prior"):
            assert list(fit.data[group]["slope_change"].to_numpy()) == [name]
            assert "level_change" not in fit.data[group]
        assert set(fit.data["constant_data"].data_vars) == {"change_earliest"}
        assert fit.spec.hash == db.load_spec("joint").under(db.load_hypothesis(name)).hash


@pytest.mark.fit
def test_evidence_of_a_fit_that_did_not_pass_is_not_used(comparison):
    table = comparison.table
    assert not table.loc[table["verdict"] != "PASS", "evidence_usable"].any()
    assert table.loc[~table["evidence_usable"], "probability"].isna().all()


@pytest.mark.fit
def test_what_lies_between_two_dates_is_said(comparison):
    row = comparison.dates.iloc[0]
    assert (row["first"], row["second"]) == ("chatgpt", "gpt-4")
    assert (row["days"], row["systems"], row["releases"]) == (104, 5, 2)
    said = " ".join(findings.sentences(comparison))
    assert "104 days apart with 5 systems in 2 releases" in said
    assert "names no cause" in said


@pytest.mark.fit
def test_the_text_has_all_criteria_and_the_sensitivity_side_by_side(comparison):
    header, rows = findings.rows_of(comparison.table)
    assert {"P(>0)", "LORO", "LOSO", "Log evidence", "Power of prior"} <= set(header)
    for cells, (name, row) in zip(rows, comparison.table.iterrows(), strict=True):
        shown = dict(zip(header, cells, strict=True))
        assert shown["Hypothesis"] == name
        assert shown["Power of prior"] == f"{row['power_prior']:.2f}"
        assert shown["Power of likelihood"] == f"{row['power_likelihood']:.2f}"


@pytest.mark.fit
def test_the_document_is_strict_json(comparison):
    text = json_text(comparison_document(comparison))
    content = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert [row["hypothesis"] for row in content["hypotheses"]] == NAMES
    assert len(content["sensitivity"]) == 4
    assert set(content) == {
        "hypotheses", "dates", "change_dates", "sensitivity", "forecasts", "averaged", "findings",
        "provenance",
    }  # fmt: skip
    assert content["change_dates"] == {}


@pytest.mark.fit
def test_figures_show_every_hypothesis(comparison):
    from matplotlib import pyplot as plt

    axes = hypothesis_figures.plot_hypotheses(comparison)
    assert [ax.get_title("left").split(" ")[0] for ax in axes] == NAMES
    again = hypothesis_figures.plot_hypotheses(
        comparison, list(plt.figure().subplots(1, len(NAMES)))
    )
    for ax, other in zip(axes, again, strict=True):
        assert ax.get_ylim() == other.get_ylim()
    ax = hypothesis_figures.plot_growth_changes(comparison)
    assert [label.get_text() for label in ax.get_yticklabels()] == NAMES
    with pytest.raises(DensingError, match="no date is open"):
        hypothesis_figures.plot_change_date(comparison.fits["chatgpt"])
    plt.close("all")


def test_the_lowest_of_small_multiples_in_each_column_shows_its_dates():
    from matplotlib import pyplot as plt

    axes = small_multiples(5, 3, (1.0, 1.0), (0.0, 0.0), sharex=True)
    labelled = [ax.xaxis.get_tick_params()["labelbottom"] for ax in axes]
    assert labelled == [False, False, True, True, True]
    plt.close(axes[0].figure)


@pytest.mark.fit
def test_a_comparison_that_was_stopped_goes_on(comparison, folder, monkeypatch):
    monkeypatch.setattr(many, "patient", lambda settings, found: settings)
    monkeypatch.setattr(many, "compile_fit", lambda *_: pytest.fail("compiled again"))
    again = db.compare("joint", NAMES, store=folder, **SETTINGS)
    pd.testing.assert_frame_equal(again.table, comparison.table)


@pytest.mark.fit
def test_a_fit_of_ones_own_is_taken_as_it_is(comparison, folder, monkeypatch):
    """And leaves the store to the fits that were made there."""
    own = comparison.fits["gpt-4"]
    own = dataclasses.replace(own, provenance=own.provenance | {"created": "today"})
    monkeypatch.setattr(many, "patient", lambda settings, found: settings)
    monkeypatch.setattr(criteria, "DRAWS", 100)
    before = {path.name for path in folder.glob("*.nc")}
    found = db.compare("joint", ["chatgpt", own], store=folder, **SETTINGS)
    assert found.fits["gpt-4"] is own
    np.testing.assert_allclose(found.table["elpd_release"], comparison.table["elpd_release"])
    assert {path.name for path in folder.glob("*.nc")} == before


@pytest.mark.fit
def test_it_runs_on_a_dask_cluster(comparison, folder):
    """Everything is in the store, so that the workers have to find it there and no more."""
    import joblib
    from dask.distributed import Client, LocalCluster

    settings = SETTINGS | {"jobs": None}
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    )
    seen = []
    with cluster, Client(cluster) as client, joblib.parallel_config("dask"):
        assert many.workers_of(None) is None
        found = many.run("squares", _worker_of, [(i,) for i in range(3)], jobs=None, progress=False)
        seen = set(found)
        names = set(client.scheduler_info()["workers"])
        # More draws would be fitted anew where the small fits failed, so none of that here.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(many, "patient", lambda settings, found: settings)
            again = db.compare("joint", NAMES, store=folder, **settings)
    assert seen <= names
    pd.testing.assert_frame_equal(again.table, comparison.table)


def _worker_of(_):
    from dask.distributed import get_worker

    return get_worker().address


OWN = """
name = "own"
[[changes]]
name = "some day"
earliest = 2022-06-01
latest = 2023-06-01
"""
FEW = ["--draws", "150", "--tune", "250", "--chains", "2", "--jobs", "1"]


def passed(*drawn, diagnose=diagnostics.diagnose):
    """Few draws are enough here, so that refits are used: what the gate finds does not count."""
    figures, table = diagnose(*drawn)
    return figures | {"verdict": "PASS", "reasons": []}, table


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_a_whole_comparison_from_the_command_line(tmp_path, monkeypatch):
    """Another model, a file of one's own with an open date, exact refits and forecasts."""
    monkeypatch.setattr(diagnostics, "diagnose", passed)
    monkeypatch.setattr(criteria, "DRAWS", 300)
    monkeypatch.setenv("DENSING_BAYES_CACHE", str(tmp_path / "store"))
    (tmp_path / "own.toml").write_text(OWN)
    joint = (files("densing_bayes.models") / "joint.toml").read_text("utf-8")
    mean = joint.replace('frontier = "half-normal"', 'frontier = "none"')
    assert mean != joint
    (tmp_path / "mean.toml").write_text(mean)
    given = [str(tmp_path / "mean.toml"), "none", str(tmp_path / "own.toml")]
    out = tmp_path / "out"
    found = CliRunner().invoke(
        app, ["compare", *given, "--exact", "--forecast", "--out", str(out), *FEW]
    )
    assert found.exit_code == 0, found.output
    content = json.loads((out / "comparison.json").read_text())
    rows = {row["hypothesis"]: row for row in content["hypotheses"]}
    assert set(rows) == {"none", "own"}
    for row in rows.values():
        assert row["exact_release"] == row["k_above_release"]
        assert row["forecast_passed"] == 5 and row["forecast_usable"]
        own = [each for each in content["forecasts"] if each["hypothesis"] == row["hypothesis"]]
        above = sum(k > 0.7 for each in own for k in each["k"])
        assert row["k_above_forecast"] == above
    assert {(row["hypothesis"], row["prior"], row["factor"]) for row in content["sensitivity"]} == {
        ("own", prior, factor) for prior in ("growth_change", "window") for factor in (0.5, 2.0)
    }
    assert all(row["log_evidence_change"] is not None for row in content["sensitivity"])
    assert len({row["cut"] for row in content["forecasts"]}) == 5
    date = content["change_dates"]["own"]["some day"]
    assert "2022-06-01" <= date["lower"] < date["median"] < date["upper"] <= "2023-06-01"
    assert f"Under own, some day lies at {date['median']}" in " ".join(content["findings"])
    assert (out / "comparison.md").exists() and any(out.glob("*date-own.png"))
    for header in ("LORO", "CRPS", "Log evidence"):
        assert header in found.output
    # Everything is in the store: nothing is fitted for the same question.
    monkeypatch.setattr(many, "compile_fit", lambda *_: pytest.fail("compiled again"))
    again = CliRunner().invoke(app, ["compare", *given, "--exact", "--forecast", "--json", *FEW])
    assert json.loads(again.output)["hypotheses"] == content["hypotheses"]


@pytest.mark.slow
def test_a_comparison_that_was_killed_keeps_its_finished_fits(tmp_path):
    command = [sys.executable, "-m", "densing_bayes", "compare", "joint", *NAMES, *FEW]
    environment = os.environ | {"DENSING_BAYES_CACHE": str(tmp_path)}
    started = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    while not (finished := list(tmp_path.glob("*.nc"))):
        with pytest.raises(subprocess.TimeoutExpired):
            started.wait(0.2)
    started.kill()
    started.wait()
    before = {path: path.stat().st_mtime_ns for path in finished}
    found = subprocess.run([*command, "--json"], env=environment, capture_output=True, check=False)
    rows = json.loads(found.stdout)["hypotheses"]
    assert [row["hypothesis"] for row in rows] == NAMES
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(list(tmp_path.glob("*.nc"))) > len(before)


@pytest.mark.slow
def test_workers_of_a_dask_cluster_make_the_fits(tmp_path):
    import joblib
    from dask.distributed import Client, LocalCluster

    settings = SETTINGS | {"jobs": None}
    cluster = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster), joblib.parallel_config("dask"):
        found = db.compare("joint", NAMES, store=tmp_path, **settings)
    assert list(found.table.index) == NAMES
    assert np.isfinite(found.table["log_evidence"]).all()


# What is refused ---------------------------------------------------------------------------------


def test_no_more_processes_are_started_than_there_are_tasks(monkeypatch):
    class Serial:
        def __init__(self, n_jobs, **_):
            assert n_jobs == 2

        def __call__(self, calls):
            return (task(*given, **named) for task, given, named in calls)

    monkeypatch.setattr(joblib, "Parallel", Serial)
    assert many.run("x", abs, [(-1,), (2,)], jobs=100_000, progress=False) == [1, 2]


def test_two_hypotheses_of_one_name_are_refused():
    with pytest.raises(DensingError, match="two hypotheses are called 'none'"):
        db.compare("joint", ["none", "none"])


@pytest.mark.fit
def test_a_fit_to_other_data_is_refused(small_fit):
    fewer = small_fit.observed.of_systems(small_fit.observed.time > -2.0)
    other = dataclasses.replace(small_fit, observed=fewer)
    with pytest.raises(DensingError, match="has seen other data"):
        db.compare("joint", ["none", other])


@pytest.mark.fit
def test_a_fit_of_another_model_is_refused(small_fit):
    other = dataclasses.replace(small_fit, spec=small_fit.spec.replace(trend__size_slope=False))
    with pytest.raises(DensingError, match="differs from 'joint' in more than"):
        db.compare("joint", ["none", other])


def test_a_store_that_cannot_be_made_is_named(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(DensingError, match=r"cannot make the store .*store=False"):
        db.compare("joint", ["none"], store=file / "sub")


# The words ---------------------------------------------------------------------------------------


def table_of(**columns):
    count = len(next(iter(columns.values())))
    names = ["a", "b", "c"][:count]
    plain = {
        "verdict": ["PASS"] * count,
        "prior_odds": [1.0] * count,
        "diff_release": [0.0] * count,
        "diff_se_release": [1.0] * count,
        "log_evidence": [0.0] * count,
        "log_evidence_error": [0.1] * count,
        "evidence_usable": [True] * count,
    }
    table = pd.DataFrame(plain | columns, index=names)
    return table.assign(probability=comparison_table.posterior_probabilities(table))


def test_small_differences_are_not_read():
    table = table_of(diff_release=[0.0, -3.0, -9.0], diff_se_release=[0.0, 0.5, 6.0])
    assert findings.rankings(table)[0].level == ["b", "c"]


def test_large_differences_are():
    table = table_of(diff_release=[0.0, -9.0, -30.0], diff_se_release=[0.0, 3.0, 4.0])
    ranking = findings.rankings(table)[0]
    assert (ranking.best, ranking.behind) == ("a", ["b", "c"])


@pytest.mark.fit
def test_what_did_not_pass_is_no_measure_of_the_others(comparison):
    """Even where it would come first; without a pass at all, the numbers are shown."""
    answer = {
        name: {
            "release": {"elpd": [value, value], "k": [0.1, 0.9]},
            "system": {"elpd": [value, value], "k": [0.1, 0.1]},
            "evidence": {"value": value, "error": 0.1},
            "power": {"prior": None, "likelihood": None},
        }
        for name, value in zip(NAMES, (-1.0, -9.0), strict=True)
    }

    def table(*verdicts):
        fits = {
            name: dataclasses.replace(fit, diagnostics=fit.diagnostics | {"verdict": verdict})
            for (name, fit), verdict in zip(comparison.fits.items(), verdicts, strict=True)
        }
        return comparison_table.criteria_table(comparison.hypotheses, fits, answer, pd.DataFrame())

    found = table("FAIL", "PASS")
    assert found["diff_release"].isna().tolist() == [True, False]
    assert found["diff_release"].iloc[1] == 0.0
    ranking = findings.rankings(found)[0]
    assert (ranking.best, ranking.behind, ranking.unusable) == (NAMES[1], [], [NAMES[0]])
    header, rows = findings.criterion_rows(found)
    assert rows[0][header.index("LORO")] == "not usable"
    assert table("FAIL", "FAIL")["diff_release"].tolist() == [0.0, -16.0]


def test_the_sensitivity_shows_a_growth_change_where_there_is_one():
    row = {"hypothesis": "a", "prior": "p", "factor": 2.0, "log_evidence_change": 0.5, "error": 0.1}
    sides = [f"growth_change{side}" for side in ("", "_lower", "_upper")]
    cases = [(1.0, 0.5, 1.5), (0.0, 0.0, 0.0), (None, None, None)]
    table = pd.DataFrame([row | dict(zip(sides, case, strict=True)) for case in cases])
    shown = [cells[-1] for cells in findings.sensitivity_rows(table)[1]]
    assert shown == ["365.25 (182.62 to 547.88)", "-", "-"]


def test_evidence_counts_its_own_error():
    near, far = (
        findings.rankings(table_of(log_evidence=[0.0, -3.2 - extra]))[1] for extra in (0.0, 1.0)
    )
    assert near.level == ["b"] and far.behind == ["b"]


def test_evidence_that_is_not_usable_is_not_ranked():
    table = table_of(log_evidence=[0.0, 9.0], evidence_usable=[True, False])
    ranking = findings.rankings(table)[1]
    assert ranking.best == "a" and ranking.unusable == ["b"]
    assert table["probability"].iloc[0] == 1.0


def test_forecasts_of_fits_that_did_not_pass_are_not_ranked():
    columns = {"diff_forecast": [0.0, np.nan], "diff_se_forecast": [0.0, np.nan]}
    table = table_of(**columns, forecast_usable=[True, False])
    ranking = findings.rankings(table)[1]
    assert (ranking.best, ranking.level, ranking.unusable) == ("a", [], ["b"])
    assert len(findings.rankings(table.assign(forecast_usable=False))) == 2


@pytest.mark.fit
def test_a_second_try_takes_smaller_steps_for_divergences_and_more_draws_for_slow_mixing(small_fit):
    good = {"rhat_max": 1.005, "ess_bulk_min": 900.0, "ess_tail_min": 800.0, "divergences": 0}

    def settings(*reasons, **figures):
        found = dataclasses.replace(small_fit, diagnostics=good | figures | {"reasons": reasons})
        return many.patient({"draws": 10, "tune": 5, "target_accept": 0.95}, found)

    diverged = settings("2 divergent transitions", divergences=2)
    assert diverged == {"draws": 10, "tune": 10, "target_accept": many.CAREFUL_ACCEPT}
    slow = settings("R-hat 1.013", rhat_max=1.013)
    assert slow == {"draws": 20, "tune": 5, "target_accept": 0.95}
    assert settings("tail ESS 210", ess_tail_min=210.0)["draws"] == 30
    assert settings("bulk ESS 12", ess_bulk_min=12.0)["draws"] == 10 * many.PATIENCE
    both = settings("R-hat 1.013", "2 divergent transitions", rhat_max=1.013, divergences=2)
    assert both["draws"] == 40 and 0.95 < both["target_accept"] < 1.0


def test_prior_odds_count():
    table = table_of(log_evidence=[0.0, 0.0], prior_odds=[3.0, 1.0])
    np.testing.assert_allclose(table["probability"], [0.75, 0.25])


def test_disagreement_of_criteria_is_said():
    table = table_of(diff_release=[0.0, -9.0], diff_se_release=[0.0, 1.0], log_evidence=[0.0, 9.0])
    said = findings.agreement(findings.rankings(table))
    assert said.startswith("The criteria disagree: a, first by leave-one-release-out prediction")
    assert "b, first by evidence" in said
