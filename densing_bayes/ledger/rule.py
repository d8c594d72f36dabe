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

from densing_bayes.posterior.estimates import probability
from densing_bayes.posterior.result import CI

Draws = NDArray[np.float64]
VERDICTS = ("supported", "contradicted", "inconclusive", "not testable")
STRONG = 10.0  # Bayes factor from which a claim about a value is supported
SURE = 0.95  # probability from which a bound or an event is supported
RUNG = 2.0**0.25  # ratio of neighbouring tolerances on the ladder
RUNGS = 40  # of them below a claim's own: a thousandth of it
WIDTH = 1.8  # of the kernel: twice Silverman's, for steady tails, which it makes a little heavier
BATCHES = 16  # of draws in a row, which give Monte Carlo errors
NEAR = 2.0 * 2.0**0.5  # Monte Carlo errors from a limit: two of the difference of two runs
TINY = 1e-300
UNMOVED = 0.8  # of the former rule: prior mass in the interval above which nothing was learnt


class Judged(NamedTuple):
    """Verdict with the figures that it depends on."""

    verdict: str
    probability: float | None
    meaning: str  # of the probability
    reason: str
    bayes_factor: float | None = None  # of a claim about a value, against its strongest rival
    near_border: bool = False  # another seed might say another word


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
    found = bayes_factor(claim, draws, np.ravel(np.asarray(prior, dtype=float)))
    word = "inconclusive"
    if found.lower >= STRONG:
        word = "supported"
    elif found.upper <= 1.0 / STRONG:
        word = "contradicted"
    said = f"{_times(found.factor)} as probable, by the data, as {found.rival}"
    return Judged(word, within, meaning, said, found.factor, found.near_border)


class Factor(NamedTuple):
    """A Bayes factor with limits, two Monte Carlo errors off, and the rival that it is against."""

    factor: float
    lower: float
    upper: float
    rival: str

    @property
    def near_border(self) -> bool:
        """Whether a limit that decides lies as near to its border as another run may move it."""
        error = np.log(self.upper / self.lower) / 4.0
        apart = np.log(self.lower / STRONG), np.log(self.upper * STRONG)
        return bool(min(map(abs, apart)) < NEAR * error)


def bayes_factor(claim: Mapping[str, Any] | pd.Series, draws: Draws, prior: Draws) -> Factor:
    """Bayes factor of a claim about a value against its strongest rival, and that rival.

    The largest over a ladder of tolerances up to the claim's own, since a claim follows from every
    narrower one; its limits likewise. The rungs are the same for every claim.
    """
    value, low, high = (float(claim[key]) for key in ("value", "low", "high"))
    half, rival = (high - low) / 2.0, float(claim["rival"])
    positive = min(low, *(np.min(values, initial=np.inf) for values in (draws, prior))) > 0.0
    after, before = (Smoothed.of(values, positive) for values in (draws, prior))
    point = 1e-6 * half  # a rival is a value, whatever the tolerance of the claim
    top = np.floor(np.log(half) / np.log(RUNG) + 1e-9)
    rungs = []
    for part in RUNG ** np.arange(top - RUNGS, top + 1) / half:
        within = value - part * (value - low), value + part * (high - value)
        p, p0 = after.mass(*within), before.mass(*within)
        rivals = [_factor("any other value", (p.odds, p.odds_error), (p0.odds, p0.odds_error))]
        if not np.isnan(rival):
            name = "that it never happens" if np.isinf(rival) else f"{rival:g}"
            sides = []
            for known, own in ((after, p), (before, p0)):
                other = known.mass(rival - point, rival + point)
                apart = own.parts / own.total - other.parts / other.total
                sides.append((own.total / other.total, _batch_error(apart)))
            rivals.append(_factor(name, *sides))
        rungs.append(min(rivals))
    best = max(rungs)
    limits = (max(rung.lower for rung in rungs), max(rung.upper for rung in rungs))
    return Factor(best.factor, *limits, best.rival)


