"""What a comparison says, in sentences that say no more than its table.

The rules stand here and in docs/hypotheses.md. By prediction and by forecasts, a hypothesis is
behind if it scores 4 nats and two standard errors less than the best; by evidence, if it is 3 nats
(20 to 1) below the best beyond twice its error. What is not behind cannot be distinguished
from the best.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from densing_bayes.display.literal import in_markdown
from densing_bayes.display.sentences import LEAST_SHARE, markdown_table
from densing_bayes.evaluation.hypotheses.averaged import KINDS
from densing_bayes.evaluation.hypotheses.table import Comparison
from densing_bayes.evaluation.leave_out import K_LIMIT
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.quantities.numbers import is_probability, limits, median, number
from densing_bayes.quantities.summary import change_dates

BEHIND_PREDICTION = 4.0  # nats; smaller differences are not to be read (Sivula et al. 2025)
BEHIND_ERRORS = 2.0
BEHIND_EVIDENCE = 3.0  # nats
NOTES = (
    "LORO, LOSO: leave one release, one system out, in nats; differences are to the best, with "
    "their standard errors. Growth per year, mean and 95% interval. Power: how far the growth "
    "change moves when its priors, or the likelihood, are raised to a power near 1; above 0.05 it "
    "moves."
)
FEW_RELEASES = 5  # between two dates: too few to tell them apart


class Ranking(NamedTuple):
    """What one criterion says: the best, what cannot be distinguished from it, what is behind."""

    criterion: str
    best: str
    level: list[str]  # not distinguished from the best
    behind: list[str]
    unusable: list[str]


def rankings(table: pd.DataFrame) -> list[Ranking]:
    """Rankings by each criterion that the table of a comparison has."""
    found = [_by_difference(table, "leave-one-release-out prediction", "release")]
    if "forecast_usable" in table and table["forecast_usable"].any():
        found.append(_by_difference(table, "forecasts of the next half year", "forecast"))
    usable = table[table["evidence_usable"]]
    unusable = [str(name) for name in table.index.difference(usable.index, sort=False)]
    if len(usable):
        weight = usable["log_evidence"] + np.log(usable["prior_odds"])
        best = str(weight.idxmax())
        error = np.hypot(usable["log_evidence_error"], usable["log_evidence_error"].loc[best])
        behind = weight - weight[best] + BEHIND_ERRORS * error < -BEHIND_EVIDENCE
        found.append(_ranking("evidence", best, behind, unusable))
    return found


def _by_difference(table: pd.DataFrame, criterion: str, unit: str) -> Ranking:
    difference, error = table[f"diff_{unit}"], table[f"diff_se_{unit}"]
    behind = (difference < -BEHIND_PREDICTION) & (difference < -BEHIND_ERRORS * error)
    passed = (table["verdict"] == "PASS") & difference.notna()
    unusable = [str(name) for name in table.index[~passed]]
    best = str(difference[passed].idxmax()) if passed.any() else str(difference.idxmax())
    return _ranking(criterion, best, behind[passed | (table.index == best)], unusable)


def _ranking(criterion: str, best: str, behind: pd.Series, unusable: list[str]) -> Ranking:
    level = [str(name) for name in behind.index[~behind] if name != best]
    return Ranking(criterion, best, level, [str(name) for name in behind.index[behind]], unusable)


def sentences(comparison: Comparison, averaged: dict[str, Any] | None = None) -> list[str]:
    """The findings of a comparison, one sentence or two each.

    Its averages are computed, unless they are given, as of :func:`.average_summary`.
    """
    table = comparison.table
    ranked = rankings(table)
    said = [_said(ranking, table) for ranking in ranked]
    said.append(agreement(ranked))
    said += _dates(comparison) + _open_dates(comparison)
    unsure = table["k_above_release"] - table["exact_release"]
    if unsure.any():
        said.append(
            f"Importance sampling is not reliable (k above {K_LIMIT}) for {_range(unsure)} of "
            f"{len(comparison.observed.releases)} releases, by hypothesis; "
            + (
                "refits without them did not pass."
                if table["exact_release"].any()
                else "exact refits would settle them."
            )
        )
    systems = table["k_above_system"]
    if systems.any():
        said.append(
            f"LOSO is not exact: k is above {K_LIMIT} for {_range(systems)} of "
            f"{_many(len(comparison.observed.systems), 'system')}, by hypothesis."
        )
    if "k_above_forecast" in table and table["k_above_forecast"].any():
        said.append(
            f"Few draws foresee {_range(table['k_above_forecast'])} of the releases forecast, by "
            f"hypothesis (k above {K_LIMIT}): such scores may differ by many nats between runs."
        )
    if "forecast_usable" in table and not table["forecast_usable"].any():
        said.append("Forecasts are not usable: no hypothesis has fits that passed at all cuts.")
    failed = table.index[table["verdict"] != "PASS"]
    if len(failed):
        said.append(
            f"{_list(failed)} did not converge, also with more draws: no criterion is read there."
        )
    if averaged is None:
        from densing_bayes.evaluation.hypotheses.averaging import average_summary

        averaged = average_summary(comparison)
    said += averages(averaged)
    said.append("A date is where the trend bends in the model; it names no cause.")
    return said


def averages(averaged: dict[str, Any]) -> list[str]:
    """Doubling times averaged over the hypotheses, a sentence for each kind of weights."""
    said = []
    for kind in KINDS:
        found = averaged.get(kind, {"weights": {}})
        if len(found["weights"]) < 2:
            continue
        time, general = found["doubling_time_after"], found["doubling_time_in_general"]
        parts = sorted(found["weights"].items(), key=lambda part: -part[1])
        named = [(name, weight) for name, weight in parts if weight >= LEAST_SHARE]
        shares = ", ".join(f"{name} {weight:.2f}" for name, weight in named)
        said.append(
            f"Averaged over the hypotheses by {kind} ({shares}), density has doubled every "
            f"{median(time)} days ({limits(time)}) since {found['since']} in the mean of these "
            f"benchmarks, and every {median(general)} ({limits(general)}) on benchmarks in general."
        )
    return said


def _said(ranking: Ranking, table: pd.DataFrame) -> str:
    text = f"By {ranking.criterion}, {ranking.best} comes first"
    if ranking.criterion == "evidence":
        text += (
            f" (probability {_chance(table['probability'].loc[ranking.best])}, given "
            f"that one of the {len(table) - len(ranking.unusable)} holds)"
        )
    text += f"; {_list(ranking.level)} cannot be distinguished from it" if ranking.level else ""
    text += f"; {_list(ranking.behind)} {_are(ranking.behind)} behind" if ranking.behind else ""
    if ranking.criterion == "evidence" and ranking.unusable:
        text += f"; evidence not usable: {_list(ranking.unusable)}"
    if "forecast" in ranking.criterion and ranking.unusable:
        text += f"; not usable, since fits did not pass: {_list(ranking.unusable)}"
    return text + "."


def agreement(ranked: list[Ranking]) -> str:
    """Whether one criterion's best is behind by another."""
    against = [
        f"{one.best}, first by {one.criterion}, is behind by {two.criterion}"
        for one, two in itertools.permutations(ranked, 2)
        if one.best in two.behind
    ]
    if against:
        return f"The criteria disagree: {'; '.join(against)}."
    common = set.intersection(*({ranking.best, *ranking.level} for ranking in ranked))
    names = [name for name in (ranked[0].best, *ranked[0].level) if name in common]
    if not names:
        return "The criteria disagree: none of the hypotheses is among the first by all of them."
    unclear = any(ranking.level for ranking in ranked)
    return (
        f"No criterion puts {_list(names)} behind"
        + ("; which of them holds, the data do not say." if len(names) > 1 else ".")
        + (
            " Not every criterion can tell it from the others."
            if len(names) == 1 and unclear
            else ""
        )
    )


