"""Whether a loss law can be trusted: runs off it, and larger runs predicted without being seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from densing_bayes.corollaries.scaling.model import LawFit, fit_law, law_draws
from densing_bayes.corollaries.scaling.runs import FEWEST, FLOPS_PER_TOKEN
from densing_bayes.errors import DensingError
from densing_bayes.evaluation.checks import NOTHING, Check, Checks, convergence
from densing_bayes.evaluation.outliers import far_limit, robust_distance
from densing_bayes.posterior.result import CI

NAMED = 5  # runs that a recommendation names


def off_the_law(fit: LawFit) -> pd.DataFrame:
    """Every run of the table with its distance from the law, furthest first.

    Runs that a flag left out are judged as well, by the law of the others.

    Returns
    -------
    pandas.DataFrame
        run, params, tokens, loss, flag; ``expected`` (median of the law); ``distance`` (of log
        loss, in robust standard deviations) and ``far``, whether it is beyond the limit that a
        table of this size with normal noise passes once with the probability ``check.far``.
    """
    expected = law_draws(fit, fit.table).median(("chain", "draw")).to_numpy()
    distance = robust_distance(np.log(fit.table["loss"].to_numpy(float) / expected))
    limit = far_limit(len(fit.table), fit.spec.check.far)
    table = fit.table[["run", "params", "tokens", "loss", "flag"]].assign(
        expected=expected, distance=distance, far=np.abs(distance) > limit
    )
    order = np.argsort(-np.abs(distance), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def largest_left_out(fit: LawFit, ci: float = CI) -> pd.DataFrame:
    """The runs with most compute, predicted by the law of the others; some seconds for a new fit.

    Returns
    -------
    pandas.DataFrame
        run, params, tokens, loss; ``median``, ``lower`` and ``upper`` of its prediction with noise;
        ``inside``. Smallest first. Attribute ``verdict``: of the fit to the others.

    Raises
    ------
    DensingError
        If fewer than eight runs would be left.
    """
    runs = fit.runs.sort_values("compute", kind="stable")
    count = max(1, round(fit.spec.check.left_out * len(runs)))
    seen, unseen = runs.iloc[:-count], runs.iloc[-count:]
    if len(seen) < FEWEST:
        raise DensingError(
            f"{len(runs)} runs are too few to leave {count} out: {FEWEST} have to be left"
        )
    settings = fit.provenance["sampler"]
    other = fit_law(
        seen.drop(columns="compute"),
        fit.spec.model_copy(
            update={"runs": fit.spec.runs.model_copy(update={"flagged": "include"})}
        ),
        draws=settings["draws"],
        tune=settings["tune"],
        chains=settings["chains"],
        seed=fit.provenance["seed"],
    )
    log_loss = np.log(law_draws(other, unseen).to_numpy())
    noise = other.sampled.draws["loss_noise"].to_numpy()[..., None]
    rng = np.random.default_rng(fit.provenance["seed"])
    tails = fit.spec.law.tails
    shape = log_loss.shape
    scatter = rng.standard_normal(shape) if tails is None else rng.standard_t(tails, shape)
    tail = (1.0 - ci) / 2.0
    lower, median, upper = np.exp(
        np.quantile(log_loss + noise * scatter, [tail, 0.5, 1.0 - tail], axis=(0, 1))
    )
    loss = unseen["loss"].to_numpy(float)
    table = unseen[["run", "params", "tokens", "loss"]].assign(
        median=median, lower=lower, upper=upper, inside=(lower <= loss) & (loss <= upper)
    )
    table.attrs["verdict"] = other.verdict
    return table.reset_index(drop=True)


def law_checks(fit: LawFit, predicted: pd.DataFrame | None = None) -> Checks:
    """Checks of a loss law: convergence, runs off the law, larger runs left out.

    Parameters
    ----------
    fit
        A fit.
    predicted
        Of :func:`largest_left_out`; made by default.
    """
    rows = [
        *convergence(fit.diagnostics),
        _far_runs(fit, off_the_law(fit)),
        _missed(fit, largest_left_out(fit) if predicted is None else predicted),
    ]
    nothing = pd.DataFrame()
    return Checks(pd.DataFrame(rows, columns=list(Check._fields)), nothing, nothing)


def _far_runs(fit: LawFit, judged: pd.DataFrame) -> Check:
    entered = judged["run"].isin(fit.runs["run"])
    far = judged[judged["far"] & entered]
    limit = far_limit(len(judged), fit.spec.check.far)
    names = ", ".join(map(str, far["run"][:NAMED]))
    more = f" and {len(far) - NAMED} more" if len(far) > NAMED else ""
    advice = (
        f"The loss of {names}{more} is more than {limit:.1f} robust standard deviations off the "
        f"law: look whether their tokens are all that they were trained on, and fit with and "
        f"without them (a word in column flag leaves a run out)."
    )
    return _row("runs off the law", len(far), 0.0, advice)


def _missed(fit: LawFit, predicted: pd.DataFrame) -> Check:
    share = float(1.0 - predicted["inside"].mean())
    passed = predicted.attrs["verdict"] == "PASS"
    advice = (
        f"Of the {len(predicted)} runs with most compute the law of the others misses "
        f"{int((~predicted['inside']).sum())}: do not extrapolate it."
        if passed
        else "The fit without the runs with most compute has not converged: fit with more draws."
    )
    limit = fit.spec.check.missed
    return _row("share of the largest runs outside", share if passed else np.nan, limit, advice)


def _row(name: str, figure: float, limit: float, advice: str) -> Check:
    good = bool(np.isfinite(figure) and figure <= limit)
    status: Any = "PASS" if good else "REVIEW"
    return Check("law", name, figure, "at most", limit, status, NOTHING if good else advice)


def compute_of(table: pd.DataFrame) -> np.ndarray:
    """Training FLOP of runs, 6 N D."""
    return np.asarray(FLOPS_PER_TOKEN * table["params"] * table["tokens"], dtype=float)
