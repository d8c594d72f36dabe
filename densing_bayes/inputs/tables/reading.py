"""Reading tables from CSV files, with every problem told at once."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import hashlib
import io
import os
import re
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from densing_bayes.errors import TableError
from densing_bayes.inputs.dates import FIRST_DAY, LAST_DAY, OUTSIDE
from densing_bayes.inputs.tables.columns import ColumnSchema, TableSchema
from densing_bayes.inputs.tables.problems import (
    Problem,
    duplicates,
    panel_problems,
    raise_problems,
    value_problems,
)
from densing_bayes.inputs.tables.schema import MISNOMERS, TABLES

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

DATA_PACKAGE = "densing_bayes.data"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # no tab, no line break
MONTH_FORMATS = ("%Y %m", "%m %Y", "%b %Y", "%B %Y", "%Y %b", "%Y %B")
DAY_FORMATS = ("%Y %m %d", "%Y%m%d", "%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y")
_BLANKS = {"", "na", "n/a", "nan", "null", "none", "-"}


def load_table(schema: TableSchema, source: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Read and check a table that stands alone.

    Parameters
    ----------
    schema
        What it has to look like.
    source
        A CSV file of one's own; the embedded table by default.

    Raises
    ------
    TableError
        Names the file, the row as an editor counts it, the column, the value and what would be
        right.
    """
    folder: Traversable | Path = files(DATA_PACKAGE)
    if source is not None:
        path = Path(source)
        if path.is_dir():
            raise TableError(f"{path}: is a folder; give a CSV file such as {path / schema.file}")
        if not path.is_file():
            raise TableError(f"{path}: no such file; it needs the columns {_columns(schema)}")
        folder, schema = path.parent, dataclasses.replace(schema, file=path.name)
    problems: list[Problem] = []
    table, _ = _read_table(schema, folder, source is None, True, problems)
    problems += duplicates(schema, table)
    raise_problems(problems, str(folder))
    table = table.reset_index(drop=True)
    table.attrs["file"] = schema.file
    return table


def refuse_foreign(path: Path) -> None:
    """Say what a file or folder is, if it is something that can be made tables of."""
    from densing_bayes.inputs.foreign.recognition import Foreign, foreign_files, recognise

    if path.is_dir():
        found = foreign_files(path)
    else:
        known = recognise(path)
        found = [Foreign(path, known)] if known else []
    if found:
        raise TableError(str(found[0]))


def _refuse_foreign_table(schema: TableSchema, path: Path, content: bytes) -> None:
    """The same of a file that stands where a table is expected: one message, not one a column."""
    header = content[:100_000].decode("utf-8-sig", errors="replace").lstrip().splitlines()[:1]
    given = {name.strip().strip('"') for name in "".join(header).split(",")}
    required = set(_required(schema, False))
    if len(required - given) > len(required) / 2:
        refuse_foreign(path)


def _columns(schema: TableSchema) -> str:
    return ", ".join(_required(schema, False))


def read_tables(
    folder: Traversable | Path, embedded: bool, check: bool
) -> tuple[dict[str, pd.DataFrame], str]:
    """All tables of a panel by name, and the SHA-256 of their files."""
    problems: list[Problem] = []
    digest = hashlib.sha256()
    tables = {}
    for name, schema in TABLES.items():
        tables[name], content = _read_table(schema, folder, embedded, check, problems)
        if content is not None:
            digest.update(f"{schema.file} {len(content)}\n".encode())
            digest.update(content)
    raise_problems(problems, str(folder))
    for name, column in (
        ("protocols", "format"),
        ("reference_scores", "format"),
        ("losses", "loss_unit"),
    ):
        of_benchmark = tables["benchmarks"].set_index("benchmark")[column]
        table = tables[name]
        given = table[column] != ""
        table[column] = table[column].where(given, table["benchmark"].map(of_benchmark))
    if check:
        raise_problems(panel_problems(tables), str(folder))
    return tables, digest.hexdigest()


