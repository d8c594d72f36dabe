"""Effects of methods and parents on pairs as contrasts, with rough values from the data.

Rough values come from inverted scores. They set the coordinates in which the sampler moves and are
no part of the model: the prior of each free variable makes up for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from densing_bayes.corollaries.compression.shifts.score_curves import ScoreCurves, scored
from densing_bayes.observed.arrays import Floats

if TYPE_CHECKING:
    from densing_bayes.corollaries.compression.pairs import Comparison, CompressionSpec

Ints = NDArray[np.int64]
KNOWN_NOTHING = 5.0  # width of a rough value where the data say nothing, in ln density
LEAST_GAP = 0.05  # to the asymptote, in units of z
LEAST_WIDTH = 0.04  # of the shift of a cell
SHARED = 0.6  # standard error of a difference over that of a score: the items are the same
DISAGREEMENT, FEWEST = 0.3, 5  # of benchmarks, where fewer degrees of freedom tell
STEADY = (0.08, 0.85)  # shares of a curve outside of which rough values stay where they are
SHARES = (0.02, 0.97)  # outside of which a score is not inverted


@dataclass(frozen=True)
class Grouping:
    """Groups of pairs, each within one class, with effects that sum to zero in the class.

    Attributes
    ----------
    labels
        Names of the groups.
    of_pair, class_of
        Group of each pair, class of each group.
    contrasts
        Groups x contrasts: orthonormal columns, each within one class and orthogonal to its mean.
    contrast_class
        Class of each contrast.
    """

    labels: tuple[str, ...]
    of_pair: Ints
    class_of: Ints
    contrasts: Floats
    contrast_class: Ints


def group_pairs(labels: pd.Series, of_class: Ints) -> Grouping:
    """Group pairs by a label; a label never spans two classes."""
    names, of_pair = np.unique(labels.to_numpy(str), return_inverse=True)
    class_of = np.zeros(len(names), np.int64)
    class_of[of_pair] = of_class
    columns, classes = [np.empty((len(names), 0))], [np.empty(0, np.int64)]
    for number in np.unique(class_of):
        members = np.flatnonzero(class_of == number)
        block = np.zeros((len(names), len(members) - 1))
        for i in range(1, len(members)):  # Helmert's contrasts
            block[members[:i], i - 1] = 1.0 / np.sqrt(i * (i + 1.0))
            block[members[i], i - 1] = -i / np.sqrt(i * (i + 1.0))
        columns.append(block)
        classes.append(np.full(len(members) - 1, number))
    return Grouping(
        tuple(names), of_pair, class_of, np.concatenate(columns, axis=1), np.concatenate(classes)
    )


@dataclass(frozen=True)
class Rough:
    """How rough shifts of pairs and effects follow from inverted scores, and how good they are.

    Attributes
    ----------
    cells, weights
        Pairs x most cells of a pair: which cells it has (padded) and their weights in its mean.
    to_level, to_method, to_parent
        Matrices from the shifts of pairs to levels of classes and to contrasts.
    place, change
        Places of parents, and shifts of cells, on the mean curves.
    place_follows, change_follows
        Whether they move with the curves; near floor and ceiling they would move too far.
    place_width, pair_width, level_width, method_width, parent_width
        Standard errors of places, of shifts (infinite: nothing known), and of the effects.
    """

    cells: Ints
    weights: Floats
    to_level: Floats
    to_method: Floats
    to_parent: Floats
    place: Floats
    change: Floats
    place_follows: NDArray[np.bool_]
    change_follows: NDArray[np.bool_]
    place_width: Floats
    pair_width: Floats
    level_width: Floats
    method_width: Floats
    parent_width: Floats


def rough_values(
    compared: Comparison,
    curves: ScoreCurves,
    spec: CompressionSpec,
    of_class: Ints,
    methods: Grouping,
    kin: Grouping,
) -> Rough:
    """Weigh inverted scores at the mean curves; effects by least squares."""
    count, j = len(compared.pairs), compared.cells["pair"].to_numpy()
    found = _inverted(compared, curves, spec)
    clear = np.isfinite(found.width)
    spread = _disagreement(found.shift[clear], j[clear], of_class)
    variance = np.maximum(found.width, LEAST_WIDTH) ** 2 + spread[of_class[j]] ** 2
    precision = np.where(clear, 1.0 / variance, 0.0)
    total = np.bincount(j, precision, count)
    known = total > 0
    # Of a pair that guesses only the prior tells: its coordinate leans on no rough value.
    pair_width = np.where(known, np.maximum(total, 1e-12) ** -0.5, np.inf)
    most = int(np.bincount(j, minlength=count).max())
    cells, weights = np.zeros((count, most), np.int64), np.zeros((count, most))
    filled = np.zeros(count, np.int64)
    for i, pair in enumerate(j):
        cells[pair, filled[pair]] = i
        weights[pair, filled[pair]] = precision[i] / max(total[pair], 1e-12)
        filled[pair] += 1
    shift = np.sum(weights * found.shift[cells], axis=1)

    of_level = np.eye(int(of_class.max()) + 1)[of_class]
    design = np.concatenate(
        [of_level, methods.contrasts[methods.of_pair], kin.contrasts[kin.of_pair]], axis=1
    )
    nugget = np.ones(of_level.shape[1])
    for number in np.unique(of_class[known]):
        nugget[number] = max(0.05, 0.2 * float(np.std(shift[known & (of_class == number)])))
    weight = np.where(known, 1.0 / (pair_width**2 + nugget[of_class] ** 2), 0.0)
    ridge = np.eye(design.shape[1]) / KNOWN_NOTHING**2
    covariance = np.linalg.inv(design.T @ (weight[:, None] * design) + ridge)
    ends = np.cumsum([of_level.shape[1], methods.contrasts.shape[1]])
    to_level, to_method, to_parent = np.split(covariance @ (design * weight[:, None]).T, ends)
    level, method, parent = np.split(np.sqrt(np.diag(covariance)), ends)
    return Rough(
        cells=cells,
        weights=weights,
        to_level=to_level,
        to_method=to_method,
        to_parent=to_parent,
        place=found.place,
        change=found.shift,
        place_follows=found.place_follows,
        change_follows=found.change_follows,
        place_width=found.place_width,
        pair_width=pair_width,
        level_width=level,
        method_width=method,
        parent_width=parent,
    )


def _disagreement(shift: Floats, pair: Ints, of_class: Ints) -> Floats:
    """Rough spread of the shifts of a pair over benchmarks, per class."""
    counts = np.maximum(np.bincount(pair, minlength=len(of_class)), 1)
    mean = np.bincount(pair, shift, len(of_class)) / counts
    spread = np.full(int(of_class.max()) + 1, DISAGREEMENT)
    for number in range(len(spread)):
        own = of_class[pair] == number
        freedom = int(own.sum()) - len(np.unique(pair[own]))
        if freedom >= FEWEST:
            spread[number] = np.sqrt(np.sum((shift - mean[pair])[own] ** 2) / freedom)
    return spread


def inverted_logit(score: Floats, floor: Any, span: Any) -> Any:
    """Logit of a score on its curve, kept off floor and ceiling; numpy or PyTensor."""
    share = ((score - floor) / span).clip(*SHARES)
    return np.log(share) - np.log(1.0 - share)


def inverted_change(before: Any, after: Any, top: Any, rate: Any) -> tuple[Any, Any]:
    """Change of ln Neff between two logits: of the leading, loss-linked cells, and of the rest.

    ``top`` covers the loss-linked cells only; numpy or PyTensor.
    """
    split = top.shape[0] if isinstance(top, np.ndarray) else int(top.type.shape[0])
    gaps = [(top - z[:split]).clip(LEAST_GAP, 1e6) for z in (before, after)]
    linked = (np.log(gaps[0]) - np.log(gaps[1])) / rate[:split]
    return linked, (after[split:] - before[split:]) / rate[split:]


@dataclass(frozen=True)
class _Inverted:
    """Shifts of cells and widths (infinite: nothing known), and places of parents with theirs."""

    shift: Floats
    width: Floats
    place: Floats
    place_follows: NDArray[np.bool_]
    change_follows: NDArray[np.bool_]
    place_width: Floats


def _inverted(compared: Comparison, curves: ScoreCurves, spec: CompressionSpec) -> _Inverted:
    """Invert all scores on the mean curves, with the scale that the parents' scores show."""
    parents, cells, curve = compared.parents, compared.cells, curves.shape_of(curves.mean)
    scale = np.full(len(curves.benchmarks), spec.score.zero_shot_scale.median)
    lift = np.full(len(scale), spec.score.zero_shot_floor.mu)
    for i in range(len(scale)):
        tied = parents[(parents["k"] == i) & (parents["anchor"] > curve.floor[i] + 0.05)]
        if len(tied):
            ratio = (tied["score"] - curve.floor[i]) / (tied["anchor"] - curve.floor[i])
            scale[i] = np.clip(ratio.median(), 0.3, 1.2)

    def logits(rows: pd.DataFrame) -> tuple[Floats, Floats]:
        k, score = rows["k"].to_numpy(), rows["score"].to_numpy()
        floor, span = scored(curve, scale, lift, k, rows["zero_shot"].to_numpy(float))
        error = np.sqrt(np.maximum(score * (1.0 - score), 0.01) / curves.items[k])
        clear = (score - floor > 3.0 * error + 0.02) & (score < floor + SHARES[1] * span)
        share = np.clip((score - floor) / span, *SHARES)
        width = np.where(clear, error / (span * share * (1.0 - share)), np.inf)
        return inverted_logit(score, floor, span), width

    j, q, k = (cells[name].to_numpy() for name in ("pair", "measured", "k"))
    before, before_width = logits(parents)
    after, after_width = logits(cells)
    top, rate = curve.top[k[k < curves.loss_linked]], curve.rate[k]
    change = np.concatenate(inverted_change(before[q], after, top, rate))
    per_change = rate.copy()
    per_change[: len(top)] *= np.maximum(top - after[: len(top)], LEAST_GAP)
    of_parent = parents["k"].to_numpy()
    limit = np.append(curve.top, np.full(len(scale) - len(curve.top), np.inf))[of_parent]
    gap = np.maximum(limit - before, LEAST_GAP)
    with np.errstate(invalid="ignore"):
        place = limit - gap - np.log(-np.expm1(-gap))
    return _Inverted(
        shift=change - compared.pairs["log_ratio"].to_numpy()[j],
        width=np.where(np.isfinite(before_width[q]), SHARED * after_width / per_change, np.inf),
        place=np.where(np.isinf(limit), before, place),
        place_follows=_steady(before),
        change_follows=_steady(before)[q] & _steady(after),
        place_width=np.where(np.isfinite(before_width), before_width, 1.0),
    )


def _steady(z: Floats) -> NDArray[np.bool_]:
    low, high = (np.log(share / (1.0 - share)) for share in STEADY)
    return np.asarray((z > low) & (z < high))
