"""How long a system lasts until one of half its params matches it.

python analyses/shelf_life.py [FIT]
"""

import sys

import numpy as np

import densing_bayes as db

fit = db.Fit.load(sys.argv[1]) if len(sys.argv) > 1 else db.fit("joint")
print(f"Verdict of the fit: {fit.verdict}\n")

for kappa in (2.0, 1 / 0.35, 10.0):
    life = db.frontier_shelf_life(fit, kappa)
    days = db.estimate(life, "days", mean=False)
    never = float(np.isinf(life).mean())
    upper = "never" if days["upper"] is None else f"{days['upper']:.0f}"
    print(
        f"On the frontier, matched with {1 / kappa:.0%} of the params after {days['median']:.0f} "
        f"days ({days['lower']:.0f} to {upper}), P(never) = {never:.3f}"
    )

systems = ["llama-2-7b", "mistral-7b-v0.1", "phi-2", "llama-3-8b", "gemma-2-9b", "llama-3.1-70b"]
known = [name for name in systems if name in fit.observed.systems]
print("\nDays from release until the frontier matches with half the params:")
print(db.shelf_life_table(fit, known).round(2).to_string())
