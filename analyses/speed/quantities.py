"""The fixed list of quantities by which every sampler is judged, and how they are summarised.

The least bulk effective sample size over this list is the numerator of every speed, and the list
does not change with what a sampler is good at. Needs numpy and arviz-stats only, so that Stan's
environment can use it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from arviz_stats.base import array_stats

VARIABLES = (
    "growth_before",
    "growth_change",
    "growth_after",
    "level",
    "params_exponent",
    "tokens_exponent",
    "irreducible_loss",
    "steepness",
    "discrimination",
    "midpoint",
    "difficulty",
    "floor",
    "ceiling",
    "loss_noise",
    "reference_noise",
    "protocol_noise",
    "benchmark_spread",
    "drift_spread_before",
    "drift_spread_change",
    "params_exponent_spread",
    "tokens_exponent_spread",
    "shortfall_spread",
    "system_spread",
    "organisation_spread",
)
LOG_DENSITIES = (
    "gpt2-xl",
    "opt-66b",
    "llama-7b",
    "llama-2-7b",
    "mistral-7b-v0.1",
    "phi-2",
    "qwen1.5-7b",
    "llama-3-8b",
    "qwen2-7b",
    "llama-3.1-70b",
)


def listed(
    draws: Mapping[str, np.ndarray], labels: Mapping[str, Sequence[str]]
) -> dict[str, np.ndarray]:
    """Draws of the fixed list, one entry of shape (chain, draw) for each scalar.

    Parameters
    ----------
    draws
        Arrays (chain, draw, ...) of the model's variables by name, without ``growth_after``.
    labels
        Labels of the elements of the variables that have more than a scalar.
    """
    draws = dict(draws)
    change = np.reshape(draws["growth_change"], np.shape(draws["growth_before"]))
    draws["growth_change"] = change
    draws["growth_after"] = draws["growth_before"] + change
    result = {}
    for name in VARIABLES:
        values = np.asarray(draws[name], dtype=float)
        if values.ndim == 2:
            result[name] = values
            continue
        for i, label in enumerate(labels[name]):
            result[f"{name}[{label}]"] = values[:, :, i]
    systems = list(labels["log_density"])
    for system in LOG_DENSITIES:
        result[f"log_density[{system}]"] = draws["log_density"][:, :, systems.index(system)]
    return result


def summarise(quantities: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Least bulk effective sample size, largest R-hat and a row for each quantity."""
    axes = {"chain_axis": 0, "draw_axis": 1}
    rows = {
        name: {
            "mean": float(np.mean(values)),
            "sd": float(np.std(values, ddof=1)),
            "mcse": float(array_stats.mcse(values, method="mean", **axes)),
            "ess_bulk": float(array_stats.ess(values, method="bulk", **axes)),
            "ess_tail": float(array_stats.ess(values, method="tail", prob=(0.05, 0.95), **axes)),
            "r_hat": float(array_stats.rhat(values, method="rank", **axes)),
        }
        for name, values in quantities.items()
    }
    least = min(rows, key=lambda name: rows[name]["ess_bulk"])
    worst = max(rows, key=lambda name: rows[name]["r_hat"])
    return {
        "min_ess_bulk": rows[least]["ess_bulk"],
        "min_ess_quantity": least,
        "median_ess_bulk": float(np.median([row["ess_bulk"] for row in rows.values()])),
        "max_r_hat": rows[worst]["r_hat"],
        "max_r_hat_quantity": worst,
        "quantities": rows,
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write results with six significant digits, one quantity a line."""
    rows = {name: _rounded(row) for name, row in content["quantities"].items()}
    head = {key: _rounded(value) for key, value in content.items() if key != "quantities"}
    lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    text = json.dumps(head, indent=2)[:-2] + f',\n  "quantities": {{\n{lines}\n  }}\n}}\n'
    path.write_text(text, encoding="utf-8")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
