"""Commands of the tables; what is slow to import is imported inside them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densing_bayes.display.options import Tables, path_given
from densing_bayes.display.terminal import (
    Json,
    cannot_write,
    check_writable,
    print_json,
    print_table,
    print_text,
    say,
)
from densing_bayes.errors import DensingError

if TYPE_CHECKING:
    import pandas as pd

MOST = 20
"""Lines of a list that are printed; the files have all of them."""


def register(app: typer.Typer) -> None:
    """Add the commands to those of ``data``."""
    app.command("list")(data_list)
    app.command("validate")(data_validate)
    app.command("export")(data_export)
    app.command("import")(data_import)


def data_list(as_json: Json = False) -> None:
    """List the embedded panels."""
    from densing_bayes.inputs.panel import list_panels

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
    directory: Tables,
    as_json: Json = False,
) -> None:
    """Check the tables of a panel: each problem with the way to fix it, and what may be a slip."""
    from densing_bayes.evaluation.suspicion import suspicions
    from densing_bayes.inputs.panel import load_panel
    from densing_bayes.inputs.tables.schema import TABLES

    panel = load_panel(directory)
    sizes = {name: len(getattr(panel, name)) for name in TABLES}
    found = suspicions(panel)
    if as_json:
        print_json(
            {"panel": panel.name, "valid": True, "rows": sizes, "sha256": panel.sha256}
            | {"suspicions": [asdict(one) for one in found]}
        )
        return
    rows = ", ".join(f"{size} {name.replace('_', ' ')}" for name, size in sizes.items())
    print_text(f"{panel.name}: valid ({rows})")
    _print_list("Worth a look, since they may be slips:", [str(one) for one in found])


def data_export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Embedded panel.")],
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to write to.", parser=path_given)
    ],
) -> None:
    """Write the tables of an embedded panel out, as a start for one's own."""
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
        typer.Option(metavar="TOML", help="What SOURCE does not say: columns, dates, sizes."),
    ] = None,
    format: Annotated[
        str | None, typer.Option(metavar="NAME", help="Format of SOURCE. [default: as it looks]")
    ] = None,
    reference: Annotated[
        str,
        typer.Option(metavar="PANEL", help="Where reference runs come from, or 'none'."),
    ] = "open",
    all_systems: Annotated[
        bool, typer.Option("--all-systems", help="Take tuned systems as well as base models.")
    ] = False,
    complete: Annotated[
        bool, typer.Option("--complete", help="Leave out systems without a date or size.")
    ] = False,
    upload_dates: Annotated[
        bool,
        typer.Option("--upload-dates", help="Take days of upload for releases, as bounds."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace tables that are in DIR.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a panel of evaluation outputs or a leaderboard, and list what it lacks."""
    check_writable(directory.parent)
    if directory.resolve() == source.resolve():
        raise DensingError(f"{directory} is what is read; give another folder to write to")

    from densing_bayes.inputs.foreign.imported import LEFT_OUT, MISSING
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
    sizes = {name: len(made.tables[name]) for name in ("systems", "benchmarks", "scores")}
    flags = made.tables["scores"]["flag"]
    flagged = {str(name): int(count) for name, count in flags[flags != ""].value_counts().items()}
    if as_json:
        print_json(
            {
                "format": made.format,
                "valid": made.complete,
                "rows": sizes,
                "flagged": flagged,
                "left_out": made.left_out.to_dict("records"),
                "missing": made.missing.to_dict("records"),
                "worth_giving": made.worth_giving.to_dict("records"),
            }
        )
        return
    rows = ", ".join(f"{size} {name}" for name, size in sizes.items())
    print_text(f"{source.name} is {FORMATS[made.format]}: {rows}")
    for name, count in flagged.items():
        print_text(f"{count} scores are flagged {name}: fits leave them out unless told")
    reasons = made.left_out["reason"].value_counts()
    _print_list(
        f"Left out, see {LEFT_OUT}:", [f"{count} x {reason}" for reason, count in reasons.items()]
    )
    _print_list("Not known, and needed:", _asked(made.missing))
    _print_list("Not known, and worth giving:", _asked(made.worth_giving))
    if made.complete:
        print_text(f"{directory}: valid")
    else:
        print_text(
            f"{directory}: not valid yet, {len(made.missing)} things are missing, which {MISSING} "
            "names; write them into the tables, or under [systems] in a mapping, or leave those "
            "systems out with --complete"
        )


def _print_list(title: str, lines: list[str]) -> None:
    if lines:
        print_text(title)
        for line in lines[:MOST]:
            print_text(f"  {line}")
        if len(lines) > MOST:
            print_text(f"  and {len(lines) - MOST} more")


def _asked(table: pd.DataFrame) -> list[str]:
    """A line for each thing asked, with the names of the rows that lack it."""
    lines: dict[str, list[str]] = {}
    for name, row, column, write, note in table.itertuples(index=False):
        line = lines.setdefault(f"{column}, {write}" if column else f"{name}, {write}", [])
        line.append(f"{row} ({note})" if note else row)
    return [": ".join(filter(None, (asked, _some(rows)))) for asked, rows in lines.items()]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