def _dates(comparison: Comparison) -> list[str]:
    said = []
    for row in comparison.dates.to_dict(orient="records"):
        if row["releases"] < FEW_RELEASES:
            said.append(
                f"The dates of {row['first']} and {row['second']} lie {row['days']} days apart "
                f"with {_many(row['systems'], 'system')} in {_many(row['releases'], 'release')} "
                f"between them: the data can hardly tell them apart."
            )
    return said


def _open_dates(comparison: Comparison) -> list[str]:
    said = []
    for name, fit in comparison.fits.items():
        if fit.verdict != "PASS":
            continue
        windows = {change.name: change.window for change in fit.spec.trend.changes}
        for change, date in change_dates(fit).items():
            first, last = windows[change]
            said.append(
                f"Under {name}, {change} lies at {date['median']} (95% interval {date['lower']} to "
                f"{date['upper']}), given that it lies between {first} and {last}."
            )
    return said


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _range(counts: pd.Series) -> str:
    few, most = counts.min(), counts.max()
    return f"{most}" if few == most else f"{few} to {most}"


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _list(names: Iterable[Any]) -> str:
    *first, last = map(str, names)
    return f"{', '.join(first)} and {last}" if first else last


# Tables for people --------------------------------------------------------------------------------


def growth_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Growth under each hypothesis as text, per year: a header, and a row for each."""
    header = ["Hypothesis", "Fit", "Before, /y", "After, /y", "P(>0)", "P(>=1.5x)"]
    rows = []
    for name, row in table.iterrows():
        cells = [str(name), row["verdict"], _rate(row, "before"), _rate(row, "after")]
        rows.append([*cells, _chance(row["p_change_gt_0"]), _chance(row["p_ge_half"])])
    return header, rows


def criterion_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """The criteria as text; differences are to the best, with standard errors."""
    forecast = "forecast_usable" in table
    header = ["Hypothesis", "LORO", "k>0.7", "Weight", "LOSO"]
    header += ["Forecast", "CRPS", "In 95%"] if forecast else []
    header += ["Log evidence", "Probability"]
    rows = []
    for name, row in table.iterrows():
        cells = [str(name), _difference(row, "release"), _bad(row), _share(row["weight_release"])]
        cells += [_difference(row, "system")]
        if forecast:
            cells += (
                [
                    _difference(row, "forecast"),
                    f"{row['forecast_crps']:.4f}",
                    f"{row['forecast_covered95']:.2f}",
                ]
                if row["forecast_usable"]
                else ["not usable", "", ""]
            )
        if row["evidence_usable"]:
            evidence = f"{row['log_evidence']:.1f} ± {row['log_evidence_error']:.1f}"
            cells += [evidence, _chance(row["probability"])]
        else:
            cells += ["not usable", ""]
        rows.append(cells)
    return header, rows


def power_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Sensitivity of the growth change to power-scaling, as text."""
    rows = [
        [str(name), _share(row["power_prior"]), _share(row["power_likelihood"])]
        for name, row in table.iterrows()
    ]
    return ["Hypothesis", "Power of prior", "Power of likelihood"], rows


