"""Growth by driver: recovery, verdicts, longer training by the scaling law, and bad input."""

import dataclasses
import datetime as dt
import json
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from densing_bayes.corollaries.drivers import model as drivers
from densing_bayes.corollaries.drivers.data import DriverData, driver_data, drivers_spec
from densing_bayes.corollaries.drivers.figures import plot_drivers, plot_drivers_prior
from densing_bayes.corollaries.drivers.model import drivers_model, fit_driver_data, fit_drivers
from densing_bayes.corollaries.drivers.overtraining import overtraining, tokens_of
from densing_bayes.corollaries.drivers.quantities import (
    driver_share,
    drivers_table,
    overtraining_growth,
    separation,
)
from densing_bayes.errors import DensingError, SpecError
from densing_bayes.inputs.panel import load_panel
from densing_bayes.joint import laws
from densing_bayes.report.gallery import get_plot_data

ANALYSES = Path(__file__).parents[2] / "analyses"
TRUTH = {"growth": 1.2, "driver_slope": 0.5, "size_slope": 0.3, "driver_growth": 0.8}


def simulated(form="frontier", releases=60, seed=5, shared=0.2):
    """Two systems a release, from known coefficients, with a shared error of the growth."""
    random = np.random.default_rng(seed)
    release = np.repeat(np.arange(releases), 2)
    time = np.sort(random.uniform(0.0, 2.5, releases))[release]
    count = len(release)
    size = random.normal(0.0, 1.2, count)
    driver = TRUTH["driver_growth"] * time - 0.6 * size
    driver += random.normal(0.0, 0.8, releases)[release] + random.normal(0.0, 0.3, count)
    effect = random.normal(0.0, 0.5, releases)
    effect = -1.6 * np.abs(effect) if form == "frontier" else effect
    variance = random.uniform(0.01, 0.09, count)
    density = -1.0 + TRUTH["growth"] * time + TRUTH["driver_slope"] * (driver - driver.mean())
    density += TRUTH["size_slope"] * (size - size.mean()) + effect[release]
    density += random.normal(0.0, 0.3, count) + np.sqrt(variance) * random.standard_normal(count)
    return DriverData(
        systems=tuple(f"system {i}" for i in range(count)),
        log_density=density,
        variance=variance,
        shared=shared * random.standard_normal((500, 1)) * (time - time.mean()),
        driver=driver - driver.mean(),
        driver_mean=float(driver.mean()),
        size=size - size.mean(),
        time=time,
        release=release,
        releases=tuple(f"release {i}" for i in range(releases)),
    )


@pytest.mark.parametrize("form", ["frontier", pytest.param("mean", marks=pytest.mark.slow)])
def test_recovery(form):
    """Coefficients lie within three standard deviations of the truth, and are known well."""
    spec = drivers_spec().model_copy(update={"form": form})
    sampled = fit_driver_data(simulated(form), spec)
    assert sampled.verdict == "PASS", sampled.diagnostics["reasons"]
    for name, truth in TRUTH.items():
        draws = sampled.draws[name]
        assert abs(float(draws.mean()) - truth) < 3.0 * float(draws.std()), name
        assert float(draws.std()) < 0.35 * float(sampled.prior[name].std()), name
    np.testing.assert_allclose(
        sampled.draws["growth_total"],
        sampled.draws["growth"] + sampled.draws["driver_slope"] * sampled.draws["driver_growth"],
    )
    share = driver_share(sampled)
    assert 0.1 < np.median(share) < 0.45  # 0.4 of 1.6


@pytest.mark.slow
def test_an_error_that_all_share_widens_what_it_moves():
    """The reference family stretches growth by 0.2 a year: only growth gets wider, by so much."""
    spec = drivers_spec().model_copy(update={"form": "mean"})
    alone, shared = (
        fit_driver_data(simulated("mean", shared=width), spec, draws=500) for width in (0.0, 0.2)
    )

    def variance(sampled, name):
        return float(sampled.draws[name].var())

    assert variance(shared, "growth") - variance(alone, "growth") == pytest.approx(0.04, rel=0.35)
    for name in ("driver_slope", "size_slope"):
        assert variance(shared, name) == pytest.approx(variance(alone, name), rel=0.15)


def test_density_of_a_release_has_its_effect_integrated_out():
    """Against a sum over a lattice of effects, both forms, releases of one and of three."""
    random = np.random.default_rng(0)
    member = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0]])
    above, within = random.normal(-0.4, 0.6, 4), random.uniform(0.05, 0.3, 4)
    for one_sided in (True, False):
        found = drivers._of_releases(above, within, 0.7, member, one_sided).eval(
            mode="FAST_COMPILE"
        )
        effects = np.linspace(-6.0, 0.0 if one_sided else 6.0, 40001)
        prior = np.exp(-0.5 * (effects / 0.7) ** 2) / (0.7 * np.sqrt(2 * np.pi))
        prior *= 2.0 if one_sided else 1.0
        total = 0.0
        for row in member.astype(bool):
            z = (above[row, None] - effects) ** 2 / within[row, None]
            each = np.exp(-0.5 * z) / np.sqrt(2 * np.pi * within[row, None])
            total += np.log(np.trapezoid(prior * each.prod(axis=0), effects))
        # the half-normal's constant is left out, it hangs on nothing
        constant = total - found
        again = drivers._of_releases(above + 0.3, within, 0.7, member, one_sided).eval(
            mode="FAST_COMPILE"
        )
        shifted = 0.0
        for row in member.astype(bool):
            z = (above[row, None] + 0.3 - effects) ** 2 / within[row, None]
            each = np.exp(-0.5 * z) / np.sqrt(2 * np.pi * within[row, None])
            shifted += np.log(np.trapezoid(prior * each.prod(axis=0), effects))
        assert shifted - again == pytest.approx(constant, abs=1e-5)


