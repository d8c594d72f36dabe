"""Density of compressed systems against that of their parents."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr
from scipy.special import expit, logit
from scipy.stats import norm

from densing_bayes.corollaries.compression.effects import (
    fit_compression,
    method_table,
    new_pairs,
    pair_table,
)
from densing_bayes.corollaries.compression.figures import plot_compression, plot_panel_pairs
from densing_bayes.corollaries.compression.inference_density import (
    inference_density,
    quantised_density,
    time_factor,
    time_ratio,
)
from densing_bayes.corollaries.compression.pairs import (
    CompressionSpec,
    compare_pairs,
    load_compression,
)
from densing_bayes.corollaries.compression.panel_pairs import (
    IN_FIT,
    list_panel_pairs,
    only_gemma,
    panel_pairs,
    panel_shifts,
    place_system,
)
from densing_bayes.corollaries.compression.shifts.design import (
    group_pairs,
    inverted_change,
    inverted_logit,
)
from densing_bayes.corollaries.compression.shifts.model import conditioned
from densing_bayes.corollaries.compression.shifts.score_curves import collapse, curve_draws
from densing_bayes.errors import DensingError, TableError
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_corollary
from densing_bayes.joint import laws
from densing_bayes.report.gallery import get_plot_data

SPEC = load_corollary("compression", CompressionSpec)
BENCHMARKS = ("hellaswag", "mmlu", "winogrande")
ITEMS = np.array([10000.0, 9500.0, 1267.0])
CHANCE = np.array([0.25, 0.25, 0.5])
LAW = {  # of the two loss-linked benchmarks
    "irreducible_loss": [0.3, 0.4],
    "tokens_loss": [0.1, 0.1],
    "tokens_exponent": [0.4, 0.4],
    "params_loss": [0.4, 0.5],
    "params_exponent": [0.15, 0.2],
    "steepness": [12.0, 10.0],
    "midpoint": [0.75, 0.8],
}


def joint_fit(seed=0, draws=400):
    """Draws of score curves, as a joint fit has them; no parent has a score in its panel."""
    random = np.random.default_rng(seed)
    shape = (2, draws)

    def about(values, relative):
        return np.array(values) * np.exp(relative * random.standard_normal((*shape, len(values))))

    loss = {name: (("chain", "draw", "loss_benchmark"), about(v, 0.02)) for name, v in LAW.items()}
    direct = ("chain", "draw", "direct_benchmark")
    posterior = xr.Dataset(
        {
            **loss,
            "floor": (
                ("chain", "draw", "benchmark"),
                CHANCE + 0.003 * random.standard_normal((*shape, 3)),
            ),
            "ceiling": (
                ("chain", "draw", "benchmark"),
                expit(logit([0.93, 0.9, 0.9]) + 0.05 * random.standard_normal((*shape, 3))),
            ),
            "discrimination": (direct, about([0.5], 0.05)),
        },
        coords={
            "benchmark": list(BENCHMARKS),
            "loss_benchmark": list(BENCHMARKS[:2]),
            "direct_benchmark": list(BENCHMARKS[2:]),
        },
    )
    observed = SimpleNamespace(
        benchmarks=BENCHMARKS,
        loss_benchmarks=BENCHMARKS[:2],
        direct_benchmarks=BENCHMARKS[2:],
        chance=CHANCE,
        cell_items=ITEMS,
        cell_benchmark=np.arange(3),
        cell_label=(),
        score=np.array([]),
        log_reference_tokens=3.0,
        centre_params=1e9,
    )
    return SimpleNamespace(
        posterior=posterior,
        observed=observed,
        spec=SimpleNamespace(panel=SimpleNamespace(source="simulated")),
        verdict="PASS",
        provenance={},
    )


TRUTH = {  # method, scheme, bits, params of the child over the parent's: shift of log density
    ("quantised", "good", 4, 1.0): -0.15,
    ("quantised", "poor", 4, 1.0): -0.6,
    ("quantised", "ruinous", 2, 1.0): -9.0,
    ("pruned", "clever", 16, 0.5): 0.3,
}


def curve_score(k, ability):
    """Score at ln(Neff / N0), on the curves that the draws scatter about."""
    if k < 2:
        law = {name: values[k] for name, values in LAW.items()}
        loss = laws.scaling_loss(
            ability,
            3.0,
            *(
                law[name]
                for name in (
                    "irreducible_loss",
                    "params_loss",
                    "params_exponent",
                    "tokens_loss",
                    "tokens_exponent",
                )
            ),
        )
        z = law["steepness"] * (law["midpoint"] - loss)
    else:
        z = 0.5 * (ability - 0.5)
    return laws.sigmoid_score(z, CHANCE[k], (0.93, 0.9, 0.9)[k])


def simulated_pairs(seed):
    """Seven parents by four methods on three benchmarks, with deviations of every kind."""
    random = np.random.default_rng(seed)
    rows = []
    for number, params in enumerate(np.geomspace(2e9, 7e10, 7)):
        ability = np.log(params / 1e9) + 1.0 + 0.3 * random.standard_normal()
        errors = random.standard_normal(3)
        of_parent = [curve_score(k, ability) for k in range(3)]
        width = np.sqrt(np.array(of_parent) * (1.0 - np.array(of_parent)) / ITEMS)
        parent = of_parent + width * errors
        for (method, scheme, bits, ratio), shift in TRUTH.items():
            own = shift + 0.05 * random.standard_normal()
            for k, benchmark in enumerate(BENCHMARKS):
                moved = ability + np.log(ratio) + own + 0.05 * random.standard_normal()
                mean = curve_score(k, moved)
                error = 0.8 * errors[k] + 0.6 * random.standard_normal()
                rows.append(
                    {
                        "child": f"child-{number}-{scheme}",
                        "parent": f"parent-{number}",
                        "method": method,
                        "scheme": scheme,
                        "bits": bits,
                        "benchmark": benchmark,
                        "child_score": mean + np.sqrt(mean * (1.0 - mean) / ITEMS[k]) * error,
                        "parent_score": parent[k],
                        "child_params": params * ratio,
                        "parent_params": params,
                    }
                )
    return pd.DataFrame(rows)


@pytest.fixture
def table_of(tmp_path):
    """Write rows as a table of one's own and load it."""

    def load(rows):
        path = tmp_path / "mine.csv"
        pd.DataFrame(rows).to_csv(path, index=False)
        return load_compression(path)

    return load


