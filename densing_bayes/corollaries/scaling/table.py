"""The table of training runs: its columns and their rules."""

from __future__ import annotations

from typing import Final

import pandas as pd

from densing_bayes.inputs.tables.columns import (
    LOSS,
    PARAMS,
    TOKENS,
    ColumnSchema,
    TableSchema,
    text_column,
)


def _numbered(table: pd.DataFrame) -> pd.Series:
    return pd.Series([f"row {row}" for row in table.index], table.index, dtype=object)


LAW_RUNS: Final = TableSchema(
    "chinchilla.csv",
    ("run",),
    (
        text_column("run", _numbered),
        ColumnSchema("params", "number", required=True, blank=False, rule=PARAMS),
        ColumnSchema("tokens", "number", required=True, blank=False, rule=TOKENS),
        ColumnSchema("loss", "number", required=True, blank=False, rule=LOSS),
        text_column("flag"),
        text_column("source"),
    ),
)
"""Training runs for the loss law alone; losses in one unit, whichever it is."""
