"""Commands that make a fit and a report of it; what is slow is imported inside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from densing_bayes.display.options import (
    Chains,
    Draws,
    Interval,
    OutFile,
    OutFolder,
    PanelName,
    Seed,
    SeenTables,
    SpecName,
    Tune,
    list_of_names,
)
from densing_bayes.display.terminal import (
    check_writable,
    check_writable_file,
    exit_unless_passed,
    say,
    verdict_text,
)
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED
from densing_bayes.report.look import PRINT_ROWS, report_look
from densing_bayes.report.request import ReportWanted, report_made

if TYPE_CHECKING:
    from densing_bayes.posterior.result import Fit


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("fit")(fit_command)
    app.command("report")(report_command)


def fit_command(
    spec: SpecName,
    data: PanelName = None,
    hypothesis: Annotated[
        str | None,
        typer.Option(
            metavar="H",
            help="Hypothesis about the trend: built-in name or TOML file. [default: that of SPEC]",
        ),
    ] = None,
    out: OutFile = Path("fit.nc"),
    draws: Draws = 1000,
    tune: Tune = 500,
    chains: Chains = 4,
    cores: Annotated[
        int | None, typer.Option(help="Cores to sample on. [default: all]", min=1)
    ] = None,
    seed: Seed = SEED,
) -> None:
    """Fit a specification to a panel, and save the posterior with its verdict."""
    from densing_bayes.corollaries.scaling.command import fit_law_file
    from densing_bayes.corollaries.scaling.runs import is_law_spec

    check_writable_file(out)
    settings: dict[str, Any] = {
        "draws": draws,
        "tune": tune,
        "chains": chains,
        "cores": cores,
        "seed": seed,
    }
    if is_law_spec(spec):
        if hypothesis is not None or cores is not None:
            raise DensingError(
                f"'{spec}' is a loss law, without a trend: leave --hypothesis and --cores out"
            )
        del settings["cores"]
        fit_law_file(spec, data, out, settings)
        return
    fitted = _sample(spec, data, settings, hypothesis)
    out.parent.mkdir(parents=True, exist_ok=True)
    fitted.save(out)
    seconds = fitted.provenance["seconds"]["total"]
    say(f"wrote {out} in {seconds:.0f} s: {verdict_text(fitted)}")
    exit_unless_passed(fitted.verdict)


def _sample(
    spec: str, data: str | None, settings: dict[str, Any], hypothesis: str | None = None
) -> Fit:
    import logging

    from densing_bayes.fitting.fit import fit
    from densing_bayes.inputs.panel import load_panel
    from densing_bayes.inputs.specification import load_hypothesis, load_spec
    from densing_bayes.observed.observations import observe

    logging.getLogger("pymc.sampling.mcmc").setLevel(logging.WARNING)
    model = load_spec(spec)
    if hypothesis is not None:
        model = model.under(load_hypothesis(hypothesis))
    panel = load_panel(model.panel.source if data is None else data)
    observed = observe(panel, model)
    say(
        f"fitting '{model.name}'{f' under {hypothesis}' if hypothesis else ''} to panel "
        f"'{panel.name}': {len(observed.systems)} systems, "
        f"{len(observed.releases)} releases, {len(observed.score)} scores"
    )
    return fit(model, panel, progress=True, **settings)


def report_command(
    fit: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FIT]",
            help="File written by 'fit'. [default: 'current', fitted now or before]",
        ),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FIT", help="Fit of another panel, by which the ledger judges claims as well."
        ),
    ] = None,
    sections: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help="Sections to include. [default: all]"),
    ] = None,
    corollaries: Annotated[
        bool,
        typer.Option(
            "--corollaries/--no-corollaries",
            help="Include what follows from density with further data (prices, engines, pay-back "
            "and others); this takes some minutes.",
        ),
    ] = True,
    hypotheses: Annotated[
        str | None,
        typer.Option(
            metavar="H,...", help="Hypotheses to compare in a section; each takes minutes."
        ),
    ] = None,
    data: SeenTables = None,
    title: Annotated[str | None, typer.Option(help="Title of the report.")] = None,
    formats: Annotated[
        str,
        typer.Option(metavar="NAME,...", help="Any of html, md, json, csv, xlsx, ipynb and pdf."),
    ] = "html,md,json,csv",
    template: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your own Jinja template for the page.")
    ] = None,
    css: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Style sheet that is added after that of the report."),
    ] = None,
    logo: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Image above the title.")
    ] = None,
    locale: Annotated[
        str, typer.Option(metavar="NAME", help="Locale of numbers and dates, such as de or fr_CH.")
    ] = "en",
    print_rows: Annotated[
        int,
        typer.Option(
            metavar="N", help="Rows of a long table that are printed; 0 prints all.", min=0
        ),
    ] = PRINT_ROWS,
    out: OutFolder = Path("report"),
    ci: Interval = 0.95,
) -> None:
    """Write a report of a fit: one HTML file that needs no network, and other formats."""
    from densing_bayes.report.files import check_formats

    check_writable(out.parent if not out.exists() else out)
    wanted = ReportWanted(
        fit=fit,
        beside=tuple(beside or ()),
        sections=None if sections is None else tuple(list_of_names(sections, "--sections")),
        corollaries=corollaries,
        hypotheses=None if hypotheses is None else tuple(list_of_names(hypotheses, "--hypotheses")),
        data=data,
        title=title,
        formats=tuple(check_formats(list_of_names(formats, "--formats"))),
        ci=ci,
        look=report_look(template, css, logo, locale, print_rows),
    )
    from densing_bayes.report.files import write_files
    from densing_bayes.report.law import law_report_files

    of_law = law_report_files(wanted)
    if of_law is None:
        fitted, files = report_made(wanted)
    else:
        files = of_law

    if fit is None:
        out.mkdir(parents=True, exist_ok=True)
        fitted.save(out / "fit.nc")
        say(f"wrote {out / 'fit.nc'}")
    for path in write_files(files, out):
        say(f"wrote {path}")
    if fit is None:
        say(verdict_text(fitted))
        exit_unless_passed(fitted.verdict)
