"""Command on longer training and the rest; what is slow to import is imported inside it."""

from __future__ import annotations

from densing_bayes.display.options import Interval, Seed
from densing_bayes.display.terminal import (
    FitFile,
    Json,
    exit_unless_passed,
    load_fit,
    show,
)
from densing_bayes.fitting.settings import SEED


def drivers_command(
    fit: FitFile, seed: Seed = SEED, as_json: Json = False, ci: Interval = 0.95
) -> None:
    """How much of the growth of density goes with longer training (takes a minute to fit)."""
    from densing_bayes.corollaries.drivers.section import driver_section

    fitted = load_fit(fit)
    section = driver_section(fitted, ci, seed)
    said = section.document
    document = {"quantities": said["drivers"], "separation": said["separation"]}
    document |= {"diagnostics": said["diagnostics"], "provenance": fitted.provenance}
    show(document, section, as_json=as_json, fit=fitted)
    exit_unless_passed(said["verdict"])
