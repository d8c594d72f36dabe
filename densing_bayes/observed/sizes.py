"""Params of a system by the convention that a specification counts them by."""

from __future__ import annotations

import pandas as pd

# Inference time of a token (Nature Machine Intelligence 7:1823, Methods): memory traffic takes
# k1 per parameter held, arithmetic k2 per parameter used. The printed hardware (82.58 TFLOP/s,
# 1.01 TB/s, 100 tokens) gives k2 / k1 = 2 * 100 * 1.01 / 82.58.
INFERENCE_TIME_RATIO = 2.0 * 100.0 * 1.01e12 / 82.58e12


def system_sizes(systems: pd.DataFrame, convention: str) -> tuple[pd.Series, int]:
    """Parameter counts in a convention, and how many fall back to the total.

    Parameters
    ----------
    systems
        Table of systems.
    convention
        "total", "comparable" (without the input embedding unless it is tied to the output head,
        as the ladder counts), "non-embedding", "active" (per token, for mixtures of experts) or
        "inference-time" (the dense size with the same time per token; Nature MI 7:1823, Methods).
    """
    total = systems["params_total"].astype(float)
    if convention == "total":
        return total, 0
    if convention == "inference-time":
        active = systems["params_active"].astype(float)
        ratio = INFERENCE_TIME_RATIO
        return (total + ratio * active) / (1.0 + ratio), 0
    column = {
        "comparable": "params_comparable",
        "non-embedding": "params_nonembedding",
        "active": "params_active",
    }[convention]
    sizes = systems[column].astype(float)
    return sizes.fillna(total), int(sizes.isna().sum())
