"""Placebo dates: how often a change where none is claimed does as well as the one at ChatGPT.

The comparison is run with the change of the growth rate at every other date of a grid, on the real
panel. A placebo date beats the claimed one if its evidence is greater. The rule was written down
before the first run: the claim of a change *at* ChatGPT has support of its own only if at most one
placebo date in ten beats it; what a grid of dates shows otherwise is that something changed, not
when. Dates within 60 days of the claimed one are no placebos. Writes placebo.json and placebo.md.
Some minutes on two idle cores.

    python analyses/placebo.py [--panels open] [--out analyses]
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import densing_bayes as db
from densing_bayes.display.sentences import markdown_table
from densing_bayes.inputs.dates import date_of
from densing_bayes.inputs.hypothesis import ChangeSpec, Hypothesis
from densing_bayes.observed.observations import observe

SPECS = {"open": "joint", "paper": "paper"}
CLAIMED = dt.date(2022, 11, 30)
STEP = 91  # days between two dates
APART = 60  # days from the claimed date within which a date is no placebo
EARLIEST, LATEST = 0.1, 0.9  # shares of the releases before the first and the last placebo date


def placebo_dates(panel: str) -> list[dt.date]:
    """Dates every quarter, with a tenth of the releases on either side at least."""
    released = observe(db.load_panel(panel), db.load_spec(SPECS[panel])).release_time
    low, high = (date_of(t).date() for t in np.quantile(released, [EARLIEST, LATEST]))
    count = (high - low).days // STEP
    grid = [low + dt.timedelta(days=STEP * i) for i in range(count + 1)]
    return [date for date in grid if abs((date - CLAIMED).days) > APART]


def bend(date: dt.date) -> Hypothesis:
    """A change of the growth rate at a date."""
    name = date.isoformat()
    return Hypothesis(name=name, changes=(ChangeSpec(name=name, date=date),))


def placebos(panel: str) -> dict[str, Any]:
    """Evidence of a change at each date, beside that at the claimed one."""
    dates = placebo_dates(panel)
    hypotheses = ["none", "chatgpt", *(bend(date) for date in dates)]
    table = db.compare(SPECS[panel], hypotheses, panel, progress=True).table
    claimed = table.loc["chatgpt"]
    rows = []
    for name in ("none", *(date.isoformat() for date in dates)):
        row = table.loc[name]
        rows.append(
            {
                "date": None if name == "none" else name,
                "verdict": row["verdict"],
                "usable": bool(row["evidence_usable"]),
                "beyond_claimed": float(row["log_evidence"] - claimed["log_evidence"]),
                "error": float(np.hypot(row["log_evidence_error"], claimed["log_evidence_error"])),
                "growth_change": float(row["growth_change"]),
            }
        )
    usable = [row for row in rows if row["usable"] and row["date"]]
    beaten = [row for row in usable if row["beyond_claimed"] > 0.0]
    return {
        "claimed_verdict": claimed["verdict"],
        "placebos": len(usable),
        "not_usable": sum(not row["usable"] for row in rows),
        "beating": len(beaten),
        "share": len(beaten) / len(usable) if usable else None,
        "rows": rows,
    }


def table(content: dict[str, Any]) -> str:
    """All dates as a table in Markdown."""
    rows = [
        [
            panel,
            row["date"] or "no change",
            f"{row['beyond_claimed']:+.1f} ± {row['error']:.1f}" if row["usable"] else "not usable",
        ]
        for panel, found in content.items()
        for row in found["rows"]
    ]
    return markdown_table(["panel", "change at", "evidence beyond a change at ChatGPT, nats"], rows)


def main() -> None:
    """Compare, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panels", nargs="+", choices=list(SPECS), default=["open"])
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    content = {panel: placebos(panel) for panel in arguments.panels}
    (arguments.out / "placebo.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    (arguments.out / "placebo.md").write_text(table(content) + "\n", "utf-8")
    print(pd.DataFrame(content).drop(index="rows").to_string())
    print(table(content))


if __name__ == "__main__":
    main()
