"""
Densest systems
===============

Density of the fifteen densest systems. Intervals overlap, so the rank has an interval as well.
"""

from matplotlib import pyplot as plt

import densing_bayes as db
from densing_bayes.display.figures.canvas import style
from densing_bayes.fitting.built_in import built_in_fit

fit = built_in_fit("joint")
table = db.density_table(fit).head(15).iloc[::-1]

with plt.rc_context(style()):
    figure, ax = plt.subplots(figsize=(8, 5))
    ax.hlines(table.index, table["density_lower"], table["density_upper"], lw=2, alpha=0.6)
    ax.plot(table["density"], table.index, "o")
    for name, row in table.iterrows():
        ranks = f"  rank {row['rank_lower']:.0f} to {row['rank_upper']:.0f}"
        ax.text(row["density_upper"], name, ranks, va="center", fontsize=8)
    ax.set_xscale("log", base=2)
    ax.set_xlim(right=1.6 * table["density_upper"].max())
    ax.xaxis.set_major_formatter("{x:g}")
    ax.grid(visible=True, axis="x")
    ax.set_xlabel("density (reference family = 1), median and 95% interval")

# %%
# Neighbours in this list are rarely told apart by their intervals, and these systems share the
# reference curve, so their errors go together. Ask for a pair draw by draw:

draws = db.densities(fit)["log_density"]
denser = draws.sel(system="llama-3-8b") > draws.sel(system="mistral-7b-v0.1")
print(f"P(llama-3-8b denser than mistral-7b-v0.1) = {denser.mean().item():.3f}")
