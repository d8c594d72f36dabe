"""The trend of a fit: growth rates and what follows from them, and growth by benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from densing_bayes.display.headline import AVERAGED_ROWS, after_of, headline
from densing_bayes.display.section import Picture, Row, Section, Table
from densing_bayes.display.sentences import marked
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.labels import before_after, benchmark_label
from densing_bayes.quantities.numbers import is_probability, limits, median, percent, probability

if TYPE_CHECKING:
    from densing_bayes.display.figures.drawn import Drawn


class TrendRow(NamedTuple):
    """One quantity of the trend, in text."""

    label: str
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

    def add(label: str, *path: str) -> None:
        value, before = summary, prior
        for key in path:
            value, before = value[key], before[key]
        rows.append(TrendRow(label, median(value), limits(value), limits(before)))

    if names is None:
        add("Growth rate, 1/day", "growth_rate", "after")
        add("Doubling time, days", "doubling_time_days", "after")
    else:
        before, after = names
        add(f"Growth rate {before}, 1/day", "growth_rate", "before")
        add(f"Growth rate {after}, 1/day", "growth_rate", "after")
        add("Change of the growth rate, 1/day", "growth_change")
        add("Ratio of the rates, after/before", "growth_ratio")
        add(f"Doubling time {before}, days", "doubling_time_days", "before")
        add(f"Doubling time {after}, days", "doubling_time_days", "after")
    if len(fit.observed.benchmarks) > 1:
        when = after_of(fit)
        for name in ("benchmarks in general", "new benchmark"):
            add(
                f"Doubling time{when}, {benchmark_label(name)}, days",
                *("by_estimand", name, "doubling_time_days", "after"),
            )
    add("Shelf life on the frontier, days", "shelf_life_days")
    averaged = summary["averaged"]
    if averaged is not None:
        found = averaged[averaged["kind"]]  # the sentence above says over what
        rows += _mixed_rows(f" since {found['since']}", "averaged", found, summary)
    if summary["over_tokens"] is not None:
        rows += _mixed_rows(after_of(fit), "over D0", summary["over_tokens"], summary)
    return rows


def _mixed_rows(
    when: str, how: str, found: dict[str, Any], summary: dict[str, Any]
) -> list[TrendRow]:
    """Quantities of a mixture of posteriors, which may have been written down before."""
    rows = []
    for label, key in AVERAGED_ROWS:
        said, span = found[key], ""
        if said["ci"] != summary["growth_change"]["ci"]:
            span = f" ({percent(said['ci'])} interval)"
        rows.append(TrendRow(f"{label.format(when)}, {how}{span}", median(said), limits(said), "-"))
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


def headline_section(fit: Fit, trend: dict[str, Any]) -> Section:
    """The headline statements of a fit, as sentences."""
    statements = headline(fit, trend)
    return Section(
        "headline", "Headline", tuple(marked(fit.verdict, each.sentence) for each in statements)
    )


def trend_section(fit: Fit, trend: dict[str, Any], ci: float = CI) -> Section:
    """Growth rates, their change and what follows, beside their priors."""
    names = before_after(fit)
    rows = trend_rows(fit, trend)
    span = percent(ci)
    notes = [
        "Unless stated otherwise, quantities are those of the mean of the benchmarks of this fit. "
        "These are a sample of benchmarks in general, whose growth is known less precisely, and "
        "that of a new benchmark less still. The interval of the prior shows what the data have "
        "added."
    ]
    sentences = []
    if names is not None:
        rate, change = trend["growth_rate"], trend["growth_change"]
        above = is_probability(trend["growth_ratio"]["p_before_gt_0"])
        notes.append(
            f"A ratio has no mean, since the rate {names[0]} may be near zero: "
            f"P(rate {names[0]} > 0) {above}."
        )
        sentences.append(
            f"P(rate {names[1]} > rate {names[0]}) {is_probability(change['p_gt_0'])}; "
            f"P(at least 1.5 times) {is_probability(change['p_ge_half'])}; "
            f"P(rate {names[0]} <= 0) {is_probability(rate['before']['p_le_0'])}; "
            f"P(rate {names[1]} <= 0) {is_probability(rate['after']['p_le_0'])}."
        )
    rates = "; ".join(
        f"{row.label} {row.median} ({row.limits})" for row in rows if "1/day" in row.label
    )

    def drawn() -> Drawn:
        from densing_bayes.display.figures.trend import plot_growth

        return plot_growth(fit, ci=ci)

    return Section(
        "trend",
        "Quantities of the trend",
        tuple(sentences),
        tuple(notes),
        (
            Table(
                ("Quantity", "Median", f"{span} interval", f"Prior {span} interval"),
                tuple(map(tuple, rows)),
            ),
        ),
        (
            Picture(
                drawn,
                f"Posterior densities of the growth rates over their priors. {rates}.",
                "growth",
                f"Posterior of the growth rate of the frontier with median and {span} interval; "
                "in grey the prior at the same scale.",
            ),
        ),
        document=trend,
    )


def benchmark_section(fit: Fit, trend: dict[str, Any], ci: float = CI) -> Section:
    """Growth as each benchmark shows it."""
    names, rows = before_after(fit), benchmark_rows(fit, trend)
    header: Row = ("Benchmark", "Rate", "Doubling time")
    cells: list[Row] = [(row.label, row.rate_after, row.doubling_after) for row in rows]
    when, spare = "", frozenset[int]()
    if names is not None:
        header = ("Benchmark", "Rate before", "Rate after", "Change", "P(change > 0)",
                  "Doubling before", "Doubling after")  # fmt: skip
        cells = [tuple(row) for row in rows]
        when, spare = f" Rates are those {names[0]} and {names[1]}.", frozenset({3, 4, 5})
    return Section(
        "benchmarks",
        "Growth by benchmark",
        notes=(
            f"Each benchmark may drift on its own. {percent(ci)} intervals; rates in "
            "1/day, doubling times in days. The last row is what a benchmark not yet seen would "
            f"show.{when}",
        ),
        tables=(Table(header, tuple(cells), spare=spare),),
        document=trend["by_benchmark"],
    )
