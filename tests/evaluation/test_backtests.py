"""Backtests: what was said of a window, and how it is judged."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from examples import CUT, last_window, past_of
from scipy import stats
from scipy.special import expit
from typer.testing import CliRunner

import densing_bayes as db
from densing_bayes.cli.main import app
from densing_bayes.errors import DensingError, SpecError
from densing_bayes.evaluation import leave_out
from densing_bayes.evaluation.backtests import backtests, rivals
from densing_bayes.inputs.specification import load_spec
from densing_bayes.observed.observations import observe


def test_joint_log_score_is_the_density_of_a_normal_window():
    random = np.random.default_rng(0)
    mean, covariance = np.array([0.3, -0.2]), np.array([[0.3, 0.2], [0.2, 0.4]])
    drawn = random.multivariate_normal(mean, covariance, 200_000)
    at = np.array([0.5, 0.1])
    expected = stats.multivariate_normal(mean, covariance).logpdf(at)
    assert backtests.joint_log_score(expit(drawn), expit(at)) == pytest.approx(expected, abs=0.02)
    # scores that miss together are foreseen by draws that scatter together, at equal widths
    alone = np.column_stack([random.permutation(drawn[:, i]) for i in range(2)])
    together = mean + np.array([1.2, 1.3])
    foreseen, not_so = (
        backtests.joint_log_score(expit(draws), expit(together)) for draws in (drawn, alone)
    )
    assert foreseen > not_so + 0.5


def test_pit_of_what_was_drawn_is_uniform_and_never_at_an_end():
    random = np.random.default_rng(1)
    drawn, seen = random.random((500, 2000)), random.random(2000)
    pit = backtests._pit(drawn, seen)
    assert stats.kstest(pit, "uniform").pvalue > 1e-3
    ends = backtests._pit(np.zeros((10, 2)), np.array([-1.0, 1.0]))
    np.testing.assert_allclose(ends, [0.05, 0.95])


def test_rivals_are_regressions_of_the_past():
    """A world in which each rival is right: a plane in size and date, measured on one benchmark."""
    spec = load_spec("joint")
    observed = observe(db.load_panel("open"), spec)
    plane = 0.5 * (observed.log_params - 22.0) + 0.4 * observed.time - 0.3
    random = np.random.default_rng(2)
    noise = 0.05 * random.standard_normal(len(observed.score))
    score = expit(plane[observed.cell_system] + noise)
    observed = dataclasses.replace(observed, score=score)
    past = observed.of_systems(observed.time < 1.0)
    coming = observed.of_systems(observed.time >= 1.0)
    drawn = rivals.regression_scores(past, coming, dt.date(2023, 11, 30), 183, trend=True, seed=0)
    pit = backtests._pit(drawn, coming.score)
    assert stats.kstest(pit, "uniform").pvalue > 1e-3
    level = rivals.regression_scores(past, coming, dt.date(2023, 11, 30), 183, trend=False, seed=0)
    assert backtests._pit(level, coming.score).mean() > 0.7  # it lags behind
    every = rivals.rival_scores(spec, past, coming, dt.date(2023, 11, 30), 183)
    assert set(every) == set(rivals.RIVALS)
    assert all(np.isfinite(values).all() for values in every.values())


@pytest.mark.fit
def test_a_window_is_judged_by_the_draws_of_the_fit(small_fit):
    observed, found = small_fit.observed, last_window(small_fit)
    cells, window = found.cells, found.windows.iloc[0]
    own = leave_out.released_within(observed, CUT)[observed.system_release]
    coming = observed.of_systems(own)
    assert len(cells) == len(coming.score) == window["cells"]
    np.testing.assert_array_equal(cells["score"], coming.score)
    inside = (cells["score"] >= cells["lower80"]) & (cells["score"] <= cells["upper80"])
    np.testing.assert_array_equal(cells["covered80"], inside)
    near = (cells["pit"] - 0.1).abs().lt(0.01) | (cells["pit"] - 0.9).abs().lt(0.01)
    np.testing.assert_array_equal(inside[~near], cells["pit"].between(0.1, 0.9)[~near])
    figures = backtests.summary(found)
    share = figures["coverage"]["80"]
    assert share["share"] == pytest.approx(inside.mean())
    assert share["band"][0] < share["share"] < share["band"][1]
    assert figures["crps"] == pytest.approx(cells["crps"].mean())
    for rival in rivals.RIVALS:
        expected = cells["crps"].mean() / cells[f"crps: {rival}"].mean()
        assert figures["crps_ratio"][rival] == pytest.approx(expected)
    z = stats.norm.ppf(window["mean_pit"])
    assert figures["window_means"]["p"] == pytest.approx(stats.chi2.sf(z**2, 1))


@pytest.mark.fit
def test_score_finds_what_a_fit_has_not_seen(small_fit, small_fit_file, tmp_path):
    past = past_of(small_fit)
    found = backtests.score(past)
    unseen = set(small_fit.observed.systems) - set(past.observed.systems)
    assert set(found.cells["system"]) == unseen
    assert set(found.windows["window"]) == {"2024-H1", "2024-H2"}
    with pytest.raises(DensingError, match="has no system that the fit has not seen"):
        backtests.score(small_fit)
    result = CliRunner().invoke(app, ["score", str(small_fit_file), "--json"])
    assert result.exit_code == 2 and "has not seen" in result.stderr


@pytest.mark.fit
def test_a_panel_with_several_protocols_and_families_of_runs(small_fit):
    """Runs of the other panel are of no matter; of several scores of a cell one has to be named."""
    with pytest.raises(SpecError, match="say which to take"):
        backtests.score(small_fit, "current")
    found = backtests.score(small_fit, "current", protocols=["report"])
    seen = set(small_fit.observed.systems)
    assert len(found.cells) > 100
    assert not seen & set(found.cells["system"])
    assert found.cells["score"].between(0.0, 1.0).all()


@pytest.mark.fit
def test_a_fit_is_scored_on_a_folder_of_later_systems(small_fit_file, small_fit, tmp_path):
    """The embedded panel with a release more."""
    db.export_panel(tmp_path, "open") if False else db.export_panel("open", tmp_path)
    folder = next(p.parent for p in tmp_path.rglob("systems.csv"))
    systems = pd.read_csv(folder / "systems.csv", dtype=str, keep_default_na=False)
    scores = pd.read_csv(folder / "scores.csv", dtype=str, keep_default_na=False)
    new = systems[systems["system"] == "llama-3-8b"].assign(
        system="llama-9-8b", family="Llama 9", release="Llama 9@2025-03-01",
        release_date="2025-03-01",
    )  # fmt: skip
    told = scores[scores["system"] == "llama-3-8b"].assign(system="llama-9-8b")
    pd.concat([systems, new]).to_csv(folder / "systems.csv", index=False)
    pd.concat([scores, told]).to_csv(folder / "scores.csv", index=False)
    result = CliRunner().invoke(
        app, ["score", str(small_fit_file), "--data", str(folder), "--json"]
    )
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["n"] == len(told[told["flag"] == ""])
    assert set(document["coverage"]) == {"50", "80", "95"}
    assert {"benchmark", "window", "release"} == set(document["pit"])
    assert list(document["pit"]["release"]) == ["Llama 9@2025-03-01"]
    shown = CliRunner().invoke(app, ["score", str(small_fit_file), "--data", str(folder)])
    assert "80%" in shown.stdout and "2025-H1" in shown.stdout


@pytest.mark.fit
def test_a_backtest_is_of_fits_to_the_past_and_is_kept(small_fit, tmp_path, monkeypatch):
    made = []

    def make(request, **_):
        made.append(request.visible.systems)
        return past_of(small_fit)

    monkeypatch.setattr(backtests, "fitter", lambda terms, keep: make)
    first, again = (db.backtest("joint", cuts=1, jobs=1, store=tmp_path) for _ in range(2))
    assert len(made) == 1
    assert not set(made[0]) & set(first.cells["system"])
    pd.testing.assert_frame_equal(first.cells, again.cells)
    with pytest.raises(DensingError, match="needs at least one cut"):
        db.backtest("joint", cuts=0)
    with pytest.raises(DensingError, match="draws = 0 is too few"):
        db.backtest("joint", draws=0)
