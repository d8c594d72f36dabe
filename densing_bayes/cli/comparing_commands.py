"""Commands that compare hypotheses and judge claims; what is slow is imported inside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densing_bayes.display.options import (
    Cache,
    Chains,
    Draws,
    Interval,
    Jobs,
    PanelName,
    Seed,
    SpecName,
    Tune,
    path_given,
)
from densing_bayes.display.terminal import (
    Json,
    cannot_write,
    check_writable,
    exit_unless_passed,
    load_fit,
    say,
    show,
)
from densing_bayes.fitting.settings import SEED

if TYPE_CHECKING:
    from densing_bayes.display.section import Picture, Section
    from densing_bayes.ledger.terms import Judgeable


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("compare")(compare_command)
    app.command("claims")(claims_command)


def compare_command(
    spec: SpecName,
    more: Annotated[list[str] | None, typer.Argument(metavar="[H]...", hidden=True)] = None,
    hypotheses: Annotated[
        list[str] | None,
        typer.Option(
            metavar="H...",
            help="Built-in names, TOML files or saved fits. [default: all built-in hypotheses]",
        ),
    ] = None,
    data: PanelName = None,
    exact: Annotated[
        bool,
        typer.Option("--exact", help="Refit where importance sampling fails (Pareto k > 0.7)."),
    ] = False,
    forecast: Annotated[
        bool,
        typer.Option(
            "--forecast", help="Score forecasts of the half year after each of five dates."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for tables (Markdown, JSON) and figures.",
            parser=path_given,
        ),
    ] = None,
    draws: Draws = 1000,
    tune: Tune = 500,
    chains: Chains = 4,
    jobs: Jobs = None,
    seed: Seed = SEED,
    cache: Cache = True,
    as_json: Json = False,
) -> None:
    """Compare hypotheses about the trend by their predictions, evidence and forecasts."""
    from densing_bayes.display.answers.hypotheses import comparison_section
    from densing_bayes.evaluation.hypotheses.comparison import compare

    if out is not None:
        check_writable(out)
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
    section = comparison_section(found)
    if out is not None:
        _write_comparison(section, out)
    show(section.document, section, as_json=as_json)
    exit_unless_passed(*found.table["verdict"])


def _write_comparison(section: Section, out: Path) -> None:
    """Write the document, the tables and the figures of a comparison to a folder."""
    from densing_bayes.display.pages import section_markdown
    from densing_bayes.posterior.plain import json_text
    from densing_bayes.writing import write_files

    def link(picture: Picture) -> str:
        return picture.name.removeprefix(f"{section.name}-") + ".png"

    files = {
        "comparison.json": (json_text(section.document) + "\n").encode(),
        "comparison.md": section_markdown(section, link).encode(),
    }
    files |= {link(picture): picture.image.png for picture in section.pictures}
    try:
        write_files(out, files)
    except OSError as error:
        cannot_write(out, error)
    say(f"wrote {out}")


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
    """Set every published claim beside its posterior, and judge it by a fixed rule."""
    from densing_bayes.fitting.built_in import BUILT_IN
    from densing_bayes.ledger.ledger import check_panels, claims, table_fits
    from densing_bayes.ledger.section import claims_section
    from densing_bayes.report.ahead import do_ahead, for_claims

    given: list[Judgeable] = [load_fit(path) for path in fits or []]
    check_panels(given)
    do_ahead(for_claims(() if given else tuple(BUILT_IN)))
    table = claims([*given, *table_fits()] if given else None, ci)
    section = claims_section(table, ci)
    show(section.document, section, as_json=as_json)
