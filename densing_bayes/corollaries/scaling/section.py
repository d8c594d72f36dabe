"""Report of a loss law alone: its constants, runs off it, and larger runs left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from densing_bayes.corollaries.scaling.figures import plot_predicted, plot_residuals
from densing_bayes.corollaries.scaling.judgement import (
    largest_left_out,
    law_checks,
    off_the_law,
)
from densing_bayes.corollaries.scaling.model import CONSTANTS, LawFit, law_summary
from densing_bayes.display.answers.checks import checks_section
from densing_bayes.display.headline import Statement
from densing_bayes.display.literal import in_utf8
from densing_bayes.display.section import Equation, Picture, Report, Section, Table
from densing_bayes.display.sentences import marked, small_verdict
from densing_bayes.errors import DensingError, did_you_mean
from densing_bayes.evaluation.outliers import far_limit
from densing_bayes.posterior.result import CI
from densing_bayes.quantities.numbers import count, limits, median, number, percent

SHOWN = 20  # rows of a table of runs
TITLE = "Loss law of training runs"


def law_rows(said: dict[str, Any]) -> list[list[str]]:
    """Constants in text: name, median, interval, prior interval."""
    return [
        [label, median(said[name]), limits(said[name]), limits(said["prior"][name])]
        for name, label in CONSTANTS.items()
    ]


def runs_sentence(fit: LawFit, said: dict[str, Any]) -> str:
    """How many runs entered, and where the law is centred."""
    text = (
        f"{said['runs']} runs of {count(fit.runs['params'].min())} to "
        f"{count(fit.runs['params'].max())} params and {count(fit.runs['tokens'].min())} to "
        f"{count(fit.runs['tokens'].max())} tokens entered"
    )
    if said["flagged"]:
        text += f"; {said['flagged']} with a flag were left out"
    centre = said["centre"]
    return (
        f"{text}. a and b are the losses from too few params and tokens at "
        f"{count(centre['params'])} params and {count(centre['tokens'])} tokens."
    )


def far_sentence(fit: LawFit, judged: pd.DataFrame) -> str:
    """Which runs are off the law."""
    limit = far_limit(len(judged), fit.spec.check.far)
    far = judged[judged["far"]]
    rule = f"more than {limit:.1f} robust standard deviations off the law"
    if far.empty:
        return f"No run is {rule}."
    named = ", ".join(
        f"{run}{' (left out)' if run not in set(fit.runs['run']) else ''}"
        for run in far["run"][:SHOWN]
    )
    more = f" and {len(far) - SHOWN} more" if len(far) > SHOWN else ""
    verb = "run is" if len(far) == 1 else "runs are"
    return f"{len(far)} {verb} {rule}: {named}{more}."


def predicted_sentence(predicted: pd.DataFrame, ci: float) -> str:
    """How well larger runs were predicted."""
    if predicted.attrs["verdict"] != "PASS":
        return "The fit without the largest runs has not converged: nothing is predicted."
    inside, total = int(predicted["inside"].sum()), len(predicted)
    return (
        f"Fitted without the {total} runs with most compute, the law has {inside} of their losses "
        f"within its {percent(ci)} intervals."
    )


def law_report(
    fit: LawFit, ci: float = CI, *, title: str = TITLE, wanted: Collection[str] | None = None
) -> Report:
    """The report of a loss law.

    Parameters
    ----------
    fit
        A fit.
    ci
        Probability of the intervals.
    title
        Of the report.
    wanted
        Names of the sections that are wanted: law, runs, left-out, checks; all by default.

    Raises
    ------
    DensingError
        If there is no section of a name.
    """
    said, judged = law_summary(fit, ci), off_the_law(fit)
    makers: dict[str, Callable[[], Section]] = {
        "law": lambda: _law(fit, said, ci),
        "runs": lambda: _runs(fit, judged),
        "left-out": lambda: _left_out(largest_left_out(fit, ci), ci),
        "checks": lambda: checks_section(law_checks(fit)),
    }
    for name in wanted or ():
        if name not in makers:
            hint = did_you_mean(name, makers, f"there are {', '.join(makers)}")
            raise DensingError(f"no section '{name}' in the report of a loss law{hint}")
    source, title = fit.provenance, in_utf8(title)
    statements = tuple(
        Statement(
            name,
            CONSTANTS[name],
            median(said[name]),
            limits(said[name]),
            f"{CONSTANTS[name]} is {median(said[name])} ({limits(said[name])}).",
        )
        for name in ("irreducible_loss", "params_exponent", "tokens_exponent")
    )
    return Report(
        title=title,
        subtitle=fit.spec.description or fit.spec.name,
        verdict=fit.verdict,
        warning=""
        if fit.verdict == "PASS"
        else f"This fit has not converged: {'; '.join(fit.diagnostics['reasons'])}.",
        statements=statements,
        notes=(
            runs_sentence(fit, said),
            f"Fit of {source['table']}, seed {source['seed']}, {source['created'][:10]}. "
            f"Intervals are equal-tailed, {percent(ci)}.",
        ),
        sections=tuple(make() for name, make in makers.items() if wanted is None or name in wanted),
        document={
            "title": title,
            "headline": [item._asdict() for item in statements],
            "verdict": fit.verdict,
            "ci": ci,
            "diagnostics": fit.diagnostics,
            "provenance": source,
        },
    )


def _rows(table: pd.DataFrame) -> Iterator[Any]:
    """Rows by the names of their columns, whose types a table does not tell."""
    return table.itertuples(index=False)


def _law(fit: LawFit, said: dict[str, Any], ci: float) -> Section:
    noise = "normal" if fit.spec.law.tails is None else f"Student's t, {fit.spec.law.tails:g} df"
    header = ("Constant", "Median", f"{percent(ci)} interval", "Prior interval")
    return Section(
        "law",
        "The law",
        (runs_sentence(fit, said),),
        tables=(Table(header, tuple(map(tuple, law_rows(said)))),),
        equations=(
            Equation(
                f"Loss of a run of N params and D tokens; noise of log loss: {noise}",
                r"L = E + a (N/N_0)^{-\alpha} + b (D/D_0)^{-\beta}",
            ),
        ),
        document=said,
    )


def _runs(fit: LawFit, judged: pd.DataFrame) -> Section:
    sentence = far_sentence(fit, judged)
    rows = tuple(
        (
            str(row.run),
            count(row.params),
            count(row.tokens),
            number(row.loss, 4),
            number(row.expected, 4),
            f"{row.distance:+.1f}",
            str(row.flag),
        )
        for row in _rows(judged.head(SHOWN))
    )
    header = ("Run", "Params", "Tokens", "Loss", "By the law", "Distance, sd", "Flag")
    return Section(
        "runs",
        "Runs off the law",
        (sentence,),
        tables=(
            Table(
                header,
                rows,
                note=f"The {len(rows)} furthest of {len(judged)} runs; the CSV file has all.",
                left=frozenset({6}),
                numbers=judged,
            ),
        ),
        pictures=(
            Picture(
                partial(plot_residuals, judged, far_limit(len(judged), fit.spec.check.far)),
                f"Distances of runs from the law over their compute. {sentence}",
                "runs",
                "Distance of log loss from the median of the law, in robust standard deviations; "
                "the scale is linear within twice the limit and logarithmic beyond.",
            ),
        ),
        document={"runs": judged.to_dict("records")},
    )


def _left_out(predicted: pd.DataFrame, ci: float) -> Section:
    sentence = predicted_sentence(predicted, ci)
    rows = tuple(
        (
            str(row.run),
            count(row.params),
            count(row.tokens),
            number(row.loss, 4),
            number(row.median, 4),
            f"{number(row.lower, 4)} to {number(row.upper, 4)}",
            "yes" if row.inside else "no",
        )
        for row in _rows(predicted)
    )
    passed = predicted.attrs["verdict"] == "PASS"
    header = ("Run", "Params", "Tokens", "Loss", "Predicted", f"{percent(ci)} interval", "Inside")
    picture = Picture(
        partial(plot_predicted, predicted),
        f"Losses of the runs with most compute beside their predictions. {sentence}",
        "left-out",
        "Losses of the runs with most compute, and what the law of the others predicts for them.",
    )
    return Section(
        "left-out",
        "Larger runs left out",
        (sentence,),
        tables=(Table(header, rows, numbers=predicted),) if passed else (),
        pictures=(picture,) if passed else (),
        document={
            "verdict": predicted.attrs["verdict"],
            "runs": predicted.to_dict("records") if passed else [],
        },
    )


def law_section(fit: LawFit, ci: float = CI) -> Section:
    """What a loss law says: its constants, runs off it, and how well larger runs are predicted."""
    said, judged, predicted = law_summary(fit, ci), off_the_law(fit), largest_left_out(fit, ci)
    law = _law(fit, said, ci)
    return replace(
        law,
        sentences=(
            marked(fit.verdict, law.sentences[0]),
            far_sentence(fit, judged),
            predicted_sentence(predicted, ci),
            small_verdict(fit),
        ),
        document=said
        | {
            "off_the_law": judged[judged["far"]].to_dict("records"),
            "left_out": {
                "verdict": predicted.attrs["verdict"],
                "runs": predicted.to_dict("records"),
            },
            "diagnostics": fit.diagnostics,
            "provenance": fit.provenance,
        },
    )
