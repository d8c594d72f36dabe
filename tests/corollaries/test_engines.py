"""Chips, batteries, and density times Moore."""

import numpy as np
import pytest

from densing_bayes.corollaries.engines.figures import plot_doubling_times
from densing_bayes.corollaries.engines.model import (
    device_table,
    effective_doubling_time,
    engine_rate,
    engine_table,
    fit_engine,
    load_engines,
    load_technology,
)
from densing_bayes.corollaries.trends.figures import plot_exponential
from densing_bayes.errors import DensingError, SpecError
from densing_bayes.quantities.growth import doubling_time, frontier, growth
from densing_bayes.report.gallery import get_plot_data

CHIPS, BATTERIES = "compute-per-price", ("battery-energy-per-volume", "battery-energy-per-mass")


@pytest.fixture(scope="module")
def engines():
    return {name: fit_engine(name) for name in (CHIPS, *BATTERIES)}


def test_the_embedded_engines_pass(engines):
    for name, fit in engines.items():
        assert fit.verdict == "PASS", (name, fit.diagnostics["reasons"])


def test_volume_and_mass_are_apart_and_only_cells_enter(engines):
    table = load_technology()
    assert set(table.loc[table["quantity"] == "battery energy per mass", "unit"]) == {"Wh/kg"}
    assert set(table.loc[table["quantity"] == "battery energy per volume", "unit"]) == {"Wh/L"}
    for name in BATTERIES:
        assert not any("plan" in label for label in engines[name].points.label)
    mass = engines["battery-energy-per-mass"].points
    assert (mass.log_low < mass.log_high).sum() == 2  # a range, and an upper bound


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", load_engines().engines)
def test_other_seeds_pass_too(name, seed):
    fit = fit_engine(name, seed=seed)
    assert fit.verdict == "PASS", fit.diagnostics["reasons"]


@pytest.mark.slow
def test_transistor_density_passes_in_both_forms():
    for form in ("mean", "frontier"):
        fit = fit_engine("transistor-density", form=form)
        assert fit.verdict == "PASS", fit.diagnostics["reasons"]


def test_rates_of_density_and_engine_add(small_fit, engines):
    found = effective_doubling_time(small_fit, engines[CHIPS])
    density = growth(small_fit)["after"]
    alone = doubling_time(density)
    assert found.shape == density.shape
    assert (found < alone).mean() > 0.99
    # larger systems of one date are denser by the size slope
    rate = (np.log(2.0) / found - density) / (1.0 + small_fit.posterior["size_slope"])
    engine = engine_rate(engines[CHIPS])
    assert float(rate.mean()) == pytest.approx(float(engine.mean()), rel=0.1)
    assert float(rate.std()) == pytest.approx(float(engine.std()), rel=0.2)
    correlation = np.corrcoef(np.ravel(rate), np.ravel(density))[0, 1]
    assert abs(correlation) < 0.15


def test_table_of_engines(small_fit, engines):
    table = engine_table(engines, small_fit)
    assert list(table.index) == ["model-density", *engines]
    volume = table.loc["battery-energy-per-volume"]
    assert volume["points"] == 6
    expected = np.median(doubling_time(engine_rate(engines["battery-energy-per-volume"])))
    assert volume["doubling_time"]["median"] == pytest.approx(expected, rel=1e-3)
    shown = get_plot_data("doubling_times", table)["engines"]
    assert list(shown.index) == list(table.index)
    assert shown.loc["battery-energy-per-volume", "median"] == volume["doubling_time"]["median"]
    assert (shown["lower"] < shown["upper"]).all()
    ax = plot_doubling_times(table, {"battery-energy-per-volume": [3652.5]})
    assert [label.get_text() for label in ax.get_yticklabels()] == list(shown["label"])


def test_points_and_trend_behind_the_figure_are_those_of_the_fit(engines):
    fit = engines["battery-energy-per-mass"]
    trend, points = get_plot_data("exponential", fit).values()
    assert len(points) == len(fit.points.label)
    assert (points["low"] < points["high"]).sum() == 2
    assert points["date"].between(points["first_date"], points["last_date"]).all()
    ax = plot_exponential(fit)
    (line,) = (line for line in ax.get_lines() if line.get_label().endswith("median"))
    np.testing.assert_allclose(line.get_ydata(), trend["median"])


def test_table_of_devices(small_fit):
    table = device_table(small_fit, ["2024-01-01"], memory=[16.0], bits=4.0, share=0.5)
    (row,) = table.to_dict(orient="records")
    assert row["params"] == pytest.approx(0.5 * 16 * 2**30 * 2)
    edge = frontier(small_fit, ["2024-01-01"]).isel(date=0)
    centred = np.log(row["params"]) - small_fit.observed.mean_log_params
    expected = np.exp(edge + small_fit.posterior["size_slope"] * centred) * row["params"]
    assert row["effective_params"]["median"] == pytest.approx(float(expected.median()))


def test_bad_input_is_refused(small_fit, tmp_path):
    with pytest.raises(DensingError, match="no engine 'fusion': there are transistor-density"):
        fit_engine("fusion")
    with pytest.raises(DensingError, match=r"share of memory for weights in \(0, 1\]"):
        device_table(small_fit, ["2024-01-01"], share=1.5)
    with pytest.raises(DensingError, match="memory and bits must be numbers above 0"):
        device_table(small_fit, ["2024-01-01"], memory=[-8.0])
    mine = tmp_path / "mine.toml"
    mine.write_text('name = "x"\n[engines.a]\nquantity = "b"\nkind = ["c"]\n', encoding="utf-8")
    with pytest.raises(SpecError, match=r"'engines\.a\.trend' is missing; unknown key"):
        fit_engine("a", spec=mine)
