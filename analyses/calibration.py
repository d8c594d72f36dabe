"""Simulation-based calibration: whether posteriors of simulated panels are right on average.

Truths are drawn from the prior of "joint", every width of which is narrowed by NARROW, reduced to
every third release of the open panel and two benchmarks (one of each link). Losses, reference
scores and scores are simulated from each, and fitted under that prior. Over many truths, the rank
of the truth among independent posterior draws is uniform if model, simulation and sampler agree
(Talts et al. 2018; Modrák et al. 2023).

The prior as it is leaves every curve open: nine of ten panels drawn from it have all systems at the
floor or at the ceiling, or runs that hardly leave the floor, and of fits of the others many do not
pass. Under the narrowed one about half are like that. These are drawn anew (:func:`usable`). The
choice is by the data alone, so the posterior of a panel that is kept is what it was, and ranks stay
uniform. Ranks are those of all fits, whatever their verdict: to leave some out would bend the
others. Doubling times are monotone in growth rates and have the same ranks.

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
import pymc as pm
import xarray as xr
from scipy.stats import chisquare

from densing_bayes import load_panel, load_spec
from densing_bayes.display.canvas import figure_of
from densing_bayes.display.check_figures import COLUMNS, frames, plot_uniformity
from densing_bayes.errors import DensingError
from densing_bayes.evaluation.simulation import simulate
from densing_bayes.evaluation.uniformity import uniformity_p
from densing_bayes.fitting.compiled import compile_fit
from densing_bayes.fitting.fit import fit_compiled
from densing_bayes.fitting.settings import Sampling
from densing_bayes.fitting.store import address, store_folder, stored_answer, versions
from densing_bayes.inputs.dates import DAYS_PER_YEAR, date_of
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint.marginal import predictive_densities
from densing_bayes.joint.model import assemble
from densing_bayes.joint.shared_parameters import SAMPLE_DRAW, given
from densing_bayes.observed.observations import Observations, observe
from densing_bayes.posterior.draws import stacked
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities import growth

BENCHMARKS = ("hellaswag", "winogrande")  # linked through the loss, and directly
RELEASE_STEP = 3
NARROW = 0.4  # of the sd of a prior, on the scale on which it is normal
POOL = 4000  # truths, of which those that give usable panels are taken in order
SPREAD = 0.05  # least distance of the quartiles of a benchmark's scores
# Least best score of the reference runs: below, the curve above depends on the prior alone.
BEST = 0.6
LOSS_RATIO = (1.1, 5.0)  # least and greatest ratio of the losses of the reference runs
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
    """The reduced specification, with narrowed priors, and the reduced panel."""
    spec = load_spec("joint")
    content = narrowed(spec.model_dump())
    content["benchmarks"] = {name: content["benchmarks"][name] for name in BENCHMARKS}
    spec = ModelSpec.model_validate(content)
    panel = load_panel(spec.panel.source)
    observed = observe(panel, spec)
    order = np.argsort(observed.release_time, kind="stable")[::RELEASE_STEP]
    return spec, observed.of_systems(np.isin(observed.system_release, order))


def narrowed(content: Any) -> Any:
    """The content of a specification with every prior narrowed by NARROW about its median."""
    if not isinstance(content, dict):
        return content
    if "distribution" not in content:
        return {name: narrowed(value) for name, value in content.items()}
    scale = {"sigma": NARROW, "alpha": NARROW**-2, "beta": NARROW**-2}
    return {name: value * scale.get(name, 1) for name, value in content.items()}


def draw_truths(spec: ModelSpec, observed: Observations, count: int = POOL) -> xr.Dataset:
    """Prior draws of what all systems share, along the dim ``each``."""
    model = assemble(spec, observed).model
    local = {"system", "release", "organisation", "cell"}
    names = [
        variable.name
        for variable in (*model.free_RVs, *model.deterministics)
        if local.isdisjoint(model.named_vars_to_dims.get(variable.name, ()))
    ]
    drawn = pm.draw([model[name] for name in names], draws=count, random_seed=TRUTHS_SEED)
    return xr.Dataset(
        {
            name: (("each", *model.named_vars_to_dims.get(name, ())), values)
            for name, values in zip(names, drawn, strict=True)
        }
    )


def usable(observed: Observations) -> bool:
    """Whether a panel looks like one: judged by what was measured, and by nothing else."""
    low, high = LOSS_RATIO
    good = low <= observed.loss.max() / observed.loss.min() <= high
    for scores, benchmark in (
        (observed.score, observed.cell_benchmark),
        (observed.reference_score, observed.reference_benchmark),
    ):
        good &= bool(scores.min() >= 0.0 and scores.max() <= 1.0)
        for k in range(len(observed.benchmarks)):
            first, third = np.quantile(scores[benchmark == k], [0.25, 0.75])
            good &= bool(third - first >= SPREAD)
    for k in range(len(observed.benchmarks)):
        known = observed.reference_benchmark == k
        good &= bool(observed.reference_score[known].max() >= BEST)
    return good


def log_likelihood(spec: ModelSpec, observed: Observations, draws: xr.Dataset) -> np.ndarray:
    """Log density of the systems' scores at draws of what they share."""
    parameters = given(spec, observed, draws)
    return predictive_densities(spec, observed, parameters, pointwise=False).total


