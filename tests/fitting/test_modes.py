"""Modes: chains told apart, starts at every optimum, and a posterior that has two."""

import numpy as np
import pytest
import xarray as xr

import densing_bayes as db
from densing_bayes.display.sentences import verdict_sentence
from densing_bayes.errors import SpecError
from densing_bayes.fitting import chains as sampling
from densing_bayes.fitting.modes import chain_groups, mode_fits
from densing_bayes.fitting.settings import Sampling
from densing_bayes.fitting.start import loss_optima, pilot
from densing_bayes.fitting.whitening import Whitening
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.joint import laws
from densing_bayes.observed.observations import observe

RANDOM = np.random.default_rng(5)


def chains(places, draws=300):
    """Chains about some places, with what a posterior has besides."""
    count = len(places)
    values = RANDOM.standard_normal((count, draws)) + np.array(places)[:, None]
    systems = 50.0 * np.arange(count)[:, None, None] + RANDOM.standard_normal((count, draws, 2))
    return xr.Dataset(
        {
            "slope": (("chain", "draw"), RANDOM.standard_normal((count, draws))),
            "exponent": (("chain", "draw", "loss_benchmark"), values[..., None]),
            "log_density": (("chain", "draw", "system"), systems),
            "constant": (("chain", "draw"), np.zeros((count, draws))),
            "nothing": (("chain", "draw", "direct_benchmark"), np.zeros((count, draws, 0))),
        }
    )


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([0.0, 0.0, 0.0, 0.0], [[0, 1, 2, 3]]),
        ([0.0, 9.0, 0.0, 9.0], [[0, 2], [1, 3]]),
        ([9.0, 0.0, 0.0, 0.0], [[0], [1, 2, 3]]),
        ([0.0, 9.0, -9.0], [[0], [1], [2]]),
        ([0.0, 0.3, 0.0, 0.3], [[0, 1, 2, 3]]),  # slow mixing is not another mode
        ([0.0], [[0]]),
    ],
)
def test_chains_are_grouped_by_what_all_systems_share(places, expected):
    assert chain_groups(chains(places)) == expected


class Unmoved:
    """Stands for the functions of a model: the draws of a pilot are given."""

    size = 400

    def with_data(self, **_):
        return self


def pilot_trace(spread, lost):
    """Draws of four chains of two globals and three cells; the chain ``lost`` is far away."""
    random = np.random.default_rng(3)
    draws = spread * random.standard_normal((4, 400, 2)) + 1.0
    height = np.full((4, 400), -500.0)
    if lost is not None:
        draws[lost] += 50.0
        height[lost] -= 3.5 * np.sqrt(Unmoved.size)
    posterior = xr.Dataset(
        {
            "whitened": (("chain", "draw", "global"), draws),
            "log_effective_params": (("chain", "draw", "cell"), np.zeros((4, 400, 3))),
        }
    )
    statistics = xr.Dataset({"logp": (("chain", "draw"), height)})
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": statistics})


@pytest.mark.parametrize(
    ("traces", "scale"),
    [
        ([(1.0, None), (1.0, None)], 1.0),  # a scout and a run
        ([(1.0, 2), (1.0, None)], 1.0),  # the chain that is lost takes no part
        ([(1.0, None), (20.0, None), (1.0, None)], 20.0),
        ([(1.0, 0), (1.0, 1), (1.0, 2)], 1.0),  # and no more than three times
    ],
)
def test_a_pilot_that_went_astray_is_made_again(monkeypatch, traces, scale):
    made = []

    def run(engine, positions, settings, *_):
        made.append(settings.seed)
        assert not np.any(positions[0]) and (settings.chains, settings.cores) == (4, 2)
        return pilot_trace(*traces[len(made) - 1])

    monkeypatch.setattr(sampling, "run_chains", run)
    start = Whitening(np.zeros(2), np.eye(2), np.ones(3))
    found = sampling.pilot_run(Unmoved(), start, Sampling(1, 1, chains=4, cores=2, seed=7))
    assert len(made) == len(set(made)) == len(traces)
    np.testing.assert_allclose(np.diag(found.globals_scale), scale, rtol=0.15)
    shift = sum(np.prod([before for before, _ in traces[:i]]) for i in range(len(traces)))
    np.testing.assert_allclose(found.globals_centre, shift, rtol=0.15)
    np.testing.assert_array_equal(found.cell_mode, np.zeros(3))


