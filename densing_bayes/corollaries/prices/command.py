"""Command on the price of inference; what is slow to import is imported inside it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from densing_bayes.display.options import Interval, Seed
from densing_bayes.display.terminal import (
    Json,
    exit_unless_passed,
    parse_date,
    print_json,
    print_table,
    print_text,
    verdict_of,
)
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED


class PriceOf(StrEnum):
    """Tokens that a price is of."""

    input = "input"
    blended = "blended"


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
    seed: Seed = SEED,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """How fast the cheapest inference of a level gets cheaper (fits in seconds)."""
    first, last = parse_date(since), parse_date(to)
    until = None if until is None else parse_date(until)
    if first >= last:
        raise DensingError(f"--from {first} is not before --to {last}")

    from densing_bayes.corollaries.prices.model import fit_prices, load_prices, price_summary
    from densing_bayes.display.sentences import marked
    from densing_bayes.quantities.numbers import limits, median, percent

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
