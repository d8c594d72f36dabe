"""What the priors of the joint specification say before any data.

    python analyses/prior_predictive.py

Two figures: the frontier and the densities of systems, and the score of a reference model against
its size with the systems of the panel beside it.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

import densing_bayes as db
from densing_bayes.display.figures.canvas import (
    BLUE,
    GREY,
    INK,
    VERMILION,
    date_axis,
    quantiles,
    style,
)
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import date_of, years_since_origin
from densing_bayes.joint import laws
from densing_bayes.joint.line import drawn_line, line_value
from densing_bayes.observed.observations import Observations, observe
from densing_bayes.quantities.labels import benchmark_label
from densing_bayes.quantities.numbers import count

HERE = Path(__file__).parent
DRAWS, SHOWN, DPI = 2000, 60, 110
LAW = ("irreducible_loss", "params_loss", "params_exponent", "tokens_loss", "tokens_exponent")


def prior_draws(spec: db.ModelSpec, panel: db.Panel) -> xr.Dataset:
    """Draws of every parameter and of the log densities, dims (draw, ...)."""
    model = db.build_model(spec, panel)
    names = [variable.name for variable in (*model.free_RVs, *model.deterministics)]
    options = {"var_names": names, "compile_kwargs": {"mode": "FAST_COMPILE"}}
    tree = pm.sample_prior_predictive(DRAWS, model=model, random_seed=SEED, **options)
    return tree["prior"].dataset.isel(chain=0)


def reference_scores(draws: xr.Dataset, seen: Observations, name: str, size: np.ndarray):
    """Score of a reference model with ``size`` params and D0 tokens, shape (draws, size)."""
    n, d = np.log(size / seen.centre_params), seen.log_reference_tokens
    if name in seen.loss_benchmarks:

        def of(key: str) -> np.ndarray:
            return draws[key].sel(loss_benchmark=name).to_numpy()[:, None]

        z = of("steepness") * (of("midpoint") - laws.scaling_loss(n, d, *map(of, LAW)))
    else:

        def of(key: str) -> np.ndarray:
            return draws[key].sel(direct_benchmark=name).to_numpy()[:, None]

        ability = laws.ability(n, d, of("token_elasticity"))
        z = of("discrimination") * (ability - of("difficulty"))
    ends = (draws[key].sel(benchmark=name).to_numpy()[:, None] for key in ("floor", "ceiling"))
    return laws.sigmoid_score(z, *ends)


def plot_trend(draws: xr.Dataset, spec: db.ModelSpec, seen: Observations) -> Figure:
    """Frontier lines, and the densities of systems, under the prior."""
    figure = Figure(figsize=(9.0, 3.6))
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1.0))
    days = pd.date_range(date_of(seen.time.min()), date_of(seen.time.max()), periods=80)
    times = np.array([years_since_origin(day) for day in days])
    names = ("level", "growth_before", "growth_change")
    line = drawn_line(spec.trend, seen, {name: draws[name].to_numpy() for name in names})
    edge = np.asarray(line_value(line, times)) / np.log(2.0)
    lower, _, upper = quantiles(edge, 0.95, 0)
    left.fill_between(days, lower, upper, color=BLUE, alpha=0.12, lw=0, label="95% of the prior")
    left.plot(days, edge[:SHOWN].T, color=BLUE, lw=0.6, alpha=0.45)
    left.set_ylim(-14, 14)
    date_axis(left, 6)
    left.set_title("Frontier")
    left.legend(loc="upper left")
    print(f"frontier at {days[-1].date()}, log2 density: 95% {lower[-1]:.1f} to {upper[-1]:.1f}")
    after = (draws["growth_before"] + draws["growth_change"].isel(slope_change=0)).to_numpy()
    limits = quantiles(after, 0.95, None)
    print(f"growth after, per year: 95% {limits[0]:.2f} to {limits[2]:.2f}; "
          f"P(<= 0) = {(after <= 0).mean():.2f}; "
          f"P(doubling within 100 days) = {(after >= np.log(2) * 3.6525).mean():.2f}")  # fmt: skip

    values = draws["log_density"].to_numpy() / np.log(2.0)
    bins = np.arange(-14, 14.5, 0.5)
    recent = seen.time >= 0
    for rows, colour, label in ((~recent, GREY, "before ChatGPT"), (recent, VERMILION, "since")):
        settings = {"density": True, "color": colour, "alpha": 0.5}
        right.hist(values[:, rows].ravel(), bins, label=label, **settings)
        limits = quantiles(values[:, rows], 0.95, None)
        print(f"log2 density of a system, {label}: 95% {limits[0]:.1f} to {limits[2]:.1f}")
    right.set_yticks([])
    right.set_ylim(top=1.25 * right.get_ylim()[1])
    right.set_title("Densities of systems")
    right.legend(loc="upper left")
    ticks = [-12, -8, -4, 0, 4, 8, 12]
    labels = ["1" if k == 0 else f"$2^{{{k}}}$" for k in ticks]
    left.set_yticks(ticks, labels)
    right.set_xticks(ticks, labels)
    left.set_ylabel("capability density")
    right.set_xlabel("capability density")
    return figure


def plot_scores(draws: xr.Dataset, seen: Observations) -> Figure:
    """Score against size under the prior, and the scores of the systems."""
    figure = Figure(figsize=(9.0, 2.9))
    axes = figure.subplots(1, len(seen.benchmarks), sharey=True)
    size = np.geomspace(1e8, 1e12, 80)
    for ax, name in zip(axes, seen.benchmarks, strict=True):
        curves = reference_scores(draws, seen, name, size)
        lower, _, upper = quantiles(curves, 0.95, 0)
        ax.fill_between(size, lower, upper, color=BLUE, alpha=0.12, lw=0, label="95% of the prior")
        ax.plot(size, curves[:SHOWN].T, color=BLUE, lw=0.5, alpha=0.35)
        cells = seen.cell_benchmark == seen.benchmarks.index(name)
        ax.plot(np.exp(seen.log_params[seen.cell_system[cells]]), seen.score[cells], "o", ms=2.5,
                color=VERMILION, mec="white", mew=0.3, label="system")  # fmt: skip
        ax.axhline(seen.chance[seen.benchmarks.index(name)], color=INK, lw=0.8, ls=(0, (4, 3)))
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(FixedLocator([1e9, 1e11]))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set(ylim=(0.0, 1.0), xlim=(size[0], size[-1]), xlabel="params")
        ax.set_title(benchmark_label(name))
    axes[0].set_ylabel("score (dashed: chance)")
    axes[-1].legend(loc="lower right", fontsize=8)
    return figure


def main() -> None:
    """Draw from the prior, print and plot."""
    spec, panel = db.load_spec("joint"), db.load_panel("open")
    seen = observe(panel, spec)
    draws = prior_draws(spec, panel)
    with mpl.rc_context(style()):
        for name, figure in (
            ("trend", plot_trend(draws, spec, seen)),
            ("scores", plot_scores(draws, seen)),
        ):
            figure.savefig(HERE / f"prior_predictive-{name}.png", dpi=DPI)


if __name__ == "__main__":
    main()
