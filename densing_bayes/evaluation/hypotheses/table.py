"""What a comparison holds: criteria of each hypothesis side by side."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from densing_bayes.evaluation import leave_out, prior_sensitivity
from densing_bayes.evaluation.hypotheses import criteria
from densing_bayes.inputs.hypothesis import Hypothesis
from densing_bayes.inputs.specification import (
    ModelSpec,
)
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.estimates import estimate, probability
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.growth import growth
from densing_bayes.shown import html_of

ERROR_LIMIT = 0.3  # nats: a log evidence that is less certain is not used


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

    def _repr_html_(self) -> str | None:
        return html_of(self)


def criteria_table(
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


def sensitivity_table(fits: dict[str, Fit], answers: dict[str, Any]) -> pd.DataFrame:
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
