"""How well a family of reference runs foresees the scores of its largest member."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import t as student

from densing_bayes.inputs.panel import Panel
from densing_bayes.inputs.specification import BenchmarkSpec, ModelSpec
from densing_bayes.joint.laws import scaling_loss
from densing_bayes.joint.least_squares import (
    FEWEST_LOSSES,
    fit_link,
    law_of,
    link_score,
    steadied_law,
)
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.result import CI

FEWEST_SIZES = 3  # of a family, the one that is left out among them
STEP = 1e-3  # relative, by which a loss is moved for the slope of a score
CONSTANTS = 4  # of a score curve, and of a loss law beside its loss at the centre


def left_out_members(spec: ModelSpec, panel: Panel, ci: float = CI) -> pd.DataFrame:
    """Scores of the largest size of each family, predicted from its smaller ones.

    A loss law is fitted, by least squares, to the finished runs of a family but for those of its
    largest size, and a score curve to all of its runs but these. They are scored at the loss that
    the law expects of them, as runs without a measured loss are. The families that a benchmark is
    linked by are one family here.

    Parameters
    ----------
    spec
        A specification; its priors steady the fits.
    panel
        The panel: every family that has losses beside scores in the format that a benchmark is
        linked by, of at least three sizes.
    ci
        Probability of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per family, loss-linked benchmark and finished run of the largest size; where none
        has finished, checkpoints that are not shorter, by tokens a param, than the runs of the law:
        ``family``, ``benchmark``, ``run``, ``params``, ``tokens``, ``fitted`` (runs that the law
        was fitted to), ``score``, ``predicted``, ``error`` (of the two) and ``within``, whether it
        is inside the interval that the scatter of the smaller runs gives.
    """
    found = [
        foreseen.assign(family=family, benchmark=name)
        for name, choice in spec.benchmarks.items()
        if choice.link == "loss"
        for family, runs in _families(panel, name, choice)
        if (foreseen := _foreseen(spec, choice, panel.benchmarks["chance"][name], runs, ci))
        is not None
    ]
    columns = ["family", "benchmark", "run", "params", "tokens", "fitted", "score", "predicted",
               "error", "within"]  # fmt: skip
    return pd.concat(found, ignore_index=True)[columns]


def _families(
    panel: Panel, benchmark: str, choice: BenchmarkSpec
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Runs with a score on a benchmark, with their losses if any, by family."""
    scores, losses = panel.reference_scores, panel.losses
    own = (scores["benchmark"] == benchmark) & (scores["format"] == choice.reference_format)
    of_benchmark = losses[losses["benchmark"] == benchmark].set_index("run")["loss"]
    table = scores[own].drop_duplicates("run").set_index("run")[["score"]]
    table = table.join(of_benchmark).join(panel.runs).dropna(subset=["params", "tokens"])
    together = " and ".join(choice.families)
    family = table["family"].mask(table["family"].isin(choice.families), together)
    for name, runs in table.groupby(family):
        yield str(name), runs


def _foreseen(
    spec: ModelSpec, choice: BenchmarkSpec, chance: float, runs: pd.DataFrame, ci: float
) -> pd.DataFrame | None:
    """Predictions of the largest size of a family; none if it has too few runs."""
    sizes = np.sort(runs["params"].unique())
    largest, finished = runs["params"] == sizes[-1], runs["annealed"] != "false"
    train = runs[~largest & runs["loss"].notna()]
    of_law = train[train["annealed"] != "false"]
    if len(sizes) < FEWEST_SIZES or len(of_law) <= FEWEST_LOSSES:
        return None
    shortest = (of_law["tokens"] / of_law["params"]).min()
    largest &= finished | (runs["tokens"] / runs["params"] >= shortest)
    test = runs[largest & finished] if (largest & finished).any() else runs[largest]
    priors = spec.scaling
    centre = {column: float(np.log(of_law[column]).mean()) for column in ("params", "tokens")}

    def logs(part: pd.DataFrame) -> list[Floats]:
        return [np.log(part[column].to_numpy(float)) - at for column, at in centre.items()]

    start = np.array([priors.params_exponent.median, priors.tokens_exponent.median])
    n, d = logs(of_law)
    estimates = steadied_law(priors, n, d, of_law["loss"].to_numpy(float), start)
    law = law_of(estimates, priors.irreducible)
    off = np.log(of_law["loss"].to_numpy(float) / scaling_loss(n, d, *law))
    loss = scaling_loss(*logs(test), *law)

    score, seen = train["score"].to_numpy(float), train["loss"].to_numpy(float)
    ceiling = choice.ceiling or spec.performance.ceiling
    link = fit_link(spec.performance, ceiling, chance, score, seen)
    predicted = link_score(link, loss)
    slope = (link_score(link, loss * (1.0 + STEP)) - predicted) / STEP
    freedom = len(of_law) - CONSTANTS
    variance = np.sum((score - link_score(link, seen)) ** 2) / (len(train) - CONSTANTS)
    variance = variance + slope**2 * np.sum(off**2) / freedom
    error = test["score"].to_numpy(float) - predicted
    return pd.DataFrame(
        {
            "run": test.index,
            "params": test["params"].to_numpy(float),
            "tokens": test["tokens"].to_numpy(float),
            "fitted": len(of_law),
            "score": test["score"].to_numpy(float),
            "predicted": predicted,
            "error": error,
            "within": np.abs(error) <= student.ppf((1.0 + ci) / 2.0, freedom) * np.sqrt(variance),
        }
    )
