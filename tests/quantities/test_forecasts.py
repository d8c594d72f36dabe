"""Forecasts of dates, params and scores; their fan; and forecasts put to the test."""

import dataclasses
import datetime as dt
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from examples import of_the_past
from scipy import stats

from densing_bayes.corollaries.forecast.figures import plot_score_fan, score_fan, systems_near
from densing_bayes.errors import DensingError
from densing_bayes.evaluation.backtests import accuracy, rivals
from densing_bayes.fitting.many import Request, Terms
from densing_bayes.fitting.store import versions
from densing_bayes.inputs.dates import date_of, years_since_origin
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_hypothesis, load_spec
from densing_bayes.observed.observations import observe
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.forecasts import (
    forecast_date,
    params_at,
    params_needed,
    release_score_at,
    score_at,
    score_limit,
)
from densing_bayes.quantities.summary import forecast_summary
from densing_bayes.report.gallery import get_plot_data

ANALYSES = Path(__file__).parents[2] / "analyses"
CUT = dt.date(2024, 1, 23)


def hand_made(spec=None, count=3, **values):
    """A fit of a few draws of given values on the open panel; scalars are the same in all."""
    spec = spec or load_spec("joint")
    observed = observe(load_panel("open"), spec)
    coords = {
        "benchmark": list(observed.benchmarks),
        "loss_benchmark": list(observed.loss_benchmarks),
        "direct_benchmark": list(observed.direct_benchmarks),
        "slope_change": [c.name for c in spec.trend.changes if c.slope],
    }
    defaults = {
        "level": 0.0, "growth_before": 0.5, "size_slope": 0.1,
        "shortfall_spread": 0.8, "system_spread": 0.3, "organisation_spread": 0.3,
    }  # fmt: skip
    dims = {
        "growth_change": ("slope_change", 1.5), "floor": ("benchmark", 0.25),
        "ceiling": ("benchmark", 0.9), "format_offset": ("benchmark", 0.1),
        "drift_before": ("benchmark", 0.05), "drift_change": ("benchmark", 0.02),
        "benchmark_spread": ("benchmark", 0.4), "protocol_noise": ("benchmark", 0.01),
        "steepness": ("loss_benchmark", 10.0), "midpoint": ("loss_benchmark", 0.8),
        "irreducible_loss": ("loss_benchmark", 0.4), "params_loss": ("loss_benchmark", 0.3),
        "tokens_loss": ("loss_benchmark", 0.2), "params_exponent": ("loss_benchmark", 0.2),
        "tokens_exponent": ("loss_benchmark", 0.3), "discrimination": ("direct_benchmark", 0.6),
        "difficulty": ("direct_benchmark", 2.0), "token_elasticity": ("direct_benchmark", 0.7),
    }  # fmt: skip
    draws = {}
    for name, value in (defaults | values).items():
        if name not in dims:
            draws[name] = (("chain", "draw"), np.broadcast_to(value, (1, count)).astype(float))
    for name, (dim, value) in dims.items():
        own = np.atleast_1d(values.get(name, value))[:, None]
        full = np.broadcast_to(own, (count, len(coords[dim]))).astype(float)
        draws[name] = (("chain", "draw", dim), full[None])
    posterior = xr.Dataset(draws, coords={"chain": [0], "draw": range(count), **coords})
    return Fit(
        xr.DataTree.from_dict({"posterior": posterior}), spec, observed, {"verdict": "PASS"}, {}
    )


@pytest.fixture(scope="module")
def made():
    return hand_made()


# Dates, params and scores ------------------------------------------------------------------------


@pytest.mark.parametrize("benchmark", ["mmlu", "winogrande"])
@pytest.mark.parametrize("reading", ["frontier", "mean"])
def test_date_params_and_score_are_one_curve(made, benchmark, reading):
    """At the date at which N params reach S, N params are needed for S, and score S."""
    day = pd.Timestamp("2025-03-01")
    score = score_at(made, day, 2e8, benchmark, reading)[0, 0, 0].item()
    years = forecast_date(made, 2e8, benchmark, score, reading)[0, 0].item()
    assert abs((date_of(years) - day).days) <= 1
    needed = params_at(made, day, benchmark, score, reading)[0, 0, 0].item()
    assert needed == pytest.approx(2e8, rel=1e-6)


