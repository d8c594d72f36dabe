"""Sections of the report on the corollaries of a fit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from densing_bayes.canvas import figure_of
from densing_bayes.corollaries.arrivals import Condition, release_of, waiting_time
from densing_bayes.corollaries.calculator import calculator
from densing_bayes.corollaries.compression import fit_compression, method_table
from densing_bayes.corollaries.compression_plot import plot_compression
from densing_bayes.corollaries.drivers import drivers_table, fit_drivers
from densing_bayes.corollaries.drivers_plot import plot_drivers
from densing_bayes.corollaries.engines import (
    device_table,
    effective_doubling_time,
    engine_label,
    engine_table,
    stored_engines,
)
from densing_bayes.corollaries.forecast_plot import plot_score_fan
from densing_bayes.corollaries.payback import load_payback_spec, payback, payback_document
from densing_bayes.corollaries.payback_plot import plot_waiting
from densing_bayes.corollaries.prices import fit_prices, price_summary, stored_prices
from densing_bayes.corollaries.training_cost import training_cost_prior
from densing_bayes.corollaries.trend_plot import plot_doubling_times, plot_exponential
from densing_bayes.errors import DensingError
from densing_bayes.fits import CI, Fit
from densing_bayes.fitting import SEED
from densing_bayes.forecasts import forecast_summary
from densing_bayes.observations import date_of
from densing_bayes.quantities import estimate
from densing_bayes.section import Picture, Section, Table
from densing_bayes.store import kept, store_folder
from densing_bayes.wording import (
    benchmark_label,
    count,
    is_probability,
    limits,
    marked,
    median,
    number,
    percent,
    probability,
)

PUBLISHED_FOLD, PUBLISHED_HALVING = 266.7, 79.0  # news article; Xiao et al. 2025, p. 1825
PUBLISHED_DOUBLING = {  # days, of engines, from the same two sources
    "model-density": (100.0,),
    "transistor-density": (547.9,),
    "compute-per-price": (767.0,),
    "battery-energy-per-volume": (3652.5,),
    "battery-energy-per-mass": (3652.5,),
}
SUCCESSORS: dict[Condition, str] = {
    "smooth": "the smooth frontier",
    "density": "a release of twice its density",
    "recipe": "a recipe that does with half its params",
    "system": "a system of half its params",
}
GPT_4 = 0.864  # on MMLU, GPT-4 Technical Report
SMALL = 8e9  # params of the example
SURE = 0.95  # probability from which a method is said to raise density
TOKENS = 15e12  # that a system of 2024 of this size was trained on: Llama 3, model card


def corollary_sections(
    fit: Fit, ci: float = CI, seed: int = SEED
) -> dict[str, Callable[[], Section]]:
    """Makers of the sections on what follows from a fit, by name; each is kept in the store.

    Parameters
    ----------
    fit
        A fit.
    ci
        Probability of the intervals.
    seed
        Of the small models, which take some minutes where the store has none.
    """
    makers: dict[str, tuple[str, Callable[[], Section]]] = {
        "prices": ("Price of inference", lambda: price_section(ci, seed)),
        "engines": ("Engines beside density", lambda: engine_section(fit, ci, seed)),
        "devices": ("What a device holds", lambda: device_section(fit, ci)),
        "compression": ("Compressed systems", lambda: compression_section(fit, ci, seed)),
        "forecast": ("8B at the level of GPT-4", lambda: forecast_section(fit, ci)),
        "payback": ("Life and pay-back of a release", lambda: payback_section(fit, ci, seed)),
        "drivers": ("Longer training and the rest", lambda: driver_section(fit, ci, seed)),
    }
    source = fit.provenance
    names = ("spec_hash", "data_hash", "tables_hash", "seed", "created")
    key = [*(source.get(name) for name in names), ci, seed]

    def stored(name: str) -> Section:
        title, make = makers[name]
        return kept(
            f"section-{name}", key, partial(_made, name, title, make), store_folder(), __name__
        )

    return {name: partial(stored, name) for name in makers}


def _made(name: str, title: str, make: Callable[[], Section]) -> Section:
    """A section, or why there is none: data of one's own need not hold what it takes."""
    try:
        return make()
    except DensingError as reason:
        return Section(name, title, (f"Left out: {reason}.",))


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


