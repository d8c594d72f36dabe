"""Kinds of columns and the rules that their values keep, with what to do if not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import pandas as pd

FORMATS: Final = ("cloze", "multiple-choice", "generation")
LOSS_UNITS: Final = ("bits_per_byte", "nats")
ANNEALED: Final = ("true", "false", "unknown")
TRUTH: Final = ("true", "false", "unknown")
COMPRESSED: Final = ("quantised", "pruned", "pruned and distilled")
"""Derivations that make a system from a larger one: a trend may want to leave them out."""
DERIVATIONS: Final = (*COMPRESSED, "distilled", "continued", "upcycled")
CHILD_METHODS: Final = (*DERIVATIONS, "sparsified")
"""How one system can be made from another, in a table of pairs."""
PAIR_PROTOCOLS: Final = ("panel", "zero-shot", "other")
"""How a pair was measured: as the panel is, without examples in the prompt, or otherwise."""
COST_QUANTITIES: Final = ("gpu_hours", "training_cost", "rental_price")
COST_BASES: Final = ("reported", "rented", "amortised")
"""What a cost counts: hours as reported, chips at rental prices, or own chips and their energy."""

MIN_PARAMS: Final = 1e5
"""Fewer parameters than this are taken for billions written without their zeros."""
MIN_TOKENS: Final = 1e6
"""Fewer tokens than this are taken for billions or trillions written without their zeros."""


@dataclass(frozen=True)
class Rule:
    """One condition on the values of a column.

    Attributes
    ----------
    name : str
        Unique name; also the name of the pandera check.
    holds : callable
        Series of values to Series of booleans; missing values are never passed.
    fix : callable
        A failing value to what is wrong with it and what would be right.
    """

    name: str
    holds: Callable[[pd.Series], pd.Series]
    fix: Callable[[Any], str]


def _plain(value: float) -> str:
    if value < 1000:
        return f"{value:.6g}"
    exponent = math.floor(math.log10(value) * (1 + 1e-12))
    return f"{value / 10**exponent:.6g}e{exponent}"


def _score_fix(value: float) -> str:
    if 1 < value <= 100:
        return f"looks like a percentage; write {_plain(value / 100)}"
    return "is not between 0 and 1; scores are shares of items solved"


def _params_fix(value: float) -> str:
    if value <= 0:
        return "is not positive; write the number of parameters, for example 7e9"
    return f"looks like billions; write {_plain(value * 1e9)}"


def _tokens_fix(value: float) -> str:
    if value <= 0:
        return "is not positive; write the number of tokens, for example 2e12"
    return (
        f"looks like billions or trillions; write {_plain(value * 1e9)} or {_plain(value * 1e12)}"
    )


def one_of(words: tuple[str, ...], may_be_empty: bool = False) -> Rule:
    """The rule that values are among some words."""
    allowed = (*words, "") if may_be_empty else words
    listed = ", ".join(words) + (" or leave it empty" if may_be_empty else "")
    return Rule(
        f"one of {words}",
        lambda values: values.isin(allowed),
        lambda _: f"is not known; write one of {listed}",
    )


SCORE = Rule("score in [0, 1]", lambda v: (v >= 0) & (v <= 1), _score_fix)
PARAMS = Rule("params as a count", lambda v: v >= MIN_PARAMS, _params_fix)
TOKENS = Rule("tokens as a count", lambda v: v >= MIN_TOKENS, _tokens_fix)
LOSS = Rule(
    "loss above 0",
    lambda v: v > 0,
    lambda _: "is not positive; a conditional loss is above 0, leave the row out if it is unknown",
)
CHANCE = Rule(
    "chance in [0, 1)",
    lambda v: (v >= 0) & (v < 1),
    lambda v: (
        f"looks like a percentage; write {_plain(v / 100)}"
        if 1 < v < 100
        else "is not in [0, 1); write the score of guessing, for example 0.25, or 0"
    ),
)
ITEMS = Rule(
    "items at least 1", lambda v: v >= 1, lambda _: "is below 1; write the number of test items"
)
BITS = Rule(
    "bits from 1 to 32",
    lambda v: (v >= 1) & (v <= 32),
    lambda _: "is not between 1 and 32; write the bits of a weight, 16 if it is not quantised",
)
AMOUNT = Rule(
    "amount above 0",
    lambda v: (v > 0) & (v < math.inf),
    lambda _: "is not a positive number; leave the row out if it is not known",
)
ERROR = Rule(
    "standard error in (0, 0.5]",
    lambda v: (v > 0) & (v <= 0.5),
    lambda v: (
        f"looks like percentage points; write {_plain(v / 100)}"
        if 0.5 < v <= 50
        else "is not between 0 and 0.5; write the standard error of the share, or leave it empty"
    ),
)
SHOTS = Rule(
    "shots not negative",
    lambda v: v >= 0,
    lambda _: "is negative; write the number of examples in the prompt, or leave it empty",
)
RELEASED = Rule(
    "date not in the future",
    lambda v: v <= pd.Timestamp(date.today()),
    lambda v: (
        f"lies in the future (today is {date.today().isoformat()}); "
        "a system needs the date it was released"
    ),
)

Kind = Literal["text", "number", "date"]


@dataclass(frozen=True)
class ColumnSchema:
    """One column of a table.

    Attributes
    ----------
    name : str
    kind : {"text", "number", "date"}
    required : bool
        Whether a user's table must have it. Embedded tables must have every column that is not
        ``late``.
    blank : bool
        Whether cells may be empty.
    rule : Rule, optional
    default : str or callable, optional
        What an absent column or an empty cell becomes: a constant, or a function of the table.
    blank_fix : str
        What to do about an empty cell where ``blank`` is false.
    late : bool
        Whether panels were made before there was such a column, so that embedded ones may lack it.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    blank: bool = True
    rule: Rule | None = None
    default: str | float | Callable[[pd.DataFrame], pd.Series] | None = None
    blank_fix: str = "is empty; fill it in"
    late: bool = False


@dataclass(frozen=True)
class TableSchema:
    """One table: its file, key and columns.

    ``rows_required`` says whether a header alone is too little; ``optional`` whether the file may
    be absent, which is then the same as a header alone.
    """

    file: str
    key: tuple[str, ...]
    columns: tuple[ColumnSchema, ...]
    rows_required: bool = True
    optional: bool = False

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]


def text_column(name: str, default: Any = "", **options: Any) -> ColumnSchema:
    """A column of text that may be left out."""
    return ColumnSchema(name, default=default, **options)


def key_column(name: str) -> ColumnSchema:
    """A column that names its row, or one of another table."""
    return ColumnSchema(name, required=True, blank=False)


def copied(column: str) -> Callable[[pd.DataFrame], pd.Series]:
    """A default: what another column has."""
    return lambda table: table[column]
