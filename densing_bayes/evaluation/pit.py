"""Where what was measured lies in what the model predicts for it without having seen it.

The probability integral transform (PIT) of a measurement is the probability that its prediction
gives to lower values. If the model is right, PITs are uniform. What is left out is a release, not a
single score: its siblings would give a score away. So what is judged is the mean score of the
systems of a release on a benchmark, one number for each release, and these are independent of
each other but for what all of them say about the parameters.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import arviz_stats  # noqa: F401  # gives xarray objects their accessor
import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtr
from scipy.stats import norm

from densing_bayes.evaluation.leave_out import predicted_scores
from densing_bayes.evaluation.simulation import run_losses, run_scores
from densing_bayes.joint import laws
from densing_bayes.joint.marginal.predictive import predictive_densities
from densing_bayes.joint.marginal.shared_parameters import SAMPLE_DRAW, given
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.draws import thinned
from densing_bayes.posterior.result import Fit

DRAWS = 1000  # of the parameters; a PIT is then known to 0.02, little beside the number of releases
ROUNDS = 10  # predictions at each of them, so that the tails of 100 releases can be told


class LeftOut(NamedTuple):
    """What leaving a release out needs, at draws of the parameters that all systems share."""

    draws: xr.Dataset  # every n-th of the fit, dim sample_draw
    total: xr.DataArray  # log density of all scores of systems, (chain, draw)
    release: xr.DataArray  # of a release's given those of the others, (chain, draw, release)
    organisation: Floats  # draws of its organisation's effect given the others, (draw, release)
    lean: Floats | None  # the same of its leans, (draw, release, benchmark)


def leave_releases_out(fit: Fit, draws: int = DRAWS) -> LeftOut:
    """Integrate out all that belongs to releases and organisations; ten seconds or so."""
    flat = thinned(fit.posterior, draws)
    found = predictive_densities(fit.spec, fit.observed, given(fit.spec, fit.observed, flat))
    return LeftOut(
        flat,
        _by_chain(found.total, fit),
        _by_chain(found.release, fit, "release"),
        found.organisation,
        found.lean,
    )


def score_pit(fit: Fit, left_out: LeftOut, seed: int = 0) -> pd.DataFrame:
    """PIT of the mean score of each release on each benchmark, given all other releases.

    Parameters
    ----------
    fit
        A fit.
    left_out
        Of :func:`leave_releases_out`.
    seed
        Of the predictive draws.

    Returns
    -------
    pandas.DataFrame
        One row per release and benchmark: ``benchmark``, ``release``, ``systems`` (how many have
        a score there), ``score`` (their mean), ``pit`` and ``k``, the Pareto shape of the
        weights that leave the release out; above 0.7 they are poor, and the PIT is then nearer to
        that of a prediction that has seen the release.
    """
    observed = fit.observed
    cells = pd.DataFrame(
        {
            "benchmark": observed.cell_benchmark,
            "release": observed.system_release[observed.cell_system],
            "score": observed.score,
        }
    )
    grouped = cells.groupby(["benchmark", "release"])
    table = grouped["score"].agg(systems="size", score="mean").reset_index()
    release = table["release"].to_numpy()
    share = np.zeros((len(cells), len(table)))
    share[np.arange(len(cells)), grouped.ngroup()] = 1.0
    share /= table["systems"].to_numpy()

    count = left_out.draws.sizes[SAMPLE_DRAW]
    again = np.tile(np.arange(count), ROUNDS)
    drawn = (
        share.T
        @ predicted_scores(
            fit,
            observed,
            left_out.draws.isel({SAMPLE_DRAW: again}),
            seed,
            (
                left_out.organisation[again],
                None if left_out.lean is None else left_out.lean[again],
            ),
        ).T
    )
    score = table["score"].to_numpy()[:, None]
    # Draws and scores are never below zero, so that some may tie there.
    lower = (0.5 * (drawn < score) + 0.5 * (drawn <= score)).reshape(-1, ROUNDS, count).mean(axis=1)
    pit, k = _left_out(
        _by_chain(lower.T, fit, "unit"),
        left_out.release.isel(release=xr.DataArray(release, dims="unit")),
    )
    return pd.DataFrame(
        {
            "benchmark": np.array(observed.benchmarks, object)[table["benchmark"]],
            "release": np.array(observed.releases, object)[release],
            "systems": table["systems"],
            "score": table["score"],
            "pit": np.clip(pit, 0.5 / again.size, 1.0 - 0.5 / again.size),
            "k": k,
        }
    )


def run_densities(fit: Fit, draws: int = DRAWS) -> xr.Dataset:
    """Log density and PIT of every measurement of reference runs at draws of the parameters.

    Scores take a normal distribution with the moments of the specification's likelihood.

    Returns
    -------
    xarray.Dataset
        ``loss`` and ``reference_score``, log densities up to a constant, over ``loss_run`` and
        ``reference_run``, with ``loss_pit`` and ``reference_score_pit``; dims (chain, draw) in
        front.
    """
    observed = fit.observed
    flat = thinned(fit.posterior, draws)
    value: dict[str, Any] = {
        str(name): values.transpose(SAMPLE_DRAW, ...).to_numpy()
        for name, values in flat.data_vars.items()
    }
    k = observed.reference_benchmark
    expected = run_scores(observed, value)
    noise = value["reference_noise"][..., k]
    standard = {
        "loss": (
            np.log(observed.loss / run_losses(observed, value)),
            value["loss_noise"][..., observed.loss_benchmark],
        ),
        "reference_score": (
            observed.reference_score - expected,
            np.sqrt(laws.score_variance(expected, observed.reference_items, noise)),
        ),
    }
    dims = {"loss": "loss_run", "reference_score": "reference_run"}
    result = {}
    for name, (residual, sd) in standard.items():
        log_density = norm.logpdf(residual / sd) - np.log(sd)
        result[name] = _by_chain(log_density, fit, dims[name])
        result[f"{name}_pit"] = _by_chain(ndtr(residual / sd), fit, dims[name])
    return xr.Dataset(result)


def run_pit(fit: Fit, densities: xr.Dataset) -> pd.DataFrame:
    """PIT of every loss and score of the reference runs, given all other measurements.

    Parameters
    ----------
    fit
        A fit.
    densities
        Of :func:`run_densities`.

    Returns
    -------
    pandas.DataFrame
        One row per measurement: ``quantity`` ("loss" or "reference score"), ``benchmark``,
        ``run``, ``pit`` and ``k``, the Pareto shape of the weights that leave it out.
    """
    observed = fit.observed
    parts = []
    for name, labels, benchmark in (
        ("loss", observed.loss_label, observed.loss_benchmark),
        ("reference_score", observed.reference_label, observed.reference_benchmark),
    ):
        if not labels:
            continue
        pit, k = _left_out(densities[f"{name}_pit"], densities[name])
        parts.append(
            pd.DataFrame(
                {
                    "quantity": name.replace("_", " "),
                    "benchmark": np.array(observed.benchmarks, object)[benchmark],
                    "run": [label.split("|")[0] for label in labels],
                    "pit": pit,
                    "k": k,
                }
            )
        )
    columns = ["quantity", "benchmark", "run", "pit", "k"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _left_out(pit: xr.DataArray, log_density: xr.DataArray) -> tuple[Floats, Floats]:
    """PIT with weights that leave the measurements out, and their Pareto shape; over the units."""
    log_weights, k = log_density.azstats.psislw(dim=["chain", "draw"])
    weights = np.exp(log_weights - log_weights.max(("chain", "draw")))
    return pit.weighted(weights).mean(("chain", "draw")).to_numpy(), k.to_numpy()


def _by_chain(values: Floats, fit: Fit, *dims: str) -> xr.DataArray:
    """Values at thinned draws with chains and draws apart."""
    chains = fit.posterior.sizes["chain"]
    shaped = values.reshape(chains, len(values) // chains, *values.shape[1:])
    return xr.DataArray(shaped, dims=("chain", "draw", *dims))