def engine_section(fit: Fit, ci: float = CI, seed: int = SEED) -> Section:
    """Chips and batteries beside density, and density times chips."""
    engines = stored_engines(seed)
    table = engine_table(engines, fit, ci)
    product = estimate(
        effective_doubling_time(fit, engines["compute-per-price"], seed=seed),
        "days",
        ci,
        mean=False,
    )
    sentence = (
        f"With what chips of one price compute, the largest effective model that such a chip can "
        f"run doubles every {median(product)} days ({limits(product)}); 88 were published."
    )
    rows = tuple(
        (
            engine_label(str(name)),
            str(row["points"]),
            median(row["growth"], 2),
            f"{median(row['doubling_time'])} ({limits(row['doubling_time'])})",
            row["verdict"],
        )
        for name, row in table.iterrows()
    )
    alone = "; ".join(f"{row[0]}: {row[3]} days" for row in rows)
    return Section(
        "engines",
        "Engines beside density",
        (marked(fit.verdict, sentence),),
        tables=(
            Table(("Engine", "Points", "Growth, 1/year", "Doubling time, days", "Verdict"), rows),
        ),
        pictures=(
            Picture(
                figure_of(plot_doubling_times(table, PUBLISHED_DOUBLING)),
                f"Doubling times with intervals: {alone}.",
                "Doubling times of density, chips and batteries on one scale; crosses: published "
                "ones.",
            ),
        ),
        document={
            "engines": table.reset_index().to_dict(orient="records"),
            "density_times_chips": product,
        },
    )


def device_section(fit: Fit, ci: float = CI) -> Section:
    """Effective params that fit into a device."""
    last = float(fit.observed.time.max())
    dates = [date_of(time).date() for time in (0.0, last, last + 1.0)]
    table = device_table(fit, dates, ci=ci)
    rows = []
    for memory, group in table.groupby("memory", sort=False):
        cells = [
            f"{count(said['median'])} ({count(said['lower'])} to {count(said['upper'])})"
            for said in group["effective_params"]
        ]
        rows.append((f"{memory:g} GiB", count(group["params"].iloc[0]), *cells))
    return Section(
        "devices",
        "What a device holds",
        (
            "Effective params of the largest system on the frontier that fits into the memory of a "
            "device at 4 bits a weight, with a fifth of the memory kept free. What 4 bits cost in "
            f"ability is not taken off; the last date lies a year after the last release. "
            f"{percent(ci)} intervals.",
        ),
        tables=(Table(("Memory", "Params", *(date.isoformat() for date in dates)), tuple(rows)),),
        document={"devices": table.to_dict(orient="records")},
    )


def compression_section(fit: Fit, ci: float = CI, seed: int = SEED) -> Section:
    """What pruning, distilling and quantising do to density."""
    # Enough for a table of two digits; the study has more draws.
    compression = fit_compression(fit, seed=seed, draws=1300, tune=600)
    methods = method_table(compression, ci)
    denser = [str(name) for name, row in methods.iterrows() if row["p_denser"] >= SURE]
    sentence = (
        f"Of {len(methods)} ways to make a system from another, measured beside its parent, "
        f"{len(denser) or 'none'} make{'s' if len(denser) == 1 else ''} it denser on average with "
        f"P >= {SURE:g}{': ' + ', '.join(denser) if denser else ''}."
    )
    rows = tuple(
        (
            str(name),
            str(row["pairs"]),
            f"{number(row['factor'], 2)} "
            f"({number(row['factor_lower'], 2)} to {number(row['factor_upper'], 2)})",
            probability(row["p_denser"]),
            probability(row["p_new_denser"]),
        )
        for name, row in methods.iterrows()
    )
    return Section(
        "compression",
        "Compressed systems",
        (marked(compression.verdict, sentence),),
        (
            "A factor is the density of the child over that of its parent. Where most of a "
            "child's scores may be guesses, its lower limit is the prior's.",
        ),
        (
            Table(
                ("Method", "Pairs", "Factor", "P(denser)", "P(a new pair denser)"),
                rows,
                numbers=methods.reset_index(),
                long=True,
            ),
        ),
        (
            Picture(
                figure_of(plot_compression(compression, ci)),
                f"Factors on density of {len(methods)} methods with intervals. {sentence}",
                f"Density of the child over that of its parent by method, with {percent(ci)} "
                "intervals of the method's mean (thick) and of a new pair (thin).",
            ),
        ),
        document={
            "methods": methods.reset_index().to_dict(orient="records"),
            "verdict": compression.verdict,
        },
    )


