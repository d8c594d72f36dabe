"""Params of a system by the convention that a specification counts them by."""

from __future__ import annotations

import numpy as np
import pandas as pd

from densing_bayes.errors import SpecError
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.arrays import Floats

LEAST_SIZE_RATIO = 2.0  # of the largest system to the smallest, where size is the only measure
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


def centre(spec: ModelSpec, finals: pd.DataFrame, log_params: Floats) -> tuple[float, float]:
    """Geometric means of params and tokens of the reference runs; of params of the systems without.

    Without runs nothing depends on tokens, so that those of D0 are the centre.
    """
    if not spec.without_runs:
        params, tokens = (float(np.exp(np.log(finals[n]).mean())) for n in ("params", "tokens"))
        return params, tokens
    if np.ptp(log_params) < np.log(LEAST_SIZE_RATIO):
        raise SpecError(
            'all systems have about the same params: with link = "size" the scale of density is '
            "what size is worth among the systems, so it needs systems of several sizes, or "
            "reference runs and another link"
        )
    return float(np.exp(log_params.mean())), spec.panel.reference_tokens
