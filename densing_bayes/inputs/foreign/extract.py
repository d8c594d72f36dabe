"""What a file of someone else's says: readings, facts of systems, and what it does not give.

Each format has a module of its own whose ``read`` turns files into an :class:`Extract`. What they
share is here; :mod:`densing_bayes.inputs.foreign.importing` makes tables of it.
"""

from __future__ import annotations

import csv
import html
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from densing_bayes.errors import TableError

OTHER_SHOTS: Final = "other_shots"
"""Flag of a score that was measured with another number of examples than is usual."""

TUNED: Final = re.compile(
    r"(?<![a-z])(instruct(ion|ed)?|chat|it|sft|dpo|orpo|kto|grpo|rlhf|ppo|assistant|alpaca|vicuna|"
    r"guanaco|oasst|thinking|reasoning|abliterated)(?![a-z])",
    re.IGNORECASE,
)
"""Words of names of systems that were tuned on instructions or chats."""

QUANTISED: Final = re.compile(
    r"(?<![a-z0-9])(gptq|awq|gguf|ggml|nf4|nvfp4|[wint]*[48]a?(8|16)?bits?|int[48]|fp8|w4a16|w8a8)"
    r"(?![a-z0-9])",
    re.IGNORECASE,
)
"""Words of names of systems whose weights were rounded."""


@dataclass(frozen=True)
class Reading:
    """One score of a system on a benchmark, as someone measured it.

    Attributes
    ----------
    system : str
        Name as the file has it.
    benchmark : str
        Name as our tables have it.
    score, error : float
        Share of items, and its standard error (NaN where it is not given).
    shots : int, optional
    flag : str
        "" or why the score is not like the others of its protocol.
    date : str
        When it was measured, sortable; "" where it is not said.
    source : str
    """

    system: str
    benchmark: str
    score: float
    error: float = math.nan
    shots: int | None = None
    flag: str = ""
    date: str = ""
    source: str = ""


@dataclass(frozen=True)
class LeftOut:
    """Something in the file that is not in the tables, and why; "" stands for all."""

    reason: str
    system: str = ""
    benchmark: str = ""
    value: str = ""
    source: str = ""


@dataclass
class Extract:
    """What one or several files of a format say.

    Attributes
    ----------
    protocol : str
        Who measured how, in a word: one protocol for all readings.
    measured_by, source : str
        For ``protocols.csv``.
    readings, left_out : list
    systems : dict
        Name -> column of ``systems.csv`` -> value; only what the file says.
    measured : dict
        Benchmark -> column of ``protocols.csv`` -> value, where it differs from what is usual.
    kind_unknown : bool
        Whether the file does not say which systems are base models.
    """

    protocol: str
    measured_by: str
    source: str
    readings: list[Reading] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    systems: dict[str, dict[str, Any]] = field(default_factory=dict)
    measured: dict[str, dict[str, Any]] = field(default_factory=dict)
    kind_unknown: bool = False

    def leave(self, reason: str, system: str = "", benchmark: str = "", value: object = "") -> None:
        """Note that something is left out."""
        self.left_out.append(LeftOut(reason, system, benchmark, str(value), self.source))


def tuned_by_name(name: str) -> str:
    """The word of a name that says the system was tuned, or ""."""
    found = TUNED.search(name.rsplit("/", 1)[-1])
    return found.group(0) if found else ""


def quantised_by_name(name: str) -> str:
    """The word of a name that says the weights were rounded, or ""."""
    found = QUANTISED.search(name.rsplit("/", 1)[-1])
    return found.group(0) if found else ""


def plain_text(cell: str) -> str:
    """A cell without markup: the text of its first link, or all of its text."""
    link = re.search(r"<a\b[^>]*>(.*?)</a>(.*)", cell, re.DOTALL | re.IGNORECASE)
    if link:
        # a remark such as "(zero-shot)" may stand behind the link, an icon's link too
        cell = link.group(1) + re.sub(r"<a\b.*", "", link.group(2), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", cell)).split())


def number(cell: object) -> float:
    """A number, or NaN where there is none."""
    try:
        value = float(str(cell).replace("\N{MINUS SIGN}", "-").strip().removesuffix("%"))
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def file_text(path: Path) -> str:
    """Text of a file.

    Raises
    ------
    TableError
        If it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: is not UTF-8; save the file as UTF-8") from error
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror}") from error


def csv_rows(text: str, where: object) -> list[list[str]]:
    """Rows of a CSV file that are not empty, cells stripped.

    Raises
    ------
    TableError
        If it is no CSV.
    """
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
    except csv.Error as error:
        raise TableError(f"{where}: cannot be read as CSV: {error}") from error
    return [row for row in rows if any(row)]


def records(rows: list[list[str]], where: object) -> Iterable[tuple[int, dict[str, str]]]:
    """Rows below a header as (number of the row, cells by column).

    Raises
    ------
    TableError
        If a row has more or fewer cells than the header.
    """
    header = rows[0]
    for i, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise TableError(
                f"{where}, row {i}: has {len(row)} cells where the header has {len(header)}"
            )
        yield i, dict(zip(header, row, strict=True))
