"""Scaling component: the losses of the reference runs (design: L = E + a n^-alpha + b d^-beta)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from densing_bayes.inputs.families import LogNormal
from densing_bayes.inputs.specification import ModelSpec, ScalingSpec
from densing_bayes.joint import laws
from densing_bayes.joint.variables import variable
from densing_bayes.observed.families import FamilyLosses
from densing_bayes.observed.observations import Observations


class ScalingLaw(NamedTuple):
    """Parameters of the loss law, each over loss-linked benchmarks."""

    E: TensorVariable
    a: TensorVariable
    alpha: TensorVariable
    b: TensorVariable
    beta: TensorVariable


class Laws(NamedTuple):
    """The law of the reference runs, and the one that density is measured against."""

    runs: ScalingLaw
    against: ScalingLaw


class Shape(NamedTuple):
    """How losses fall with params and tokens, whatever their level; over loss-linked benchmarks."""

    irreducible_share: Any
    params_share: Any
    params_exponent: Any
    tokens_exponent: Any


def scaling_laws(
    model: ModelSpec,
    observed: Observations,
    loss: TensorVariable,
    family_loss: TensorVariable | None = None,
) -> Laws:
    """State the loss law and observe the losses of finished reference runs, of all families."""
    spec, dims, count = model.scaling, "loss_benchmark", len(observed.loss_benchmarks)
    own = [model.benchmarks[name].loss_at_centre for name in observed.loss_benchmarks]
    centres = [prior or spec.loss_at_centre for prior in own] or spec.loss_at_centre
    centre = variable("loss_at_centre", centres, dims)
    params_share = variable("params_share", spec.params_share, dims)
    if spec.irreducible:
        irreducible_share = variable("irreducible_share", spec.irreducible_share, dims)
    else:
        irreducible_share = pt.zeros(count)
    shape = Shape(
        irreducible_share,
        params_share,
        _exponent("params_exponent", spec.params_exponent, spec, count),
        _exponent("tokens_exponent", spec.tokens_exponent, spec, count),
    )
    if spec.families is None or not observed.others:
        law = _recorded(_law(centre, shape))
        found = Laws(law, law)
    else:
        found = _of_families(spec, observed.others, centre, shape, family_loss)
    noise = variable("loss_noise", spec.loss_noise, dims)
    k = observed.loss_benchmark
    expected = laws.scaling_loss(
        observed.loss_log_params,
        observed.loss_log_tokens,
        *(parameter[k] for parameter in found.runs),
    )
    pm.LogNormal("loss", np.log(expected), noise[k], observed=loss, dims="loss_run")
    return found


def _law(centre: Any, shape: Shape) -> ScalingLaw:
    reducible = centre * (1.0 - shape.irreducible_share)
    return ScalingLaw(
        E=centre * shape.irreducible_share,
        a=reducible * shape.params_share,
        alpha=shape.params_exponent,
        b=reducible * (1.0 - shape.params_share),
        beta=shape.tokens_exponent,
    )


def _recorded(law: ScalingLaw, prefix: str = "") -> ScalingLaw:
    """The same law with its parameters under their names."""
    return ScalingLaw(
        *(
            value  # an exponent that is a variable by itself
            if value.name == name
            else pm.Deterministic(prefix + name, value, dims="loss_benchmark")
            for name, value in zip(laws.PARAMETERS, law, strict=True)
        )
    )


def _of_families(
    spec: ScalingSpec,
    others: FamilyLosses,
    centre: TensorVariable,
    population: Shape,
    loss: TensorVariable | None,
) -> Laws:
    """Laws of families about that of their population, and the losses of the further ones.

    The level of a loss is that of the reference runs in either law; further families have their
    own, which says how they measure it.
    """
    wanted = spec.families
    assert wanted is not None
    shares = variable("family_share_spread", wanted.share_spread)
    exponents = variable("family_exponent_spread", wanted.exponent_spread)
    apart = offsets(shares, exponents, pm.Normal("family_offset", dims=("shape", "family")))
    level = variable("family_level", wanted.level, "measured_family")
    noise = variable("family_noise", spec.loss_noise, "measured_family")
    noise = noise[np.array(others.level)]
    expected = family_loss(others, centre, population, apart, level)
    pm.LogNormal("family_loss", np.log(expected), noise, observed=loss, dims="family_loss_run")
    runs = _law(centre, _moved(population, [each[0] for each in apart]))
    if others.against == 0:
        runs = _recorded(runs)
        return Laws(runs, runs)
    shape = population
    if others.against > 0:
        shape = _moved(population, [each[others.against] for each in apart])
    return Laws(_recorded(runs, laws.OF_RUNS), _recorded(_law(centre, shape)))


def offsets(share_spread: Any, exponent_spread: Any, z: Any) -> list[Any]:
    """What moves each part of a shape, over families: of logits of shares and log exponents."""
    spreads = (share_spread, share_spread, exponent_spread, exponent_spread)
    return [spread * z[i] for i, spread in enumerate(spreads)]


def family_loss(
    others: FamilyLosses, centre: Any, population: Shape, apart: list[Any], level: Any
) -> Any:
    """Loss that the law of its family expects of each run of a further family, as it measures."""
    k, family, at = (np.array(each) for each in (others.benchmark, others.family, others.level))
    own = _moved(Shape(*(each[k] for each in population)), [each[family] for each in apart])
    law = _law(centre[k] * np.exp(level[at]), own)
    n, d = np.array(others.log_params), np.array(others.log_tokens)
    return laws.scaling_loss(n, d, *law)


def _moved(shape: Shape, by: list[Any]) -> Shape:
    """A shape with logits of its shares and logs of its exponents moved."""
    shares = (
        share / (share + (1.0 - share) * np.exp(-each))
        for share, each in zip(shape[:2], by[:2], strict=True)
    )
    exponents = (value * np.exp(each) for value, each in zip(shape[2:], by[2:], strict=True))
    return Shape(*shares, *exponents)


def _exponent(name: str, prior: LogNormal, spec: ScalingSpec, count: int) -> Any:
    """Exponents over benchmarks: log-normal about a common mean, or each on its own."""
    if not spec.pooling or not count:
        return variable(name, prior, "loss_benchmark")
    mean = pm.Normal(f"log_{name}_mean", np.log(prior.median), prior.sigma)
    spread = variable(f"{name}_spread", spec.exponent_spread)
    offset = pm.Normal(f"{name}_offset", dims="loss_benchmark")
    logs: Any = mean + spread * offset
    return np.exp(logs)
