"""Rows of the tables of a trend, as text, for every renderer."""

from __future__ import annotations

from typing import Any, NamedTuple

from densing_bayes.display.sentences import AVERAGED_ROWS, averaged_over
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.labels import before_after, benchmark_label
from densing_bayes.quantities.numbers import limits, median, percent, probability


class TrendRow(NamedTuple):
    """One quantity of the trend, in text."""

    label: str
    short: str
    median: str
    limits: str
    prior: str


class BenchmarkRow(NamedTuple):
    """Growth as one benchmark shows it, in text: medians with intervals."""

    label: str
    rate_before: str
    rate_after: str
    change: str
    p_gt_0: str
    doubling_before: str
    doubling_after: str


def trend_rows(fit: Fit, summary: dict[str, Any]) -> list[TrendRow]:
    """The quantities of the trend beside their priors, mean over benchmarks."""
    prior = summary["prior"]
    names = before_after(fit)
    rows = []

    def add(label: str, short: str, *path: str) -> None:
        value, before = summary, prior
        for key in path:
            value, before = value[key], before[key]
        rows.append(TrendRow(label, short, median(value), limits(value), limits(before)))

    if names is None:
        add("Growth rate, 1/day", "Rate, /day", "growth_rate", "after")
        add("Doubling time, days", "Doubling, days", "doubling_time_days", "after")
    else:
        before, after = names
        add(f"Growth rate {before}, 1/day", "Rate before, /day", "growth_rate", "before")
        add(f"Growth rate {after}, 1/day", "Rate after, /day", "growth_rate", "after")
        add("Change of the growth rate, 1/day", "Change, /day", "growth_change")
        add("Ratio of the rates, after/before", "Ratio after/before", "growth_ratio")
        add(
            f"Doubling time {before}, days", "Doubling before, days", "doubling_time_days", "before"
        )
        add(f"Doubling time {after}, days", "Doubling after, days", "doubling_time_days", "after")
    if len(fit.observed.benchmarks) > 1:
        when = "" if names is None else f" {names[1]}"
        for name, short in (("benchmarks in general", "in general"), ("new benchmark", "new one")):
            add(
                f"Doubling time{when}, {benchmark_label(name)}, days",
                f"Doubling, {short}",
                *("by_estimand", name, "doubling_time_days", "after"),
            )
    add("Shelf life on the frontier, days", "Shelf life, days", "shelf_life_days")
    averaged = summary["averaged"]
    if averaged is not None:
        found, over = averaged[averaged["kind"]], averaged_over(averaged)
        for label, short, key in AVERAGED_ROWS:
            said, span = found[key], ""
            if said["ci"] != summary["growth_change"]["ci"]:  # it was written down before
                span = f" ({percent(said['ci'])} interval)"
            text = f"{label}, {over}{span}"
            rows.append(TrendRow(text, short + span, median(said), limits(said), "-"))
    return rows


def benchmark_rows(fit: Fit, summary: dict[str, Any]) -> list[BenchmarkRow]:
    """Growth by benchmark; the last row is a benchmark not yet seen."""
    rows = []
    for name, values in summary["by_benchmark"].items():
        rate, time = values["growth_rate"], values["doubling_time_days"]
        change = values["growth_change"]
        label = benchmark_label(name, fit.observed)
        rows.append(
            BenchmarkRow(
                label[0].upper() + label[1:],
                limits(rate["before"], 2),
                limits(rate["after"], 2),
                limits(change, 2),
                probability(change["p_gt_0"]),
                limits(time["before"]),
                limits(time["after"]),
            )
        )
    return rows
