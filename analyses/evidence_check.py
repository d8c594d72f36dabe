"""Is the evidence of the joint model to be trusted? Independent fits, and Savage-Dickey.

Prints a table and writes evidence_check.json. About eight minutes on two cores.

    python analyses/evidence_check.py [--out analyses/evidence_check.json]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import densing_bayes as db
from densing_bayes.fitting.evidence import log_evidence, savage_dickey, target

SEEDS = (1, 2, 3)
DRAWS = (1000, 2000)
HYPOTHESES = ("none", "chatgpt", "smooth")


def main() -> None:
    """Fit with several seeds, estimate, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses/evidence_check.json"))
    arguments = parser.parse_args()
    rows = []
    for hypothesis in HYPOTHESES:
        for seed in SEEDS:
            for draws in DRAWS:  # more if the first do not do
                fit = db.fit("joint", hypothesis=hypothesis, seed=seed, draws=draws)
                if fit.verdict == "PASS":
                    break
            shared = target(fit)
            evidence = log_evidence(shared.log_density, shared.draws, seed)
            row = {"hypothesis": hypothesis, "seed": seed, "draws": draws, "verdict": fit.verdict}
            row |= {"log_evidence": evidence.value, "error": evidence.error}
            if hypothesis == "chatgpt":
                at_zero = fit.spec.trend.growth_change.log_density(np.array(0.0))
                ratio = savage_dickey(shared, "growth_change", float(at_zero))
                row |= {"savage_dickey": ratio.value, "savage_dickey_error": ratio.error}
            rows.append(row)
            print(row, flush=True)
    by = {name: [r["log_evidence"] for r in rows if r["hypothesis"] == name] for name in HYPOTHESES}
    ratios = [r["savage_dickey"] for r in rows if "savage_dickey" in r]
    content = {
        "rows": rows,
        "spread": {name: max(values) - min(values) for name, values in by.items()},
        "none_against_chatgpt": {
            "by_evidence": float(np.mean(by["none"]) - np.mean(by["chatgpt"])),
            "by_savage_dickey": float(np.mean(ratios)),
        },
    }
    print(json.dumps({key: content[key] for key in ("spread", "none_against_chatgpt")}, indent=1))
    arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
