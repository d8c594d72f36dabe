"""
Frontier
========

Capability density of every system over its release date, and the frontier with its interval.
"""

from densing_bayes.display.figures.trend import plot_frontier
from densing_bayes.fitting.built_in import built_in_fit

fit = built_in_fit("joint")  # sampled once, then read from the store
_ = plot_frontier(fit)

# %%
# The band is the frontier :math:`F(t)`, not the range of systems: releases fall short of it, and
# systems scatter about their release. Open circles have effective params outside the sizes of the
# reference runs, so they are read off the extrapolated part of the reference curves.
#
# How many systems stand on each side of the change:

fit.observed.counts()
