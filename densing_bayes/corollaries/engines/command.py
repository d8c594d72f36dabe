"""Command on chips and batteries; what is slow to import is imported inside it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from densing_bayes.display.options import Interval, Seed
from densing_bayes.display.terminal import (
    FitFile,
    Json,
    exit_unless_passed,
    load_fit,
    parse_date,
    print_footing,
    print_json,
    print_table,
    print_text,
)
from densing_bayes.fitting.settings import SEED


def engines_command(
    fit: FitFile, seed: Seed = SEED, as_json: Json = False, ci: Interval = 0.95
) -> None:
    """Doubling times of chips and batteries beside that of density, and of their product."""
    from densing_bayes.corollaries.engines.model import (
        effective_doubling_time,
        engine_label,
        engine_table,
        stored_engines,
    )
    from densing_bayes.display.sentences import marked
    from densing_bayes.posterior.estimates import estimate
    from densing_bayes.quantities.numbers import limits, median, percent

    fitted = load_fit(fit)
    engines = stored_engines(seed)
    table = engine_table(engines, fitted, ci)
    products = {
        name: estimate(effective_doubling_time(fitted, engines[name]), "days", ci, mean=False)
        for name in ("transistor-density", "compute-per-price")
        if name in engines
    }
    if as_json:
        document: dict[str, Any] = {
            "engines": table.reset_index().to_dict(orient="records"),
            "density_times_engine": products,
        }
        print_json(document | {"provenance": fitted.provenance})
        exit_unless_passed(*(engine.verdict for engine in engines.values()))
        return
    rows = [
        [
            marked(row["verdict"], engine_label(str(name))),
            str(row["points"]),
            median(row["growth"], 2),
            median(row["doubling_time"]),
            limits(row["doubling_time"]),
        ]
        for name, row in table.iterrows()
    ]
    rows += [
        [f"density x {engine_label(name)}", "", "", median(said), limits(said)]
        for name, said in products.items()
    ]
    header = ["Points", "Growth, /y", "Days", f"{percent(ci)} interval"]
    print_table("Doubles in", header, rows)
    print_footing(fitted)
    exit_unless_passed(*(engine.verdict for engine in engines.values()))


def devices_command(
    fit: FitFile,
    memory: Annotated[
        list[float] | None, typer.Option(metavar="GIB", help="Of a device. [default: 8 16 24 80]")
    ] = None,
    bits: Annotated[float, typer.Option(help="Of a weight.")] = 4.0,
    share: Annotated[float, typer.Option(help="Of the memory that weights may take.")] = 0.8,
    date: Annotated[
        list[str] | None,
        typer.Option(metavar="DATE", help="[default: ChatGPT, last release, a year later]"),
    ] = None,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """Effective params of the largest frontier system that a device holds, by date."""
    from densing_bayes.corollaries.engines.model import device_table
    from densing_bayes.display.sentences import marked
    from densing_bayes.inputs.dates import date_of
    from densing_bayes.quantities.numbers import count, percent

    fitted = load_fit(fit)
    last = float(fitted.observed.time.max())
    dates = date or [date_of(time).date().isoformat() for time in (0.0, last, last + 1.0)]
    dates = [parse_date(day) for day in dates]
    table = device_table(fitted, dates, memory or (8.0, 16.0, 24.0, 80.0), bits, share, ci)
    if as_json:
        print_json(
            {"bits": bits, "share": share, "devices": table.to_dict(orient="records")}
            | {"provenance": fitted.provenance}
        )
        return
    rows = [
        [
            f"{row['memory']:g} GiB",
            count(row["params"]),
            row["date"].isoformat(),
            count(row["effective_params"]["median"]),
            f"{count(row['effective_params']['lower'])} to "
            f"{count(row['effective_params']['upper'])}",
        ]
        for _, row in table.iterrows()
    ]
    header = [f"Params at {bits:g} bits", "Date", "Effective params", f"{percent(ci)} interval"]
    print_table("Memory", header, rows)
    print_text(
        marked(
            fitted.verdict,
            f"What {bits:g} bits cost in ability is not taken off.",
        )
    )
    print_footing(fitted)
