"""How fast inference gets cheaper at the level of GPT-3.5 and of GPT-4.

Fits the edge of the cheapest offers, its changepoint hypotheses, and the paper's own points with
and without their errors. Prints tables and writes inference_price.json, inference_price.png and
inference_price-prior.png. About three minutes on two cores.

    python analyses/inference_price.py [--out analyses]
"""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from densing_bayes.corollaries.prices.model import (
    FIRST,
    LAST,
    PriceSpec,
    fit_prices,
    fold_reduction,
    halving_time,
    load_prices,
    observed_fold,
    offers_of,
    price_summary,
    score_noise,
)
from densing_bayes.corollaries.trends.exponential import (
    ExponentialFit,
    dated_points,
    fit_exponential,
    line_through,
)
from densing_bayes.corollaries.trends.figures import plot_exponential
from densing_bayes.display.figures.canvas import figure_of, new_axes
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import DAYS_PER_YEAR, ORIGIN
from densing_bayes.inputs.hypothesis import ChangeSpec, Hypothesis
from densing_bayes.inputs.published import load_figures
from densing_bayes.inputs.specification import load_corollary
from densing_bayes.posterior.estimates import estimate, probability
from densing_bayes.posterior.plain import json_text

UNIT = "USD per million tokens read"
ARTICLE = ("2023-01-01", "2024-12-09")  # its own window: since January 2023, to its date


def row(name: str, fit: ExponentialFit) -> dict[str, Any]:
    """What one fit says, with its verdict."""
    said = price_summary(fit)
    return {
        "fit": name,
        "offers": said["offers"]["entered"],
        "verdict": fit.verdict,
        "reasons": fit.diagnostics["reasons"],
        "halving_time_days": said["halving_time_days"],
        "fold_reduction": said["fold_reduction"],
        "price": said["price"],
        "p_fold_at_least_266": probability(fold_reduction(fit) >= 266.7),
        "p_halving_within_79_days": probability(halving_time(fit) <= 79.1),
    }


def change_row(name: str, fit: ExponentialFit) -> dict[str, Any]:
    """Growth change of a fit; for a known date the evidence for it by Savage-Dickey."""
    change = fit.posterior["growth_change"].isel(slope_change=0)
    entry = {
        "fit": name,
        "verdict": fit.verdict,
        "reasons": fit.diagnostics["reasons"],
        "growth_change": estimate(change, "1/year"),
        "p_faster": probability(change < 0),
    }
    if fit.spec.changes[0].known:
        values = np.ravel(change)
        density = np.exp(-0.5 * ((0.0 - values.mean()) / values.std()) ** 2) / (
            values.std() * np.sqrt(2.0 * np.pi)
        )
        prior = np.exp(fit.spec.growth_change.log_density(np.array(0.0)))
        entry["log_bayes_factor_for_a_change"] = float(np.log(prior / density))
    else:
        dates = np.ravel(fit.posterior["change_time"])
        entry["date_quantiles"] = [
            (ORIGIN + pd.Timedelta(days=DAYS_PER_YEAR * float(q))).date().isoformat()
            for q in np.quantile(dates, [0.025, 0.5, 0.975])
        ]
    return entry


def paper_points(spec: PriceSpec, corrected: bool) -> ExponentialFit:
    """The edge through the ten prices of Fig. 3a, as plotted or with dates and prices corrected."""
    offers = load_prices()
    plotted = offers[offers["plotted_price"].notna()]
    date, value = ("date", "input_price") if corrected else ("plotted_date", "plotted_price")
    table = plotted[["offer", date, value]].set_axis(["label", "date", "value"], axis=1)
    name = "the paper's offers, corrected" if corrected else "the paper's offers, as plotted"
    return fit_exponential(dated_points(table, spec.trend, name), spec.trend, name)


