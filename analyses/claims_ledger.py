"""Published claims beside our posteriors, with verdicts by one rule.

Takes fits that are given, or those of "joint", "paper" and "current" under each D0, estimand and
size convention of a claim from the store, or makes them; adds the paper's figures, prices and
engines, and the claims made since, which are looked up in the current panel. With --panels only
rows of those panels are made, and the others stay as they are written. Prints the ledger and
writes claims_ledger.json, claims_ledger.md and claims_ledger.png. Half a minute on two cores, and
ten where nothing is stored.

    python analyses/claims_ledger.py [FIT ...] [--panels current,...] [--out analyses]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd

import densing_bayes as db
from densing_bayes.display.figures.canvas import figure_of
from densing_bayes.fitting.built_in import BUILT_IN, built_in_fit
from densing_bayes.ledger import rows
from densing_bayes.ledger.facts import fact_rows
from densing_bayes.ledger.figures import plot_claims
from densing_bayes.ledger.ledger import built_in_fits, table_fits
from densing_bayes.ledger.section import claims_document
from densing_bayes.posterior.plain import json_text

ORDER = ("open", "paper", "current", "plotted", "tables")  # of panels, beside each other


def of_panels(panels: list[str], written: Path) -> pd.DataFrame:
    """The ledger with new rows of some panels, and the rows of others as they are written."""
    fits = [
        built_in_fit(name)
        for name, (base, *_) in BUILT_IN.items()
        if db.load_spec(base).panel.source in panels
    ]
    before = pd.DataFrame(json.loads(written.read_text("utf-8"))["claims"])
    since = db.load_claims("claims_2026").index
    before = before[~before["panel"].isin(panels) & ~before["claim"].isin(since)]
    return pd.concat([before, db.claims(fits)], ignore_index=True)


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """The rows by claim as the tables of claims have them, and by panel."""
    claims = [*db.load_claims().index, *db.load_claims("claims_2026").index]
    place = table.assign(
        first=table["claim"].map(claims.index),
        second=table["panel"].map({name: i for i, name in enumerate(ORDER)}),
    )
    order = place.sort_values(["first", "second"], kind="stable").index
    return table.loc[order].reset_index(drop=True)


def main() -> None:
    """Judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fits", nargs="*", type=Path)
    parser.add_argument("--panels", type=lambda text: text.split(","))
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    path = arguments.out / "claims_ledger.json"
    given = [db.Fit.load(each) for each in arguments.fits]
    if arguments.panels:
        table = of_panels(arguments.panels, path)
    else:
        table = db.claims([*given, *table_fits()] if given else built_in_fits())
    since = fact_rows(rows.panels_of(table))
    table = in_order(pd.concat([table, since], ignore_index=True))
    text = rows.markdown(table)
    print(text)
    (arguments.out / "claims_ledger.md").write_text(text + "\n", encoding="utf-8")
    path.write_text(json_text(claims_document(table)) + "\n", encoding="utf-8")
    figure = figure_of(plot_claims(table))
    figure.savefig(arguments.out / "claims_ledger.png", dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    main()
