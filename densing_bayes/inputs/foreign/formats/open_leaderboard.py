"""Tables of the Open LLM Leaderboard, first version (2023) and second (2024).

Scores of the first are percent. The second has each benchmark twice: ``BBH Raw`` is the share of
items, ``BBH`` a percentage above guessing, which is no score of ours. Its types of systems are what
the submitter said: instruct models are among the pretrained.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, Final

from densing_bayes.inputs.foreign.extract import (
    Extract,
    Reading,
    csv_rows,
    file_text,
    number,
    plain_text,
    quantised_by_name,
    records,
    tuned_by_name,
)

FIRST: Final = {
    "arc": ("arc_challenge", 25),
    "hellaswag": ("hellaswag", 10),
    "mmlu": ("mmlu", 5),
    "winogrande": ("winogrande", 5),
    "gsm8k": ("gsm8k", 5),
}
"""Column, in small letters and without its shots -> benchmark, shots."""
SECOND: Final = {
    "IFEval": ("ifeval", 0),
    "BBH": ("bbh", 3),
    "MATH Lvl 5": ("math_lvl5", 4),
    "GPQA": ("gpqa", 0),
    "MUSR": ("musr", 0),
    "MMLU-PRO": ("mmlu_pro", 5),
}
"""Column without ``Raw`` -> benchmark, shots."""
NO_SHARE: Final = {"truthfulqa": "TruthfulQA is a mean probability, no share of items"}
NAMES: Final = ("fullname", "model_name_for_query", "Model", "model")
YES: Final = {"true", "1", "yes"}


def column_of_first(name: str) -> str:
    """``ARC (25-shot)`` as ``arc``."""
    return re.sub(r"\s*\(.*", "", name).strip().lower()


def is_first(header: list[str]) -> bool:
    """Whether a header is one of the first version."""
    columns = {column_of_first(name) for name in header}
    named = any(name in header for name in NAMES)
    return named and {"arc", "hellaswag", "truthfulqa"} <= columns


def is_second(header: list[str]) -> bool:
    """Whether a header is one of the second version."""
    return any(name in header for name in NAMES) and {"IFEval", "BBH", "MATH Lvl 5"} <= set(header)


def read_first(path: Path, base_only: bool) -> Extract:
    """Read a table of the first version; scores are percent, shots are those of the leaderboard.

    Tables of before July 2023 have another MMLU, which no column tells.
    """
    extract = Extract("open-llm-leaderboard-v1", "Open LLM Leaderboard v1", path.name)
    rows = csv_rows(file_text(path), path)
    columns = {name: FIRST[key] for name in rows[0] if (key := column_of_first(name)) in FIRST}
    for name in rows[0]:
        if (key := column_of_first(name)) in NO_SHARE:
            extract.leave(NO_SHARE[key], value=name)
        elif key == "drop":
            extract.leave("was taken off the leaderboard, its scores being wrong", value=name)
    extract.kind_unknown = "Type" not in rows[0]
    for row, cells in records(rows, path):
        system = _system(extract, row, cells, base_only)
        if system:
            for column, (benchmark, shots) in columns.items():
                score = number(cells[column]) / 100
                _add(extract, Reading(system, benchmark, score, shots=shots), row, cells)
    return extract


def read_second(path: Path, base_only: bool) -> Extract:
    """Read a table of the second version; only its raw columns are shares of items."""
    extract = Extract("open-llm-leaderboard-v2", "Open LLM Leaderboard v2", path.name)
    rows = csv_rows(file_text(path), path)
    columns = {}
    for name, (benchmark, shots) in SECOND.items():
        if f"{name} Raw" in rows[0]:
            columns[f"{name} Raw"] = benchmark, shots
        elif name in rows[0]:
            extract.leave(
                "is a percentage above guessing; the column with Raw is missing",
                benchmark=benchmark,
                value=name,
            )
    extract.measured["bbh"] = {
        "format": "multiple-choice",
        "metric": "accuracy by answer text, normalised by length, 24 subtasks pooled",
    }
    extract.kind_unknown = "Type" not in rows[0]
    for row, cells in records(rows, path):
        system = _system(extract, row, cells, base_only)
        if system:
            for column, (benchmark, shots) in columns.items():
                reading = Reading(system, benchmark, number(cells[column]), shots=shots)
                _add(extract, reading, row, cells)
    return extract


def _system(extract: Extract, row: int, cells: dict[str, str], base_only: bool) -> str:
    """Name of a row's system, or "" if it is left out."""
    name = next((plain_text(cells[column]) for column in NAMES if cells.get(column)), "")
    if not name:
        extract.leave("names no system", value=f"row {row}")
        return ""
    reason = _unusable(name, cells, base_only)
    if reason:
        extract.leave(reason, name)
        return ""
    facts: dict[str, Any] = extract.systems.setdefault(name, {})
    billions = number(cells.get("#Params (B)", ""))
    if billions > 0:  # 0 and -1 stand for unknown; "Parameters" is a percentage of the largest
        facts |= {"params_total": billions * 1e9, "params_basis": "rounded, as the leaderboard has"}
    if cells.get("Upload To Hub Date"):
        facts["uploaded"] = cells["Upload To Hub Date"]
    return name


def _unusable(name: str, cells: dict[str, str], base_only: bool) -> str:
    flags = {key: cells.get(key, "").lower() in YES for key in ("Flagged", "Merged", "Merge")}
    if flags["Flagged"]:
        return "is flagged by the leaderboard"
    if flags["Merged"] or flags["Merge"] or "merge" in cells.get("Type", "").lower():
        return "is a merge of other systems"
    if cells.get("Weight type", "Original") not in ("Original", ""):
        return f"has no weights of its own ({cells['Weight type']})"
    precision = cells.get("Precision", "")
    if re.search(r"4bit|8bit|gptq|awq|int", precision, re.IGNORECASE):
        return f"was measured with rounded weights ({precision})"
    if word := quantised_by_name(name):
        return f"has rounded weights, by its name ({word})"
    if not base_only:
        return ""
    kind = cells.get("Type", "")
    base = kind == "" or ("pretrained" in kind.lower() and "continuous" not in kind.lower())
    if not base:
        return f"is not a base model ({kind})"
    marked = "is marked as pretrained, but " if kind else ""
    if word := tuned_by_name(name):
        return f"{marked}is tuned by its name ({word})"
    if cells.get("Chat Template", "").lower() in YES:
        return f"{marked}was measured with a chat template"
    return ""


def _add(extract: Extract, reading: Reading, row: int, cells: dict[str, str]) -> None:
    if math.isnan(reading.score):
        return
    extract.readings.append(
        Reading(
            reading.system,
            reading.benchmark,
            reading.score,
            shots=reading.shots,
            date=cells.get("Submission Date", cells.get("date", "")),
            source=f"{extract.source}, row {row}",
        )
    )
