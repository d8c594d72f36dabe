"""The tables behind figures: what is drawn, and nothing that is not asked for."""

import inspect
import pkgutil
from importlib import import_module

import numpy as np
import pytest
from matplotlib.figure import Figure

import densing_bayes as db
from densing_bayes.display.figures import trend as figures
from densing_bayes.errors import DensingError
from densing_bayes.report.gallery import OF_FIGURES


def plot_functions():
    """Every plot function of the package with the rest of its name."""
    for module in pkgutil.walk_packages(db.__path__, "densing_bayes."):
        if module.name.endswith(".__main__"):  # which runs the command line
            continue
        for name, function in vars(import_module(module.name)).items():
            if name.startswith("plot_") and getattr(function, "__module__", "") == module.name:
                yield name.removeprefix("plot_"), function


def test_every_figure_has_its_tables_under_the_name_and_options_of_its_function():
    found = dict(plot_functions())
    for given in ("uniformity", "residuals", "predicted", "by_year"):  # the numbers that they draw
        del found[given]
    assert set(found) == set(OF_FIGURES)
    for figure, function in found.items():
        make = OF_FIGURES[figure].make
        assert make.__name__ == f"{figure}_data"
        of, ci, *options = inspect.signature(make).parameters
        drawn = list(inspect.signature(function).parameters)
        assert of == drawn[0], figure
        assert ci == "ci" and set(options) <= set(drawn), figure
        assert {"ax", "axes"} & set(drawn), figure
        assert function.__name__ in make.__doc__, figure


@pytest.mark.fit
def test_options_that_are_missing_or_unknown_are_refused(small_fit):
    with pytest.raises(DensingError, match=r"'benchmark'; its options are: params, benchmark, st"):
        db.get_plot_data("score_fan", small_fit, params=8e9)
    with pytest.raises(DensingError, match="'size'; its options are: none"):
        db.get_plot_data("frontier", small_fit, size=8e9)
    with pytest.raises(DensingError, match="'claims' is of a ledger of claims, not of a Fit"):
        db.get_plot_data("claims", small_fit)


@pytest.mark.fit
def test_a_wider_interval_holds_a_narrower_one(small_fit):
    for name in ("frontier", "growth", "scaling", "score_links"):
        wide, narrow = (db.get_plot_data(name, small_fit, ci) for ci in (0.95, 0.5))
        assert set(wide) == set(narrow)
        for key, table in wide.items():
            if "median" in table:
                assert (table["lower"] <= narrow[key]["lower"]).all()
                assert (narrow[key]["upper"] <= table["upper"]).all()
                assert table["median"].to_numpy() == pytest.approx(narrow[key]["median"])


@pytest.mark.fit
def test_every_system_run_and_score_is_there(small_fit):
    observed = small_fit.observed
    links, law = (db.get_plot_data(name, small_fit) for name in ("score_links", "scaling"))
    assert len(links["systems"]) == len(observed.score)
    assert sorted(links["systems"]["score"]) == sorted(observed.score)
    assert len(links["reference_runs"]) == len(observed.reference_score)
    assert len(law["runs"]) == len(observed.loss)
    assert set(db.get_plot_data("frontier", small_fit)["systems"].index) == set(observed.systems)
    # the law is the posterior's at the runs: where it ends lies by where the last run lies
    near = law["law"].groupby("benchmark")["median"].min()
    assert ((near / law["runs"].groupby("benchmark")["loss"].min() - 1).abs() < 0.15).all()


@pytest.mark.fit
def test_unknown_figures_are_refused(small_fit):
    with pytest.raises(DensingError, match="no figure 'fronteer'; use one of frontier, growth"):
        db.get_plot_data("fronteer", small_fit)
    with pytest.raises(DensingError, match="ci"):
        db.get_plot_data("frontier", small_fit, 95)
    with pytest.raises(DensingError, match="'hypotheses' is of a comparison of hypotheses, not of"):
        db.get_plot_data("hypotheses", small_fit)
    with pytest.raises(DensingError, match="'growth' is of a fit, not of a dict"):
        db.get_plot_data("growth", {})


@pytest.mark.fit
def test_figures_have_one_style_whatever_the_user_has(small_fit):
    import matplotlib as mpl

    with mpl.rc_context({"legend.frameon": True, "font.size": 20.0}):
        ax = figures.plot_frontier(small_fit, Figure().subplots())
    assert not ax.get_legend().get_frame_on()
    assert {text.get_fontsize() for text in ax.get_legend().get_texts()} == {9.0}
    assert np.isfinite(ax.get_ylim()).all()
