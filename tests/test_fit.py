"""Fits of real data: convergence over seeds, saving, loading, reproducing."""

import numpy as np
import pytest

from densing_bayes.errors import FileFormatError, FitError
from densing_bayes.fitting import Fit, compile_fit, fit, fit_compiled
from densing_bayes.observations import observe
from densing_bayes.spec import load_spec
from densing_bayes.tables import load_panel

SEEDS = (20221130, 1, 2)  # fixed before the fits were made


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"draws": 1}, "draws = 1 is too few"),
        ({"chains": 0}, "chains = 0 is too few"),
        ({"sampler": "stan"}, "no sampler 'stan'"),
    ],
)
def test_impossible_settings_are_refused_before_anything_is_compiled(settings, said):
    with pytest.raises(FitError, match=said):
        fit("joint", **settings)


def test_a_missing_fit_file_is_named(tmp_path):
    with pytest.raises(FileFormatError, match=r"no fit file .*absent\.nc"):
        Fit.load(tmp_path / "absent.nc")


def test_a_corrupt_fit_file_is_refused(tmp_path):
    path = tmp_path / "broken.nc"
    path.write_bytes(b"not a NetCDF file")
    with pytest.raises(FileFormatError, match=r"broken\.nc is damaged"):
        Fit.load(path)


@pytest.mark.fit
def test_a_fit_survives_saving(small_fit, tmp_path):
    loaded = Fit.load(small_fit.save(tmp_path / "fit.nc"))
    for name in small_fit.posterior.data_vars:
        np.testing.assert_array_equal(loaded.posterior[name], small_fit.posterior[name])
    assert loaded.observed.hash() == small_fit.observed.hash()
    assert loaded.spec == small_fit.spec
    assert loaded.diagnostics == small_fit.diagnostics
    assert loaded.provenance == small_fit.provenance
    assert [path.name for path in tmp_path.iterdir()] == ["fit.nc"]


@pytest.mark.fit
def test_an_unwritable_place_leaves_nothing_behind(small_fit, tmp_path):
    with pytest.raises(FitError, match="choose a folder that exists"):
        small_fit.save(tmp_path / "absent" / "fit.nc")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fit
def test_draws_come_back_under_the_plain_names(small_fit):
    from densing_bayes.model import build_model

    model = build_model(small_fit.spec, load_panel("open"))
    assert {rv.name for rv in model.free_RVs} <= set(small_fit.posterior.data_vars)
    assert small_fit.posterior["log_density"].dims == ("chain", "draw", "system")


@pytest.mark.fit
def test_a_fit_tabulates_itself(small_fit):
    table = small_fit.to_dataframe()
    assert {"mean", "sd", "lower", "upper", "rhat", "ess_bulk", "ess_tail"} <= set(table)
    row = table.loc["growth_before"]
    assert row["lower"] < row["mean"] < row["upper"]
    assert "log_density[llama-2-7b]" in table.index


@pytest.mark.fit
def test_predictive_scores_lie_where_the_data_do(small_fit):
    from densing_bayes.prediction import predictive

    draws = predictive(small_fit, draws=20)["score"]
    measured = small_fit.observed.score
    inside = (draws.min(("chain", "draw")) - 0.03 <= measured) & (
        measured <= draws.max(("chain", "draw")) + 0.03
    )
    assert float(inside.mean()) > 0.9


@pytest.mark.slow
@pytest.mark.ci
def test_the_default_fit_passes_for_three_seeds_that_agree():
    spec, panel = load_spec("joint"), load_panel("open")
    observed = observe(panel, spec)
    compiled = compile_fit(spec, observed)
    settings = {"draws": 1000, "tune": 500, "chains": 4, "cores": 2, "prior": False}
    tables = []
    for seed in SEEDS:
        result = fit_compiled(compiled, observed, seed=seed, **settings)
        assert result.verdict == "PASS", result.diagnostics["reasons"]
        tables.append(result.to_dataframe())
    for i, first in enumerate(tables):
        for second in tables[i + 1 :]:
            errors = [t["sd"] / np.sqrt(t["ess_bulk"]) for t in (first, second)]
            gap = (first["mean"] - second["mean"]).abs() / np.hypot(*errors)
            assert gap.max() <= 4.0, gap.idxmax()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers():
    first, second = (
        fit("joint", draws=50, tune=100, chains=2, seed=5, progress=False) for _ in range(2)
    )
    np.testing.assert_array_equal(first.posterior["level"], second.posterior["level"])


@pytest.mark.slow
def test_pymc_and_nutpie_agree():
    ours = fit("joint", draws=500, tune=400, seed=3)
    theirs = fit("joint", draws=300, tune=400, chains=2, seed=3, sampler="pymc")
    for name in ("growth_before", "level", "shortfall_spread"):
        a, b = ours.to_dataframe().loc[name], theirs.to_dataframe().loc[name]
        error = np.hypot(a["sd"] / a["ess_bulk"] ** 0.5, b["sd"] / b["ess_bulk"] ** 0.5)
        assert abs(a["mean"] - b["mean"]) < 5 * error
