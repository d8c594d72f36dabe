"""The joint model: dims, finite gradients, switches, and the conditioned form's equality."""

import dataclasses
import functools
import operator

import numpy as np
import pymc as pm
import pytensor
import pytest
from examples import FURTHER, PANEL, SPEC, SWITCHES, few_systems
from pymc.pytensorf import join_nonshared_inputs

from densing_bayes.errors import SpecError
from densing_bayes.fitting import whitening
from densing_bayes.fitting.coordinates.conditioned import bend, condition, straighten
from densing_bayes.fitting.engine.functions import POSITION, Engine
from densing_bayes.fitting.engine.tape import record
from densing_bayes.fitting.start import pilot
from densing_bayes.inputs.families import Normal
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.joint.model import assemble, build_model
from densing_bayes.observed.observations import observe

# Interpreted: cheaper than compiling for a handful of evaluations.
FAST = pytensor.compile.Mode(linker="py", optimizer=None)


def varied(name):
    """Specification of a switch and a panel of a few systems."""
    if name == "the paper's form":
        return load_spec("paper"), few_systems(load_panel("paper"))
    if name == "several families":
        spec = load_spec("current").replace(scaling__families=FURTHER)
        return spec, few_systems(load_panel("current"))
    if name == "several protocols":
        return load_spec("current"), few_systems(load_panel("current"))
    return SPEC.replace(**SWITCHES[name]), few_systems()


def pieces(spec, panel):
    observed = observe(panel, spec)
    parts = assemble(spec, observed)
    start = pilot(spec, observed).point(parts.model.initial_point())
    return observed, parts, condition(parts, observed, start)


def compiled(model, graphs):
    inputs = [model.rvs_to_values[rv] for rv in model.free_RVs]
    graphs = model.replace_rvs_by_values(graphs)
    return pytensor.function(inputs, graphs, mode=FAST, on_unused_input="ignore")


def at_many_positions(model, graphs):
    """The graphs, laid end to end, as a function of positions (position, coordinate)."""
    point = model.initial_point()
    outputs, position = join_nonshared_inputs(
        point=point, outputs=model.replace_rvs_by_values(graphs), inputs=model.value_vars
    )
    position.name = POSITION
    start = np.concatenate([np.ravel(point[value.name]) for value in model.value_vars])
    tape = record({position: start.astype(float)}, outputs)
    names = {str(i): () for i in range(len(outputs))}
    engine = Engine(tape, tape, names, {}, start, start, {})

    def evaluated(positions):
        found = engine.expanded(positions).values()
        return np.concatenate([values.reshape(len(positions), -1) for values in found], axis=1)

    return evaluated


def total(factors):
    return float(sum(np.sum(factor) for factor in factors))


def test_dims_and_names_of_the_model():
    model = build_model(SPEC, few_systems())
    assert set(model.named_vars_to_dims["log_density"]) == {"system"}
    assert model.coords["benchmark"][-1] == "winogrande"
    assert {v.name for v in model.observed_RVs} == {"loss", "reference_score", "score"}
    forbidden = {"model", "group", "sample", "column", "variable"}
    assert not forbidden & set(model.coords)


def test_gradients_are_finite_at_200_prior_draws():
    model = build_model(SPEC, few_systems())
    names = [rv.name for rv in model.free_RVs]
    prior = pm.sample_prior_predictive(
        200, model=model, var_names=names, random_seed=1, compile_kwargs={"mode": FAST}
    )["prior"].dataset
    values = [model.rvs_to_values[rv] for rv in model.free_RVs]
    density = functools.reduce(operator.add, (term.sum() for term in model.logp(sum=False)))
    gradient = pytensor.function(values, [density, *pytensor.grad(density, values)], mode=FAST)
    forward = {}
    for rv in model.free_RVs:
        draws = prior[rv.name].transpose("chain", "draw", ...).to_numpy()[0]
        transform = model.rvs_to_transforms[rv]
        if transform is not None:
            x = pytensor.tensor.TensorType("float64", shape=draws.shape[1:])()
            to_value = pytensor.function(
                [x], transform.forward(x, *rv.owner.inputs), mode=FAST, on_unused_input="ignore"
            )
            draws = np.array([to_value(draw) for draw in draws])
        forward[rv.name] = draws
    for i in range(200):
        for result in gradient(*(forward[name][i] for name in names)):
            assert np.isfinite(result).all()


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_builds_with_a_finite_density(name):
    _, _, conditioned = pieces(*varied(name))
    model = conditioned.model
    factors = compiled(model, model.logp(sum=False))(
        *(np.zeros(np.shape(value)) for value in model.initial_point().values())
    )
    assert all(np.isfinite(factor).all() for factor in factors)


