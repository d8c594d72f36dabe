"""Results of EleutherAI's lm-evaluation-harness, old and new, and of its use by leaderboards.

Old files have ``"acc_norm": 0.31`` under a task and one number of shots for the whole run; new ones
``"acc_norm,none"`` and shots by task; those of the first Open LLM Leaderboard name a task
``harness|arc:challenge|25``.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from densing_bayes.errors import TableError
from densing_bayes.inputs.foreign.extract import (
    OTHER_SHOTS,
    Extract,
    Reading,
    file_text,
    number,
    quantised_by_name,
    tuned_by_name,
)

MMLU_SUBJECTS: Final = 57


@dataclass(frozen=True)
class Task:
    """A task of the harness: its benchmark, and the metrics it is scored by, best first."""

    benchmark: str
    metrics: tuple[str, ...]


def _tasks(metrics: tuple[str, ...], *names: str, **renamed: str) -> dict[str, Task]:
    return {name: Task(name, metrics) for name in names} | {
        task: Task(benchmark, metrics) for task, benchmark in renamed.items()
    }


TASKS: Final = (
    _tasks(
        ("acc_norm",),
        *("hellaswag", "arc_challenge", "arc_easy", "piqa", "openbookqa", "sciq"),
    )
    | _tasks(("acc",), "winogrande", "boolq", "lambada_openai")
    | _tasks(("exact_match,strict-match", "exact_match", "acc"), "gsm8k")
    | _tasks(("exact_match,custom-extract", "exact_match", "acc"), "mmlu_pro")
    | _tasks(("acc",), leaderboard_mmlu_pro="mmlu_pro")
    | _tasks(("pass@1", "pass@1,create_test"), "humaneval")
    | _tasks(("pass_at_1", "pass@1", "pass_at_1,extract_code"), "mbpp")
    | _tasks(("exact_match,get-answer", "exact_match"), bbh_cot_fewshot="bbh", bbh="bbh")
    | _tasks(("inst_level_strict_acc",), leaderboard_ifeval="ifeval")
)
"""Name of a task -> what we take of it."""

POOLED: Final = {
    "leaderboard_bbh_": Task("bbh", ("acc_norm",)),
    "leaderboard_math_": Task("math_lvl5", ("exact_match",)),
    "leaderboard_musr_": Task("musr", ("acc_norm",)),
    "leaderboard_gpqa_": Task("gpqa", ("acc_norm",)),
    "minerva_math_": Task("math", ("exact_match",)),
}
"""Beginning of the names of subtasks whose items are pooled -> what they make together."""
SUBTASKS: Final = {
    "leaderboard_bbh_": 24,
    "leaderboard_math_": 7,
    "leaderboard_musr_": 3,
    "leaderboard_gpqa_": 3,
    "minerva_math_": 7,
}

MMLU: Final = re.compile(r"(?:hendrycksTest-|mmlu_)(.+)")
MMLU_GROUPS: Final = {"stem", "other", "social_sciences", "humanities", "pro"}


def is_harness(content: object) -> bool:
    """Whether a JSON document is a results file of the harness."""
    if not isinstance(content, dict) or not isinstance(content.get("results"), dict):
        return False
    results = content["results"].values()
    named = any(key in content for key in ("config", "config_general", "configs", "n-shot"))
    return named and any(isinstance(result, dict) for result in results)


def read(paths: list[Path], shots: dict[str, int], base_only: bool) -> Extract:
    """Read results files, one a run.

    Parameters
    ----------
    paths
        JSON files.
    shots
        Benchmark -> number of examples that is usual; other numbers are flagged.
    base_only
        Whether to leave out systems whose name says that they were tuned.

    Raises
    ------
    TableError
        If a file is not one of the harness.
    """
    extract = Extract(
        "lm-evaluation-harness", "lm-evaluation-harness, run as the files say", "results files"
    )
    for path in paths:
        try:
            content = json.loads(file_text(path))
        except (ValueError, RecursionError) as error:
            raise TableError(f"{path}: not valid JSON: {error}") from error
        if not is_harness(content):
            raise TableError(f"{path}: not a results file of lm-evaluation-harness")
        _Run(path.name, content, extract, shots).read(base_only)
    return extract


def results_files(folder: Path) -> list[Path]:
    """The results files of a folder of runs, at any depth; samples and the like are passed over."""
    found = []
    for path in sorted(folder.rglob("*.json")):
        try:
            if is_harness(json.loads(path.read_bytes())):
                found.append(path)
        except (OSError, ValueError, RecursionError):
            continue
    return found


@dataclass(frozen=True)
class _Score:
    """A metric of a task: value, standard error, shots and items."""

    value: float
    error: float
    shots: int | None
    items: float


class _Run:
    """One results file."""

    def __init__(self, file: str, content: dict[str, Any], extract: Extract, usual: dict[str, int]):
        self.content = content
        self.extract = extract
        self.usual = usual
        self.config = _table(content.get("config"))
        self.general = _table(content.get("config_general"))
        self.arguments = _arguments(self.config.get("model_args"))
        self.system = self._system()
        version = content.get("git_hash") or content.get("lm_eval_version")
        self.source = f"{file}; lm-evaluation-harness{f' {version}' if version else ''}"

    def read(self, base_only: bool) -> None:
        """Add its readings to the extract, or the reason why there are none."""
        reason = self._unusable(base_only)
        self.extract.source = self.source
        if not self.system:
            self.extract.leave("names no system (model_name or pretrained=...)", value=self.source)
            return
        if reason:
            self.extract.leave(reason, self.system)
            return
        self._facts()
        scores = self._results()
        subjects: dict[str, _Score] = {}
        pools: dict[str, dict[str, _Score]] = {}
        for name, (result, shots) in scores.items():
            subject = MMLU.fullmatch(name)
            pool = next((start for start in POOLED if name.startswith(start)), None)
            if subject and subject.group(1) not in MMLU_GROUPS and name not in TASKS:
                if (score := self._score(name, result, shots, ("acc",))) is not None:
                    subjects[subject.group(1)] = score
            elif pool is not None:
                score = self._score(name, result, shots, POOLED[pool].metrics)
                if score is not None:
                    pools.setdefault(pool, {})[name] = score
            elif name in TASKS:
                task = TASKS[name]
                score = self._score(name, result, shots, task.metrics)
                if score is None:
                    self._leave(name, f"has no {' or '.join(task.metrics)}")
                else:
                    self._add(task.benchmark, score, name)
            elif not self._is_group(name):
                self.extract.leave("is not a benchmark known here", value=name)
        self._add_mmlu(subjects, "mmlu" in scores)
        for pool, parts in pools.items():
            self._add_pool(pool, parts)

    def _unusable(self, base_only: bool) -> str:
        limit = self.config.get("limit")
        if limit is not None:
            return f"was measured on the first {limit} items of each task only (limit)"
        if self.content.get("chat_template"):
            return "was measured with a chat template"
        for key in ("peft", "delta"):
            if self.arguments.get(key):
                return f"is a base model with an adapter ({key}={self.arguments[key]})"
        for key in ("load_in_4bit", "load_in_8bit", "autogptq", "gptq", "quantized"):
            if str(self.arguments.get(key, "")).lower() not in ("", "false", "none", "0"):
                return f"was measured with rounded weights ({key})"
        if word := quantised_by_name(self.system):
            return f"has rounded weights, by its name ({word})"
        if base_only and (word := tuned_by_name(self.system)):
            return f"is tuned by its name ({word})"
        return ""

    def _system(self) -> str:
        name = (
            self.content.get("model_name")
            or self.general.get("model_name")
            or self.arguments.get("pretrained")
            or self.arguments.get("model")
            or self.arguments.get("engine")
            or ""
        )
        name = str(name).strip().strip("\"'")
        if name.startswith(("/", "./", "../", "~")) or name.count("/") > 1:
            name = name.rstrip("/").rsplit("/", 1)[-1]  # a folder on the machine of the run
        revision = str(self.arguments.get("revision") or "main")
        return name if not name or revision in ("main", "None") else f"{name}@{revision}"

    def _facts(self) -> None:
        params = number(self.config.get("model_num_parameters"))
        facts: dict[str, Any] = self.extract.systems.setdefault(self.system, {})
        if params > 0:
            facts |= {"params_total": params, "params_basis": "counted by the harness"}

    def _results(self) -> dict[str, tuple[dict[str, Any], int | None]]:
        """Task -> its results and number of shots."""
        tasks = {}
        for key, result in self.content["results"].items():
            if not isinstance(result, dict) or key == "all":
                continue
            name, shots = key, self._shots(key)
            if "|" in key:  # suite|task|shots, and a last field in later files
                _, name, *rest = key.split("|")
                shots = int(rest[0]) if rest and rest[0].isdigit() else shots
            tasks[name.replace("arc:challenge", "arc_challenge")] = (result, shots)
        return tasks

    def _shots(self, task: str) -> int | None:
        shots = _table(self.content.get("n-shot")).get(task)
        shots = self.config.get("num_fewshot") if shots is None else shots
        return int(shots) if isinstance(shots, int) else None

    def _is_group(self, name: str) -> bool:
        groups = {"mmlu", "leaderboard", "leaderboard_bbh", "leaderboard_gpqa", "minerva_math"}
        groups |= {"leaderboard_math_hard", "leaderboard_musr"}
        subject = MMLU.fullmatch(name)
        return name in groups or bool(subject and subject.group(1) in MMLU_GROUPS)

    def _score(
        self, name: str, result: dict[str, Any], shots: int | None, metrics: tuple[str, ...]
    ) -> _Score | None:
        for metric in metrics:
            # a filter follows the metric in new files: "acc_norm,none"
            stem, _, wanted = metric.partition(",")
            for key, value in result.items():
                own, _, by = key.partition(",")
                if own == stem and (not wanted or by == wanted) and not math.isnan(number(value)):
                    error = result.get(f"{stem}_stderr,{by}" if by else f"{stem}_stderr")
                    return _Score(number(value), number(error), shots, self._items(name))
        return None

    def _items(self, task: str) -> float:
        own = _table(_table(self.content.get("n-samples")).get(task))
        return number(own.get("effective"))

    def _add_mmlu(self, subjects: dict[str, _Score], grouped: bool) -> None:
        if len(subjects) == MMLU_SUBJECTS:
            # the group's own figure weighs subjects by their items: another benchmark
            value = sum(score.value for score in subjects.values()) / MMLU_SUBJECTS
            error = math.sqrt(sum(s.error**2 for s in subjects.values())) / MMLU_SUBJECTS
            shots = {score.shots for score in subjects.values()}
            if len(shots) > 1:
                self._leave("mmlu", f"has subjects of {sorted(map(str, shots))} shots", "mmlu")
                return
            self._add("mmlu", _Score(value, error, shots.pop(), math.nan), "mean over 57 subjects")
        elif subjects or grouped:
            self._leave(
                "mmlu",
                f"has {len(subjects)} of the {MMLU_SUBJECTS} subjects, and the score is their mean",
                "mmlu",
            )

    def _add_pool(self, pool: str, parts: dict[str, _Score]) -> None:
        benchmark = POOLED[pool].benchmark
        items = [part.items for part in parts.values()]
        if len(parts) != SUBTASKS[pool]:
            reason = f"has {len(parts)} of the {SUBTASKS[pool]} subtasks"
        elif any(map(math.isnan, items)):
            reason = "does not say how many items its subtasks have, which are pooled"
        else:
            total = sum(items)
            value = sum(part.items * part.value for part in parts.values()) / total
            error = (
                math.sqrt(sum((part.items * part.error) ** 2 for part in parts.values())) / total
            )
            shots = {part.shots for part in parts.values()}
            one = shots.pop() if len(shots) == 1 else None
            self._add(benchmark, _Score(value, error, one, total), f"{len(parts)} subtasks pooled")
            if pool == "leaderboard_bbh_":
                self.extract.measured["bbh"] = {
                    "format": "multiple-choice",
                    "metric": "accuracy by answer text, normalised by length, subtasks pooled",
                }
            return
        self._leave(benchmark, reason, benchmark)

    def _add(self, benchmark: str, score: _Score, how: str) -> None:
        usual = self.usual.get(benchmark)
        other = usual is not None and score.shots is not None and score.shots != usual
        self.extract.readings.append(
            Reading(
                system=self.system,
                benchmark=benchmark,
                score=score.value,
                error=score.error,
                shots=score.shots,
                flag=OTHER_SHOTS if other else "",
                date=self._date(),
                source=f"{self.source}, {how}",
            )
        )

    def _date(self) -> str:
        seconds = self.content.get("date", self.general.get("end_time"))
        if not isinstance(seconds, (int, float)) or not 1e9 < seconds < 4e9:
            return ""
        return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()

    def _leave(self, task: str, reason: str, benchmark: str = "") -> None:
        self.extract.leave(reason, self.system, benchmark, "" if benchmark == task else task)


def _table(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}


def _arguments(given: Any) -> dict[str, Any]:
    """Arguments of the model, a table or ``a=b,c=d``."""
    if isinstance(given, dict):
        return given
    pairs = (part.partition("=") for part in str(given or "").split(","))
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs if key.strip()}
