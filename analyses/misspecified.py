"""Coverage where the truth is not of the model: growth, and scores of the half year that follows.

Truths are draws of the fit to the open panel, bent in one way each:

- as fitted: not at all, to compare with;
- level shocks: all systems of a half year are denser or less dense together;
- correlated siblings: a release is better at one benchmark than at another, all its sizes alike;
- contamination ramp: from 2023-11-30 on answers to MMLU leak, evenly up to a share of what a
  system would get wrong;
- selection: of each half year the least dense third is never published.

Each replicate simulates the panel, fits all but its last half year as the specification says, and
asks whether intervals of growth hold the truth, and intervals of scores those that follow. Writes
misspecified.json and a table, misspecified.md. Replicates that are done are kept in the store, so
that a run that was stopped goes on; all cells have as many. Half a minute to some minutes each.

    python analyses/misspecified.py [--replicates 20] [--out analyses]
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes import load_panel, load_spec
from densing_bayes.display.sentences import markdown_table
from densing_bayes.errors import DensingError
from densing_bayes.evaluation.leave_out import predicted_scores
from densing_bayes.evaluation.simulation import simulate
from densing_bayes.evaluation.truths import ranks, reported, truth_as_fit
from densing_bayes.fitting.built_in import built_in_fit
from densing_bayes.fitting.compiled import compile_fit
from densing_bayes.fitting.fit import fit_compiled
from densing_bayes.fitting.settings import Sampling
from densing_bayes.fitting.store import address, store_folder, stored_answer, versions
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.observations import Observations, observe
from densing_bayes.posterior.draws import stacked, thinned
from densing_bayes.posterior.result import Fit

CELLS = (
    "as fitted",
    "level shocks",
    "correlated siblings",
    "contamination ramp",
    "selection",
)
SHOCK = 0.5  # sd in ln density: a factor of 1.6 either way
LEAN = 0.5  # sd in ln params
LEAK, LEAK_FROM, LEAKED = 0.3, 1.0, "mmlu"  # share at the end, years since 2022-11-30
UNPUBLISHED = 1.0 / 3.0
HALF_YEAR = 0.5
LOCAL = {"system", "release", "organisation", "cell", "period"}
GROWTH = ("growth before", "growth after", "change of growth")
LEVELS = (50, 80, 95)
DRAWS = 2000  # to predict scores from
SETTINGS: dict[str, Any] = {
    "draws": 1000, "tune": 500, "chains": 4, "target_accept": 0.95, "prior": False,
}  # fmt: skip
SCORES_SEED, FITS_SEED = 10000, 11000


class Simulated(NamedTuple):
    """A simulated panel, the log densities behind it, and which systems were published."""

    panel: Observations
    log_density: np.ndarray
    published: np.ndarray


def bent(
    cell: str, spec: ModelSpec, observed: Observations, truth: xr.Dataset, seed: int
) -> Simulated:
    """A panel simulated from a truth that is bent in the way of a cell."""
    truth = truth.copy()
    if cell == "level shocks":
        some = {"distribution": "exponential", "upper": 1.0}
        spec = spec.replace(trend__periods={"every_months": 6, "spread": some})
        truth["period_spread"] = SHOCK
    if cell == "correlated siblings":
        truth["release_lean_spread"] = LEAN
    panel, log_density = simulate(spec, observed, truth, seed)
    published = np.ones(len(observed.systems), dtype=bool)
    if cell == "contamination ramp":
        panel = leaked(panel, truth["ceiling"].to_numpy())
    if cell == "selection":
        half_year = np.floor(observed.time / HALF_YEAR)
        rank = pd.Series(log_density).groupby(half_year).rank(pct=True)
        published = (rank > UNPUBLISHED).to_numpy()
    return Simulated(panel, log_density, published)


def leaked(panel: Observations, ceiling: np.ndarray) -> Observations:
    """The panel with a share of the wrong answers to one benchmark put right, more and more."""
    k = panel.benchmarks.index(LEAKED)
    time = panel.time[panel.cell_system]
    ramp = np.clip((time - LEAK_FROM) / (panel.time.max() - LEAK_FROM), 0.0, 1.0)
    share = LEAK * ramp * (panel.cell_benchmark == k)
    room = np.maximum(ceiling[panel.cell_benchmark] - panel.score, 0.0)
    return replace(panel, score=panel.score + share * room)


def covered(fit: Fit, coming: Observations, seed: int) -> dict[str, float]:
    """Shares of the scores that follow in their central intervals, and the number of scores."""
    drawn = predicted_scores(fit, coming, thinned(fit.posterior, DRAWS), seed)
    rank = np.mean(drawn < coming.score, axis=0) + 0.5 * np.mean(drawn == coming.score, axis=0)
    shares = {
        f"covered{level}": float(np.mean(np.abs(rank - 0.5) <= level / 200)) for level in LEVELS
    }
    return {"scores": len(rank)} | shares


def summary(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Coverage of growth and of the scores that follow, by cell.

    Parameters
    ----------
    rows
        One per cell and replicate: ``cell``, ``verdict``, ``ranks`` of GROWTH from 0 to 1 and
        ``scores`` as of :func:`covered`. Fits that have not passed say nothing and are left out.

    Returns
    -------
    pandas.DataFrame
        Index ``cell``; ``replicates`` (all of them), ``passed``, ``covered50``, ``covered80`` and
        ``covered95`` of each quantity, and the mean rank of growth after, which tells a bias.
    """
    records = {}
    for cell in dict.fromkeys(row["cell"] for row in rows):
        made = [row for row in rows if row["cell"] == cell]
        own = [row for row in made if row["verdict"] == "PASS"]
        entry: dict[str, Any] = {"replicates": len(made), "passed": len(own)}
        for name in GROWTH:
            rank = np.array([row["ranks"][name] for row in own])
            for level in LEVELS:
                share = np.mean(np.abs(rank - 0.5) <= level / 200)
                entry[f"{name}, covered{level}"] = round(float(share), 3)
            entry[f"{name}, mean rank"] = round(float(rank.mean()), 3)
        weights = [row["scores"]["scores"] for row in own]
        for level in LEVELS:
            share = np.average([row["scores"][f"covered{level}"] for row in own], weights=weights)
            entry[f"scores, covered{level}"] = round(float(share), 3)
        records[cell] = entry
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("cell")


