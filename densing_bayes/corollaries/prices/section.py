"""Section of the report on the price of inference."""

from __future__ import annotations

from densing_bayes.corollaries.prices.model import fit_prices, price_summary, stored_prices
from densing_bayes.corollaries.trends.figures import plot_exponential
from densing_bayes.display.canvas import figure_of
from densing_bayes.display.section import Picture, Section, Table
from densing_bayes.display.sentences import marked
from densing_bayes.fitting.settings import SEED
from densing_bayes.posterior.result import CI
from densing_bayes.quantities.numbers import (
    limits,
    median,
    percent,
)

PUBLISHED_FOLD, PUBLISHED_HALVING = 266.7, 79.0  # news article; Xiao et al. 2025, p. 1825


def price_section(ci: float = CI, seed: int = SEED) -> Section:
    """Price of the cheapest offer at the levels of GPT-3.5 and GPT-4."""
    fits = {"GPT-3.5": stored_prices(seed), "GPT-4": fit_prices("gpt-4", seed=seed)}
    summaries = {name: price_summary(fit, ci=ci) for name, fit in fits.items()}
    said = summaries["GPT-3.5"]
    fold, life = said["fold_reduction"], said["halving_time_days"]
    sentence = (
        f"The edge of the cheapest offers at the level of GPT-3.5 or better halves every "
        f"{median(life)} days ({limits(life)}); from {said['first']} to {said['last']} it fell by "
        f"a factor of {median(fold)} ({limits(fold)}), where {PUBLISHED_FOLD:g} and "
        f"{PUBLISHED_HALVING:g} days were published. "
    )
    seen = said["observed"]
    if seen is not None:
        sentence += (
            f"The cheapest offer of each date fell by a factor of {seen['fold']:.4g}, from "
            f"{seen['first']['price']:g} to {seen['last']['price']:g} USD: one offer decides each "
            "end, where the edge takes all."
        )
    rows = tuple(
        (
            f"{name} or better",
            str(summary["offers"]["entered"]),
            f"{median(summary['halving_time_days'])} ({limits(summary['halving_time_days'])})",
            f"{median(summary['fold_reduction'])} ({limits(summary['fold_reduction'])})",
            fits[name].verdict,
        )
        for name, summary in summaries.items()
    )
    return Section(
        "prices",
        "Price of inference",
        (marked(fits["GPT-3.5"].verdict, sentence),),
        tables=(
            Table(
                ("Level", "Offers", "Halving, days", f"Times cheaper by {said['last']}", "Verdict"),
                rows,
            ),
        ),
        pictures=(
            Picture(
                figure_of(
                    plot_exponential(fits["GPT-3.5"], unit="USD per million tokens read", ci=ci)
                ),
                f"Prices of {said['offers']['entered']} offers over dates with the edge of the "
                f"cheapest. {sentence}",
                "Offers that may be of the level of GPT-3.5 or better, on the date they were made "
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
