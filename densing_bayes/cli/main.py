"""Command line. What is slow to import is imported inside the commands that need it."""

from __future__ import annotations

import io
import os
import sys
import warnings
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from densing_bayes.cli import backtest_commands, data_commands
from densing_bayes.corollaries import commands
from densing_bayes.display.options import (
    Chains,
    Draws,
    Interval,
    Jobs,
    OutFile,
    OutFolder,
    PanelName,
    Seed,
    SeenTables,
    Tune,
    list_of_names,
    panel_name,
    path_given,
)
from densing_bayes.display.terminal import (
    FitFile,
    Interrupt,
    Json,
    cannot_write,
    check_writable,
    exit_unless_passed,
    interruptible,
    load_fit,
    print_footing,
    print_json,
    print_ledger,
    print_table,
    print_text,
    say,
    verdict_text,
)
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED
from densing_bayes.report.request import ReportWanted, report_made

if TYPE_CHECKING:
    from densing_bayes.evaluation.comparison_table import Comparison
    from densing_bayes.ledger.terms import Judgeable
    from densing_bayes.posterior.result import Fit

BAD_INPUT = 2
INTERRUPTED = 130


class _Commands(TyperGroup):
    """Commands whose foreseen errors end in one message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # here, where a full disk or a closed pipe can be told
        except DensingError as error:
            say(f"densing-bayes: {error}")
            raise typer.Exit(BAD_INPUT) from error
        except BrokenPipeError as error:  # the reader has seen enough
            _write_no_more()
            raise typer.Exit from error
        except OSError as error:
            _write_no_more()
            where = "" if error.filename is None else f" {error.filename}"
            say(f"densing-bayes: cannot use{where or ' the output'}: {error.strerror or error}")
            raise typer.Exit(BAD_INPUT) from error
        except (KeyboardInterrupt, Interrupt) as error:
            say("densing-bayes: interrupted; no half-written file is left")
            raise typer.Exit(INTERRUPTED) from error


app = typer.Typer(
    cls=_Commands,
    name="densing-bayes",
    help="Joint Bayesian model of the Densing Law: doubling times, densities and shelf lives of "
    "language models, with intervals.",
    epilog="Exit codes: 0 good, 2 bad usage or input, 3 sampled but not converged.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(
    cls=_Commands, no_args_is_help=True, help="List, check and export the tables of panels."
)
app.add_typer(data_app, name="data")


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):  # which may know ASCII only
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    warnings.showwarning = _say_warning  # type: ignore[assignment]  # takes the rest as it comes
    app()


def _say_warning(message: Warning | str, *where: Any) -> None:
    """Say a warning without the line of source that it comes from."""
    say(f"densing-bayes: warning: {message}")


def _write_no_more() -> None:
    """Let what is left for the output go nowhere: writing it would fail once more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@app.callback(invoke_without_command=True)
def _options(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from densing_bayes import __version__

        print(__version__)
        raise typer.Exit


# Fitting -----------------------------------------------------------------------------------------


@app.command("fit")
def fit_command(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="Built-in name or TOML file.")],
    data: PanelName = None,
    hypothesis: Annotated[
        str | None,
        typer.Option(metavar="H", help="Trend: built-in name or TOML file. [default: SPEC's own]"),
    ] = None,
    out: OutFile = Path("fit.nc"),
    draws: Draws = 1000,
    tune: Tune = 500,
    chains: Chains = 4,
    cores: Annotated[
        int | None, typer.Option(help="Processes. [default: what there is]", min=1)
    ] = None,
    seed: Seed = SEED,
) -> None:
    """Fit a specification to a panel and save the posterior with its verdict."""
    from densing_bayes.corollaries.scaling.command import fit_law_file
    from densing_bayes.corollaries.scaling.runs import is_law_spec

    check_writable(out.parent)
    if out.is_dir():
        raise DensingError(f"{out} is a folder; give a file such as {out / 'fit.nc'}")
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
    with interruptible():
        return fit(model, panel, progress=True, **settings)


# Reading -----------------------------------------------------------------------------------------


