"""Our fit beside the yardsticks: speed as ratios, and agreement of every listed quantity.

    python analyses/speed/compare.py

Runs densing_bayes with its default settings, reads the results of the yardsticks (made by
stan_yardstick.py and plain_pymc.py from the same specification and observations, every seed pooled)
and writes results_ours.json. A speed is the least bulk effective sample size of the list per second
of sampling; the pilot stands beside it and, added to our seconds, gives the stricter ratio.
"""

from __future__ import annotations

import json
import resource
from pathlib import Path

import numpy as np
from quantities import VARIABLES, listed, summarise, write_json

import densing_bayes as db
from densing_bayes.observed.observations import observe

FOLDER = Path(__file__).parent
YARDSTICKS = {"Stan": "results_stan*.json", "plain PyMC, nutpie": "results_plain_pymc*.json"}


def ours() -> dict:
    """Fit with the default settings and summarise the list."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    fit = db.fit("joint", cores=2, seed=7, progress=False)
    cpu = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before
    names = {*VARIABLES, "log_density"} - {"growth_after"}
    labels = {
        name: [str(v) for v in fit.posterior[name][fit.posterior[name].dims[-1]].values]
        for name in names
        if fit.posterior[name].ndim > 2
    }
    draws = {
        name: values.to_numpy().reshape(*values.shape[:2], *((-1,) if values.ndim > 2 else ()))
        for name, values in ((name, fit.posterior[name]) for name in names)
    }
    seconds = fit.provenance["seconds"]
    summary = summarise(listed(draws, labels))
    return {
        "spec_hash": fit.spec.hash,
        "observations_hash": observe(db.load_panel("open"), fit.spec).hash(),
        "verdict": fit.verdict,
        "wall_seconds": seconds["sampling"],
        "pilot_seconds": seconds["pilot"],
        "compile_seconds": seconds["compile"],
        "user_cpu_seconds_in_all": cpu,
        "leapfrog_per_draw": fit.diagnostics["leapfrog_mean"],
        "tree_depth_max": fit.diagnostics["tree_depth_max"],
        "divergences": fit.diagnostics["divergences"],
        "ess_per_wall_second": summary["min_ess_bulk"] / seconds["sampling"],
        "ess_per_wall_second_with_pilot": summary["min_ess_bulk"]
        / (seconds["sampling"] + seconds["pilot"]),
        **summary,
    }


def main() -> None:
    """Run, compare, print."""
    mine = ours()
    write_json(FOLDER / "results_ours.json", mine)
    print(
        f"ours: verdict {mine['verdict']}, least bulk ESS {mine['min_ess_bulk']:.0f} of "
        f"{mine['min_ess_quantity']}, sampling {mine['wall_seconds']:.1f} s, pilot "
        f"{mine['pilot_seconds']:.1f} s, {mine['leapfrog_per_draw']:.0f} leapfrog steps a draw"
    )
    for name, pattern in YARDSTICKS.items():
        runs = [json.loads(path.read_text()) for path in sorted(FOLDER.glob(pattern))]
        same = [
            run
            for run in runs
            if (run["spec_hash"], run["observations_hash"])
            == (mine["spec_hash"], mine["observations_hash"])
        ]
        if not same:
            print(f"{name}: made from another specification or panel; run it again")
            continue
        # Their best case: CPU seconds of the samplers spread over two idle cores.
        seconds = sum(min(run["wall_seconds"], run["user_cpu_seconds"] / 2.0) for run in same)
        rate = sum(run["min_ess_bulk"] for run in same) / seconds
        gaps = {}
        for key, row in mine["quantities"].items():
            mean = np.mean([run["quantities"][key]["mean"] for run in same])
            errors = [run["quantities"][key]["mcse"] for run in same]
            error = np.sqrt(np.sum(np.square(errors))) / len(same)
            gaps[key] = abs(mean - row["mean"]) / np.hypot(error, row["mcse"])
        worst = max(gaps, key=lambda key: gaps[key])
        print(
            f"{name}, {len(same)} runs pooled: {rate:.2f} effective draws a second, "
            f"{np.mean([run['leapfrog_per_draw'] for run in same]):.0f} leapfrog steps a draw, "
            f"{sum(run['divergences'] for run in same)} divergences, R-hat up to "
            f"{max(run['max_r_hat'] for run in same):.3f}; ours is "
            f"{mine['ess_per_wall_second'] / rate:.0f} times as fast in sampling, "
            f"{mine['ess_per_wall_second_with_pilot'] / rate:.0f} times with the pilot; means "
            f"differ by at most {gaps[worst]:.1f} combined errors ({worst}), rms "
            f"{np.sqrt(np.mean(np.square(list(gaps.values())))):.2f}"
        )


if __name__ == "__main__":
    main()