def rows_of(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """The whole table of a comparison as text: growth, criteria and sensitivity side by side."""
    header, rows = growth_rows(table)
    for more, other in (criterion_rows(table), power_rows(table)):
        header, rows = header + more[1:], [a + b[1:] for a, b in zip(rows, other, strict=True)]
    return header, rows


def _rate(row: pd.Series, when: str) -> str:
    values = [DAYS_PER_YEAR * row[f"growth_{when}{side}"] for side in ("", "_lower", "_upper")]
    return "{:.2f} ({:.2f} to {:.2f})".format(*values)


def _chance(value: Any) -> str:
    if value is None or np.isnan(value):
        return "-"
    return is_probability(value).removeprefix("= ")


def _share(value: Any) -> str:
    return "-" if pd.isna(value) else f"{value:.2f}"


def _difference(row: pd.Series, unit: str) -> str:
    if pd.isna(row[f"diff_{unit}"]):
        return "not usable"
    if row[f"diff_{unit}"] == 0.0:
        return "best"
    return f"{row[f'diff_{unit}']:.1f} ± {row[f'diff_se_{unit}']:.1f}"


def _bad(row: pd.Series) -> str:
    left = row["k_above_release"] - row["exact_release"]
    return f"{row['k_above_release']} refit" if row["exact_release"] and not left else str(left)


def sensitivity_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """The sensitivity of a comparison as text."""
    header = ["Hypothesis", "Prior", "Times", "Log evidence", "Growth change /y"]
    rows = []
    for row in table.to_dict(orient="records"):
        evidence = (
            "-"
            if pd.isna(row["log_evidence_change"])
            else f"{row['log_evidence_change']:+.2f} ± {row['error']:.2f}"
        )
        values = [row[f"growth_change{side}"] for side in ("", "_lower", "_upper")]
        change = "-"  # where a fit did not pass, or nothing bends
        if not pd.isna(values).any() and any(values):
            change = "{:.2f} ({:.2f} to {:.2f})".format(
                *(DAYS_PER_YEAR * value for value in values)
            )
        cells = [row["hypothesis"], row["prior"], number(row["factor"], 2), evidence, change]
        rows.append(cells)
    return header, rows


def date_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """What lies between neighbouring candidate dates, as text."""
    header = ["Between", "and", "Days", "Systems", "Releases"]
    keys = ("first", "second", "days", "systems", "releases")
    return header, [[str(row[key]) for key in keys] for row in table.to_dict(orient="records")]


def markdown(comparison: Comparison) -> str:
    """The findings and the tables of a comparison as one Markdown document."""
    parts = [
        f"# Hypotheses about the trend: {in_markdown(comparison.spec.name)}",
        "\n".join(f"- {in_markdown(sentence)}" for sentence in sentences(comparison)),
        markdown_table(*rows_of(comparison.table)),
        NOTES,
    ]
    if len(comparison.dates):
        parts += ["## Between the dates", markdown_table(*date_rows(comparison.dates))]
    if len(comparison.sensitivity):
        parts += ["## Other priors", markdown_table(*sensitivity_rows(comparison.sensitivity))]
    return "\n\n".join(parts) + "\n"
