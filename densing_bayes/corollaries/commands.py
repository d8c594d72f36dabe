"""Commands of the corollaries; what is slow to import is imported inside them."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from densing_bayes.terminal import (
    FitFile,
    Interval,
    Json,
    exit_unless_passed,
    load_fit,
    print_footing,
    print_json,
    print_table,
    print_text,
)

if TYPE_CHECKING:
    from densing_bayes.corollaries.arrivals import Condition
    from densing_bayes.fitting import Fit

Seed = Annotated[int, typer.Option(help="Seed of everything random.", min=0)]


class Reading(StrEnum):
    """What is called the best: see docs."""

    frontier = "frontier"
    mean = "mean"
    p95 = "p95"
    best = "best"


class Succession(StrEnum):
    """What counts as the successor of a release."""

    smooth = "smooth"
    density = "density"
    recipe = "recipe"
    system = "system"


class PriceOf(StrEnum):
    """Tokens that a price is of."""

    input = "input"
    blended = "blended"


ReadingOption = Annotated[Reading, typer.Option(help="Which line counts as the best systems.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("shelf-life")(shelf_life_command)
    app.command("forecast")(forecast_command)
    app.command("price")(price_command)
    app.command("engines")(engines_command)
    app.command("devices")(devices_command)
    app.command("compression")(compression_command)
    app.command("drivers")(drivers_command)


def shelf_life_command(
    fit: FitFile,
    systems: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM]...", help="All by default.")
    ] = None,
    kappa: Annotated[float, typer.Option(help="Factor by which the successor is smaller.")] = 2.0,
    condition: Annotated[
        Succession | None,
        typer.Option(
            help="The smooth frontier, or a release of that density, recipe or system. "
            "[default: smooth; for a pay-back, recipe]",
            show_default=False,
        ),
    ] = None,
    training_cost: Annotated[
        float | None, typer.Option(metavar="USD", help="[default: from params and tokens]")
    ] = None,
    tokens: Annotated[
        float | None, typer.Option(help="Training tokens, for the cost. [default: known ones]")
    ] = None,
    price: Annotated[
        float | None, typer.Option(metavar="USD", help="Per million tokens at release.")
    ] = None,
    tokens_per_visit: Annotated[float | None, typer.Option(help="Billed tokens.")] = None,
    margin: Annotated[
        float | None, typer.Option(help="Share of revenue left after serving.")
    ] = None,
    halving_days: Annotated[
        float | None, typer.Option(help="Days in which the price halves.")
    ] = None,
    visits_per_day: Annotated[
        float | None, typer.Option(help="Demand, for P(break even) and the inverse questions.")
    ] = None,
    window: Annotated[
        float | None, typer.Option(metavar="DAYS", help="Earn for so long, whatever comes.")
    ] = None,
    probability: Annotated[
        float, typer.Option(help="With which the inverse questions ask for a pay-back.")
    ] = 0.9,
    inputs: Annotated[
        str, typer.Option(metavar="TOML", help="Inputs of the pay-back: a name or a file.")
    ] = "payback",
    seed: Seed = 20221130,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """Days until a system is matched by a smaller one; with costs or prices, its pay-back."""
    economics = (training_cost, tokens, price, tokens_per_visit, margin, halving_days)
    fitted = load_fit(fit)
    if all(value is None for value in (*economics, visits_per_day, window)):
        if condition is None or condition is Succession.smooth:
            _smooth_lives(fitted, systems, kappa, as_json, ci)
        else:
            ended_by = cast("Condition", condition.value)
            _lives_by_release(fitted, systems, kappa, ended_by, seed, as_json, ci)
        return

    from densing_bayes.corollaries.arrivals import release_of
    from densing_bayes.corollaries.payback import load_payback_spec, payback, payback_document
    from densing_bayes.corollaries.training_cost import training_cost_of, training_cost_prior
    from densing_bayes.errors import DensingError

    if len(systems or []) != 1:
        raise DensingError("a pay-back is that of one system: name it after the fit")
    (system,) = systems or []
    spec = load_payback_spec(inputs)
    panel = fitted.spec.panel.source
    cost: Any = training_cost
    if cost is None and tokens is not None:
        params = math.exp(release_of(fitted, system).log_params)
        cost = training_cost_prior(params, tokens, spec.training, seed=seed)
    elif cost is None:
        cost = training_cost_of(system, spec.training, panel, seed=seed)
    result = payback(
        fitted,
        system,
        training_cost=cost,
        price=price,
        tokens_per_visit=tokens_per_visit,
        margin=margin,
        halving_days=halving_days,
        kappa=kappa,
        # With actual releases, "1/kappa of the params would do" is a recipe's doing.
        condition="recipe" if condition is None else condition.value,
        window=window,
        spec=spec,
        seed=seed,
    )
    document = payback_document(result, visits_per_day, probability, ci)
    if as_json:
        footing = {"diagnostics": fitted.diagnostics, "provenance": fitted.provenance}
        print_json(document | footing)
        return
    _print_payback(fitted, document, ci)


def _smooth_lives(
    fitted: Fit, systems: list[str] | None, kappa: float, as_json: bool, ci: float
) -> None:
    from densing_bayes.documents import shelf_life_document
    from densing_bayes.wording import limits, marked, median, percent, probability

    document = shelf_life_document(fitted, systems or None, kappa, ci)
    if as_json:
        print_json(document)
        return
    frontier = document["frontier"]
    print_text(
        marked(
            fitted.verdict,
            (
                f"On the frontier: {median(frontier)} days until 1/{kappa:g} of the params do, "
                f"{percent(ci)} interval {limits(frontier)} days"
            ),
        )
    )
    print_text("")
    rows = [
        [
            entry["system"],
            entry["release_date"],
            median(entry["shelf_life"]),
            limits(entry["shelf_life"]),
            probability(entry["p_passed"]),
            probability(entry["p_never"]),
        ]
        for entry in document["systems"]
    ]
    header = ["Released", "Days", f"{percent(ci)} interval", "P(passed)", "P(never)"]
    print_table("System", header, rows)
    print_text("P(passed): the frontier was ahead at release already. inf: never.")
    print_footing(fitted)


def _lives_by_release(
    fitted: Fit,
    systems: list[str] | None,
    kappa: float,
    condition: Condition,
    seed: int,
    as_json: bool,
    ci: float,
) -> None:
    from densing_bayes.corollaries.arrivals import waiting_table
    from densing_bayes.wording import percent, probability

    table = waiting_table(fitted, systems or None, kappa, ci, condition=condition, seed=seed)
    if as_json:
        document = {"kappa": kappa, "condition": condition}
        records = table.reset_index().to_dict(orient="records")
        print_json(document | {"systems": records, "provenance": fitted.provenance})
        return

    def days(value: float | None) -> str:
        return "inf" if value is None else f"{value:.0f}"

    rows = [
        [
            str(name),
            row["release_date"].isoformat(),
            days(row["median"]),
            f"{days(row['lower'])} to {days(row['upper'])}",
            probability(row["p_passed"]),
            probability(row["p_none"]),
        ]
        for name, row in table.iterrows()
    ]
    header = ["Released", "Days", f"{percent(ci)} interval", "P(passed)", "P(none)"]
    print_table("System", header, rows)
    print_text("P(passed): there was one at release already. P(none): none within five years.")
    print_footing(fitted)


def _print_payback(fitted: Fit, document: dict[str, Any], ci: float) -> None:
    from densing_bayes.wording import limits, marked, median, percent
    from densing_bayes.wording import probability as chance

    print_text(marked(fitted.verdict, document["sentence"]))
    print_text("")
    rows = [
        [name.replace("_", " "), _amount(median, said), _amount(limits, said), said["unit"]]
        for name, said in document["estimates"].items()
    ]
    print_table("", ["Median", f"{percent(ci)} interval", "Unit"], rows, left={3})
    asked = document["break_even"]
    needed, p = asked["visits_per_day"], f"P = {asked['p']:g}"
    print_text(
        f"To break even with {p}: {needed:,.0f} visits a day."
        if math.isfinite(needed)
        else f"No demand breaks even with {p}: there may be a successor at release."
    )
    if "p_break_even" in asked:
        print_text(
            f"With {asked['for_visits_per_day']:,.0f} visits a day P(break even) is "
            f"{chance(asked['p_break_even'])}."
        )
        terms = [f"a training cost of at most {asked['training_cost']:,.0f} USD"]
        for key, text in (("price", "a price of {:.3g} USD"), ("margin", "a margin of {:.2f}")):
            if math.isfinite(asked.get(key, math.inf)):
                terms.append(text.format(asked[key]))
        print_text(f"For {p} it takes {', or '.join(terms)}.")
    print_footing(fitted)


def _amount(wording: Any, said: dict[str, Any]) -> str:
    """A large amount without digits that mean nothing, a small one with two."""
    middle = said["median"]
    return str(wording(said, 0 if middle is None or middle >= 10 else 4))


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
    from densing_bayes.errors import DensingError
    from densing_bayes.forecasts import forecast_summary, params_at, score_at
    from densing_bayes.quantities import estimate
    from densing_bayes.wording import benchmark_label, count, limits, marked, median, percent

    fitted = load_fit(fit)
    footing = {"diagnostics": fitted.diagnostics, "provenance": fitted.provenance}
    asked: dict[str, Any] = {"benchmark": benchmark, "reading": reading.value}
    label, span = benchmark_label(benchmark), f"{percent(ci)} interval"
    given = [params is not None, score is not None, date is not None]
    if sum(given) != 2:
        raise DensingError("give two of --params, --score and --date; the third is the answer")
    if date is None:
        assert params is not None and score is not None
        deadline = None if by is None else _date(by)
        summary = forecast_summary(fitted, params, benchmark, score, ci, reading.value, deadline)
        if as_json:
            print_json(summary | footing)
        else:
            _print_date(fitted, summary, ci)
        return
    day = _date(date)
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
    from densing_bayes.wording import (
        benchmark_label,
        count,
        is_probability,
        limits,
        marked,
        median,
        percent,
    )

    def dates(said: dict[str, Any]) -> str:
        middle, low, high = (said[key] or "never" for key in ("median", "lower", "upper"))
        return f"median {middle}, {percent(ci)} interval {low} to {high}"

    score, seen = summary["score"], summary["highest_seen"]
    label = benchmark_label(summary["benchmark"])
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
    print_text(f"Regression: {_verdict(sampled)}")
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

    first, last, until = (date if date is None else _date(date) for date in (since, to, until))
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
    offers = said["offers"]
    print_text(
        f"{offers['entered']} offers, {offers['surely']} of them surely of this level. "
        f"{_verdict(fit)}"
    )
    exit_unless_passed(fit.verdict)


def engines_command(
    fit: FitFile, seed: Seed = 20221130, as_json: Json = False, ci: Interval = 0.95
) -> None:
    """Doubling times of chips and batteries beside that of density, and of their product."""
    from densing_bayes.corollaries.claims import fit_tables
    from densing_bayes.corollaries.engines import effective_doubling_time, engine_table
    from densing_bayes.quantities import estimate
    from densing_bayes.wording import limits, marked, median, percent

    fitted = load_fit(fit)
    engines = fit_tables(seed).engines
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
            marked(row["verdict"], str(name)),
            str(row["points"]),
            median(row["growth"], 2),
            median(row["doubling_time"]),
            limits(row["doubling_time"]),
        ]
        for name, row in table.iterrows()
    ]
    rows += [
        [f"density x {name}", "", "", median(said), limits(said)] for name, said in products.items()
    ]
    header = ["Points", "Growth, 1/year", "Doubling, days", f"{percent(ci)} interval"]
    print_table("Engine", header, rows)
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
    dates = [_date(day) for day in dates]
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


def _date(text: str) -> str:
    """A date as it was written, once it is known to be one."""
    import datetime as dt

    from densing_bayes.errors import DensingError

    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise DensingError(f"'{text}' is no date; write it as 2024-08-31") from None


def _verdict(fit: Any) -> str:
    reasons = fit.diagnostics["reasons"]
    return f"{fit.verdict}{': ' + '; '.join(reasons) if reasons else ''}."


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
    print_text(f"Pairs measured alike: {_verdict(compression)}")
    print_footing(fitted)
    exit_unless_passed(compression.verdict)
