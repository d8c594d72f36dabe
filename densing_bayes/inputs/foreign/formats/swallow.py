"""Results of the Swallow LLM leaderboard, ``_data/model.yml`` of its repository."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import yaml

from densing_bayes.errors import TableError
from densing_bayes.inputs.foreign.extract import (
    Extract,
    Reading,
    file_text,
    number,
    quantised_by_name,
    tuned_by_name,
)

ENGLISH: Final = ("en_pre", "en_basic")
"""Groups of the results of base models on English tasks, as they are and were called."""
TASKS: Final = {
    "HellaSwag": ("hellaswag", 4, "cloze", "accuracy by answer text, not normalised by length"),
    "MMLU": ("mmlu", 5, "multiple-choice", "accuracy by option letter, mean over subjects"),
    "GSM8K": ("gsm8k", 4, "generation", "exact match"),
    "MATH": ("math", 4, "generation", "exact match after a chain of thought, 500 items"),
    "BBH": ("bbh", 3, "generation", "exact match after a chain of thought"),
    "HumanEval": ("humaneval", 0, "generation", "pass@1"),
}
DEEPEST: Final = 100
"""Levels of a document: libyaml goes down them by recursion, and takes the process along."""
AVERAGES: Final = {"avg", "En Avg"}
NONE: Final = {"", "-", "－", "(private)", "n/a", "none"}


def is_swallow(content: object) -> bool:
    """Whether a YAML document is the leaderboard's list of models."""
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(entry, dict) and {"id", "results"} <= entry.keys() for entry in content)
    )


def parse(text: str) -> object:
    """A YAML document, or None if it is not one."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    try:
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                return None
        return yaml.load(text, Loader=loader)
    except (yaml.YAMLError, ValueError):  # a day or number that Python has not got is the latter
        return None


def read(path: Path, base_only: bool) -> Extract:
    """Read the list of models; sizes are rounded to what their names say, dates are given.

    Raises
    ------
    TableError
        If the file is not the leaderboard's.
    """
    content = parse(file_text(path))
    if not is_swallow(content):
        raise TableError(f"{path}: not the list of models of the Swallow LLM leaderboard")
    assert isinstance(content, list)
    extract = Extract(
        "swallow", "Swallow LLM leaderboard", f"{path.name}, swallow-llm/leaderboard (CC BY 4.0)"
    )
    for entry in content:
        name = str(entry["id"])
        results: dict[str, Any] = entry["results"] if isinstance(entry["results"], dict) else {}
        english = next((results[key] for key in ENGLISH if results.get(key)), None)
        reason = _unusable(entry, results, english, base_only)
        if reason:
            extract.leave(reason, name)
            continue
        assert english is not None
        extract.systems[name] = _facts(entry)
        for task, value in english.items():
            if task not in TASKS:
                if task not in AVERAGES:
                    extract.leave("is not a benchmark known here", value=task)
                continue
            benchmark, shots, form, metric = TASKS[task]
            extract.measured[benchmark] = {"format": form, "shots": shots, "metric": metric}
            if benchmark not in ("hellaswag", "mmlu"):
                extract.measured[benchmark]["source"] = "named in each row; shots recalled"
            if not math.isnan(number(value)):
                source = f"{extract.source} {task}"
                extract.readings.append(
                    Reading(name, benchmark, number(value), shots=shots, source=source)
                )
    return extract


def _unusable(
    entry: dict[str, Any], results: dict[str, Any], english: object, base_only: bool
) -> str:
    name = str(entry["id"])
    if word := quantised_by_name(name):
        return f"has rounded weights, by its name ({word})"
    # earlier files do not say it, but only tuned systems were given the dialogues
    tuned = bool(entry.get("is_post", "ja_mtb" in results or "en_mtb" in results))
    if tuned and base_only:
        post = "is_post" in entry
        return "is not a base model (is_post)" if post else "was measured on dialogues"
    if not isinstance(english, dict):
        return "has no results on the English tasks of base models"
    if base_only and "is_post" not in entry and (word := tuned_by_name(name)):
        return f"is tuned by its name ({word})"
    return ""


def _facts(entry: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if str(entry.get("date", "")).strip():
        facts |= {"release_date": str(entry["date"]), "date_basis": "sourced"}
    for column, key in (("params_total", "params"), ("params_active", "active_params")):
        if number(entry.get(key)) > 0:
            facts[column] = number(entry[key]) * 1e9
            facts["params_basis"] = "rounded, as reported"
    if str(entry.get("family", "")).strip().lower() not in NONE:
        facts["family"] = str(entry["family"])
    parent = next((str(entry[key]) for key in ("base", "base_model") if entry.get(key)), "")
    if parent.strip().lower() not in NONE:
        facts["parent"] = parent
    return facts
