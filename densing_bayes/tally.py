"""The ledger of claims in words: rows for terminal and report, and what was left out and why."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from densing_bayes.ledger import VERDICTS
from densing_bayes.wording import is_probability, limits, markdown_table, median

RULE = (
    "A claim about a value is contradicted if the interval holds nothing within the rounding of "
    "the published value, uninformative if it also holds the rival value or has hardly moved from "
    "the prior, else supported. A bound or an event is supported from P = 0.95 on and contradicted "
    "up to P = 0.05. Supported means compatible with these data and this model, no more."
)
FEW = 3  # claims that are named
PANELS = {"open": "open panel", "paper": "paper's panel", "plotted": "plotted points"}
UNITS = {"1": "", "1/day": " a day", "days": " days", "probability": "", "date": ""}


def published(row: Any) -> str:
    """The published value of a claim with its unit."""
    if pd.isna(row["value"]) or row["kind"] in ("event", "at least"):
        return "-"
    value = float(row["value"])
    text = f"{value:.4f}".rstrip("0") if abs(value) < 1 else f"{value:,.5g}"
    return text + UNITS.get(row["unit"], f" {row['unit']}")


def panels_of(table: pd.DataFrame) -> list[str]:
    """Panels of a ledger, in order."""
    return [str(name) for name in dict.fromkeys(table["panel"]) if name]


def testable(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of claims that at least one panel can say something about."""
    said = table[~table["verdict"].isin(["not testable", "pending"])]
    return table[table["claim"].isin(said["claim"])]


def ledger_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Claims that a panel can test, one per row, with a cell per panel.

    Returns
    -------
    header, rows
        Statement, published value, then per panel the estimate or probability with its verdict.
    """
    panels = panels_of(table)
    header = ["Claim", "Published", *(PANELS.get(name, name) for name in panels)]
    rows = []
    for _, group in testable(table).groupby("claim", sort=False):
        first = group.iloc[0]
        by_panel = {str(row["panel"]): row for _, row in group.iterrows()}
        cells = [str(first["statement"]), published(first)]
        rows.append(cells + [cell(by_panel[name]) for name in panels])
    return header, rows


def cell(row: pd.Series) -> str:
    """What a panel says of a claim."""
    if row["verdict"] == "not testable":
        return "-"
    said = []
    if row["estimate"] is not None:
        said.append(f"{median(row['estimate'])} ({limits(row['estimate'])})")
    if row["kind"] != "about":
        said.append(f"{row['meaning']} {is_probability(row['probability'])}")
    return f"{'; '.join(said)}: {row['verdict']}"


def summary_sentence(table: pd.DataFrame) -> str:
    """How many claims each panel supports, contradicts or cannot judge."""
    parts = []
    for name in panels_of(table):
        counted = Counter(table.loc[table["panel"] == name, "verdict"])
        said = ", ".join(f"{counted[v]} {v}" for v in VERDICTS if counted[v])
        parts.append(f"{PANELS.get(name, name)}: {said}")
    waiting = int((table["verdict"] == "pending").sum())
    tail = f" Pending, for lack of a model: {waiting}." if waiting else ""
    return "; ".join(parts) + "." + tail


def reasons(table: pd.DataFrame) -> list[str]:
    """Why panels could not test claims, and which claims are pending, as sentences.

    Of a reason that holds for more than three claims, only their number is given.
    """
    out = table[table["verdict"] == "not testable"]
    lines = []
    for (panel, reason), group in out.groupby(["panel", "reason"], sort=False):
        name = PANELS.get(str(panel), str(panel))
        few = len(group) <= FEW
        lines.append(f"{name}: {reason} ({', '.join(group['claim']) if few else len(group)}).")
    waiting = table.loc[table["verdict"] == "pending", "claim"]
    if len(waiting):
        lines.append(f"Pending, no model answers them yet: {', '.join(waiting)}.")
    return lines


def markdown(table: pd.DataFrame) -> str:
    """The ledger as a Markdown document."""
    return "\n\n".join(
        [
            summary_sentence(table),
            markdown_table(*ledger_rows(table)),
            RULE,
            "\n".join(f"- {line}" for line in reasons(table)),
        ]
    )
