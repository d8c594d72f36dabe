"""Answer on longer training and the rest."""

from __future__ import annotations

from functools import partial

import numpy as np

from densing_bayes.corollaries.drivers.figures import plot_drivers
from densing_bayes.corollaries.drivers.model import fit_drivers
from densing_bayes.corollaries.drivers.quantities import drivers_table, separation
from densing_bayes.display.section import Picture, Section, Table
from densing_bayes.display.sentences import marked, small_verdict
from densing_bayes.fitting.settings import SEED
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.numbers import (
    percent,
)

LABELS = {
    "growth_total": "Growth of log density, 1/year",
    "growth": "Growth at fixed tokens per param, 1/year",
    "growth_by_driver": "Growth that goes with tokens per param, 1/year",
    "driver_growth": "Growth of log tokens per param, 1/year",
    "driver_slope": "Slope of log density in log tokens per param",
    "size_slope": "Slope of log density in log params",
    "share_by_driver": "Share of growth that goes with tokens per param",
    "law:density_growth": "By the scaling law: growth of log density, 1/year",
    "law:overtraining_growth": "By the scaling law: of it longer training, 1/year",
    "law:rest_growth": "By the scaling law: the rest, 1/year",
    "law:density_slope": "Least squares: slope in log tokens per param",
    "law:law_slope": "By the scaling law: that slope",
    "law:share": "By the scaling law: share of longer training",
}


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
    rows = tuple(
        (
            LABELS.get(str(name), str(name)),
            f"{row['median']:.2f}",
            f"{row['lower']:.2f} to {row['upper']:.2f}",
        )
        for name, row in table.iterrows()
    )
    return Section(
        "drivers",
        "Longer training and the rest",
        (marked(sampled.verdict, sentence), f"Regression: {small_verdict(sampled)}"),
        tables=(Table(("Systems since ChatGPT", "Median", f"{percent(ci)} interval"), rows),),
        pictures=(
            Picture(
                partial(plot_drivers, fit, table),
                sentence,
                "drivers",
                "Left: log density over dates, and what longer training alone gives. Right: growth "
                "by driver.",
            ),
        ),
        document={
            "drivers": table.replace({np.nan: None}).reset_index().to_dict(orient="records"),
            "separation": separation(sampled),
            "diagnostics": sampled.diagnostics,
            "verdict": sampled.verdict,
        },
    )
