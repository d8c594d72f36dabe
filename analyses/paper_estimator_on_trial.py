"""The paper's estimator on trial: what it says of data whose growth is known.

Panels with the dates and sizes of the systems that the paper plots, and a score of each on each of
its five benchmarks, are simulated from the joint model fitted to the panel "paper": without growth,
with one rate throughout, and with a rate that rises by half at the release of ChatGPT. The
estimator of the paper is run on each as on its own data. Prints tables and writes
paper_estimator_on_trial.json and a figure. About ten minutes on two cores.

    python analyses/paper_estimator_on_trial.py [--replicates 300] [--out analyses]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import densing_bayes as db
from densing_bayes.evaluation.simulation import simulate
from densing_bayes.fitting.many import Request, Terms, fitter, run, workers_of
from densing_bayes.fitting.settings import STANDARD
from densing_bayes.fitting.store import store_folder, versions
from densing_bayes.inputs.dates import DAYS_PER_YEAR, date_of
from densing_bayes.inputs.published import load_figures
from densing_bayes.observed.observations import Observations, observe
from densing_bayes.quantities import paper_estimator as ls

SETTINGS = STANDARD | {"draws": 2000, "seed": 1}
PUBLISHED = 0.0048  # 1/day, the paper's rate before ChatGPT
SCENARIOS = {  # growth before and after ChatGPT, 1/day
    "no growth": (0.0, 0.0),
    "no acceleration": (PUBLISHED, PUBLISHED),
    "half faster": (PUBLISHED, 1.5 * PUBLISHED),
}
READINGS = ("true densities", "mmlu, true curve", "mmlu, fitted curve", "five benchmarks, fitted")


def complete(observed: Observations) -> Observations:
    """Systems that the paper plots, each with a score on every benchmark."""
    plotted = set(load_figures()["system"].dropna())
    chosen = np.array([system in plotted for system in observed.systems])
    kept = observed.of_systems(chosen)
    systems, benchmarks = len(kept.systems), len(kept.benchmarks)
    k, m = (grid.ravel() for grid in np.mgrid[:benchmarks, :systems])
    items = [observed.cell_items[observed.cell_benchmark == i][0] for i in range(benchmarks)]
    return dataclasses.replace(
        kept,
        score=np.zeros(len(k)),
        cell_label=tuple(
            f"{kept.systems[i]}|{kept.benchmarks[j]}" for i, j in zip(m, k, strict=True)
        ),
        cell_system=m.astype(np.int64),
        cell_benchmark=k.astype(np.int64),
        cell_items=np.array(items)[k],
        cell_flag=np.full(len(k), -1),
    )


def as_panel(panel: db.Panel, simulated: Observations) -> db.Panel:
    """The panel with simulated losses and scores."""

    def table(labels: tuple[str, ...], key: str, values: np.ndarray, name: str) -> pd.DataFrame:
        pairs = [label.split("|") for label in labels]
        return pd.DataFrame(pairs, columns=[key, "benchmark"]).assign(**{name: values})

    unsized = panel.runs.index[panel.runs["params"].isna()]
    losses = table(simulated.loss_label, "run", simulated.loss, "loss")
    of_points = panel.losses[panel.losses["run"].isin(unsized)]
    return dataclasses.replace(
        panel,
        losses=pd.concat([losses, of_points[["run", "benchmark", "loss"]]], ignore_index=True),
        reference_scores=table(
            simulated.reference_label, "run", simulated.reference_score, "score"
        ),
        scores=table(simulated.cell_label, "system", simulated.score, "score"),
    )


def replicates(fit: db.Fit, scenario: str, seeds: list[int]) -> list[dict[str, Any]]:
    """What the estimator says of simulated panels of a scenario."""
    panel, observed = db.load_panel("paper"), complete(fit.observed)
    dates = pd.Series([date_of(t) for t in observed.time])
    before, after = (rate * DAYS_PER_YEAR for rate in SCENARIOS[scenario])
    sizes = fit.posterior.sizes
    rows = []
    for seed in seeds:
        random = np.random.default_rng(seed)
        at = {dim: int(random.integers(sizes[dim])) for dim in ("chain", "draw")}
        truth = fit.posterior.isel(at)
        truth = truth.assign(
            growth_before=truth["growth_before"] * 0.0 + before,
            growth_change=truth["growth_change"] * 0.0 + (after - before),
            # growth of every benchmark is that of their mean
            drift_before=truth["drift_before"] * 0.0,
            drift_change=truth["drift_change"] * 0.0,
        )
        simulated, log_density = simulate(fit.spec, observed, truth, seed)
        density = np.exp(log_density)
        best = ls.running_maximum(dates, density)
        lines = {
            READINGS[0]: (
                ls.growth_line(dates[best], density[best]),
                *ls.growth_on_sides(dates, density),
            )
        }
        data = as_panel(panel, simulated)
        for reading, benchmarks, curve in (
            (READINGS[1], ["mmlu"], true_loss_curve(observed, truth, "mmlu")),
            (READINGS[2], ["mmlu"], None),
            (READINGS[3], None, None),
        ):
            found = ls.estimate_as_paper(data, benchmarks, loss_curve=curve)
            lines[reading] = (found.growth, found.before, found.after)
        rows.append(
            {
                reading: [None if line is None else line._asdict() for line in found]
                for reading, found in lines.items()
            }
        )
    return rows


def true_loss_curve(observed: Observations, truth: Any, benchmark: str) -> ls.LossCurve:
    """The loss curve that a panel was simulated from, with params and tokens as counts."""
    own = truth.sel(loss_benchmark=benchmark)
    alpha, beta = float(own["params_exponent"]), float(own["tokens_exponent"])
    a = float(own["params_loss"]) * observed.centre_params**alpha
    b = float(own["tokens_loss"]) * observed.centre_tokens**beta
    return ls.LossCurve(a, alpha, b, beta)


def summary(rows: list[dict[str, Any]], reading: str, true_rate: float) -> dict[str, Any]:
    """Sampling distribution of the rate, R2 and acceleration of a reading."""
    whole, before, after = (pd.DataFrame([row[reading][i] or {} for row in rows]) for i in range(3))
    for table in (whole, before, after):
        for column in set(ls.GrowthFit._fields) - set(table):
            table[column] = np.nan
    both = before["rate"].notna() & after["rate"].notna() & (before["rate"] > 0)
    ratio = (after["rate"] / before["rate"])[both]
    has_both = before["rate"].notna() & after["rate"].notna()
    faster = (after["rate"] - 1.5 * before["rate"])[has_both] >= 0
    return {
        "reading": reading,
        "true_rate": true_rate,
        "rate": [float(q) for q in whole["rate"].quantile([0.025, 0.5, 0.975])],
        "r_squared": [float(q) for q in whole["r_squared"].quantile([0.025, 0.5, 0.975])],
        "share_r_squared_above_0.9": float((whole["r_squared"] > 0.9).mean()),
        "points": float(whole["points"].median()),
        "points_before": float(before["points"].median()),
        "points_after": float(after["points"].median()),
        "with_both_sides": int(has_both.sum()),
        "share_half_faster": float(faster.mean()),
        "ratio": [float(q) for q in ratio.quantile([0.025, 0.5, 0.975])],
    }


def figure(rows: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Rates and R2 of the running maximum, by scenario."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    colours = dict(zip(SCENARIOS, ("#5b6470", "#0072b2", "#d55e00"), strict=True))
    for scenario, found in rows.items():
        lines = [row[READINGS[3]][0] for row in found if row[READINGS[3]][0]]
        sides = [row[READINGS[2]][1:] for row in found if all(row[READINGS[2]][1:])]
        change = [after["rate"] - before["rate"] for before, after in sides]
        for ax, values, bins in (
            (axes[0], [line["r_squared"] for line in lines], np.linspace(0, 1, 31)),
            (axes[1], change, np.linspace(-0.02, 0.03, 41)),
        ):
            ax.hist(np.clip(values, bins[0], bins[-1]), bins, density=True, histtype="step",
                    color=colours[scenario], lw=1.6, label=scenario)  # fmt: skip
    for ax, at, side in ((axes[0], 0.934, -1), (axes[1], 0.0025, 1)):
        ax.axvline(at, color="#20262e", lw=1, ls=(0, (4, 3)))
        style = {"ha": "right" if side < 0 else "left", "va": "top", "fontsize": 8}
        place = {"xytext": (4 * side, 0), "textcoords": "offset points"}
        ax.annotate(
            f"paper: {at}", (at, 0.96), xycoords=("data", "axes fraction"), **place, **style
        )
    axes[0].set(xlabel="R² of the running maximum, five benchmarks", ylabel="density over panels")
    axes[1].set(xlabel="rate after minus before ChatGPT, 1/day, MMLU")
    axes[0].legend(frameon=False, fontsize=8, loc="upper left")
    figure.savefig(path, dpi=130)


def lines(content: dict[str, Any]) -> list[str]:
    """The summaries as a table in Markdown."""
    head = ["Scenario", "Reading", "A, 1/day", "R²", "R² > 0.9", "Points before, after"]
    head += ["After >= 1.5 before", "Ratio"]
    result = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for scenario, found in content["scenarios"].items():
        for row in found:
            low, middle, high = row["rate"]
            ratio = row["ratio"]
            cells = [scenario, row["reading"], f"{middle:.4f} ({low:.4f} to {high:.4f})"]
            cells.append("{1:.2f} ({0:.2f} to {2:.2f})".format(*row["r_squared"]))
            cells.append(f"{row['share_r_squared_above_0.9']:.2f}")
            cells.append(f"{row['points_before']:.0f}, {row['points_after']:.0f}")
            cells.append(f"{row['share_half_faster']:.2f}")
            cells.append(f"{ratio[1]:.1f} ({ratio[0]:.1f} to {ratio[2]:.1f})")
            result.append(f"| {' | '.join(cells)} |")
    return result


def main() -> None:
    """Fit, simulate, estimate, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    spec = db.load_spec("paper")
    request = Request(spec, observe(db.load_panel("paper"), spec))
    jobs = workers_of(None) or 1
    terms = Terms(SETTINGS, versions(), {"panel": "paper"}, store_folder(), cores=jobs)
    fit = fitter(terms)(request)
    shares = [list(range(arguments.replicates))[i::jobs] for i in range(jobs)]
    rows: dict[str, list[dict[str, Any]]] = {}
    for scenario in SCENARIOS:
        calls = [(fit, scenario, share) for share in shares]
        found = run(scenario, replicates, calls, jobs=jobs, progress=None)
        rows[scenario] = [row for part in found for row in part]
    observed = complete(fit.observed)
    content = {
        "replicates": arguments.replicates,
        "systems": len(observed.systems),
        "systems_before": int((observed.time < 0).sum()),
        "fit": {key: fit.diagnostics[key] for key in ("verdict", "rhat_max", "ess_bulk_min")},
        "scenarios": {
            scenario: [summary(found, reading, SCENARIOS[scenario][1]) for reading in READINGS]
            for scenario, found in rows.items()
        },
    }
    print("\n".join(lines(content)))
    path = arguments.out / "paper_estimator_on_trial.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    figure(rows, arguments.out / "paper_estimator_on_trial.png")


if __name__ == "__main__":
    main()
