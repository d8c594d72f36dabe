"""Epoch AI's table of benchmark runs, ``benchmarks_runs.csv``."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Final

from densing_bayes.inputs.foreign.extract import (
    Extract,
    Reading,
    csv_rows,
    file_text,
    number,
    records,
    tuned_by_name,
)

BEST: Final = "Best score (across scorers)"
TASKS: Final = {"GPQA diamond": "gpqa_diamond", "MATH level 5": "math_lvl5"}
SCORER: Final = re.compile(r"([\w ]+):([\d.]+)(?:±([\d.]+))?")
DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def is_epoch(header: list[str]) -> bool:
    """Whether a header is that of the table of runs."""
    return {"task", "model", BEST} <= set(header)


def read(path: Path, base_only: bool) -> Extract:
    """Read the table of runs; it has neither sizes nor dates of release.

    The score is the best over scorers, as the column says. Its error is that of the scorer whose
    rounded figure it is.
    """
    extract = Extract("epoch", "Epoch AI", f"{path.name}, Epoch AI (CC BY 4.0)", kind_unknown=True)
    rows = csv_rows(file_text(path), path)
    for row, cells in records(rows, path):
        name, task = cells["model"], cells["task"]
        benchmark = TASKS.get(task)
        if benchmark is None:
            extract.leave("is not a benchmark known here", value=task)
            continue
        if cells.get("Status", "Success") != "Success":
            extract.leave(f"is a run that ended as {cells['Status']}", name, benchmark)
            continue
        if base_only and (word := tuned_by_name(name)):
            extract.leave(f"is tuned by its name ({word})", name)
            continue
        score = number(cells[BEST])
        if math.isnan(score):
            extract.leave("is a run without a score", name, benchmark)
            continue
        scorers = SCORER.findall(cells.get("Scores", ""))
        errors = [number(e) for _, value, e in scorers if abs(number(value) - score) <= 0.0051]
        extract.systems.setdefault(name, {})
        extract.measured[benchmark] = {"metric": "best over scorers"}
        started = cells.get("started_at", "")
        extract.readings.append(
            Reading(
                name,
                benchmark,
                score,
                error=errors[-1] if errors and errors[-1] > 0 else math.nan,
                date=started if DAY.match(started) else "",  # other exports have words for months
                source=f"{extract.source}, run {cells.get('id') or f'in row {row}'}",
            )
        )
    return extract
