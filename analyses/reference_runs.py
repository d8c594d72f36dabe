"""Scores of reference runs with and without an effect that checkpoints of a training run share.

Fits the built-in specification both ways, and asks where each reference score lies in what all
other measurements predict for it. Prints a table and writes reference_runs.json and .md. Some
three minutes on two cores.

    python analyses/reference_runs.py [--out analyses]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

import densing_bayes as db
from densing_bayes.display.sentences import markdown_table
from densing_bayes.evaluation.pit import run_densities, run_pit
from densing_bayes.evaluation.uniformity import uniformity_p
from densing_bayes.fitting.settings import SEED
from densing_bayes.posterior.plain import json_text
from densing_bayes.quantities.labels import benchmark_label


def standardised(fit: db.Fit) -> pd.DataFrame:
    """Each reference score: benchmark, training run, tokens, PIT, its normal quantile, and elpd."""
    runs = db.load_panel(fit.spec.panel.source).runs
    densities = run_densities(fit)
    table = run_pit(fit, densities)
    table = table[table["quantity"] == "reference score"].reset_index(drop=True)
    log_weights, _ = densities["reference_score"].azstats.psislw(dim=["chain", "draw"])
    weights = np.exp(log_weights - log_weights.max(("chain", "draw")))
    density = np.exp(densities["reference_score"]).weighted(weights).mean(("chain", "draw"))
    return table.assign(
        training=runs.loc[table["run"], "checkpoint_of"].to_numpy(),
        tokens=runs.loc[table["run"], "tokens"].to_numpy(float),
        z=norm.ppf(np.clip(table["pit"], 1e-6, 1.0 - 1e-6)),
        elpd=np.log(density.to_numpy()),
    )


def of_benchmark(part: pd.DataFrame) -> dict[str, Any]:
    """Uniformity of the PITs, and what those of one training run have in common."""
    checkpoints = part[part["training"] != ""].sort_values("tokens", kind="stable")
    runs = {}
    for name, rows in checkpoints.groupby("training"):
        if len(rows) > 2:
            z = rows["z"].to_numpy()
            runs[str(name)] = {
                "checkpoints": len(z),
                "mean": float(z.mean()),
                "standard_errors": float(z.mean() * np.sqrt(len(z))),
                "lag_one": float(np.corrcoef(z[:-1], z[1:])[0, 1]),
            }
    return {
        "scores": len(part),
        "p": uniformity_p(part["pit"].to_numpy()),
        "beyond_3": part.loc[part["z"].abs() > 3.0, "run"].tolist(),
        "sd": float(part["z"].std()),
        "runs": runs,
    }


def main() -> None:
    """Fit both ways, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    out = parser.parse_args().out
    spec = db.load_spec("joint")
    content: dict[str, Any] = {}
    tables = {}
    for name, shared in (("independent", False), ("shared", True)):
        fit = db.fit(spec.replace(performance__run_effects=shared), seed=SEED)
        tables[name] = standardised(fit)
        rates = db.growth(fit)
        content[name] = {
            "verdict": fit.verdict,
            "growth": {key: db.estimate(rates[key], "1/day") for key in ("before", "after")},
            "benchmarks": {
                benchmark: of_benchmark(part)
                for benchmark, part in tables[name].groupby("benchmark")
            },
        }
        if shared:
            draws = fit.posterior
            content[name]["run_spread"] = db.estimate(draws["run_spread"], "link")
            content[name]["run_effect"] = {
                str(label): db.estimate(draws["run_effect"].sel(checkpointed_run=label), "link")
                for label in draws["checkpointed_run"].values
            }
    gain = tables["shared"]["elpd"] - tables["independent"]["elpd"]
    content["elpd_gain"] = {
        str(benchmark): {"sum": float(each.sum()), "error": float(each.std() * np.sqrt(len(each)))}
        for benchmark, each in gain.groupby(tables["shared"]["benchmark"])
    }
    (out / "reference_runs.json").write_text(json_text(content) + "\n", encoding="utf-8")
    text = table_of(content)
    (out / "reference_runs.md").write_text(text + "\n", encoding="utf-8")
    print(text)


def table_of(content: dict[str, Any]) -> str:
    """A row per benchmark: p and the runs' means without and with the effect, and the gain."""
    rows = []
    for name, gain in content["elpd_gain"].items():
        both = [content[key]["benchmarks"][name] for key in ("independent", "shared")]
        runs = [
            "; ".join(
                f"{run.removeprefix('OLMo 2 ')} {found['standard_errors']:+.1f}, "
                f"{found['lag_one']:.2f}"
                for run, found in each["runs"].items()
            )
            for each in both
        ]
        p = [f"{each['p']:.3f}" for each in both]
        gained = f"{gain['sum']:+.1f} ({gain['error']:.1f})" if both[0]["runs"] else ""
        rows.append((benchmark_label(name), str(both[0]["scores"]), p[0], runs[0], *p[1:], runs[1]))
        rows[-1] = (*rows[-1], gained)
    header = ["benchmark", "scores", "p, independent", "runs", "p, shared", "runs", "gain"]
    return markdown_table(header, rows)


if __name__ == "__main__":
    main()
