"""Answers on chips, batteries and devices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from densing_bayes.corollaries.engines.figures import plot_doubling_times
from densing_bayes.corollaries.engines.model import (
    device_table,
    effective_doubling_time,
    engine_label,
    engine_table,
    stored_engines,
)
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

MEMORY = (8.0, 16.0, 24.0, 80.0)  # GiB
PUBLISHED_DOUBLING = {  # days, of engines, from the same two sources
    "model-density": (100.0,),
    "transistor-density": (547.9,),
    "compute-per-price": (767.0,),
    "battery-energy-per-volume": (3652.5,),
    "battery-energy-per-mass": (3652.5,),
}


PRODUCTS = ("transistor-density", "compute-per-price")  # that density is multiplied with


def engine_section(fit: Fit, ci: float = CI, seed: int = SEED) -> Section:
    """Chips and batteries beside density, and density times chips."""
    engines = stored_engines(seed)
    table = engine_table(engines, fit, ci)
    products = {
        name: estimate(effective_doubling_time(fit, engines[name]), "days", ci, mean=False)
        for name in PRODUCTS
        if name in engines
    }
    product = products["compute-per-price"]
    sentence = (
        f"With what chips of one price compute, the largest effective model that such a chip can "
        f"run doubles every {median(product)} days ({limits(product)}); 88 were published."
    )
    rows = [
        (
            marked(row["verdict"], engine_label(str(name))),
            str(row["points"]),
            median(row["growth"], 2),
            median(row["doubling_time"]),
            limits(row["doubling_time"]),
        )
        for name, row in table.iterrows()
    ]
    alone = "; ".join(f"{row[0]}: {row[3]} ({row[4]}) days" for row in rows)
    rows += [
        (f"density x {engine_label(name)}", "", "", median(said), limits(said))
        for name, said in products.items()
    ]
    return Section(
        "engines",
        "Engines beside density",
        (marked(fit.verdict, sentence),),
        tables=(
            Table(
                ("Doubles in", "Points", "Growth, 1/year", "Days", f"{percent(ci)} interval"),
                tuple(rows),
            ),
        ),
        pictures=(
            Picture(
                partial(plot_doubling_times, table, PUBLISHED_DOUBLING),
                f"Doubling times with intervals: {alone}.",
                "engines",
                "Doubling times of density, chips and batteries on one scale; crosses: published "
                "ones.",
            ),
        ),
        document={
            "engines": table.reset_index().to_dict(orient="records"),
            "density_times_chips": product,
            "density_times_engine": products,
        },
    )


def device_section(
    fit: Fit,
    ci: float = CI,
    dates: Sequence[str] | None = None,
    memory: Sequence[float] = MEMORY,
    bits: float = 4.0,
    share: float = 0.8,
) -> Section:
    """Effective params that fit into a device.

    Parameters
    ----------
    fit
        A fit.
    ci
        Probability of the intervals.
    dates
        Of the frontier; by default the release of ChatGPT, the last release and a year later.
    memory, bits, share
        GiB of the devices, bits of a weight, and the share of the memory that weights may take.
    """
    last = float(fit.observed.time.max())
    dates = dates or [date_of(time).date().isoformat() for time in (0.0, last, last + 1.0)]
    table = device_table(fit, dates, memory, bits, share, ci)
    rows = []
    for size, group in table.groupby("memory", sort=False):
        cells = [
            f"{count(said['median'])} ({count(said['lower'])} to {count(said['upper'])})"
            for said in group["effective_params"]
        ]
        rows.append((f"{size:g} GiB", count(group["params"].iloc[0]), *cells))
    sentence = (
        f"Effective params of the largest system on the frontier that fits into the memory of a "
        f"device at {bits:g} bits a weight, with {share:g} of the memory for weights. What "
        f"{bits:g} bits cost in ability is not taken off. {percent(ci)} intervals."
    )
    return Section(
        "devices",
        "What a device holds",
        (marked(fit.verdict, sentence),),
        tables=(Table(("Memory", "Params", *dates), tuple(rows)),),
        document={"bits": bits, "share": share, "devices": table.to_dict(orient="records")},
    )