def _factor(rival: str, after: tuple[float, float], before: tuple[float, float]) -> Factor:
    """Ratio of two odds of which the relative errors are known."""
    ratio, error = after[0] / before[0], float(np.hypot(after[1], before[1]))
    return Factor(ratio, ratio * np.exp(-2.0 * error), ratio * np.exp(2.0 * error), rival)


def _batch_error(parts: Draws) -> float:
    """Standard error of the mean of batches of draws."""
    return float(parts.std(ddof=1) / np.sqrt(parts.size))


class Mass(NamedTuple):
    """A probability, and the same in each batch of draws."""

    total: float
    parts: Draws

    @property
    def odds(self) -> float:
        """Odds."""
        return self.total / (1.0 - self.total)

    @property
    def odds_error(self) -> float:
        """Monte Carlo error of the logarithm of the odds."""
        return _batch_error(self.parts / (self.total * (1.0 - self.total)))


@dataclass(frozen=True)
class Smoothed:
    """Draws of a scalar with a normal kernel, on a logarithmic scale where all are positive.

    A tolerance is often so narrow that hardly a draw lies in it.
    """

    draws: Draws
    width: float
    logarithmic: bool

    @classmethod
    def of(cls, draws: Draws, positive: bool) -> Smoothed:
        """Of draws that may be infinite, with twice the bandwidth of Silverman's rule."""
        values = np.log(draws) if positive else draws
        finite = values[np.isfinite(values)]
        if not finite.size:
            return cls(values, 1.0, positive)
        quartiles = np.quantile(finite, [0.25, 0.75])
        with np.errstate(over="ignore"):  # a few draws so far out tell nothing of the width
            spread = min(float(finite.std()), float(quartiles[1] - quartiles[0]) / 1.349)
        return cls(values, WIDTH * spread * finite.size**-0.2, positive)

    def mass(self, low: float, high: float) -> Mass:
        """Probability between two limits, never 0 or 1; at infinity, that it is infinite."""
        few = 0.5 / self.draws.size
        if np.isinf(low):
            inside = np.isposinf(self.draws).astype(float)
            least = few
        else:
            limits = np.array([low, high])
            if self.logarithmic:
                limits = np.log(np.maximum(limits, TINY))
            steps = (limits[:, None] - self.draws) / max(self.width, TINY)
            # differences of the nearer tail, which keep their digits far out
            near = np.where(steps[0] > 0, -1.0, 1.0)
            inside = np.abs(ndtr(near * steps[1]) - ndtr(near * steps[0]))
            least = TINY
        parts = np.array([batch.mean() for batch in np.array_split(inside, BATCHES)])
        return Mass(float(np.clip(inside.mean(), least, 1.0 - few)), parts)


def _holds(kind: str, draws: Draws, low: float, high: float) -> tuple[NDArray[np.bool_], str]:
    """Draws in which a claim holds, and how their share is written."""
    match kind:
        case "about":
            return (draws >= low) & (draws <= high), f"P({low:.6g} to {high:.6g})"
        case "at least":
            return draws > low, f"P(> {low:g})"
        case "at most":
            return draws <= high, f"P(<= {high:g})"
        case "event":
            return draws > 0, "P"
    raise ValueError(f"no kind of claim '{kind}'")


def _by_probability(holds: NDArray[np.bool_], meaning: str) -> Judged:
    of = probability(holds)
    near = False
    if holds.size >= BATCHES:  # else it is not a share of draws but a number, or a few
        error = _batch_error(np.array([part.mean() for part in np.array_split(holds, BATCHES)]))
        near = bool(min(abs(of - SURE), abs(of - (1.0 - SURE))) < NEAR * error)
    if of >= SURE:
        word, reason = "supported", f"probability of at least {SURE}"
    elif of <= 1.0 - SURE:
        word, reason = "contradicted", f"probability of at most {1 - SURE:.2g}"
    else:
        word, reason = "inconclusive", "the probability is neither high nor low"
    return Judged(word, of, meaning, reason, near_border=near)


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
