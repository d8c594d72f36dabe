"""Simulation-based calibration: whether posteriors of simulated panels are right on average.

Truths are drawn from the prior of "joint" as it is shipped, reduced to every third release of the
open panel and two benchmarks (one of each link). Losses, reference scores and scores are simulated
from each, and fitted under that prior. Over many truths, the rank of the truth among independent
posterior draws is uniform if model, simulation and sampler agree (Talts et al. 2018; Modrák et al.
2023).

Panels that nobody would have measured are drawn anew, by the rule of `check`
(:mod:`densing_bayes.evaluation.prior_panels`). The choice is by the data alone, so the posterior of
a panel that is kept is what it was, and ranks stay uniform. Ranks are those of all fits, whatever
their verdict: to leave some out would bend the others. Doubling times are monotone in growth rates
and have the same ranks.

Prints a table and writes calibration.json and calibration.png. Replicates that are done are kept,
so that a run that was stopped goes on. Ten seconds for a replicate on two cores.

    python analyses/calibration.py [--replicates 200] [--out analyses]
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import chisquare

from densing_bayes import load_panel, load_spec
from densing_bayes.display.figures.canvas import figure_of
from densing_bayes.display.figures.checks import COLUMNS, frames, plot_uniformity
from densing_bayes.errors import DensingError
from densing_bayes.evaluation.prior_panels import prior_truths, usable
from densing_bayes.evaluation.simulation import simulate
from densing_bayes.evaluation.truths import ranks, reported, truth_as_fit
from densing_bayes.evaluation.uniformity import uniformity_p
from densing_bayes.fitting.compiled import compile_fit
from densing_bayes.fitting.fit import fit_compiled
from densing_bayes.fitting.settings import Sampling
from densing_bayes.fitting.store import address, store_folder, stored_answer, versions
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint.marginal.predictive import predictive_densities
from densing_bayes.joint.marginal.shared_parameters import EFFECTS, SAMPLE_DRAW, given
from densing_bayes.observed.observations import Observations, observe
from densing_bayes.posterior.draws import stacked
from densing_bayes.posterior.result import Fit

BENCHMARKS = ("hellaswag", "winogrande")  # linked through the loss, and directly
RELEASE_STEP = 3
POOL = 4000  # truths, of which those that give usable panels are taken in order
TRUTHS_SEED = 4001
SCORES_SEED = 5000  # of the simulation of replicate 0, counted on from there
FITS_SEED = 6000
RANKS_SEED = 7001  # of the place of a rank within its step
SETTINGS: dict[str, Any] = {
    "draws": 1000,
    "tune": 600,
    "chains": 4,
    "target_accept": 0.97,
    "prior": False,
}
LEVELS = 100  # draws among which the truth is ranked, evenly from every chain
BINS = 10


def reduced() -> tuple[ModelSpec, Observations]:
    """The specification of two benchmarks, and the reduced panel."""
    spec = load_spec("joint")
    content = spec.model_dump()
    content["benchmarks"] = {name: content["benchmarks"][name] for name in BENCHMARKS}
    spec = ModelSpec.model_validate(content)
    panel = load_panel(spec.panel.source)
    observed = observe(panel, spec)
    order = np.argsort(observed.release_time, kind="stable")[::RELEASE_STEP]
    return spec, observed.of_systems(np.isin(observed.system_release, order))


def log_likelihood(spec: ModelSpec, observed: Observations, draws: xr.Dataset) -> np.ndarray:
    """Log density of the systems' scores at draws of what they share."""
    parameters = given(spec, observed, draws)
    return predictive_densities(spec, observed, parameters, pointwise=False).total


def ranked(fit: Fit, truth: xr.Dataset, log_density: np.ndarray) -> dict[str, int]:
    """Rank of the truth among thinned draws, from 0 to LEVELS, by quantity."""
    step = fit.posterior.sizes["chain"] * fit.posterior.sizes["draw"] // LEVELS
    rows = slice(0, None, step)
    thin = replace(fit, data=xr.DataTree.from_dict({"posterior": fit.posterior.isel(draw=rows)}))
    told = truth_as_fit(thin, truth, log_density)
    pairs: dict[str, tuple[Any, float]] = {}
    if {name for name, _ in EFFECTS}.isdisjoint(fit.posterior):  # which truths do not hold
        shared = stacked(thin.posterior, SAMPLE_DRAW)[list(truth.data_vars)]
        shared = shared.drop_vars(list(shared.coords))
        both = xr.concat([shared, truth.expand_dims(SAMPLE_DRAW)], SAMPLE_DRAW)
        found = log_likelihood(fit.spec, fit.observed, both)  # the truth last
        pairs["log likelihood"] = (found[:-1], float(found[-1]))
    for name in ("shortfall_spread", "organisation_spread", "system_spread"):
        pairs[name.replace("_", " ")] = (thin.posterior[name], float(truth[name]))
    for name in ("params_exponent", "tokens_exponent", "curve_rise", "token_elasticity"):
        values = thin.posterior[name].isel({thin.posterior[name].dims[-1]: 0})
        pairs[name.replace("_", " ")] = (values, float(truth[name][0]))
    for name in ("ceiling", "format_offset", "protocol_noise", "curve_start"):
        values = thin.posterior[name].isel(benchmark=0)
        pairs[f"{name.replace('_', ' ')}, {BENCHMARKS[0]}"] = (values, float(truth[name][0]))
    shares = ranks(reported(thin), reported(told)) | {
        name: float(np.mean(np.ravel(draws) < value)) for name, (draws, value) in pairs.items()
    }
    return {name: round(share * LEVELS) for name, share in shares.items()}


