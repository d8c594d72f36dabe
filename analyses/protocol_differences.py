"""How far two protocols of one format disagree on the systems that both have measured.

The ground of the priors of `[performance.protocols]` and of `score_tails` in models/current.toml:
how large the differences of two protocols are on the logit of the link, roughly, and the tails of
the differences of single systems about them. Readings that may quote each other are left out. The
ceiling of a link is taken to lie half way between the best score and one.

    python analyses/protocol_differences.py
"""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import logit

from densing_bayes import load_panel, load_spec
from densing_bayes.observed.readings import QUOTED, protocols_of

FEWEST = 2  # systems that two protocols have in common
ENOUGH = 10  # from which the tails of their differences are looked at
MAD = stats.norm.ppf(0.75)  # median absolute deviation of a standard normal number
RESULT = Path(__file__).with_suffix(".json")


def pairs() -> pd.DataFrame:
    """Two protocols of one format on one benchmark: systems, median difference, robust spread."""
    panel, spec = load_panel("current"), load_spec("current")
    rows = []
    for benchmark in spec.benchmarks:
        scores = panel.scores[
            (panel.scores["benchmark"] == benchmark) & (panel.scores["flag"] == "")
        ]
        scores = scores[scores["protocol"].isin(protocols_of(spec, benchmark))]
        chance = panel.benchmarks["chance"][benchmark]
        ceiling = (scores["score"].max() + 1.0) / 2.0
        known = ((scores["score"] - chance) / (ceiling - chance)).clip(0.01, 0.99)
        table = scores.assign(z=logit(known)).pivot(index="system", columns="protocol")
        for one, other in itertools.combinations(table["z"].columns, 2):
            differs = (table["score", other] - table["score", one]).abs() >= QUOTED
            both = (table["z", other] - table["z", one])[differs].dropna()
            if len(both) < FEWEST:
                continue
            apart = both - both.median()
            rows.append(
                {
                    "benchmark": benchmark,
                    "protocols": f"{one}, {other}",
                    "systems": len(both),
                    "difference": both.median(),
                    "spread": apart.abs().median() / MAD,
                    "apart": apart.to_numpy(),
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Print the pairs and keep the figures that the priors rest on."""
    table = pairs()
    many = table[table["systems"] >= ENOUGH]
    standard = np.concatenate([row.apart / row.spread for row in many.itertuples()])
    tails, _, scale = stats.t.fit(standard, floc=0.0)
    result = {
        "pairs": len(table),
        "root_mean_square": float(np.sqrt(np.mean(table["difference"] ** 2))),
        "median_size": float(table["difference"].abs().median()),
        "spread_quartiles": many["spread"].quantile([0.25, 0.5, 0.75]).round(4).tolist(),
        "single_differences": len(standard),
        "degrees_of_freedom": float(tails),
        "scale": float(scale),
    }
    print(table.drop(columns="apart").round(3).to_string(index=False))
    print(json.dumps(result, indent=1))
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
