"""Predictions held against scores that came."""

from __future__ import annotations

from typing import Any

from densing_bayes.display.section import Row, Section, Table
from densing_bayes.evaluation.backtests.backtests import LEVELS, Held, summary
from densing_bayes.quantities.labels import benchmark_label
from densing_bayes.quantities.numbers import number, percent


def held_section(found: Held) -> Section:
    """How well scores were predicted: coverage, errors beside those of rivals, and PITs."""
    figures = summary(found)
    return Section(
        "held",
        "Predictions held against scores",
        tables=(
            _coverage(figures),
            _errors(figures),
            *(_pit(figures, by) for by in ("window", "benchmark")),
        ),
        document=figures,
    )


def _coverage(figures: dict[str, Any]) -> Table:
    rows = tuple(
        (
            f"{level}%",
            percent(figures["coverage"][str(level)]["share"]),
            " to ".join(percent(end) for end in figures["coverage"][str(level)]["band"]),
        )
        for level in LEVELS
    )
    return Table(("Interval", "Scores that it held", "95% band if independent"), rows, "coverage")


def _errors(figures: dict[str, Any]) -> Table:
    rows: list[Row] = [("mean CRPS", number(figures["crps"], 3))]
    rows += [
        (f"CRPS by that of: {rival}", "-" if ratio is None else number(ratio, 2))
        for rival, ratio in figures["crps_ratio"].items()
    ]
    rows += [
        ("mean width of 80% intervals", number(figures["width80"], 3)),
        ("joint log score, nats", number(figures["joint_log_score"], 1)),
        ("p-value of the window means", number(figures["window_means"]["p"], 3)),
    ]
    return Table((f"{figures['n']} scores", "Figure"), tuple(rows), "errors")


def _pit(figures: dict[str, Any], by: str) -> Table:
    rows = tuple(
        (
            benchmark_label(name) if by == "benchmark" else name,
            str(part["n"]),
            number(part["mean"], 2),
        )
        for name, part in figures["pit"][by].items()
    )
    return Table((by.capitalize(), "Scores", "Mean PIT"), rows, f"pit-{by}")
