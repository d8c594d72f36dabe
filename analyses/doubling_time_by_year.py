"""What has changed since the paper: the doubling time by the data that it is estimated from.

One straight trend, about which quarters and releases scatter, is fitted to all releases before a
date, and to those of the two years before it, at several dates, one of them the end of the paper's
panel; the reference runs are the same. The trend does not wander here: its growth would be that of
all dates of the panel, and not of the window.
Each fit is kept in the store, so that a run which was stopped goes on where it was. Writes
doubling_time_by_year.json, .md and .png after every fit, and what the package brings for reports
(data/doubling_time_by_year.json). A fit that does not pass, also on a second try, has no number.

    python analyses/doubling_time_by_year.py [--out analyses] [--data data] [--cores 2]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

import densing_bayes as db
from densing_bayes.display.figures.canvas import figure_of
from densing_bayes.display.figures.years import plot_by_year
from densing_bayes.fitting.many import Request, Terms, fitter
from densing_bayes.fitting.settings import STANDARD
from densing_bayes.fitting.store import store_folder, versions
from densing_bayes.inputs.dates import DAYS_PER_YEAR, years_since_origin
from densing_bayes.observed.observations import Observations, observe
from densing_bayes.report.sections.years import HEADER, IN_PACKAGE, year_rows

# The paper's panel ends before 2025-05-01.
ENDS = ("2026-01-01", "2025-05-01", "2024-07-01", "2023-07-01")
YEARS = 2.0  # that a rolling window holds


def windows() -> list[tuple[str, str]]:
    """Kind and end of each window, those that say most first."""
    return [(kind, end) for end in ENDS for kind in ("expanding", "rolling")]


def seen_in(observed: Observations, kind: str, end: str) -> np.ndarray:
    """Which systems a window holds."""
    last = years_since_origin(end)
    first = last - YEARS if kind == "rolling" else -np.inf
    return (observed.time < last) & (observed.time >= first)


def answer(kind: str, end: str, fit: db.Fit) -> dict[str, Any]:
    """Growth and doubling time in a window; no estimate unless the fit has passed."""
    own: dict[str, Any] = {
        "window": kind,
        "before": end,
        "systems": len(fit.observed.systems),
        "releases": len(fit.observed.releases),
        "verdict": fit.verdict,
    }
    if fit.verdict != "PASS":
        return own
    rate = db.growth(fit)["after"]
    return own | {
        "growth_rate_per_year": db.estimate(rate * DAYS_PER_YEAR, "1/year"),
        "p_le_0": float((rate <= 0).mean()),
        "doubling_time_days": db.estimate(db.doubling_time(rate), "days", mean=False),
    }


def lines(found: list[dict[str, Any]]) -> list[str]:
    """The windows as a table in Markdown, earliest first."""
    rows = [HEADER, ("---",) * len(HEADER), *year_rows(found)]
    return [f"| {' | '.join(row)} |" for row in rows]


def main() -> None:
    """Fit every window, write the answers and draw them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args()
    spec = db.load_spec("current").replace(trend__changes=(), trend__walk=None)
    terms = Terms(STANDARD, versions(), {"panel": "current"}, store_folder(), arguments.cores)
    fit = fitter(terms)
    observed = observe(db.load_panel("current"), spec)
    path = arguments.out / "doubling_time_by_year.json"
    found: list[dict[str, Any]] = []
    for kind, end in windows():
        made = fit(Request(spec, observed, seen=seen_in(observed, kind, end)))
        found.append(answer(kind, end, made))
        content = {"panel": "current", "specification": spec.hash, "windows": found}
        for place in (path, arguments.data / IN_PACKAGE):
            place.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        path.with_suffix(".md").write_text("\n".join(lines(found)) + "\n", encoding="utf-8")
        figure_of(plot_by_year(found)).savefig(path.with_suffix(".png"), dpi=110)
        print(f"{kind}, before {end}: {made.verdict}", flush=True)


if __name__ == "__main__":
    main()
