"""Did growth change at the release of ChatGPT? None, slope, level and both, side by side.

Prints the findings and the table, and draws the frontier under each.

    python analyses/changepoint_at_chatgpt.py [--out changepoint.png]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import densing_bayes as db
from densing_bayes.display import findings
from densing_bayes.display.figures import hypotheses as hypothesis_figures
from densing_bayes.display.figures.canvas import figure_of

HYPOTHESES = ("none", "chatgpt", "chatgpt-level", "chatgpt-both")


def main() -> None:
    """Compare, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("changepoint.png"))
    arguments = parser.parse_args()
    comparison = db.compare("joint", HYPOTHESES)
    for sentence in findings.sentences(comparison):
        print(sentence)
    print(comparison.table.T.to_string())
    axes = hypothesis_figures.plot_hypotheses(comparison)
    figure_of(axes[0]).savefig(arguments.out, dpi=160)


if __name__ == "__main__":
    main()
