"""Curves of the benchmarks, by what two reference models score after D0 tokens.

Steepness and midpoint of a curve mean something only beside a loss law, which says where losses
lie. What the small and the large model score can be known without one, so priors are stated on
that, for both links alike: the logit of the share of the way from floor to ceiling that the small
one has come, and by how much the large one is ahead.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from densing_bayes.inputs.families import Prior
from densing_bayes.inputs.performance import CurveSpec
from densing_bayes.joint import laws
from densing_bayes.observed.observations import Observations


class Curves(NamedTuple):
    """Parameters of the curves; arrays, or PyTensor variables."""

    steepness: Any
    midpoint: Any
    discrimination: Any
    difficulty: Any


def curve_parameters(
    spec: CurveSpec, observed: Observations, law: Any, elasticity: Any, start: Any, rise: Any
) -> Curves:
    """Curves whose two models score what they do.

    Parameters
    ----------
    spec
        Sizes of the two models.
    observed
        Of the model.
    law
        E, a, alpha, b, beta over loss-linked benchmarks.
    elasticity
        Token elasticity over directly linked benchmarks.
    start, rise
        Over benchmarks, those linked through the loss first.
    """
    split, d = len(observed.loss_benchmarks), observed.log_reference_tokens
    small, large = two_sizes(spec, observed)
    steepness = rise[..., :split] / np.exp(log_fall(small, large, law[1], law[2]))
    discrimination = rise[..., split:] / (large - small)
    return Curves(
        steepness,
        laws.scaling_loss(small, d, *law) + start[..., :split] / steepness,
        discrimination,
        laws.ability(small, d, elasticity) - start[..., split:] / discrimination,
    )


def two_scores(
    spec: CurveSpec, observed: Observations, law: Any, elasticity: Any, curves: Curves
) -> tuple[Any, Any]:
    """Start and rise of curves: the inverse of :func:`curve_parameters`, of arrays."""
    d = observed.log_reference_tokens
    small, large = two_sizes(spec, observed)
    loss, fall = laws.scaling_loss(small, d, *law), np.exp(log_fall(small, large, law[1], law[2]))
    by_loss = curves.steepness * (curves.midpoint - loss)
    direct = curves.discrimination * (laws.ability(small, d, elasticity) - curves.difficulty)
    rises = curves.steepness * fall, curves.discrimination * (large - small)
    return np.concatenate([by_loss, direct], axis=-1), np.concatenate(rises, axis=-1)


def two_sizes(spec: CurveSpec, observed: Observations) -> tuple[float, float]:
    """log(N/N0) of the small and of the large model."""
    small, large = np.log(np.array([spec.small, spec.large]) / observed.centre_params)
    return float(small), float(large)


def log_fall(small: float, large: float, a: Any, alpha: Any) -> Any:
    """Log of the loss that the large model is ahead of the small one."""
    return np.log(a) - alpha * small + np.log1p(-np.exp(-alpha * (large - small)))


def stated(prior: Prior | None) -> Prior:
    """A prior that a specification without a table of curves is known to state."""
    assert prior is not None
    return prior
