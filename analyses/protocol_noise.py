"""How far two readings of one score by one protocol differ.

Prints a table. The figures stand behind the priors of protocol noise in models/paper.toml.

    python analyses/protocol_noise.py
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import densing_bayes as db
from densing_bayes.inputs.published import load_alternative_scores

SAME = 6e-4  # difference below which the second reading may be a copy of the first, rounded


def protocol_noise() -> pd.DataFrame:
    """Scatter of one reading, as the standard deviation at a score of one half, by benchmark."""
    panel, spec = db.load_panel("paper"), db.load_spec("paper")
    both = load_alternative_scores().merge(
        panel.scores, on=["system", "benchmark"], suffixes=("", "_kept")
    )
    middle = (both["score"] + both["score_kept"]) / 2.0
    both["differs"] = (both["score"] - both["score_kept"]).abs() >= SAME
    both["scaled"] = (both["score"] - both["score_kept"]) / np.sqrt(8.0 * middle * (1.0 - middle))
    rows = []
    for name, group in both.groupby("benchmark"):
        scaled = group["scaled"]
        prior = spec.benchmarks[str(name)].protocol_noise
        rows.append(
            {
                "benchmark": name,
                "second readings": len(group),
                "differ": int(group["differs"].sum()),
                "rms of all": rms(scaled),
                "rms of those that differ": rms(scaled[group["differs"]]),
                "prior median": None if prior is None else getattr(prior, "median", None),
            }
        )
    return pd.DataFrame(rows).set_index("benchmark")


def rms(values: pd.Series) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(values**2)))


if __name__ == "__main__":
    print(protocol_noise().round(4).to_string())