def main() -> None:
    """Fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    out = parser.parse_args().out
    spec = load_corollary("prices", PriceSpec)
    shipped = fit_prices("gpt-3.5")
    fits = {
        "GPT-3.5 level": shipped,
        "GPT-3.5 level, seed 1": fit_prices("gpt-3.5", seed=1),
        "GPT-3.5 level, seed 2": fit_prices("gpt-3.5", seed=2),
        "GPT-3.5 level, until 2024-08": fit_prices("gpt-3.5", until=LAST),
        "GPT-3.5 level, blended price": fit_prices("gpt-3.5", price="blended"),
        "GPT-4 level": fit_prices("gpt-4"),
        "MMLU 0.70": fit_prices(0.70),
        "MMLU 0.80": fit_prices(0.80),
        "the paper's offers, as plotted": paper_points(spec, corrected=False),
        "the paper's offers, corrected": paper_points(spec, corrected=True),
    }
    rows = [row(name, fit) for name, fit in fits.items()]
    changes = [
        change_row(name, fit_prices("gpt-3.5", hypothesis=hypothesis, draws=8000))
        for name, hypothesis in {
            "a change at GPT-4 Turbo": of_date("gpt-4-turbo", dt.date(2023, 11, 6)),
            "a change at GPT-4o mini": of_date("gpt-4o-mini", dt.date(2024, 7, 18)),
            "a change at an unknown date": Hypothesis(
                name="unknown-date",
                changes=(
                    ChangeSpec(
                        name="change", earliest=dt.date(2023, 3, 1), latest=dt.date(2025, 3, 1)
                    ),
                ),
            ),
        }.items()
    ]
    envelope = load_figures("fig3a")
    envelope = envelope[envelope["on_envelope"]]
    content = {
        "dates": [FIRST, LAST],
        "score_noise": score_noise(load_prices()),
        "published": {"fold_reduction": 266.7, "halving_time_days": 79.1},
        "observed": [
            {"first_date": first, "last_date": last} | observed_fold(shipped, first, last)
            for first, last in ((FIRST, LAST), ARTICLE)
        ],
        "lowest_plotted_over_first": float(envelope["value"].max() / envelope["value"].min()),
        "fits": rows,
        "changes": changes,
        "offers": {
            name: len(offers_of(load_prices(), name, spec)) for name in ("gpt-3.5", "gpt-4")
        },
        "seed": SEED,
    }
    (out / "inference_price.json").write_text(json_text(content) + "\n", encoding="utf-8")
    for entry in rows:
        life, fold = entry["halving_time_days"], entry["fold_reduction"]
        print(
            f"{entry['fit']:32} {entry['verdict']:5} {entry['offers']:3} offers, halving "
            f"{life['median']:.0f} days ({life['lower']:.0f} to {life['upper'] or np.inf:.0f}), "
            f"{fold['median']:.0f} times ({fold['lower']:.0f} to {fold['upper']:.0f}) cheaper"
        )
    for entry in changes:
        print(entry)
    axes = new_axes(11.0, 4.6, 2)
    for ax, name in zip(axes, ("GPT-3.5 level", "GPT-4 level"), strict=True):
        plot_exponential(fits[name], ax, UNIT)
        ax.set_title(f"{name} or better")
    figure_of(axes[0]).savefig(out / "inference_price.png", dpi=130)
    ax = new_axes(6.0, 4.0)[0]
    days = pd.date_range("2022-12-01", "2025-09-01", periods=40)
    drawn = np.exp(line_through(shipped, days, "prior").isel(chain=0))
    for i in range(60):
        ax.plot(days, drawn[i], color="#7d8793", lw=0.6, alpha=0.6)
    plotted = offers_of(load_prices(), "gpt-3.5", spec)
    ax.plot(plotted["date"], plotted["value"], "o", color="#D55E00", ms=3)
    ax.set_yscale("log")
    ax.set_ylim(1e-4, 1e5)
    ax.set_ylabel(UNIT)
    ax.set_title("60 edges of the prior, and the offers")
    figure_of(ax).savefig(out / "inference_price-prior.png", dpi=130)


def of_date(name: str, date: dt.date) -> Hypothesis:
    """A change of the rate at a date."""
    return Hypothesis(name=name, changes=(ChangeSpec(name=name, date=date),))


if __name__ == "__main__":
    main()
