"""The tables behind figures: what is drawn, and nothing that is not asked for."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import densing_bayes as db
from densing_bayes import plots
from densing_bayes.errors import DensingError

pytestmark = pytest.mark.fit


def test_a_wider_interval_holds_a_narrower_one(small_fit):
    for name in ("frontier", "growth", "scaling", "score_links"):
        wide, narrow = (db.get_plot_data(name, small_fit, ci) for ci in (0.95, 0.5))
        assert set(wide) == set(narrow)
        for key, table in wide.items():
            if "median" in table:
                assert (table["lower"] <= narrow[key]["lower"]).all()
                assert (narrow[key]["upper"] <= table["upper"]).all()
                assert table["median"].to_numpy() == pytest.approx(narrow[key]["median"])


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


def test_unknown_figures_are_refused(small_fit):
    with pytest.raises(DensingError, match="no figure 'fronteer'; use one of frontier, growth"):
        db.get_plot_data("fronteer", small_fit)
    with pytest.raises(DensingError, match="ci"):
        db.get_plot_data("frontier", small_fit, 95)
    with pytest.raises(DensingError, match="'hypotheses' is of a comparison of hypotheses, not of"):
        db.get_plot_data("hypotheses", small_fit)
    with pytest.raises(DensingError, match="'growth' is of a fit, not of a dict"):
        db.get_plot_data("growth", {})


def test_figures_have_one_style_whatever_the_user_has(small_fit):
    import matplotlib as mpl

    with mpl.rc_context({"legend.frameon": True, "font.size": 20.0}):
        ax = plots.plot_frontier(small_fit, Figure().subplots())
    assert not ax.get_legend().get_frame_on()
    assert {text.get_fontsize() for text in ax.get_legend().get_texts()} == {9.0}
    assert np.isfinite(ax.get_ylim()).all()
