"""Tables of the EuroEval leaderboards.

Two rows of header with markup; a cell such as ``68.96 ± 2.19 / 80.86 ± 1.46@@68.96`` has two
metrics in percent with the half-widths of their 95% intervals and a key to sort by, and ``-@@-1``
is missing. The second metric of the multiple-choice tasks is accuracy (the first is Matthews').
"""

from __future__ import annotations

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

BASE: Final = "\N{BRAIN}"
HALF_WIDTH: Final = 1.959964
"""Half-width of a 95% interval in standard errors."""
ACCURACY: Final = {"hellaswag", "mmlu", "winogrande"}
"""Data sets that are benchmarks of ours, their second metric accuracy."""
FACTS: Final = {"rank", "parameters", "vocabulary", "vocabulary_size", "context", "commercial",
                "merge", "type", "generative_type", "model", "european values"}  # fmt: skip
CELL: Final = re.compile(r"[-\d.]+ ± [\d.]+ / ([-\d.]+) ± ([\d.]+)")


def is_euroeval(rows: list[list[str]]) -> bool:
    """Whether the first rows of a CSV file are the two headers of a leaderboard."""
    if len(rows) < 2:
        return False
    columns = {plain_text(name).lower() for name in rows[1]}
    return {"model", "rank"} <= columns and any(name.endswith("_version") for name in columns)


def read(path: Path, base_only: bool) -> Extract:
    """Read a leaderboard; its sizes are exact, its dates not given."""
    extract = Extract("euroeval", "EuroEval", f"{path.name}, EuroEval (MIT)")
    rows = csv_rows(file_text(path), path)[1:]
    rows[0] = [plain_text(name) for name in rows[0]]
    lower = {name.lower(): name for name in rows[0]}
    tasks = []
    for name in rows[0]:
        if name in ACCURACY:
            tasks.append(name)
            extract.measured[name] = {
                "format": "multiple-choice",
                "metric": "accuracy by option letter; error from the 95% half-width",
                "source": "named in each row; shots recalled",
            }
        elif name.lower() not in FACTS and not name.endswith("_version"):
            extract.leave("is not a benchmark known here", value=name)
    for row, cells in records(rows, path):
        kind = cells.get(lower.get("type", lower.get("generative_type", "")), "")
        name, variant = _name(cells[lower["model"]])
        merged = cells.get(lower.get("merge", ""), "") == "✓"
        reason = _unusable(name, variant, kind, merged, base_only)
        scores = {task: CELL.match(cells[task]) for task in tasks}
        if not any(scores.values()):
            continue  # nothing was measured that is known here
        if reason:
            extract.leave(reason, name)
            continue
        facts: dict[str, Any] = extract.systems.setdefault(name, {})
        params = number(cells.get(lower.get("parameters", ""), ""))
        if params > 0:
            facts |= {"params_total": params, "params_basis": "exact, EuroEval"}
        for task, found in scores.items():
            if found is None:
                continue
            version = cells.get(f"{task}_version", "").partition("@@")[0]
            extract.readings.append(
                Reading(
                    system=name,
                    benchmark=task,
                    score=number(found.group(1)) / 100,
                    error=number(found.group(2)) / 100 / HALF_WIDTH,
                    shots=0 if "zero-shot" in variant else 5,
                    flag="zero_shot" if "zero-shot" in variant else "",
                    source=f"{extract.source}, row {row + 1}, version {version}",
                )
            )
    return extract


def _name(cell: str) -> tuple[str, str]:
    """Name of a system, and what stands behind it: ``(zero-shot, val)``, ``#thinking``."""
    text = plain_text(cell)
    found = re.match(r"(.*?)\s*(\([^()]*\))?$", text)
    assert found is not None  # both parts may be empty
    name, _, mode = found.group(1).partition("#")
    return name, " ".join(filter(None, (mode, found.group(2) or "")))


def _unusable(name: str, variant: str, kind: str, merged: bool, base_only: bool) -> str:
    if merged:
        return "is a merge of other systems"
    if word := quantised_by_name(name):
        return f"has rounded weights, by its name ({word})"
    if "val" in re.findall(r"\w+", variant):
        return "was measured on the validation split"
    if kind == "\N{LEFT-POINTING MAGNIFYING GLASS}":
        return "is an encoder"
    if not base_only:
        return ""
    if kind != BASE:
        return f"is not a base model ({kind or 'no type given'})"
    if word := tuned_by_name(name):
        return f"is marked as a base model, but is tuned by its name ({word})"
    return ""
