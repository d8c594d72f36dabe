"""Recovery: whether intervals cover the truth on panels simulated from the model.

Truths are draws of a fit to the specification's own panel, edited by scenario; shortfalls, effects
and scores are simulated anew. Prints a table and writes recovery.json. About 20 minutes on two
cores for 54 panels of "joint", three minutes for each of "paper". Panels in the file stay; a file
of other settings is not overwritten.

    python analyses/recovery.py [--spec joint] [--panels 54] [--skip 6] [--out ...]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import binom

from densing_bayes import load_panel, load_spec
from densing_bayes.evaluation.simulation import simulate
from densing_bayes.fitting.compiled import compile_fit
from densing_bayes.fitting.fit import fit_compiled
from densing_bayes.fitting.settings import Sampling
from densing_bayes.inputs.dates import DAYS_PER_YEAR, date_of
from densing_bayes.observed.observations import observe
from densing_bayes.posterior.draws import stacked
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities import growth

SHARES = {
    "joint": {"as fitted": 26, "no shortfall": 8, "no change": 8, "floor": 12},
    "paper": {"as fitted": 8, "no change": 4},
}
DRAWS = {"joint": 1000, "paper": 3000}
ACCEPT = {"joint": 0.95, "paper": 0.97}
SYSTEMS = ("gpt2-xl", "opt-66b", "llama-7b", "mistral-7b-v0.1", "llama-3-8b")


def edit(truth: xr.Dataset, scenario: str) -> xr.Dataset:
    """Truth of a scenario."""
    truth = truth.copy(deep=True)
    if scenario == "no shortfall":
        truth["shortfall_spread"] = truth["shortfall_spread"] * 0.0
    if scenario in ("no change", "floor"):
        truth["growth_change"] = truth["growth_change"] * 0.0
        truth["drift_change"] = truth["drift_change"] * 0.0
    if scenario == "floor":  # MMLU grows faster, from its floor; nothing changes
        truth["growth_before"] = truth["growth_before"] * 0.0 + 1.0
        mmlu = truth["benchmark"] == "mmlu"
        truth["drift_before"] = xr.where(mmlu, 1.2, -0.4)
    return truth


def targets(fit: Fit, truth: xr.Dataset, log_density: np.ndarray) -> dict[str, tuple]:
    """Draws and truth of every headline quantity."""
    rates = growth.growth(fit) * DAYS_PER_YEAR
    before, change = float(truth["growth_before"]), float(truth["growth_change"].sum())
    last = fit.observed.time.max()
    edge = growth.frontier(fit, [date_of(0.0), date_of(last)])
    result = {
        "growth before": (rates["before"], before),
        "growth after": (rates["after"], before + change),
        "growth change": (rates["change"], change),
        "frontier 2022-11-30": (edge[..., 0], float(truth["level"])),
        "frontier at the end": (edge[..., 1], float(truth["level"]) + (before + change) * last),
    }
    for name in SYSTEMS:
        row = fit.observed.systems.index(name)
        draws = fit.posterior["log_density"].sel(system=name)
        result[f"log density {name}"] = (draws, float(log_density[row]))
    return result


def main() -> None:
    """Simulate, fit, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", choices=sorted(SHARES), default="joint")
    parser.add_argument("--panels", type=int)
    parser.add_argument("--skip", type=int, nargs="+", default=[], help="panels that take too long")
    parser.add_argument("--out", type=Path, default=Path("analyses/recovery.json"))
    arguments = parser.parse_args()
    spec = load_spec(arguments.spec)
    panel = load_panel(spec.panel.source)
    observed = observe(panel, spec)
    compiled = compile_fit(spec, observed)
    settings = {
        "draws": DRAWS[arguments.spec],
        "target_accept": ACCEPT[arguments.spec],
        "tune": 500,
        "chains": 4,
        "cores": 2,
        "prior": False,
    }
    real = fit_compiled(compiled, observed, Sampling(seed=1, **settings))
    flat = stacked(real.posterior, "each")
    plan = [name for name, count in SHARES[arguments.spec].items() for _ in range(count)]
    plan = [plan[i] for i in np.random.default_rng(7).permutation(len(plan))][: arguments.panels]

    def judged(number: int) -> list[dict[str, Any]]:
        scenario = plan[number]
        each = int(np.random.default_rng(number).integers(flat.sizes["each"]))
        truth = edit(flat.isel(each=each), scenario)
        simulated, log_density = simulate(spec, observed, truth, seed=1000 + number)
        result = fit_compiled(compiled, simulated, Sampling(seed=number, **settings))
        head = {"panel": number, "scenario": scenario}
        foot = {
            "p_change_gt_0": float(np.mean(growth.growth(result)["change"] > 0)),
            "verdict": result.verdict,
            "divergences": result.diagnostics["divergences"],
            "reasons": "; ".join(result.diagnostics["reasons"]),
        }
        found = targets(result, truth, log_density).items()
        return [head | row(name, *pair) | foot for name, pair in found]

    key = settings | {"spec": spec.hash, "data": observed.hash()}
    found = json.loads(arguments.out.read_text("utf-8")) if arguments.out.exists() else {}
    if found and found.get("settings") != key:
        raise SystemExit(
            f"{arguments.out} holds panels of other settings, specification or data: "
            f"name another file (--out), or move this one away"
        )
    rows: list[dict[str, Any]] = found.get("rows", [])
    known = {row["panel"] for row in rows}
    for number in sorted(set(range(len(plan))) - known - set(arguments.skip)):
        rows += judged(number)
        one = rows[-1]
        print(number, one["scenario"], one["verdict"], one["reasons"], flush=True)
        table = pd.DataFrame(rows)
        content = {
            "settings": key,
            "skipped": arguments.skip,
            "summary": summary(table),
            "acceleration": acceleration(table),
            "rows": table.round(4).to_dict(orient="records"),
        }
        arguments.out.write_text(json.dumps(content, indent=1))
    print(pd.DataFrame(summary(pd.DataFrame(rows))).to_string())


