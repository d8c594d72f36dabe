"""Tables of text, as they are written to a panel folder."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from densing_bayes.inputs.tables.schema import TABLES

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def rows_of(table: pd.DataFrame) -> list[dict[str, str]]:
    """Rows of a table by column."""
    return [{str(k): str(v) for k, v in row.items()} for row in table.to_dict("records")]


def frame(name: str, rows: Iterable[dict[str, str]]) -> pd.DataFrame:
    """A table of text with the columns of the schema."""
    table = pd.DataFrame(list(rows), dtype=object)
    return table.reindex(columns=TABLES[name].names).fillna("")


def text_table(folder: Traversable | Path, file: str) -> pd.DataFrame:
    """A table of a panel folder as it is written; empty if there is no such file."""
    path = folder.joinpath(file)
    if not path.is_file():
        name = next(name for name, schema in TABLES.items() if schema.file == file)
        return frame(name, ())
    with path.open("r", encoding="utf-8-sig") as text:
        return pd.read_csv(text, dtype=str, keep_default_na=False)


def cell(value: object) -> str:
    """A value as a cell: counts without a point, nothing for what is not known."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e18:
        return str(int(value))
    return str(value)
