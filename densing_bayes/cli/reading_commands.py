"""Commands that read a fit; what is slow to import is imported inside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from densing_bayes.display.options import Interval, panel_name
from densing_bayes.display.terminal import (
    FitFile,
    Json,
    exit_unless_passed,
    footing,
    load_fit,
    say,
    show,
)
from densing_bayes.errors import DensingError

if TYPE_CHECKING:
    from densing_bayes.inputs.panel import Panel
    from densing_bayes.posterior.result import Fit


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("trend")(trend_command)
    app.command("density")(density_command)
    app.command("check")(check_command)


def trend_command(
    fit: FitFile,
    comparison: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="comparison.json of 'compare --out', to average over its hypotheses. [default: a "
            "comparison of the same model and data in the store or the package]",
        ),
    ] = None,
    average: Annotated[
        bool,
        typer.Option(
            "--average",
            help="Compare all built-in hypotheses under the model of FIT and average over them; "
            "takes some ten minutes on two cores the first time.",
        ),
    ] = False,
    over_tokens: Annotated[
        bool,
        typer.Option(
            "--over-tokens",
            help="Fit the model of FIT at five D0 from 1e12 to 15e12 tokens and mix the "
            "posteriors; takes a minute or two the first time.",
        ),
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="With --average or --over-tokens: the tables that FIT was fitted to. "
            "[default: the embedded panel]",
            callback=panel_name,
        ),
    ] = None,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """Growth rate and doubling time before and after the change; averages over hypotheses or D0."""
    from densing_bayes.display.answers.trend import (
        benchmark_section,
        headline_section,
        trend_section,
    )
    from densing_bayes.evaluation.hypotheses.averaged import averaged_of
    from densing_bayes.evaluation.token_range import make_over_tokens, over_tokens_of
    from densing_bayes.quantities.summary import trend_summary

    if average and comparison is not None:
        raise DensingError("--average makes a comparison: leave --comparison out, or --average")
    if data is not None and not (average or over_tokens):
        raise DensingError(
            "--data names the tables for --average and --over-tokens: add one, or leave --data out"
        )
    fitted = load_fit(fit)
    panel = _tables(fitted, data) if average or over_tokens else None
    if average and panel is not None:
        averaged: dict[str, Any] | None = _averaged_now(fitted, panel, ci)
    else:
        averaged = averaged_of(fitted, comparison)
    if over_tokens and panel is not None:
        mixed: dict[str, Any] | None = make_over_tokens(fitted, panel, ci, progress=True)
    else:
        mixed = over_tokens_of(fitted)
    summary = trend_summary(fitted, ci, averaged, mixed)
    sections = (
        headline_section(fitted, summary),
        trend_section(fitted, summary, ci),
        benchmark_section(fitted, summary, ci),
    )
    show(summary, *sections, as_json=as_json, fit=fitted)


def _tables(fitted: Fit, data: str | None) -> Panel:
    """The tables that a fit has seen."""
    from densing_bayes.inputs.panel import load_panel
    from densing_bayes.report.sections.basis import tables_of

    panel = tables_of(fitted) if data is None else load_panel(data)
    if panel is None or panel.sha256 != fitted.provenance.get("tables_hash"):
        raise DensingError(
            f"the tables of {data or fitted.spec.panel.source!r} are not those that the fit has "
            f"seen: name them with --data, or fit again"
        )
    return panel


def _averaged_now(fitted: Fit, panel: Panel, ci: float) -> dict[str, Any]:
    """Averages of a comparison that is made for a fit."""
    from densing_bayes.evaluation.hypotheses.comparison import make_averaged
    from densing_bayes.inputs.specification import list_hypotheses

    say(
        f"comparing {len(list_hypotheses())} hypotheses: some ten minutes on two cores, seconds "
        f"where their fits are in the store"
    )
    return make_averaged(fitted, panel, ci, progress=True)


def density_command(
    fit: FitFile,
    top: Annotated[
        int | None,
        typer.Option(metavar="N", help="Show only the N densest systems. [default: all]", min=1),
    ] = None,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """Capability density, rank and effective params of every system, densest first."""
    from densing_bayes.display.answers.systems import density_section

    fitted = load_fit(fit)
    section = density_section(fitted, ci, top)
    document = {"systems": section.document} | footing(fitted)
    show(document, section, as_json=as_json, fit=fitted)


def check_command(fit: FitFile, as_json: Json = False) -> None:
    """Check a fit before you quote it: convergence, held-out predictions, influence of priors."""
    from densing_bayes.corollaries.scaling.command import check_law_file
    from densing_bayes.corollaries.scaling.model import is_law_file
    from densing_bayes.display.answers.checks import checks_section
    from densing_bayes.evaluation.checks import check
    from densing_bayes.evaluation.suspicion import suspicions_of

    if is_law_file(fit):
        check_law_file(fit, as_json)
        return
    fitted = load_fit(fit)
    found = check(fitted)
    section = checks_section(found, suspicions_of(fitted.observed))
    show(section.document | footing(fitted), section, as_json=as_json, fit=fitted)
    exit_unless_passed("FAIL" if found.verdict == "FAIL" else "PASS")