@pytest.fixture(scope="module")
def recovered(tmp_path_factory):
    """Posterior of simulated pairs, by seed; made once."""
    known = {}

    def of(seed):
        if seed not in known:
            path = tmp_path_factory.mktemp("pairs") / "pairs.csv"
            simulated_pairs(seed).to_csv(path, index=False)
            known[seed] = fit_compression(joint_fit(), load_compression(path), seed=seed)
        return known[seed]

    return of


SEEDS = [1, 2, 3]


@pytest.mark.slow
@pytest.mark.fit
@pytest.mark.parametrize("seed", SEEDS)
def test_known_shifts_are_recovered(recovered, seed):
    posterior = recovered(seed)
    assert posterior.verdict == "PASS", posterior.diagnostics["reasons"]
    table = method_table(posterior, ci=0.99)
    for (method, scheme, bits, _), shift in TRUTH.items():
        name = f"{scheme}, {bits} bits" if method == "quantised" else f"{scheme}, {method}"
        row = table.loc[name]
        assert row["pairs"] == 7
        if scheme == "ruinous":
            continue
        assert row["factor_lower"] < np.exp(shift) < row["factor_upper"]
        assert row["factor_upper"] / row["factor_lower"] < 2.5
    assert table.loc["clever, pruned", "p_denser"] > 0.95
    assert table.loc["poor, 4 bits", "p_denser"] < 0.05


@pytest.mark.slow
@pytest.mark.fit
@pytest.mark.parametrize("seed", SEEDS)
def test_children_that_guess_say_only_that_they_are_far_below(recovered, seed):
    posterior = recovered(seed)
    row = method_table(posterior).loc["ruinous, 2 bits"]
    assert row["guessing"] > 0.5
    assert row["factor_upper"] < 0.2
    # No lower limit but that of the prior: the interval spans orders of magnitude.
    assert row["factor_lower"] < row["factor_upper"] / 5.0
    pairs = pair_table(posterior)
    assert pairs[pairs["method"] == "ruinous, 2 bits"]["p_denser"].max() < 0.01


