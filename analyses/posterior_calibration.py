"""Posterior calibration: whether intervals hold truths that are like the panel there is.

Truths are draws of the fit to the whole panel of a specification; shortfalls, effects, losses and
scores are simulated anew from each, and fitted as the panel was. Over replicates, the intervals of
every headline and derived quantity should hold the truth as often as they say. Truths come from the
posterior and not from the prior, so ranks need not be exactly uniform; coverage is what is asked.

Writes posterior_calibration.json, of all specifications, and a table, posterior_calibration.md.
Replicates that are done are kept in the store, so that a run that was stopped goes on. The present
specifications are used: if one changes, its replicates are made anew. Half a minute to some minutes
for a replicate.

    python analyses/posterior_calibration.py [--specs joint paper] [--replicates 100]
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom

from densing_bayes import load_panel, load_spec
from densing_bayes.display.sentences import markdown_table
from densing_bayes.errors import DensingError
from densing_bayes.evaluation.simulation import simulate
from densing_bayes.evaluation.truths import ranks, reported, truth_as_fit
from densing_bayes.fitting.built_in import built_in_fit
from densing_bayes.fitting.compiled import compile_fit
from densing_bayes.fitting.fit import fit_compiled
from densing_bayes.fitting.settings import Sampling
from densing_bayes.fitting.store import address, store_folder, stored_answer, versions
from densing_bayes.observed.observations import observe
from densing_bayes.posterior.draws import stacked

SETTINGS: dict[str, Any] = {"draws": 1000, "tune": 500, "chains": 4, "prior": False}
ACCEPT = {"joint": 0.95, "paper": 0.97}
LEVELS = (50, 80, 95)
SCORES_SEED, FITS_SEED = 8000, 9000


def replicates(name: str, count: int, cores: int) -> list[dict[str, Any]]:
    """Rank of the truth of each quantity in each replicate, and the verdict of its fit."""
    spec = load_spec(name)
    observed = observe(load_panel(spec.panel.source), spec)
    real = built_in_fit(name)
    truths = stacked(real.posterior, "each")
    compiled = compile_fit(spec, observed)
    settings = SETTINGS | {"target_accept": ACCEPT[name]}

    def judged(number: int) -> dict[str, Any]:
        started = time.perf_counter()
        each = int(np.random.default_rng(number).integers(truths.sizes["each"]))
        truth = truths.isel(each=each)
        panel, log_density = simulate(spec, observed, truth, SCORES_SEED + number)
        row: dict[str, Any] = {"replicate": number, "verdict": "ERROR", "ranks": None}
        try:
            sampling = Sampling(seed=FITS_SEED + number, cores=cores, **settings)
            fit = fit_compiled(compiled, panel, sampling, near=real)
        except DensingError as error:
            row["reasons"] = [str(error)]
        else:
            told = truth_as_fit(fit, shared(truth), log_density)
            row["verdict"], row["reasons"] = fit.verdict, fit.diagnostics["reasons"]
            row["ranks"] = ranks(reported(fit), reported(told))
        return row | {"seconds": round(time.perf_counter() - started, 1)}

    key = settings | versions() | {"seeds": [SCORES_SEED, FITS_SEED]}
    named = f"posterior-calibration-{address(spec, observed, key)}"
    rows = []
    for number in range(count):
        make = partial(judged, number)
        rows.append(stored_answer(f"{named}-{number}", make, store_folder(), simulate.__module__))
        one = rows[-1]
        print(name, number, one["verdict"], one["seconds"], *one["reasons"], flush=True)
    return rows


def shared(truth: Any) -> Any:
    """What all systems share, of one draw of everything."""
    own = {"system", "release", "organisation", "cell", "period"}
    return truth.drop_vars([name for name in truth if not own.isdisjoint(truth[name].dims)])


def summary(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """How often intervals held the truth, by quantity.

    Parameters
    ----------
    rows
        One per replicate: ``verdict``, and ``ranks`` by quantity, from 0 to 1. Fits that have not
        passed say nothing and are left out.

    Returns
    -------
    pandas.DataFrame
        Index ``quantity``; ``replicates``, ``mean_rank``, ``covered50``, ``covered80`` and
        ``covered95``, and the 95% binomial band of each if intervals are right.
    """
    table = pd.DataFrame([row["ranks"] for row in rows if row["verdict"] == "PASS"])
    records = {}
    for name in table.columns:
        off = np.abs(table[name].to_numpy() - 0.5)
        entry: dict[str, Any] = {
            "replicates": len(off),
            "mean_rank": round(float(table[name].mean()), 3),
        }
        for level in LEVELS:
            low, high = binom.interval(0.95, len(off), level / 100)
            entry[f"covered{level}"] = round(float(np.mean(off <= level / 200)), 3)
            entry[f"band{level}"] = [round(low / len(off), 3), round(high / len(off), 3)]
        records[name] = entry
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("quantity")


def in_words(content: dict[str, Any]) -> str:
    """The table of all specifications in Markdown: each share with the band it should lie in."""
    header = ["panel", "quantity", "replicates", "mean rank", *(f"{level}%" for level in LEVELS)]
    rows = []
    for name, found in content.items():
        for row in found["summary"]:
            held = [
                "{:.2f} ({:.2f} to {:.2f})".format(row[f"covered{level}"], *row[f"band{level}"])
                for level in LEVELS
            ]
            panel = load_spec(name).panel.source
            counted = [str(row["replicates"]), f"{row['mean_rank']:.2f}"]
            rows.append([panel, row["quantity"], *counted, *held])
    return markdown_table(header, rows)


def overall(table: pd.DataFrame) -> dict[str, float]:
    """Mean coverage over all quantities; these depend on each other within a replicate."""
    return {
        key: round(float(table[key].mean()), 3) for key in ("covered50", "covered80", "covered95")
    }


def main() -> None:
    """Simulate, fit, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--specs", nargs="+", choices=sorted(ACCEPT), default=sorted(ACCEPT))
    parser.add_argument("--replicates", type=int, default=100)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    path = arguments.out / "posterior_calibration.json"
    content = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for name in arguments.specs:
        rows = replicates(name, arguments.replicates, arguments.cores)
        table = summary(rows)
        content[name] = {
            "replicates": len(rows),
            "verdicts": dict(Counter(row["verdict"] for row in rows)),
            "all": overall(table),
            "summary": table.reset_index().to_dict(orient="records"),
            "rows": rows,
        }
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        path.with_suffix(".md").write_text(in_words(content) + "\n", encoding="utf-8")
    print(in_words(content))


if __name__ == "__main__":
    main()
