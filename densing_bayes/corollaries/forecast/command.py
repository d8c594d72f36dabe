"""The command of forecasts; what is slow to import is imported inside."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from densing_bayes.display.options import Interval
from densing_bayes.display.terminal import (
    FitFile,
    Json,
    footing,
    load_fit,
    parse_date,
    show,
)
from densing_bayes.errors import DensingError


class Reading(StrEnum):
    """Definitions of the best, as of :data:`densing_bayes.quantities.growth.Reading`."""

    frontier = "frontier"
    mean = "mean"
    p95 = "p95"
    best = "best"


ReadingOption = Annotated[
    Reading, typer.Option(help="Definition of the best systems; docs/forecasts.md.")
]


def forecast_command(
    fit: FitFile,
    benchmark: Annotated[str, typer.Option(help="Benchmark, one of those of FIT.")],
    params: Annotated[
        float | None,
        typer.Option(help="Params of the system, such as 8e9; leave out to ask for them."),
    ] = None,
    score: Annotated[
        float | None, typer.Option(help="Score between 0 and 1; leave out to ask for it.")
    ] = None,
    date: Annotated[
        str | None, typer.Option(metavar="DATE", help="Date; leave out to ask for it.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Also give P(the score is reached by this date)."),
    ] = None,
    reading: ReadingOption = Reading.frontier,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """Forecast one of params, score and date of a system on the frontier from the other two."""
    if sum(value is not None for value in (params, score, date)) != 2:
        raise DensingError("give two of --params, --score and --date; the third is the answer")
    if by is not None and date is not None:
        raise DensingError("--by asks about a date that is not given: leave out --by, or --date")
    date, by = (None if day is None else parse_date(day) for day in (date, by))

    from densing_bayes.corollaries.forecast.section import (
        date_section,
        params_section,
        score_section,
    )
    from densing_bayes.quantities.summary import forecast_summary

    fitted = load_fit(fit)
    document: dict[str, Any]
    if date is None:
        assert params is not None and score is not None
        summary = forecast_summary(fitted, params, benchmark, score, ci, reading.value, by)
        section, document = date_section(fitted, summary), summary
    else:
        if params is not None:
            section = score_section(fitted, date, params, benchmark, reading.value, ci)
        else:
            assert score is not None
            section = params_section(fitted, date, score, benchmark, reading.value, ci)
        document = {"benchmark": benchmark, "reading": reading.value, "date": date}
        document |= {"params": params, "score": score} | section.document
    show(document | footing(fitted), section, as_json=as_json, fit=fitted)