@app.command("trend")
def trend_command(
    fit: FitFile,
    comparison: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="comparison.json of 'compare --out', to average over hypotheses. [default: what "
            "the store or the package has of the same model and data]",
        ),
    ] = None,
    average: Annotated[
        bool,
        typer.Option(
            "--average",
            help="Compare all built-in hypotheses under the model of FIT and average over them; "
            "some ten minutes on two cores the first time.",
        ),
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="For --average: tables of FIT. [default: the embedded panel]",
            callback=panel_name,
        ),
    ] = None,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """Growth rate and doubling time before and after the change, and averaged over hypotheses."""
    from densing_bayes.display import sentences as wording
    from densing_bayes.display import summary_rows
    from densing_bayes.evaluation.averaged import averaged_of
    from densing_bayes.quantities import labels, numbers
    from densing_bayes.quantities.summary import trend_summary

    if average and comparison is not None:
        raise DensingError("--average makes a comparison: leave --comparison out, or --average")
    if data is not None and not average:
        raise DensingError("--data names the tables for --average: add that, or leave --data out")
    fitted = load_fit(fit)
    if average:
        averaged: dict[str, Any] | None = _averaged_now(fitted, data, ci)
    else:
        averaged = averaged_of(fitted, comparison)
    summary = trend_summary(fitted, ci, averaged)
    if as_json:
        print_json(summary)
        return
    for statement in wording.headline(fitted, summary):
        print_text(wording.marked(fitted.verdict, statement.sentence))
    print_text("")
    rows = [
        [row.short, row.median, row.limits, row.prior]
        for row in summary_rows.trend_rows(fitted, summary)
    ]
    interval = f"{numbers.percent(ci)} interval"
    print_table("Mean over benchmarks", ["Median", interval, "Prior interval"], rows)
    print_text("")
    rows = [
        [row.label, row.rate_before, row.rate_after, row.doubling_after]
        for row in summary_rows.benchmark_rows(fitted, summary)
    ]
    header = ["Rate before, /day", "Rate after, /day", "Doubling after"]
    if labels.before_after(fitted) is None:
        rows = [[row[0], row[2], row[3]] for row in rows]
        header = ["Growth rate, /day", "Doubling time, days"]
    print_table("By benchmark", header, rows)
    print_footing(fitted)


def _averaged_now(fitted: Fit, data: str | None, ci: float) -> dict[str, Any]:
    """Averages of a comparison that is made for a fit, of the tables that it has seen."""
    from densing_bayes.evaluation.comparison import make_averaged
    from densing_bayes.inputs.panel import load_panel
    from densing_bayes.inputs.specification import list_hypotheses
    from densing_bayes.report.basis_sections import tables_of

    panel = tables_of(fitted) if data is None else load_panel(data)
    if panel is None or panel.sha256 != fitted.provenance.get("tables_hash"):
        raise DensingError(
            f"the tables of {data or fitted.spec.panel.source!r} are not those that the fit has "
            f"seen: name them with --data, or fit again"
        )
    say(
        f"comparing {len(list_hypotheses())} hypotheses: some ten minutes on two cores, seconds "
        f"where their fits are in the store"
    )
    with interruptible():
        return make_averaged(fitted, panel, ci, progress=True)


