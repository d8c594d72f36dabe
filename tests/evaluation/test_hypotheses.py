"""Hypotheses: files, what is refused, and what each says of the trend line."""

import dataclasses
import datetime as dt
from types import SimpleNamespace

import numpy as np
import pytensor
import pytest
import xarray as xr
from scipy.stats import norm

from densing_bayes.errors import SpecError
from densing_bayes.evaluation import prior_sensitivity
from densing_bayes.fitting.compiled import Compiled, structure, with_room
from densing_bayes.inputs.hypothesis import MOST_CHANGES, ChangeSpec, Hypothesis
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import (
    TrendSpec,
    list_hypotheses,
    load_hypothesis,
    load_spec,
)
from densing_bayes.joint import variables as priors
from densing_bayes.joint.line import Line, Walk, drawn_line, line_slope, line_value
from densing_bayes.joint.model import assemble, build_model
from densing_bayes.observed.observations import observe, placed

# Interpreted: cheaper than compiling for a handful of evaluations.
FAST = pytensor.compile.Mode(linker="py", optimizer=None)
SPEC = load_spec("joint")
PANEL = load_panel("open")
OWN = """
name = "mine"
[[changes]]
name = "spring"
date = 2023-05-01
"""


def test_the_built_in_hypotheses():
    assert set(list_hypotheses()) == {
        "none",
        "chatgpt",
        "chatgpt-level",
        "chatgpt-both",
        "llama-1",
        "gpt-4",
        "chinchilla",
        "unknown-date",
        "two-changes",
        "smooth",
        "saturating",
    }
    for name in list_hypotheses():
        hypothesis = load_hypothesis(name)
        assert hypothesis.name == name
        assert hypothesis.description


def test_the_default_specification_is_that_of_chatgpt():
    assert SPEC.under(load_hypothesis("chatgpt")).hash == SPEC.hash


@pytest.mark.parametrize("name", ["none", "unknown-date", "two-changes", "smooth", "saturating"])
def test_every_kind_of_hypothesis_builds(name):
    model = build_model(SPEC.under(load_hypothesis(name)), PANEL)
    factors = model.compile_logp(sum=False, mode=FAST)(model.initial_point())
    assert all(np.isfinite(factor).all() for factor in factors)


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(OWN, encoding="utf-8")
    spec = SPEC.under(load_hypothesis(path))
    assert observe(PANEL, spec).changes == ("spring",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN + "[[changes]]\nname = 'spring'\ndate = 2024-01-01\n", "two changes bear one name"),
        (OWN.replace("date = 2023-05-01", ""), "needs a date, or earliest and latest"),
        (
            OWN.replace("date = 2023-05-01", "earliest = 2023-05-01"),
            "needs both earliest and latest",
        ),
        (
            OWN.replace("date = 2023-05-01", "earliest = 2023-05-01\nlatest = 2023-05-01"),
            "has no width",
        ),
        (
            OWN.replace(
                "date = 2023-05-01", "earliest = 2023-05-01\nlatest = 2023-09-01\nlevel = true"
            ),
            "a jump in level needs a known date",
        ),
        (OWN.replace("date", "dates"), "did you mean 'date'"),
        (OWN + "[smooth]\nstart = 2021-01-01\n", "'smooth.end' is missing"),
        (OWN + "prior_odd = 2\n", "changes.0.prior_odd"),
        ("name = 'a'\nprior_odds = 0.0\n", "prior_odds"),
        (
            OWN + "[saturation]\nstart = 2021-01-01\n"
            "decay = { distribution = 'lognormal', median = 1.0, sigma = 1.0 }\n",
            "give one of the three",
        ),
        (
            OWN + "[[changes]]\nname = 'b'\nearliest = 2023-04-01\nlatest = 2023-09-01\n",
            "in order of date",
        ),
    ],
)
def test_a_broken_file_is_refused(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=said):
        load_hypothesis(path)


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(SpecError, match="did you mean 'chatgpt'"):
        load_hypothesis("chatgtp")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"date": "2018-01-01"}, "lies outside the data, which run from 2019"),
        ({"date": "2025-01-01"}, "lies outside the data"),
        ({"earliest": "2019-12-01", "latest": "2020-03-01"}, "holds no release"),
    ],
)
def test_dates_without_data_are_refused(change, said):
    hypothesis = Hypothesis.model_validate({"name": "a", "changes": [{"name": "x"} | change]})
    with pytest.raises(SpecError, match=said):
        observe(PANEL, SPEC.under(hypothesis))