def test_prior_of_the_regression_is_that_of_the_specification():
    model = drivers_model(simulated(), drivers_spec())
    names = {rv.name for rv in model.free_RVs}
    assert "size_slope" in names and "shortfall_spread" in names and "release_spread" not in names
    bare = drivers_spec().model_copy(update={"size": False, "form": "mean"})
    names = {rv.name for rv in drivers_model(simulated(), bare).free_RVs}
    assert "size_slope" not in names and "driver_size_slope" not in names
    assert "release_spread" in names


def test_separation_tells_collinear_from_apart():
    """A driver that follows the date cannot be distinguished from it."""
    free = simulated("mean", shared=0.0)
    tied = dataclasses.replace(
        free,
        driver=0.05 * free.driver + 1.5 * (free.time - free.time.mean()),
        size=free.size,
    )
    spec = drivers_spec().model_copy(update={"form": "mean"})
    apart, collinear = (separation(fit_driver_data(data, spec, draws=500)) for data in (free, tied))
    assert collinear["correlation"] < -0.9 < apart["correlation"]
    assert collinear["width"] > 2.0 * apart["width"]


# On a joint fit ----------------------------------------------------------------------------------


@pytest.mark.fit
@pytest.mark.parametrize(
    "seed", [20221130, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))]
)
def test_verdict_on_the_embedded_data(small_fit, seed):
    sampled = fit_drivers(small_fit, seed=seed)
    assert sampled.verdict == "PASS", sampled.diagnostics["reasons"]
    assert sampled.provenance["fit_verdict"] == small_fit.verdict
    assert sampled.provenance["systems"] == 88


@pytest.mark.fit
def test_overtraining_is_the_density_of_a_plain_reference_model(small_fit):
    """Its loss with N and D is that of Neff params on D0 tokens; at D = D0 nothing is gained."""
    gain = overtraining(small_fit).isel(chain=0, draw=3)
    observed, draws = small_fit.observed, small_fit.posterior.isel(chain=0, draw=3)
    tokens = tokens_of(small_fit)
    name = "llama-2-7b"
    n = observed.log_params[observed.systems.index(name)] - np.log(observed.centre_params)
    d = np.log(tokens[name] / observed.centre_tokens)
    law = draws.sel(loss_benchmark="mmlu")
    law = [
        float(law[key])
        for key in (
            "irreducible_loss", "params_loss", "params_exponent", "tokens_loss", "tokens_exponent",
        )
    ]  # fmt: skip
    neff = n + float(gain.sel(system=name, benchmark="mmlu"))
    assert laws.scaling_loss(neff, observed.log_reference_tokens, *law) == pytest.approx(
        laws.scaling_loss(n, d, *law)
    )
    assert float(gain.sel(system=name, benchmark="mmlu")) > 0  # 2e12 tokens, D0 is 1e12
    direct = float(gain.sel(system=name, benchmark="winogrande"))
    elasticity = float(draws["token_elasticity"].sel(direct_benchmark="winogrande"))
    assert direct == pytest.approx(elasticity * np.log(2.0), rel=1e-6)
    at_d0 = tokens.index[np.isclose(tokens, 1e12)]
    assert len(at_d0)
    np.testing.assert_allclose(gain.sel(system=list(at_d0)), 0.0, atol=1e-9)
    assert set(gain["system"].to_numpy()) == set(tokens.dropna().index)


@pytest.mark.fit
def test_growth_by_the_law_is_least_squares_in_each_draw(small_fit):
    found = overtraining_growth(small_fit)
    gain = overtraining(small_fit).mean("benchmark")
    finite = np.isfinite(gain).all(("chain", "draw"))
    beyond = int((~finite).sum())
    assert found.attrs == {"systems": 88 - beyond, "left_out": beyond} and beyond < 9
    np.testing.assert_allclose(
        found["density_growth"], found["overtraining_growth"] + found["rest_growth"]
    )
    data = driver_data(small_fit)
    draw = small_fit.posterior["log_density"].sel(system=list(data.systems))
    draw = draw.isel(chain=1, draw=7).to_numpy()
    design = np.column_stack([np.ones_like(data.time), data.time, data.size, data.driver])
    reached = finite.sel(system=list(data.systems)).to_numpy()
    draw, design = draw[reached], design[reached]
    slopes = np.linalg.lstsq(design, draw, rcond=None)[0]
    assert found["density_slope"][1, 7].item() == pytest.approx(slopes[3])


