"""Answer on the price of inference."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from densing_bayes.corollaries.prices.model import (
    FIRST,
    LAST,
    fit_prices,
    price_summary,
    stored_prices,
)
from densing_bayes.corollaries.trends.exponential import ExponentialFit
from densing_bayes.corollaries.trends.figures import plot_exponential
from densing_bayes.display.section import Picture, Section, Table
from densing_bayes.display.sentences import marked, small_verdict
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.numbers import limits, median, percent

PUBLISHED_FOLD, PUBLISHED_HALVING = 266.7, 79.0  # news article; Xiao et al. 2025, p. 1825


def both_levels(fit: Fit, ci: float, seed: int) -> Section:
    """Price of the cheapest offer at the levels of GPT-3.5 and GPT-4, whatever the fit."""
    fits = {"GPT-3.5": stored_prices(seed), "GPT-4": fit_prices("gpt-4", seed=seed)}
    return price_section(fits, ci, published=True)


def price_section(
    fits: Mapping[str, ExponentialFit],
    ci: float = CI,
    first: str = FIRST,
    last: str = LAST,
    *,
    kind: str = "read",
    published: bool = False,
) -> Section:
    """Price of the cheapest offer at some levels.

    Parameters
    ----------
    fits
        Of :func:`.fit_prices`, by what the level is called; the figure is of the first.
    ci
        Probability of the intervals.
    first, last
        Dates between which the price has fallen.
    kind
        Of the tokens: read, or blended.
    published
        Whether the published numbers, which are of the first level, are said beside it.
    """
    summaries = {name: price_summary(fit, first, last, ci) for name, fit in fits.items()}
    level, said = next(iter(summaries.items()))
    unit = f"USD per million tokens {kind}"
    sentences = [_edge(level, said, published)]
    for name, summary in summaries.items():
        offers = summary["offers"]
        sentences.append(
            f"{name}: {offers['entered']} offers, {offers['surely']} of them surely of this level. "
            f"{small_verdict(fits[name])}"
        )
    return Section(
        "prices",
        "Price of inference",
        (marked(fits[level].verdict, sentences[0]), *sentences[1:]),
        tables=tuple(_table(name, summary, ci) for name, summary in summaries.items()),
        pictures=(
            Picture(
                partial(plot_exponential, fits[level], unit=unit, ci=ci),
                f"Prices of {said['offers']['entered']} offers over dates with the edge of the "
                f"cheapest. {sentences[0]}",
                "prices",
                f"Offers that may be of the level of {level} or better, on the date they were made "
                f"or seen, and the edge of the cheapest with its {percent(ci)} interval. Open "
                "circles: probably not of the level. Lines: the dates between which an offer first "
                "stood.",
            ),
        ),
        document={
            "levels": summaries,
            "verdicts": {name: fit.verdict for name, fit in fits.items()},
        },
    )


def _edge(level: str, said: dict[str, Any], published: bool) -> str:
    fold, life, seen = said["fold_reduction"], said["halving_time_days"], said["observed"]
    text = (
        f"The edge of the cheapest offers at the level of {level} or better halves every "
        f"{median(life)} days ({limits(life)}); from {said['first']} to {said['last']} it fell by "
        f"a factor of {median(fold)} ({limits(fold)})"
    )
    if published:
        text += f", where {PUBLISHED_FOLD:g} and {PUBLISHED_HALVING:g} days were published"
    if seen is None:
        return f"{text}."
    return (
        f"{text}. The cheapest offer of each date fell by a factor of {seen['fold']:.4g}, from "
        f"{seen['first']['price']:g} ({seen['first']['offer']}) to {seen['last']['price']:g} USD "
        f"({seen['last']['offer']}): one offer decides each end, where the edge takes all."
    )


def _table(level: str, said: dict[str, Any], ci: float) -> Table:
    labels = {
        "halving_time_days": "Halving time, days",
        "fold_reduction": f"Times cheaper, {said['first']} to {said['last']}",
        "price": f"Cheapest on {said['last']}, USD per million tokens",
        "growth_rate": "Growth rate of the price, 1/day",
    }
    rows = tuple(
        (label, median(said[key], 2), limits(said[key], 2), limits(said["prior"][key], 2))
        for key, label in labels.items()
    )
    header = (f"{level} or better", "Median", f"{percent(ci)} interval", "Prior interval")
    return Table(header, rows, name=f"prices-{level.lower()}")
