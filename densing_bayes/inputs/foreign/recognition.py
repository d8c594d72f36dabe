"""What a file is that is not one of our tables, so that one message can say so."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from densing_bayes.inputs.foreign.formats import (
    epoch,
    euroeval,
    harness,
    open_leaderboard,
    swallow,
    wide_table,
)

FORMATS: Final = {
    "harness": "results of lm-evaluation-harness",
    "open-llm-leaderboard-v1": "a table of the Open LLM Leaderboard, first version",
    "open-llm-leaderboard-v2": "a table of the Open LLM Leaderboard, second version",
    "euroeval": "a leaderboard of EuroEval",
    "swallow": "the list of models of the Swallow LLM leaderboard",
    "epoch": "Epoch AI's table of benchmark runs",
    "wide": "a table with a column for each benchmark",
}
"""Format that ``data import`` reads -> what it is."""


@dataclass(frozen=True)
class Foreign:
    """A file or folder in a format that can be imported."""

    path: Path
    format: str

    def __str__(self) -> str:
        return (
            f"{self.path}: is {FORMATS[self.format]}, not a table of ours; make a panel of it with "
            f"'densing-bayes data import {self.path} NEW_FOLDER'"
        )


def recognise(path: Path) -> str:
    """The format of a file, or of a folder of results files, or "" if it is none that is known."""
    if path.is_dir():
        return "harness" if harness.results_files(path) else ""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
    return recognise_text(text)


def recognise_text(text: str) -> str:
    """The format of a file with this text, or ""."""
    start = text.lstrip()
    if start.startswith("{"):
        try:
            return "harness" if harness.is_harness(json.loads(text)) else ""
        except (ValueError, RecursionError):
            return ""
    lines = [line for line in text.splitlines() if not line.startswith("#") and line.strip()]
    if lines and lines[0].startswith("- "):
        return "swallow" if swallow.is_swallow(swallow.parse(text)) else ""
    rows = _first_rows(text)
    if euroeval.is_euroeval(rows):
        return "euroeval"
    header = rows[0] if rows else []
    if epoch.is_epoch(header):
        return "epoch"
    if open_leaderboard.is_second(header):
        return "open-llm-leaderboard-v2"
    if open_leaderboard.is_first(header):
        return "open-llm-leaderboard-v1"
    return "wide" if wide_table.is_wide(header) else ""


def foreign_files(folder: Path) -> list[Foreign]:
    """Files of a folder that can be imported, or the folder itself if it is one of runs."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix in (".csv", ".yml", ".yaml") and path.is_file():
            known = recognise(path)
            # a spreadsheet with some benchmark in its header may stand beside tables of ours
            if known and known != "wide":
                found.append(Foreign(path, known))
    if not found and harness.results_files(folder):
        found.append(Foreign(folder, "harness"))
    return found


def _first_rows(text: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    rows: list[list[str]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
            if len(rows) == 2:
                break
    except csv.Error:
        return []
    return rows