def ranked(fit: Fit, truth: xr.Dataset, log_density: np.ndarray) -> dict[str, int]:
    """Rank of the truth among thinned draws, from 0 to LEVELS, by quantity."""
    step = fit.posterior.sizes["chain"] * fit.posterior.sizes["draw"] // LEVELS
    rows = slice(0, None, step)
    thin = replace(fit, data=xr.DataTree.from_dict({"posterior": fit.posterior.isel(draw=rows)}))
    rates = growth.growth(thin) * DAYS_PER_YEAR
    before, change = float(truth["growth_before"]), float(truth["growth_change"].sum())
    last = float(fit.observed.time.max())
    edge = growth.frontier(thin, [date_of(last)])
    shared = stacked(thin.posterior, SAMPLE_DRAW)[list(truth.data_vars)]
    shared = shared.drop_vars(list(shared.coords))
    both = xr.concat([shared, truth.expand_dims(SAMPLE_DRAW)], SAMPLE_DRAW)
    found = log_likelihood(fit.spec, fit.observed, both)  # the truth last
    pairs: dict[str, tuple[Any, float]] = {
        "growth before": (rates["before"], before),
        "growth after": (rates["after"], before + change),
        "change of growth": (rates["change"], change),
        "level": (thin.posterior["level"], float(truth["level"])),
        "frontier at the end": (edge, float(truth["level"]) + (before + change) * last),
        "log likelihood": (found[:-1], float(found[-1])),
    }
    for name in ("shortfall_spread", "organisation_spread", "system_spread", "size_slope"):
        pairs[name.replace("_", " ")] = (thin.posterior[name], float(truth[name]))
    for name in ("params_exponent", "tokens_exponent", "steepness", "token_elasticity"):
        values = thin.posterior[name].isel({thin.posterior[name].dims[-1]: 0})
        pairs[name.replace("_", " ")] = (values, float(truth[name][0]))
    for name in ("ceiling", "format_offset", "protocol_noise", "drift_change"):
        values = thin.posterior[name].isel(benchmark=0)
        pairs[f"{name.replace('_', ' ')}, {BENCHMARKS[0]}"] = (values, float(truth[name][0]))
    for row, name in ((0, "first"), (len(log_density) - 1, "last")):
        values = thin.posterior["log_density"].isel(system=row)
        pairs[f"density of the {name} system"] = (values, float(log_density[row]))
    return {name: int(np.sum(np.ravel(draws) < value)) for name, (draws, value) in pairs.items()}


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
    truths = draw_truths(spec, observed)
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
        "narrow": NARROW,
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
