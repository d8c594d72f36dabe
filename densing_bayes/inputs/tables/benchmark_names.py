"""Names under which benchmarks are written, and the ones that they have here."""

from __future__ import annotations

import re
from typing import Final

ALIASES: Final = {
    "arc": "arc_challenge",
    "arcc": "arc_challenge",
    "arcchallenge": "arc_challenge",
    "arce": "arc_easy",
    "arceasy": "arc_easy",
    "hendryckstest": "mmlu",
    "wg": "winogrande",
    "hs": "hellaswag",
    "bigbenchhard": "bbh",
    "mmlupro": "mmlu_pro",
    "mathlvl5": "math_lvl5",
    "mathlevel5": "math_lvl5",
    "gpqadiamond": "gpqa_diamond",
    "lambada": "lambada_openai",
    "obqa": "openbookqa",
} | {
    name: name
    for name in (
        *("hellaswag", "winogrande", "mmlu", "bbh", "math", "humaneval", "mbpp", "gsm8k"),
        *("gpqa", "musr", "piqa", "openbookqa", "sciq", "boolq"),
    )
}
"""Name in small letters and digits -> benchmark."""


def benchmark_named(text: str) -> str:
    """The benchmark that a name stands for, or ""; ``MMLU (5-shot)`` is ``mmlu``."""
    bare = re.sub(r"\(.*?\)", "", text)
    return ALIASES.get(re.sub(r"[^a-z0-9]", "", bare.lower()), "")
