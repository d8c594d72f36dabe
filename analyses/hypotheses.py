"""All built-in hypotheses by all criteria, with exact refits and forecasts.

Writes analyses/hypotheses.json, the figures beside it, and prints the findings. The first run
takes about an hour on two cores; a run that was stopped goes on from the fits that are kept.

    python analyses/hypotheses.py [--out analyses]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import densing_bayes as db
from densing_bayes import findings, plots
from densing_bayes.documents import comparison_document, json_text


def main() -> None:
    """Compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    comparison = db.compare("joint", exact=True, forecast=True)
    for sentence in findings.sentences(comparison):
        print(sentence)
    print(comparison.table.T.to_string())
    content = comparison_document(comparison)
    content["forecasts"] = [
        {key: row[key] for key in ("hypothesis", "cut", "releases", "log_score", "verdict")}
        for row in content["forecasts"]
    ]
    path = arguments.out / "hypotheses.json"
    path.write_text(json_text(content) + "\n", encoding="utf-8")
    for name, figure in plots.comparison_figures(comparison).items():
        figure.savefig(arguments.out / f"hypotheses-{name}.png", dpi=130)


if __name__ == "__main__":
    main()
