"""Section of the report on chips and batteries."""

from __future__ import annotations

from densing_bayes.corollaries.engines.figures import plot_doubling_times
from densing_bayes.corollaries.engines.model import (
    device_table,
    effective_doubling_time,
    engine_label,
    engine_table,
    stored_engines,
)
from densing_bayes.display.canvas import figure_of
from densing_bayes.display.section import Picture, Section, Table
from densing_bayes.display.sentences import marked
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import date_of
from densing_bayes.posterior.estimates import estimate
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.numbers import (
    count,
    limits,
    median,
    percent,
)

PUBLISHED_DOUBLING = {  # days, of engines, from the same two sources
    "model-density": (100.0,),
    "transistor-density": (547.9,),
    "compute-per-price": (767.0,),
    "battery-energy-per-volume": (3652.5,),
    "battery-energy-per-mass": (3652.5,),
}


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
