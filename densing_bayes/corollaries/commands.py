"""Commands of the corollaries; what is slow to import is imported inside them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from densing_bayes.corollaries.forecast_command import forecast_command
from densing_bayes.corollaries.shelf_life_command import shelf_life_command
from densing_bayes.terminal import (
    FitFile,
    Interval,
    Json,
    Seed,
    exit_unless_passed,
    load_fit,
    parse_date,
    print_footing,
    print_json,
    print_table,
    print_text,
    verdict_of,
)


class PriceOf(StrEnum):
    """Tokens that a price is of."""

    input = "input"
    blended = "blended"


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("shelf-life")(shelf_life_command)
    app.command("forecast")(forecast_command)
    app.command("price")(price_command)
    app.command("engines")(engines_command)
    app.command("devices")(devices_command)
    app.command("compression")(compression_command)
    app.command("drivers")(drivers_command)


def drivers_command(
    fit: FitFile, seed: Seed = 20221130, as_json: Json = False, ci: Interval = 0.95
) -> None:
    """How much of the growth of density goes with longer training (fits in a minute)."""
    from densing_bayes.corollaries.drivers import drivers_table, fit_drivers, separation
    from densing_bayes.wording import marked, percent

    fitted = load_fit(fit)
    sampled = fit_drivers(fitted, seed=seed)
    table = drivers_table(fitted, sampled, ci=ci)
    apart = separation(sampled)
    if as_json:
        print_json(
            {
                "quantities": table.reset_index().to_dict(orient="records"),
                "separation": apart,
                "diagnostics": sampled.diagnostics,
                "provenance": fitted.provenance,
            }
        )
        exit_unless_passed(sampled.verdict)
        return
    labels = {
        "growth_total": "Growth of log density, 1/year",
        "growth": "Growth at fixed tokens per param, 1/year",
        "growth_by_driver": "Growth that goes with tokens per param, 1/year",
        "driver_growth": "Growth of log tokens per param, 1/year",
        "driver_slope": "Slope of log density in log tokens per param",
        "size_slope": "Slope of log density in log params",
        "share_by_driver": "Share of growth that goes with tokens per param",
        "law:density_growth": "By the scaling law: growth of log density, 1/year",
        "law:overtraining_growth": "By the scaling law: of it longer training, 1/year",
        "law:rest_growth": "By the scaling law: the rest, 1/year",
        "law:density_slope": "Least squares: slope in log tokens per param",
        "law:law_slope": "By the scaling law: that slope",
        "law:share": "By the scaling law: share of longer training",
    }
    rows = [
        [
            labels.get(str(name), str(name)),
            f"{row['median']:.2f}",
            f"{row['lower']:.2f} to {row['upper']:.2f}",
        ]
        for name, row in table.iterrows()
    ]
    print_text(marked(sampled.verdict, "Growth by driver, systems since ChatGPT"))
    print_table("", ["Median", f"{percent(ci)} interval"], rows)
    print_text(f"Regression: {verdict_of(sampled)}")
    print_footing(fitted)
    exit_unless_passed(sampled.verdict)


def price_command(
    level: Annotated[
        str, typer.Option(help="gpt-3.5, gpt-4, or a score on MMLU such as 0.75.")
    ] = "gpt-3.5",
    price: Annotated[
        PriceOf, typer.Option(help="Of tokens read, or blended with those written, 3 to 1.")
    ] = PriceOf.input,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Last date of offers. [default: all]")
    ] = None,
    since: Annotated[
        str, typer.Option("--from", metavar="DATE", help="First date of the fold reduction.")
    ] = "2022-12-01",
    to: Annotated[
        str, typer.Option(metavar="DATE", help="Last date of the fold reduction.")
    ] = "2024-08-31",
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Offers of your own. [default: embedded]")
    ] = None,
    seed: Seed = 20221130,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """How fast the cheapest inference of a level gets cheaper (fits in seconds)."""
    from densing_bayes.corollaries.prices import fit_prices, load_prices, price_summary
    from densing_bayes.wording import limits, marked, median, percent

    first, last, until = (date if date is None else parse_date(date) for date in (since, to, until))
    fit = fit_prices(level, price=price.value, until=until, offers=load_prices(data), seed=seed)
    said = price_summary(fit, first, last, ci)
    if as_json:
        footing = {"diagnostics": fit.diagnostics, "provenance": fit.provenance}
        print_json({"level": level} | said | footing)
        exit_unless_passed(fit.verdict)
        return
    labels = {
        "halving_time_days": "Halving time, days",
        "fold_reduction": f"Times cheaper, {first} to {last}",
        "price": f"Cheapest on {last}, USD per million tokens",
        "growth_rate": "Growth rate of the price, 1/day",
    }
    rows = [
        [label, median(said[key], 2), limits(said[key], 2), limits(said["prior"][key], 2)]
        for key, label in labels.items()
    ]
    name = f"{price.value} price of the cheapest offer at {level} or better"
    print_text(marked(fit.verdict, name[0].upper() + name[1:]))
    header = ["Median", f"{percent(ci)} interval", "Prior interval"]
    print_table("", header, rows)
    offers, seen = said["offers"], said["observed"]
    if seen is not None:
        print_text(
            f"Observed: {seen['fold']:.4g} times cheaper, from {seen['first']['price']:g} "
            f"({seen['first']['offer']}) to {seen['last']['price']:g} ({seen['last']['offer']}); "
            "one offer decides each end, where the edge takes all."
        )
    print_text(
        f"{offers['entered']} offers, {offers['surely']} of them surely of this level. "
        f"{verdict_of(fit)}"
    )
    exit_unless_passed(fit.verdict)


def engines_command(
    fit: FitFile, seed: Seed = 20221130, as_json: Json = False, ci: Interval = 0.95
) -> None:
    """Doubling times of chips and batteries beside that of density, and of their product."""
    from densing_bayes.corollaries.engines import (
        effective_doubling_time,
        engine_label,
        engine_table,
        stored_engines,
    )
    from densing_bayes.quantities import estimate
    from densing_bayes.wording import limits, marked, median, percent

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
    from densing_bayes.corollaries.engines import device_table
    from densing_bayes.observations import date_of
    from densing_bayes.wording import count, marked, percent

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


def compression_command(
    fit: FitFile,
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Pairs of your own. [default: embedded]")
    ] = None,
    seed: Seed = 20221130,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """What pruning, distilling and quantising do to density (fits in two minutes)."""
    from densing_bayes.corollaries.compression import (
        fit_compression,
        load_compression,
        method_table,
    )
    from densing_bayes.corollaries.panel_pairs import panel_pairs
    from densing_bayes.wording import marked, percent
    from densing_bayes.wording import probability as chance

    fitted = load_fit(fit)
    compression = fit_compression(fitted, load_compression(data), seed=seed)
    methods = method_table(compression, ci)
    pairs = panel_pairs(fitted, ci, seed=seed)
    if as_json:
        print_json(
            {
                "methods": methods.reset_index().to_dict(orient="records"),
                "pairs": pairs.reset_index().to_dict(orient="records"),
                "diagnostics": compression.diagnostics,
                "provenance": fitted.provenance,
            }
        )
        exit_unless_passed(compression.verdict)
        return
    span = f"{percent(ci)} interval"
    print_text(marked(compression.verdict, "Density of the child over that of its parent"))
    rows = [
        [
            str(name),
            str(row["pairs"]),
            f"{row['factor']:.2f}",
            f"{row['factor_lower']:.2f} to {row['factor_upper']:.2f}",
            chance(row["p_new_denser"]),
        ]
        for name, row in methods.iterrows()
    ]
    print_table("Method", ["Pairs", "Factor", span, "P(new denser)"], rows)
    print_text("")
    rows = [
        [
            str(name),
            str(row["parent"]),
            f"{row['factor']:.2f}",
            f"{row['factor_lower']:.2f} to {row['factor_upper']:.2f}",
            chance(row["p_denser"]),
        ]
        for name, row in pairs[pairs["reason"] == ""].iterrows()
    ]
    print_table("Pair of the panel", ["Parent", "Factor", span, "P(denser)"], rows, left={1})
    print_text(f"Pairs measured alike: {verdict_of(compression)}")
    print_footing(fitted)
    exit_unless_passed(compression.verdict)
