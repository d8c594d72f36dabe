"""Published claims beside our posteriors, with verdicts by one rule.

Takes fits that are given, or those of "joint" and "paper", and of both under each D0 with a scale
of the shortfall that may drift, from the store, or makes them; adds the paper's figures, prices and
engines. Prints the ledger and writes claims_ledger.json, claims_ledger.md and claims_ledger.png.
Half a minute on two cores, and five where nothing is stored.

    python analyses/claims_ledger.py [FIT ...] [--out analyses]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import densing_bayes as db
from densing_bayes.display.canvas import figure_of
from densing_bayes.ledger import rows
from densing_bayes.ledger.figures import plot_claims
from densing_bayes.ledger.ledger import table_fits
from densing_bayes.ledger.section import claims_document
from densing_bayes.posterior.plain import json_text


def main() -> None:
    """Judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fits", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    given = [db.Fit.load(path) for path in arguments.fits]
    table = db.claims([*given, *table_fits()] if given else None)
    text = rows.markdown(table)
    print(text)
    (arguments.out / "claims_ledger.md").write_text(text + "\n", encoding="utf-8")
    path = arguments.out / "claims_ledger.json"
    path.write_text(json_text(claims_document(table)) + "\n", encoding="utf-8")
    figure = figure_of(plot_claims(table))
    figure.savefig(arguments.out / "claims_ledger.png", dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    main()
