"""Scores of systems released after the panels end, as fits of the panels foresee them.

The open and the paper's panel end in 2024-07 and 2025-04. The panel `current` goes on to 2025-12,
and its later systems had no part in any choice of model or prior. Each panel is fitted as shipped
and by a line without the additions of backtest.py, and scored on the systems of `current` that it
has not seen, by what their developers reported. Writes unseen.json and unseen.md.
Some minutes on two idle cores.

    python analyses/unseen.py [--out analyses]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from backtest import LINE, SHIPPED, SPECS, changed

import densing_bayes as db
from densing_bayes.display.sentences import markdown_table
from densing_bayes.evaluation.backtests.backtests import LEVELS, summary

MODELS = (LINE, SHIPPED)
LATER = "current"
PROTOCOLS = ("report", "open-llm-leaderboard-v1")  # nearest to those that the panels hold
DRAWS = (1000, 2000)  # more if the first do not do


def scored(panel: str, addition: str) -> dict[str, Any]:
    """Figures of the scores that a fit has not seen."""
    for draws in DRAWS:
        fit = db.fit(changed(addition, panel), panel, draws=draws)
        if fit.verdict == "PASS":
            break
    if fit.verdict != "PASS":  # it says nothing
        return {"verdict": fit.verdict, "draws": draws}
    found = summary(db.score(fit, LATER, protocols=PROTOCOLS))
    found["pit"].pop("release")
    return {"verdict": fit.verdict, "draws": draws, **found}


def table(content: dict[str, Any]) -> str:
    """All fits as a table in Markdown."""
    header = ["panel", "model", "scores", "50%", "80%", "95%", "CRPS", "80% width",
              "joint score"]  # fmt: skip
    rows = [
        [
            panel,
            name,
            str(found["n"]),
            *(f"{found['coverage'][str(level)]['share']:.2f}" for level in LEVELS),
            f"{found['crps']:.4f}",
            f"{found['width80']:.3f}",
            f"{found['joint_log_score']:.0f}",
        ]
        if found["verdict"] == "PASS"
        else [panel, name, *["-"] * 6, "the fit has not passed"]
        for panel, models in content.items()
        for name, found in models.items()
    ]
    return markdown_table(header, rows)


def main() -> None:
    """Fit, score, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    parser.add_argument("--panels", nargs="+", choices=list(SPECS), default=list(SPECS))
    arguments = parser.parse_args()
    path = arguments.out / "unseen.json"
    content = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for panel in arguments.panels:
        for name in MODELS:
            content.setdefault(panel, {})[name] = scored(panel, name)
            path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            (arguments.out / "unseen.md").write_text(table(content) + "\n", encoding="utf-8")
            print(panel, name, content[panel][name]["verdict"], flush=True)
    print(table(content))


if __name__ == "__main__":
    main()
