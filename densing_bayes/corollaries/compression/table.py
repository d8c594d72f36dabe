"""The table of pairs of systems, one made from the other: its columns and their rules."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from densing_bayes.inputs.tables.columns import (
    BITS,
    CHILD_METHODS,
    PAIR_PROTOCOLS,
    PARAMS,
    SHOTS,
    ColumnSchema,
    TableSchema,
    key_column,
    one_of,
    text_column,
)
from densing_bayes.inputs.tables.schema import SCORES

SCORE_COLUMN: Final = next(column for column in SCORES.columns if column.name == "score")
COMPRESSION: Final = TableSchema(
    "compression.csv",
    ("child", "parent", "benchmark", "table"),
    (
        key_column("child"),
        key_column("parent"),
        ColumnSchema(
            "method", required=True, blank=False, rule=one_of(CHILD_METHODS), default="quantised"
        ),
        text_column("scheme", "unnamed"),
        ColumnSchema("bits", "number", rule=BITS, default=16.0),
        text_column("granularity"),
        key_column("benchmark"),
        replace(SCORE_COLUMN, name="child_score"),
        replace(SCORE_COLUMN, name="parent_score"),
        ColumnSchema("shots", "number", rule=SHOTS, default=math.nan),
        text_column("protocol", "panel", rule=one_of(PAIR_PROTOCOLS)),
        text_column("table", "one"),
        ColumnSchema("child_params", "number", required=True, blank=False, rule=PARAMS),
        ColumnSchema("parent_params", "number", required=True, blank=False, rule=PARAMS),
        text_column("size_basis", "given"),
        text_column("source"),
    ),
)
