"""Names of benchmarks, changes and stretches of growth as they are written in text."""

from __future__ import annotations

from typing import Final

from densing_bayes.posterior.result import Fit

_CHANGES: Final = {
    "chatgpt": "ChatGPT",
    "llama-1": "LLaMA-1",
    "llama-2": "Llama 2",
    "llama-3": "Llama 3",
    "gpt-3": "GPT-3",
    "gpt-4": "GPT-4",
    "chinchilla": "Chinchilla",
}
_BENCHMARKS: Final = {
    "hellaswag": "HellaSwag",
    "arc_challenge": "ARC-Challenge",
    "winogrande": "WinoGrande",
    "mmlu": "MMLU",
    "bbh": "BBH",
    "math": "MATH",
    "humaneval": "HumanEval",
    "mbpp": "MBPP",
    "gsm8k": "GSM8K",
    "new benchmark": "a new benchmark",
}


def change_label(name: str) -> str:
    """Name of a change as it is written in text."""
    return _CHANGES.get(name, name)


def benchmark_label(name: str) -> str:
    """Name of a benchmark as it is written in text."""
    return _BENCHMARKS.get(name, name)


def before_after(fit: Fit) -> tuple[str, str] | None:
    """How the two stretches of growth are called, or None where the growth rate is constant."""
    trend = fit.spec.trend
    if trend.smooth is not None or trend.saturation is not None:
        return "at the first release", "at the last release"
    names = [change_label(change.name) for change in trend.changes if change.slope]
    if not names and trend.walk is not None:
        return "in the first year of the data", "in the last year of the data"
    if not names:
        return None
    return f"before {names[0]}", f"after {names[-1]}"