def in_words(table: pd.DataFrame) -> str:
    """The table of all cells in Markdown: coverage at 50, 80 and 95%."""
    header = ["truth", "replicates", "passed", *GROWTH, "mean rank of growth after", "scores"]
    lines = []
    for cell, row in table.iterrows():
        shares = {
            name: " / ".join(f"{row[f'{name}, covered{level}']:.2f}" for level in LEVELS)
            for name in (*GROWTH, "scores")
        }
        lines.append(
            [
                str(cell),
                f"{row['replicates']:.0f}",
                f"{row['passed']:.0f}",
                *(shares[name] for name in GROWTH),
                f"{row['growth after, mean rank']:.2f}",
                shares["scores"],
            ]
        )
    return markdown_table(header, lines)


def main() -> None:
    """Bend, simulate, fit, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=20)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    spec = load_spec("joint")
    observed = observe(load_panel(spec.panel.source), spec)
    real = built_in_fit("joint")
    truths = stacked(real.posterior, "each")
    compiled = compile_fit(spec, observed)
    past = observed.time < observed.time.max() - HALF_YEAR
    sampling = partial(Sampling, cores=arguments.cores, **SETTINGS)

    def judged(cell: str, number: int) -> dict[str, Any]:
        started = time.perf_counter()
        each = int(np.random.default_rng(number).integers(truths.sizes["each"]))
        truth = truths.isel(each=each)
        truth = truth.drop_vars([n for n in truth if not LOCAL.isdisjoint(truth[n].dims)])
        one = bent(cell, spec, observed, truth, SCORES_SEED + number)
        seen = past & one.published
        row: dict[str, Any] = {"cell": cell, "replicate": number, "verdict": "ERROR", "ranks": None}
        try:
            settings = sampling(seed=FITS_SEED + number)
            fit = fit_compiled(compiled, one.panel, settings, near=real, seen=seen)
        except DensingError as error:
            row["reasons"] = [str(error)]
        else:
            told = reported(truth_as_fit(fit, truth, one.log_density[seen]))
            found = ranks(reported(fit), told)
            row["verdict"], row["reasons"] = fit.verdict, fit.diagnostics["reasons"]
            row["ranks"] = {name: found[name] for name in GROWTH}
            row["scores"] = covered(fit, one.panel.of_systems(~past & one.published), number)
        return row | {"seconds": round(time.perf_counter() - started, 1)}

    bends = {"shock": SHOCK, "lean": LEAN, "leak": [LEAK, LEAK_FROM], "unpublished": UNPUBLISHED}
    key = SETTINGS | versions() | bends | {"seeds": [SCORES_SEED, FITS_SEED]}
    named = f"misspecified-{address(spec, observed, key)}"
    rows: list[dict[str, Any]] = []
    for number in range(arguments.replicates):
        for cell in CELLS:
            make = partial(judged, cell, number)
            name = f"{named}-{cell.replace(' ', '-')}-{number}"
            rows.append(stored_answer(name, make, store_folder(), simulate.__module__))
            print(number, cell, rows[-1]["verdict"], rows[-1]["seconds"], flush=True)
        table = summary(rows)
        content = {
            "replicates": number + 1,
            "bends": bends,
            "summary": table.reset_index().to_dict(orient="records"),
            "rows": rows,
        }
        path = arguments.out / "misspecified.json"
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        path.with_suffix(".md").write_text(in_words(table) + "\n", encoding="utf-8")
    print(in_words(table))


if __name__ == "__main__":
    main()
