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
    show,
)
from densing_bayes.fitting.settings import SEED


def compression_command(
    fit: FitFile,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="CSV file of your own pairs. [default: the embedded table]"
        ),
    ] = None,
    seed: Seed = SEED,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """What pruning, distillation and quantisation do to density (takes two minutes to fit)."""
    from densing_bayes.corollaries.compression.effects import fit_compression
    from densing_bayes.corollaries.compression.pairs import load_compression
    from densing_bayes.corollaries.compression.panel_pairs import panel_pairs
    from densing_bayes.corollaries.compression.section import compression_section

    fitted = load_fit(fit)
    compression = fit_compression(fitted, load_compression(data), seed=seed)
    section = compression_section(compression, ci, panel_pairs(fitted, ci, seed=seed))
    document = {key: section.document[key] for key in ("methods", "pairs")}
    document |= {"diagnostics": compression.diagnostics, "provenance": fitted.provenance}
    show(document, section, as_json=as_json, fit=fitted)
    exit_unless_passed(compression.verdict)
