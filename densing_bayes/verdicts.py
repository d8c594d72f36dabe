"""The rule by which every claim of the ledger is judged; docs/paper.md states it in words.

It was written down before it was computed, as were the values, tolerances and rivals of the claims
(data/claims.csv); tolerances are the rounding of the published figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from densing_bayes.fits import CI
from densing_bayes.quantities import probability

Draws = NDArray[np.float64]
VERDICTS = ("supported", "contradicted", "inconclusive", "not testable")
STRONG = 10.0  # Bayes factor from which a claim about a value is supported
SURE = 0.95  # probability from which a bound or an event is supported
RUNG = 2.0**0.25  # ratio of neighbouring tolerances on the ladder
RUNGS = 40  # of them below a claim's own: a thousandth of it
TINY = 1e-300
UNMOVED = 0.8  # of the former rule: prior mass in the interval above which nothing was learnt


class Judged(NamedTuple):
    """Verdict with the figures that it hangs on."""

    verdict: str
    probability: float | None
    meaning: str  # of the probability
    reason: str
    bayes_factor: float | None = None  # of a claim about a value, against its strongest rival


def not_testable(reason: str) -> Judged:
    """The verdict on what a panel cannot say anything about."""
    return Judged("not testable", None, "", reason)


def verdict(
    claim: Mapping[str, Any] | pd.Series, draws: Draws, prior: Draws | None = None
) -> Judged:
    """The fixed rule.

    Parameters
    ----------
    claim
        kind, value, low, high (NaN where open) and rival (NaN for none).
    draws
        Posterior draws of the quantity; of an event, 0 or 1.
    prior
        Prior draws of the same quantity; none for a bound, an event or an observed number.
    """
    draws = np.ravel(np.asarray(draws, dtype=float))
    low, high = float(claim["low"]), float(claim["high"])
    if claim["kind"] != "about" or prior is None:
        return _by_probability(*_holds(str(claim["kind"]), draws, low, high))
    within = probability((draws >= low) & (draws <= high))
    meaning = f"P({low:.6g} to {high:.6g})"
    factor, rival = bayes_factor(claim, draws, np.ravel(np.asarray(prior, dtype=float)))
    said = f"{_times(factor)} as probable, by the data, as {rival}"
    if factor >= STRONG:
        return Judged("supported", within, meaning, said, factor)
    if factor <= 1.0 / STRONG:
        return Judged("contradicted", within, meaning, said, factor)
    return Judged("inconclusive", within, meaning, said, factor)


def bayes_factor(
    claim: Mapping[str, Any] | pd.Series, draws: Draws, prior: Draws
) -> tuple[float, str]:
    """Bayes factor of a claim about a value against its strongest rival, and that rival.

    The largest over a ladder of tolerances up to the claim's own, since a claim follows from every
    narrower one. The rungs are the same for every claim.
    """
    value, low, high = (float(claim[key]) for key in ("value", "low", "high"))
    half, rival = (high - low) / 2.0, float(claim["rival"])
    positive = min(low, *(np.min(values, initial=np.inf) for values in (draws, prior))) > 0.0
    after, before = (Smoothed.of(values, positive) for values in (draws, prior))
    point = 1e-6 * half  # a rival is a value, whatever the tolerance of the claim
    top = np.floor(np.log(half) / np.log(RUNG) + 1e-9)
    best = (-1.0, "")
    for part in RUNG ** np.arange(top - RUNGS, top + 1) / half:
        within = value - part * (value - low), value + part * (high - value)
        p, p0 = after.mass(*within), before.mass(*within)
        factors = [((p / (1.0 - p)) / (p0 / (1.0 - p0)), "any other value")]
        if not np.isnan(rival):
            r, r0 = (known.mass(rival - point, rival + point) for known in (after, before))
            name = "that it never happens" if np.isinf(rival) else f"{rival:g}"
            factors.append(((p / p0) / (r / r0), name))
        best = max(best, min(factors))
    return best


@dataclass(frozen=True)
class Smoothed:
    """Draws of a scalar with a normal kernel, on a logarithmic scale where all are positive.

    A tolerance is often so narrow that hardly a draw lies in it.
    """

    finite: Draws
    width: float
    size: int
    logarithmic: bool

    @classmethod
    def of(cls, draws: Draws, positive: bool) -> Smoothed:
        """Of draws that may be infinite, with the bandwidth of Silverman's rule."""
        finite = draws[np.isfinite(draws)]
        if positive:
            finite = np.log(finite)
        if not finite.size:
            return cls(finite, 1.0, draws.size, positive)
        quartiles = np.quantile(finite, [0.25, 0.75])
        spread = min(float(finite.std()), float(quartiles[1] - quartiles[0]) / 1.349)
        return cls(finite, 0.9 * spread * finite.size**-0.2, draws.size, positive)

    def mass(self, low: float, high: float) -> float:
        """Probability between two limits, never 0 or 1; at infinity, that it is infinite."""
        few = 0.5 / self.size
        if np.isinf(low):
            return float(np.clip(1.0 - self.finite.size / self.size, few, 1.0 - few))
        limits = np.array([low, high])
        if self.logarithmic:
            limits = np.log(np.maximum(limits, TINY))
        steps = (limits[:, None] - self.finite) / max(self.width, TINY)
        # differences of the nearer tail, which keep their digits far out
        near = np.where(steps[0] > 0, -1.0, 1.0)
        parts = np.abs(ndtr(near * steps[1]) - ndtr(near * steps[0]))
        return float(np.clip(parts.sum() / self.size, TINY, 1.0 - few))


def _holds(kind: str, draws: Draws, low: float, high: float) -> tuple[float, str]:
    """Probability that a claim holds, and how it is written."""
    match kind:
        case "about":
            return probability((draws >= low) & (draws <= high)), f"P({low:.6g} to {high:.6g})"
        case "at least":
            return probability(draws > low), f"P(> {low:g})"
        case "at most":
            return probability(draws <= high), f"P(<= {high:g})"
        case "event":
            return probability(draws > 0), "P"
    raise ValueError(f"no kind of claim '{kind}'")


def _by_probability(of: float, meaning: str) -> Judged:
    if of >= SURE:
        return Judged("supported", of, meaning, f"probability of at least {SURE}")
    if of <= 1.0 - SURE:
        return Judged("contradicted", of, meaning, f"probability of at most {1 - SURE:.2g}")
    return Judged("inconclusive", of, meaning, "the probability is neither high nor low")


def _times(factor: float) -> str:
    return f"{factor:.2g} times" if factor < 1000 else "over 1000 times"


def former_verdict(
    claim: Mapping[str, Any] | pd.Series, draws: Draws, prior: Draws | None, ci: float = CI
) -> str:
    """What the rule before this one says of the same draws; kept for one version.

    A claim about a value was contradicted if the interval held nothing of it, uninformative if it
    also held the rival or most of the prior, else supported.
    """
    draws = np.ravel(np.asarray(draws, dtype=float))
    low, high, rival = (float(claim[key]) for key in ("low", "high", "rival"))
    if claim["kind"] != "about":
        word = _by_probability(*_holds(str(claim["kind"]), draws, low, high)).verdict
        return word.replace("inconclusive", "uninformative")
    tail = (1.0 - ci) / 2.0
    bottom, top = np.quantile(draws, [tail, 1.0 - tail], method="inverted_cdf")
    if top < low or bottom > high:
        return "contradicted"
    if bottom <= rival <= top:
        return "uninformative"
    if prior is not None and probability((prior >= bottom) & (prior <= top)) > UNMOVED:
        return "uninformative"
    return "supported"