def row(name: str, draws: xr.DataArray, value: float) -> dict[str, Any]:
    """Where the truth lies in the draws of a quantity."""
    rank = float(np.mean(draws < value))
    return {
        "quantity": name,
        "truth": value,
        "mean": float(draws.mean()),
        "sd": float(draws.std()),
        "rank": rank,
        "in50": 0.25 <= rank <= 0.75,
        "in95": 0.025 <= rank <= 0.975,
    }


def summary(table: pd.DataFrame) -> list[dict]:
    """Coverage of 50% and 95% intervals with the binomial 99% band it should lie in."""
    table = table.assign(
        kind=table["quantity"].str.replace(r"log density .*", "log density", regex=True)
    )
    passed = table[table["verdict"] == "PASS"]
    groups = [("all", table), ("all that passed", passed), *passed.groupby("scenario")]
    result = []
    for scenario, part in groups:
        for kind, rows in part.groupby("kind"):
            # Densities of one panel are one trial: their coverage is averaged within it.
            trials = rows["panel"].nunique()
            entry = {"scenario": scenario, "quantity": kind, "panels": trials}
            for level in (50, 95):
                low, high = binom.interval(0.99, trials, level / 100)
                entry[f"covered{level}"] = round(float(rows[f"in{level}"].mean()), 3)
                entry[f"band{level}"] = [round(low / trials, 3), round(high / trials, 3)]
            result.append(entry)
    return result


def acceleration(table: pd.DataFrame) -> list[dict]:
    """How often P(growth rate rose) is near one or near zero, and how many fits passed."""
    one = table[table["quantity"] == "growth change"]
    return [
        {
            "scenario": scenario,
            "panels": len(rows),
            "passed": int((rows["verdict"] == "PASS").sum()),
            "above95": int((rows["p_change_gt_0"] > 0.95).sum()),
            "below5": int((rows["p_change_gt_0"] < 0.05).sum()),
        }
        for scenario, rows in one.groupby("scenario")
    ]


if __name__ == "__main__":
    main()
