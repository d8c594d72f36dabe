"""Scaling component: the losses of the reference runs (design: L = E + a n^-alpha + b d^-beta)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from densing_bayes.inputs.families import LogNormal
from densing_bayes.inputs.specification import ModelSpec, ScalingSpec
from densing_bayes.joint import laws
from densing_bayes.joint.variables import variable
from densing_bayes.observed.observations import Observations


class ScalingLaw(NamedTuple):
    """Parameters of the loss law, each over loss-linked benchmarks."""

    E: TensorVariable
    a: TensorVariable
    alpha: TensorVariable
    b: TensorVariable
    beta: TensorVariable


def scaling_law(model: ModelSpec, observed: Observations, loss: TensorVariable) -> ScalingLaw:
    """State the loss law and observe the losses of finished reference runs."""
    spec, dims, count = model.scaling, "loss_benchmark", len(observed.loss_benchmarks)
    own = [model.benchmarks[name].loss_at_centre for name in observed.loss_benchmarks]
    centres = [prior or spec.loss_at_centre for prior in own] or spec.loss_at_centre
    centre = variable("loss_at_centre", centres, dims)
    params_share = variable("params_share", spec.params_share, dims)
    if spec.irreducible:
        irreducible_share = variable("irreducible_share", spec.irreducible_share, dims)
    else:
        irreducible_share = pt.zeros(count)
    reducible = centre * (1.0 - irreducible_share)
    law = ScalingLaw(
        E=pm.Deterministic("irreducible_loss", centre * irreducible_share, dims=dims),
        a=pm.Deterministic("params_loss", reducible * params_share, dims=dims),
        alpha=_exponent("params_exponent", spec.params_exponent, spec, count),
        b=pm.Deterministic("tokens_loss", reducible * (1.0 - params_share), dims=dims),
        beta=_exponent("tokens_exponent", spec.tokens_exponent, spec, count),
    )
    noise = variable("loss_noise", spec.loss_noise, dims)
    k = observed.loss_benchmark
    expected = laws.scaling_loss(
        observed.loss_log_params, observed.loss_log_tokens, *(parameter[k] for parameter in law)
    )
    pm.LogNormal("loss", np.log(expected), noise[k], observed=loss, dims="loss_run")
    return law


def _exponent(name: str, prior: LogNormal, spec: ScalingSpec, count: int) -> TensorVariable:
    """Exponents over benchmarks: log-normal about a common mean, or each on its own."""
    if not spec.pooling or not count:
        return variable(name, prior, "loss_benchmark")
    mean = pm.Normal(f"log_{name}_mean", np.log(prior.median), prior.sigma)
    spread = variable(f"{name}_spread", spec.exponent_spread)
    offset = pm.Normal(f"{name}_offset", dims="loss_benchmark")
    return pm.Deterministic(name, np.exp(mean + spread * offset), dims="loss_benchmark")
