"""Section of the report on longer training and the rest."""

from __future__ import annotations

import numpy as np

from densing_bayes.corollaries.drivers.figures import plot_drivers
from densing_bayes.corollaries.drivers.model import fit_drivers
from densing_bayes.corollaries.drivers.quantities import drivers_table
from densing_bayes.display.canvas import figure_of
from densing_bayes.display.section import Picture, Section, Table
from densing_bayes.display.sentences import marked
from densing_bayes.fitting.settings import SEED
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.numbers import (
    percent,
)


def driver_section(fit: Fit, ci: float = CI, seed: int = SEED) -> Section:
    """How much of the growth is longer training."""
    sampled = fit_drivers(fit, seed=seed)
    table = drivers_table(fit, sampled, ci=ci)

    def span(name: str) -> str:
        low, middle, high = (table[key].astype(float)[name] for key in ("lower", "median", "upper"))
        return f"{middle:.2f} ({low:.2f} to {high:.2f})"

    sentence = (
        f"By the scaling law {span('law:share')} of the growth since ChatGPT is what longer "
        f"training gives a reference model; among systems of one date and size, "
        f"{span('share_by_driver')} of it goes with tokens per param. The two bracket what these "
        f"data can say."
    )
    labels = {
        "law:density_growth": "Scaling law: growth of log density, 1/year",
        "law:overtraining_growth": "Scaling law: of it longer training, 1/year",
        "law:share": "Scaling law: share of longer training",
        "growth_total": "Regression: growth of log density, 1/year",
        "growth": "Regression: growth at fixed tokens per param, 1/year",
        "driver_slope": "Regression: slope in log tokens per param",
        "share_by_driver": "Regression: share that goes with tokens per param",
    }
    axes = plot_drivers(fit, table)
    return Section(
        "drivers",
        "Longer training and the rest",
        (marked(sampled.verdict, sentence),),
        tables=(
            Table(
                ("Quantity", f"Median ({percent(ci)} interval)"),
                tuple((label, span(name)) for name, label in labels.items()),
            ),
        ),
        pictures=(
            Picture(
                figure_of(axes[0]),
                sentence,
                "Left: log density over dates, and what longer training alone gives. Right: growth "
                "by driver.",
            ),
        ),
        document={
            "drivers": table.replace({np.nan: None}).reset_index().to_dict(orient="records"),
            "verdict": sampled.verdict,
        },
    )