@pytest.mark.slow
@pytest.mark.fit
def test_a_new_pair_is_less_certain_than_its_method(recovered):
    posterior = recovered(1)
    table = method_table(posterior)
    assert (table["new_upper"] >= table["factor_upper"]).all()
    assert (table["new_lower"] <= table["factor_lower"]).all()
    assert new_pairs(posterior).dims == ("chain", "draw", "scheme")
    prior = new_pairs(posterior, "prior")
    assert float(prior.std()) > 3 * float(new_pairs(posterior).sel(scheme="good, 4 bits").std())


@pytest.mark.slow
@pytest.mark.fit
def test_inference_time_makes_up_for_some_loss(recovered):
    table = quantised_density(recovered(1))
    assert set(table["bits"]) == {2.0, 4.0}
    ratio = table["inference_factor"] / table["factor"]
    np.testing.assert_allclose(ratio, time_factor(table["bits"].to_numpy()))
    assert table.loc["good, 4 bits", "factor"] < 1 < table.loc["good, 4 bits", "inference_factor"]
    with pytest.raises(DensingError, match="ratio = -1"):
        quantised_density(recovered(1), ratio=-1)


@pytest.mark.slow
@pytest.mark.fit
def test_the_figure_shows_every_method(recovered):
    methods = get_plot_data("compression", recovered(1))["methods"]
    assert set(methods["class"]) == {"2 bits", "4 bits", "pruned"} and len(methods) == 4
    ax = plot_compression(recovered(1))
    assert len(ax.get_yticklabels()) == 4
    assert ax.get_xscale() == "log"


def test_change_of_ability_follows_from_the_collapsed_curve():
    """Score after a change of ln Neff by floor, ceiling, top and rate: as by the whole law."""
    law = {name: np.array(values) for name, values in LAW.items()}
    far = law["irreducible_loss"] + law["tokens_loss"] * np.exp(-3.0 * law["tokens_exponent"])
    top = law["steepness"] * (law["midpoint"] - far)
    rate = np.array([*LAW["params_exponent"], 0.5])
    ceiling = np.array([0.93, 0.9, 0.9])
    before, after = (
        np.array([inverted_logit(curve_score(k, x), CHANCE[k], ceiling[k] - CHANCE[k])
                  for k in range(3)])
        for x in (2.0, 1.3)
    )  # fmt: skip
    linked, direct = inverted_change(before, after, top, rate)
    np.testing.assert_allclose(np.concatenate([linked, direct]), -0.7, atol=1e-9)


def test_normal_approximation_keeps_the_draws_of_the_curves():
    fit = joint_fit()
    curves, draws = collapse(fit), curve_draws(fit)
    random = np.random.default_rng(0)
    sampled = curves.shape_of(
        curves.mean + random.standard_normal((20000, len(curves.mean))) @ curves.factor.T
    )
    for name in ("floor", "ceiling", "top", "rate"):
        known = draws[name].to_numpy().reshape(-1, draws[name].shape[-1])
        found = getattr(sampled, name)
        np.testing.assert_allclose(found.mean(0), known.mean(0), rtol=0.01)
        np.testing.assert_allclose(found.std(0), known.std(0), rtol=0.12)


def test_contrasts_are_orthonormal_and_sum_to_zero_in_a_class():
    of_class = np.array([0, 0, 0, 1, 1, 2])
    grouping = group_pairs(pd.Series(["a", "b", "c", "d", "e", "f"]), of_class)
    contrasts = grouping.contrasts
    np.testing.assert_allclose(contrasts.T @ contrasts, np.eye(3), atol=1e-12)
    for number in range(3):
        np.testing.assert_allclose(contrasts[grouping.class_of == number].sum(0), 0, atol=1e-12)
    assert list(grouping.contrast_class) == [0, 0, 1]


