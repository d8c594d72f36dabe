"""Answers on the life of a release, and on its pay-back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from densing_bayes.corollaries.example import SMALL
from densing_bayes.corollaries.payback.arrivals import waiting_table, waiting_time
from densing_bayes.corollaries.payback.break_even import payback_document
from densing_bayes.corollaries.payback.calculator import calculator
from densing_bayes.corollaries.payback.figures import plot_waiting
from densing_bayes.corollaries.payback.model import Economics, load_payback_spec, payback
from densing_bayes.corollaries.payback.release import Condition, release_of
from densing_bayes.corollaries.payback.training_cost import training_cost_prior
from densing_bayes.display.section import Picture, Section, Table
from densing_bayes.display.sentences import marked
from densing_bayes.fitting.settings import SEED
from densing_bayes.posterior.estimates import estimate
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.numbers import (
    count,
    limits,
    median,
    percent,
    probability,
    time_limits,
)

SUCCESSORS: dict[Condition, str] = {
    "smooth": "the smooth frontier",
    "density": "a release of twice its density",
    "recipe": "a recipe that does with half its params",
    "system": "a system of half its params",
}
TOKENS = 15e12  # that a system of 2024 of this size was trained on: Llama 3, model card


RESULTS = {  # where a name does not say enough
    "waiting_time": "until succeeded",
    "life": "time of earning",
    "halving_days": "price halves in",
}


def payback_section(fit: Fit, ci: float = CI, seed: int = SEED) -> Section:
    """Life and pay-back of a release of 8e9 params on the frontier."""
    spec = load_payback_spec()
    cost = training_cost_prior(SMALL, TOKENS, spec.training, seed=seed)
    release = release_of(fit, params=SMALL)
    result = payback(fit, release, Economics(cost), spec=spec, seed=seed)
    paid = break_even_section(fit, payback_document(result, ci=ci), ci)
    lives = {
        label: result.draws["waiting_time"]  # the pay-back has simulated it already
        if condition == result.condition
        else waiting_time(fit, release, condition=condition, spec=spec.arrivals, seed=seed)
        for condition, label in SUCCESSORS.items()
    }
    said = {name: estimate(draws, "days", ci, mean=False) for name, draws in lives.items()}
    rows = tuple((name, median(one), limits(one)) for name, one in said.items())
    return Section(
        "payback",
        "Life and pay-back of a release",
        (
            f"A release on the frontier of {count(SMALL)} params is matched by {rows[0][0]} in "
            f"{rows[0][1]} days ({time_limits(said[rows[0][0]])}).",
            *paid.sentences,
            "The inputs of the pay-back are those of models/corollaries/payback.toml; the "
            "assumptions behind the article's 1.7 billion visits are published nowhere.",
        ),
        tables=(
            Table(("Matched by", "Days", f"{percent(ci)} interval"), rows),
            *paid.tables,
        ),
        pictures=(
            Picture(
                partial(plot_waiting, lives),
                "Probability that a release has no successor yet, over days. "
                + "; ".join(f"{name}: {middle} days ({span})" for name, middle, span in rows),
                "payback",
                "How long a release lasts, by what counts as its successor.",
            ),
        ),
        calculator=calculator(fit, result),
        document={"lives": said, "payback": paid.document},
    )


def break_even_section(fit: Fit, document: dict[str, Any], ci: float = CI) -> Section:
    """When a release pays back; ``document`` is that of :func:`.payback_document`."""
    rows = tuple(
        (
            RESULTS.get(name, name.replace("_", " ")),
            _amount(median, said),
            _amount(limits, said),
            said["unit"],
        )
        for name, said in document["estimates"].items()
    )
    return Section(
        "break-even",
        "Pay-back of a release",
        (marked(fit.verdict, document["sentence"]), *_break_even(document["break_even"])),
        tables=(
            Table(
                ("Quantity", "Median", f"{percent(ci)} interval", "Unit"),
                rows,
                name="break-even",
                left=frozenset({3}),
            ),
        ),
        document=document,
    )


def _break_even(asked: dict[str, Any]) -> list[str]:
    needed, p = asked["visits_per_day"], f"P = {asked['p']:g}"
    sentences = [
        f"To break even with {p}: {needed:,.0f} visits a day."
        if math.isfinite(needed)
        else f"No demand breaks even with {p}: there may be a successor at release."
    ]
    if "p_break_even" in asked:
        sentences.append(
            f"With {asked['for_visits_per_day']:,.0f} visits a day P(break even) is "
            f"{probability(asked['p_break_even'])}."
        )
        terms = [f"a training cost of at most {asked['training_cost']:,.0f} USD"]
        for key, text in (("price", "a price of {:.3g} USD"), ("margin", "a margin of {:.2f}")):
            if math.isfinite(asked.get(key, math.inf)):
                terms.append(text.format(asked[key]))
        sentences.append(f"For {p} it takes {', or '.join(terms)}.")
    return sentences


def _amount(wording: Any, said: dict[str, Any]) -> str:
    """A large amount without digits that mean nothing, a small one with two."""
    middle = said["median"]
    return str(wording(said, 0 if middle is None or middle >= 10 else 4))


def waiting_section(
    fit: Fit,
    systems: Sequence[str] | None,
    kappa: float,
    condition: Condition,
    ci: float = CI,
    seed: int = SEED,
) -> Section:
    """Days until a release succeeds each system; arguments as of :func:`.waiting_table`."""
    table = waiting_table(fit, systems, kappa, ci, condition=condition, seed=seed)

    def days(value: float | None) -> str:
        return "inf" if value is None else f"{value:.0f}"

    rows = tuple(
        (
            str(name),
            row["release_date"].isoformat(),
            days(row["median"]),
            f"{days(row['lower'])} to {days(row['upper'])}",
            probability(row["p_passed"]),
            probability(row["p_none"]),
        )
        for name, row in table.iterrows()
    )
    header = ("System", "Released", "Days", f"{percent(ci)} interval", "P(passed)", "P(none)")
    return Section(
        "lives-by-release",
        "Lives by release",
        (marked(fit.verdict, f"Days until a release meets '{condition}' with kappa = {kappa:g}."),),
        ("P(passed): there was one at release already. P(none): none within five years.",),
        (Table(header, rows, numbers=table.reset_index()),),
        document={
            "kappa": kappa,
            "condition": condition,
            "systems": table.reset_index().to_dict(orient="records"),
        },
    )
