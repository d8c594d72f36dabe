"""The paper's estimator: golden figures, closed cases, bad input."""

import numpy as np
import pandas as pd
import pytest

import densing_bayes as db
from densing_bayes.errors import DensingError
from densing_bayes.inputs.published import (
    load_alternative_scores,
    load_figures,
    load_reference_average,
    load_reference_curves,
)
from densing_bayes.joint import least_squares
from densing_bayes.quantities import paper_estimator as ls

RUNS = [np.geomspace(5e6, 8e8, 12), np.tile([2e9, 1e9, 4e9], 4)]


@pytest.fixture(scope="module")
def panel():
    return db.load_panel("paper")


@pytest.mark.parametrize(
    ("figure", "rate", "r_squared", "points"),
    [("fig1", 0.00653, 0.934, 9), ("fig2", 0.00665, 0.953, 9)],
)
def test_growth_of_the_envelope_as_printed(figure, rate, r_squared, points):
    best = load_figures(figure).query("on_envelope")
    line = ls.growth_line(best["date"], best["value"])
    assert line.rate == pytest.approx(rate, abs=5e-6)
    assert line.r_squared == pytest.approx(r_squared, abs=5e-4)
    assert line.points == points


def test_growth_before_and_after_chatgpt_as_printed():
    points = load_figures("fig3c")
    before, after = ls.growth_on_sides(points["date"], points["value"])
    assert (round(before.rate, 4), before.points) == (0.0048, 3)
    assert (round(after.rate, 4), after.points) == (0.0073, 6)


def test_halving_time_of_the_price_as_recomputed():
    best = load_figures("fig3a").query("on_envelope")
    line = ls.growth_line(best["date"], best["value"])
    assert np.log(2) / -line.rate / 30.4375 == pytest.approx(2.49, abs=0.005)


@pytest.mark.parametrize("figure", ["fig1", "fig2"])
def test_running_maximum_is_the_plotted_envelope(figure):
    points = load_figures(figure)
    on = ls.running_maximum(points["date"], points["value"])
    np.testing.assert_array_equal(on, points["on_envelope"])


@pytest.mark.parametrize("benchmark", ["mmlu", "bbh", "math", "humaneval", "mbpp", "average"])
def test_drawn_loss_curve_is_an_optimum_of_the_plotted_points(panel, benchmark):
    if benchmark == "average":
        runs = load_reference_average().dropna(subset=["params"])
    else:
        losses = panel.losses[panel.losses["benchmark"] == benchmark]
        runs = losses.join(panel.runs[["params", "tokens"]], on="run").dropna(subset=["params"])
    optima = least_squares.fit_losses(runs["params"], runs["tokens"], runs["loss"])
    drawn = load_reference_curves().loc[benchmark]
    distance = np.abs(optima[["alpha", "beta"]] / drawn[["alpha", "beta"]] - 1.0).max(axis=1)
    assert distance.min() < 0.005
    # for three of them the other optimum fits better
    assert (distance.idxmin() == 1) == (benchmark in {"mmlu", "math", "average"})


def test_plotted_average_leaves_humaneval_out(panel):
    average = load_reference_average().dropna(subset=["params"]).set_index("run")["loss"]
    wide = panel.losses.pivot(index="run", columns="benchmark", values="loss").loc[average.index]
    weights, *_ = np.linalg.lstsq(wide.to_numpy(), average.to_numpy(), rcond=None)
    found = dict(zip(wide.columns, weights, strict=True))
    assert abs(found.pop("humaneval")) < 0.002
    assert list(found.values()) == pytest.approx([0.25] * 4, abs=0.004)


def test_densities_from_the_drawn_curve_are_near_the_plotted(panel):
    loss_curve, score_curve = ls.drawn_curves("average")
    found = ls.estimate_as_paper(panel, loss_curve=loss_curve, score_curve=score_curve).densities
    plotted = load_figures("fig1").dropna(subset="system").set_index("system")["value"]
    both = pd.concat([found["density"], plotted], axis=1, join="inner")
    assert len(both) == 23
    ratio = both["density"] / both["value"]
    assert ratio.median() == pytest.approx(1.05, abs=0.01)
    assert ratio.between(0.5, 2.0).sum() == 21
    assert ratio["llama-7b"] == pytest.approx(0.99, abs=0.01)


