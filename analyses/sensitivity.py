"""What the headline hangs on: growth under other choices of data, model and priors.

Each row is a fit of its own with its verdict. Prints a table and writes sensitivity.json.
About twenty minutes on two cores.

python analyses/sensitivity.py [--out analyses/sensitivity.json]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import densing_bayes as db

# More draws and smaller steps than the default: in some variants spreads of effects mix slowly.
SETTINGS: dict[str, Any] = {"seed": 1, "draws": 4000, "tune": 1000, "target_accept": 0.98}
HALF = {"distribution": "halfnormal"}
VARIANTS: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "benchmarks pooled (no drift)": {"density__drift": False},
    "drift may change as much as it differs": {
        "density__drift_change_spread": {"distribution": "lognormal", "median": 0.5, "sigma": 0.5}
    },
    "mean trend (no shortfall)": {"trend__frontier": "none"},
    "no organisation effects": {"trend__organisation_effects": False},
    "no size slope": {"trend__size_slope": False},
    "total params": {"panel__size": "total"},
    "D0 = 5e12 tokens": {"panel__reference_tokens": 5e12},
    "annealed runs only": {"scaling__final_runs": "annealed"},
    "flagged rows with an offset": {"panel__flagged": "offset"},
    "half-normal spreads of the trend (zero not avoided)": {
        "trend__system_spread": HALF | {"sigma": 0.5},
        "trend__organisation_spread": HALF | {"sigma": 0.5},
        "trend__shortfall_spread": HALF | {"sigma": 1.0},
    },
}


def row(fit: db.Fit) -> dict[str, Any]:
    """Headline of a fit, growth per year."""
    rates = db.growth(fit) * 365.25
    result: dict[str, Any] = {"verdict": fit.verdict, "reasons": fit.diagnostics["reasons"]}
    for name in ("before", "after", "change"):
        summary = db.estimate(rates[name], "1/year")
        result[name] = [round(summary[key], 2) for key in ("median", "lower", "upper")]
    result["p_change_gt_0"] = round(float((rates["change"] > 0).mean()), 4)
    time = db.estimate(db.doubling_time(db.growth(fit)["after"]), "days", mean=False)
    result["doubling_days_after"] = [
        None if time[key] is None else round(time[key]) for key in ("median", "lower", "upper")
    ]
    return result | {"systems": len(fit.observed.systems)}


def main() -> None:
    """Fit every variant and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses/sensitivity.json"))
    arguments = parser.parse_args()
    spec, panel = db.load_spec("joint"), db.load_panel("open")
    rows: dict[str, Any] = {}
    base = None
    for name, changes in VARIANTS.items():
        fit = db.fit(spec.replace(**changes), panel, **SETTINGS)
        base = base or fit
        rows[name] = row(fit)
        print(name, rows[name], flush=True)
    table = db.density_table(base)
    inside = table.index[table["in_range"]]
    within = dataclasses.replace(panel, scores=panel.scores[panel.scores["system"].isin(inside)])
    rows["systems within the range of the runs"] = row(db.fit(spec, within, **SETTINGS))
    print(rows["systems within the range of the runs"])
    arguments.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
