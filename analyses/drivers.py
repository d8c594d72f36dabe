"""Growth of density by driver: longer training, by the scaling law and as regressed.

Variations of the specification on both panels, three seeds of the one that is shipped. Writes
drivers.json and drivers.png. Some five minutes on two cores, and the joint fits unless given.

    python analyses/drivers.py [FIT ...] [--out analyses]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

import densing_bayes as db
from densing_bayes.corollaries.drivers.data import DriversSpec, driver_data, drivers_spec
from densing_bayes.corollaries.drivers.figures import plot_drivers, plot_drivers_prior
from densing_bayes.corollaries.drivers.model import fit_drivers
from densing_bayes.corollaries.drivers.overtraining import overtraining
from densing_bayes.corollaries.drivers.quantities import (
    drivers_table,
    overtraining_growth,
    separation,
)
from densing_bayes.fitting.built_in import built_in_fit
from densing_bayes.fitting.settings import SEED

SEEDS = (SEED, 1, 2)
VARIATIONS: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "all dates": {"since": None},
    "mean form": {"form": "mean"},
    "tokens in place of tokens per param": {"driver": "tokens"},
    "size not held fixed": {"size": False},
}
EXAMPLES = (
    "llama-2-7b",
    "mistral-7b-v0.1",
    "gemma-2-9b",
    "llama-3-8b",
    "llama-3.1-70b",
    "qwen3-8b",
)


def varied(changes: dict[str, Any]) -> DriversSpec:
    """The specification with some choices of its own."""
    return drivers_spec().model_copy(update=changes)


def one(fit: db.Fit, spec: DriversSpec, seed: int) -> dict[str, Any]:
    """A regression in figures."""
    started = time.perf_counter()
    sampled = fit_drivers(fit, spec, seed=seed)
    seconds = time.perf_counter() - started
    table = drivers_table(fit, sampled, spec).round(4)
    law = overtraining_growth(fit, spec)
    return {
        "verdict": sampled.verdict,
        "seed": seed,
        "seconds": round(seconds, 1),
        "rhat_max": round(sampled.diagnostics["rhat_max"], 4),
        "ess_bulk_min": round(sampled.diagnostics["ess_bulk_min"]),
        "systems": sampled.provenance["systems"],
        "releases": sampled.provenance["releases"],
        "law_systems": law.attrs["systems"],
        "law_left_out": law.attrs["left_out"],
        "p_slope_below_law": float((law["density_slope"] < law["law_slope"]).mean()),
        "separation": separation(sampled),
        "table": json.loads(table.to_json(orient="index")),
    }


def examples(fit: db.Fit) -> dict[str, Any]:
    """Log density of some systems, and what longer training gives."""
    gain = overtraining(fit).mean("benchmark")
    known = [name for name in EXAMPLES if name in gain["system"].to_numpy()]
    return {
        name: {
            "log_density": db.estimate(fit.posterior["log_density"].sel(system=name), "1"),
            "overtraining": db.estimate(gain.sel(system=name), "1", mean=False),
        }
        for name in known
    }


def lines(rows: dict[str, Any]) -> list[str]:
    """Rows as a table in Markdown."""
    keys = {
        "growth_total": "growth, 1/year",
        "driver_slope": "slope in the driver",
        "share_by_driver": "share with the driver",
        "law:law_slope": "slope by the law",
        "law:share": "share by the law",
    }
    result = [f"| panel | choice | verdict | {' | '.join(keys.values())} | correlation |"]
    result.append("|" + "---|" * (len(keys) + 4))
    for panel, choices in rows.items():
        for name, entry in choices.items():
            cells = [panel, name, entry["verdict"]]
            for key in keys:
                cells.append(
                    "{median:.2f} ({lower:.2f} to {upper:.2f})".format(**entry["table"][key])
                )
            cells.append(f"{entry['separation']['correlation']:.2f}")
            result.append(f"| {' | '.join(cells)} |")
    return result


def main() -> None:
    """Fit every variation, print the table, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fits", nargs="*", type=Path, help="saved joint fits; both by default")
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    fits = [db.Fit.load(path) for path in arguments.fits] or [
        built_in_fit(name) for name in ("joint", "paper")
    ]
    content: dict[str, Any] = {"rows": {}, "seeds": {}, "examples": {}, "fits": {}}
    figure, axes = plt.subplots(len(fits), 2, figsize=(11, 4.2 * len(fits)), squeeze=False)
    for place, fit in enumerate(fits):
        panel = str(fit.provenance["panel"])
        content["fits"][panel] = fit.verdict
        content["rows"][panel] = {
            name: one(fit, varied(changes), SEEDS[0]) for name, changes in VARIATIONS.items()
        }
        content["seeds"][panel] = [one(fit, varied({}), seed)["verdict"] for seed in SEEDS[1:]]
        content["examples"][panel] = examples(fit)
        sampled = fit_drivers(fit)
        plot_drivers(fit, drivers_table(fit, sampled), axes=list(axes[place]))
        axes[place, 0].set_title(f"panel '{panel}'", fontsize=9)
        if place == 0:
            ax = plot_drivers_prior(driver_data(fit), sampled)
            ax.figure.savefig(arguments.out / "drivers_prior.png", dpi=110, bbox_inches="tight")
    figure.tight_layout()
    figure.savefig(arguments.out / "drivers.png", dpi=120)
    path = arguments.out / "drivers.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines(content["rows"])))


if __name__ == "__main__":
    main()
