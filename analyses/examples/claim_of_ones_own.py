"""
A claim of one's own
====================

A claim is an event in the draws, and its probability is the share of draws in which it holds.
Here: "since ChatGPT, the density of the frontier doubles within 100 days".
"""

import numpy as np
from matplotlib import pyplot as plt

import densing_bayes as db
from densing_bayes.display.figures.canvas import BLUE, GREY, VERMILION, kernel_density, style
from densing_bayes.fitting.built_in import built_in_fit

fit = built_in_fit("joint")
rates = {group: db.growth(fit, group)["after"] for group in ("posterior", "prior")}
needed = np.log(2) / 100  # a doubling within 100 days, as a rate per day
chance = {group: (rate >= needed).mean().item() for group, rate in rates.items()}
print(", ".join(f"{group}: P = {value:.3f}" for group, value in chance.items()))

grid = np.linspace(-0.004, 0.014, 400)
with plt.rc_context(style()):
    figure, ax = plt.subplots(figsize=(8, 3.6))
    for group, colour in (("prior", GREY), ("posterior", BLUE)):
        height = kernel_density(np.ravel(rates[group]), grid)
        ax.plot(grid, height, color=colour, label=f"{group}, P(claim) = {chance[group]:.2f}")
        ax.fill_between(grid, height, where=grid >= needed, color=colour, alpha=0.35, lw=0)
    ax.axvline(needed, color=VERMILION, ls="--", label="doubling in 100 days")
    ax.set_yticks([])
    ax.set_ylim(bottom=0)
    ax.set_xlabel("growth rate since ChatGPT, 1/day")
    ax.legend(loc="upper left")

# %%
# The same probability under the prior stands beside it: what the prior says already is no
# finding. The claim is about the rate, not about the doubling time, whose draws may be infinite.
#
# Claims may join quantities, as long as they come from the same draws:

both = (rates["posterior"] >= np.log(2) / 150) & (db.growth(fit)["change"] > 0)
print(f"P(doubling within 150 days, and faster than before) = {both.mean().item():.3f}")
