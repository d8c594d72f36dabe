"""Published claims beside our posteriors, with verdicts by one rule.

Fits "joint" and "paper" unless the store has them, prints the ledger and writes
claims_ledger.json, claims_ledger.md and claims_ledger.png. Some six minutes on two cores.

    python analyses/claims_ledger.py [--out analyses]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import densing_bayes as db
from densing_bayes import tally
from densing_bayes.canvas import figure_of
from densing_bayes.documents import claims_document, json_text
from densing_bayes.ledger_plot import plot_claims


def main() -> None:
    """Judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    table = db.claims()
    text = tally.markdown(table)
    print(text)
    (arguments.out / "claims_ledger.md").write_text(text + "\n", encoding="utf-8")
    path = arguments.out / "claims_ledger.json"
    path.write_text(json_text(claims_document(table)) + "\n", encoding="utf-8")
    figure = figure_of(plot_claims(table))
    figure.savefig(arguments.out / "claims_ledger.png", dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    main()