def forecast_section(fit: Fit, ci: float = CI) -> Section:
    """When a system of 8e9 params on the frontier reaches the MMLU of GPT-4."""
    said = forecast_summary(fit, SMALL, "mmlu", GPT_4, ci, by="2025-12-31")

    def dates(one: dict[str, Any]) -> str:
        middle, low, high = (one[key] or "never" for key in ("median", "lower", "upper"))
        return f"{middle} ({low} to {high})"

    sentences = [
        f"A system of {count(SMALL)} params on the frontier reaches {GPT_4:g} on "
        f"{benchmark_label('mmlu')}, the level of GPT-4: {dates(said)}; P(by the end of 2025) "
        f"{is_probability(said['p_by'])}.",
        f"By this model no size scores above {median(said['limit'], 3)} "
        f"({limits(said['limit'], 3)}); P({GPT_4:g} lies above that) "
        f"{is_probability(said['p_above_limit'])}. The best score in the data is "
        f"{said['highest_seen']['score']:.3f}, of {said['highest_seen']['system']}.",
    ]
    if said["p_above_limit"] > 0.001 and said["if_below_limit"] is not None:
        sentences.append(f"Given that it does not: {dates(said['if_below_limit'])}.")
    return Section(
        "forecast",
        "8B at the level of GPT-4",
        tuple(marked(fit.verdict, text) for text in sentences),
        pictures=(
            Picture(
                figure_of(plot_score_fan(fit, SMALL, "mmlu", score=GPT_4)),
                " ".join(sentences),
                f"Score of a new release of {count(SMALL)} params on MMLU (bands of 50, 80 and "
                "95%), of a system on the frontier, and the score that no size reaches. Dots: "
                "systems near that size; dotted: the last datum.",
            ),
        ),
        document={"forecast": said},
    )


def payback_section(fit: Fit, ci: float = CI, seed: int = SEED) -> Section:
    """Life and pay-back of a release of 8e9 params on the frontier."""
    spec = load_payback_spec()
    cost = training_cost_prior(SMALL, TOKENS, spec.training, seed=seed)
    result = payback(fit, params=SMALL, training_cost=cost, spec=spec, seed=seed)
    document = payback_document(result, ci=ci)
    release = release_of(fit, params=SMALL)
    lives = {
        label: waiting_time(fit, release, condition=condition, seed=seed)
        for condition, label in SUCCESSORS.items()
    }
    said = {name: estimate(draws, "days", ci, mean=False) for name, draws in lives.items()}
    rows = tuple((name, median(one), limits(one)) for name, one in said.items())
    return Section(
        "payback",
        "Life and pay-back of a release",
        (
            f"A release on the frontier of {count(SMALL)} params is matched by {rows[0][0]} in "
            f"{rows[0][1]} days ({rows[0][2]}).",
            marked(fit.verdict, result.sentence(ci)),
            "The inputs of the pay-back are those of models/corollaries/payback.toml; the "
            "assumptions behind the article's 1.7 billion visits are published nowhere.",
        ),
        tables=(Table(("Matched by", "Days", f"{percent(ci)} interval"), rows),),
        pictures=(
            Picture(
                figure_of(plot_waiting(lives)),
                "Probability that a release has no successor yet, over days. "
                + "; ".join(f"{name}: {middle} days ({span})" for name, middle, span in rows),
                "How long a release lasts, by what counts as its successor.",
            ),
        ),
        calculator=calculator(fit, result),
        document={"lives": said, "payback": document},
    )


def driver_section(fit: Fit, ci: float = CI, seed: int = SEED) -> Section:
    """How much of the growth is longer training."""
    sampled = fit_drivers(fit, seed=seed)
    table = drivers_table(fit, sampled, ci=ci)

    def span(name: str) -> str:
        low, middle, high = (table[key].astype(float)[name] for key in ("lower", "median", "upper"))
        return f"{middle:.2f} ({low:.2f} to {high:.2f})"

    sentence = (
        f"By the scaling law {span('law:share')} of the growth since ChatGPT is what longer "
        f"training gives a reference model; among systems of one date and size, "
        f"{span('share_by_driver')} of it goes with tokens per param. The two bracket what these "
        f"data can say."
    )
    labels = {
        "law:density_growth": "Scaling law: growth of log density, 1/year",
        "law:overtraining_growth": "Scaling law: of it longer training, 1/year",
        "law:share": "Scaling law: share of longer training",
        "growth_total": "Regression: growth of log density, 1/year",
        "growth": "Regression: growth at fixed tokens per param, 1/year",
        "driver_slope": "Regression: slope in log tokens per param",
        "share_by_driver": "Regression: share that goes with tokens per param",
    }
    axes = plot_drivers(fit, table)
    return Section(
        "drivers",
        "Longer training and the rest",
        (marked(sampled.verdict, sentence),),
        tables=(
            Table(
                ("Quantity", f"Median ({percent(ci)} interval)"),
                tuple((label, span(name)) for name, label in labels.items()),
            ),
        ),
        pictures=(
            Picture(
                figure_of(axes[0]),
                sentence,
                "Left: log density over dates, and what longer training alone gives. Right: growth "
                "by driver.",
            ),
        ),
        document={
            "drivers": table.replace({np.nan: None}).reset_index().to_dict(orient="records"),
            "verdict": sampled.verdict,
        },
    )
