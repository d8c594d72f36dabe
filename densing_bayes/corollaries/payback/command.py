"""The command of shelf lives and pay-backs; what is slow to import is imported inside."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from densing_bayes.display.options import Interval, Seed, positive, share
from densing_bayes.display.terminal import (
    FitFile,
    Json,
    load_fit,
    print_footing,
    print_json,
    print_table,
    print_text,
)
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED

if TYPE_CHECKING:
    from densing_bayes.corollaries.payback.release import Condition
    from densing_bayes.posterior.result import Fit


BREAK_EVEN = 0.9  # probability that the inverse questions ask for unless told


class Succession(StrEnum):
    """What counts as the successor of a release."""

    smooth = "smooth"
    density = "density"
    recipe = "recipe"
    system = "system"


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
        float | None,
        typer.Option(
            metavar="USD",
            help="[default: from params and tokens]",
            callback=positive("--training-cost"),
        ),
    ] = None,
    tokens: Annotated[
        float | None,
        typer.Option(
            help="Training tokens, for the cost. [default: known ones]",
            callback=positive("--tokens"),
        ),
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(
            metavar="USD", help="Per million tokens at release.", callback=positive("--price")
        ),
    ] = None,
    tokens_per_visit: Annotated[
        float | None, typer.Option(help="Billed tokens.", callback=positive("--tokens-per-visit"))
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="Share of revenue left after serving.")
    ] = None,
    halving_days: Annotated[
        float | None,
        typer.Option(help="Days in which the price halves.", callback=positive("--halving-days")),
    ] = None,
    visits_per_day: Annotated[
        float | None,
        typer.Option(
            help="Demand, for P(break even) and the inverse questions.",
            callback=positive("--visits-per-day"),
        ),
    ] = None,
    window: Annotated[
        float | None,
        typer.Option(
            metavar="DAYS", help="Earn for so long, whatever comes.", callback=positive("--window")
        ),
    ] = None,
    probability: Annotated[
        float | None,
        typer.Option(
            help="With which the inverse questions ask for a pay-back. [default: 0.9]",
            callback=share("--probability"),
        ),
    ] = None,
    inputs: Annotated[
        str, typer.Option(metavar="TOML", help="Inputs of the pay-back: a name or a file.")
    ] = "payback",
    seed: Seed = SEED,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """Days until a system is matched by a smaller one; with costs or prices, its pay-back."""
    economics = (training_cost, tokens, price, tokens_per_visit, margin, halving_days)
    pays_back = any(value is not None for value in (*economics, visits_per_day, window))
    if probability is not None and not pays_back:
        raise DensingError(
            "--probability is that of a pay-back: add what it is made of, such as --visits-per-day"
        )
    if pays_back and len(systems or []) != 1:
        raise DensingError("a pay-back is that of one system: name it after the fit")
    fitted = load_fit(fit)
    if not pays_back:
        if condition is None or condition is Succession.smooth:
            _smooth_lives(fitted, systems, kappa, as_json, ci)
        else:
            ended_by = cast("Condition", condition.value)
            _lives_by_release(fitted, systems, kappa, ended_by, seed, as_json, ci)
        return

    from densing_bayes.corollaries.payback.break_even import payback_document
    from densing_bayes.corollaries.payback.model import load_payback_spec, payback
    from densing_bayes.corollaries.payback.release import release_of
    from densing_bayes.corollaries.payback.training_cost import (
        training_cost_of,
        training_cost_prior,
    )

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
    document = payback_document(result, visits_per_day, probability or BREAK_EVEN, ci)
    if as_json:
        footing = {"diagnostics": fitted.diagnostics, "provenance": fitted.provenance}
        print_json(document | footing)
        return
    _print_payback(fitted, document, ci)


def _smooth_lives(
    fitted: Fit, systems: list[str] | None, kappa: float, as_json: bool, ci: float
) -> None:
    from densing_bayes.display.documents import shelf_life_document
    from densing_bayes.display.sentences import marked
    from densing_bayes.quantities.numbers import limits, median, percent, probability

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
    from densing_bayes.corollaries.payback.arrivals import waiting_table
    from densing_bayes.quantities.numbers import percent, probability

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


RESULTS = {  # where a name does not say enough
    "waiting_time": "until succeeded",
    "life": "time of earning",
    "halving_days": "price halves in",
}


def _print_payback(fitted: Fit, document: dict[str, Any], ci: float) -> None:
    from densing_bayes.display.sentences import marked
    from densing_bayes.quantities.numbers import limits, median, percent
    from densing_bayes.quantities.numbers import probability as chance

    print_text(marked(fitted.verdict, document["sentence"]))
    print_text("")
    rows = [
        [
            RESULTS.get(name, name.replace("_", " ")),
            _amount(median, said),
            _amount(limits, said),
            said["unit"],
        ]
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
