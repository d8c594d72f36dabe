"""The model of pairs in PyMC: shifts of log density behind scores of children and parents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from densing_bayes.corollaries.compression.shifts.design import (
    KNOWN_NOTHING,
    LEAST_GAP,
    Grouping,
    Ints,
    Rough,
    group_pairs,
    inverted_change,
    inverted_logit,
    rough_values,
)
from densing_bayes.corollaries.compression.shifts.score_curves import (
    CurveShape,
    ScoreCurves,
    scored,
)
from densing_bayes.inputs.families import Normal
from densing_bayes.joint.laws import logistic
from densing_bayes.joint.variables import variable
from densing_bayes.observed.arrays import Floats

if TYPE_CHECKING:
    from densing_bayes.corollaries.compression.pairs import Comparison, CompressionSpec, ScoreSpec

LATENT = (
    "scale_place",
    "lift_place",
    "parent_place",
    "level_place",
    "slope_place",
    "method_place",
    "kin_place",
    "pair_place",
)
"""Free variables in the sampler's coordinates, of which nothing is reported."""


class Setting(NamedTuple):
    """What all pairs share: the curves, and how zero-shot tables score them."""

    curve: CurveShape
    scale: Any
    lift: Any


def compression_model(compared: Comparison, curves: ScoreCurves, spec: CompressionSpec) -> pm.Model:
    """State the model of pairs; named dims ``pair``, ``class``, ``scheme``, ``benchmark``."""
    pairs = compared.pairs
    classes, of_class = np.unique(pairs["class_"].to_numpy(str), return_inverse=True)
    methods, kin = group_pairs(pairs["method"], of_class), group_pairs(pairs["kin"], of_class)
    rough = rough_values(compared, curves, spec, of_class, methods, kin)
    coords = {
        "pair": list(pairs.index),
        "class": list(classes),
        "scheme": list(methods.labels),
        "benchmark": list(curves.benchmarks),
        "parent_score": list(compared.parents["label"]),
        "method_contrast": np.arange(methods.contrasts.shape[1]),
        "parent_contrast": np.arange(kin.contrasts.shape[1]),
        "coordinate": np.arange(len(curves.mean)),
    }
    with pm.Model(coords=coords) as model:
        setting = _setting(compared, curves, spec.score)
        z, error = _parents(compared, curves, spec.score, setting, rough)
        inverted = _inverted(compared, curves, setting, z, rough)
        log_parent = np.zeros(len(kin.labels))
        log_parent[kin.of_pair] = pairs["log_parent"]
        shift = _shifts(spec, rough, inverted, of_class, log_parent, methods, kin)
        _children(compared, curves, spec, setting, z, error, shift, of_class)
    return model


def _setting(compared: Comparison, curves: ScoreCurves, prior: ScoreSpec) -> Setting:
    """Curves about those of the joint fit; scale and floor of zero-shot scores on them."""
    place = pm.Normal("curve_place", dims="coordinate")
    curve = curves.shape_of(curves.mean + pt.dot(curves.factor, place))
    log_scale = pm.Normal("scale_place", dims="benchmark")
    scale = prior.zero_shot_scale.median * np.exp(prior.zero_shot_scale.sigma * log_scale)
    # Scores of one parent by both protocols tie the floor to the scale.
    count = len(curves.benchmarks)
    score, anchor, width = np.zeros(count), np.zeros(count), np.full(count, KNOWN_NOTHING)
    rows = compared.parents[compared.parents["anchor"].notna()]
    for k, group in rows.groupby("k"):
        i = int(str(k))
        score[i], anchor[i] = group["score"].mean(), group["anchor"].mean()
        width[i] = 0.03 / np.sqrt(len(group))
    tied = (width < KNOWN_NOTHING).astype(float)
    centre = tied * (score - curve.floor - scale * (anchor - curve.floor))
    floor = prior.zero_shot_floor
    lift = conditioned("lift_place", floor.mu, floor.sigma, centre, width, "benchmark")
    return Setting(
        curve=curve,
        scale=pm.Deterministic("zero_shot_scale", scale, dims="benchmark"),
        lift=pm.Deterministic("zero_shot_floor", lift, dims="benchmark"),
    )


