"""Chips, batteries and the density of language models: doubling times on one scale.

Fits each engine in both forms and with three seeds, and joins it with the growth of density. Prints
tables and writes engines.json, engines.png, engines-points.png and engines-prior.png. About four
minutes on two cores, with the fit of the joint model from the store.

    python analyses/engines.py [--fit FILE] [--out analyses]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from densing_bayes import Fit
from densing_bayes.corollaries.engines.figures import plot_doubling_times
from densing_bayes.corollaries.engines.model import (
    device_table,
    effective_doubling_time,
    engine_rate,
    engine_table,
    fit_engine,
    load_engines,
)
from densing_bayes.corollaries.trends.exponential import line_through
from densing_bayes.corollaries.trends.figures import plot_exponential
from densing_bayes.display.figures.canvas import figure_of, new_axes
from densing_bayes.fitting.built_in import built_in_fit
from densing_bayes.inputs.dates import DAYS_PER_YEAR, ORIGIN
from densing_bayes.posterior.estimates import estimate, probability
from densing_bayes.posterior.plain import json_text
from densing_bayes.quantities.growth import doubling_time

PUBLISHED = {  # days; news article, and Xiao et al. 2025
    "model-density": [100.0],
    "transistor-density": [547.9],
    "compute-per-price": [767.0],
    "battery-energy-per-volume": [3652.5],
    "battery-energy-per-mass": [3652.5],
}
UNITS = ("transistors per mm2", "FLOP/s per USD", "Wh/L", "Wh/kg")
DATES = ("2023-01-01", "2024-01-01", "2024-07-31", "2025-12-31")


def main() -> None:
    """Fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", type=Path, help="a fit of the joint model")
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    out = arguments.out
    fit = Fit.load(arguments.fit) if arguments.fit else built_in_fit("joint")
    rows: list[dict[str, Any]] = []
    engines = {}
    for name in load_engines().engines:
        engines[name] = fit_engine(name)
        others = {"frontier": fit_engine(name, form="frontier")} | {
            f"mean, seed {seed}": fit_engine(name, seed=seed) for seed in (1, 2)
        }
        if name == "transistor-density":
            others["mean, since 2000"] = fit_engine(name, since="2000-01-01")
            others["mean, since 2015"] = fit_engine(name, since="2015-01-01")
        for form, engine in ({"mean": engines[name]} | others).items():
            years = doubling_time(engine_rate(engine)) / DAYS_PER_YEAR
            rows.append(
                {
                    "engine": name,
                    "form": form,
                    "points": len(engine.points.label),
                    "verdict": engine.verdict,
                    "reasons": engine.diagnostics["reasons"],
                    "doubling_time_years": estimate(years, "years", mean=False),
                }
            )
            said = rows[-1]["doubling_time_years"]
            print(
                f"{name:26} {form:16} {engine.verdict} {said['median']:.2f} years "
                f"({said['lower']:.2f} to {said['upper']:.2f})",
                flush=True,
            )
    table = engine_table(engines, fit)
    products = {}
    for name in ("transistor-density", "compute-per-price"):
        draws = effective_doubling_time(fit, engines[name])
        products[name] = estimate(draws, "days", mean=False) | {
            "p_at_most_88": probability(draws <= 88.5)
        }
    content = {
        "engines": rows,
        "beside_density": table.reset_index().to_dict(orient="records"),
        "density_times_engine": products,
        "devices": device_table(fit, DATES).to_dict(orient="records"),
        "provenance": fit.provenance,
    }
    (out / "engines.json").write_text(json_text(content) + "\n", encoding="utf-8")
    print(products)
    figure_of(plot_doubling_times(table, PUBLISHED)).savefig(out / "engines.png", dpi=130)
    axes = new_axes(16.0, 4.0, 4)
    for ax, (name, engine), unit in zip(axes, engines.items(), UNITS, strict=True):
        plot_exponential(engine, ax, unit)
        ax.set_title(name)
    figure_of(axes[0]).savefig(out / "engines-points.png", dpi=110)
    axes = new_axes(16.0, 4.0, 4)
    for ax, (name, engine), unit in zip(axes, engines.items(), UNITS, strict=True):
        points = engine.points
        first = ORIGIN + pd.Timedelta(days=DAYS_PER_YEAR * float(points.first.min()))
        days = pd.date_range(first, "2024-01-01", periods=40)
        for line in np.exp(line_through(engine, days, "prior").isel(chain=0))[:60]:
            ax.plot(days, line, color="#7d8793", lw=0.6, alpha=0.6)
        value = np.exp((points.log_low + points.log_high) / 2.0)
        at = ORIGIN + pd.to_timedelta(DAYS_PER_YEAR * points.last, "D")
        ax.plot(at, value, "o", color="#D55E00", ms=3)
        ax.set_yscale("log")
        ax.set_ylabel(unit)
        ax.set_title(name)
    figure_of(axes[0]).savefig(out / "engines-prior.png", dpi=110)


if __name__ == "__main__":
    main()
