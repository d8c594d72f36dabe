"""The command of forecasts; what is slow to import is imported inside."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from densing_bayes.display.options import Interval
from densing_bayes.display.terminal import (
    FitFile,
    Json,
    load_fit,
    parse_date,
    print_footing,
    print_json,
    print_text,
)
from densing_bayes.errors import DensingError

if TYPE_CHECKING:
    from densing_bayes.posterior.result import Fit


class Reading(StrEnum):
    """What is called the best: see docs."""

    frontier = "frontier"
    mean = "mean"
    p95 = "p95"
    best = "best"


ReadingOption = Annotated[Reading, typer.Option(help="Which line counts as the best systems.")]


def forecast_command(
    fit: FitFile,
    benchmark: Annotated[str, typer.Option(help="Benchmark of the fit.")],
    params: Annotated[
        float | None, typer.Option(help="Params of the system, such as 8e9. [or asked for]")
    ] = None,
    score: Annotated[
        float | None, typer.Option(help="Score between 0 and 1. [or asked for]")
    ] = None,
    date: Annotated[str | None, typer.Option(metavar="DATE", help="[or asked for]")] = None,
    by: Annotated[
        str | None, typer.Option(metavar="DATE", help="Give P(score reached by then).")
    ] = None,
    reading: ReadingOption = Reading.frontier,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """Of params, score and date of a system on the frontier, the one that is not given."""
    if sum(value is not None for value in (params, score, date)) != 2:
        raise DensingError("give two of --params, --score and --date; the third is the answer")
    if by is not None and date is not None:
        raise DensingError("--by asks about a date that is not given: leave out --by, or --date")
    date, by = (None if day is None else parse_date(day) for day in (date, by))

    from densing_bayes.display.sentences import marked
    from densing_bayes.posterior.estimates import estimate
    from densing_bayes.quantities.forecasts import params_at, score_at
    from densing_bayes.quantities.labels import benchmark_label
    from densing_bayes.quantities.numbers import count, limits, median, percent
    from densing_bayes.quantities.summary import forecast_summary

    fitted = load_fit(fit)
    footing = {"diagnostics": fitted.diagnostics, "provenance": fitted.provenance}
    asked: dict[str, Any] = {"benchmark": benchmark, "reading": reading.value}
    label, span = benchmark_label(benchmark, fitted.observed), f"{percent(ci)} interval"
    if date is None:
        assert params is not None and score is not None
        summary = forecast_summary(fitted, params, benchmark, score, ci, reading.value, by)
        if as_json:
            print_json(summary | footing)
        else:
            _print_date(fitted, summary, ci)
        return
    day = date
    if params is not None:
        draws = score_at(fitted, day, params, benchmark, reading.value).isel(date=0)
        said = estimate(draws, "score", ci)
        text = (
            f"{count(params)} params score {median(said, 3)} on {label} on {day}, {span} "
            f"{limits(said, 3)}; reading: {reading.value}."
        )
    else:
        assert score is not None
        draws = params_at(fitted, day, benchmark, score, reading.value).isel(date=0)
        said = estimate(draws, "params", ci, mean=False)
        middle, low, high = (
            "no" if said[key] is None else count(said[key]) for key in ("median", "lower", "upper")
        )
        text = (
            f"{score:g} on {label} takes {middle} params on {day}, {span} {low} to {high}; "
            f"reading: {reading.value}."
        )
    if as_json:
        print_json(
            asked | {"date": day, "params": params, "score": score, "answer": said} | footing
        )
        return
    print_text(marked(fitted.verdict, text))
    print_footing(fitted)


def _print_date(fitted: Fit, summary: dict[str, Any], ci: float) -> None:
    from densing_bayes.display.sentences import marked
    from densing_bayes.quantities.labels import benchmark_label
    from densing_bayes.quantities.numbers import count, is_probability, limits, median, percent

    def dates(said: dict[str, Any]) -> str:
        middle, low, high = (said[key] or "never" for key in ("median", "lower", "upper"))
        return f"median {middle}, {percent(ci)} interval {low} to {high}"

    score, seen = summary["score"], summary["highest_seen"]
    label = benchmark_label(summary["benchmark"], fitted.observed)
    goal = f"{count(summary['params'])} params reach {score:g} on {label}"
    print_text(marked(fitted.verdict, f"{goal}: {dates(summary)}."))
    if "p_by" in summary:
        print_text(f"P(by {summary['by']}) {is_probability(summary['p_by'])}.")
    print_text(
        f"P(reached by the last release in the data, {summary['last_datum']}) "
        f"{is_probability(summary['p_reached'])}, P(never) {is_probability(summary['p_never'])}; "
        f"reading: {summary['reading']}."
    )
    print_text(
        f"No size reaches a score above {median(summary['limit'], 3)} "
        f"({limits(summary['limit'], 3)}) by this model; the best one in the data is "
        f"{seen['score']:.3f}, of {seen['system']}. P({score:g} lies above it) "
        f"{is_probability(summary['p_above_limit'])}."
    )
    if summary["p_above_limit"] > 0.001 and summary["if_below_limit"] is not None:
        print_text(f"Given that it does not: {dates(summary['if_below_limit'])}.")
    print_footing(fitted)