@pytest.mark.parametrize("irreducible", [False, True])
def test_exact_losses_give_their_curve_back(irreducible):
    truth = ls.LossCurve(3.0, 0.2, 200.0, 0.3, 0.05 * irreducible)
    loss = ls.reference_loss(truth, *RUNS)
    found = least_squares.fit_losses(*RUNS, loss, irreducible=irreducible).loc[0]
    assert found["rmse"] < 1e-9
    assert list(found[list(truth._fields)]) == pytest.approx(list(truth), rel=1e-3)


def test_surface_agrees_with_a_fit_of_the_amounts_by_hand():
    loss = ls.reference_loss(ls.LossCurve(3.0, 0.2, 200.0, 0.3), *RUNS) * np.linspace(0.9, 1.1, 12)
    terms = np.column_stack([RUNS[0] ** -0.25, RUNS[1] ** -0.35]) / loss[:, None]
    amounts, *_ = np.linalg.lstsq(terms, np.ones(12), rcond=None)
    expected = np.sqrt(np.mean((terms @ amounts - 1.0) ** 2))
    surface = least_squares.loss_surface(
        *RUNS, loss, np.array([0.25]), np.array([0.35]), relative=True
    )
    assert (amounts > 0).all()
    assert surface[0, 0] == pytest.approx(expected, rel=1e-9)


def test_exact_scores_give_their_curve_back():
    truth = ls.ScoreCurve(0.25, 0.9, 20.0, 0.3)
    loss = np.linspace(0.1, 0.6, 12)
    found = ls.fit_scores(loss, ls.score_at_loss(truth, loss), 0.25)
    assert list(found) == pytest.approx(list(truth), rel=1e-5)


def test_inversion_gives_params_back_and_nothing_where_none_reach_the_score():
    curves = ls.LossCurve(3.0, 0.2, 200.0, 0.3), ls.ScoreCurve(0.25, 0.9, 20.0, 0.3)
    params = np.array([1e8, 1e9, 1e11])
    score = ls.score_at_loss(curves[1], ls.reference_loss(curves[0], params, 5e12))
    np.testing.assert_allclose(ls.effective_params(*curves, score), params, rtol=1e-8)
    assert np.isnan(ls.effective_params(*curves, [0.2, 0.25, 0.95, 0.8999])).all()


def test_running_maximum_of_one_day_and_of_ties():
    dates = ["2024-01-02", "2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]
    on = ls.running_maximum(dates, np.array([2.0, 1.0, 3.0, 3.0, 3.5]))
    assert on.tolist() == [False, True, True, False, True]


def test_line_through_exact_growth():
    days = pd.date_range("2023-01-01", periods=5, freq="50D")
    line = ls.growth_line(days, np.exp(0.007 * 50 * np.arange(5)))
    assert line.rate == pytest.approx(0.007)
    assert line.r_squared == pytest.approx(1.0)
    assert ls.growth_line(days[:1], np.array([1.0])) is None


def test_estimate_as_paper_of_one_benchmark(panel):
    found = ls.estimate_as_paper(panel, ["mmlu"])
    assert found.loss_curve.alpha == pytest.approx(found.optima["alpha"][0])
    best = found.densities.query("on_envelope")
    assert best["density"].is_monotonic_increasing
    assert found.growth.points == len(best)
    assert found.before.points == 3


def test_second_readings_are_of_scores_in_the_panel(panel):
    second = load_alternative_scores().merge(panel.scores, on=["system", "benchmark"])
    assert len(second) == len(load_alternative_scores()) > 500


@pytest.mark.parametrize(
    ("benchmarks", "message"),
    [(["gsm8k"], "benchmark 'gsm8k' is not in panel 'paper' .it has mmlu"), ([], "at least 5")],
)
def test_unknown_or_no_benchmark(panel, benchmarks, message):
    with pytest.raises(DensingError, match=message):
        ls.estimate_as_paper(panel, benchmarks)


def test_too_few_losses_and_no_drawn_curve():
    with pytest.raises(DensingError, match="4 losses: a curve of four constants needs at least 5"):
        least_squares.fit_losses(*(x[:4] for x in RUNS), np.ones(4))
    with pytest.raises(DensingError, match="no drawn curve for 'hellaswag': use one of mmlu"):
        ls.drawn_curves("hellaswag")
