"""Curved ridges of the globals, and the shifts that straighten them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from densing_bayes.fitting.coordinates.curve_shifts import (
    Anchors,
    curve_shifts,
    free_name,
    unit_value,
)
from densing_bayes.inputs.performance import CurveSpec
from densing_bayes.joint import laws
from densing_bayes.observed.observations import Observations

ANCHOR_SHARPNESS = 30.0  # of the bend that keeps the room above the anchor positive


def shifts(
    values: dict[str, Any], observed: Observations, curve: CurveSpec | None
) -> Iterator[tuple[str, Any]]:
    """Shifts that straighten curved ridges of the globals, each of volume one.

    Runs fix the slope of the loss at their centre, not exponent and share apart; scores fix the
    curve where they lie, not ceiling, midpoint and steepness apart. A shift depends only on values
    that have theirs already, and is yielded before the next is computed.
    """
    moved = _moved_runs(values)
    for name, by in moved.items():
        own = (None,) * (values[name].ndim - by.ndim)
        yield name, -by[(..., *own)]
    share = unit_value(values, "params_share", moved)
    reducible = (
        1.0 - unit_value(values, "irreducible_share", moved)
        if ({"irreducible_share_logodds__", "irreducible_share_logit"} & set(values))
        else 1.0
    )
    for stem, part in (("params_exponent", share), ("tokens_exponent", 1.0 - share)):
        for name in (f"{stem}_offset", f"{stem}_log__"):
            if name in values:
                yield name, -np.log(reducible * part)

    split = len(observed.loss_benchmarks)
    best = np.array(
        [
            observed.score[observed.cell_benchmark == k].max(initial=0.5)
            for k in range(len(observed.benchmarks))
        ]
    )
    floor = laws.floor_score(observed.chance, values["floor_shift"])
    anchor = observed.chance + 0.6 * (best - observed.chance)
    rise = anchor - floor
    ceiling = unit_value(values, "ceiling")
    room = np.log1p(np.exp(ANCHOR_SHARPNESS * (ceiling - anchor))) / ANCHOR_SHARPNESS
    log_odds = np.log(rise / room)
    slope = rise * room / (rise + room)  # (ceiling - floor) p (1 - p) where p is at the anchor
    if "steepness_log__" in values and split:
        yield "steepness_log__", -np.log(slope[..., :split])
        steepness = np.exp(values["steepness_log__"])
        yield "midpoint_log__", log_odds[..., :split] / (steepness * np.median(observed.loss))
    if "discrimination_log__" in values and split < len(best):
        yield "discrimination_log__", -np.log(slope[..., split:])
        yield "difficulty", -log_odds[..., split:] / np.exp(values["discrimination_log__"])
    if "curve_rise_log__" in values:
        assert curve is not None
        anchors = Anchors(anchor, log_odds, np.log(slope))
        yield from curve_shifts(curve, values, observed, anchors, moved)


def _moved_runs(values: dict[str, Any]) -> dict[str, Any]:
    """What the law of the reference runs is moved by from that of the population of families.

    The runs pin down their own law, so that is the coordinate; the effects of families are given.
    """
    if "family_offset" not in values:
        return {}
    z = values["family_offset"][..., 0]
    shares, exponents = (
        np.exp(values[f"family_{of}_spread_log__"]) for of in ("share", "exponent")
    )
    return {
        free_name(values, "irreducible_share"): shares * z[..., 0],
        free_name(values, "params_share"): shares * z[..., 1],
        "log_params_exponent_mean": exponents * z[..., 2],
        "log_tokens_exponent_mean": exponents * z[..., 3],
    }