def _parents(
    compared: Comparison, curves: ScoreCurves, prior: ScoreSpec, setting: Setting, rough: Rough
) -> tuple[Any, Any]:
    """Logits of the parents, and the errors of their scores in standard deviations."""
    parents, curve = compared.parents, setting.curve
    k, observed = parents["k"].to_numpy(), parents["score"].to_numpy()
    split = int(np.sum(k < curves.loss_linked))
    floor, span = scored(
        curve, setting.scale, setting.lift, k, parents["zero_shot"].to_numpy(float)
    )
    limit = curve.top[k[:split]]
    centre = inverted_logit(observed, floor, span)
    gap = (limit - centre[:split]).clip(LEAST_GAP, 1e6)
    centre = pt.concatenate([limit - gap - pt.log(-pt.expm1(-gap)), centre[split:]])
    place = conditioned(
        "parent_place",
        prior.parent_logit.mu,
        prior.parent_logit.sigma,
        pt.where(rough.place_follows, centre, rough.place),
        rough.place_width,
        "parent_score",
    )
    # Bent to stay below the asymptote of a loss-linked curve.
    z = pt.concatenate([limit - pt.softplus(limit - place[:split]), place[split:]])
    expected = floor + span * logistic(z)
    sd = pt.sqrt(expected * (1.0 - expected) / curves.items[k])
    pm.Normal("parent_observed", expected, sd, observed=observed)
    anchored = np.flatnonzero(parents["anchor"].notna())
    if len(anchored):
        i = k[anchored]
        floor, span = scored(curve, setting.scale, setting.lift, i, np.zeros(len(i)))
        panel = floor + span * logistic(z[anchored])
        gap = variable("protocol_gap", prior.protocol_gap)
        width = pt.sqrt(panel * (1.0 - panel) / curves.items[i] + gap**2)
        pm.Normal("anchor", panel, width, observed=parents["anchor"].to_numpy()[anchored])
    return z, (observed - expected) / sd


def _inverted(
    compared: Comparison, curves: ScoreCurves, setting: Setting, z: Any, rough: Rough
) -> Any:
    """Rough shifts of the pairs."""
    cells, curve = compared.cells, setting.curve
    j, q, k = (cells[name].to_numpy() for name in ("pair", "measured", "k"))
    floor, span = scored(curve, setting.scale, setting.lift, k, cells["zero_shot"].to_numpy(float))
    after = inverted_logit(cells["score"].to_numpy(), floor, span)
    top = curve.top[k[k < curves.loss_linked]]
    change = pt.concatenate(inverted_change(z[q], after, top, curve.rate[k]))
    shift = change - compared.pairs["log_ratio"].to_numpy()[j]
    shift = pt.where(rough.change_follows, shift, rough.change)
    return pt.sum(rough.weights * shift[rough.cells], axis=1)


def _shifts(
    spec: CompressionSpec,
    rough: Rough,
    inverted: Any,
    of_class: Ints,
    log_parent: Floats,
    methods: Grouping,
    kin: Grouping,
) -> Any:
    """Shifts of the pairs: level of the class, method, parent and its size, and the pair itself."""
    prior = spec.shift
    spread = {
        name: variable(name, getattr(prior, name), "class")
        for name in ("method_spread", "parent_spread", "pair_spread")
    }
    slope = _size_slope(prior.size_slope, rough, inverted, spread["parent_spread"], log_parent, kin)
    level = conditioned(
        "level_place",
        prior.mean.mu,
        prior.mean.sigma,
        pt.dot(rough.to_level, inverted),
        rough.level_width,
        "class",
    )
    of_method = conditioned(
        "method_place",
        0.0,
        spread["method_spread"][methods.contrast_class],
        pt.dot(rough.to_method, inverted),
        rough.method_width,
        "method_contrast",
    )
    of_method = pt.dot(methods.contrasts, of_method)
    of_parent = conditioned(
        "kin_place",
        slope[kin.contrast_class] * (kin.contrasts.T @ log_parent),
        spread["parent_spread"][kin.contrast_class],
        pt.dot(rough.to_parent, inverted),
        rough.parent_width,
        "parent_contrast",
    )
    of_parent = pt.dot(kin.contrasts, of_parent)
    classes = np.arange(int(of_class.max()) + 1)
    size = np.array([log_parent[kin.class_of == c].mean() for c in classes])
    at_reference = pm.Deterministic("class_shift", level - slope * size, dims="class")
    pm.Deterministic("method_shift", at_reference[methods.class_of] + of_method, dims="scheme")
    shift = conditioned(
        "pair_place",
        level[of_class] + of_method[methods.of_pair] + of_parent[kin.of_pair],
        spread["pair_spread"][of_class],
        inverted,
        rough.pair_width,
        "pair",
    )
    return pm.Deterministic("shift", shift, dims="pair")


