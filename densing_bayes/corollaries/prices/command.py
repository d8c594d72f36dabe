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
    show,
)
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED


class PriceOf(StrEnum):
    """Tokens that a price is of."""

    input = "input"
    blended = "blended"


def price_command(
    level: Annotated[
        str, typer.Option(help="Level: gpt-3.5, gpt-4, or a score on MMLU such as 0.75.")
    ] = "gpt-3.5",
    price: Annotated[
        PriceOf,
        typer.Option(help="Price of input tokens, or of input and output tokens blended 3 to 1."),
    ] = PriceOf.input,
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Last date of offers that are used. [default: all]"),
    ] = None,
    since: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="DATE",
            help="Start of the period over which the fold reduction is given.",
        ),
    ] = "2022-12-01",
    to: Annotated[str, typer.Option(metavar="DATE", help="End of that period.")] = "2024-08-31",
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="CSV file of your own offers. [default: the embedded table]"
        ),
    ] = None,
    seed: Seed = SEED,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """How fast the cheapest inference at a level becomes cheaper (takes seconds to fit)."""
    first, last = parse_date(since), parse_date(to)
    until = None if until is None else parse_date(until)
    if first >= last:
        raise DensingError(f"--from {first} is not before --to {last}")

    from densing_bayes.corollaries.prices.model import fit_prices, load_prices
    from densing_bayes.corollaries.prices.section import price_section

    fit = fit_prices(level, price=price.value, until=until, offers=load_prices(data), seed=seed)
    kind = "read" if price is PriceOf.input else "blended"
    section = price_section({level: fit}, ci, first, last, kind=kind)
    said = section.document["levels"][level]
    footing = {"diagnostics": fit.diagnostics, "provenance": fit.provenance}
    show({"level": level} | said | footing, section, as_json=as_json)
    exit_unless_passed(fit.verdict)
