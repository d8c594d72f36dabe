"""When did the growth rate change, if it changed once? The date is left to the data.

Prints the posterior of the date and the probability that it lies between two events, beside the
same under the prior, and draws it over the calendar.

    python analyses/when_did_it_change.py [--out when.png]
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
import pandas as pd

import densing_bayes as db
from densing_bayes.display.figures import hypotheses as hypothesis_figures
from densing_bayes.inputs.dates import date_of, years_since_origin

EVENTS = ("chinchilla", "chatgpt", "gpt-4", "llama-2", "mixtral")


def main() -> None:
    """Fit, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("when.png"))
    arguments = parser.parse_args()
    fit = db.fit("joint", hypothesis="unknown-date")
    posterior, prior = (np.ravel(group["change_time"]) for group in (fit.posterior, fit.prior))
    lower, median, upper = (
        date_of(time).date() for time in np.quantile(posterior, [0.025, 0.5, 0.975])
    )
    print(f"{fit.verdict}: the change lies at {median}, 95% interval {lower} to {upper}")
    dates = db.load_events()["date"].loc[list(EVENTS)]
    cuts = [-np.inf, *map(years_since_origin, dates), np.inf]
    releases = fit.observed.release_time
    rows = {}
    for i, (start, end) in enumerate(itertools.pairwise(cuts)):
        name = "before" if i == 0 else f"from {EVENTS[i - 1]}"
        name += f" to {EVENTS[i]}" if 0 < i < len(EVENTS) else f" {EVENTS[i]}" if i == 0 else " on"
        rows[name] = {
            "posterior": np.mean((posterior >= start) & (posterior < end)),
            "prior": np.mean((prior >= start) & (prior < end)),
            "releases": int(np.sum((releases >= start) & (releases < end))),
        }
    print(pd.DataFrame.from_dict(rows, orient="index").round(3).to_string())
    ax = hypothesis_figures.plot_change_date(fit)
    ax.get_figure().savefig(arguments.out, dpi=160)


if __name__ == "__main__":
    main()
