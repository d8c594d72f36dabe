"""Density of compressed systems against that of their parents.

Fits the pairs on the curves of the open panel with three seeds, and their MMLU on those of the
paper's panel, compares pairs within both panels, tests the claim on Gemma-2-9B and converts to
inference time. Prints tables and writes compression.json, compression.png (methods),
compression-pairs.png (pairs of the paper's panel) and compression-prior.png. Six minutes on two
cores, with the joint fits from the store.

    python analyses/compression.py [--open FILE] [--paper FILE] [--out analyses]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm

from densing_bayes import Fit
from densing_bayes.corollaries.compression.effects import fit_compression, method_table, pair_table
from densing_bayes.corollaries.compression.figures import plot_compression, plot_panel_pairs
from densing_bayes.corollaries.compression.inference_density import (
    inference_density,
    quantised_density,
    time_factor,
    time_ratio,
)
from densing_bayes.corollaries.compression.pairs import (
    CompressionSpec,
    compare_pairs,
    load_compression,
)
from densing_bayes.corollaries.compression.panel_pairs import only_gemma, panel_pairs
from densing_bayes.corollaries.compression.shifts.model import compression_model
from densing_bayes.corollaries.compression.shifts.score_curves import collapse, curve_draws
from densing_bayes.corollaries.small_model import Posterior
from densing_bayes.display.figures.canvas import BLUE, GREY, VERMILION, figure_of, new_axes
from densing_bayes.fitting.built_in import built_in_fit
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.specification import load_corollary
from densing_bayes.posterior.plain import json_text

SEEDS = (SEED, 1, 2)
FIGURES = ("factor", "factor_lower", "factor_upper", "p_denser")  # of each pair
FALL = 0.03  # of a score, for the check of the normal approximation


def fitted(
    fit: Fit, seed: int, table: pd.DataFrame | None = None
) -> tuple[Posterior, dict[str, Any]]:
    """Fit with a seed, and say how it went."""
    start = time.perf_counter()
    posterior = fit_compression(fit, table, seed=seed)
    said = {
        "panel": fit.spec.panel.source,
        "seed": seed,
        "verdict": posterior.verdict,
        "reasons": posterior.diagnostics["reasons"],
        "seconds": round(time.perf_counter() - start),
        "pairs": posterior.provenance["pairs"],
        "scores": posterior.provenance["scores"],
        "left_out": posterior.provenance["left_out"],
        "diagnostics": posterior.diagnostics,
    }
    print({key: value for key, value in said.items() if key != "diagnostics"}, flush=True)
    return posterior, said


def spreads(posterior: Posterior) -> pd.DataFrame:
    """Medians and 95% intervals of the parameters of each class."""
    names = ("class_shift", "size_slope", "method_spread", "parent_spread", "pair_spread",
             "benchmark_spread", "error_correlation")  # fmt: skip
    columns = {}
    for name in names:
        low, middle, high = np.quantile(posterior.draws[name], [0.025, 0.5, 0.975], axis=(0, 1))
        columns |= {name: middle, f"{name}_lower": low, f"{name}_upper": high}
    index = pd.Index(posterior.draws["class"].to_numpy(), name="class")
    return pd.DataFrame(columns, index=index)


def approximation(fit: Fit) -> dict[str, Any]:
    """Fall of ln Neff with a score, from the draws of the curves and from the approximation.

    The score falls by three points from the middle of its range, where most parents are.
    """
    curves, draws = collapse(fit), curve_draws(fit)
    random = np.random.default_rng(0)
    place = random.standard_normal((20000, len(curves.mean)))
    sampled = curves.shape_of(curves.mean + place @ curves.factor.T)
    result = {}
    for k, name in enumerate(curves.benchmarks):
        start = float(np.mean((draws["floor"] + draws["ceiling"]).isel(benchmark=k))) / 2.0

        def fall(
            floor: Any, ceiling: Any, top: Any, rate: Any, start: float = start, k: int = k
        ) -> Any:
            # Where the start lies above a ceiling, or below a floor, there is no fall to tell.
            with np.errstate(invalid="ignore"):
                logits = [
                    np.log((score - floor) / (ceiling - score)) for score in (start, start - FALL)
                ]
            if k < curves.loss_linked:
                return np.log((top - logits[0]) / (top - logits[1])) / rate
            return (logits[1] - logits[0]) / rate

        own = [np.ravel(draws[v].isel(benchmark=k)) for v in ("floor", "ceiling")]
        linked = k < curves.loss_linked
        top = np.ravel(draws["top"].isel(loss_benchmark=k)) if linked else None
        exact = fall(*own, top, np.ravel(draws["rate"].isel(benchmark=k)))
        close = fall(
            sampled.floor[:, k],
            sampled.ceiling[:, k],
            sampled.top[:, k] if linked else None,
            sampled.rate[:, k],
        )
        quantiles = [0.025, 0.5, 0.975]
        result[name] = {
            "draws": np.quantile(exact, quantiles).tolist(),
            "normal": np.quantile(close[np.isfinite(close)], quantiles).tolist(),
        }
    return result


def prior_figure(fit: Fit, posterior: Posterior, path: Path) -> dict[str, float]:
    """Scores of children that the prior expects, beside the measured ones."""
    spec = load_corollary("compression", CompressionSpec)
    compared = compare_pairs(fit, load_compression(), spec)
    with compression_model(compared, collapse(fit), spec):
        drawn = pm.sample_prior_predictive(
            300, random_seed=1, var_names=["score", "parent_observed"]
        )
    cells = compared.cells
    predicted = drawn["prior_predictive"].dataset
    child = predicted["score"].to_numpy().reshape(-1, len(cells))
    parent = predicted["parent_observed"].to_numpy().reshape(len(child), -1)
    expected = child - parent[:, cells["measured"]]
    measured = cells["score"] - compared.parents["score"].to_numpy()[cells["measured"]]
    axes = new_axes(9.0, 3.4, 2)
    grid = np.linspace(-0.7, 0.4, 56)
    axes[0].hist(expected.ravel(), grid, density=True, color=GREY, alpha=0.6, label="prior")
    axes[0].hist(
        measured, grid, density=True, histtype="step", color=BLUE, lw=1.6, label="measured"
    )
    axes[0].set(xlabel="score of the child less that of the parent", ylabel="density", yscale="log")
    axes[0].legend(frameon=False)
    shifts = [np.ravel(group["class_shift"]) for group in (posterior.prior, posterior.draws)]
    grid = np.linspace(-7, 4, 67)
    axes[1].hist(shifts[0], grid, density=True, color=GREY, alpha=0.6, label="prior")
    for name in posterior.draws["class"].to_numpy():
        own = np.ravel(posterior.draws["class_shift"].sel({"class": name}))
        axes[1].hist(own, grid, density=True, histtype="step", color=VERMILION, lw=0.9, alpha=0.7)
    axes[1].plot([], [], color=VERMILION, lw=0.9, label="posterior, one line per class")
    axes[1].set(xlabel="shift of ln density of a class", ylim=(0, 2.5))
    axes[1].legend(frameon=False)
    figure_of(axes[0]).savefig(path, dpi=130, bbox_inches="tight")
    inside = (measured.to_numpy() > np.nanquantile(expected, 0.025, axis=0)) & (
        measured.to_numpy() < np.nanquantile(expected, 0.975, axis=0)
    )
    return {"inside_95": float(inside.mean())}


def main() -> None:
    """Fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=Path, help="a fit of the joint model to the open panel")
    parser.add_argument("--paper", type=Path, help="a fit of the joint model to the paper's panel")
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    fits = {
        "open": Fit.load(arguments.open) if arguments.open else built_in_fit("joint"),
        "paper": Fit.load(arguments.paper) if arguments.paper else built_in_fit("paper"),
    }
    runs, seeds = [], {}
    for seed in SEEDS:
        posterior, said = fitted(fits["open"], seed)
        runs.append(said)
        seeds[seed] = posterior
    headline = seeds[SEED]
    table = load_compression()
    other, said = fitted(fits["paper"], SEED, table[table["benchmark"] == "mmlu"])
    runs.append(said)

    methods, pairs = method_table(headline), pair_table(headline)
    if other.verdict == "PASS":
        methods["factor_on_paper_mmlu"] = method_table(other)["factor"].reindex(methods.index)
    for seed in SEEDS[1:]:
        methods[f"factor_seed_{seed}"] = method_table(seeds[seed])["factor"]
    print(methods.round(3).to_string())
    print(spreads(headline).round(3).to_string())
    panels = {name: panel_pairs(fit) for name, fit in fits.items()}
    for table in panels.values():
        print(table.round(3).to_string())
    gemma = only_gemma(fits["paper"], headline)
    print({key: value for key, value in gemma.items() if key != "pairs"})
    quantised = quantised_density(headline)
    mixtures = {name: inference_density(fit) for name, fit in fits.items()}
    print(quantised.round(3).to_string())
    place = headline.draws["curve_place"]
    moved = place.mean(("chain", "draw")).to_numpy()
    content = {
        "runs": runs,
        "methods": methods.reset_index().to_dict("records"),
        "classes": spreads(headline).reset_index().to_dict("records"),
        "pairs": {
            str(child): [float(f"{row[name]:.4g}") for name in FIGURES]
            for child, row in pairs.iterrows()
        },
        "panel_pairs": {name: t.reset_index().to_dict("records") for name, t in panels.items()},
        "only_gemma": gemma,
        "quantised": quantised.reset_index().to_dict("records"),
        "mixtures": {name: t.reset_index().to_dict("records") for name, t in mixtures.items()},
        "time_ratio": time_ratio(),
        "break_even": {str(bits): float(1.0 / time_factor(bits)) for bits in (2, 3, 4, 8)},
        "curves": {
            "approximation": approximation(fits["open"]),
            "largest_move_sd": float(np.abs(moved).max()),
        },
        "prior": prior_figure(fits["open"], headline, arguments.out / "compression-prior.png"),
    }
    for name in ("curves", "prior", "break_even"):
        print(name, content[name])
    (arguments.out / "compression.json").write_text(json_text(content) + "\n", encoding="utf-8")
    figure_of(plot_compression(headline)).savefig(
        arguments.out / "compression.png", dpi=130, bbox_inches="tight"
    )
    figure_of(plot_panel_pairs(panels["paper"])).savefig(
        arguments.out / "compression-pairs.png", dpi=130, bbox_inches="tight"
    )


if __name__ == "__main__":
    main()
