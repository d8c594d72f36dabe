"""A plain table: systems in rows, benchmarks in columns; a mapping says what it does not."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

from densing_bayes.errors import TableError
from densing_bayes.inputs.foreign.extract import (
    OTHER_SHOTS,
    Extract,
    Reading,
    csv_rows,
    file_text,
    number,
    plain_text,
    records,
    tuned_by_name,
)
from densing_bayes.inputs.foreign.mapping import UNITS, ColumnOfScores, Mapping, Scale
from densing_bayes.inputs.tables.benchmark_names import benchmark_named

SYSTEM_COLUMNS: Final = ("system", "model", "name", "model name", "model_name", "model id")


def known_benchmark(column: str) -> str:
    """The benchmark that a column's name stands for, or ""; ``MMLU (5-shot)`` is ``mmlu``."""
    return benchmark_named(plain_text(column))


def is_wide(header: list[str]) -> bool:
    """Whether a header names systems and some benchmark that is known."""
    lower = [plain_text(name).lower() for name in header]
    return any(name in lower for name in SYSTEM_COLUMNS) and any(map(known_benchmark, header))


def read(path: Path, mapping: Mapping, shots: dict[str, int], base_only: bool) -> Extract:
    """Read a plain table.

    Raises
    ------
    TableError
        If a column that the mapping names is not there, no column has scores, or it cannot be
        seen whether a column is percent.
    """
    rows = csv_rows(file_text(path), path)
    if not rows:
        raise TableError(f"{path}: is empty")
    header = rows[0]
    columns = _benchmarks(header, mapping, path)
    system = _system_column(header, mapping, path)
    for fact in mapping.facts.values():
        _check_column(fact.column, header, path)
    extract = Extract(
        mapping.protocol or path.stem,
        mapping.measured_by or "not said",
        mapping.source or path.name,
        kind_unknown=True,
    )
    used = {system, *(c.column for c in columns.values()), *(c.error for c in columns.values())}
    used |= {fact.column for fact in mapping.facts.values()}
    for name in header:
        if name not in used:
            extract.leave("is a column that nothing is said of", value=name or "(no name)")
    table = list(records(rows, path))
    scales = {
        benchmark: _scale(benchmark, column, mapping, columns, table, path)
        for benchmark, column in columns.items()
    }
    for benchmark, column in columns.items():
        given = {"format": column.format, "shots": "" if column.shots is None else column.shots}
        given |= {"metric": column.metric or f"as in column {column.column}"}
        extract.measured[benchmark] = {k: v for k, v in given.items() if v is not None}
    for row, cells in table:
        name = plain_text(cells[system])
        if not name:
            extract.leave("names no system", value=f"row {row}")
        elif base_only and name not in mapping.systems and (word := tuned_by_name(name)):
            extract.leave(f"is tuned by its name ({word})", name)
        else:
            facts: dict[str, Any] = extract.systems.setdefault(name, {})
            for key, fact in mapping.facts.items():
                facts |= _fact(key, cells[fact.column], UNITS[fact.unit])
            for benchmark, column in columns.items():
                factor = 0.01 if scales[benchmark] == "percent" else 1.0
                score = number(cells[column.column]) * factor
                if math.isnan(score):
                    continue
                other = column.shots is not None and column.shots != shots.get(
                    benchmark, column.shots
                )
                extract.readings.append(
                    Reading(
                        name,
                        benchmark,
                        score,
                        number(cells[column.error]) * factor if column.error else math.nan,
                        column.shots,
                        OTHER_SHOTS if other else "",
                        source=f"{extract.source}, row {row}",
                    )
                )
    return extract


def _fact(key: str, cell: str, factor: float) -> dict[str, Any]:
    if not cell:
        return {}
    if key.startswith("params") or key == "tokens":
        value = number(cell.replace(",", ""))
        return {} if math.isnan(value) else {key: value * factor}
    return {key: cell}


def _benchmarks(header: list[str], mapping: Mapping, path: Path) -> dict[str, ColumnOfScores]:
    columns = {}
    for benchmark, column in mapping.benchmarks.items():
        if not column.column:
            continue  # it only describes a benchmark
        for name in filter(None, (column.column, column.error)):
            _check_column(name, header, path)
        columns[benchmark] = column
    if not columns:
        for name in header:
            benchmark = known_benchmark(name)
            if benchmark and benchmark in columns:
                raise TableError(
                    f"{path}: both '{columns[benchmark].column}' and '{name}' may be {benchmark}; "
                    f'say which in a mapping: [benchmarks] {benchmark} = "{name}"'
                )
            if benchmark:
                columns[benchmark] = ColumnOfScores(column=name)
    if not columns:
        raise TableError(
            f"{path}: no column is known to be a benchmark (there are {', '.join(header)}); name "
            f'them in a mapping: [benchmarks] mmlu = "the column"'
        )
    return columns


def _system_column(header: list[str], mapping: Mapping, path: Path) -> str:
    if mapping.system:
        _check_column(mapping.system, header, path)
        return mapping.system
    for wanted in SYSTEM_COLUMNS:
        for name in header:
            if plain_text(name).lower() == wanted:
                return name
    raise TableError(
        f"{path}: no column is known to name the systems (there are {', '.join(header)}); say so "
        f'in a mapping: system = "the column"'
    )


def _check_column(name: str, header: list[str], path: Path) -> None:
    if name not in header:
        raise TableError(f"{path}: has no column '{name}'; it has {', '.join(header)}")
    if header.count(name) > 1:
        raise TableError(f"{path}: has several columns '{name}'; give them different names")


def _scale(
    benchmark: str,
    column: ColumnOfScores,
    mapping: Mapping,
    columns: dict[str, ColumnOfScores],
    table: list[tuple[int, dict[str, str]]],
    path: Path,
) -> Scale:
    """Percent or share: as said, or seen from the values of the whole table."""
    given = column.scale or mapping.scale
    if given is None and any(cells[column.column].endswith("%") for _, cells in table):
        given = "percent"
    if given is not None:
        return given
    greatest = {
        name: max((v for _, cells in table if (v := number(cells[c.column])) == v), default=0.0)
        for name, c in columns.items()
    }
    if greatest[benchmark] > 1:
        return "percent"
    if max(greatest.values()) > 1:
        raise TableError(
            f"{path}: column '{column.column}' has no score above 1 and other columns do; say in a "
            f'mapping what it is: [benchmarks] {benchmark} = {{ column = "{column.column}", '
            f'scale = "share" }}'
        )
    return "share"
