"""
Forecast
========

The score of a system of 8e9 params on MMLU, up to two years after the last datum, and the score
of GPT-4.
"""

from densing_bayes import forecast_summary
from densing_bayes.corollaries.forecast.figures import plot_score_fan
from densing_bayes.fitting.built_in import built_in_fit

fit = built_in_fit("joint")
_ = plot_score_fan(fit, 8e9, "mmlu", start="2021-01-01", score=0.864)

# %%
# The fan is what a new release would be measured at; the line is the frontier. The dashed line is
# the score of GPT-4. It lies in the band of scores that no size reaches on this panel, so the
# question for a date has a probability of "never" that is no statement about time:

answer = forecast_summary(fit, 8e9, "mmlu", 0.864, by="2025-12-31")
for key in ("lower", "median", "upper", "p_by", "p_above_limit", "p_never"):
    print(f"{key:14s} {answer[key]}")
