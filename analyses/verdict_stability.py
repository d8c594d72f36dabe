"""Whether verdicts depend on the seed: every row of the ledger judged again on resampled draws.

Each row's posterior and prior draws are cut into blocks of draws in a row, and drawn again block by
block with replacement, twenty times: so each set has the Monte Carlo error of the fit, chains that
mix slowly with all their correlation. The plotted points, prices and engines, which are cheap, are
also fitted anew with twenty seeds. Takes fits that are given, or those of the ledger from the
store. Writes verdict_stability.json: a row per claim and panel with the words that came up. One
minute, and ten with the seeds.

    python analyses/verdict_stability.py [FIT ...] [--seeds 20] [--out analyses]
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

import densing_bayes as db
from densing_bayes.errors import NotTestableError
from densing_bayes.fitting.built_in import BUILT_IN
from densing_bayes.ledger.ledger import built_in_fits, drawn, table_fits, testable
from densing_bayes.ledger.of_corollaries import fit_tables
from densing_bayes.ledger.plotted import fit_paper_figures
from densing_bayes.ledger.rule import Draws, verdict
from densing_bayes.ledger.terms import Judgeable
from densing_bayes.posterior.plain import json_text
from densing_bayes.report.ahead import do_ahead, for_claims

TIMES = 20
BLOCKS = 80  # of the draws of a row: of a hundred draws and more, longer than any correlation

PANELS = ("joint", "paper")  # specifications; fits of the current panel take as long again


def resampled(draws: Draws, random: np.random.Generator) -> Draws:
    """Draws again, block by block, with replacement."""
    if draws.size < BLOCKS:
        return draws  # a number of a table
    blocks = draws[: draws.size // BLOCKS * BLOCKS].reshape(BLOCKS, -1)
    return blocks[random.integers(0, BLOCKS, BLOCKS)].ravel()


def rows_of(fits: list[Judgeable]) -> dict[tuple[str, str], tuple[Any, Draws, Draws | None]]:
    """Claim, draws and prior draws of each row that can be judged."""
    rows = {}
    for name, panel, claim, fit in testable(fits):
        try:
            rows[name, panel] = (claim, *drawn(claim, fit))
        except NotTestableError:
            continue
    return rows


def main() -> None:
    """Judge, resample, judge again, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fits", nargs="*", type=Path)
    parser.add_argument("--seeds", type=int, default=0, help="of fits of the tables made anew")
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    if arguments.fits:
        fits = [*(db.Fit.load(path) for path in arguments.fits), *table_fits()]
    else:
        names = [name for name, (base, *_) in BUILT_IN.items() if base in PANELS]
        do_ahead(for_claims(names))
        fits = built_in_fits(names)
    found = []
    for (name, panel), (claim, draws, prior) in rows_of(fits).items():
        random = np.random.default_rng(7)
        judged = verdict(claim, draws, prior)
        words = Counter(
            verdict(
                claim,
                resampled(draws, random),
                None if prior is None else resampled(prior, random),
            ).verdict
            for _ in range(TIMES)
        )
        found.append(
            {"claim": name, "panel": panel, "verdict": judged.verdict,
             "near_border": judged.near_border, "words": dict(words)}
        )  # fmt: skip
    seeds: dict[tuple[str, str], list[Any]] = {}
    for seed in range(arguments.seeds):
        own = [fit_paper_figures(seed), fit_paper_figures(seed, drifts=True), fit_tables(seed)]
        for key, (claim, draws, prior) in rows_of(own).items():
            seeds.setdefault(key, []).append(verdict(claim, draws, prior))
    by_seed = [
        {"claim": name, "panel": panel, "words": dict(Counter(each.verdict for each in judged)),
         "near_border": sum(each.near_border for each in judged)}
        for (name, panel), judged in seeds.items()
    ]  # fmt: skip
    content = {"times": TIMES, "blocks": BLOCKS, "rows": found,
               "seeds": arguments.seeds, "by_seed": by_seed}  # fmt: skip
    path = arguments.out / "verdict_stability.json"
    path.write_text(json_text(content) + "\n", encoding="utf-8")
    for row in found:
        if row["near_border"] or len(row["words"]) > 1:
            mark = "near the border" if row["near_border"] else ""
            print(f"{row['claim']:40} {row['panel']:8} {row['verdict']:13} {row['words']} {mark}")
    for row in by_seed:
        if len(row["words"]) > 1:
            print(f"{row['claim']:40} {row['panel']:8} seeds: {row['words']}, "
                  f"marked in {row['near_border']}")  # fmt: skip


if __name__ == "__main__":
    main()
