"""Whether a fit may be trusted: one row per check, with what to do where it does not pass.

FAIL is for draws that are not those of the posterior: no number of such a fit can be used. REVIEW
is for a posterior that is sampled well and should be looked at before it is quoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from densing_bayes.errors import DensingError
from densing_bayes.evaluation.leave_out import K_LIMIT
from densing_bayes.evaluation.pit import (
    DRAWS,
    leave_releases_out,
    run_densities,
    run_pit,
    score_pit,
)
from densing_bayes.evaluation.prior_panels import LEAST_USABLE, PriorPanels, prior_panels
from densing_bayes.evaluation.prior_sensitivity import SENSITIVE, growth_sensitivity
from densing_bayes.evaluation.uniformity import P_MIN, uniformity_p
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.diagnostics import BFMI_MIN, ESS_MIN, RHAT_MAX, TREE_DEPTH_LIMIT
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.growth import growth
from densing_bayes.quantities.labels import before_after, benchmark_label
from densing_bayes.quantities.numbers import number, percent

Status = Literal["PASS", "REVIEW", "FAIL"]

LEAST_DRAWS = 200  # below, Pareto shapes and tails of a PIT are not estimated at all
POOR_SHARE = 0.1  # of releases with poor weights: a tenth of the PITs hardly moves their ECDF
CONTRACTION_MIN = 0.75  # of the prior's variance: the interval is then half as wide as the prior's
NOTHING: Final = "Nothing to do."


class Check(NamedTuple):
    """One check of a fit."""

    topic: str
    check: str
    figure: float
    bound: Literal["at most", "at least"]
    limit: float
    status: Status
    recommendation: str


@dataclass(frozen=True)
class Checks:
    """All checks of a fit. Made by :func:`check`.

    Attributes
    ----------
    table
        One row per check: ``topic``, ``check``, ``figure``, ``bound`` ("at most" or "at least")
        and ``limit``, ``status`` (PASS, REVIEW or FAIL) and ``recommendation``, what to do.
    score_pit
        PIT of the mean score of each release on each benchmark, given all other releases; columns
        ``benchmark``, ``release``, ``systems``, ``score``, ``pit``, ``k``.
    run_pit
        PIT of each loss and score of the reference runs, given all others; columns
        ``quantity``, ``benchmark``, ``run``, ``pit``, ``k``.
    """

    table: pd.DataFrame
    score_pit: pd.DataFrame
    run_pit: pd.DataFrame

    @property
    def verdict(self) -> Status:
        """The worst status of all checks."""
        found = set(self.table["status"])
        return "FAIL" if "FAIL" in found else "REVIEW" if "REVIEW" in found else "PASS"


def check(fit: Fit, draws: int = DRAWS, seed: int = 0) -> Checks:
    """Check a fit: convergence, predictions of what was left out, sensitivity to priors.

    Parameters
    ----------
    fit
        A fit.
    draws
        Number of posterior draws to predict from.
    seed
        Of the predictive draws.

    Returns
    -------
    Checks
        The table of checks, and the PITs behind it. Some 20 seconds for the open panel.

    Raises
    ------
    DensingError
        If the fit has too few draws to be checked.
    """
    size = fit.posterior["level"].size
    if min(size, draws) < LEAST_DRAWS:
        raise DensingError(
            f"{min(size, draws)} draws are too few to check a fit: {LEAST_DRAWS} or more are "
            f"needed in all (fit with --draws 250)"
        )
    left_out = leave_releases_out(fit, draws)
    runs = run_densities(fit, draws)
    scores, measured = score_pit(fit, left_out, seed), run_pit(fit, runs)
    log_likelihood = runs[["loss", "reference_score"]].assign(score=left_out.total)
    rows = [
        *convergence(fit.diagnostics),
        *_predictions(scores, fit.observed),
        *_reference(measured, fit.observed),
        *_sensitivity(fit, growth_sensitivity(fit, log_likelihood, draws)),
        *_contraction(fit),
        expected_panels(prior_panels(fit.spec, fit.observed)),
    ]
    return Checks(pd.DataFrame(rows, columns=list(Check._fields)), scores, measured)


def check_rows(checks: Checks) -> list[list[str]]:
    """Rows of the table in text: check, figure, limit, status."""
    return [
        [
            str(row["check"]),
            _figure(row["figure"]),
            f"{row['bound']} {row['limit']:g}",
            str(row["status"]),
        ]
        for row in checks.table.to_dict(orient="records")
    ]


def _figure(value: float) -> str:
    """A figure in text: counts without places, shares and p-values with two digits."""
    if not np.isfinite(value):
        return "none"
    return f"{value:,.0f}" if value == round(value, 0) else number(value, 2 if value < 1 else 4)


def sentences(checks: Checks) -> list[str]:
    """What to do about every check that did not pass, and how many passed."""
    table = checks.table
    told = [
        f"{row['status']}, {row['check']}: {row['recommendation']}"
        for row in table[table["status"] != "PASS"].to_dict(orient="records")
    ]
    passed = int((table["status"] == "PASS").sum())
    return [*told, f"PASS, {passed} of {len(table)} checks: nothing to do."]


def _row(
    topic: str,
    name: str,
    figure: float,
    bound: Literal["at most", "at least"],
    limit: float,
    otherwise: Status,
    advice: str,
) -> Check:
    """A row whose status follows from its figure; one that cannot be computed does not pass."""
    good = np.isfinite(figure) and (figure <= limit if bound == "at most" else figure >= limit)
    status = "PASS" if good else otherwise
    return Check(topic, name, figure, bound, limit, status, NOTHING if good else advice)


def convergence(figures: dict[str, Any]) -> list[Check]:
    """Rows of the convergence figures that a fit carries, :attr:`densing_bayes.Fit.diagnostics`."""
    worst = figures["worst"]
    modes = len(figures.get("modes", [])) or 1

    def row(name: str, figure: float, bound: Any, limit: float, advice: str) -> Check:
        return _row("convergence", name, figure, bound, limit, "FAIL", advice)

    longer = "Sample longer (--draws, --tune), and quote nothing of this fit."
    return [
        row(
            "modes that chains sit in",
            modes,
            "at most",
            1,
            "The posterior has several modes: quote each with its weight, as 'trend' prints them, "
            "never pooled; a narrower question or more data may leave one.",
        ),
        row(
            "largest R-hat",
            figures["rhat_max"],
            "at most",
            RHAT_MAX,
            f"Chains disagree about {worst['rhat']}. {longer}",
        ),
        row(
            "smallest bulk ESS",
            figures["ess_bulk_min"],
            "at least",
            ESS_MIN,
            f"Too few independent draws of {worst['ess_bulk']}. {longer}",
        ),
        row(
            "smallest tail ESS",
            figures["ess_tail_min"],
            "at least",
            ESS_MIN,
            f"Too few independent draws in the tails of {worst['ess_tail']}. {longer}",
        ),
        row(
            "divergent transitions",
            figures["divergences"],
            "at most",
            0,
            "The sampler missed a part of the posterior: fit with target_accept nearer to 1, such "
            "as 0.99; if they stay, a prior of a spread reaches too near to zero.",
        ),
        row(
            "smallest E-BFMI",
            figures["bfmi_min"],
            "at least",
            BFMI_MIN,
            f"The chains cross the levels of the density too slowly. {longer}",
        ),
        row(
            "greatest tree depth",
            figures["tree_depth_max"],
            "at most",
            TREE_DEPTH_LIMIT - 1,
            "Trajectories were cut short: fit with another --seed, or more --tune.",
        ),
    ]


def _predictions(table: pd.DataFrame, observed: Observations) -> list[Check]:
    rows = []
    for benchmark, part in table.groupby("benchmark", sort=False):
        label = benchmark_label(str(benchmark), observed)
        pit = part["pit"].to_numpy()
        furthest = part["release"].iloc[int(np.argmax(np.abs(pit - 0.5)))]
        rows.append(
            _row(
                "prediction",
                f"PIT of releases, {label}",
                uniformity_p(pit),
                "at least",
                P_MIN,
                "REVIEW",
                f"Scores on {label} are {misfit(pit)} the model predicts, most of all of "
                f"{furthest}: look up that row in scores.csv, and compare the trend with a fit "
                f"without {benchmark}.",
            )
        )
    by_release = table.drop_duplicates("release").set_index("release")["k"]
    poor = by_release[by_release > K_LIMIT].sort_values(ascending=False)
    names = ", ".join(map(str, poor.index[:3]))
    rows.append(
        _row(
            "prediction",
            f"share of releases with Pareto k > {K_LIMIT}",
            len(poor) / len(by_release),
            "at most",
            POOR_SHARE,
            "REVIEW",
            f"Leaving these releases out moves the posterior too far for weights ({names}): their "
            f"PITs flatter. 'compare --exact' fits without them.",
        )
    )
    return rows


def _reference(table: pd.DataFrame, observed: Observations) -> list[Check]:
    rows = []
    for (quantity, benchmark), part in table.groupby(["quantity", "benchmark"], sort=False):
        label = benchmark_label(str(benchmark), observed)
        pit = part["pit"].to_numpy()
        furthest = part["run"].iloc[int(np.argmax(np.abs(pit - 0.5)))]
        kind, law = ("Losses", "scaling law") if quantity == "loss" else ("Scores", "link")
        rows.append(
            _row(
                "reference",
                f"PIT of reference {kind.lower()}, {label}",
                uniformity_p(pit),
                "at least",
                P_MIN,
                "REVIEW",
                f"{kind} of reference runs on {label} are {misfit(pit)} the {law} predicts, most "
                f"of all of {furthest}: look up that run, or link {benchmark} in the other way.",
            )
        )
    return rows


def misfit(pit: np.ndarray) -> str:
    """How measurements differ from their predictions, by the first two moments of their PITs."""
    count = len(pit)
    shift = (pit.mean() - 0.5) * np.sqrt(12.0 * count)  # in standard errors of a uniform mean
    if abs(shift) > 2.0:
        return "higher than" if shift > 0 else "lower than"
    spread = (np.var(pit) - 1.0 / 12.0) * np.sqrt(180.0 * count)  # of a uniform variance
    if abs(spread) > 2.0:
        return "more spread out than" if spread > 0 else "less spread out than"
    return "distributed otherwise than"


def _quantities(fit: Fit) -> dict[str, str]:
    """Headline quantities of the trend, by the names that :func:`growth` gives them."""
    names = before_after(fit)
    if names is None:
        return {"before": "growth rate"}
    before, after = names
    return {
        "before": f"growth {before}",
        "after": f"growth {after}",
        "change": "change of growth",
    }


def _sensitivity(fit: Fit, table: pd.DataFrame) -> list[Check]:
    rows, labels = [], _quantities(fit)
    for quantity, row in table.iterrows():
        if row["likelihood"] < SENSITIVE:
            meaning = "and the data hardly do: it is the prior that answers"
        else:
            meaning = "and so do the data: prior and data pull, perhaps in different directions"
        rows.append(
            _row(
                "priors",
                f"prior sensitivity, {labels[str(quantity)]}",
                row["prior"],
                "at most",
                SENSITIVE,
                "REVIEW",
                f"Scaling the priors moves it, {meaning}. The prior of {row['strongest']} matters "
                f"most ({number(row['strongest_prior'], 2)}): fit with it twice as wide and quote "
                f"both.",
            )
        )
    return rows


def _contraction(fit: Fit) -> list[Check]:
    posterior, prior = growth(fit), growth(fit, "prior")
    rows = []
    for quantity, label in _quantities(fit).items():
        contraction = 1.0 - float(posterior[quantity].var() / prior[quantity].var())
        rows.append(
            _row(
                "priors",
                f"variance learnt, {label}",
                contraction,
                "at least",
                CONTRACTION_MIN,
                "REVIEW",
                f"The data take away {percent(max(0.0, contraction))} of the prior's variance: "
                f"quote the prior interval beside the posterior's.",
            )
        )
    return rows


def expected_panels(panels: PriorPanels) -> Check:
    """Row of the panels that the priors expect."""
    faults = ", ".join(f"{fault} ({percent(share)})" for fault, share in panels.commonest())
    return _row(
        "priors",
        "share of prior panels that are usable",
        panels.usable,
        "at least",
        LEAST_USABLE,
        "REVIEW",
        f"The priors expect panels that nobody would have measured, most often because {faults}: "
        f"state them on what can be seen, such as the scores of two reference models "
        f"([performance.curve]), and draw from them before fitting.",
    )
