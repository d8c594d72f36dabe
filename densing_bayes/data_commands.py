"""Commands of the tables; what is slow to import is imported inside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from densing_bayes.terminal import Json, cannot_write, print_json, print_table, print_text, say


def register(app: typer.Typer) -> None:
    """Add the commands to those of ``data``."""
    app.command("list")(data_list)
    app.command("validate")(data_validate)
    app.command("export")(data_export)


def data_list(as_json: Json = False) -> None:
    """List the embedded panels."""
    from densing_bayes.tables import list_panels

    panels = list_panels()
    if as_json:
        print_json(
            [
                {"panel": name, "benchmarks": str(row["benchmarks"]).split(", ")}
                | {key: int(row[key]) for key in ("systems", "releases", "scores", "runs")}
                | {key: row[key].date() for key in ("first_date", "last_date")}
                for name, row in panels.iterrows()
            ]
        )
        return
    rows = [
        [
            str(name),
            str(row["systems"]),
            str(row["releases"]),
            str(row["scores"]),
            str(row["runs"]),
            f"{row['first_date']:%Y-%m} to {row['last_date']:%Y-%m}",
            row["benchmarks"],
        ]
        for name, row in panels.iterrows()
    ]
    print_table(
        "Panel",
        ["Systems", "Releases", "Scores", "Runs", "Released", "Benchmarks"],
        rows,
        left={5, 6},
    )


def data_validate(
    directory: Annotated[
        str, typer.Argument(metavar="DIR", help="Folder of tables, or an embedded panel.")
    ],
    as_json: Json = False,
) -> None:
    """Check the tables of a panel; every problem is named with file, row, column and mend."""
    from densing_bayes.schema import TABLES
    from densing_bayes.tables import load_panel

    panel = load_panel(directory)
    sizes = {name: len(getattr(panel, name)) for name in TABLES}
    if as_json:
        print_json({"panel": panel.name, "valid": True, "rows": sizes, "sha256": panel.sha256})
        return
    rows = ", ".join(f"{size} {name.replace('_', ' ')}" for name, size in sizes.items())
    print_text(f"{panel.name}: valid ({rows})")


def data_export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Embedded panel.")],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to.")],
) -> None:
    """Write the tables of an embedded panel out, as a start for one's own."""
    from densing_bayes.tables import export_panel

    try:
        export_panel(name, directory)
    except OSError as error:
        cannot_write(directory, error)
    say(f"wrote the tables of '{name}' to {directory}")
