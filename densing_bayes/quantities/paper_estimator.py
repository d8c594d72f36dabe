"""The estimator of the paper: least squares in three steps (arXiv 2412.04315, sections 2 and 3).

First the curve of a benchmark from the reference models, L = a N^-alpha + b D^-beta and
S = floor + (ceiling - floor) / (1 + exp(gamma (L - l))); then the effective params of each system,
by inversion of its score at D0 tokens; then a straight line through the logarithm of the running
maximum of the densities. No step hands the uncertainty of the one before it on, which is why the
package has a joint model beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import least_squares
from scipy.special import expit, logit

from densing_bayes.errors import DensingError
from densing_bayes.inputs.dates import ORIGIN
from densing_bayes.inputs.panel import Panel
from densing_bayes.inputs.published import load_reference_curves
from densing_bayes.joint import laws
from densing_bayes.joint.least_squares import fit_losses
from densing_bayes.observed.arrays import Floats

REFERENCE_TOKENS = 5e12  # D0 of the Nature MI version; arXiv v2 has 1e12


class LossCurve(NamedTuple):
    """Constants of L = a N^-alpha + b D^-beta + E, N and D plain counts; E is 0 in the paper."""

    a: float
    alpha: float
    b: float
    beta: float
    E: float = 0.0


class ScoreCurve(NamedTuple):
    """Constants of S = floor + (ceiling - floor) / (1 + exp(steepness (L - midpoint)))."""

    floor: float
    ceiling: float
    steepness: float
    midpoint: float


class GrowthFit(NamedTuple):
    """A straight line through the logarithm of densities or prices over dates."""

    rate: float  # 1/day
    r_squared: float
    points: int


class Estimate(NamedTuple):
    """What the paper's estimator makes of a panel.

    ``optima`` has every optimum of the loss curve (see :func:`fit_losses`; None if the curve was
    given), ``densities`` one row per system with a finite density: release_date, params, score,
    effective_params, density, on_envelope. ``growth`` is through the running maximum, ``before``
    and ``after`` through that of each side of ChatGPT; None where it has fewer than two points.
    """

    loss_curve: LossCurve
    optima: pd.DataFrame | None
    score_curve: ScoreCurve
    densities: pd.DataFrame
    growth: GrowthFit | None
    before: GrowthFit | None
    after: GrowthFit | None


def drawn_curves(benchmark: str) -> tuple[LossCurve, ScoreCurve]:
    """Curves that the paper drew for a benchmark of its own, or for their "average".

    Raises
    ------
    DensingError
        If the paper has none for it.
    """
    table = load_reference_curves()
    if benchmark not in table.index:
        raise DensingError(f"no drawn curve for '{benchmark}': use one of {', '.join(table.index)}")
    numbers = table.drop(columns="source").astype(float)
    row = dict(zip(numbers.columns, numbers.loc[benchmark].to_numpy(), strict=True))
    ceiling = row["floor"] + row["ceiling_minus_floor"]
    return (
        LossCurve(row["a"], row["alpha"], row["b"], row["beta"]),
        ScoreCurve(row["floor"], ceiling, row["gamma"], row["midpoint_loss"]),
    )


def reference_loss(curve: LossCurve, params: Floats | float, tokens: Floats | float) -> Floats:
    """Loss of reference models of given params and tokens."""
    a, alpha, b, beta, E = curve
    loss = laws.scaling_loss(np.log(params), np.log(tokens), E, a, alpha, b, beta)
    return np.asarray(loss, dtype=float)


def score_at_loss(curve: ScoreCurve, loss: ArrayLike) -> Floats:
    """Score of a reference model with a loss."""
    z = curve.steepness * (curve.midpoint - np.asarray(loss))
    return np.asarray(laws.sigmoid_score(z, curve.floor, curve.ceiling), dtype=float)


def fit_scores(loss: ArrayLike, score: ArrayLike, floor: float = 0.0) -> ScoreCurve:
    """Least squares of the sigmoid from loss to score; ``floor`` is where the search starts."""
    L, S = np.asarray(loss, dtype=float), np.asarray(score, dtype=float)
    order = np.argsort(S)
    midpoint = np.interp((S.max() + floor) / 2.0, S[order], L[order])
    start = [floor, logit(0.95), np.log(4.0 / np.ptp(L)), midpoint]

    def curve(theta: Floats) -> ScoreCurve:
        return ScoreCurve(theta[0], float(expit(theta[1])), float(np.exp(theta[2])), theta[3])

    def errors(theta: Floats) -> Floats:
        return score_at_loss(curve(theta), L) - S

    found = least_squares(errors, start)
    return ScoreCurve(*(float(value) for value in curve(found.x)))


def effective_params(
    loss_curve: LossCurve,
    score_curve: ScoreCurve,
    score: ArrayLike,
    reference_tokens: float = REFERENCE_TOKENS,
) -> Floats:
    """Params that a reference model trained on ``reference_tokens`` needs for each score.

    Returns
    -------
    numpy.ndarray
        Counts; NaN where no size reaches the score, or the score is at or below the floor.
    """
    floor, ceiling, steepness, midpoint = score_curve
    S = np.asarray(score, dtype=float)
    inside = (floor < S) & (ceiling > S)
    share = np.where(inside, (S - floor) / (ceiling - floor), np.nan)
    loss = midpoint - logit(share) / steepness
    left = loss - loss_curve.E - loss_curve.b * reference_tokens**-loss_curve.beta
    left = np.where(left > 0, left, np.nan)
    return np.asarray((left / loss_curve.a) ** (-1.0 / loss_curve.alpha))


def running_maximum(dates: Sequence[object] | pd.Series, values: ArrayLike) -> np.ndarray:
    """Which values exceed all of earlier dates, and are the largest of their own.

    Parameters
    ----------
    dates, values
        One each per system, in any order.

    Returns
    -------
    numpy.ndarray of bool
    """
    days = pd.to_datetime(pd.Series(list(dates))).to_numpy()
    heights = np.asarray(values, dtype=float)
    order = np.lexsort((-heights, days))
    best = np.r_[-np.inf, np.fmax.accumulate(heights[order])[:-1]]
    on = np.zeros(len(heights), dtype=bool)
    on[order] = heights[order] > best
    return on


def growth_line(dates: Sequence[object] | pd.Series, values: ArrayLike) -> GrowthFit | None:
    """Ordinary least squares of ln(value) on days; None for fewer than two dates."""
    days = (pd.to_datetime(pd.Series(list(dates))) - ORIGIN).dt.days.to_numpy(float)
    logs = np.log(np.asarray(values, dtype=float))
    if len(np.unique(days)) < 2:
        return None
    rate, start = np.polyfit(days, logs, 1)
    left = np.sum((logs - start - rate * days) ** 2)
    return GrowthFit(float(rate), float(1.0 - left / np.sum((logs - logs.mean()) ** 2)), len(logs))


def growth_on_sides(
    dates: Sequence[object] | pd.Series, values: ArrayLike, change: object = ORIGIN
) -> tuple[GrowthFit | None, GrowthFit | None]:
    """Lines of :func:`growth_line` through the running maximum before a date and after it.

    The maximum starts anew at the change, as in the paper's Fig. 3c, where the first point after
    ChatGPT lies below the last before.
    """
    days = pd.to_datetime(pd.Series(list(dates)))
    heights = np.asarray(values, dtype=float)
    earlier = (days < pd.Timestamp(str(change))).to_numpy()
    lines = []
    for side in (earlier, ~earlier):
        best = running_maximum(days[side], heights[side])
        lines.append(growth_line(days[side][best], heights[side][best]))
    return lines[0], lines[1]


def estimate_as_paper(
    panel: Panel,
    benchmarks: Sequence[str] | None = None,
    *,
    loss_curve: LossCurve | None = None,
    score_curve: ScoreCurve | None = None,
    reference_tokens: float = REFERENCE_TOKENS,
    size: str = "params_total",
) -> Estimate:
    """Estimate densities and their growth as the paper does.

    Several benchmarks are averaged first, losses and scores, as the paper does: then only runs
    and systems that have all of them count. Reference scores whose runs differ by benchmark are
    paired by the rank of their loss.

    Parameters
    ----------
    panel
        A panel whose reference runs have losses on the benchmarks.
    benchmarks
        All of the panel's by default.
    loss_curve, score_curve
        Curves to use instead of the best fitting ones.
    reference_tokens
        D0.
    size
        Column of the systems that is their size.

    Raises
    ------
    DensingError
        If a benchmark is not in the panel, a system has scores of several protocols, or too little
        is left to fit.

    Examples
    --------
    >>> found = estimate_as_paper(load_panel("paper"), ["mmlu"])
    >>> found.before, found.after
    """
    names = list(panel.benchmarks.index if benchmarks is None else benchmarks)
    unknown = [name for name in names if name not in panel.benchmarks.index]
    if unknown:
        raise DensingError(
            f"benchmark '{unknown[0]}' is not in panel '{panel.name}' (it has "
            f"{', '.join(panel.benchmarks.index)})"
        )
    scores = panel.scores[panel.scores["benchmark"].isin(names)]
    twice = scores[scores.duplicated(["system", "benchmark"])]
    if not twice.empty:
        row = twice.iloc[0]
        raise DensingError(
            f"{row['system']} has several scores on {row['benchmark']}; the paper's method knows "
            f"one protocol: keep the scores of one"
        )
    optima = None
    if loss_curve is None:
        runs = panel.runs[["params", "tokens"]].dropna()
        loss = _averaged(panel.losses[panel.losses["run"].isin(runs.index)], "run", "loss", names)
        runs = runs.loc[loss.index]
        optima = fit_losses(runs["params"], runs["tokens"], loss)
        loss_curve = LossCurve(**optima.loc[0, list(LossCurve._fields)])
    if score_curve is None:
        floor = float(panel.benchmarks.loc[names, "chance"].mean())
        score_curve = fit_scores(*_reference_scores(panel, names), floor)
    score = _averaged(panel.scores, "system", "score", names)
    systems = panel.systems.loc[score.index]
    table = pd.DataFrame(
        {"release_date": systems["release_date"], "params": systems[size], "score": score}
    )
    table["effective_params"] = effective_params(
        loss_curve, score_curve, score.to_numpy(), reference_tokens
    )
    table["density"] = table["effective_params"] / table["params"]
    table = table.dropna().sort_values("release_date", kind="stable")
    table["on_envelope"] = running_maximum(table["release_date"], table["density"].to_numpy())
    best = table[table["on_envelope"]]
    whole = growth_line(best["release_date"], best["density"])
    sides = growth_on_sides(table["release_date"], table["density"].to_numpy())
    return Estimate(loss_curve, optima, score_curve, table, whole, *sides)


def _averaged(table: pd.DataFrame, key: str, value: str, names: list[str]) -> pd.Series:
    """Mean over benchmarks of what has all of them."""
    wide = table[table["benchmark"].isin(names)].pivot_table(
        index=key, columns="benchmark", values=value
    )
    missing = sorted(set(names) - set(wide.columns))
    if missing:
        raise DensingError(f"no {value} on {', '.join(missing)}")
    return wide.dropna().mean(axis=1)


def _reference_scores(panel: Panel, names: list[str]) -> tuple[Floats, Floats]:
    """Losses and scores of reference models, averaged over benchmarks by rank of loss."""
    pairs = []
    for name in names:
        scores, losses = (
            table[table["benchmark"] == name].set_index("run")
            for table in (panel.reference_scores, panel.losses)
        )
        pair = scores[["score"]].join(losses["loss"], how="inner").sort_values("loss")
        pairs.append(pair[["loss", "score"]].to_numpy())
    counts = {len(pair) for pair in pairs}
    if len(counts) > 1 or min(counts) < 4:
        raise DensingError(
            f"reference scores with a loss: {', '.join(str(len(pair)) for pair in pairs)} on "
            f"{', '.join(names)}; the sigmoid needs at least 4, the same number on each"
        )
    loss, score = np.mean(pairs, axis=0).T
    return loss, score
