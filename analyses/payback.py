"""How long a release lasts when its successors arrive one by one, and what it must earn by then.

Waiting times under three conditions beside the smooth shelf life, a check of the arrivals against
what came in the panel, the cost of training at three seeds, the pay-back of Gemma-2-9B, and what
1.7 billion visits in two months would pay for. Prints tables, writes payback.json and payback.png.
A few minutes beside saved fits.

    python analyses/payback.py [FIT ...] [--out analyses]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import densing_bayes as db
from densing_bayes.corollaries.payback.arrivals import release_rate, waiting_table, waiting_time
from densing_bayes.corollaries.payback.break_even import (
    break_even_demand,
    break_even_price,
    implied_cost,
    implied_earning,
    p_break_even,
)
from densing_bayes.corollaries.payback.figures import (
    COLOURS,
    plot_payback,
    plot_training_cost,
    plot_waiting,
    waiting_curve,
)
from densing_bayes.corollaries.payback.model import (
    Economics,
    Ending,
    Payback,
    load_payback_spec,
    payback,
)
from densing_bayes.corollaries.payback.release import CONDITIONS, release_of
from densing_bayes.corollaries.payback.training_cost import (
    TrainingCostFit,
    fit_training_cost,
    hourly_prices,
    load_costs,
    trained,
    training_cost,
)
from densing_bayes.display.figures.canvas import figure_of, new_axes
from densing_bayes.fitting.built_in import built_in_fit
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.posterior.estimates import estimate, probability
from densing_bayes.posterior.plain import plain

SEEDS = (SEED, 1, 2)
EXAMPLES = ("mistral-7b-v0.1", "llama-2-70b", "llama-3-8b", "gemma-2-9b", "llama-3.1-70b")
VISITS, WINDOW = 1.7e9, 60.875  # the article's figure, and two months in days
GEMMA = {"params": 9.24e9, "tokens": 8e12}
DEMAND = (1e6, 1e7, 1e8)  # visits a day
THINNED = 10  # of how many draws one is kept for the check
AFTER = (90, 180, 365)  # days after which releases of the panel are counted


def days(draws: xr.DataArray) -> dict[str, Any]:
    """Median and interval of a waiting time, with both ends."""
    return estimate(draws, "days", mean=False) | {
        "p_passed": probability(draws == 0),
        "p_none": probability(np.isinf(draws)),
    }


def lives(fit: db.Fit) -> dict[str, Any]:
    """Waiting times of examples and of a release on the frontier, beside the smooth shelf life."""
    names = [name for name in EXAMPLES if name in fit.observed.systems]
    observed = fit.observed
    last = observed.release_time.max()
    rows: dict[str, Any] = {}
    for condition in CONDITIONS:
        table = waiting_table(fit, names, condition=condition)
        rows[condition] = table.drop(columns="release_date").to_dict(orient="index")
        rows[condition]["on the frontier, 8e9 params"] = days(
            waiting_time(fit, release_of(fit, params=8e9), condition=condition)
        )
    under_prior = release_of(fit, params=8e9, group="prior")
    rows["prior"] = {
        condition: days(waiting_time(fit, under_prior, condition=condition, group="prior"))
        for condition in CONDITIONS
    }
    halves = [
        int(np.sum((observed.release_time > last - a - 0.5) & (observed.release_time <= last - a)))
        for a in (1.5, 1.0, 0.5, 0.0)
    ]
    return {
        "verdict": fit.verdict,
        "releases_a_year": estimate(release_rate(fit), "1/year"),
        "releases_by_half_year": halves,
        "rows": rows,
    }


def check(fit: db.Fit, condition: Any) -> list[dict[str, Any]]:
    """Share of releases that have been succeeded in the panel, and as simulated from their dates.

    The largest system of each release of the last two years stands for it.
    """
    thin = fit.posterior.isel(draw=slice(None, None, THINNED))
    fit = dataclasses.replace(fit, data=xr.DataTree.from_dict({"posterior": thin}))
    observed = fit.observed
    last = observed.time.max()
    chosen = []
    for unit in np.unique(observed.system_release[observed.time >= last - 2.0]):
        members = np.flatnonzero(observed.system_release == unit)
        chosen.append(int(members[np.argmax(observed.log_params[members])]))
    found: dict[str, list[Any]] = {"observed": [], "simulated": []}
    for i in chosen:
        release = release_of(fit, observed.systems[i])
        for kind in ("observed", "simulated"):
            # one seed per release: else all would share one history of arrivals
            wait = waiting_time(fit, release, condition=condition, successors=kind, seed=i)  # type: ignore[arg-type]
            found[kind].append(wait.to_numpy())
    age = (last - observed.time[chosen]) * DAYS_PER_YEAR
    rows = []
    for after in AFTER:
        old = np.flatnonzero(age >= after)
        row: dict[str, Any] = {"days": after, "releases": len(old)}
        for kind, waits in found.items():
            share = np.mean([waits[i] <= after for i in old], axis=0)
            row[kind] = estimate(share, "1")
        rows.append(row)
    return rows


def costs(fits: dict[int, TrainingCostFit]) -> dict[str, Any]:
    """Posterior, predictions and held-out costs of the regression of training costs."""
    fit = fits[SEEDS[0]]
    table = load_costs()
    known = table["params"].notna() & table["tokens"].notna()
    amortised = table[(table["quantity"] == "training_cost") & (table["basis"] == "amortised")]
    held_out = amortised[known.loc[amortised.index]]
    held_out = held_out[~held_out["name"].isin(trained(table)["name"])]
    rows = []
    for entry, row in held_out.iterrows():
        hardware = row["hardware"] or "A100"
        cost = training_cost(
            fit, row["params"], row["tokens"], hardware=hardware, basis="amortised"
        )["training_cost"]
        rows.append(
            {
                "entry": entry,
                "published": row["value"],
                "predicted": estimate(cost, "USD", mean=False),
                "p_below": probability(cost < row["value"]),
            }
        )
    names = ("utilisation", "params_exponent", "tokens_exponent", "hours_spread", "rate_spread")
    return {
        "runs": len(trained(table)),
        "prices": len(hourly_prices(table)),
        "fits": {
            str(seed): {
                "diagnostics": each.sampled.diagnostics,
                "gemma-2-9b": estimate(
                    training_cost(each, **GEMMA)["training_cost"], "USD", mean=False
                ),
            }
            for seed, each in fits.items()
        },
        "posterior": {name: estimate(fit.sampled.draws[name], "1") for name in names}
        | {
            f"rate_{basis}": estimate(fit.sampled.draws["rate"].sel(basis=basis), "USD")
            for basis in ("rented", "amortised")
        },
        "prior": {name: estimate(fit.sampled.prior[name], "1") for name in names},
        "held_out": rows,
    }


def economics(result: Payback) -> dict[str, Any]:
    """What a pay-back says, and its inverse questions."""
    return {
        "sentence": result.sentence(),
        "table": result.table().to_dict(orient="index"),
        "p_break_even": {f"{v:g}": p_break_even(result, v) for v in DEMAND},
        "demand_90": break_even_demand(result),
        "price_90": {f"{v:g}": break_even_price(result, v) for v in DEMAND},
    }


def article(result: Payback) -> dict[str, Any]:
    """What 1.7 billion visits in two months would pay for, or would have to bring in."""
    halving = result.draws["halving_days"].to_numpy()
    cost = result.draws["training_cost"].to_numpy()
    # the cost drops out of the needed earning as a factor
    needed = cost * implied_earning(1.0, VISITS, WINDOW, halving)
    return {
        "visits": VISITS,
        "window_days": WINDOW,
        "implied_cost": estimate(implied_cost(result, VISITS, WINDOW), "USD", mean=False),
        "usd_per_visit_at_release": estimate(needed, "USD", mean=False),
        "for_costs": {
            f"{value:g}": estimate(
                implied_earning(value, VISITS, WINDOW, halving), "USD", mean=False
            )
            for value in (2.5e5, 1e6, 2.6e6, 1e7)
        },
    }


def figure(fit: db.Fit, result: Payback, fitted: TrainingCostFit, path: Path) -> None:
    """Survival of a release on the frontier, visits against cost, hours of the table."""
    axes = new_axes(16.0, 4.8, columns=3)
    release = release_of(fit, params=8e9)
    waits = {
        f"on the frontier, {condition}": waiting_time(fit, release, condition=condition)
        for condition in CONDITIONS
    }
    plot_waiting(waits, ax=axes[0])
    before = release_of(fit, params=8e9, group="prior")
    for number, condition in enumerate(CONDITIONS):
        curve = waiting_curve(waiting_time(fit, before, condition=condition, group="prior"))
        axes[0].plot(
            curve["days"], curve["p_not_succeeded"], ":", color=COLOURS[number], zorder=0, lw=1.0
        )
    plot_payback(result, window=WINDOW, visits=VISITS, ax=axes[1])
    plot_training_cost(fitted, ax=axes[2])
    whole = figure_of(axes[0])
    whole.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(whole)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("fits", nargs="*", type=Path, help="saved fits; else both are made")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    fits = [db.Fit.load(path) for path in arguments.fits]
    fits = fits or [built_in_fit(name) for name in ("joint", "paper")]
    begin = time.perf_counter()
    spec = load_payback_spec()
    fitted = {seed: fit_training_cost(spec.training, seed=seed) for seed in SEEDS}
    seconds = (time.perf_counter() - begin) / len(SEEDS)
    cost = training_cost(fitted[SEEDS[0]], **GEMMA)["training_cost"]
    content: dict[str, Any] = {"training_cost": costs(fitted) | {"seconds_a_fit": seconds}}
    for fit in fits:
        name = fit.spec.panel.source
        content[name] = lives(fit)
        content[name]["check"] = {c: check(fit, c) for c in ("density", "system")}
        here = "gemma-2-9b" in fit.observed.systems
        # the open panel leaves its developer's scores out: a release on the frontier stands in
        release = release_of(fit, "gemma-2-9b") if here else release_of(fit, params=GEMMA["params"])
        content[name]["payback"] = {
            condition: economics(
                payback(fit, release, Economics(cost), Ending(condition=condition))
            )
            for condition in CONDITIONS
        }
        result = payback(fit, release, Economics(cost, window=WINDOW))
        content[name]["two_months"] = economics(result) | article(result)
    figure(fits[0], result, fitted[SEEDS[0]], arguments.out / "payback.png")
    (arguments.out / "payback.json").write_text(
        json.dumps(plain(content), indent=1) + "\n", encoding="utf-8"
    )
    for name, part in content.items():
        print(name)
        print(json.dumps(plain(part), indent=1))


if __name__ == "__main__":
    main()