def test_coordinates_of_the_sampler_leave_the_prior_as_it_is():
    width, centre = np.array([0.1, 5.0]), np.array([2.0, 0.0])
    with pm.Model(coords={"x": [0, 1]}) as model:
        value = conditioned("free", 0.5, 0.7, centre, width, "x")
    free = np.array([0.3, -1.2])
    (rv,) = model.free_RVs
    found = value.eval({rv: free}, mode="FAST_COMPILE")
    per_unit = value.eval({rv: free + 1.0}, mode="FAST_COMPILE") - found
    expected = norm.logpdf(found, 0.5, 0.7) + np.log(per_unit)
    assert model.compile_logp(mode="FAST_COMPILE")({"free": free}) == pytest.approx(expected.sum())


def test_ratio_of_times_is_that_of_the_formulas():
    assert time_ratio() == pytest.approx(2.446, abs=1e-3)
    assert time_factor(16.0) == pytest.approx(1.0)
    assert time_factor(4.0, ratio=0.0) == pytest.approx(4.0)
    assert time_factor(4.0) == pytest.approx(3.446 / 2.696, abs=1e-3)
    with pytest.raises(DensingError, match="length = 0"):
        time_ratio(length=0)


def test_embedded_pairs_have_the_sizes_of_the_panels():
    table = load_compression()
    assert len(table) == 768
    assert table["child"].nunique() == 207
    panels = {name: load_panel(name).systems for name in ("open", "paper")}
    for basis, params in table[["size_basis", "parent_params"]].drop_duplicates().to_numpy():
        if basis == "as named":
            continue
        panel, system = basis.split("; ")[-1].split("/")
        row = panels[panel].loc[system]
        assert params == (
            row["params_comparable"] if row["params_comparable"] > 0 else row["params_total"]
        )
    same = table["method"].isin(["quantised", "sparsified"])
    assert (table["child_params"] == table["parent_params"])[same].all()
    assert (table["bits"] < 16).eq(table["method"] == "quantised").all()


def row(**changes):
    """One good row of a table of pairs."""
    return {
        "child": "small",
        "parent": "large",
        "method": "pruned",
        "benchmark": "mmlu",
        "child_score": 0.5,
        "parent_score": 0.56,
        "child_params": 4e9,
        "parent_params": 8e9,
    } | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parent_score": 56}, r"row 2, column 'parent_score': 56 looks like .* write 0.56"),
        ({"method": "squeezed"}, "column 'method': squeezed is not known; write one of quantised"),
        ({"parent": "small"}, "row 2: small is its own parent"),
        ({"child_params": 4}, "column 'child_params': 4 looks like billions"),
        ({"bits": 0}, "column 'bits': 0 is not between 1 and 32"),
        ({"child_score": ""}, "column 'child_score': is empty"),
    ],
)
def test_bad_rows_are_refused_with_their_place_and_fix(table_of, changes, message):
    with pytest.raises(TableError, match=message):
        table_of([row(**changes)])


def test_pairs_that_contradict_each_other_are_refused(table_of):
    with pytest.raises(TableError, match="small has the parents large and other"):
        table_of([row(), row(parent="other", benchmark="winogrande")])
    with pytest.raises(TableError, match="large has several scores on mmlu in table 'one'"):
        table_of([row(), row(child="smaller", parent_score=0.6)])


def test_benchmarks_are_those_of_the_fit(table_of):
    fit = joint_fit()
    with pytest.raises(DensingError, match=r"'helaswag' .* did you mean 'hellaswag'"):
        compare_pairs(fit, table_of([row(benchmark="helaswag")]), SPEC)
    with pytest.raises(DensingError, match="no pair has a score on a benchmark of this fit"):
        compare_pairs(fit, table_of([row(benchmark="gsm8k")]), SPEC)
    compared = compare_pairs(fit, table_of([row(), row(benchmark="gsm8k")]), SPEC)
    assert list(compared.left_out["reason"]) == ["benchmark not in the fit"]
    assert len(compared.cells) == 1


def test_rows_in_another_format_are_left_out():
    compared = compare_pairs(joint_fit(), load_compression(), SPEC)
    assert len(compared.cells) + len(compared.left_out) == 768
    assert set(compared.left_out["reason"]) == {
        "benchmark not in the fit",
        "format unlike the panel's",
    }
    assert "llama-3.2-1b" in set(compared.pairs.index)  # by its MMLU; its ARC is multiple choice


