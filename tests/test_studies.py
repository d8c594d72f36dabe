"""Committed studies of the comparison: what docs say of them is what they hold."""

import json
from pathlib import Path

import numpy as np

ANALYSES = Path(__file__).parents[1] / "analyses"


def study(name):
    return json.loads((ANALYSES / f"{name}.json").read_text(encoding="utf-8"))


def test_evidence_repeats_over_independent_fits():
    content = study("evidence_check")
    assert len({row["seed"] for row in content["rows"]}) >= 3
    assert all(row["verdict"] == "PASS" for row in content["rows"])
    assert max(content["spread"].values()) < 0.3


def test_evidence_agrees_with_savage_dickey():
    content = study("evidence_check")
    pair = content["none_against_chatgpt"]
    rows = [row for row in content["rows"] if "savage_dickey" in row]
    none = [row["error"] for row in content["rows"] if row["hypothesis"] == "none"]
    of_ratio = np.linalg.norm([row["savage_dickey_error"] for row in rows]) / len(rows)
    of_evidence = np.hypot(
        np.linalg.norm([row["error"] for row in rows]) / len(rows),
        np.linalg.norm(none) / len(none),
    )
    error = np.hypot(of_ratio, of_evidence)
    assert abs(pair["by_evidence"] - pair["by_savage_dickey"]) < 3.0 * error
