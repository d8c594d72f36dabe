"""What the data know: how much narrower each posterior is than its prior.

    python analyses/identification.py [FIT]

The figure is the ratio of the posterior's standard deviation to the prior's, one dot per benchmark
where a parameter has one each: 1 says that the data added nothing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import densing_bayes as db
from densing_bayes.display.figures.canvas import BLUE, GREEN, PURPLE, VERMILION, style
from densing_bayes.fitting.built_in import built_in_fit

HERE = Path(__file__).parent
PARTS = {
    "Scaling": (BLUE, ("irreducible_share", "params_share", "params_exponent", "tokens_exponent",
                       "loss_at_centre", "loss_noise")),
    "Performance": (GREEN, ("floor_shift", "ceiling", "curve_start", "curve_rise",
                            "token_elasticity", "reference_noise", "protocol_noise")),
    "Density": (PURPLE, ("format_offset", "benchmark_spread", "drift_spread_before",
                         "drift_spread_change", "drift_before", "drift_change")),
    "Trend": (VERMILION, ("level", "growth_before", "growth_change", "shortfall_spread",
                          "organisation_spread", "system_spread", "size_slope")),
}  # fmt: skip
PLAIN = ("irreducible_share", "params_share", "floor_shift", "ceiling", "curve_start",
         "format_offset", "drift_before", "drift_change", "level", "growth_before",
         "growth_change", "size_slope")  # fmt: skip


def remaining_width(fit: db.Fit, name: str) -> list[float]:
    """Standard deviation of the posterior over the prior's, in logarithms unless PLAIN."""
    widths = []
    for draws in (fit.posterior[name], fit.prior[name]):
        values = draws.to_numpy().reshape(draws.sizes["chain"] * draws.sizes["draw"], -1)
        widths.append((values if name in PLAIN else np.log(values)).std(axis=0))
    return (widths[0] / widths[1]).tolist()


def main() -> None:
    """Measure, draw, write."""
    fit = db.Fit.load(sys.argv[1]) if len(sys.argv) > 1 else built_in_fit("joint")
    ratios = {name: remaining_width(fit, name) for _, names in PARTS.values() for name in names}
    for name, values in ratios.items():
        print(f"{name:20s} " + "  ".join(f"{value:.2f}" for value in values))
    after = [
        group["growth_before"] + group["growth_change"] for group in (fit.posterior, fit.prior)
    ]
    offset = fit.posterior["format_offset"].mean("benchmark")
    level = np.corrcoef(np.ravel(fit.posterior["level"]), np.ravel(offset))
    content = {
        "verdict": fit.verdict,
        "spec_hash": fit.provenance["spec_hash"],
        "remaining_width": {key: [round(v, 3) for v in values] for key, values in ratios.items()},
        "growth_after": round(float(after[0].std() / after[1].std()), 3),
        "correlation_of_level_and_mean_format_offset": round(float(level[0, 1]), 3),
    }  # fmt: skip
    (HERE / "identification.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    with mpl.rc_context(style()):
        figure = Figure(figsize=(8.0, 6.4))
        ax = figure.subplots()
        for colour, names in PARTS.values():
            for name in names:
                y = list(ratios).index(name)
                ax.plot(ratios[name], [y] * len(ratios[name]), "o", color=colour, ms=5, alpha=0.7)
        for part, (colour, names) in PARTS.items():
            y = list(ratios).index(names[0])
            ax.text(1.31, y, part, color=colour, weight="bold", ha="right", va="center")
        ax.axvline(1.0, color="#20262e", lw=0.9)
        ax.set_yticks(range(len(ratios)), list(ratios))
        ax.set(xlim=(0.0, 1.32), ylim=(len(ratios) - 0.4, -0.6))
        ax.grid(visible=True, axis="both")
        ax.set_xlabel("standard deviation of the posterior / that of the prior")
        figure.savefig(HERE / "identification.png", dpi=110)


if __name__ == "__main__":
    main()