@pytest.mark.parametrize(
    "name",
    [
        "as shipped",
        "no pooling",
        "mean trend",
        pytest.param("wandering", marks=pytest.mark.slow),  # which the next has, too
        "wandering benchmarks",
        "leaning organisations",
        "heavy tails",
        "open date",
        "open dates",
        "shortfall drifts",
        "the paper's form",
        pytest.param("several protocols", marks=pytest.mark.slow),  # which the next has, too
        "several families",
    ],
)
def test_the_conditioned_form_is_the_same_density(name):
    """Its log density is the plain one plus that of the map's determinant, taken numerically."""
    _, parts, conditioned = pieces(*varied(name))
    model, plain = conditioned.model, parts.model
    graphs = [conditioned.values[plain.rvs_to_values[rv]] for rv in plain.free_RVs]
    shapes = [np.shape(value) for value in model.initial_point().values()]
    sizes = [int(np.prod(shape)) for shape in shapes]
    mapping = compiled(model, graphs)
    mapped = at_many_positions(model, graphs)
    density = compiled(model, model.logp(sum=False))
    plain_values = [plain.rvs_to_values[rv] for rv in plain.free_RVs]
    plain_density = pytensor.function(plain_values, plain.logp(sum=False), mode=FAST)

    def split(flat):
        parts_ = np.split(flat, np.cumsum(sizes)[:-1])
        return [piece.reshape(shape) for piece, shape in zip(parts_, shapes, strict=True)]

    random = np.random.default_rng(0)
    differences = []
    for _ in range(2):
        point = random.uniform(-1.0, 1.0, sum(sizes))
        values, step = mapping(*split(point)), 1e-5
        np.testing.assert_allclose(
            mapped(point[None])[0], np.concatenate([np.ravel(v) for v in values]), atol=1e-9
        )
        steps = step * np.eye(point.size)
        jacobian = (mapped(point + steps) - mapped(point - steps)) / (2 * step)
        sign, log_determinant = np.linalg.slogdet(jacobian)
        assert sign != 0
        expected = total(plain_density(*values)) + log_determinant
        differences.append(total(density(*split(point))) - expected)
    assert np.ptp(differences) < 1e-4


@pytest.mark.parametrize("name", ["as shipped", "beta-binomial", "several protocols"])
def test_scores_that_are_not_seen_say_nothing(name):
    observed, parts, conditioned = pieces(*varied(name))
    model = conditioned.model
    evaluate = compiled(model, [*model.logp(sum=False), model["log_effective_params"]])
    random = np.random.default_rng(1)
    point = [random.uniform(-1.0, 1.0, np.shape(value)) for value in model.initial_point().values()]
    hidden = observed.cell_system == 3
    assert hidden.any()

    def density(score, seen):
        parts.model["score_data"].set_value(score)
        model["cell_seen"].set_value(seen.astype(float))
        *factors, latent = evaluate(*point)
        return total(factors), latent

    other = np.where(hidden, 0.9 * observed.score, observed.score)
    everything = np.ones(hidden.size, dtype=bool)
    (first, at), (second, also_at) = (density(s, ~hidden) for s in (observed.score, other))
    assert first == pytest.approx(second, abs=1e-9)
    np.testing.assert_allclose(at, also_at)
    assert abs(density(other, everything)[0] - density(observed.score, everything)[0]) > 0.1
    parts.model["score_data"].set_value(observed.score)


class StillEngine:
    """An engine whose cells stay where they are, whatever the constants."""

    size = 0

    def __init__(self, mode):
        self.mode = mode

    def with_data(self, **held):
        return self

    def expanded(self, position):
        return {"log_effective_params": self.mode}


