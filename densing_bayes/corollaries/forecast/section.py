"""Answers about forecasts: of params, score and date, the one that is not given."""

from __future__ import annotations

from functools import partial
from typing import Any

from densing_bayes.corollaries.example import SMALL
from densing_bayes.corollaries.forecast.figures import plot_score_fan
from densing_bayes.display.section import Picture, Section
from densing_bayes.display.sentences import marked
from densing_bayes.posterior.estimates import estimate
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.forecasts import params_at, score_at
from densing_bayes.quantities.growth import Reading
from densing_bayes.quantities.labels import benchmark_label
from densing_bayes.quantities.numbers import count, is_probability, limits, median, percent
from densing_bayes.quantities.summary import forecast_summary

GPT_4 = 0.864  # on MMLU, GPT-4 Technical Report
NEVER = 0.001  # probability that a score lies above the limit from which it is said


def level_of_gpt_4(fit: Fit, ci: float, seed: int) -> Section:
    """When a system of 8e9 params on the frontier reaches the MMLU of GPT-4; no seed is used."""
    said = forecast_summary(fit, SMALL, "mmlu", GPT_4, ci, by="2025-12-31")
    return date_section(fit, said, "8B at the level of GPT-4", ", the level of GPT-4")


def date_section(
    fit: Fit, said: dict[str, Any], title: str = "Date of a score", known_as: str = ""
) -> Section:
    """When a system of some params reaches a score.

    Parameters
    ----------
    fit
        A fit.
    said
        Of :func:`densing_bayes.forecast_summary`.
    title
        Heading.
    known_as
        What the score is besides, after a comma.
    """
    params, score, benchmark = said["params"], said["score"], said["benchmark"]
    ci, seen = said["limit"]["ci"], said["highest_seen"]
    label = benchmark_label(benchmark, fit.observed)

    def dates(one: dict[str, Any]) -> str:
        middle, low, high = (one[key] or "never" for key in ("median", "lower", "upper"))
        return f"median {middle}, {percent(ci)} interval {low} to {high}"

    by = f" P(by {said['by']}) {is_probability(said['p_by'])}." if "p_by" in said else ""
    sentences = [
        f"A system of {count(params)} params on the frontier reaches {score:g} on "
        f"{label}{known_as}: {dates(said)}.{by} P(reached by the last release "
        f"in the data, {said['last_datum']}) {is_probability(said['p_reached'])}, P(never) "
        f"{is_probability(said['p_never'])}; reading: {said['reading']}.",
        f"By this model no size scores above {median(said['limit'], 3)} "
        f"({limits(said['limit'], 3)}); P({score:g} lies above that) "
        f"{is_probability(said['p_above_limit'])}. The best score in the data is "
        f"{seen['score']:.3f}, of {seen['system']}.",
    ]
    if said["p_above_limit"] > NEVER and said["if_below_limit"] is not None:
        sentences.append(f"Given that it does not: {dates(said['if_below_limit'])}.")
    return Section(
        "forecast",
        title,
        tuple(marked(fit.verdict, text) for text in sentences),
        pictures=(
            Picture(
                partial(plot_score_fan, fit, params, benchmark, score=score),
                " ".join(sentences),
                "forecast",
                f"Score of a new release of {count(params)} params on {label} "
                "(bands of 50, 80 and 95%), of a system on the frontier, and the score that no "
                "size reaches. Dots: systems near that size; dotted: the last datum.",
            ),
        ),
        document={"forecast": said},
    )


def score_section(
    fit: Fit, day: str, params: float, benchmark: str, reading: Reading = "frontier", ci: float = CI
) -> Section:
    """What score a system of some params has at a date."""
    label = benchmark_label(benchmark, fit.observed)
    said = estimate(score_at(fit, day, params, benchmark, reading).isel(date=0), "score", ci)
    sentence = (
        f"{count(params)} params score {median(said, 3)} on {label} on {day}, "
        f"{percent(ci)} interval {limits(said, 3)}; reading: {reading}."
    )
    return _answer(fit, "Score at a date", sentence, said)


def params_section(
    fit: Fit, day: str, score: float, benchmark: str, reading: Reading = "frontier", ci: float = CI
) -> Section:
    """How many params a score takes at a date."""
    label = benchmark_label(benchmark, fit.observed)
    draws = params_at(fit, day, benchmark, score, reading).isel(date=0)
    said = estimate(draws, "params", ci, mean=False)
    middle, low, high = (
        "no" if said[key] is None else count(said[key]) for key in ("median", "lower", "upper")
    )
    sentence = (
        f"{score:g} on {label} takes {middle} params on {day}, {percent(ci)} "
        f"interval {low} to {high}; reading: {reading}."
    )
    return _answer(fit, "Params at a date", sentence, said)


def _answer(fit: Fit, title: str, sentence: str, said: dict[str, Any]) -> Section:
    return Section("forecast", title, (marked(fit.verdict, sentence),), document={"answer": said})
