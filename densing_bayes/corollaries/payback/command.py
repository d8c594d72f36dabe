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
    footing,
    load_fit,
    show,
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
        list[str] | None,
        typer.Argument(metavar="[SYSTEM]...", help="Names of systems. [default: all]"),
    ] = None,
    kappa: Annotated[float, typer.Option(help="Factor by which the successor is smaller.")] = 2.0,
    condition: Annotated[
        Succession | None,
        typer.Option(
            help="What ends the life: the smooth frontier, or a release by its density, recipe or "
            "system. [default: smooth; for a pay-back, recipe]",
            show_default=False,
        ),
    ] = None,
    training_cost: Annotated[
        float | None,
        typer.Option(
            metavar="USD",
            help="Cost of training. [default: computed from params and tokens]",
            callback=positive("--training-cost"),
        ),
    ] = None,
    tokens: Annotated[
        float | None,
        typer.Option(
            help="Training tokens, for the cost. [default: those known of the system]",
            callback=positive("--tokens"),
        ),
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(
            metavar="USD", help="Price per million tokens at release.", callback=positive("--price")
        ),
    ] = None,
    tokens_per_visit: Annotated[
        float | None,
        typer.Option(help="Tokens billed per visit.", callback=positive("--tokens-per-visit")),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(help="Share of the revenue that is left after the cost of serving."),
    ] = None,
    halving_days: Annotated[
        float | None,
        typer.Option(help="Days in which the price halves.", callback=positive("--halving-days")),
    ] = None,
    visits_per_day: Annotated[
        float | None,
        typer.Option(
            help="Demand; gives P(break even), and what is needed for it.",
            callback=positive("--visits-per-day"),
        ),
    ] = None,
    window: Annotated[
        float | None,
        typer.Option(
            metavar="DAYS",
            help="Days over which the system earns, whatever succeeds it.",
            callback=positive("--window"),
        ),
    ] = None,
    probability: Annotated[
        float | None,
        typer.Option(
            help="Probability with which demand, price, margin and cost are to break even. "
            "[default: 0.9]",
            callback=share("--probability"),
        ),
    ] = None,
    inputs: Annotated[
        str,
        typer.Option(metavar="TOML", help="Inputs of the pay-back: built-in name or TOML file."),
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
        _show_lives(fitted, systems or None, kappa, condition, seed, as_json, ci)
        return

    from densing_bayes.corollaries.payback.break_even import payback_document
    from densing_bayes.corollaries.payback.model import (
        Economics,
        Ending,
        load_payback_spec,
        payback,
    )
    from densing_bayes.corollaries.payback.release import release_of
    from densing_bayes.corollaries.payback.section import break_even_section
    from densing_bayes.corollaries.payback.training_cost import (
        training_cost_of,
        training_cost_prior,
    )

    (system,) = systems or []
    spec, release = load_payback_spec(inputs), release_of(fitted, system)
    cost: Any = training_cost
    if cost is None and tokens is not None:
        cost = training_cost_prior(math.exp(release.log_params), tokens, spec.training, seed=seed)
    elif cost is None:
        cost = training_cost_of(system, spec.training, fitted.spec.panel.source, seed=seed)
    earned = Economics(
        cost, price, tokens_per_visit, margin, halving_days=halving_days, window=window
    )
    # With actual releases, "1/kappa of the params would do" is a recipe's doing.
    ending = Ending(kappa, "recipe" if condition is None else condition.value)
    result = payback(fitted, release, earned, ending, spec, seed)
    document = payback_document(result, visits_per_day, probability or BREAK_EVEN, ci)
    section = break_even_section(fitted, document, ci)
    show(document | footing(fitted), section, as_json=as_json, fit=fitted)


def _show_lives(
    fitted: Fit,
    systems: list[str] | None,
    kappa: float,
    condition: Succession | None,
    seed: int,
    as_json: bool,
    ci: float,
) -> None:
    if condition is None or condition is Succession.smooth:
        from densing_bayes.display.answers.systems import shelf_life_section

        section = shelf_life_section(fitted, systems, kappa, ci)
        document = section.document | footing(fitted)
    else:
        from densing_bayes.corollaries.payback.section import waiting_section

        ended_by = cast("Condition", condition.value)
        section = waiting_section(fitted, systems, kappa, ended_by, ci, seed)
        document = section.document | {"provenance": fitted.provenance}
    show(document, section, as_json=as_json, fit=fitted)