def _read_table(
    schema: TableSchema,
    folder: Traversable | Path,
    embedded: bool,
    check: bool,
    problems: list[Problem],
) -> tuple[pd.DataFrame, bytes | None]:
    """Read one table, index = row in the file; problems are added to the list.

    Its bytes come with it, None if there is no such file.
    """
    empty = pd.DataFrame(columns=schema.names)
    path = folder.joinpath(schema.file)
    if not path.is_file():
        meant = _misnamed(schema, folder)
        if meant or not schema.optional:
            columns = f"is missing; it needs the columns {_columns(schema)}"
            problems.append(Problem(schema.file, meant or columns))
        return _convert(schema, empty, problems), None
    content = path.read_bytes()
    if isinstance(path, Path) and not embedded:
        _refuse_foreign_table(schema, path, content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        byte = f"byte 0x{content[error.start]:02x}"
        problems.append(
            Problem(schema.file, "is not UTF-8; save the file as UTF-8", row=row, value=byte)
        )
        return empty, content
    before = len(problems)
    raw = _split(schema, text, problems)
    if len(problems) == before:
        raw = _check_columns(schema, raw, embedded, problems)
    if len(problems) > before:
        return empty, content
    if raw.empty and schema.rows_required:
        problems.append(
            Problem(schema.file, "has a header but no rows; a panel needs at least one")
        )
        return empty, content
    table = _convert(schema, raw, problems)
    if check and len(problems) == before:
        problems += value_problems(schema, table, raw)
    return table, content


def _misnamed(schema: TableSchema, folder: Traversable | Path) -> str:
    """What is said of a missing file if another file has nearly its name; nothing if none has."""
    own = {table.file for table in TABLES.values()}
    there = sorted(item.name for item in folder.iterdir() if item.name.endswith(".csv"))
    there = [name for name in there if name not in own]
    close = get_close_matches(schema.file, there, n=1)
    return f"is missing; {close[0]} is there, rename it?" if close else ""


def _required(schema: TableSchema, embedded: bool) -> list[str]:
    return [
        column.name
        for column in schema.columns
        if column.required or (embedded and not column.late)
    ]


def _split(schema: TableSchema, text: str, problems: list[Problem]) -> pd.DataFrame:
    if not text.strip():
        problems.append(
            Problem(
                schema.file,
                f"is empty; it needs a header with {', '.join(_required(schema, False))}",
            )
        )
        return pd.DataFrame()
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    rows: list[list[str]] = []
    lines: list[int] = []
    start = 1
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            cells = [cell.strip() for cell in cells]
            if header is None:
                header = cells
                if header[0].startswith(("#", "sep=", "Sep=", "SEP=")):
                    text = "is no header; remove the line, which only some programs understand"
                    problems.append(Problem(schema.file, text, line, value=ascii(",".join(header))))
                    return pd.DataFrame()
                if not _right_delimiter(schema, header, line, problems):
                    return pd.DataFrame()
            elif (found := next(filter(_CONTROL.search, cells), None)) is not None:
                problems.append(
                    Problem(
                        schema.file,
                        "holds a control character; remove it",
                        row=line,
                        column=dict(zip(cells, header, strict=False)).get(found),
                        value=ascii(found),
                    )
                )
            elif len(cells) != len(header):
                problems.append(
                    Problem(
                        schema.file,
                        f"has {len(cells)} cells where the header has {len(header)}; "
                        "put text that holds commas in double quotes",
                        row=line,
                    )
                )
            else:
                rows.append(cells)
                lines.append(line)
    except csv.Error as error:
        problems.append(Problem(schema.file, f"cannot be read as CSV: {error}", row=start))
        return pd.DataFrame()
    return pd.DataFrame(rows, columns=header, index=lines, dtype=object)


def _right_delimiter(
    schema: TableSchema, header: list[str], line: int, problems: list[Problem]
) -> bool:
    if len(header) > 1:
        return True
    for delimiter, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if delimiter in header[0]:
            problems.append(
                Problem(
                    schema.file,
                    f"is separated by {name}; save it with commas (and points in numbers)",
                    row=line,
                )
            )
            return False
    return True


def _check_columns(
    schema: TableSchema, raw: pd.DataFrame, embedded: bool, problems: list[Problem]
) -> pd.DataFrame:
    given = list(raw.columns)
    missing = [name for name in _required(schema, embedded) if name not in given]
    for name in dict.fromkeys(given):
        if given.count(name) > 1:
            problems.append(Problem(schema.file, "occurs twice in the header; remove one", 1, name))
        elif name not in schema.names:
            meant = MISNOMERS.get(name.lower(), name.lower())
            close = get_close_matches(meant, missing or schema.names, n=1)
            fix = f"did you mean {close[0]!r}?" if close else "remove it or put it into note"
            if close and close[0] in missing:
                missing.remove(close[0])
                fix = f"{fix} That one is missing."
            problems.append(
                Problem(
                    schema.file,
                    f"is not known; {fix} Known: {', '.join(schema.names)}",
                    1,
                    name or "(no name)",
                )
            )
    for name in missing:
        problems.append(Problem(schema.file, "is missing; add it to the header", 1, name))
    return raw


def _convert(schema: TableSchema, raw: pd.DataFrame, problems: list[Problem]) -> pd.DataFrame:
    """Text to typed columns, in the order of the schema, with defaults filled in."""
    table = pd.DataFrame(index=raw.index)
    for column in schema.columns:
        if column.name in raw.columns:
            cells = raw[column.name]
            table[column.name] = _typed(schema, column, cells, problems)
        else:
            table[column.name] = _typed(
                schema, column, pd.Series("", index=raw.index, dtype=object), problems
            )
    for column in schema.columns:
        values = table[column.name]
        absent = values == "" if column.kind == "text" else values.isna()
        if column.default is None or not absent.any():
            continue
        default = column.default(table) if callable(column.default) else column.default
        table[column.name] = values.mask(absent, default)
    return table


def _typed(
    schema: TableSchema, column: ColumnSchema, cells: pd.Series, problems: list[Problem]
) -> pd.Series:
    blank = cells.str.lower().isin(_BLANKS) if len(cells) else pd.Series(False, index=cells.index)
    if column.kind == "text":
        text = cells.astype(object)
        if not column.blank:
            return text.mask(cells == "", None)
        if column.rule is not None:
            return text.str.lower() if len(text) else text
        return text
    typed: pd.Series[Any]
    if column.kind == "number":
        typed = pd.to_numeric(cells.mask(blank, None), errors="coerce").astype("float64")
        typed = typed.where(typed.abs() != float("inf"))
        fix = _number_fix
    else:
        shaped = cells.str.fullmatch(r"\d{4}-\d{2}-\d{2}") if len(cells) else blank
        days = pd.to_datetime(
            cells.where(shaped & ~blank, None), format="%Y-%m-%d", errors="coerce"
        ).astype("datetime64[s]")
        inside = days.between(pd.Timestamp(FIRST_DAY), pd.Timestamp(LAST_DAY))
        typed = days.where(inside).astype("datetime64[ns]")
        fix = _date_fix
    for row in cells.index[typed.isna() & ~blank]:
        value = str(cells[row])
        problems.append(Problem(schema.file, fix(value), row, column.name, value))
    return typed


def _number_fix(value: str) -> str:
    scale = {"k": "e3", "m": "e6", "b": "e9", "t": "e12"}.get(value[-1:].lower(), "")
    if scale and value[:-1].replace(".", "", 1).isdigit():
        return f"is not a number; write {value[:-1]}{scale}"
    if value.endswith("%") and value[:-1].replace(".", "", 1).isdigit():
        return f"is not a number; write {float(value[:-1]) / 100:.6g}"
    if re.fullmatch(r"[1-9]\d{0,2}(,\d{3}){2,}", value):
        return f"is not a number; write {value.replace(',', '')}, without commas"
    if re.fullmatch(r"[1-9]\d{0,2},\d{3}", value):
        without, point = value.replace(",", ""), value.replace(",", ".")
        return f"is not a number; write {without} without a comma, or {point} if that is meant"
    if value.replace(",", "", 1).isdigit():
        return f"is not a number; write {value.replace(',', '.')} with a decimal point"
    return "is not a number; write it in digits, for example 7e9 or 0.642"


def _date_fix(value: str) -> str:
    month = _month(value)
    if month:
        return f"is a month; write a day, for example {month}-15, and say so in date_basis"
    if len(value) == 4 and value.isdigit():
        return f"is a year; write a day as YYYY-MM-DD, for example {value}-07-01"
    if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-[0-3]\d", value) and not (
        FIRST_DAY.year <= int(value[:4]) <= LAST_DAY.year
    ):
        return f"{OUTSIDE}; write the day on which it came out"
    day = _day(value)
    if day:
        return f"is not written as a date is here; write {day}"
    return "is not a date; write YYYY-MM-DD, for example 2023-07-18"


def _month(value: str) -> str:
    """A month that is written in one of the usual ways, as YYYY-MM."""
    return _written_as(value, MONTH_FORMATS, "%Y-%m")


def _day(value: str) -> str:
    """A day that is written in a way that can be read only in one way, as YYYY-MM-DD."""
    return _written_as(value, DAY_FORMATS, "%Y-%m-%d")


def _written_as(value: str, formats: tuple[str, ...], form: str) -> str:
    plain = re.sub(r"[\s,./-]+", " ", value).strip()
    for each in formats:
        try:
            return dt.datetime.strptime(plain, each).strftime(form)
        except ValueError:
            continue
    return ""