def test_counts_show_the_window():
    counts = observe(PANEL, SPEC.under(load_hypothesis("unknown-date"))).counts()
    assert list(counts.index) == [
        "before the change",
        "in the window of the change",
        "after the change",
    ]
    assert counts["systems"].sum() == 128


def test_hypotheses_of_one_structure_differ_in_names_and_dates_only():
    of = {name: structure(SPEC.under(load_hypothesis(name))) for name in list_hypotheses()}
    assert of["chatgpt"] == of["llama-1"] == of["gpt-4"] == of["chinchilla"]
    assert len(set(of.values())) == len(of) - 3


def test_a_compilation_with_room_serves_every_hypothesis_with_known_dates():
    of = {
        name: structure(with_room(SPEC.under(load_hypothesis(name)))) for name in list_hypotheses()
    }
    known = {"none", "chatgpt", "chatgpt-level", "chatgpt-both", "llama-1", "gpt-4", "chinchilla"}
    assert len({of[name] for name in known}) == 1
    assert len(set(of.values())) == 1 + len(set(of) - known)
    two = tuple(ChangeSpec(name=f"in {y}", date=dt.date(y, 6, 1)) for y in (2022, 2023))
    spec = SPEC.under(Hypothesis(name="two", changes=two))
    assert with_room(spec) is spec  # there is room for one bend


@pytest.mark.parametrize("name", ["none", "chatgpt", "chatgpt-level", "chatgpt-both"])
def test_changes_that_a_hypothesis_does_not_have_change_nothing(name):
    """With room for others the line is the same, whatever the others are."""
    spec = SPEC.under(load_hypothesis(name))
    observed = observe(PANEL, spec)
    own = assemble(spec, observed)
    roomy = assemble(with_room(spec), placed(observed, with_room(spec)))
    compiled = Compiled(with_room(spec), roomy, None, None)
    for key, value in compiled.dates(spec, observed).items():
        roomy.model[key].set_value(value)
    random = np.random.default_rng(0)
    point = roomy.model.initial_point()
    point = {key: np.asarray(v + random.normal(0.0, 0.5, np.shape(v))) for key, v in point.items()}
    lines = [
        parts.model.compile_fn(
            parts.model.replace_rvs_by_values([parts.trend.line]),
            inputs=parts.model.value_vars,
            mode=FAST,
            point_fn=False,
            on_unused_input="ignore",
        )(*(point[value.name] for value in parts.model.value_vars))[0]
        for parts in (own, roomy)
    ]
    np.testing.assert_array_equal(*lines)


# The line ----------------------------------------------------------------------------------------


def numerical_slope(line, time, step=1e-6):
    return (line_value(line, time + step) - line_value(line, time - step)) / (2 * step)


STEPS = Walk(np.array([-1.5, -0.5, 0.5]), np.array([-2.5, -1.5, 1.5]), np.array([0.4, 0.2, 0.6]))


@pytest.mark.parametrize(
    "line",
    [
        Line(0.5, 1.0),
        Line(0.5, 1.0, [(-0.3, 0.7), (1.2, -0.4)], [(0.4, 0.9)]),
        Line(0.5, 2.0, decay=0.8, start=-1.0),
        Line(0.5, 1.0, walks=[STEPS]),
    ],
)
def test_slope_is_the_derivative_of_the_line(line):
    time = np.linspace(-3.05, 2.95, 31)
    np.testing.assert_allclose(line_slope(line, time), numerical_slope(line, time), atol=1e-6)


def test_a_walk_has_its_level_and_rate_at_the_origin():
    line = Line(0.5, 1.0, walks=[STEPS])
    assert line_value(line, 0.0) == pytest.approx(0.5)
    assert line_slope(line, 0.0) == pytest.approx(1.0)
    assert line_slope(line, -1.0) == pytest.approx(1.0 - 0.2)
    assert line_slope(line, 1.0) == pytest.approx(1.6)


def test_a_decaying_rate_levels_off():
    line = Line(0.0, 2.0, decay=0.5, start=0.0)
    assert line_value(line, -1.0) == pytest.approx(-2.0)
    assert line_value(line, 50.0) == pytest.approx(4.0, abs=1e-6)
    assert line_slope(line, 2.0) == pytest.approx(2.0 * np.exp(-1.0))


