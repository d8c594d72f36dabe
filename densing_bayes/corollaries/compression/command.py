"""Command on compressed systems; what is slow to import is imported inside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from densing_bayes.display.options import Interval, Seed
from densing_bayes.display.terminal import (
    FitFile,
    Json,
    exit_unless_passed,
    load_fit,
    print_footing,
    print_json,
    print_table,
    print_text,
    verdict_of,
)
from densing_bayes.fitting.settings import SEED


def compression_command(
    fit: FitFile,
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Pairs of your own. [default: embedded]")
    ] = None,
    seed: Seed = SEED,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """What pruning, distilling and quantising do to density (fits in two minutes)."""
    from densing_bayes.corollaries.compression.effects import fit_compression, method_table
    from densing_bayes.corollaries.compression.pairs import load_compression
    from densing_bayes.corollaries.compression.panel_pairs import panel_pairs
    from densing_bayes.display.sentences import marked
    from densing_bayes.quantities.numbers import percent
    from densing_bayes.quantities.numbers import probability as chance

    fitted = load_fit(fit)
    compression = fit_compression(fitted, load_compression(data), seed=seed)
    methods = method_table(compression, ci)
    pairs = panel_pairs(fitted, ci, seed=seed)
    if as_json:
        print_json(
            {
                "methods": methods.reset_index().to_dict(orient="records"),
                "pairs": pairs.reset_index().to_dict(orient="records"),
                "diagnostics": compression.diagnostics,
                "provenance": fitted.provenance,
            }
        )
        exit_unless_passed(compression.verdict)
        return
    span = f"{percent(ci)} interval"
    print_text(marked(compression.verdict, "Density of the child over that of its parent"))
    rows = [
        [
            str(name),
            str(row["pairs"]),
            f"{row['factor']:.2f}",
            f"{row['factor_lower']:.2f} to {row['factor_upper']:.2f}",
            chance(row["p_new_denser"]),
        ]
        for name, row in methods.iterrows()
    ]
    print_table("Method", ["Pairs", "Factor", span, "P(new denser)"], rows)
    print_text("")
    rows = [
        [
            str(name),
            str(row["parent"]),
            f"{row['factor']:.2f}",
            f"{row['factor_lower']:.2f} to {row['factor_upper']:.2f}",
            chance(row["p_denser"]),
        ]
        for name, row in pairs[pairs["reason"] == ""].iterrows()
    ]
    print_table("Pair of the panel", ["Parent", "Factor", span, "P(denser)"], rows, left={1})
    print_text(f"Pairs measured alike: {verdict_of(compression)}")
    print_footing(fitted)
    exit_unless_passed(compression.verdict)
