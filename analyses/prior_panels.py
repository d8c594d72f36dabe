"""What the priors of the shipped specifications expect to see, before any data.

Of each specification: the share of panels drawn from its prior that are usable, with the commonest
faults of the others; what the two reference models that its curves are stated by score; and Neff
of a system that everybody knows. Writes prior_panels.json. A minute.

    python analyses/prior_panels.py [--panels 200] [--out analyses]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from densing_bayes import load_panel, load_spec
from densing_bayes.evaluation.prior_panels import prior_panels
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint import laws
from densing_bayes.joint.model import assemble
from densing_bayes.joint.variables import drawn
from densing_bayes.observed.observations import Observations, observe

DRAWS = 4000
SEED = 0
SYSTEM = "llama-7b"  # of February 2023


def expected(spec: ModelSpec, observed: Observations, panels: int) -> dict[str, Any]:
    """What the prior of a specification expects."""
    found = prior_panels(spec, observed, panels, SEED)
    names = ["curve_start", "curve_rise", "floor", "ceiling", "log_density"]
    values = drawn(assemble(spec, observed).model, names, DRAWS, SEED)
    ends = values["floor"], values["ceiling"]
    small = laws.sigmoid_score(values["curve_start"], *ends)
    large = laws.sigmoid_score(values["curve_start"] + values["curve_rise"], *ends)
    m = observed.systems.index(SYSTEM)
    curve = spec.performance.curve
    assert curve is not None
    return {
        "panels": panels,
        "usable": found.usable,
        "faults": dict(found.commonest(5)),
        "small": curve.small,
        "large": curve.large,
        "scores": {
            name: {"small": summary(small[:, k]), "large": summary(large[:, k])}
            for k, name in enumerate(observed.benchmarks)
        },
        "neff": summary(np.exp(observed.log_params[m] + values["log_density"][:, m])),
    }


def summary(draws: np.ndarray) -> dict[str, float]:
    """Median and 95% range."""
    lower, median, upper = np.quantile(draws, [0.025, 0.5, 0.975])
    return {"median": float(median), "lower": float(lower), "upper": float(upper)}


def main() -> None:
    """Draw, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panels", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    content = {}
    for name in ("joint", "paper", "current"):
        spec = load_spec(name)
        observed = observe(load_panel(spec.panel.source), spec)
        content[name] = expected(spec, observed, arguments.panels)
        print(name, content[name]["usable"], content[name]["faults"], flush=True)
    path = arguments.out / "prior_panels.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