def test_scores_of_a_date_in_the_past_follow_both_rates(made):
    """Neff at the dates before and after the bend, by hand."""
    dates = ["2021-11-30", "2023-11-30"]
    found = score_at(made, dates, 7e9, "winogrande").isel(chain=0, draw=0).to_numpy()
    observed = made.observed
    for date, line in zip(dates, (-0.5 - 0.05, 2.0 + 0.05 + 0.02), strict=True):
        time = years_since_origin(date)
        assert abs(abs(time) - 1.0) < 0.003
        size = 0.1 * (np.log(7e9) - observed.mean_log_params)
        n = np.log(7e9) + line + 0.1 + size - np.log(observed.centre_params)
        z = 0.6 * (n + 0.7 * observed.log_reference_tokens - 2.0)
        expected = 0.25 + 0.65 / (1 + np.exp(-z))
        assert found[dates.index(date)] == pytest.approx(expected, abs=2e-3)


def test_limit_is_the_score_of_an_infinite_system(made):
    for benchmark in made.observed.benchmarks:
        limit = score_limit(made, benchmark)[0, 0].item()
        assert limit <= 0.9
        needed = [params_needed(made, benchmark, limit + by)[0, 0].item() for by in (-1e-4, 1e-4)]
        assert np.isfinite(needed[0]) and np.isposinf(needed[1])


def test_a_score_above_the_limit_is_told_apart_from_a_late_date():
    """Three draws: out of reach, reached in time, and never for want of growth."""
    fit = hand_made(
        count=3,
        ceiling=0.9,
        growth_before=np.array([[2.0, 2.0, 0.0]]),
        growth_change=np.array([0.0]),
        drift_before=0.0,
        drift_change=0.0,
    )
    ceiling = fit.posterior["ceiling"].copy()
    ceiling[0, 0] = 0.6
    draws = fit.posterior.assign(ceiling=ceiling)
    fit = dataclasses.replace(fit, data=xr.DataTree.from_dict({"posterior": draws}))
    said = forecast_summary(fit, 2e8, "mmlu", 0.86, by="2035-01-01")
    assert said["p_above_limit"] == pytest.approx(1 / 3)
    assert said["p_never"] == pytest.approx(2 / 3)
    assert said["p_by"] == pytest.approx(1 / 3)
    assert said["if_below_limit"]["p_by"] == pytest.approx(1 / 2)
    assert said["if_below_limit"]["upper_unbounded"] is True
    assert said["highest_seen"]["score"] == pytest.approx(
        fit.observed.score[
            fit.observed.cell_benchmark == fit.observed.benchmarks.index("mmlu")
        ].max()
    )
    above = forecast_summary(fit, 2e8, "mmlu", 0.95)
    assert above["if_below_limit"] is None and above["p_above_limit"] == 1.0
    assert "p_by" not in above


def test_a_line_that_levels_off_is_followed_along_its_curve():
    spec = load_spec("joint").under(load_hypothesis("saturating"))
    fit = hand_made(
        spec, growth_before=2.0, decay=np.array([[0.05, 0.3, 3.0]]), drift_before=0.0,
        drift_change=0.0,
    )  # fmt: skip
    years = forecast_date(fit, 2e8, "winogrande", 0.72).to_numpy()[0]
    assert years[0] < years[1] < np.inf and np.isinf(years[2])
    for draw in (0, 1):
        at = score_at(fit, date_of(years[draw]), 2e8, "winogrande")[0, draw, 0].item()
        assert at == pytest.approx(0.72, abs=1e-3)


def test_no_size_helps_where_neff_falls_with_size():
    fit = hand_made(count=2, size_slope=np.array([[-1.5, 0.1]]))
    found = params_at(fit, "2024-01-01", "mmlu", 0.6)[0, :, 0].to_numpy()
    assert np.isinf(found[0]) and np.isfinite(found[1])


def test_new_releases_scatter_about_what_the_frontier_scores():
    fit = hand_made(count=4000)
    drawn = release_score_at(fit, "2024-06-01", 7e9, "winogrande", seed=1)[0, :, 0].to_numpy()
    line = score_at(fit, "2024-06-01", 7e9, "winogrande")[0, 0, 0].item()
    assert np.median(drawn) < line  # the shortfall is one-sided
    assert 0.15 < np.mean(drawn > line) < 0.35
    assert drawn.min() >= 0.0 and drawn.max() <= 1.0
    again = release_score_at(fit, "2024-06-01", 7e9, "winogrande", seed=1)[0, :, 0].to_numpy()
    np.testing.assert_array_equal(drawn, again)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda fit: score_at(fit, "2025-01-01", 8, "mmlu"), "looks like billions"),
        (lambda fit: score_at(fit, "2025-13-01", 8e9, "mmlu"), "not a date; write it as"),
        (lambda fit: score_at(fit, None, 8e9, "mmlu"), "not a date"),
        (lambda fit: release_score_at(fit, "2025-01-01", 8e9, "mmul"), "no benchmark 'mmul'"),
        (lambda fit: score_limit(fit, "mmul"), "no benchmark 'mmul'"),
        (lambda fit: params_at(fit, "2025-01-01", "mmlu", 86.4), "write 0.864 for 86.4%"),
        (lambda fit: forecast_summary(fit, 8e9, "mmlu", 0.8, by="soon"), "'soon' is not a date"),
        (lambda fit: score_fan(fit, 8e9, "mmlu", "2025-01-01", "2024-01-01"), "must be before"),
        (lambda fit: systems_near(fit, 8e9, "mmlu", 0.5), "factor of at least 1"),
    ],
)
def test_bad_questions_are_refused(made, ask, said):
    with pytest.raises(DensingError, match=said):
        ask(made)


