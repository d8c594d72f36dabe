"""Checks of saved fits, and where releases lie in predictions that have not seen them.

Prints the checks of each fit that is given, or of "joint" and "paper" from the store, and writes
checks.png, the figure of the first of them. Half a minute for a fit.

    python analyses/checks.py [FIT ...] [--out analyses]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import densing_bayes as db
from densing_bayes.display.figures.canvas import figure_of
from densing_bayes.display.figures.checks import plot_loo_pit
from densing_bayes.display.sentences import markdown_table
from densing_bayes.evaluation.checks import check_rows, sentences
from densing_bayes.fitting.built_in import built_in_fit


def main() -> None:
    """Check, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fits", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    given = [db.Fit.load(path) for path in arguments.fits]
    for number, fit in enumerate(given or [built_in_fit(name) for name in ("joint", "paper")]):
        found = db.check(fit)
        print(f"\n{fit.spec.name}: {found.verdict}\n")
        print(markdown_table(["check", "figure", "limit", "status"], check_rows(found)))
        print("\n" + "\n".join(sentences(found)))
        if number == 0:
            axes = plot_loo_pit(found)
            figure_of(axes[0]).savefig(arguments.out / "checks.png", dpi=110)


if __name__ == "__main__":
    main()
