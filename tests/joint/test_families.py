"""Further families of reference runs: whose losses enter, and what density is measured against."""

import numpy as np
import pytensor
import pytest
from examples import FURTHER, few_systems
from scipy.special import expit, logit
from scipy.stats import norm

from densing_bayes.errors import SpecError
from densing_bayes.evaluation import simulation
from densing_bayes.evaluation.simulation import law_of_runs
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.joint import laws
from densing_bayes.joint.model import assemble
from densing_bayes.observed.observations import observe
from densing_bayes.quantities.densities import run_sizes

FAST = pytensor.compile.Mode(linker="py", optimizer=None)
PANEL = few_systems(load_panel("current"))
SPEC = load_spec("current")


def further(**changes):
    return SPEC.replace(scaling__families=FURTHER | changes)


def test_no_specification_that_comes_with_the_package_has_further_families():
    for name in ("joint", "paper", "current"):
        spec = load_spec(name)
        assert spec.scaling.families is None
        assert observe(load_panel(spec.panel.source), spec).others == ()


def test_losses_of_further_families_enter_and_their_scores_do_not():
    observed, alone = observe(PANEL, further()), observe(PANEL, SPEC)
    others = observed.others
    assert others.families == ("OLMo 2 and OLMo ladder", "EleutherAI on the Pile", "Mamba")
    assert len(others.loss) == len(others.label) == 2 * (12 + 5)
    row = others.label.index("llm-line:pythia-70m|hellaswag")
    assert others.loss[row] == 1.12470
    assert others.families[others.family[row]] == "EleutherAI on the Pile"
    assert others.levels[others.level[row]] == "EleutherAI on the Pile|hellaswag"
    assert observed.loss_benchmarks[others.benchmark[row]] == "hellaswag"
    assert np.exp(others.log_params[row]) * observed.centre_params == pytest.approx(4.467098e7)
    # what is of the reference runs stays what it is
    assert observed.reference_label == alone.reference_label
    assert observed.loss_label == alone.loss_label and observed.centre_params == alone.centre_params
    assert observed.hash() != alone.hash()
    assert run_sizes(observed)[0] == pytest.approx(4.467098e7)
    assert run_sizes(alone)[0] > 1e8


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"also": ["Mamba-3"]}, "family 'Mamba-3' is not in panel 'current'; did you mean 'Mamba"),
        ({"also": ["OLMo 2"]}, "is one of the reference runs already"),
        ({"also": ["Gadre: C4"]}, "fewer than 3 losses of finished runs on each of hellaswag"),
        ({"against": "Mamba-2"}, "no family 'Mamba-2' to measure density against"),
    ],
)
def test_families_that_cannot_serve_are_refused(changes, said):
    with pytest.raises(SpecError, match=said):
        observe(PANEL, further(**changes))


def test_families_need_a_law_whose_parts_can_scatter():
    with pytest.raises(SpecError, match=r"set scaling.pooling = true"):
        further().replace(scaling__pooling=False)
    everywhere = {name: {"link": "loss"} for name in ("hellaswag", "arc_challenge")}
    nameless = load_spec("joint").replace(benchmarks=everywhere, scaling__families=FURTHER)
    with pytest.raises(SpecError, match="name these in"):
        observe(load_panel("open"), nameless)


def at(spec, others_too=()):
    """Values of the parts of the law at a point, and the log density of the further losses."""
    observed = observe(PANEL, spec)
    model = assemble(spec, observed).model
    names = ["loss_at_centre", "irreducible_share", "params_share", "family_share_spread",
             "family_exponent_spread", "family_offset", "family_level", "family_noise",
             *laws.PARAMETERS, *others_too]  # fmt: skip
    graphs = model.replace_rvs_by_values([model[name] for name in names])
    graphs += model.logp(model["family_loss"], sum=False)
    graphs += model.replace_rvs_by_values([model["family_loss"].owner.inputs[2]])
    inputs = [model.rvs_to_values[rv] for rv in model.free_RVs]
    random = np.random.default_rng(4)
    point = [
        value + random.uniform(-0.3, 0.3, np.shape(value))
        for value in model.initial_point().values()
    ]
    found = pytensor.function(inputs, graphs, mode=FAST, on_unused_input="ignore")(*point)
    return observed, dict(zip([*names, "logp", "middle"], found, strict=True))


def test_the_law_of_a_family_is_that_of_the_population_moved():
    runs = tuple(laws.OF_RUNS + name for name in laws.PARAMETERS)
    observed, value = at(further(), runs)
    others, centre = observed.others, value["loss_at_centre"]
    q, p = value["irreducible_share"], value["params_share"]
    alpha, beta = value["params_exponent"], value["tokens_exponent"]
    assert value["irreducible_loss"] == pytest.approx(centre * q)  # density's: the population's
    spreads = value["family_share_spread"], value["family_exponent_spread"]
    by = np.repeat(spreads, 2)[:, None] * value["family_offset"]

    def law(family):
        moved_q, moved_p = expit(logit(q) + by[0, family]), expit(logit(p) + by[1, family])
        rest = 1.0 - moved_q
        return (moved_q, rest * moved_p, alpha * np.exp(by[2, family]), rest * (1.0 - moved_p),
                beta * np.exp(by[3, family]))  # fmt: skip

    E, a, own_alpha, b, own_beta = law(0)
    expected = (centre * E, centre * a, own_alpha, centre * b, own_beta)
    for each, exact in zip(law_of_runs(value), expected, strict=True):
        assert each == pytest.approx(exact)
    for row in (0, len(others.loss) - 1):
        k, level = others.benchmark[row], others.level[row]
        shape = [each[k] for each in law(others.family[row])]
        loss = laws.scaling_loss(others.log_params[row], others.log_tokens[row], *shape)
        middle = np.log(centre[k] * np.exp(value["family_level"][level]) * loss)
        exact = norm.logpdf(np.log(others.loss[row]), middle, value["family_noise"][level])
        assert value["logp"][row] == pytest.approx(exact - np.log(others.loss[row]))


@pytest.mark.parametrize(("against", "place"), [("OLMo 2", 0), ("Mamba", 2)])
def test_density_may_be_measured_against_a_named_family(against, place):
    observed, value = at(further(against=against))
    moved = value["family_share_spread"] * value["family_offset"][0, place]
    share = expit(logit(value["irreducible_share"]) + moved)
    assert value["irreducible_loss"] == pytest.approx(value["loss_at_centre"] * share)
    assert observed.others.against == place


def test_simulated_losses_of_families_scatter_about_their_laws():
    parts = [
        name
        for of in ("params_exponent", "tokens_exponent")
        for name in (f"log_{of}_mean", f"{of}_spread", f"{of}_offset")
    ]
    observed, value = at(further(), parts)
    others, random = observed.others, np.random.default_rng(5)
    noise = value["family_noise"][np.array(others.level)]
    z = [
        (np.log(simulation._of_families(others, value, random).loss) - value["middle"]) / noise
        for _ in range(200)
    ]
    assert np.mean(z) == pytest.approx(0.0, abs=0.05)
    assert np.std(z) == pytest.approx(1.0, abs=0.05)
