"""The joint posterior on the paper's panel: what the data inform and what depends on it.

The specification "paper" and variations of it, one fit each, with its verdict. Prints tables,
writes paper_panel.json, where rows of an earlier run stay, and a figure: exponents under prior and
posterior, doubling time and density against alpha. About twenty-five minutes on two cores.

    python analyses/paper_panel.py [--rows "as shipped" ...] [--out analyses]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from multiverse import lines, row, varied

import densing_bayes as db
from densing_bayes.fitting.many import Request, Terms, fitter, run, workers_of
from densing_bayes.fitting.settings import STANDARD
from densing_bayes.fitting.store import store_folder, versions
from densing_bayes.inputs.published import load_alternative_scores
from densing_bayes.observed.observations import observe
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.paper_estimator import drawn_curves

SETTINGS = STANDARD | {"draws": 2000}
NEAR_DRAWN = {  # exponents about those of the drawn curves, and narrow
    "scaling__params_exponent": {"distribution": "lognormal", "median": 0.12, "sigma": 0.1},
    "scaling__tokens_exponent": {"distribution": "lognormal", "median": 0.3, "sigma": 0.2},
    "scaling__exponent_spread": {"distribution": "lognormal", "median": 0.2, "sigma": 0.2},
}
CHOICES: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "comparable params": {"panel__size": "comparable"},
    "params without embeddings": {"panel__size": "non-embedding"},
    "D0 = 1e12 tokens": {"panel__reference_tokens": 1e12},
    "no drift of benchmarks": {"density__drift": False},
    "exponents each on their own": {"scaling__pooling": False},
    "exponents near the drawn curves": NEAR_DRAWN,
    "mean trend": {"trend__frontier": "none"},
    "mmlu only": {"benchmarks": "mmlu"},
}
WITHOUT = ("bbh", "mbpp")  # benchmarks of which reports give the most protocols
EXAMPLES = ("llama-65b", "gemma-2-9b", "llama-3.1-405b")


def second_readings(panel: db.Panel) -> db.Panel:
    """The panel with the mean of the other readings of a score, where there are any."""
    second = load_alternative_scores().groupby(["system", "benchmark"])["score"].mean()
    scores = panel.scores.set_index(["system", "benchmark"])
    scores["score"] = second.reindex(scores.index).fillna(scores["score"])
    return dataclasses.replace(panel, scores=scores.reset_index())


def requests() -> dict[str, Request]:
    """Specification and panel of each row."""
    spec, panel = db.load_spec("paper"), db.load_panel("paper")
    result = {}
    for name, changes in CHOICES.items():
        own = varied(spec, changes)
        result[name] = Request(own, observe(panel, own))
    for left_out in WITHOUT:
        kept = {k: v.model_dump() for k, v in spec.benchmarks.items() if k != left_out}
        own = spec.replace(benchmarks=kept)
        result[f"without {left_out}"] = Request(own, observe(panel, own))
    result["second readings"] = Request(spec, observe(second_readings(panel), spec))
    return result


def one(request: Request, terms: Terms) -> dict[str, Any]:
    """The row of a request: growth, evidence, exponents, and densities of examples."""
    fit = fitter(terms)(request)
    result = row(fit, evidence=False)
    alpha = fit.posterior["params_exponent"]
    result["params_exponent"] = {
        str(name): db.estimate(alpha.sel(loss_benchmark=name), "1")
        for name in alpha["loss_benchmark"].to_numpy()
    }
    density = db.densities(fit)["density"]
    result["density"] = {
        name: db.estimate(density.sel(system=name), "1")
        for name in EXAMPLES
        if name in fit.observed.systems
    }
    result["doubling_against_log_alpha"] = correlation(fit)
    return result


def correlation(fit: Fit) -> float:
    """Correlation over draws of the growth since ChatGPT and the mean log alpha."""
    rate = db.growth(fit)["after"].to_numpy().ravel()
    alpha = np.log(fit.posterior["params_exponent"]).mean("loss_benchmark").to_numpy().ravel()
    return float(np.corrcoef(rate, alpha)[0, 1])


def moved(fit: Fit) -> dict[str, dict[str, dict[str, float]]]:
    """Standard deviation of each log exponent under the posterior over that under the prior."""
    result: dict[str, dict[str, dict[str, float]]] = {}
    for name in ("params_exponent", "tokens_exponent"):
        after, before = np.log(fit.posterior[name]), np.log(fit.prior[name])
        result[name] = {
            str(benchmark): {
                "posterior_sd": float(after.sel(loss_benchmark=benchmark).std()),
                "prior_sd": float(before.sel(loss_benchmark=benchmark).std()),
            }
            for benchmark in after["loss_benchmark"].to_numpy()
        }
    return result


def figure(fit: Fit, path: Path) -> None:
    """Exponents under prior and posterior; doubling time and a density against alpha."""
    benchmarks = list(fit.observed.loss_benchmarks)
    figure, axes = plt.subplots(2, 2, figsize=(10, 6.4), layout="constrained")
    for ax, name, key in (
        (axes[0, 0], "params_exponent", "alpha"),
        (axes[0, 1], "tokens_exponent", "beta"),
    ):
        for place, benchmark in enumerate(benchmarks):
            for group, colour, width in (
                (fit.prior, "#b9c0c8", 6.0),
                (fit.posterior, "#0072b2", 3.0),
            ):
                draws = group[name].sel(loss_benchmark=benchmark)
                low, middle, high = np.quantile(draws, [0.025, 0.5, 0.975])
                ax.plot([low, high], [place, place], color=colour, lw=width, solid_capstyle="butt")
                ax.plot(middle, place, "o", color=colour, ms=5, mec="white", mew=0.7)
            drawn = getattr(drawn_curves(benchmark)[0], key)
            ax.plot(drawn, place, "x", color="#d55e00", ms=7, mew=1.6)
        ax.set(xscale="log", xlabel=key, ylim=(len(benchmarks) - 0.5, -0.5))
        ax.set_yticks(range(len(benchmarks)), benchmarks)
        ax.set_xticks([0.05, 0.1, 0.2, 0.4, 0.8], ["0.05", "0.1", "0.2", "0.4", "0.8"])
        ax.minorticks_off()
    axes[0, 0].set_title("grey: prior, blue: posterior (95%), cross: drawn curve", fontsize=9)
    every = slice(None, None, 8)
    alpha = np.exp(np.log(fit.posterior["params_exponent"]).mean("loss_benchmark"))
    alpha = alpha.to_numpy().ravel()[every]
    doubling = db.doubling_time(db.growth(fit)["after"]).to_numpy().ravel()[every]
    density = db.densities(fit)["density"].sel(system="gemma-2-9b").to_numpy().ravel()[every]
    axes[1, 0].scatter(alpha, doubling, s=5, color="#0072b2", alpha=0.4, lw=0)
    axes[1, 0].set(ylabel="doubling time since ChatGPT, days")
    axes[1, 1].scatter(alpha, density, s=5, color="#0072b2", alpha=0.4, lw=0)
    axes[1, 1].set(ylabel="density of Gemma-2-9B", yscale="log")
    for ax in axes[1]:
        ax.set_xlabel("geometric mean of alpha over benchmarks")
    figure.savefig(path, dpi=130)


def more_lines(rows: dict[str, Any]) -> list[str]:
    """Exponents and densities of the rows as a table in Markdown."""
    names = ["choice", "alpha, medians", *(f"density of {name}" for name in EXAMPLES)]
    result = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    for name, entry in rows.items():
        exponents = entry["params_exponent"].items()
        cells = [name, ", ".join(f"{key} {value['median']:.2f}" for key, value in exponents)]
        for system in EXAMPLES:
            said = entry["density"].get(system)
            cells.append(
                "-" if said is None else "{median:.2g} ({lower:.2g} to {upper:.2g})".format(**said)
            )
        result.append(f"| {' | '.join(cells)} |")
    return result


def main() -> None:
    """Fit every choice, print the tables, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    parser.add_argument("--rows", nargs="+", help="some rows; all by default")
    arguments = parser.parse_args()
    wanted = requests()
    terms = Terms(SETTINGS, versions(), {"panel": "paper"}, store_folder())
    names = arguments.rows or list(wanted)
    calls = [(wanted[name], terms) for name in names]
    found = run("fits", one, calls, jobs=workers_of(None), progress=None)
    path = arguments.out / "paper_panel.json"
    content = json.loads(path.read_text("utf-8")) if path.exists() else {"rows": {}}
    rows = content["rows"] | dict(zip(names, found, strict=True))
    content["rows"] = {name: rows[name] for name in wanted if name in rows}
    shipped = fitter(terms)(wanted["as shipped"])
    content["moved"] = moved(shipped)
    content["fit"] = {
        key: shipped.diagnostics[key]
        for key in ("verdict", "rhat_max", "ess_bulk_min", "divergences")
    } | {"starts": shipped.provenance["sampler"]["starts"]}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    figure(shipped, arguments.out / "paper_panel.png")
    print("\n".join(lines(content["rows"])))
    print("\n".join(more_lines(content["rows"])))


if __name__ == "__main__":
    main()
