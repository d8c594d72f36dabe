"""Comparison of hypotheses about the trend: prediction, forecasts and evidence side by side."""

from __future__ import annotations

import dataclasses
import itertools
import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from densing_bayes import criteria, leave_out, prior_sensitivity
from densing_bayes.batch import Request, Terms, fitter, run, workers_of
from densing_bayes.errors import DensingError
from densing_bayes.fits import CI, Fit
from densing_bayes.fitting import SEED, TARGET_ACCEPT
from densing_bayes.hypothesis import Hypothesis
from densing_bayes.observations import Observations, observe, with_changes, years_since_origin
from densing_bayes.quantities import estimate, growth, probability
from densing_bayes.spec import ModelSpec, list_hypotheses, load_hypothesis, load_spec
from densing_bayes.store import folder_of, versions
from densing_bayes.tables import Panel, load_panel

ERROR_LIMIT = 0.3  # nats: a log evidence that is less certain is not used
NONE = Hypothesis(name="none")  # no changes
Source = Hypothesis | Fit | str | os.PathLike[str]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Hypotheses side by side. Made by :func:`compare`; columns as in docs/schema.md.

    Attributes
    ----------
    spec
        The model specification that all share.
    observed
        What all of them saw.
    hypotheses
        By name, in the order given.
    fits
        Their fits, by name.
    table
        A row per hypothesis, all criteria beside each other.
    dates
        A row per pair of neighbouring candidate dates: what lies between them.
    sensitivity
        Evidence and growth change under halved and doubled priors of the changes.
    forecasts
        A row per hypothesis and cut, empty unless asked for.
    """

    spec: ModelSpec
    observed: Observations
    hypotheses: dict[str, Hypothesis]
    fits: dict[str, Fit]
    table: pd.DataFrame
    dates: pd.DataFrame
    sensitivity: pd.DataFrame
    forecasts: pd.DataFrame


def compare(
    spec: ModelSpec | str | os.PathLike[str] = "joint",
    hypotheses: Sequence[Source] | None = None,
    panel: Panel | str | os.PathLike[str] | None = None,
    *,
    exact: bool = False,
    forecast: bool = False,
    draws: int = 1000,
    tune: int = 500,
    chains: int = 4,
    seed: int = SEED,
    jobs: int | None = None,
    store: bool | str | os.PathLike[str] = True,
    progress: bool | None = None,
) -> Comparison:
    """Fit hypotheses about the trend to one panel and compare them.

    Fits run in processes of :mod:`joblib`, so within ``joblib.parallel_config("dask")`` they run
    on a cluster. Finished fits are kept, and a comparison that was killed goes on from them.

    Parameters
    ----------
    spec
        The model that the hypotheses share, or its name or path.
    hypotheses
        Hypotheses, names or paths of them, or fits; by default all that are built in.
    panel
        A panel, or its name or folder; by default the specification's own.
    exact
        Refit without each release whose leave-one-out density importance sampling cannot give, and
        try other priors once more where a fit with them has not passed.
    forecast
        Refit up to each of five dates and score the systems of the half year after it.
    draws, tune, chains, seed
        Of the fits. A fit that does not converge is tried once more: after divergent transitions
        in smaller steps, after slow mixing with two to four times the draws.
    jobs
        Processes at a time; by default as many as there are processors, or what
        ``joblib.parallel_config`` says.
    store
        Keep and reuse fits in the user's cache (True) or in a folder; or do not (False). Averages
        over the hypotheses are kept there, too, for :func:`densing_bayes.averaged.averaged_of`.
    progress
        Say what has been done; by default on a terminal only.

    Raises
    ------
    DensingError
        If two hypotheses bear one name, or a fit has seen other data or another model.
    SpecError
        If a hypothesis does not go with the panel.
    """
    spec = spec if isinstance(spec, ModelSpec) else load_spec(spec)
    if not isinstance(panel, Panel):
        panel = load_panel(spec.panel.source if panel is None else panel)
    bare = observe(panel, spec.under(NONE))
    sources = [as_source(source) for source in (hypotheses or list_hypotheses())]
    named = _named(sources, spec, bare)
    specs = {name: spec.under(hypothesis) for name, hypothesis in named.items()}
    seen = {name: observe(panel, own) for name, own in specs.items()}
    ready = {
        name: source for name, source in zip(named, sources, strict=True) if isinstance(source, Fit)
    }
    settings = {
        "draws": draws,
        "tune": tune,
        "chains": chains,
        "seed": seed,
        "target_accept": TARGET_ACCEPT,
        "sampler": "nutpie",
    }
    with folder_of(store) as folder:
        workers = workers_of(jobs)
        cores = max(1, (os.cpu_count() or 1) // workers) if workers else 1
        source = {"panel": panel.name, "tables_hash": panel.sha256}
        terms = Terms(settings, versions(), source, folder, cores)
        requests = {name: Request(specs[name], seen[name], ready.get(name)) for name in named}
        how: dict[str, Any] = {"jobs": jobs, "progress": progress}
        groups = criteria.by_structure(specs)
        found = run(
            "fits and criteria",
            criteria.examined,
            [([requests[n] for n in names], terms, exact) for names in groups],
            **how,
            names=[", ".join(names) for names in groups],
        )
        answers = dict(zip(itertools.chain(*groups), itertools.chain(*found), strict=True))
        if exact:
            criteria.leave_out_exactly(requests, answers, terms, how)
        forecasts = criteria.forecast_table(requests, terms, how) if forecast else pd.DataFrame()
        fits = {name: fitter(terms)(request) for name, request in requests.items()}
        if store is False:
            for fit in fits.values():
                fit.data.load()
    comparison = Comparison(
        spec=spec,
        observed=bare,
        hypotheses=named,
        fits=fits,
        table=_table(named, fits, answers, forecasts),
        dates=dates_between(bare, named),
        sensitivity=_sensitivity(fits, answers),
        forecasts=forecasts,
    )
    if store is not False:
        from densing_bayes.averaged import keep_averaged

        keep_averaged(comparison, folder)
    return comparison


def as_source(source: Source) -> Hypothesis | Fit:
    """A hypothesis or a fit, from what names it: a path that ends in .nc is a saved fit."""
    if isinstance(source, Hypothesis | Fit):
        return source
    return Fit.load(source) if str(source).endswith(".nc") else load_hypothesis(source)


def _named(
    sources: Sequence[Hypothesis | Fit], spec: ModelSpec, bare: Observations
) -> dict[str, Hypothesis]:
    named: dict[str, Hypothesis] = {}
    for source in sources:
        hypothesis = _of_fit(source, spec, bare) if isinstance(source, Fit) else source
        if hypothesis.name in named:
            raise DensingError(
                f"two hypotheses are called '{hypothesis.name}': give each a name of its own"
            )
        named[hypothesis.name] = hypothesis
    return named


def _of_fit(fit: Fit, spec: ModelSpec, bare: Observations) -> Hypothesis:
    """The hypothesis of a fit, which must have seen the same data under the same model."""
    trend = fit.spec.trend
    name = fit.spec.description.rpartition("hypothesis ")[2] or fit.spec.name
    hypothesis = Hypothesis(
        name=name,
        changes=trend.changes,
        smooth=trend.smooth,
        saturation=trend.saturation,
        growth_change=trend.growth_change,
        level_change=trend.level_change,
    )
    if with_changes(fit.observed, spec.under(NONE)).hash() != bare.hash():
        raise DensingError(
            f"the fit '{name}' has seen other data than '{spec.name}' does here "
            f"({len(fit.observed.score)} scores, {len(bare.score)} here, or others): criteria "
            f"compare hypotheses on the same data only; fit it again to this panel"
        )
    if spec.under(hypothesis).hash != fit.spec.hash:
        raise DensingError(
            f"the fit '{name}' differs from '{spec.name}' in more than the trend's changes: "
            f"compare it under its own specification"
        )
    return hypothesis


def _table(
    named: dict[str, Hypothesis],
    fits: dict[str, Fit],
    answers: dict[str, Any],
    forecasts: pd.DataFrame,
) -> pd.DataFrame:
    """One row per hypothesis; rates per day, densities and evidence in nats."""
    rows = {}
    for name, fit in fits.items():
        answer, rates = answers[name], growth(fit)
        evidence = answer["evidence"]
        row: dict[str, Any] = {"verdict": fit.verdict, "prior_odds": named[name].prior_odds}
        for key in ("before", "after", "change"):
            summary = estimate(rates[key], "1/day", CI)
            row |= {f"growth_{key}": summary["mean"]}
            row |= {f"growth_{key}_{side}": summary[side] for side in ("lower", "upper")}
        changes = bool(np.any(rates["change"] != 0.0))
        row["p_change_gt_0"] = probability(rates["change"] > 0) if changes else None
        row["p_ge_half"] = probability(rates["after"] >= 1.5 * rates["before"]) if changes else None
        for unit in ("release", "system"):
            found = answer[unit]
            row[f"elpd_{unit}"] = float(np.sum(found["elpd"]))
            bad = set(np.flatnonzero(np.array(found["k"]) > leave_out.K_LIMIT).tolist())
            row[f"k_max_{unit}"] = float(np.max(found["k"]))
            row[f"k_above_{unit}"] = len(bad)
            row[f"exact_{unit}"] = len(found.get("exact", []))
        row["log_evidence"], row["log_evidence_error"] = evidence["value"], evidence["error"]
        row["evidence_usable"] = fit.verdict == "PASS" and evidence["error"] <= ERROR_LIMIT
        row["power_prior"], row["power_likelihood"] = (
            answer["power"]["prior"],
            answer["power"]["likelihood"],
        )
        if len(forecasts):
            own = forecasts[forecasts["hypothesis"] == name]
            row["forecast_log_score"] = float(np.sum(np.concatenate(own["log_score"].to_list())))
            row["forecast_joint_log_score"] = float(own["joint_log_score"].sum())
            k = np.concatenate(own["k"].to_list())
            row["k_above_forecast"] = int(np.sum(k > leave_out.K_LIMIT))
            row["forecast_crps"] = float(np.mean(np.concatenate(own["crps"].to_list())))
            for level in ("50", "95"):
                covered = np.concatenate(own[f"covered{level}"].to_list())
                row[f"forecast_covered{level}"] = float(np.mean(covered))
            row["forecast_passed"] = int((own["verdict"] == "PASS").sum())
            everywhere = fit.verdict == "PASS" and (own["verdict"] == "PASS").all()
            row["forecast_usable"] = bool(everywhere)
        rows[name] = row
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("hypothesis")
    # What did not pass is no measure of the others; if nothing did, the verdicts say so.
    passed = [name for name, fit in fits.items() if fit.verdict == "PASS"] or list(fits)
    for unit in ("release", "system"):
        elpd = {name: np.array(answers[name][unit]["elpd"]) for name in passed}
        table = table.join(_differences(elpd, unit))
    if len(forecasts):
        usable = forecasts[forecasts["hypothesis"].isin(table.index[table["forecast_usable"]])]
        scores = {
            str(name): np.concatenate(own["log_score"].to_list())
            for name, own in usable.groupby("hypothesis")
        }
        differences = _differences(scores, "forecast").drop(columns="weight_forecast")
        if len(scores):
            differences["diff_se_forecast"] = _clustered_errors(usable, differences.index[0])
        table = table.join(differences)
    return table.assign(probability=posterior_probabilities(table))


def _differences(elpd: dict[str, np.ndarray], unit: str) -> pd.DataFrame:
    """Differences to the best with their standard errors, and stacking weights (ArviZ)."""
    import arviz_stats as azs
    from arviz_stats.utils import ELPDData

    def data(values: np.ndarray) -> ELPDData:
        return ELPDData(
            elpd=float(values.sum()),
            se=float(np.sqrt(values.size * values.var())),
            p=0.0,
            n_samples=criteria.DRAWS,
            n_data_points=values.size,
            scale="log",
            warning=False,
            good_k=leave_out.K_LIMIT,
            elpd_i=xr.DataArray(values, dims=unit),
            pareto_k=xr.DataArray(np.zeros(values.size), dims=unit),
        )

    if len(elpd) < 2:
        return pd.DataFrame(
            {f"diff_{unit}": 0.0, f"diff_se_{unit}": 0.0, f"weight_{unit}": 1.0}, index=list(elpd)
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that many models may differ by chance
        table = azs.compare({name: data(v) for name, v in elpd.items()}, round_to="none")
    return table.rename(
        columns={"elpd_diff": f"diff_{unit}", "dse": f"diff_se_{unit}", "weight": f"weight_{unit}"}
    )[[f"diff_{unit}", f"diff_se_{unit}", f"weight_{unit}"]].astype(float)


def _clustered_errors(forecasts: pd.DataFrame, best: Any) -> pd.Series:
    """Standard errors of sums of forecast differences, by clusters of one cut.

    Releases after one cut share the error of one trend, so that cuts are what is independent.
    """
    by_cut = forecasts.assign(total=[float(np.sum(own)) for own in forecasts["log_score"]])
    totals = by_cut.pivot(index="hypothesis", columns="cut", values="total")
    apart = totals - totals.loc[best]
    count = apart.shape[1]
    if count < 2:
        return pd.Series(np.inf, index=apart.index)
    return np.sqrt(count * apart.var(axis=1, ddof=1))


def posterior_probabilities(table: pd.DataFrame) -> pd.Series:
    """Probability of each hypothesis whose evidence is usable, given that one of them holds."""
    usable = table["evidence_usable"]
    weight = table["log_evidence"] + np.log(table["prior_odds"])
    if not usable.any():
        return pd.Series(np.nan, index=table.index)
    return np.exp(weight - logsumexp(weight[usable])).where(usable)


def dates_between(observed: Observations, named: dict[str, Hypothesis]) -> pd.DataFrame:
    """What lies between neighbouring candidate dates: few releases can hardly tell them apart."""
    found = {
        change.date
        for hypothesis in named.values()
        for change in hypothesis.changes
        if change.date is not None
    }
    dates = sorted(found)
    labels = {
        date: ", ".join(
            name
            for name, hypothesis in named.items()
            if any(change.date == date for change in hypothesis.changes)
        )
        for date in dates
    }
    rows = []
    for first, second in itertools.pairwise(dates):
        inside = (observed.time >= years_since_origin(first)) & (
            observed.time < years_since_origin(second)
        )
        rows.append(
            {
                "first": labels[first],
                "second": labels[second],
                "days": (second - first).days,
                "systems": int(inside.sum()),
                "releases": len(np.unique(observed.system_release[inside])),
            }
        )
    return pd.DataFrame(rows, columns=["first", "second", "days", "systems", "releases"])


def _sensitivity(fits: dict[str, Fit], answers: dict[str, Any]) -> pd.DataFrame:
    """A row per hypothesis, prior and factor."""
    rows = []
    for name, fit in fits.items():
        priors = prior_sensitivity.change_priors(fit.spec)
        for kind in ("scale", "window"):
            for factor, found in answers[name].get(kind, {}).items():
                change = found["change"] or {"mean": None, "lower": None, "upper": None}
                rows.append(
                    {
                        "hypothesis": name,
                        "prior": ", ".join(priors) if kind == "scale" else "window",
                        "factor": float(factor),
                        "log_evidence_change": found["log_ratio"],
                        "error": found["error"],
                        "growth_change": change["mean"],
                        "growth_change_lower": change["lower"],
                        "growth_change_upper": change["upper"],
                        "k": found.get("k"),
                    }
                )
    return pd.DataFrame(rows)
