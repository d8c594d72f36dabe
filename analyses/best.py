"""Growth under each definition of the best, and the drift of the scale of the shortfall.

Takes fits that are given, or those of "joint" and "paper" that the ledger of claims makes: mean
trend, edge with a constant and with a drifting scale, each under both D0, all params counted; from
the store, or made. Adds a quantile of the densities of each and the densities that the paper plots.
Writes best.json and best.md. Half a minute, and some minutes where nothing is stored.

    python analyses/best.py [FIT ...] [--out analyses]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

import densing_bayes as db
from densing_bayes.display.sentences import markdown_table
from densing_bayes.fitting.built_in import BUILT_IN, built_in_fit
from densing_bayes.ledger.definitions import (
    definition_cells,
    growth_by_definition,
    plotted_by_definition,
    psi_sentences,
)
from densing_bayes.posterior.plain import json_text
from densing_bayes.report.ahead import do_ahead, for_claims

PANELS = ("joint", "paper")
HEADER = ["panel", "D0", "definition of the best", "growth after, per year", "doubling, days",
          "psi, per year"]  # fmt: skip


def main() -> None:
    """Fit or read, estimate, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fits", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    if arguments.fits:
        fits = [db.Fit.load(path) for path in arguments.fits]
    else:
        names = [
            name
            for name, (base, *_) in BUILT_IN.items()
            if base in PANELS and (name == "paper" or "total" in name)
        ]
        do_ahead(for_claims(names, tables=False))
        fits = [built_in_fit(name) for name in names]
    table = pd.concat([growth_by_definition(fits), plotted_by_definition()], ignore_index=True)
    text = markdown_table(HEADER, definition_cells(table))
    text += "\n\n" + "\n".join(f"- {line}" for line in psi_sentences(table))
    print(text)
    (arguments.out / "best.md").write_text(text + "\n", encoding="utf-8")
    content = {"rows": table.to_dict(orient="records")}
    (arguments.out / "best.json").write_text(json_text(content) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