def test_claim_holds_where_gemma_is_denser_and_the_others_are_not():
    """On draws of a fit that holds the three Gemma systems and no other pair."""
    random = np.random.default_rng(0)
    systems = ("gemma-2-9b", "gemma-2-2b", "gemma-2-27b")
    draws = np.array([0.5, -0.5, 0.0]) + 0.4 * random.standard_normal((2, 500, 3))
    posterior = xr.Dataset(
        {
            "log_density": (("chain", "draw", "system"), draws),
            "level": (("chain", "draw"), np.zeros((2, 500))),
        },
        coords={"system": list(systems)},
    )
    fit = SimpleNamespace(
        posterior=posterior,
        observed=SimpleNamespace(systems=systems, benchmarks=("mmlu",)),
        spec=SimpleNamespace(panel=SimpleNamespace(source="paper")),
    )
    said = only_gemma(fit, panel=load_panel("paper"))
    nine, two = draws[..., 0] > draws[..., 2], draws[..., 1] < draws[..., 2]
    assert said["p_denser"] == nine.mean()
    assert said["p_others_less_dense"] == two.mean()
    assert said["p_claim"] == (nine & two).mean()
    assert [entry["child"] for entry in said["pairs"]] == ["gemma-2-9b", "gemma-2-2b"]
    assert "gemma-2-9b-gptq" in said["left_out"]
    assert "llama-3.2-3b" in said["left_out"]


@pytest.mark.fit
def test_pairs_within_the_fit_are_differences_of_its_draws(small_fit):
    pair = next(p for p in list_panel_pairs(small_fit) if not p.reason and p.how == IN_FIT)
    shift = panel_shifts(small_fit, children=[pair.child]).sel(pair=pair.child)
    draws = small_fit.posterior["log_density"]
    expected = draws.sel(system=pair.child) - draws.sel(system=pair.parent)
    np.testing.assert_allclose(shift, expected.transpose("chain", "draw"))


@pytest.mark.fit
def test_a_system_placed_beside_the_fit_lands_where_the_fit_has_it(small_fit):
    panel = load_panel("open")
    for system in ("qwen2-7b", "llama-2-7b", "pythia-1.4b-deduped"):
        own = small_fit.posterior["log_density"].sel(system=system).transpose("chain", "draw")
        centre = np.full(own.shape, float(own.mean()))
        placed = place_system(small_fit, panel, system, centre, SPEC)
        assert abs(placed.mean() - float(own.mean())) < 1.5 * float(own.std())
        assert 0.6 < placed.std() / float(own.std()) < 3.0


@pytest.mark.fit
def test_missing_pairs_are_listed_with_their_reason(small_fit):
    table = panel_pairs(small_fit)
    missing = table[table["reason"] != ""]
    assert table.loc["yi-1.5-9b", "reason"] == "the parent yi-9b is not in the fit"
    assert missing["p_denser"].isna().all()
    assert table.drop(missing.index)["p_denser"].between(0, 1).all()
    shown = get_plot_data("panel_pairs", table)["pairs"]
    assert set(shown.index) == set(table.index) - set(missing.index)
    ax = plot_panel_pairs(table)
    assert len(ax.get_yticklabels()) == len(table) - len(missing)


@pytest.mark.fit
def test_gemma_needs_the_panel_that_holds_it(small_fit):
    with pytest.raises(DensingError, match="gemma-2-9b and its parent are not both in this fit"):
        only_gemma(small_fit)


@pytest.mark.fit
def test_mixtures_are_denser_by_inference_time(small_fit):
    table = inference_density(small_fit)
    assert "mixtral-8x7b-v0.1" in table.index
    assert (table["inference_density"] > table["density"]).all()
    dense = inference_density(small_fit, ["llama-2-7b"])
    np.testing.assert_allclose(dense["inference_density"], dense["density"])
    slow = inference_density(small_fit, ratio=0.0)
    np.testing.assert_allclose(slow["inference_density"], slow["density"])
    with pytest.raises(DensingError, match="did you mean 'llama-2-7b'"):
        inference_density(small_fit, ["llama-2-7bb"])
