"""Coordinates of curves that are stated by two scores: what the reference runs say of them.

A specification states where two models would score; the runs fix the score, and its slope, where
they themselves are. A change of the loss law or of the ceiling moves the one against the other, so
coordinates are those of the runs: they stay while law and ceiling change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytensor.tensor as pt

from densing_bayes.inputs.performance import CurveSpec
from densing_bayes.joint import laws
from densing_bayes.joint.curves import log_fall, two_sizes
from densing_bayes.joint.scaling import ScalingLaw
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.observations import Observations


class Anchors(NamedTuple):
    """A score on each benchmark at which its curve is told, and what curves do there."""

    score: Floats
    log_odds: Any  # of the way from floor to ceiling
    log_slope: Any  # of the score in the logit


def curve_shifts(
    curve: CurveSpec,
    values: dict[str, Any],
    observed: Observations,
    anchors: Anchors,
    moved: dict[str, Any],
) -> Iterator[tuple[str, Any]]:
    """Shifts of rise and start, so that they tell slope and logit at the anchors.

    ``values`` are read again after the first is yielded, which whoever asks adds to them; ``moved``
    is what the law of the reference runs differs from them by, if it does.
    """
    if observed.without_runs:  # no run lies nearest to an anchor
        return
    split, d = len(observed.loss_benchmarks), observed.log_reference_tokens
    small, large = two_sizes(curve, observed)
    law, elasticity = _law(values, moved), np.exp(values["token_elasticity_log__"])
    loss, log_params, log_tokens = _nearest(observed, anchors.score)

    fall = log_fall(small, large, law.a, law.alpha)
    spans = _side_by_side(fall, np.full(len(observed.direct_benchmarks), np.log(large - small)))
    yield "curve_rise_log__", spans - anchors.log_slope

    slope = np.exp(values["curve_rise_log__"] - spans)
    by_loss = slope[..., :split] * (loss - laws.scaling_loss(small, d, *law))
    ahead = laws.ability(small - log_params, d - log_tokens, elasticity)
    yield "curve_start", anchors.log_odds + _side_by_side(by_loss, slope[..., split:] * ahead)


def free_name(values: dict[str, Any], name: str) -> str:
    """Name of the free value of a variable on the unit interval."""
    for suffix in ("_logodds__", "_logit"):
        if name + suffix in values:
            return name + suffix
    raise KeyError(name)


def unit_value(values: dict[str, Any], name: str, moved: dict[str, Any] | None = None) -> Any:
    """Value of a variable on the unit interval, from its free value, which may be moved."""
    free = free_name(values, name)
    by = (moved or {}).get(free)
    return laws.logistic(values[free] if by is None else values[free] + by[..., None])


def _law(values: dict[str, Any], moved: dict[str, Any]) -> ScalingLaw:
    """The runs' loss law, from free values whose standardised effects are still centred."""
    centre = np.exp(values["loss_at_centre_log__"])
    share = unit_value(values, "params_share", moved)
    irreducible: Any = 0.0
    if {"irreducible_share_logodds__", "irreducible_share_logit"} & set(values):
        irreducible = unit_value(values, "irreducible_share", moved)
    reducible = centre * (1.0 - irreducible)
    exponents = [_exponent(values, name, moved) for name in ("params_exponent", "tokens_exponent")]
    return ScalingLaw(
        E=centre * irreducible,
        a=reducible * share,
        alpha=exponents[0],
        b=reducible * (1.0 - share),
        beta=exponents[1],
    )


def _exponent(values: dict[str, Any], name: str, moved: dict[str, Any]) -> Any:
    if f"{name}_log__" in values:
        return np.exp(values[f"{name}_log__"])
    mean = values[f"log_{name}_mean"]
    mean = mean + moved.get(f"log_{name}_mean", 0.0)
    return np.exp(mean[..., None] + values[f"{name}_offset"])


def _nearest(observed: Observations, anchor: Floats) -> tuple[Floats, Floats, Floats]:
    """Loss, or log N and log D, of the reference run whose score is nearest to each anchor."""
    split, by_loss = len(observed.loss_benchmarks), observed.loss_references
    losses, none = observed.reference_loss, np.isnan(observed.reference_loss)
    rows = []
    for k, score in enumerate(anchor):
        known = np.flatnonzero(observed.reference_benchmark == k)
        distance = np.abs(observed.reference_score[known] - score)
        if k < split:
            distance = np.where(none[known], np.inf, distance)
        rows.append(int(known[np.argmin(distance)]))
    direct = np.array(rows[split:], dtype=int) - by_loss
    return (
        np.nan_to_num(losses[rows[:split]], nan=1.0),  # any loss would do, where none is known
        observed.reference_log_params[direct],
        observed.reference_log_tokens[direct],
    )


def _side_by_side(by_loss: Any, direct: Any) -> Any:
    """Arrays or graphs over loss-linked and over directly linked benchmarks, joined."""
    if direct.ndim < by_loss.ndim:  # draws of by_loss stand in front
        direct = np.broadcast_to(direct, (*by_loss.shape[:-1], *direct.shape))
    join = np.concatenate if isinstance(by_loss, np.ndarray) else pt.concatenate
    return join([by_loss, direct], axis=-1)
