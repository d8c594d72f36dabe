"""Section of the report on forecasts of scores."""

from __future__ import annotations

from typing import Any

from densing_bayes.corollaries.example import SMALL
from densing_bayes.corollaries.forecast.figures import plot_score_fan
from densing_bayes.display.canvas import figure_of
from densing_bayes.display.section import Picture, Section
from densing_bayes.display.sentences import marked
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.labels import benchmark_label
from densing_bayes.quantities.numbers import (
    count,
    is_probability,
    limits,
    median,
)
from densing_bayes.quantities.summary import forecast_summary

GPT_4 = 0.864  # on MMLU, GPT-4 Technical Report


def forecast_section(fit: Fit, ci: float = CI) -> Section:
    """When a system of 8e9 params on the frontier reaches the MMLU of GPT-4."""
    said = forecast_summary(fit, SMALL, "mmlu", GPT_4, ci, by="2025-12-31")

    def dates(one: dict[str, Any]) -> str:
        middle, low, high = (one[key] or "never" for key in ("median", "lower", "upper"))
        return f"{middle} ({low} to {high})"

    sentences = [
        f"A system of {count(SMALL)} params on the frontier reaches {GPT_4:g} on "
        f"{benchmark_label('mmlu', fit.observed)}, the level of GPT-4: {dates(said)}; "
        f"P(by the end of 2025) {is_probability(said['p_by'])}.",
        f"By this model no size scores above {median(said['limit'], 3)} "
        f"({limits(said['limit'], 3)}); P({GPT_4:g} lies above that) "
        f"{is_probability(said['p_above_limit'])}. The best score in the data is "
        f"{said['highest_seen']['score']:.3f}, of {said['highest_seen']['system']}.",
    ]
    if said["p_above_limit"] > 0.001 and said["if_below_limit"] is not None:
        sentences.append(f"Given that it does not: {dates(said['if_below_limit'])}.")
    return Section(
        "forecast",
        "8B at the level of GPT-4",
        tuple(marked(fit.verdict, text) for text in sentences),
        pictures=(
            Picture(
                figure_of(plot_score_fan(fit, SMALL, "mmlu", score=GPT_4)),
                " ".join(sentences),
                f"Score of a new release of {count(SMALL)} params on MMLU (bands of 50, 80 and "
                "95%), of a system on the frontier, and the score that no size reaches. Dots: "
                "systems near that size; dotted: the last datum.",
            ),
        ),
        document={"forecast": said},
    )
