"""What the answer depends on: growth under other choices of data, model and priors.

Each row is a fit of its own, with its verdict, under the hypothesis of the specification (a change
in slope at ChatGPT). The evidence against no change is a Savage-Dickey ratio from the same fit.
Prints a table and writes it as multiverse.md and .json, where rows of an earlier run stay. About a
minute a row on two cores; fits are kept.

    python analyses/multiverse.py [--rows "as shipped" ...] [--out analyses/multiverse.json]
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

import densing_bayes as db
from densing_bayes.evaluation.hypotheses.criteria import by_structure
from densing_bayes.fitting.evidence import savage_dickey, target
from densing_bayes.fitting.many import Request, Terms, fitter, run, workers_of
from densing_bayes.fitting.settings import STANDARD
from densing_bayes.fitting.store import store_folder, versions
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.observations import observe
from densing_bayes.posterior.result import Fit

BENCHMARKS = ("hellaswag", "arc_challenge", "mmlu", "winogrande")
EVERY_WAY: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "no drift of benchmarks": {"density__drift": False},
    "no size slope": {"trend__size_slope": False},
    "no release effects": {"trend__release_effects": False},
    "total params": {"panel__size": "total"},
    "D0 = 5e12 tokens": {"panel__reference_tokens": 5e12},
    "open weights only": {"panel__weights": "open"},
    "dense only": {"panel__architectures": ("dense",)},
    "1B params and more": {"panel__min_params": 1e9},
}
EVERY_WAY |= {f"{name} only": {"benchmarks": (name,)} for name in BENCHMARKS}
FEWER = ("open weights only", "dense only", "1B params and more")
MEAN = "mean trend: "
HALF = {"distribution": "halfnormal"}
ONCE: dict[str, dict[str, Any]] = {
    f"without {name}": {"benchmarks": tuple(other for other in BENCHMARKS if other != name)}
    for name in BENCHMARKS
} | {
    "shortfalls of a scale that drifts": {"trend__shortfall_drift": True},
    "no organisation effects": {"trend__organisation_effects": False},
    "a trend that does not wander": {"trend__walk": None},
    "no effects of quarters": {"trend__periods": None},
    "no leans of organisations": {"density__lean": None},
    "releases below the frontier only": {"trend__release_scatter": None},
    "drift may change as much as it differs": {
        "density__drift_change_spread": {"distribution": "lognormal", "median": 0.5, "sigma": 0.5}
    },
    "annealed runs only": {"scaling__final_runs": "annealed"},
    "flagged rows with an offset": {"panel__flagged": "offset"},
    "half-normal spreads of the trend": {
        "trend__system_spread": HALF | {"sigma": 0.5},
        "trend__shortfall_spread": HALF | {"sigma": 1.0},
        "trend__organisation_spread": HALF | {"sigma": 0.5},
    },
}


def varied(spec: ModelSpec, changes: dict[str, Any]) -> ModelSpec:
    """The specification with a choice changed; "benchmarks" names those that stay."""
    changes = dict(changes)
    only = changes.pop("benchmarks", None)
    if only is not None:
        kept = {name: spec.benchmarks[name].model_dump() for name in only}
        changes["benchmarks"] = kept
    return spec.replace(**changes)


def row(fit: Fit, evidence: bool = True) -> dict[str, Any]:
    """Growth per year, doubling time in days and evidence of a fit, with its verdict."""
    rates = db.growth(fit) * DAYS_PER_YEAR
    result: dict[str, Any] = {
        name: db.estimate(rates[name], "1/year", mean=False)
        for name in ("before", "after", "change")
    }
    result["p_gt_0"] = float(np.mean(rates["change"] > 0))
    result["p_ge_half"] = float(np.mean(rates["after"] >= 1.5 * rates["before"]))
    after = db.doubling_time(db.growth(fit)["after"])
    result["doubling_days_after"] = db.estimate(after, "days", mean=False)
    general = db.estimand_growth(fit)["after"].sel(estimand="benchmarks in general")
    result["doubling_days_in_general"] = db.estimate(db.doubling_time(general), "days", mean=False)
    days = db.doubling_time(db.benchmark_growth(fit)["after"])
    result["doubling_days_by_benchmark"] = {
        str(name): db.estimate(days.sel(benchmark=name), "days", mean=False)
        for name in days["benchmark"].to_numpy()
    }
    life = db.frontier_shelf_life(fit)
    result["shelf_life_days"] = db.estimate(life, "days", mean=False)
    result["out_of_range"] = int((~db.density_table(fit)["in_range"]).sum())
    for name, unit in (("shortfall_growth", "1/year"), ("size_slope", "1")):
        if name in fit.posterior:
            result[name] = db.estimate(fit.posterior[name], unit)
    if evidence:
        at_zero = fit.spec.trend.growth_change.log_density(np.array(0.0))
        against = savage_dickey(target(fit), "growth_change", float(at_zero))
        result["evidence_for_change"] = {"value": -against.value, "error": against.error}
    observed = fit.observed
    result["systems"], result["releases"] = len(observed.systems), len(observed.releases)
    result["verdict"], result["reasons"] = fit.verdict, fit.diagnostics["reasons"]
    return result


def rows_of(requests: list[Request], terms: Terms) -> list[dict[str, Any]]:
    """The rows of requests that one compilation serves."""
    fit = fitter(terms)
    return [row(fit(request)) for request in requests]


def main() -> None:
    """Fit every choice and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses/multiverse.json"))
    parser.add_argument("--rows", nargs="+", help="some rows; all by default")
    arguments = parser.parse_args()
    spec, panel = db.load_spec("joint"), db.load_panel("open")
    choices = {name: varied(spec, changes) for name, changes in (EVERY_WAY | ONCE).items()}
    choices |= {
        f"{MEAN}{name}": varied(spec, changes).replace(trend__frontier="none")
        for name, changes in EVERY_WAY.items()
    }
    requests = {name: Request(own, observe(panel, own)) for name, own in choices.items()}
    for name in FEWER:  # unseen in the model of all systems, which needs no compilation of its own
        for prefix in ("", MEAN):
            whole = requests[prefix + "as shipped"]
            kept = np.isin(whole.observed.systems, requests[prefix + name].observed.systems)
            requests[prefix + name] = whole._replace(seen=kept)
    terms = Terms(STANDARD, versions(), {"panel": "open"}, store_folder())
    shipped = requests["as shipped"]
    table = db.density_table(fitter(terms)(shipped))
    inside = table.index[table["in_range"]]
    kept = np.isin(shipped.observed.systems, inside)
    requests["within the range of the runs"] = shipped._replace(seen=kept)
    names = arguments.rows or list(requests)
    jobs = workers_of(None)
    groups = by_structure({name: requests[name].spec for name in names})
    calls = [([requests[name] for name in group], terms) for group in groups]
    found = run("fits", rows_of, calls, jobs=jobs, progress=None)
    rows = json.loads(arguments.out.read_text("utf-8")) if arguments.out.exists() else {}
    rows |= dict(zip(itertools.chain(*groups), itertools.chain(*found), strict=True))
    rows = {name: rows[name] for name in requests if name in rows}
    arguments.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    text = "\n".join(lines(rows))
    arguments.out.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
    print(text)


def lines(rows: dict[str, Any]) -> list[str]:
    """The rows as a table in Markdown, without figures of fits that did not pass."""

    def interval(estimate: dict[str, Any], digits: int = 2) -> str:
        parts = [estimate[key] for key in ("median", "lower", "upper")]
        return "{} ({} to {})".format(
            *("inf" if part is None else f"{part:.{digits}f}" for part in parts)
        )

    with_evidence = any("evidence_for_change" in entry for entry in rows.values())
    names = ["choice", "systems", "before", "after", "change", "doubling days after"]
    names += ["evidence for a change, nats"] * with_evidence + ["fit"]
    result = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    for name, entry in rows.items():
        cells = ["-"] * (len(names) - 3)
        if entry["verdict"] == "PASS":
            cells = [interval(entry[key]) for key in ("before", "after", "change")]
            cells.append(interval(entry["doubling_days_after"], 0))
            if with_evidence:
                evidence = entry["evidence_for_change"]
                cells.append(f"{evidence['value']:.1f} ± {evidence['error']:.1f}")
        row = [name, str(entry["systems"]), *cells, entry["verdict"]]
        result.append(f"| {' | '.join(row)} |")
    return result


if __name__ == "__main__":
    main()
