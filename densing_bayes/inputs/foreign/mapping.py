"""The small TOML file that says what a foreign table does not: columns, scale, facts of systems."""

from __future__ import annotations

import datetime as dt
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationError

from densing_bayes.errors import TableError, did_you_mean
from densing_bayes.inputs.families import Frozen
from densing_bayes.inputs.tables.schema import SYSTEMS

Scale = Literal["percent", "share"]
UNITS: Final = {"count": 1.0, "millions": 1e6, "billions": 1e9, "trillions": 1e12}
FACTS: Final = tuple(name for name in SYSTEMS.names if name != "system")
"""Columns of ``systems.csv`` that a mapping may fill."""


class ColumnOfScores(Frozen):
    """Where the scores of a benchmark are, and what is to be known of it."""

    column: str = ""
    error: str = ""
    scale: Scale | None = None
    shots: Annotated[int, Field(ge=0)] | None = None
    format: Literal["cloze", "multiple-choice", "generation"] | None = None
    metric: str = ""
    name: str = ""
    items: Annotated[float, Field(ge=1)] | None = None
    chance: Annotated[float, Field(ge=0, lt=1)] | None = None


def _column(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


class ColumnOfFacts(Frozen):
    """Where a fact of the systems is, and its unit."""

    column: str
    unit: Literal["count", "millions", "billions", "trillions"] = "count"


class Mapping(Frozen):
    """What a user says about a foreign file.

    Attributes
    ----------
    system
        Column with the names of the systems.
    scale
        Whether scores are percent or shares; seen from the values where it is not said.
    protocol, measured_by, source
        Who measured how: a word for the column ``protocol``, and who and where.
    facts
        Column of ``systems.csv`` -> column of the file, or {column, unit}.
    benchmarks
        Our name of a benchmark -> column of the file, or {column, error, scale, shots, format,
        metric, name, items, chance}.
    shots
        Benchmark -> number of examples that is right for these scores.
    systems
        Name of a system -> columns of ``systems.csv``; stands above all else.
    """

    system: str = ""
    scale: Scale | None = None
    protocol: str = ""
    measured_by: str = ""
    source: str = ""
    facts: dict[str, Annotated[ColumnOfFacts, BeforeValidator(_column)]] = Field(
        default_factory=dict
    )
    benchmarks: dict[str, Annotated[ColumnOfScores, BeforeValidator(_column)]] = Field(
        default_factory=dict
    )
    shots: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    systems: dict[str, dict[str, str | float | bool | dt.date]] = Field(default_factory=dict)


def load_mapping(source: str | os.PathLike[str]) -> Mapping:
    """Read and check a mapping.

    Raises
    ------
    TableError
        If there is no such file, it is no TOML, or a key or value is not known.
    """
    path = Path(source)
    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise TableError(f"{path}: not valid TOML: {error}") from error
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        mapping = Mapping.model_validate(content)
    except ValidationError as error:
        raise TableError(f"{path}: " + "; ".join(map(_message, error.errors()))) from error
    facts = [("facts", key) for key in mapping.facts]
    facts += [(f"systems.{name!r}", key) for name, row in mapping.systems.items() for key in row]
    for where, key in facts:
        if key not in FACTS:
            raise TableError(f"{path}: {_unknown(f'{where}.{key}', key, FACTS)}")
    return mapping


def _message(item: Any) -> str:
    location = [str(part) for part in item["loc"]]
    path = ".".join(location)
    if item["type"] != "extra_forbidden":
        return f"'{path}' = {item['input']!r}: {item['msg']}"
    kinds: dict[str, type[Frozen]] = {"benchmarks": ColumnOfScores, "facts": ColumnOfFacts}
    kind = kinds.get(location[0], Mapping) if len(location) > 1 else Mapping
    return _unknown(path, location[-1], tuple(kind.model_fields))


def _unknown(path: str, key: str, known: tuple[str, ...]) -> str:
    hint = did_you_mean(key, known, f"known keys: {', '.join(known)}")
    return f"unknown key '{path}'{hint}"
