"""
Shelf life of a system
======================

When does a system of half its size do as well? For Mistral-7B: how long the frontier took from
its release to twice its density, at half its size.
"""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

import densing_bayes as db
from densing_bayes.display.figures.canvas import BLUE, VERMILION, date_axis, quantiles, style
from densing_bayes.fitting.built_in import built_in_fit

fit = built_in_fit("joint")
name = "mistral-7b-v0.1"
released = pd.Timestamp(db.density_table(fit).loc[name, "release_date"])
own = db.densities(fit)["log_density"].sel(system=name)
life = db.shelf_life(fit, [name]).squeeze("system")

days = pd.date_range(released - pd.Timedelta(days=200), released + pd.Timedelta(days=600), 80)
# the frontier is that of the mean size; smaller systems are less dense, by the size slope
size = np.log(db.density_table(fit).loc[name, "params"] / 2) - fit.observed.mean_log_params
at_half = db.frontier(fit, days) + fit.posterior["size_slope"] * size
frontier = np.exp(quantiles(at_half.transpose("chain", "draw", "date"), 0.95, (0, 1)))
density = np.exp(quantiles(own, 0.95, None))

with plt.rc_context(style()):
    figure, (ax, below) = plt.subplots(2, 1, figsize=(8, 5), sharex=True, height_ratios=(3, 1))
    ax.fill_between(days, frontier[0], frontier[2], color=BLUE, alpha=0.2, lw=0)
    ax.plot(days, frontier[1], color=BLUE, label="frontier at half its size")
    upward = np.array([density[1] - density[0], density[2] - density[1]])[:, None]
    ax.errorbar([released], [density[1]], upward, fmt="o", color=VERMILION, label=name)
    ax.axhline(2 * density[1], color=VERMILION, ls="--", label="twice its density")
    ax.set_yscale("log", base=2)
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_ylabel("density")
    ax.legend(loc="upper left")
    shown = (days[-1] - released).days
    reached = released + pd.to_timedelta(np.ravel(life)[np.ravel(life) < shown], unit="D")
    below.hist(reached, bins=60, color=VERMILION, alpha=0.6)
    below.set_yticks([])
    below.set_ylabel("draws")
    below.set_xlim(days[0], days[-1])
    date_axis(below)

# %%
# Density and frontier go up and down together, so the shelf life is computed draw by draw. It is
# zero where the frontier had passed at release, infinite where it never arrives, so it has a
# median and limits but no mean.

db.shelf_life_table(fit, ["llama-2-7b", name, "llama-3-8b"]).round(2)
