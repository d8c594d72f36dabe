"""Section of the report on life and pay-back."""

from __future__ import annotations

from densing_bayes.corollaries.example import SMALL
from densing_bayes.corollaries.payback.arrivals import waiting_time
from densing_bayes.corollaries.payback.break_even import payback_document
from densing_bayes.corollaries.payback.calculator import calculator
from densing_bayes.corollaries.payback.figures import plot_waiting
from densing_bayes.corollaries.payback.model import load_payback_spec, payback
from densing_bayes.corollaries.payback.release import Condition, release_of
from densing_bayes.corollaries.payback.training_cost import training_cost_prior
from densing_bayes.display.canvas import figure_of
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
)

SUCCESSORS: dict[Condition, str] = {
    "smooth": "the smooth frontier",
    "density": "a release of twice its density",
    "recipe": "a recipe that does with half its params",
    "system": "a system of half its params",
}
TOKENS = 15e12  # that a system of 2024 of this size was trained on: Llama 3, model card


def payback_section(fit: Fit, ci: float = CI, seed: int = SEED) -> Section:
    """Life and pay-back of a release of 8e9 params on the frontier."""
    spec = load_payback_spec()
    cost = training_cost_prior(SMALL, TOKENS, spec.training, seed=seed)
    result = payback(fit, params=SMALL, training_cost=cost, spec=spec, seed=seed)
    document = payback_document(result, ci=ci)
    release = release_of(fit, params=SMALL)
    lives = {
        label: waiting_time(fit, release, condition=condition, seed=seed)
        for condition, label in SUCCESSORS.items()
    }
    said = {name: estimate(draws, "days", ci, mean=False) for name, draws in lives.items()}
    rows = tuple((name, median(one), limits(one)) for name, one in said.items())
    return Section(
        "payback",
        "Life and pay-back of a release",
        (
            f"A release on the frontier of {count(SMALL)} params is matched by {rows[0][0]} in "
            f"{rows[0][1]} days ({rows[0][2]}).",
            marked(fit.verdict, result.sentence(ci)),
            "The inputs of the pay-back are those of models/corollaries/payback.toml; the "
            "assumptions behind the article's 1.7 billion visits are published nowhere.",
        ),
        tables=(Table(("Matched by", "Days", f"{percent(ci)} interval"), rows),),
        pictures=(
            Picture(
                figure_of(plot_waiting(lives)),
                "Probability that a release has no successor yet, over days. "
                + "; ".join(f"{name}: {middle} days ({span})" for name, middle, span in rows),
                "How long a release lasts, by what counts as its successor.",
            ),
        ),
        calculator=calculator(fit, result),
        document={"lives": said, "payback": document},
    )