@pytest.mark.parametrize("name", ["chatgpt-both", "two-changes", "smooth", "saturating"])
def test_the_model_and_the_draws_have_the_same_line(name):
    """The mean that PyMC has at its initial point is the line of those values."""
    spec = SPEC.under(load_hypothesis(name)).replace(
        trend__organisation_effects=False,
        trend__size_slope=False,
        trend__walk=None,
        trend__periods=None,
    )
    observed = observe(PANEL, spec)
    parts = assemble(spec, observed)
    names = {"level", "growth_before", "growth_at_origin", "growth_change", "level_change"}
    names |= {"change_time", "growth_step", "decay"}
    variables = [v for v in (*parts.model.free_RVs, *parts.model.deterministics) if v.name in names]
    drawn = parts.model.compile_fn(
        parts.model.replace_rvs_by_values([*variables, parts.trend.line]),
        inputs=parts.model.value_vars,
        mode=FAST,
        point_fn=True,
        on_unused_input="ignore",
    )
    point = parts.model.initial_point()
    random = np.random.default_rng(0)
    point = {key: np.asarray(v + random.normal(0.0, 0.5, np.shape(v))) for key, v in point.items()}
    *values, expected = drawn(point)
    draws = {v.name: value for v, value in zip(variables, values, strict=True)}
    line = drawn_line(spec.trend, observed, draws)
    np.testing.assert_allclose(line_value(line, observed.time), expected, rtol=1e-9)


def test_ordered_dates_fill_their_window_evenly():
    """The two dates are uniform over the ordered pairs: the earlier has mean one third."""
    model = build_model(SPEC.under(load_hypothesis("two-changes")), PANEL)
    times = priors.drawn(model, ["change_time"], 4000, seed=1)["change_time"]
    hypothesis = load_hypothesis("two-changes")
    observed = observe(PANEL, SPEC.under(hypothesis))
    width = observed.change_latest[0] - observed.change_earliest[0]
    share = (times - observed.change_earliest[0]) / width
    assert (share[:, 0] < share[:, 1]).all()
    np.testing.assert_allclose(share.mean(axis=0), [1 / 3, 2 / 3], atol=0.02)
    assert np.mean(share[:, 1] < 0.5) == pytest.approx(0.25, abs=0.03)


def test_leaving_systems_out_keeps_what_parameters_mean():
    observed = observe(PANEL, SPEC)
    early = observed.of_systems(observed.time < 0.5)
    assert early.mean_log_params == observed.mean_log_params
    assert set(early.cell_label) <= set(observed.cell_label)
    assert len(early.releases) == len(np.unique(early.system_release))
    assert early.time.max() < 0.5
    whole = observed.of_systems(np.ones(len(observed.systems), dtype=bool))
    for field in dataclasses.fields(observed):
        np.testing.assert_array_equal(getattr(whole, field.name), getattr(observed, field.name))


# Other priors ------------------------------------------------------------------------------------


def days(*dates):
    return [dt.date.fromisoformat(date) for date in dates]


def window(name, first, last):
    return ChangeSpec(name=name, earliest=first, latest=last)


def test_a_window_is_doubled_about_its_middle():
    spec = SPEC.under(
        Hypothesis(name="own", changes=(window("a", *days("2022-01-01", "2023-01-01")),))
    )
    (change,) = prior_sensitivity.with_doubled_windows(spec).trend.changes
    assert list(change.window) == days("2021-07-03", "2023-07-02")


def test_doubled_windows_keep_changes_in_order():
    known = ChangeSpec(name="known", date=dt.date(2023, 2, 24))
    first = window("a", *days("2023-04-01", "2023-06-01"))
    second = window("b", *days("2023-06-20", "2024-03-01"))
    spec = SPEC.under(Hypothesis(name="own", changes=(known, first, second)))
    trend = prior_sensitivity.with_doubled_windows(spec).trend
    assert trend.changes[0] == known
    assert [each.window[0] for each in trend.changes[1:]] == days("2023-03-02", "2023-06-11")
    assert [each.window[1] for each in trend.changes[1:]] == days("2023-06-10", "2024-07-06")
    assert TrendSpec.model_validate(trend.model_dump()) == trend
    near = window("a", *days("2023-03-01", "2023-06-01"))
    spec = SPEC.under(Hypothesis(name="own", changes=(known, near)))
    doubled = prior_sensitivity.with_doubled_windows(spec).trend.changes[1]
    assert doubled.window[0] == known.date + dt.timedelta(days=1)


