"""Performance component: the score of a model as a function of its loss, or of (N, D)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from densing_bayes.errors import SpecError
from densing_bayes.inputs.families import Normal, Prior
from densing_bayes.inputs.performance import PerformanceSpec
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint import laws
from densing_bayes.joint.curves import curve_parameters, stated
from densing_bayes.joint.scaling import ScalingLaw
from densing_bayes.joint.variables import variable
from densing_bayes.observed.arrays import Ints
from densing_bayes.observed.observations import Observations


class ScoreLink(NamedTuple):
    """Parameters of the link; those of one kind of link run over its benchmarks only."""

    floor: TensorVariable
    ceiling: TensorVariable
    steepness: TensorVariable  # of the loss link, per unit of loss
    midpoint: TensorVariable  # of the loss link, a loss
    discrimination: TensorVariable  # of the direct link, per unit of log N
    difficulty: TensorVariable  # of the direct link, log(N / N0) at D0'
    token_elasticity: TensorVariable  # of the direct link
    protocol_offset: TensorVariable  # of the protocols beside the anchors, on the logit


def score_link(
    spec: ModelSpec,
    observed: Observations,
    law: ScalingLaw,
    reference_loss: TensorVariable,
    reference_score: TensorVariable,
) -> ScoreLink:
    """State the link of every benchmark and observe the scores of the reference runs."""
    priors = spec.performance
    benchmarks = [spec.benchmarks[name] for name in observed.benchmarks]
    floor_shift = variable("floor_shift", _floor_priors(spec, observed), "benchmark")
    floor = laws.floor_score(observed.chance, floor_shift)
    ceiling = variable("ceiling", [b.ceiling or priors.ceiling for b in benchmarks], "benchmark")
    link = ScoreLink(
        floor=pm.Deterministic("floor", floor, dims="benchmark"),
        ceiling=ceiling,
        **_curves(priors, observed, law),
        protocol_offset=pt.zeros(0)
        if priors.protocols is None
        else variable("protocol_offset", priors.protocols.offset, "measure"),
    )
    noise = _of_runs("reference_noise", priors.reference_noise, "benchmark", observed)
    k = observed.reference_benchmark
    split = observed.loss_references
    if observed.expected.size:
        own = k[observed.expected]
        runs = observed.expected_log_params, observed.expected_log_tokens
        loss = laws.scaling_loss(*runs, *(parameter[own] for parameter in law))
        reference_loss = pt.inc_subtensor(reference_loss[observed.expected], loss)
    i, j = k[:split], k[split:] - len(observed.loss_benchmarks)
    z = pt.concatenate(
        [
            link.steepness[i] * (link.midpoint[i] - reference_loss),
            link.discrimination[j]
            * (
                laws.ability(
                    observed.reference_log_params,
                    observed.reference_log_tokens,
                    link.token_elasticity[j],
                )
                - link.difficulty[j]
            ),
        ]
    )
    if observed.checkpointed:
        z = z + _run_effects(spec, observed)
    expected = laws.sigmoid_score(z, link.floor[k], link.ceiling[k])
    observe_score(
        "reference_score",
        spec,
        expected,
        observed.reference_items,
        noise[k],
        reference_score,
        "reference_run",
    )
    return link


def _of_runs(name: str, prior: Prior, dims: str, observed: Observations) -> TensorVariable:
    """A parameter that only reference runs have; zero where there are none."""
    if not observed.without_runs:
        return variable(name, prior, dims)
    return pm.Deterministic(name, pt.zeros(len(getattr(observed, f"{dims}s"))), dims=dims)


def _curves(
    priors: PerformanceSpec, observed: Observations, law: ScalingLaw
) -> dict[str, TensorVariable]:
    """Parameters of the curves of both links, stated themselves or by the scores of two models."""
    by_loss, direct = "loss_benchmark", "direct_benchmark"
    if priors.curve is None:
        return {
            "steepness": variable("steepness", stated(priors.steepness), by_loss),
            "midpoint": variable("midpoint", stated(priors.midpoint), by_loss),
            "discrimination": variable("discrimination", stated(priors.discrimination), direct),
            "difficulty": variable("difficulty", stated(priors.difficulty), direct),
            "token_elasticity": _of_runs(
                "token_elasticity", priors.token_elasticity, direct, observed
            ),
        }
    elasticity = _of_runs("token_elasticity", priors.token_elasticity, direct, observed)
    start = variable("curve_start", priors.curve.start, "benchmark")
    rise = variable("curve_rise", priors.curve.rise, "benchmark")
    found = curve_parameters(priors.curve, observed, law, elasticity, start, rise)
    dims = (by_loss, by_loss, direct, direct)
    return {
        name: pm.Deterministic(name, value, dims=dim)
        for (name, value), dim in zip(found._asdict().items(), dims, strict=True)
    } | {"token_elasticity": elasticity}


def _run_effects(spec: ModelSpec, observed: Observations) -> TensorVariable:
    """What the scores of one training run on one benchmark have in common, over reference runs."""
    spread = variable("run_spread", spec.performance.run_spread)
    offset = pm.Normal("run_offset", dims="checkpointed_run")
    effect = pm.Deterministic("run_effect", spread * offset, dims="checkpointed_run")
    run = observed.reference_checkpointed
    return (run >= 0) * effect[run]


def _floor_priors(spec: ModelSpec, observed: Observations) -> list[Normal]:
    """Priors of the shift of each floor: of its logarithm where chance is zero."""
    about_chance, positive = spec.performance.floor_spread, spec.performance.floor_without_chance
    guessed = [chance > 0 for chance in observed.chance]
    if positive is None:
        if all(guessed):
            return [about_chance] * len(guessed)
        names = [name for name, yes in zip(observed.benchmarks, guessed, strict=True) if not yes]
        raise SpecError(
            f"chance is zero for {', '.join(names)}: give [performance] floor_without_chance, for "
            f'instance {{ distribution = "lognormal", median = 0.005, sigma = 0.5 }}'
        )
    of_log = Normal(distribution="normal", mu=float(np.log(positive.median)), sigma=positive.sigma)
    return [about_chance if yes else of_log for yes in guessed]


def expected_score(
    observed: Observations, law: ScalingLaw, link: ScoreLink, log_effective_params: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    """Expected score of every cell under the protocol of its first reading, and its slope.

    The score of a reference model with ``log_effective_params`` trained on D0 tokens, and its
    derivative with respect to these.
    """
    z, z_slope = cell_logit(observed, law, link, log_effective_params)
    return read_score(observed.cell_benchmark, observed.cell_measure, link, z, z_slope)


def read_score(
    benchmark: Ints, measure: Ints, link: ScoreLink, z: TensorVariable, z_slope: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    """Score that readings under some protocols have at logits z of the anchor, and its slope."""
    if measure.size:
        z = z + (measure >= 0) * link.protocol_offset[measure]
    floor, ceiling = link.floor[benchmark], link.ceiling[benchmark]
    return (
        laws.sigmoid_score(z, floor, ceiling),
        laws.sigmoid_slope(z, floor, ceiling) * z_slope,
    )


def cell_logit(
    observed: Observations, law: ScalingLaw, link: ScoreLink, log_effective_params: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    """Logit of every cell under the anchor of its benchmark, and its slope in log Neff."""
    n = log_effective_params - np.log(observed.centre_params)
    d = observed.log_reference_tokens
    k, split = observed.cell_benchmark, observed.loss_cells
    i, j = k[:split], k[split:] - len(observed.loss_benchmarks)
    E, a, alpha, b, beta = (parameter[i] for parameter in law)
    loss = laws.scaling_loss(n[:split], d, E, a, alpha, b, beta)
    loss_slope = laws.scaling_loss_slope(n[:split], a, alpha)
    ability = laws.ability(n[split:], d, link.token_elasticity[j])
    z = pt.concatenate(
        [
            link.steepness[i] * (link.midpoint[i] - loss),
            link.discrimination[j] * (ability - link.difficulty[j]),
        ]
    )
    z_slope = pt.concatenate([-link.steepness[i] * loss_slope, link.discrimination[j]])
    return z, z_slope


def observe_score(
    name: str,
    spec: ModelSpec,
    expected: TensorVariable,
    items: np.ndarray,
    noise: TensorVariable,
    score: TensorVariable,
    dims: str,
    tails: float | None = None,
) -> TensorVariable:
    """Observe scores: normal with the moments of a beta-binomial, or beta-binomial counts.

    With ``tails`` Student-t with so many degrees of freedom, whose scale is that normal's.
    """
    if spec.performance.likelihood == "normal":
        sd = np.sqrt(laws.score_variance(expected, items, noise))
        if tails is not None:
            return pm.StudentT(name, nu=tails, mu=expected, sigma=sd, observed=score, dims=dims)
        return pm.Normal(name, expected, sd, observed=score, dims=dims)
    total = 1.0 / (4.0 * noise**2) - 1.0
    return pm.BetaBinomial(
        name,
        n=items.round().astype(int),
        alpha=expected * total,
        beta=(1.0 - expected) * total,
        observed=pt.round(score * items).astype("int64"),
        dims=dims,
    )
