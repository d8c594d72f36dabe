"""The table of training costs: its columns and their rules."""

from __future__ import annotations

import math
from typing import Final

from densing_bayes.inputs.tables.columns import (
    AMOUNT,
    COST_BASES,
    COST_QUANTITIES,
    PARAMS,
    TOKENS,
    TRUTH,
    ColumnSchema,
    TableSchema,
    copied,
    key_column,
    one_of,
    text_column,
)

COSTS: Final = TableSchema(
    "costs.csv",
    ("entry",),
    (
        key_column("entry"),
        text_column("name", copied("entry")),
        text_column("system"),
        ColumnSchema("date", "date", required=True, blank=False),
        ColumnSchema("quantity", required=True, blank=False, rule=one_of(COST_QUANTITIES)),
        ColumnSchema("value", "number", required=True, blank=False, rule=AMOUNT),
        text_column("hardware"),
        ColumnSchema("peak_flops", "number", rule=AMOUNT, default=math.nan),
        ColumnSchema("basis", required=True, blank=False, rule=one_of(COST_BASES)),
        ColumnSchema("params", "number", rule=PARAMS, default=math.nan),
        ColumnSchema("tokens", "number", rule=TOKENS, default=math.nan),
        text_column("scratch", "true", rule=one_of(TRUTH, may_be_empty=True)),
        text_column("source"),
        text_column("note"),
    ),
)
