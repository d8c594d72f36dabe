"""Problems of tables: where, what, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from densing_bayes.errors import TableError, did_you_mean
from densing_bayes.inputs.tables.benchmark_names import benchmark_named
from densing_bayes.inputs.tables.columns import TableSchema
from densing_bayes.inputs.tables.releases import release_names
from densing_bayes.inputs.tables.schema import ONE_PROTOCOL, TABLES, TIES, pandera_schema

MOST: Final = 10
"""Problems that are listed; of more, only how many there are."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and where.

    Attributes
    ----------
    file, row, column
        Where: name of the file, line in it (the header is 1), column.
    text, value
        What is wrong and how to fix it; the value found.
    """

    file: str
    text: str
    row: int | None = None
    column: str | None = None
    value: object = None

    def __str__(self) -> str:
        where = self.file
        if self.row is not None:
            where += f", row {self.row}"
        if self.column is not None:
            where += f", column {self.column!r}"
        shown = "" if self.value is None else f"{self.value!s} "
        return f"{where}: {shown}{self.text}"


def raise_problems(problems: list[Problem], where: str) -> None:
    """Raise a TableError that lists them, if there are any."""
    if not problems:
        return
    shown = [str(problem) for problem in problems[:MOST]]
    if len(problems) == 1:
        raise TableError(f"{shown[0]} (in {where})")
    if len(problems) > MOST:
        shown.append(f"and {len(problems) - MOST} more")
    raise TableError(f"{len(problems)} problems in {where}:\n  " + "\n  ".join(shown))


def value_problems(schema: TableSchema, table: pd.DataFrame, raw: pd.DataFrame) -> list[Problem]:
    """Values that break the rules of their columns; ``raw`` has the cells as they were written."""
    import pandera.errors

    try:
        pandera_schema(schema).validate(table, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return []
    columns = {column.name: column for column in schema.columns}
    problems = []
    for name, check, row in cases[["column", "check", "index"]].itertuples(index=False):
        column = columns[name]
        shown = raw.at[row, name] if name in raw else ""
        if check == "not_nullable":
            problems.append(Problem(schema.file, column.blank_fix, int(row), name))
        elif shown != "" and column.rule is not None:
            # an empty cell took its value from another column, which has its own problem
            text = column.rule.fix(table.at[row, name])
            problems.append(Problem(schema.file, text, int(row), name, shown))
    return sorted(problems, key=lambda problem: problem.row or 0)


def panel_problems(tables: dict[str, pd.DataFrame]) -> list[Problem]:
    """Problems between rows and between the tables of a panel."""
    problems: list[Problem] = []
    for name, column, target in TIES:
        problems += _ties(tables, name, column, target)
    for name in ("reference_scores", "scores"):
        problems += _protocols(tables, name)
    problems += _releases(tables["systems"])
    problems += _sizes(tables["systems"])
    for name, schema in TABLES.items():
        problems += duplicates(schema, tables[name])
    return problems


def duplicates(schema: TableSchema, table: pd.DataFrame) -> list[Problem]:
    """Rows whose key occurs above them."""
    first: dict[tuple[object, ...], int] = {}
    problems = []
    for row, *key in table[list(schema.key)].itertuples():
        where = first.setdefault(tuple(key), row)
        if where != row:
            # a table without protocols is not told of them
            shown = {
                name: str(value)
                for name, value in zip(schema.key, key, strict=True)
                if (name, value) != ("protocol", ONE_PROTOCOL)
            }
            problems.append(
                Problem(
                    schema.file,
                    f"occurs in row {where} already; keep one of the two",
                    row,
                    " + ".join(shown),
                    " + ".join(shown.values()),
                )
            )
    return problems


def _ties(tables: dict[str, pd.DataFrame], name: str, column: str, target: str) -> list[Problem]:
    known = list(tables[target][column])
    values = tables[name][column]
    problems = []
    for row, value in values[~values.isin(known)].items():
        meant = benchmark_named(str(value)) if column == "benchmark" else ""
        hint = did_you_mean(
            meant if meant in known else str(value), known, "add it there or leave the row out"
        )
        problems.append(
            Problem(
                TABLES[name].file,
                f"is not in {TABLES[target].file}{hint}",
                int(str(row)),
                column,
                value,
            )
        )
    return problems


def _protocols(tables: dict[str, pd.DataFrame], name: str) -> list[Problem]:
    """Scores whose protocol is not described for their benchmark, if any protocol is."""
    protocols, scores = tables["protocols"], tables[name]
    known = set(zip(protocols["protocol"], protocols["benchmark"], strict=True))
    if not known:
        return []
    problems = []
    for row, protocol, benchmark in scores[["protocol", "benchmark"]].itertuples():
        if protocol == ONE_PROTOCOL or (protocol, benchmark) in known:
            continue
        others = [other for other, of in known if of == benchmark]
        hint = did_you_mean(protocol, others, "add it there")
        problems.append(
            Problem(
                TABLES[name].file,
                f"has no row for {benchmark} in {TABLES['protocols'].file}{hint}",
                int(str(row)),
                "protocol",
                protocol,
            )
        )
    return problems


def _releases(systems: pd.DataFrame) -> list[Problem]:
    problems = []
    for release, group in systems.groupby(release_names(systems), sort=False):
        first = group["organisation"].iloc[0]
        for row, organisation in group["organisation"][group["organisation"] != first].items():
            problems.append(
                Problem(
                    "systems.csv",
                    f"differs from {first!s} in row {group.index[0]} of the same release "
                    f"{release!s}; a release has one organisation, give one of them another "
                    f"family, or a name in column release",
                    int(str(row)),
                    "organisation",
                    organisation,
                )
            )
    return problems


def _sizes(systems: pd.DataFrame) -> list[Problem]:
    problems = []
    total = systems["params_total"]
    for column in ("params_active", "params_comparable", "params_nonembedding"):
        part = systems[column]
        # a thousandth for totals that were rounded
        for row in systems.index[part > 1.001 * total]:
            problems.append(
                Problem(
                    "systems.csv",
                    f"is more than params_total {float(total[row]):.6g}; it is a part of it",
                    int(row),
                    column,
                    f"{float(part[row]):.6g}",
                )
            )
    return problems
