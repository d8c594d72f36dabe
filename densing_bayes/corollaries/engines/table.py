"""The table of chips and batteries: its columns and their rules."""

from __future__ import annotations

from typing import Final

from densing_bayes.inputs.tables.columns import (
    AMOUNT,
    RELEASED,
    ColumnSchema,
    TableSchema,
    copied,
    key_column,
    text_column,
)

TECHNOLOGY: Final = TableSchema(
    "technology.csv",
    ("point",),
    (
        key_column("point"),
        ColumnSchema("quantity", required=True, blank=False),
        text_column("kind"),
        text_column("label", copied("point")),
        ColumnSchema("date_earliest", "date"),
        ColumnSchema("date", "date", required=True, blank=False, rule=RELEASED),
        ColumnSchema("value", "number", required=True, rule=AMOUNT),
        ColumnSchema("value_low", "number", rule=AMOUNT),
        ColumnSchema("value_high", "number", rule=AMOUNT),
        text_column("unit"),
        text_column("basis"),
        text_column("detail"),
        text_column("source"),
    ),
)
"""Dated values of chips and batteries; a value without a number has limits."""
