"""How often each criterion prefers the hypothesis that is true.

Panels with the dates, sizes and missing cells of the open panel are simulated under no change, a
change at ChatGPT and a change ten months later, each with parameters drawn from its own posterior.
The three are fitted to each panel and compared. Prints tables and writes
which_hypothesis_wins.json. About 80 minutes on two cores; panels that are done are kept.

    python analyses/which_hypothesis_wins.py [--panels 60] [--out analyses/...json]
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

import densing_bayes as db
from densing_bayes.batch import run, workers_of
from densing_bayes.evidence import log_evidence, target
from densing_bayes.fitting import Compiled, Fit, compile_fit, fit_compiled
from densing_bayes.leave_out import leave_one_out
from densing_bayes.observations import Observations, observe, with_changes
from densing_bayes.quantities import growth
from densing_bayes.simulation import simulate
from densing_bayes.spec import ChangeSpec, Hypothesis, ModelSpec
from densing_bayes.store import store_folder, stored_answer, versions

LATER = Hypothesis(
    name="later", changes=(ChangeSpec(name="mistral-7b", date=dt.date(2023, 9, 27)),)
)
NAMES = ("none", "chatgpt", "later")
SETTINGS: dict[str, Any] = {"draws": 1200, "tune": 400, "chains": 4, "cores": 1, "prior": False}
POINTS = 250  # of each half of the bridge
DRAWS = 500  # for leave-one-out
Prepared = dict[str, tuple[ModelSpec, Observations, Compiled, Fit]]


def prepared() -> Prepared:
    """Specification, panel, compiled model and fit to the real panel of each hypothesis."""
    spec, panel = db.load_spec("joint"), db.load_panel("open")
    result: Prepared = {}
    compiled: Compiled | None = None
    for name in NAMES:
        own = spec.under(LATER if name == "later" else db.load_hypothesis(name))
        observed = observe(panel, own)
        if compiled is None or not compiled.serves(own, observed):
            compiled = compile_fit(own, observed)
        settings = SETTINGS | {"draws": 1000, "tune": 500}
        real = fit_compiled(compiled, observed, spec=own, seed=1, **settings)
        result[name] = (own, observed, compiled, real)
    return result


def panels(numbers: list[int], version: str) -> list[dict[str, Any]]:
    """The criteria on simulated panels, one after the other in one process."""
    ready: list[Prepared] = []

    def judge(number: int) -> dict[str, Any]:
        if not ready:
            ready.append(prepared())
        return judged(number, ready[0])

    folder = store_folder()
    return [stored_answer(f"wins-{n}-{version}", partial(judge, n), folder) for n in numbers]


def judged(number: int, ready: Prepared) -> dict[str, Any]:
    """Simulate a panel and judge the hypotheses on it."""
    true = NAMES[number % len(NAMES)]
    spec, observed, _, real = ready[true]
    flat = real.posterior.stack(each=["chain", "draw"], create_index=False)
    each = int(np.random.default_rng(number).integers(flat.sizes["each"]))
    simulated, _ = simulate(spec, observed, flat.isel(each=each), seed=5000 + number)
    result: dict[str, Any] = {"panel": number, "truth": true}
    for name, (own, _, compiled, near) in ready.items():
        seen = with_changes(simulated, own)
        fit = fit_compiled(compiled, seen, spec=own, near=near, seed=number, **SETTINGS)
        left_out, _ = leave_one_out(fit, DRAWS)
        shared = target(fit)
        evidence = log_evidence(shared.log_density, shared.draws, number, POINTS)
        result[name] = {
            "verdict": fit.verdict,
            "release": float(np.sum(left_out["release"]["elpd"])),
            "system": float(np.sum(left_out["system"]["elpd"])),
            "evidence": evidence.value,
            "error": evidence.error,
            "p_change_gt_0": float(np.mean(growth(fit)["change"] > 0)),
        }
    return result


def best_of(scores: dict[str, float]) -> str:
    """The name with the highest score."""
    return max(scores, key=lambda name: scores[name])


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How often each criterion prefers the truth, and the calibration of the probability."""
    wins = []
    for true in NAMES:
        own = [row for row in rows if row["truth"] == true]
        entry: dict[str, Any] = {"truth": true, "panels": len(own)}
        entry["all three passed"] = sum(
            all(row[name]["verdict"] == "PASS" for name in NAMES) for row in own
        )
        for criterion in ("release", "system", "evidence"):
            best = [best_of({name: row[name][criterion] for name in NAMES}) for row in own]
            entry |= {f"{criterion}: {name}": best.count(name) for name in NAMES}
        wins.append(entry)
    evidence = np.array([[row[name]["evidence"] for name in NAMES] for row in rows])
    stated = softmax(evidence, axis=1)
    truth = np.array([[row["truth"] == name for name in NAMES] for row in rows])
    edges = np.array([0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0])
    bins = []
    for low, high in itertools.pairwise(edges):
        inside = (stated >= low) & ((stated < high) | (high == 1.0))
        if inside.any():
            bins.append(
                {
                    "from": low,
                    "to": high,
                    "cases": int(inside.sum()),
                    "stated": float(stated[inside].mean()),
                    "true": float(truth[inside].mean()),
                }
            )
    return {
        "wins": wins,
        "calibration": bins,
        "log_score": float(np.mean(np.log(stated[truth]))),
        "log_score_of_guessing": float(-np.log(len(NAMES))),
    }


def main() -> None:
    """Simulate, judge, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panels", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("analyses/which_hypothesis_wins.json"))
    arguments = parser.parse_args()
    version = versions()["source"][:12]
    jobs = workers_of(None) or 1
    shares = [list(range(arguments.panels))[i::jobs] for i in range(jobs)]
    found = run("shares", panels, [(share, version) for share in shares], jobs=jobs, progress=None)
    rows = sorted(itertools.chain(*found), key=lambda row: row["panel"])
    content = summary(rows) | {"rows": rows}
    arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(pd.DataFrame(content["wins"]).to_string(index=False))
    print(pd.DataFrame(content["calibration"]).round(3).to_string(index=False))
    print(
        f"log score {content['log_score']:.2f}, of guessing {content['log_score_of_guessing']:.2f}"
    )


if __name__ == "__main__":
    main()