def summary(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Whether the ranks of each quantity are uniform.

    Parameters
    ----------
    rows
        One per replicate: ``verdict``, and ``ranks`` by quantity, from 0 to LEVELS.

    Returns
    -------
    pandas.DataFrame
        Index ``quantity``; ``replicates``, ``mean_rank`` (of 0 to 1), ``covered50`` and
        ``covered95``, the shares of truths in central intervals, ``p``, the p-value of the ECDF
        test, ``p_chi2`` of BINS equal bins, and ``p_passed`` of the ECDF test on the fits alone
        that passed.
    """
    ranks = pd.DataFrame([row["ranks"] for row in rows if row["ranks"]])
    passed = np.array([row["verdict"] == "PASS" for row in rows if row["ranks"]])
    records = {}
    for name in ranks.columns:
        values = within(ranks[name].to_numpy())
        counts, _ = np.histogram(values, BINS, (0.0, 1.0))
        records[name] = {
            "replicates": len(values),
            "mean_rank": float(values.mean()),
            "covered50": float(np.mean(np.abs(values - 0.5) <= 0.25)),
            "covered95": float(np.mean(np.abs(values - 0.5) <= 0.475)),
            "p": uniformity_p(values),
            "p_chi2": float(chisquare(counts).pvalue),
            "p_passed": uniformity_p(values[passed]) if passed.any() else None,
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("quantity")


def within(ranks: np.ndarray) -> np.ndarray:
    """Ranks as numbers between 0 and 1, at random within their step: uniform if the ranks are."""
    inside = np.random.default_rng(RANKS_SEED).random(len(ranks))
    return (ranks + inside) / (LEVELS + 1)


def main() -> None:
    """Draw, simulate, fit, rank."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    spec, observed = reduced()
    truths = prior_truths(spec, observed, POOL, TRUTHS_SEED)
    compiled = compile_fit(spec, observed)

    def simulated(number: int) -> tuple[Observations, np.ndarray]:
        truth, seed = truths.isel(each=number), SCORES_SEED + number
        return simulate(spec, observed, truth, seed, clip=False)

    def judged(number: int) -> dict[str, Any]:
        started = time.perf_counter()
        panel, log_density = simulated(number)
        row: dict[str, Any] = {"truth": number, "verdict": "ERROR", "ranks": None}
        try:
            seed = FITS_SEED + number
            fit = fit_compiled(
                compiled, panel, Sampling(seed=seed, cores=arguments.cores, **SETTINGS)
            )
        except DensingError as error:
            row["reasons"] = [str(error)]
        else:
            row["verdict"], row["reasons"] = fit.verdict, fit.diagnostics["reasons"]
            row["ranks"] = ranked(fit, truths.isel(each=number), log_density)
        return row | {"seconds": round(time.perf_counter() - started, 1)}

    settings = SETTINGS | {"seeds": [TRUTHS_SEED, SCORES_SEED, FITS_SEED], "levels": LEVELS}
    named = f"calibration-{address(spec, observed, settings | versions())}"
    rows = []
    chosen = (number for number in range(POOL) if usable(simulated(number)[0]))
    for number in islice(chosen, arguments.replicates):
        make = partial(judged, number)
        rows.append(stored_answer(f"{named}-{number}", make, store_folder(), simulate.__module__))
        one = rows[-1]
        print(number, one["verdict"], one["seconds"], "; ".join(one["reasons"]), flush=True)
    table = summary(rows)
    print(table.round(3).to_string())
    content = {
        "systems": len(observed.systems),
        "releases": len(observed.releases),
        "runs": len({label.split("|")[0] for label in observed.loss_label}),
        "benchmarks": list(BENCHMARKS),
        "levels": LEVELS,
        "usable": round(len(rows) / (rows[-1]["truth"] + 1), 3),  # share of the panels drawn
        "verdicts": pd.Series([row["verdict"] for row in rows]).value_counts().to_dict(),
        "summary": table.round(4).reset_index().to_dict(orient="records"),
        "rows": rows,
    }
    path = arguments.out / "calibration.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    draw(rows, list(table.index), arguments.out / "calibration.png")


def draw(rows: list[dict[str, Any]], names: list[str], path: Path) -> None:
    """ECDF of the ranks of each quantity less that of uniform ones, with its band."""
    axes = frames(len(names))
    for ax, name in zip(axes, names, strict=True):
        plot_uniformity(within(np.array([row["ranks"][name] for row in rows if row["ranks"]])), ax)
        ax.set_title(name, loc="left", fontsize=9.5)
    for ax in axes[-COLUMNS:]:
        ax.set_xlabel("rank of the truth")
    figure_of(axes[0]).savefig(path, dpi=110)


if __name__ == "__main__":
    main()
