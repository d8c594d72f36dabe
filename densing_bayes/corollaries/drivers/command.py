"""Command on longer training and the rest; what is slow to import is imported inside it."""

from __future__ import annotations

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


def drivers_command(
    fit: FitFile, seed: Seed = SEED, as_json: Json = False, ci: Interval = 0.95
) -> None:
    """How much of the growth of density goes with longer training (fits in a minute)."""
    from densing_bayes.corollaries.drivers.model import fit_drivers
    from densing_bayes.corollaries.drivers.quantities import drivers_table, separation
    from densing_bayes.display.sentences import marked
    from densing_bayes.quantities.numbers import percent

    fitted = load_fit(fit)
    sampled = fit_drivers(fitted, seed=seed)
    table = drivers_table(fitted, sampled, ci=ci)
    apart = separation(sampled)
    if as_json:
        print_json(
            {
                "quantities": table.reset_index().to_dict(orient="records"),
                "separation": apart,
                "diagnostics": sampled.diagnostics,
                "provenance": fitted.provenance,
            }
        )
        exit_unless_passed(sampled.verdict)
        return
    labels = {
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
    rows = [
        [
            labels.get(str(name), str(name)),
            f"{row['median']:.2f}",
            f"{row['lower']:.2f} to {row['upper']:.2f}",
        ]
        for name, row in table.iterrows()
    ]
    print_text(marked(sampled.verdict, "Growth by driver, systems since ChatGPT"))
    print_table("", ["Median", f"{percent(ci)} interval"], rows)
    print_text(f"Regression: {verdict_of(sampled)}")
    print_footing(fitted)
    exit_unless_passed(sampled.verdict)
