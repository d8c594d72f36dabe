"""The headlines of each built-in specification side by side, given a change at ChatGPT.

Takes the fits of "joint", "paper" and "current" from the store, or makes them. Writes
headlines.json: growth, doubling times of each estimand and on each benchmark, shelf life, size
slope, verdict, and how many systems are read off beyond the reference runs. A minute, and some
minutes where nothing is stored.

    python analyses/headlines.py [--out analyses]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from multiverse import row

import densing_bayes as db
from densing_bayes.fitting.built_in import built_in_fit
from densing_bayes.inputs.dates import date_of
from densing_bayes.posterior.plain import json_text

NAMES = ("joint", "paper", "current")


def headlines(fit: db.Fit) -> dict[str, Any]:
    """The row of the multiverse, its evidence apart, with dates of the panel and largest R-hat."""
    first, last = (date_of(each) for each in (fit.observed.time.min(), fit.observed.time.max()))
    return row(fit, evidence=False) | {
        "first": str(first)[:10],
        "last": str(last)[:10],
        "rhat_max": fit.diagnostics["rhat_max"],
    }


def main() -> None:
    """Ask each fit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    found = {name: headlines(built_in_fit(name)) for name in NAMES}
    (arguments.out / "headlines.json").write_text(json_text(found) + "\n", encoding="utf-8")
    for name, one in found.items():
        days = "{median:.0f} days ({lower:.0f} to {upper:.0f})".format(**one["doubling_days_after"])
        print(f"{name:8} {one['verdict']:5} doubling {days}")


if __name__ == "__main__":
    main()