def test_loss_laws_of_the_ladder_have_one_optimum_and_those_of_the_paper_several():
    joint, paper = load_spec("joint"), load_spec("paper")
    assert loss_optima(joint, observe(load_panel("open"), joint)).shape == (1, 3, 2)
    observed = observe(load_panel("paper"), paper)
    optima = loss_optima(paper, observed)
    assert optima.shape == (6, 5, 2)  # of eight: two lie 17 below the best in log likelihood
    mmlu, bbh = (observed.loss_benchmarks.index(name) for name in ("mmlu", "bbh"))
    assert optima[0, mmlu, 0] == pytest.approx(0.338, abs=0.002)
    assert set(np.round(optima[:, bbh, 0], 2)) == {0.42, 0.14}
    humaneval, mbpp = (observed.loss_benchmarks.index(name) for name in ("humaneval", "mbpp"))
    second = (optima[:, humaneval, 0] > 0.5) & (optima[:, mbpp, 0] > 0.2)
    assert not second.any()  # each of the two alone is not excluded, both at once are
    assert (optima[:, humaneval, 0] > 0.5).any() and (optima[:, mbpp, 0] > 0.2).any()
    # each start is near its own optimum, not all at one
    found = [pilot(paper, observed, at).params_exponent[bbh] for at in optima[:4]]
    assert np.ptp(found) > 0.1


def test_direct_links_have_nothing_to_start_from():
    spec = load_spec("joint")
    only = {"winogrande": spec.benchmarks["winogrande"].model_dump()}
    spec = spec.replace(benchmarks=only)
    assert loss_optima(spec, observe(load_panel("open"), spec)).shape == (1, 0)


def test_floor_where_guessing_scores_nothing():
    shift = np.array([0.01, np.log(0.005)])
    np.testing.assert_allclose(laws.floor_score(np.array([0.25, 0.0]), shift), [0.26, 0.005])
    np.testing.assert_allclose(
        laws.floor_score(np.array([0.25, 0.5]), shift), [0.26, 0.5 + shift[1]]
    )


def test_a_benchmark_without_chance_needs_a_floor():
    spec = load_spec("paper").replace(performance__floor_without_chance=None)
    with pytest.raises(SpecError, match=r"chance is zero for math, humaneval, mbpp: give .* floor"):
        db.build_model(spec, load_panel("paper"))


@pytest.mark.fit
def test_a_fit_of_one_mode_is_not_split(small_fit):
    (alone,) = mode_fits(small_fit)
    assert alone.posterior.sizes["chain"] == small_fit.posterior.sizes["chain"]
    assert alone.diagnostics["rhat_max"] == pytest.approx(small_fit.diagnostics["rhat_max"])
    assert "modes" not in small_fit.diagnostics


@pytest.mark.slow
def test_chains_in_two_modes_are_said_to_be(tmp_path):
    spec = load_spec("paper")
    alone = {"humaneval": spec.benchmarks["humaneval"].model_dump()}
    wide = {"distribution": "lognormal", "median": 0.25, "sigma": 0.7}  # it holds both optima
    spec = spec.replace(
        benchmarks=alone,
        scaling__pooling=False,
        scaling__params_exponent=wide,
        scaling__tokens_exponent=wide,
    )
    fit = db.fit(spec, draws=600, tune=500, seed=1)
    assert fit.provenance["sampler"]["starts"] == 2
    assert fit.verdict == "MULTIMODAL"
    modes = fit.diagnostics["modes"]
    assert len(modes) == 2
    assert sum(mode["weight"] for mode in modes) == pytest.approx(1.0)
    said = verdict_sentence(fit)
    assert said.startswith("MULTIMODAL: do not rely on these numbers. chains sit in 2 modes")
    assert "Mode 2 (chains" in said
    parts = mode_fits(fit)
    exponents = [float(part.posterior["params_exponent"].mean()) for part in parts]
    assert abs(exponents[0] - exponents[1]) > 0.2
    for part, mode in zip(parts, modes, strict=True):
        assert part.diagnostics["rhat_max"] <= 1.1
        change = db.growth(part)["change"]
        assert mode["growth_change"]["mean"] == pytest.approx(float(change.mean()))
    assert db.Fit.load(fit.save(tmp_path / "fit.nc")).diagnostics["modes"] == modes
    assert set(db.claims([fit]).query("panel == 'paper'")["verdict"]) == {"not testable"}
