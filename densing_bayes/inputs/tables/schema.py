"""Public words (dimensions, variables) and the schema of every table of a panel.

The words are the API: models, posteriors, reports and plots use these names and no synonyms.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Final

import pandas as pd

from densing_bayes.inputs.tables.columns import (
    ANNEALED,
    CHANCE,
    DERIVATIONS,
    ERROR,
    FORMATS,
    ITEMS,
    LOSS,
    LOSS_UNITS,
    PARAMS,
    RELEASED,
    SCORE,
    SHOTS,
    TOKENS,
    TRUTH,
    ColumnSchema,
    TableSchema,
    one_of,
)
from densing_bayes.inputs.tables.columns import copied as _copy
from densing_bayes.inputs.tables.columns import key_column as _key
from densing_bayes.inputs.tables.columns import text_column as _text

if TYPE_CHECKING:
    import pandera.pandas as pa

SYSTEM: Final = "system"
RUN: Final = "run"
BENCHMARK: Final = "benchmark"
CHANGE: Final = "change"
DRAW: Final = "draw"
CHAIN: Final = "chain"
DIMENSIONS: Final = (SYSTEM, RUN, BENCHMARK, CHANGE, DRAW, CHAIN)

VARIABLES: Final = {
    "params": "number of parameters, a plain count",
    "tokens": "number of training tokens, a plain count",
    "loss": "conditional loss of the answer given the task, bits per byte or nats",
    "score": "share of items solved, 0 to 1",
    "effective_params": "params a reference run on the reference tokens needs for the same score",
    "log_density": "natural log of effective_params / params",
    "density": "effective_params / params",
    "growth_rate": "d log_density / dt of the frontier, per day",
    "doubling_time": "ln 2 / growth_rate, days",
    "frontier": "log density the best systems reach at a date",
    "shelf_life": "days until the frontier matches a system with a fraction of its params",
}
"""Public variable names with their meaning and unit."""
ONE_PROTOCOL: Final = "panel"
"""Protocol of scores that name none: they were all measured alike."""
MISNOMERS: Final = {"model": "system", "model_id": "system", "date": "release_date"}
"""Likely column names that no spelling distance would find."""

RELEASE_DAYS: Final = 60
"""Siblings of a family no further apart than this belong to one release, unless told otherwise."""


def _architecture(table: pd.DataFrame) -> pd.Series:
    sparse = table["params_active"] < table["params_total"]
    return sparse.map({True: "moe", False: "dense"})


def _format(table: pd.DataFrame) -> pd.Series:
    return (table["chance"] > 0).map({True: "multiple-choice", False: "generation"})


def _comparable_basis(table: pd.DataFrame) -> pd.Series:
    return table["params_comparable"].notna().map({True: "given", False: "unknown"})


_PROTOCOL_COLUMN = _text("protocol", ONE_PROTOCOL, late=True)
_SCORE_COLUMN = ColumnSchema(
    "score",
    "number",
    required=True,
    blank=False,
    rule=SCORE,
    blank_fix="is empty; leave the row out, missing scores are never filled in",
)

BENCHMARKS = TableSchema(
    "benchmarks.csv",
    ("benchmark",),
    (
        _key("benchmark"),
        _text("label", late=True),
        _text("name", _copy("benchmark")),
        ColumnSchema("items", "number", required=True, blank=False, rule=ITEMS),
        ColumnSchema("effective_items", "number", rule=ITEMS, default=_copy("items")),
        ColumnSchema(
            "chance",
            "number",
            required=True,
            blank=False,
            rule=CHANCE,
            blank_fix="is empty; write the score of guessing, 0 for free answers",
        ),
        _text("format", _format, rule=one_of(FORMATS)),
        _text("loss_unit", rule=one_of(LOSS_UNITS, may_be_empty=True)),
        _text("source"),
    ),
)
RUNS = TableSchema(
    "reference_runs.csv",
    ("run",),
    (
        _key("run"),
        _text("family", "reference"),
        ColumnSchema("params", "number", required=True, rule=PARAMS),
        ColumnSchema("tokens", "number", required=True, rule=TOKENS),
        _text("annealed", "unknown", rule=one_of(ANNEALED)),
        _text("checkpoint_of"),
        _text("source"),
    ),
    rows_required=False,
    optional=True,  # without runs density is relative to the line of the systems
)
LOSSES = TableSchema(
    "reference_losses.csv",
    ("run", "benchmark"),
    (
        _key("run"),
        _key("benchmark"),
        ColumnSchema(
            "loss",
            "number",
            required=True,
            blank=False,
            rule=LOSS,
            blank_fix="is empty; leave the row out",
        ),
        # empty: that of the benchmark
        _text("loss_unit", rule=one_of(LOSS_UNITS, may_be_empty=True), late=True),
        _text("source"),
    ),
    rows_required=False,
    optional=True,
)
PROTOCOLS = TableSchema(
    "protocols.csv",
    ("protocol", "benchmark"),
    (
        _key("protocol"),
        _key("benchmark"),
        # empty: that of the benchmark
        _text("format", rule=one_of(FORMATS, may_be_empty=True)),
        ColumnSchema("shots", "number", rule=SHOTS, default=math.nan),
        _text("metric"),
        _text("measured_by"),
        _text("source"),
    ),
    rows_required=False,
    optional=True,
)
REFERENCE_SCORES = TableSchema(
    "reference_scores.csv",
    ("run", "benchmark", "format", "protocol"),
    (
        _key("run"),
        _key("benchmark"),
        _text("format", rule=one_of(FORMATS, may_be_empty=True)),
        _PROTOCOL_COLUMN,
        _SCORE_COLUMN,
        _text("source"),
    ),
    rows_required=False,
    optional=True,
)
SYSTEMS = TableSchema(
    "systems.csv",
    ("system",),
    (
        _key("system"),
        _text("name", _copy("system")),
        _text("organisation", "unknown"),
        _text("family", _copy("system")),
        ColumnSchema(
            "release_date",
            "date",
            required=True,
            blank=False,
            rule=RELEASED,
            blank_fix="is empty; write the day of release as YYYY-MM-DD",
        ),
        _text("release"),
        _text("date_basis", "given"),
        ColumnSchema(
            "params_total",
            "number",
            required=True,
            blank=False,
            rule=PARAMS,
            blank_fix="is empty; density needs a size, leave the system out if it is unknown",
        ),
        ColumnSchema("params_active", "number", rule=PARAMS, default=_copy("params_total")),
        ColumnSchema("params_comparable", "number", rule=PARAMS, default=math.nan),
        _text("comparable_basis", _comparable_basis),
        ColumnSchema("params_nonembedding", "number", rule=PARAMS, default=math.nan),
        _text("params_basis", "given"),
        ColumnSchema("tokens", "number", rule=TOKENS, default=math.nan),
        _text("architecture", _architecture),
        _text("domain", "general"),
        _text("open_weights", "unknown", rule=one_of(TRUTH)),
        _text("parent"),
        _text("derivation", rule=one_of(DERIVATIONS, may_be_empty=True)),
        _text("note"),
        _text("source"),
    ),
)
SCORES = TableSchema(
    "scores.csv",
    ("system", "benchmark", "protocol"),
    (
        _key("system"),
        _key("benchmark"),
        _PROTOCOL_COLUMN,
        _SCORE_COLUMN,
        ColumnSchema("score_error", "number", rule=ERROR, default=math.nan, late=True),
        ColumnSchema("shots", "number", rule=SHOTS, default=math.nan),
        _text("flag"),
        _text("source"),
    ),
)
KNOWN_BENCHMARKS = TableSchema(
    "known_benchmarks.csv",
    ("benchmark",),
    (
        *BENCHMARKS.columns,
        ColumnSchema("shots", "number", rule=SHOTS, default=math.nan),
        _text("metric"),
    ),
)
"""Benchmarks that scores are imported for; shots and metric are the usual ones."""
EVENTS = TableSchema(
    "events.csv",
    ("event",),
    (
        _key("event"),
        ColumnSchema("date", "date", required=True, blank=False),
        _text("label", _copy("event")),
        _text("name"),
        _text("reason"),
        _text("source"),
    ),
)

TABLES: Final = {
    "benchmarks": BENCHMARKS,
    "protocols": PROTOCOLS,
    "runs": RUNS,
    "losses": LOSSES,
    "reference_scores": REFERENCE_SCORES,
    "systems": SYSTEMS,
    "scores": SCORES,
}
"""Attribute of a panel -> schema of its table, in the order in which they are read."""

TIES: Final = (
    ("protocols", "benchmark", "benchmarks"),
    ("losses", "run", "runs"),
    ("losses", "benchmark", "benchmarks"),
    ("reference_scores", "run", "runs"),
    ("reference_scores", "benchmark", "benchmarks"),
    ("scores", "system", "systems"),
    ("scores", "benchmark", "benchmarks"),
)
"""(table, column, table the value must occur in)."""


@cache
def pandera_schema(table: TableSchema) -> pa.DataFrameSchema:
    """Strict pandera schema of a table whose cells are converted and whose defaults are filled.

    Pandera is imported here, not with the module: reading commands that only list embedded tables
    start without it.
    """
    import pandera.pandas as pa

    dtypes = {"text": None, "number": "float64", "date": "datetime64[ns]"}
    columns = {
        column.name: pa.Column(
            dtypes[column.kind],
            checks=[pa.Check(column.rule.holds, name=column.rule.name)] if column.rule else [],
            nullable=column.blank,
        )
        for column in table.columns
    }
    return pa.DataFrameSchema(columns, strict=True, name=table.file)
