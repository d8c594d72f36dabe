"""Commands of the tables; what is slow to import is imported inside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from densing_bayes.display.options import Tables, path_given
from densing_bayes.display.terminal import (
    Json,
    cannot_write,
    check_writable,
    say,
    show,
)
from densing_bayes.errors import DensingError


def register(app: typer.Typer) -> None:
    """Add the commands to those of ``data``."""
    app.command("list")(data_list)
    app.command("validate")(data_validate)
    app.command("export")(data_export)
    app.command("import")(data_import)


def data_list(as_json: Json = False) -> None:
    """List the embedded panels."""
    from densing_bayes.display.answers.tables import panels_section
    from densing_bayes.inputs.panel import list_panels

    section = panels_section(list_panels())
    show(section.document, section, as_json=as_json)


def data_validate(
    directory: Tables,
    as_json: Json = False,
) -> None:
    """Check the tables of a panel: errors and how to fix them, and values that may be slips."""
    from densing_bayes.display.answers.tables import validity_section
    from densing_bayes.evaluation.suspicion import suspicions
    from densing_bayes.inputs.panel import load_panel

    panel = load_panel(directory)
    section = validity_section(panel, suspicions(panel))
    show(section.document, section, as_json=as_json)


def data_export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of an embedded panel.")],
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to write to.", parser=path_given)
    ],
) -> None:
    """Write the tables of an embedded panel to a folder, as a start for your own."""
    from densing_bayes.inputs.panel import export_panel

    try:
        export_panel(name, directory)
    except OSError as error:
        cannot_write(directory, error)
    say(f"wrote the tables of '{name}' to {directory}")


def data_import(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="File or folder of evaluation results.")
    ],
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to write to.", parser=path_given)
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="TOML", help="Mapping with what SOURCE does not say: columns, dates, sizes."
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Format of SOURCE. [default: recognised from its content]"
        ),
    ] = None,
    reference: Annotated[
        str,
        typer.Option(metavar="PANEL", help="Panel whose reference runs are used, or 'none'."),
    ] = "open",
    all_systems: Annotated[
        bool, typer.Option("--all-systems", help="Include instruction-tuned systems, too.")
    ] = False,
    complete: Annotated[
        bool, typer.Option("--complete", help="Leave out systems whose date or size is not known.")
    ] = False,
    upload_dates: Annotated[
        bool,
        typer.Option(
            "--upload-dates", help="Use dates of upload as upper bounds of dates of release."
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace tables that DIR already has.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a panel from evaluation outputs or a leaderboard, and list what it lacks."""
    check_writable(directory.parent)
    if directory.resolve() == source.resolve():
        raise DensingError(f"{directory} is what is read; give another folder to write to")

    from densing_bayes.display.answers.tables import import_section
    from densing_bayes.inputs.foreign.importing import import_scores
    from densing_bayes.inputs.foreign.recognition import FORMATS
    from densing_bayes.inputs.panel import load_panel

    made = import_scores(
        source,
        mapping=mapping,
        format=format,
        reference=None if reference == "none" else reference,
        base_only=not all_systems,
        complete_only=complete,
        upload_dates=upload_dates,
    )
    try:
        made.write(directory, overwrite=overwrite)
    except OSError as error:
        cannot_write(directory, error)
    if made.complete:
        load_panel(directory)
    section = import_section(made, source.name, FORMATS[made.format], directory)
    show(section.document, section, as_json=as_json)
