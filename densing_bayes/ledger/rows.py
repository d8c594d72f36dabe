"""The ledger of claims in words: rows for terminal and report, and what was left out and why."""

from __future__ import annotations

import string
from collections import Counter
from typing import Any

import pandas as pd

from densing_bayes.display.sentences import markdown_table
from densing_bayes.ledger.ledger import DEFINITIONS
from densing_bayes.ledger.rule import STRONG, SURE, VERDICTS
from densing_bayes.ledger.terms import tokens_text
from densing_bayes.quantities.numbers import is_probability, limits, median

RULE = (
    f"A claim about a value is supported if the data make it, within its rounding, at least "
    f"{STRONG:g} times as probable as they make its strongest rival (B, a Bayes factor: any other "
    f"value as the prior weighs these, or the named rival), contradicted if B is at most "
    f"1/{STRONG:g}, both beyond its Monte Carlo error, else inconclusive. A bound or an event is "
    f"supported from P = {SURE:g} on and contradicted up to P = {1 - SURE:.2g}. Each claim is "
    "judged on its own D0, by the fit that is nearest to its estimand and size convention; a "
    "letter in brackets names that fit, and an asterisk says that it differs from what the claim "
    "asks. A verdict near its border might be another one by another seed. Supported means "
    "compatible with these data and this model, no more."
)
FEW = 3  # claims that are named
PANELS = {
    "open": "open panel",
    "paper": "paper's panel",
    "current": "panel to 2025-12",
    "plotted": "plotted points",
}
UNITS = {"1": "", "1/day": " a day", "days": " days", "probability": "", "date": ""}


def published(row: Any) -> str:
    """The published value of a claim with its unit."""
    if pd.isna(row["value"]) or row["kind"] in ("event", "at least"):
        return "-"
    value = float(row["value"])
    text = f"{value:.4f}".rstrip("0") if abs(value) < 1 else f"{value:,.5g}"
    return text + UNITS.get(row["unit"], f" {row['unit']}")


def asked(row: Any) -> str:
    """Published value of a claim, with the estimand and D0 that it is about."""
    parts = [published(row), str(row["estimand"])]
    if not pd.isna(row["reference_tokens"]):
        parts.append(f"D0 = {tokens_text(float(row['reference_tokens']))}")
    return "; ".join([parts[0], ", ".join(parts[1:])])


def panels_of(table: pd.DataFrame) -> list[str]:
    """Panels of a ledger, in order."""
    return [str(name) for name in dict.fromkeys(table["panel"]) if name]


def testable(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of claims that at least one panel can say something about."""
    said = table[table["verdict"] != "not testable"]
    return table[table["claim"].isin(said["claim"])]


def ledger_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Claims that a panel can test, one per row, with a cell per panel.

    Returns
    -------
    header, rows
        Statement, published value with its estimand and D0, then per panel the estimate or
        probability with its verdict.
    """
    panels, letters = panels_of(table), _letters(table)
    header = ["Claim", "Published", *(PANELS.get(name, name) for name in panels)]
    rows = []
    for _, group in testable(table).groupby("claim", sort=False):
        first = group.iloc[0]
        by_panel = {str(row["panel"]): row for _, row in group.iterrows()}
        cells = [str(first["statement"]), asked(first)]
        rows.append(cells + [cell(by_panel[name], letters) for name in panels])
    return header, rows


def cell(row: pd.Series, letters: dict[str, str]) -> str:
    """What a panel says of a claim, with the letter of the fit that judges."""
    if row["verdict"] == "not testable":
        return "-"
    said = []
    if row["estimate"] is not None:
        said.append(f"{median(row['estimate'])} ({limits(row['estimate'])})")
    factor = row["bayes_factor"]
    if factor is not None and not pd.isna(factor):
        said.append(f"B {_factor(float(factor))}")
    elif row["kind"] != "about":
        said.append(f"{row['meaning']} {is_probability(row['probability'])}")
    if row["near_border"]:
        said.append("near the border")
    by = letters.get(str(row["judged_on"]), "")
    mark = f" [{by}{'*' if row['judged_apart'] else ''}]" if by else ""
    return f"{'; '.join(said)}{mark}: {row['verdict']}"


def _letters(table: pd.DataFrame) -> dict[str, str]:
    """A letter for each kind of fit that judges a row, in order; none for plain tables."""
    judged = table[(table["verdict"] != "not testable") & (table["panel"] != "tables")]
    judged = judged[judged["topic"] != "fact"]  # which is looked up, not estimated
    return dict(zip(dict.fromkeys(judged["judged_on"]), string.ascii_lowercase, strict=False))


def judges(table: pd.DataFrame) -> list[str]:
    """What the letters of the ledger stand for, and what differs where a fit is not the asked."""
    lines = [f"[{letter}] {terms}." for terms, letter in _letters(table).items()]
    said = table[(table["verdict"] != "not testable") & (table["judged_apart"] != "")]
    for (terms, apart), group in said.groupby(["judged_on", "judged_apart"], sort=False):
        count = len(group)
        lines.append(f"[{_letters(table)[str(terms)]}*] {apart} ({count} row{'s' * (count > 1)}).")
    return lines


def definition_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Claims about a maximum under each definition of the best.

    Returns
    -------
    header, rows
        Statement, panel, D0, then the estimate under each definition that any claim has; no rows
        if none has two.
    """
    several = table[[bool(found) and len(found) > 1 for found in table["definitions"]]]
    used = [name for name in DEFINITIONS if any(name in found for found in several["definitions"])]
    rows = []
    for _, row in several.iterrows():
        found = row["definitions"]
        said = [
            f"{median(found[name])} ({limits(found[name])})" if name in found else "-"
            for name in used
        ]
        own = tokens_text(float(row["reference_tokens"]))
        panel = PANELS.get(str(row["panel"]), str(row["panel"]))
        rows.append([str(row["statement"]), panel, own, *said])
    return ["Claim", "Panel", "D0", *used], rows


def _factor(value: float) -> str:
    """A Bayes factor with its sign of relation."""
    if value > 1000:
        return "> 1000"
    return "< 0.001" if value < 0.001 else f"= {value:.2g}"


def summary_sentence(table: pd.DataFrame) -> str:
    """How many claims each panel supports, contradicts or cannot judge."""
    parts = []
    for name in panels_of(table):
        counted = Counter(table.loc[table["panel"] == name, "verdict"])
        said = ", ".join(f"{counted[v]} {v}" for v in VERDICTS if counted[v])
        parts.append(f"{PANELS.get(name, name)}: {said}")
    return "; ".join(parts) + "."


def reasons(table: pd.DataFrame) -> list[str]:
    """Why panels could not test claims, as sentences.

    Of a reason that holds for more than three claims, only their number is given.
    """
    out = table[table["verdict"] == "not testable"]
    lines = []
    for (panel, reason), group in out.groupby(["panel", "reason"], sort=False):
        name = PANELS.get(str(panel), str(panel))
        few = len(group) <= FEW
        lines.append(f"{name}: {reason} ({', '.join(group['claim']) if few else len(group)}).")
    return lines


def markdown(table: pd.DataFrame) -> str:
    """The ledger as a Markdown document."""
    return "\n\n".join(
        [
            summary_sentence(table),
            markdown_table(*ledger_rows(table)),
            RULE,
            "Judged on:",
            "\n".join(f"- {line}" for line in judges(table)),
            "Claims about a maximum under each definition of the best, on fits alike in all else:",
            markdown_table(*definition_rows(table)),
            "Not testable:",
            "\n".join(f"- {line}" for line in reasons(table)),
        ]
    )