@pytest.mark.parametrize("benchmarks", [("winogrande",), ("hellaswag",), ("mmlu", "winogrande")])
def test_coordinates_of_draws_are_those_of_each_draw(benchmarks):
    """With links of one kind only, too; free values come back from them."""
    kept = {name: SPEC.benchmarks[name].model_dump() for name in benchmarks}
    observed, parts, conditioned = pieces(SPEC.replace(benchmarks=kept), few_systems())
    random = np.random.default_rng(1)
    point = parts.model.initial_point()
    draws = {
        name: point[name] + 0.01 * random.standard_normal((3, *np.shape(point[name])))
        for name in conditioned.names
    }
    together = straighten(draws, observed, parts.curve)
    for i in range(3):
        alone = straighten({name: each[i] for name, each in draws.items()}, observed, parts.curve)
        for name, value in alone.items():
            np.testing.assert_allclose(together[name][i], value, rtol=1e-10, atol=1e-12)
    back, _ = bend(together, observed, parts.curve)
    for name, value in draws.items():
        np.testing.assert_allclose(back[name], value, rtol=1e-8, atol=1e-10)


def test_a_whitening_of_more_coordinates_serves_a_model_with_fewer():
    _, _, bent = pieces(SPEC, few_systems())
    _, _, straight = pieces(SPEC.replace(trend__changes=()), few_systems())
    mode = bent.model["cell_mode"].get_value()
    engine = StillEngine(mode)
    random = np.random.default_rng(0)
    count = len(bent.coordinates)
    centre = random.standard_normal(count)
    scale = np.tril(random.uniform(0.5, 1.0, (count, count)))
    near = whitening.Whitening(centre, scale, mode)
    found = whitening.whitening_near(straight, engine, near.dataset(bent), {})
    kept = [i for i, name in enumerate(bent.coordinates) if name in straight.coordinates]
    assert len(kept) == len(straight.coordinates) == count - 1
    np.testing.assert_array_equal(found.globals_centre, centre[kept])
    covariance = found.globals_scale @ found.globals_scale.T
    np.testing.assert_allclose(covariance, (scale @ scale.T)[np.ix_(kept, kept)])
    # A model with a coordinate that the fit has not needs a pilot of its own,
    assert whitening.whitening_near(bent, engine, found.dataset(straight), {}) is None
    # unless the data say nothing of it: then it has the scale of its prior, and no part in others.
    (extra,) = set(bent.coordinates) - set(straight.coordinates)
    prior = Normal(distribution="normal", mu=0.2, sigma=0.7)
    for known in (found.dataset(straight), near.dataset(bent), near.dataset(bent, [extra])):
        with_idle = whitening.whitening_near(bent, engine, known, {extra: prior})
        at = bent.coordinates.index(extra)
        assert with_idle.globals_centre[at] == prior.mu
        both = with_idle.globals_scale @ with_idle.globals_scale.T
        np.testing.assert_array_equal(both[at], prior.sigma**2 * np.eye(count)[at])
        np.testing.assert_allclose(both[np.ix_(kept, kept)], covariance)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"benchmarks": {"gsm8k": {"link": "direct"}}}, "benchmark 'gsm8k' is not in panel"),
        ({"panel__domains": ("poetry",)}, "0 systems with scores"),
        (
            {"benchmarks": {"mmlu": {"link": "direct", "reference_format": "oral"}}},
            "fewer than 3 usable reference scores",
        ),
    ],
)
def test_a_panel_that_cannot_carry_the_model_is_refused(changes, said):
    with pytest.raises(SpecError, match=said):
        observe(PANEL, SPEC.replace(**changes))


def test_a_loss_link_without_losses_is_refused():
    panel = dataclasses.replace(PANEL, losses=PANEL.losses[PANEL.losses["benchmark"] != "mmlu"])
    with pytest.raises(SpecError, match="has no losses of reference runs"):
        observe(panel, SPEC)


def test_one_system_is_refused():
    panel = dataclasses.replace(PANEL, systems=PANEL.systems.loc[["gpt2-xl"]])
    with pytest.raises(SpecError, match="needs at least 2"):
        observe(panel, SPEC)


def test_missing_cells_are_left_out():
    panel = few_systems()
    fewer = dataclasses.replace(panel, scores=panel.scores.iloc[1:])
    assert len(observe(fewer, SPEC).score) == len(observe(panel, SPEC).score) - 1
