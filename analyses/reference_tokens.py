"""How growth depends on D0, and what it is over a range of D0, by docs/reference-tokens.md.

Fits the joint model on the open and the current panel at five D0 from 1e12 to 15e12 tokens, which
are mixed, and at both ends. Prints a table and writes reference_tokens.json and .md, and what the
package brings for fits of the same model and data (data/token_range.json). Ten minutes on two
cores; fits are kept.

    python analyses/reference_tokens.py [--out analyses] [--data data]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import densing_bayes as db
from densing_bayes.evaluation.token_range import (
    HIGHEST,
    IN_PACKAGE,
    LOWEST,
    TokenRange,
    over_tokens,
    token_document,
)
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.posterior.plain import json_text
from densing_bayes.quantities.densities import density_table, run_sizes

DRAWS = {"joint": 1000, "current": 1000}  # of each chain
CLOSE = 0.1  # of the growth over the range, by which that at an end may differ
ENDS = (LOWEST, HIGHEST)


def at_ends(spec: db.ModelSpec, draws: int) -> dict[float, db.Fit]:
    """Fits at both ends of the range; over_tokens has the middle of a range of one part."""
    found = {}
    for end in ENDS:
        near = over_tokens(spec, low=end / 1.0001, high=end * 1.0001, parts=1, draws=draws)
        found |= near.fits
    return found


def row(tokens: float, fit: db.Fit) -> dict[str, Any]:
    """Growth at one D0, and how many systems lie beyond the sizes of the runs."""
    effective = density_table(fit)["effective_params"]
    smallest, largest = run_sizes(fit.observed)
    return {
        "reference_tokens": tokens,
        "verdict": fit.verdict,
        "growth_after": db.estimate(db.growth(fit)["after"] * DAYS_PER_YEAR, "1/year"),
        "growth_change": db.estimate(db.growth(fit)["change"] * DAYS_PER_YEAR, "1/year"),
        "systems": len(effective),
        "below": int((effective < smallest).sum()),
        "above": int((effective > largest).sum()),
    }


def answer(found: TokenRange, ends: dict[float, db.Fit]) -> dict[str, Any]:
    """Growth at each D0 and over all, and whether the rule's bar is met."""
    rows = [row(tokens, fit) for tokens, fit in sorted((found.fits | ends).items())]
    document = token_document(found)
    mixed = {
        key: document["growth_after"][key] * DAYS_PER_YEAR for key in ("median", "lower", "upper")
    }
    medians = [each["growth_after"]["median"] for each in rows if each["reference_tokens"] in ENDS]
    apart = max(abs(each / mixed["median"] - 1.0) for each in medians)
    return {
        "at": rows,
        "over": mixed,
        "doubling_time_days": document["doubling_time_after"],
        "ends_apart": apart,
        "close": apart < CLOSE,
        "held": all(mixed["lower"] <= each <= mixed["upper"] for each in medians),
    }


def lines(found: dict[str, Any]) -> list[str]:
    """Growth by D0 as a table in Markdown."""
    result = [
        "| fit | D0 | growth after, 1/year | effective params below, above those of the runs |",
        "|---|---|---|---|",
    ]
    for name, own in found.items():
        for each in own["at"]:
            rate = each["growth_after"]
            result.append(
                f"| {name} | {each['reference_tokens']:.3g} | {rate['median']:.2f} "
                f"({rate['lower']:.2f} to {rate['upper']:.2f}) | {each['below']}, "
                f"{each['above']} of {each['systems']} |"
            )
        over = own["over"]
        result.append(
            f"| {name} | 1e12 to 15e12 | {over['median']:.2f} ({over['lower']:.2f} to "
            f"{over['upper']:.2f}) | |"
        )
    return [line.replace("e+", "e") for line in result]


def main() -> None:
    """Fit, mix, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    arguments = parser.parse_args()
    answers, brought = {}, []
    for name, draws in DRAWS.items():
        found = over_tokens(name, draws=draws, progress=True)
        answers[name] = answer(found, at_ends(db.load_spec(name), draws))
        brought.append({"name": name} | token_document(found))
        text = "\n".join(lines(answers)) + "\n"
        (arguments.out / "reference_tokens.md").write_text(text, encoding="utf-8")
        path = arguments.out / "reference_tokens.json"
        path.write_text(json_text(answers) + "\n", encoding="utf-8")
        brought_by = arguments.data / IN_PACKAGE
        brought_by.write_text(json_text(brought) + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
