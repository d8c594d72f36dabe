"""What further families of reference runs change, and which law density is measured against.

Fits the current panel with the reference runs alone, and with the losses of five further families:
density measured against the law of the reference runs, of the population and of the family that
reaches 2e10 params. Prints a table and writes reference_families.json and .md. Some five minutes on
two cores; fits are kept.

    python analyses/reference_families.py [--out analyses]
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np

import densing_bayes as db
from densing_bayes.fitting.many import Request, Terms, fitter
from densing_bayes.fitting.settings import STANDARD
from densing_bayes.fitting.store import store_folder, versions
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.observed.observations import observe
from densing_bayes.posterior.plain import json_text
from densing_bayes.quantities.densities import density_table, run_sizes

PILE = "EleutherAI on the Pile"
# Of those in the panel the ones with at least three losses of finished runs of several sizes.
# Published exponents of params, with an irreducible loss, lie between 0.28 and 0.45: a spread of
# their logs of 0.15. Shares of a loss are of its centre, so two families with the same law have the
# same ones; a spread of 0.3 moves a share of a half by 0.07. Losses in nats a token are some three
# times those in bits a byte, which the level has to allow for.
FAMILIES: dict[str, Any] = {
    "also": (PILE, "Mamba", "Mamba-2", "DCLM: fastText filter", "DCLM: RefinedWeb"),
    "level": {"distribution": "normal", "mu": 0.0, "sigma": 1.0},
    "exponent_spread": {"distribution": "lognormal", "median": 0.15, "sigma": 0.5},
    "share_spread": {"distribution": "lognormal", "median": 0.3, "sigma": 0.5},
}
LAWS = {
    "reference runs alone": None,
    "reference runs": "OLMo 2",
    "population": "population",
    PILE: PILE,
}


def answer(fit: db.Fit) -> dict[str, Any]:
    """Growth, systems beyond the runs, and exponents of each family."""
    if fit.verdict != "PASS":
        return {"verdict": fit.verdict}
    rates, effective = db.growth(fit), density_table(fit)["effective_params"]
    smallest, largest = run_sizes(fit.observed)
    found: dict[str, Any] = {
        "verdict": fit.verdict,
        "growth_after": db.estimate(rates["after"] * DAYS_PER_YEAR, "1/year"),
        "growth_change": db.estimate(rates["change"] * DAYS_PER_YEAR, "1/year"),
        "doubling_time_days": db.estimate(db.doubling_time(rates["after"]), "days", mean=False),
        "systems": len(effective),
        "below": int((effective < smallest).sum()),
        "above": int((effective > largest).sum()),
        "params_exponent": {
            str(name): db.estimate(fit.posterior["params_exponent"].sel(loss_benchmark=name), "1")
            for name in fit.posterior["loss_benchmark"].to_numpy()
        },
    }
    if fit.observed.others:
        draws = fit.posterior
        spread, offset = draws["family_exponent_spread"], draws["family_offset"]
        found["exponent_spread"] = db.estimate(spread, "1")
        found["share_spread"] = db.estimate(draws["family_share_spread"], "1")
        found["exponents_beside_population"] = {
            str(name): db.estimate(
                np.exp(spread * offset.sel(shape="params_exponent", family=name)), "1"
            )
            for name in draws["family"].to_numpy()
        }
    return found


def lines(found: dict[str, Any]) -> list[str]:
    """The laws as a table in Markdown."""
    result = [
        "| law | growth after, 1/year | doubling time (days) | below, above the runs |",
        "|---|---|---|---|",
    ]
    for name, own in found.items():
        if own["verdict"] != "PASS":
            result.append(f"| {name} | {own['verdict']} | | |")
            continue
        rate, time = own["growth_after"], own["doubling_time_days"]
        result.append(
            f"| {name} | {rate['median']:.2f} ({rate['lower']:.2f} to {rate['upper']:.2f}) | "
            f"{time['median']:.0f} ({time['lower']:.0f} to {time['upper']:.0f}) | {own['below']}, "
            f"{own['above']} of {own['systems']} |"
        )
    return result


def main() -> None:
    """Fit, write, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    out = parser.parse_args().out
    panel, base = db.load_panel("current"), db.load_spec("current")
    cores = min(4, os.cpu_count() or 1)
    found: dict[str, Any] = {}
    for name, against in LAWS.items():
        spec = base
        if against is not None:
            spec = base.replace(scaling__families=FAMILIES | {"against": against})
        fit = fitter(Terms(STANDARD, versions(), panel.identity, store_folder(), cores))
        found[name] = answer(fit(Request(spec, observe(panel, spec))))
        text = "\n".join(lines(found)) + "\n"
        (out / "reference_families.md").write_text(text, encoding="utf-8")
        (out / "reference_families.json").write_text(json_text(found) + "\n", encoding="utf-8")
        print(f"{name}: {found[name]['verdict']}", flush=True)
    print(text)


if __name__ == "__main__":
    main()
