"""How fast capability density doubles, before and after the release of ChatGPT.

Prints the answers and writes doubling_time.png, the frontier over the densities.

    python analyses/doubling_time.py [FIT]
"""

import sys
from pathlib import Path

import densing_bayes as db
from densing_bayes.display.figures.canvas import figure_of
from densing_bayes.display.figures.trend import plot_frontier
from densing_bayes.fitting.built_in import built_in_fit
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.inputs.default import DEFAULT

fit = db.Fit.load(sys.argv[1]) if len(sys.argv) > 1 else built_in_fit(DEFAULT)
print(f"Verdict of the fit: {fit.verdict}")
print(fit.observed.counts().to_string(), "\n")

for group in ("posterior", "prior"):
    rates = db.growth(fit, group)
    for period in ("before", "after"):
        rate = db.estimate(rates[period] * DAYS_PER_YEAR, "1/year")
        time = db.estimate(db.doubling_time(rates[period]), "days", mean=False)
        upper = "never" if time["upper"] is None else f"{time['upper']:.0f}"
        print(
            f"{group:9s} {period:6s}  growth {rate['mean']:5.2f}/year "
            f"({rate['lower']:.2f} to {rate['upper']:.2f}), P(<= 0) = "
            f"{(rates[period] <= 0).mean().item():.3f}; doubling in "
            f"{time['lower']:.0f} to {upper} days"
        )

print("\nBy benchmark, after the change (days):")
each = db.benchmark_growth(fit)["after"]
for name in each["benchmark"].values:
    time = db.estimate(db.doubling_time(each.sel(benchmark=name)), "days", mean=False)
    upper = "never" if time["upper"] is None else f"{time['upper']:.0f}"
    print(f"  {name:14s} median {time['median']:.0f}  ({time['lower']:.0f} to {upper})")

figure = figure_of(plot_frontier(fit))
figure.savefig(Path(__file__).with_suffix(".png"), dpi=110)
