"""Command on chips and batteries; what is slow to import is imported inside it."""

from __future__ import annotations

from typing import Annotated

import typer

from densing_bayes.display.options import Interval, Seed
from densing_bayes.display.terminal import (
    FitFile,
    Json,
    exit_unless_passed,
    load_fit,
    parse_date,
    show,
)
from densing_bayes.fitting.settings import SEED


def engines_command(
    fit: FitFile, seed: Seed = SEED, as_json: Json = False, ci: Interval = 0.95
) -> None:
    """Doubling times of chips, batteries and density, and of density times chips."""
    from densing_bayes.corollaries.engines.model import stored_engines
    from densing_bayes.corollaries.engines.section import engine_section

    fitted = load_fit(fit)
    section = engine_section(fitted, ci, seed)
    document = {key: section.document[key] for key in ("engines", "density_times_engine")}
    document |= {"provenance": fitted.provenance}
    show(document, section, as_json=as_json, fit=fitted)
    exit_unless_passed(*(engine.verdict for engine in stored_engines(seed).values()))


def devices_command(
    fit: FitFile,
    memory: Annotated[
        list[float] | None,
        typer.Option(
            metavar="GIB",
            help="Memory of a device; repeat the option to give several. [default: 8 16 24 80]",
        ),
    ] = None,
    bits: Annotated[float, typer.Option(help="Bits per weight.")] = 4.0,
    share: Annotated[float, typer.Option(help="Share of the memory that weights may take.")] = 0.8,
    date: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATE",
            help="Date; repeat the option to give several. [default: ChatGPT, the last release, a "
            "year later]",
        ),
    ] = None,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """Effective params of the largest frontier system that fits on a device, by date."""
    from densing_bayes.corollaries.engines.section import MEMORY, device_section

    days = [parse_date(day) for day in date or ()]
    fitted = load_fit(fit)
    section = device_section(fitted, ci, days, memory or MEMORY, bits, share)
    document = section.document | {"provenance": fitted.provenance}
    show(document, section, as_json=as_json, fit=fitted)