@app.command("density")
def density_command(
    fit: FitFile,
    top: Annotated[
        int | None, typer.Option(metavar="N", help="Show the N densest. [default: all]", min=1)
    ] = None,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """Capability density, rank and effective params of every system, densest first."""
    from densing_bayes.display.documents import density_document
    from densing_bayes.quantities.numbers import count, limits, number, percent

    fitted = load_fit(fit)
    document = density_document(fitted, ci, top)
    if as_json:
        print_json(document)
        return
    rows = [
        [
            entry["system"],
            entry["release_date"],
            count(entry["params"]),
            number(entry["density"]["median"], 2),
            limits(entry["density"], 2),
            f"{entry['rank']['lower']:.0f}-{entry['rank']['upper']:.0f}",
            count(entry["effective_params"]["median"]) + ("" if entry["in_range"] else "*"),
        ]
        for entry in document["systems"]
    ]
    print_table(
        "System",
        ["Released", "Params", "Density", f"{percent(ci)}", "Rank", "Effective"],
        rows,
    )
    if any(row[-1].endswith("*") for row in rows):
        print_text("* effective params outside the sizes of the reference runs: extrapolated")
    print_footing(fitted)


@app.command("check")
def check_command(fit: FitFile, as_json: Json = False) -> None:
    """Check a fit before it is quoted: convergence, predictions left out, pull of the priors."""
    from densing_bayes.corollaries.scaling.command import check_law_file
    from densing_bayes.corollaries.scaling.model import is_law_file
    from densing_bayes.display.documents import checks_document
    from densing_bayes.evaluation.checks import check, check_rows, sentences
    from densing_bayes.evaluation.suspicion import suspicions_of

    if is_law_file(fit):
        check_law_file(fit, as_json)
        return
    fitted = load_fit(fit)
    found, odd = check(fitted), suspicions_of(fitted.observed)
    if as_json:
        suspicions = {"suspicions": [asdict(one) for one in odd]}
        print_json(checks_document(fitted, found) | suspicions)
    else:
        print_table("Check", ["Figure", "Limit", "Status"], check_rows(found), left={3})
        print_text("")
        for sentence in (*sentences(found), *(f"Worth a look: {one}" for one in odd)):
            print_text(sentence)
        print_footing(fitted)
    exit_unless_passed("FAIL" if found.verdict == "FAIL" else "PASS")


@app.command("compare")
def compare_command(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="Built-in name or TOML file.")],
    more: Annotated[list[str] | None, typer.Argument(metavar="[H]...", hidden=True)] = None,
    hypotheses: Annotated[
        list[str] | None,
        typer.Option(
            metavar="H...",
            help="Built-in names, TOML files or saved fits. [default: all that are built in]",
        ),
    ] = None,
    data: PanelName = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Refit where importance sampling fails (k > 0.7).")
    ] = False,
    forecast: Annotated[
        bool, typer.Option("--forecast", help="Score forecasts of the next half year, 5 times.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for the tables (Markdown, JSON) and figures.",
            parser=path_given,
        ),
    ] = None,
    draws: Draws = 1000,
    tune: Tune = 500,
    chains: Chains = 4,
    jobs: Jobs = None,
    seed: Seed = SEED,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Keep finished fits and reuse them.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Compare hypotheses about the trend: prediction, evidence and forecasts side by side."""
    from densing_bayes.display.documents import comparison_document
    from densing_bayes.display.findings import (
        NOTES,
        criterion_rows,
        date_rows,
        growth_rows,
        power_rows,
        sensitivity_rows,
        sentences,
    )
    from densing_bayes.evaluation.comparison import compare

    if out is not None:
        check_writable(out)
    with interruptible():
        found = compare(
            spec,
            [*(hypotheses or []), *(more or [])] or None,
            data,
            exact=exact,
            forecast=forecast,
            draws=draws,
            tune=tune,
            chains=chains,
            seed=seed,
            jobs=jobs,
            progress=True,
            store=cache,
        )
    if out is not None:
        _write_comparison(found, out)
    if as_json:
        print_json(comparison_document(found))
    else:
        for sentence in sentences(found):
            print_text(sentence)
        print_text("")
        parts = [  # growth and criteria side by side need a very wide terminal
            (growth_rows, found.table, set()),
            (criterion_rows, found.table, set()),
            (power_rows, found.table, set()),
            (sensitivity_rows, found.sensitivity, {1}),
            (date_rows, found.dates, {1}),
        ]
        for rows_of, table, left in parts:
            if len(table):
                header, rows = rows_of(table)
                print_table(header[0], header[1:], rows, left)
                print_text("")
        print_text(NOTES)
    exit_unless_passed(*found.table["verdict"])


def _write_comparison(found: Comparison, out: Path) -> None:
    """Write the document and the figures of a comparison to a folder."""
    from densing_bayes.display.documents import comparison_document
    from densing_bayes.display.findings import markdown
    from densing_bayes.display.hypothesis_figures import comparison_figures
    from densing_bayes.posterior.plain import json_text
    from densing_bayes.report.image_files import png
    from densing_bayes.writing import write_files

    files = {
        "comparison.json": (json_text(comparison_document(found)) + "\n").encode(),
        "comparison.md": markdown(found).encode(),
    }
    files |= {f"{name}.png": png(figure) for name, figure in comparison_figures(found).items()}
    try:
        write_files(out, files)
    except OSError as error:
        cannot_write(out, error)
    say(f"wrote {out}")


@app.command("claims")
def claims_command(
    fits: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FIT]...",
            help="Files written by 'fit'. [default: the built-in fits, made once and kept]",
        ),
    ] = None,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """Put every published claim beside its posterior, with a verdict by a fixed rule."""
    from densing_bayes.fitting.built_in import BUILT_IN
    from densing_bayes.ledger.document import claims_document
    from densing_bayes.ledger.ledger import claims, table_fits
    from densing_bayes.ledger.rows import RULE, judges, ledger_rows, reasons, summary_sentence
    from densing_bayes.report.ahead import do_ahead, for_claims

    with interruptible():
        given: list[Judgeable] = [load_fit(path) for path in fits or []]
        do_ahead(for_claims(() if given else tuple(BUILT_IN)))
        table = claims([*given, *table_fits()] if given else None, ci)
    if as_json:
        print_json(claims_document(table))
        return
    header, rows = ledger_rows(table)
    print_ledger(header, rows)
    print_text("")
    for line in (summary_sentence(table), RULE, *judges(table), *reasons(table)):
        print_text(line)


@app.command("report")
def report_command(
    fit: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FIT]",
            help="File written by 'fit'. [default: 'joint', fitted now or before]",
        ),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(metavar="FIT", help="A fit of another panel, for the ledger of claims."),
    ] = None,
    sections: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help="Sections that are wanted. [default: all]"),
    ] = None,
    corollaries: Annotated[
        bool,
        typer.Option(
            "--corollaries/--no-corollaries",
            help="Sections on prices, engines, forecasts, pay-back and drivers; some minutes.",
        ),
    ] = True,
    hypotheses: Annotated[
        str | None,
        typer.Option(metavar="H,...", help="Compare these in a section; minutes for each."),
    ] = None,
    data: SeenTables = None,
    title: Annotated[str | None, typer.Option(help="Title of the report.")] = None,
    formats: Annotated[
        str, typer.Option(metavar="NAME,...", help="Of html, md, json, csv and pdf.")
    ] = "html,md,json,csv",
    out: OutFolder = Path("report"),
    ci: Interval = 0.95,
) -> None:
    """Write a report of a fit: report.html (one file, no network), and the same in other forms."""
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
    )
    from densing_bayes.report.files import write_files
    from densing_bayes.report.law import law_report_files

    with interruptible():
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


commands.register(app)
backtest_commands.register(app)
data_commands.register(data_app)
