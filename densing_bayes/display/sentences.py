"""Sentences of terminal and report, in one place: they follow the numbers.

"Accelerated" is said where the interval of the change lies above 0 and nowhere else; a change is
named by its date, never as a cause.
"""

from __future__ import annotations

from typing import Any, Final

from densing_bayes.display.literal import in_markdown_cell
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.labels import before_after, change_label, measured_by
from densing_bayes.quantities.numbers import (
    limits,
    median,
    probability,
)

READINGS: Final = {
    "frontier": "frontier F, edge of the trend before scatter",
    "mean": "mean of the densities",
    "p95": "95th percentile of the densities",
    "best": "expected best of half a year's releases",
}


LEAST_SHARE: Final = 0.005  # of a hypothesis that is named in an average


def change_phrase(fit: Fit) -> str:
    """Between when and when the growth rate changes."""
    trend = fit.spec.trend
    if trend.smooth is not None or trend.saturation is not None:
        return "from the first to the last release"
    slopes = [change for change in trend.changes if change.slope]
    if not slopes and trend.walk is not None:
        return "from one quarter to the next"
    if len(slopes) == 1 and slopes[0].known:
        return f"at the release of {change_label(slopes[0].name, trend.changes)}"
    before, after = before_after(fit) or ("", "")
    return f"from {before} to {after}"


def hypothesis_sentence(fit: Fit) -> str:
    """What a fit takes for granted about the trend."""
    if before_after(fit) is None:
        return "This fit assumes a constant growth rate."
    return f"This fit assumes that growth may change {change_phrase(fit)}."


def given(fit: Fit) -> str:
    """What the figures of a fit are conditional on."""
    if before_after(fit) is None:
        return "given a constant growth rate"
    return f"given a growth rate that may change {change_phrase(fit)}"


def counts_sentence(fit: Fit) -> str:
    """How many systems and releases stand on each side of each change."""
    table = fit.observed.counts()
    parts = []
    for name, row in table.iterrows():
        ends = [change for change in fit.observed.changes if str(name).endswith(f" {change}")]
        label = "in all"
        if ends:
            label = str(name).removesuffix(ends[0]) + change_label(ends[0], fit.spec.trend.changes)
        families = "family" if row["families"] == 1 else "families"
        parts.append(
            f"{label} {row['systems']} systems in {row['releases']} releases "
            f"of {row['families']} {families}"
        )
    text = "; ".join(parts)
    return text[0].upper() + text[1:] + "." + measured_by(fit)


def releases_sentence(fit: Fit) -> str:
    """What a release is, and how many there are."""
    observed, joined = fit.observed, len(fit.observed.joined())
    return (
        f"Systems of one family are one release if no more than {fit.spec.panel.release_days} days "
        f"lie between one and the next, unless the tables name their releases: "
        f"{len(observed.systems)} systems in {len(observed.releases)} releases, of which {joined} "
        f"came out on more than one date."
    )


def extrapolation_sentence(entries: list[dict[str, Any]], of: str = "reference runs") -> str:
    """How many systems, and how many of the densest, rest on extrapolation beyond the sizes ``of``.

    ``entries`` are the systems of :func:`densing_bayes.display.answers.systems.density_document`.
    """
    outside = sum(not entry["in_range"] for entry in entries)
    if outside == 0:
        return f"All {len(entries)} systems lie within the sizes of the {of}."
    top = entries[:10]
    among = sum(not entry["in_range"] for entry in top)
    return (
        f"The effective params of {outside} of {len(entries)} systems, {among} of the {len(top)} "
        f"densest among them, lie outside the sizes of the {of}: their densities are "
        "extrapolated."
    )


def verdict_sentence(fit: Fit) -> str:
    """The verdict with its reasons."""
    if fit.verdict == "PASS":
        return "PASS: the sampler has converged by every check."
    reasons = fit.diagnostics.get("reasons", [])
    text = f"{fit.verdict}: do not rely on these numbers. " + "; ".join(reasons) + "."
    return " ".join([text, *mode_sentences(fit)])


def small_verdict(fit: Any) -> str:
    """The verdict of a small fit, with its reasons."""
    reasons = fit.diagnostics["reasons"]
    return f"{fit.verdict}{': ' + '; '.join(reasons) if reasons else ''}."


def mode_sentences(fit: Fit) -> list[str]:
    """The headline of each mode, where chains sit in several; nothing otherwise."""
    result = []
    for number, mode in enumerate(fit.diagnostics.get("modes", []), start=1):
        time, change = mode["doubling_time_after"], mode["growth_change"]
        chains = ", ".join(map(str, mode["chains"]))
        result.append(
            f"Mode {number} (chains {chains}; weight {probability(mode['weight'])} by evidence): "
            f"doubling time {median(time)} days ({limits(time)}), change of the growth rate "
            f"{median(change)} a day ({limits(change)})."
        )
    return result


def marked(verdict: str, text: str) -> str:
    """A statement, marked if the fit behind it has not passed."""
    return text if verdict == "PASS" else f"[{verdict}] {text}"


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(in_markdown_cell, line))} |" for line in lines)
