"""Recovery on simulated panels: the committed study, and a few panels anew."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

ANALYSES = Path(__file__).parents[1] / "analyses"


@pytest.mark.parametrize(("study", "panels"), [("recovery", 50), ("recovery_paper", 8)])
def test_the_committed_study_covers_the_truth(study, panels):
    content = json.loads((ANALYSES / f"{study}.json").read_text(encoding="utf-8"))
    rows = [row for row in content["summary"] if row["scenario"] == "all that passed"]
    assert rows and rows[0]["panels"] >= panels
    for row in rows:
        for level in (50, 95):
            low, high = row[f"band{level}"]
            assert low <= row[f"covered{level}"] <= high, row


def test_the_committed_study_calls_no_change_an_acceleration_rarely():
    content = json.loads((ANALYSES / "recovery.json").read_text(encoding="utf-8"))
    flat = [row for row in content["acceleration"] if row["scenario"] in ("floor", "no change")]
    panels = sum(row["panels"] for row in flat)
    # 5% of 20 panels is one; four or more would have probability 0.016 if P were calibrated.
    assert sum(row["above95"] for row in flat) < 4
    assert panels >= 20


@pytest.mark.slow
def test_simulated_panels_are_recovered(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ANALYSES)
    import recovery

    monkeypatch.setenv("DENSING_BAYES_CACHE", str(tmp_path / "store"))
    out = tmp_path / "recovery.json"
    monkeypatch.setattr(sys, "argv", ["recovery.py", "--panels", "6", "--out", str(out)])
    recovery.main()
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    headline = [row for row in rows if row["verdict"] == "PASS" and "growth" in row["quantity"]]
    assert headline
    assert np.mean([row["in95"] for row in headline]) > 0.7
