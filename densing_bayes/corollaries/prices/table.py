"""The table of offers: its columns and their rules."""

from __future__ import annotations

from typing import Final

from densing_bayes.inputs.tables.columns import (
    AMOUNT,
    RELEASED,
    SCORE,
    TRUTH,
    ColumnSchema,
    TableSchema,
    copied,
    key_column,
    one_of,
    text_column,
)

PRICES: Final = TableSchema(
    "prices.csv",
    ("offer",),
    (
        key_column("offer"),
        text_column("provider"),
        text_column("system", copied("offer")),
        ColumnSchema("date", "date", required=True, blank=False, rule=RELEASED),
        ColumnSchema("date_earliest", "date"),
        text_column("date_basis"),
        ColumnSchema("input_price", "number", required=True, blank=False, rule=AMOUNT),
        ColumnSchema("output_price", "number", rule=AMOUNT),
        ColumnSchema("mmlu", "number", required=True, rule=SCORE),
        ColumnSchema("mmlu_second", "number", rule=SCORE),
        text_column("open_weights", "unknown", rule=one_of(TRUTH)),
        ColumnSchema("plotted_date", "date"),
        ColumnSchema("plotted_price", "number", rule=AMOUNT),
        text_column("score_source"),
        text_column("source"),
        text_column("note"),
    ),
)
"""Dated offers of inference; prices in USD per million tokens."""