def drawn(monkeypatch, spec, **values):
    """A fit that consists of the draws that these functions look at."""
    chains, draws = 4, len(next(iter(values.values()))) // 4
    posterior = xr.Dataset(
        {
            name: (("chain", "draw", name), np.reshape(value, (chains, draws, 1)))
            for name, value in values.items()
        }
    ).assign(level=(("chain", "draw"), np.zeros((chains, draws))))
    change = posterior[next(iter(values))].isel({next(iter(values)): 0})
    monkeypatch.setattr(prior_sensitivity, "growth", lambda fit: xr.Dataset({"change": change}))
    observed = SimpleNamespace(change_earliest=np.array([0.0]), change_latest=np.array([2.0]))
    return SimpleNamespace(spec=spec, posterior=posterior, observed=observed)


def test_evidence_under_a_halved_window_is_that_of_the_draws_inside(monkeypatch):
    spec = SPEC.under(load_hypothesis("unknown-date"))
    random = np.random.default_rng(1)
    even = drawn(monkeypatch, spec, change_time=random.uniform(0.0, 2.0, 4000))
    found = prior_sensitivity.halved_windows(even)
    assert abs(found["log_ratio"]) < 4.0 * found["error"] < 0.2
    assert 0.5 <= found["change"]["lower"] < found["change"]["upper"] <= 1.5
    inside = drawn(monkeypatch, spec, change_time=random.uniform(0.9, 1.1, 4000))
    assert prior_sensitivity.halved_windows(inside)["log_ratio"] == pytest.approx(np.log(2.0))
    outside = drawn(monkeypatch, spec, change_time=random.uniform(0.0, 0.4, 4000))
    assert prior_sensitivity.halved_windows(outside)["log_ratio"] is None


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_evidence_under_a_rescaled_prior_is_that_of_a_normal_mean(monkeypatch, factor):
    """One datum y of unit variance about the change, whose prior is normal: all is known."""
    prior = SPEC.trend.growth_change
    y, wide = 1.0, prior.sigma**2

    def evidence(variance):
        return norm.logpdf(y, prior.mu, np.sqrt(1.0 + variance))

    def posterior_mean(variance):
        return y * variance / (1.0 + variance)

    random = np.random.default_rng(2)
    draws = random.normal(posterior_mean(wide), np.sqrt(wide / (1.0 + wide)), 8000)
    fit = drawn(monkeypatch, SPEC, growth_change=draws)
    found = prior_sensitivity.rescaled(fit, factor)
    other = wide * factor**2
    assert found["log_ratio"] == pytest.approx(evidence(other) - evidence(wide), abs=0.02)
    assert found["change"]["mean"] == pytest.approx(posterior_mean(other), abs=0.05)
    assert found["k"] < 0.7


def test_a_walk_of_many_steps_can_be_drawn_before_it_has_seen_data():
    """PyTensor's interpreter takes at most 32 operands, which a sum over steps must not become."""
    steps = load_hypothesis("smooth").model_copy(
        update={"smooth": load_hypothesis("smooth").smooth.model_copy(update={"every_days": 30})}
    )
    spec = SPEC.under(steps)
    assert len(spec.trend.smooth.knots) > 32
    model = build_model(spec, PANEL)
    start = model.initial_point()  # by rewritten graphs, which join the terms of a sum
    assert start["growth_step_offset"].shape == (len(spec.trend.smooth.knots),)
    found = priors.drawn(model, ["growth_step", "log_density"], 50, seed=1)
    assert found["growth_step"].shape == (50, len(spec.trend.smooth.knots))
    assert np.isfinite(found["log_density"]).all()


def test_as_many_changes_as_a_specification_may_have_can_be_drawn():
    """The same of the changes of a line, which are terms of a sum."""
    first = dt.date(2023, 1, 1)
    changes = tuple(
        ChangeSpec(name=f"c{i}", date=first + dt.timedelta(days=30 * i), slope=True, level=True)
        for i in range(MOST_CHANGES // 2)
    )
    model = build_model(SPEC.under(Hypothesis(name="many", changes=changes)), PANEL)
    assert model.initial_point()["growth_change"].shape == (MOST_CHANGES // 2,)
