"""Fits of real data: convergence over seeds, saving, loading, reproducing."""

import numpy as np
import pytest
import xarray as xr

from densing_bayes.errors import FileFormatError, FitError
from densing_bayes.fitting.compiled import compile_fit
from densing_bayes.fitting.fit import fit, fit_compiled
from densing_bayes.fitting.settings import Sampling
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.observed.observations import observe
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities import growth

SEEDS = (20221130, 1, 2)  # fixed before the fits were made


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"draws": 1}, "draws = 1 is too few"),
        ({"chains": 0}, "chains = 0 is too few"),
        ({"target_accept": 1.0}, "target_accept = 1.0 must lie between"),
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
    from densing_bayes.joint.model import build_model

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
    from densing_bayes.quantities.predictive import predictive

    draws = predictive(small_fit, draws=20)["score"]
    measured = small_fit.observed.score
    inside = (draws.min(("chain", "draw")) - 0.03 <= measured) & (
        measured <= draws.max(("chain", "draw")) + 0.03
    )
    assert float(inside.mean()) > 0.9


@pytest.fixture(scope="module")
def three_fits():
    """The default fit for three seeds, compiled once."""
    spec, panel = load_spec("joint"), load_panel("open")
    observed = observe(panel, spec)
    compiled = compile_fit(spec, observed)
    settings = {"draws": 1000, "tune": 500, "chains": 4, "cores": 2, "prior": False}
    return [fit_compiled(compiled, observed, Sampling(seed=seed, **settings)) for seed in SEEDS]


def headline(result):
    """Every quantity of the trend that the report states."""
    rates, each = growth.growth(result), growth.benchmark_growth(result)
    dates = ["2022-11-30", "2024-07-23"]
    readings = {reading: growth.frontier(result, dates, reading) for reading in growth.READINGS}
    by_benchmark = each.rename({name: f"{name}_by_benchmark" for name in each.data_vars})
    return xr.merge([rates, by_benchmark, xr.Dataset(readings)])


def gaps(datasets):
    """Differences of the means of any two, in combined Monte Carlo standard errors."""
    import arviz_stats as azs

    found = {}
    means = [data.mean(("chain", "draw")) for data in datasets]
    errors = [azs.mcse(data, method="mean") for data in datasets]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        for name in datasets[0].data_vars:
            gap = abs(means[i][name] - means[j][name]) / np.hypot(errors[i][name], errors[j][name])
            found[name, i, j] = float(gap.max())
    return found


@pytest.mark.slow
def test_the_default_fit_passes_for_three_seeds_that_agree(three_fits):
    for result in three_fits:
        assert result.verdict == "PASS", result.diagnostics["reasons"]
    found = gaps([headline(result) for result in three_fits])
    worst = max(found, key=found.get)
    assert found[worst] <= 4.0, worst


@pytest.mark.slow
def test_three_seeds_agree_in_every_variable(three_fits):
    found = gaps([result.posterior for result in three_fits])
    worst = max(found, key=found.get)
    assert found[worst] <= 4.0, (worst, found[worst])


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