@pytest.mark.fit
def test_no_size_on_d0_tokens_reaches_what_far_longer_training_does(small_fit):
    """With D0 = 1e9 tokens nearly all is out of reach: infinite, left out, and said."""
    low = np.log(1e9 / small_fit.observed.centre_tokens)
    observed = dataclasses.replace(small_fit.observed, log_reference_tokens=low)
    fit = dataclasses.replace(small_fit, observed=observed)
    assert np.isinf(overtraining(fit).sel(benchmark="mmlu")).any()
    with pytest.raises(DensingError, match="use a fit with more reference tokens"):
        overtraining_growth(fit)


@pytest.mark.fit
def test_table_and_figures(small_fit):
    spec = drivers_spec()
    sampled = fit_drivers(small_fit, spec, draws=300, tune=500, chains=2)
    table = drivers_table(small_fit, sampled, spec)
    assert {"growth", "driver_slope", "share_by_driver", "law:share"} <= set(table.index)
    assert (table["lower"] < table["median"]).all() and (table["median"] < table["upper"]).all()
    assert table.loc["law:share", "prior_lower"] != table.loc["law:share", "prior_lower"]
    assert table.loc["growth", "prior_lower"] < table.loc["growth", "lower"]
    share = driver_share(sampled)
    assert table.loc["share_by_driver", "median"] == pytest.approx(np.nanmedian(share))
    behind = get_plot_data("drivers", small_fit, table=table, spec=spec)
    assert len(behind["systems"]) == 88 and len(behind["growth"]) == 6
    left, right = plot_drivers(small_fit, table, spec)
    densities = left.get_lines()[0].get_ydata()
    assert len(densities) == 88
    labels = [label.get_text() for label in right.get_yticklabels()]
    assert labels[0] == "regression: all" and len(labels) == 6
    data = driver_data(small_fit, spec)
    bands = get_plot_data("drivers_prior", data, sampled=sampled, spec=spec)["bands"]
    wide, narrow = (bands[bands["probability"] == level] for level in (0.95, 0.5))
    assert (wide["lower"].to_numpy() < narrow["lower"].to_numpy()).all()
    ax = plot_drivers_prior(data, sampled, spec)
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), data.log_density)


@pytest.mark.slow
@pytest.mark.fit
def test_study(small_fit_file, tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ANALYSES))
    import drivers as study

    monkeypatch.setattr(study, "VARIATIONS", {"as shipped": {}})
    monkeypatch.setattr(study, "SEEDS", (1,))
    monkeypatch.setattr(sys, "argv", ["x", str(small_fit_file), "--out", str(tmp_path)])
    study.main()
    sys.modules.pop("drivers", None)
    assert "slope by the law" in capsys.readouterr().out
    content = json.loads((tmp_path / "drivers.json").read_text("utf-8"))
    assert content["rows"]["open"]["as shipped"]["systems"] == 88
    assert set(content["examples"]["open"]) >= {"llama-2-7b", "llama-3-8b"}
    assert (tmp_path / "drivers.png").exists() and (tmp_path / "drivers_prior.png").exists()


# Bad input ---------------------------------------------------------------------------------------


@pytest.mark.fit
def test_bad_panels_and_too_few_systems(small_fit):
    panel = load_panel("open")
    missing = dataclasses.replace(panel, systems=panel.systems.drop(index="llama-2-7b"))
    with pytest.raises(DensingError, match=r"no system 'llama-2-7b'.*that it was fitted to"):
        tokens_of(small_fit, missing)
    late = drivers_spec().model_copy(update={"since": dt.date(2030, 1, 1)})
    with pytest.raises(DensingError, match="0 systems released since 2030-01-01 have known"):
        driver_data(small_fit, late)
    unknown = dataclasses.replace(panel, systems=panel.systems.assign(tokens=np.nan))
    with pytest.raises(DensingError, match="fill in tokens"):
        fit_drivers(small_fit, panel=unknown)
    same = dataclasses.replace(panel, systems=panel.systems.assign(tokens=1e12))
    spec = drivers_spec().model_copy(update={"driver": "tokens"})
    with pytest.raises(DensingError, match="the same tokens"):
        driver_data(small_fit, spec, same)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('driver = "data"', "'driver' = 'data'"),
        ("sizes = true", "did you mean 'size'"),
        ("since = 2022-13-30", "not valid TOML"),
        ('form = "edge"', "'form' = 'edge'"),
    ],
)
def test_bad_specifications_are_refused(tmp_path, line, said):
    source = files("densing_bayes.models") / "corollaries" / "drivers.toml"
    key = line.split(" = ")[0]
    text = "\n".join(
        old for old in source.read_text("utf-8").splitlines() if not old.startswith(f"{key} =")
    )
    path = tmp_path / "mine.toml"
    path.write_text(f"{line}\n{text}", encoding="utf-8")
    with pytest.raises(SpecError, match=said):
        drivers_spec(path)


def test_unknown_specification_is_refused():
    with pytest.raises(SpecError, match="did you mean 'drivers'"):
        drivers_spec("driver")
