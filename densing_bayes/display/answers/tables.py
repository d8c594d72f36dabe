"""Answers about tables: embedded panels, the validity of a panel, and what an import has made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from densing_bayes.display.section import Section, Table
from densing_bayes.inputs.foreign.imported import LEFT_OUT, MISSING
from densing_bayes.inputs.tables.schema import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from densing_bayes.evaluation.suspicion import Suspicion
    from densing_bayes.inputs.foreign.imported import Imported
    from densing_bayes.inputs.panel import Panel

MOST = 20
"""Lines of a list that are shown; the document and the files have all of them."""


def panels_section(panels: pd.DataFrame) -> Section:
    """The embedded panels; ``document`` is a list with a record per panel."""
    rows = [
        (
            str(name),
            *(str(row[key]) for key in ("systems", "releases", "scores", "runs")),
            f"{row['first_date']:%Y-%m} to {row['last_date']:%Y-%m}",
            row["benchmarks"],
        )
        for name, row in panels.iterrows()
    ]
    header = ("Panel", "Systems", "Releases", "Scores", "Runs", "Released", "Benchmarks")
    document = [
        {"panel": name, "benchmarks": str(row["benchmarks"]).split(", ")}
        | {key: int(row[key]) for key in ("systems", "releases", "scores", "runs")}
        | {key: row[key].date() for key in ("first_date", "last_date")}
        for name, row in panels.iterrows()
    ]
    table = Table(header, tuple(rows), left=frozenset({5, 6}))
    return Section("panels", "Embedded panels", tables=(table,), document=document)


def validity_section(panel: Panel, odd: Sequence[Suspicion]) -> Section:
    """A panel that has been read without a problem, and what may be a slip in it.

    Its ``document`` has ``panel``, ``valid``, ``rows`` (of each table), ``sha256`` and
    ``suspicions``.
    """
    sizes = {name: len(getattr(panel, name)) for name in TABLES}
    rows = ", ".join(f"{size} {name.replace('_', ' ')}" for name, size in sizes.items())
    listed = _shortened([str(one) for one in odd])
    return Section(
        "validity",
        "Validity of a panel",
        (f"{panel.name}: valid ({rows})",),
        folded=("Worth a look, since they may be slips", listed) if odd else None,
        document={"panel": panel.name, "valid": True, "rows": sizes, "sha256": panel.sha256}
        | {"suspicions": [asdict(one) for one in odd]},
    )


def import_section(made: Imported, source: str, what: str, directory: Path) -> Section:
    """What an import has made of a file, left out of it, and could not find in it.

    Parameters
    ----------
    made
        Of :func:`.import_scores`.
    source, what
        Name of the file, and what it is.
    directory
        Where the tables have been written.

    Returns
    -------
    Section
        Its ``document`` has ``format``, ``valid``, ``rows`` (of the tables), ``flagged`` (scores
        by flag), and as lists of records ``left_out``, ``missing`` and ``worth_giving``.
    """
    sizes = {name: len(made.tables[name]) for name in ("systems", "benchmarks", "scores")}
    flags = made.tables["scores"]["flag"]
    flagged = {str(name): int(count) for name, count in flags[flags != ""].value_counts().items()}
    reasons = made.left_out["reason"].value_counts()
    lists = {
        f"Left out (see {LEFT_OUT})": [f"{count} x {reason}" for reason, count in reasons.items()],
        "Not known, and needed": _asked(made.missing),
        "Not known, and worth giving": _asked(made.worth_giving),
    }
    return Section(
        "import",
        "Import",
        (
            f"{source} is {what}: {', '.join(f'{size} {name}' for name, size in sizes.items())}",
            *(
                f"{count} scores are flagged {name}: fits leave them out unless told otherwise"
                for name, count in flagged.items()
            ),
        ),
        (
            f"{directory}: valid"
            if made.complete
            else f"{directory}: not valid yet; values missing: {len(made.missing)}, listed in "
            f"{MISSING}. Write them into the tables, or under [systems] in a mapping, or leave "
            "those systems out with --complete",
        ),
        tables=tuple(
            Table((title,), tuple((line,) for line in _shortened(lines)))
            for title, lines in lists.items()
            if lines
        ),
        document={"format": made.format, "valid": made.complete, "rows": sizes, "flagged": flagged}
        | {
            name: getattr(made, name).to_dict("records")
            for name in ("left_out", "missing", "worth_giving")
        },
    )


def _shortened(lines: Sequence[str]) -> tuple[str, ...]:
    more = (f"and {len(lines) - MOST} more",) if len(lines) > MOST else ()
    return (*lines[:MOST], *more)


def _asked(table: pd.DataFrame) -> list[str]:
    """A line for each thing asked, with the names of the rows that lack it."""
    lines: dict[str, list[str]] = {}
    for name, row, column, write, note in table.itertuples(index=False):
        line = lines.setdefault(f"{column}, {write}" if column else f"{name}, {write}", [])
        line.append(f"{row} ({note})" if note else row)
    return [
        ": ".join(filter(None, (asked, ", ".join(_shortened(rows)))))
        for asked, rows in lines.items()
    ]