def test_fan_shows_bands_frontier_and_systems(made):
    fan = score_fan(made, 7e9, "mmlu")
    assert (fan["release_lower95"] <= fan["release_lower50"]).all()
    assert (fan["release_upper50"] <= fan["release_upper95"]).all()
    assert (fan["frontier_lower"] <= fan["frontier_upper"]).all()
    assert fan.index[-1] > date_of(made.observed.time.max())
    near = systems_near(made, 7e9, "mmlu")
    assert "llama-2-7b" in near.index and "llama-2-70b" not in near.index
    behind = get_plot_data("score_fan", made, params=7e9, benchmark="mmlu")
    pd.testing.assert_frame_equal(behind["fan"].set_index("date"), fan)
    pd.testing.assert_frame_equal(behind["systems"], near)
    assert behind["limit"]["lower"][0] <= behind["limit"]["median"][0] < 1.0
    ax = plot_score_fan(made, 7e9, "mmlu", score=0.864)
    shown = {line.get_label(): line for line in ax.get_lines()}
    assert len(shown["systems of 4.67e9 to 10.5e9 params"].get_xdata()) == len(near)
    np.testing.assert_allclose(
        shown["frontier, 95%"].get_ydata(), fan["frontier_median"].to_numpy()
    )


# Forecasts put to the test -----------------------------------------------------------------------


def test_rivals_are_calibrated_forecasts():
    """Student's law covers as often as it says, also from few points."""
    random = np.random.default_rng(3)
    covered = []
    for _ in range(400):
        x = random.uniform(-1, 1, 8)
        design = np.column_stack([np.ones(9), np.r_[x, 1.5]])
        y = design @ [0.3, 1.0] + 0.2 * random.standard_normal(9)
        drawn = rivals.student_draws(design[:8], y[:8], design[8:], random, draws=400)
        covered.append(accuracy.scored(y[8:], drawn)["covered80"].item())
    assert np.mean(covered) == pytest.approx(0.8, abs=3 * np.sqrt(0.16 / 400))


def test_score_of_a_forecast_is_the_crps():
    drawn = np.random.default_rng(0).standard_normal((20000, 1))
    at = 0.7
    crps = at * (2 * stats.norm.cdf(at) - 1) + 2 * stats.norm.pdf(at) - 1 / np.sqrt(np.pi)
    found = accuracy.scored(np.array([at]), drawn)
    assert found["crps"].item() == pytest.approx(crps, abs=0.01)
    assert not found["covered50"].item() and found["covered80"].item()


def test_too_few_points_have_no_spread():
    with pytest.raises(DensingError, match="needs at least 3"):
        rivals.student_draws(np.ones((2, 2)), np.ones(2), np.ones((1, 2)), None)


@pytest.mark.fit
def test_scores_of_new_releases(small_fit):
    past = of_the_past(small_fit, CUT)
    rows = accuracy.score_forecasts(past, small_fit.observed, CUT)
    methods = [accuracy.MODEL, accuracy.LAST_LEVEL, accuracy.MEAN_TREND]
    assert list(rows["method"].unique()) == methods
    cells = rows[rows["method"] == accuracy.MODEL]["cell"]
    assert all(set(rows[rows["method"] == name]["cell"]) == set(cells) for name in methods)
    dates = pd.Series([date_of(t) for t in small_fit.observed.release_time])
    inside = (dates >= pd.Timestamp(CUT)) & (dates < pd.Timestamp(CUT) + pd.Timedelta(days=183))
    assert set(rows["release"]) == set(np.array(small_fit.observed.releases)[inside])
    table = accuracy.accuracy_table(rows)
    assert table.loc[accuracy.MODEL, "crps_behind"] == 0.0
    assert (table["crps_behind_se"].iloc[1:] > 0).all()
    wide = rows.pivot_table(index="cell", columns="method", values="crps")
    assert table.loc[accuracy.LAST_LEVEL, "crps_behind"] == pytest.approx(
        (wide[accuracy.LAST_LEVEL] - wide[accuracy.MODEL]).mean()
    )
    assert (table["covered50"] <= table["covered95"]).all()


