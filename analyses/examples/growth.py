"""
Growth rates
============

The growth rate of the frontier before and after ChatGPT, and by how much it changed.
"""

import pandas as pd

import densing_bayes as db
from densing_bayes.display.figures.trend import plot_growth
from densing_bayes.fitting.built_in import built_in_fit

fit = built_in_fit("joint")
_ = plot_growth(fit)

# %%
# Grey is the prior. A doubling time is read along the top, and made from the rate: a rate that
# may be zero has a doubling time without an upper limit.
#
# Benchmarks grow at rates of their own, so the mean over four of them hides a spread. The last
# row is a benchmark that is not in the panel:

each = db.benchmark_growth(fit)["after"]
rows = {
    name: db.estimate(db.doubling_time(each.sel(benchmark=name)), "days", mean=False)
    for name in each["benchmark"].values
}
pd.DataFrame(rows).T[["median", "lower", "upper"]].astype(float).round(0)