def _size_slope(
    prior: Normal, rough: Rough, inverted: Any, spread: Any, log_parent: Floats, kin: Grouping
) -> Any:
    """Slope of the shifts in ln params of the parent, per class."""
    size = kin.contrasts.T @ log_parent
    in_class = np.equal.outer(np.arange(int(kin.class_of.max()) + 1), kin.contrast_class)
    weight = in_class / (spread[kin.contrast_class] ** 2 + rough.parent_width**2)
    precision = pt.dot(weight, size**2) + KNOWN_NOTHING**-2.0
    centre = pt.dot(weight * size, pt.dot(rough.to_parent, inverted)) / precision
    slope = conditioned("slope_place", prior.mu, prior.sigma, centre, precision**-0.5, "class")
    return pm.Deterministic("size_slope", slope, dims="class")


def _children(
    compared: Comparison,
    curves: ScoreCurves,
    spec: CompressionSpec,
    setting: Setting,
    z: Any,
    error: Any,
    shift: Any,
    of_class: Ints,
) -> None:
    """Observe the scores of the children."""
    cells, curve, prior = compared.cells, setting.curve, spec.score
    j, q, k = (cells[name].to_numpy() for name in ("pair", "measured", "k"))
    split = int(np.sum(k < curves.loss_linked))
    change = shift[j] + compared.pairs["log_ratio"].to_numpy()[j]
    before, rate = z[q], curve.rate[k]
    gap = (curve.top[k[:split]] - before[:split]) * pt.exp(-rate[:split] * change[:split])
    after = pt.concatenate(
        [curve.top[k[:split]] - gap, before[split:] + rate[split:] * change[split:]]
    )
    steepness = pt.concatenate([rate[:split] * gap, rate[split:]])
    floor, span = scored(curve, setting.scale, setting.lift, k, cells["zero_shot"].to_numpy(float))
    share = logistic(after)
    expected = floor + span * share
    sampling = expected * (1.0 - expected) / curves.items[k]
    # Child and parent answer the same items: the parent's error is known given its place.
    shared = variable("error_correlation", prior.error_correlation, "class")[of_class[j]]
    known = shared * pt.sqrt(sampling) * error[q]
    # What the child has lost is guessed, with a bias of its own.
    lost = pt.maximum(1.0 - share / logistic(before), 0.0)
    # Benchmarks disagree on the shift of a pair, to first order.
    spread = variable("benchmark_spread", spec.shift.benchmark_spread, "class")[of_class[j]]
    disagreement = span * share * (1.0 - share) * steepness * spread
    variance = (
        sampling * (1.0 - shared**2)
        + 4.0 * expected * (1.0 - expected) * variable("table_noise", prior.table_noise) ** 2
        + (variable("guess_spread", prior.guess_spread) * lost) ** 2
        + disagreement**2
    )
    observed = cells["score"].to_numpy()
    pm.Normal("score", expected + known, pt.sqrt(variance), observed=observed)


def conditioned(name: str, mean: Any, spread: Any, centre: Any, width: Any, dims: str) -> Any:
    """Normal(mean, spread) variables, in coordinates in which a rough value is standard.

    The free variable is what is left after the rough value, ``centre`` +- ``width``, has been
    weighed with the prior. That changes the geometry that the sampler sees and nothing else: the
    prior of the free variable makes up for it.
    """
    precision = 1.0 / spread**2 + 1.0 / width**2
    middle = (mean / spread**2 + centre / width**2) / precision
    sd = precision**-0.5
    # Chains that start far from the rough values leap into the tails and stay there; a start at
    # zero exactly, where some have no gradient, nutpie refuses.
    start = np.full(len(pm.modelcontext(None).coords[dims]), 0.1)
    free = pm.Normal(name, (mean - middle) / sd, spread / sd, dims=dims, initval=start)
    return middle + sd * free