@pytest.mark.fit
def test_best_density_of_a_window(small_fit):
    past = of_the_past(small_fit, CUT)
    rows = accuracy.best_density_forecasts(past, small_fit, CUT).set_index("method")
    assert list(rows.index) == [accuracy.MODEL, accuracy.ENVELOPE, accuracy.LAST_BEST]
    assert rows["observed"].nunique() == 1
    time = small_fit.observed.time
    own = (time >= years_since_origin(CUT)) & (time < years_since_origin(CUT) + 183 / 365.25)
    draws = small_fit.posterior["log_density"].transpose("chain", "draw", "system").to_numpy()
    best = draws[..., own].max(axis=-1)
    assert rows["observed"].iloc[0] == pytest.approx(np.median(best))
    assert ((rows["lower"] < rows["median"]) & (rows["median"] < rows["upper"])).all()
    inside = (rows["observed"] >= rows["lower"]) & (rows["observed"] <= rows["upper"])
    assert (inside == rows["covered95"]).all()
    # over cuts the unit of the error is the cut
    two = pd.concat([rows.reset_index(), rows.reset_index().assign(cut="2024-07-01", crps=1.0)])
    assert accuracy.accuracy_table(two).loc[accuracy.MODEL, "count"] == 2


@pytest.mark.fit
def test_what_a_forecast_may_not_know(small_fit):
    with pytest.raises(DensingError, match="the fit has seen systems of 2024-07-23"):
        accuracy.score_forecasts(small_fit, small_fit.observed, CUT)
    past = of_the_past(small_fit, CUT)
    with pytest.raises(DensingError, match="no release in the 3 days"):
        accuracy.score_forecasts(past, small_fit.observed, dt.date(2024, 7, 25), days=3)
    with pytest.raises(DensingError, match="at least one day"):
        accuracy.best_density_forecasts(past, small_fit, CUT, days=0)


@pytest.mark.fit
def test_a_run_goes_on_from_the_store(small_fit, tmp_path, monkeypatch):
    """The whole fit is the user's own; the fit of the past is made once and its answer kept."""
    made = []

    def make(request, **_):
        made.append(len(request.visible.systems))
        return small_fit if request.fit is not None else of_the_past(small_fit, CUT)

    monkeypatch.setattr(accuracy, "fitter", lambda terms: make)
    terms = Terms({"draws": 1}, versions(), {}, tmp_path)
    request = Request(small_fit.spec, small_fit.observed, small_fit)
    first = accuracy.accuracy_at(CUT, request, terms)
    assert made == [128, sum(small_fit.observed.time < years_since_origin(CUT))]
    assert accuracy.accuracy_at(CUT, request, terms) == first
    assert len(made) == 2
    assert {row["method"] for row in first["best"]} == {
        accuracy.MODEL, accuracy.ENVELOPE, accuracy.LAST_BEST,
    }  # fmt: skip


# Studies -----------------------------------------------------------------------------------------


@pytest.fixture
def studies(monkeypatch):
    monkeypatch.syspath_prepend(str(ANALYSES))
    yield
    for name in ("forecasts", "forecast_accuracy"):
        sys.modules.pop(name, None)


@pytest.mark.fit
def test_study_of_the_level_of_gpt_4(studies, made, small_fit, tmp_path, monkeypatch, capsys):
    import forecasts as study

    past, whole = study.request("paper up to 2024-12"), study.request("paper")
    assert past.spec.hash == whole.spec.hash
    assert date_of(past.observed.time.max()) <= pd.Timestamp("2024-12-31")
    assert len(past.observed.systems) < len(whole.observed.systems)
    file = small_fit.save(tmp_path / "fit.nc")
    monkeypatch.setattr(sys, "argv", ["x", str(file), "--rows", "open", "--out", str(tmp_path)])
    study.main()
    assert "P(0.864 above what any size reaches)" in capsys.readouterr().out
    content = (tmp_path / "forecasts.json").read_text("utf-8")
    assert '"p_by"' in content and (tmp_path / "forecasts-open.png").exists()


@pytest.mark.fit
def test_study_of_accuracy_makes_both_tables(studies, small_fit):
    import forecast_accuracy as study

    past = of_the_past(small_fit, CUT)
    cut = {
        "cut": CUT.isoformat(), "verdict": "PASS", "full_verdict": "PASS", "systems": 1,
        "releases": 1,
        "scores": accuracy.score_forecasts(past, small_fit.observed, CUT).to_dict("records"),
        "best": accuracy.best_density_forecasts(past, small_fit, CUT).to_dict("records"),
    }  # fmt: skip
    found = study.tables([cut])
    assert set(found["scores_by_benchmark"]) == set(small_fit.observed.benchmarks)
    assert found["best_density"][accuracy.MODEL]["count"] == 1
    text = study.lines({"open": found})
    assert len(text) == 2 + 6 and "line through running maximum" in "\n".join(text)
