"""Seconds that the fits of the corollaries take, beside a fit of the joint model in the same run.

Each is made twice; the second time, with compiled functions cached, is what counts. Prints a table
and writes results_corollaries.json. Four minutes on two cores.

    python analyses/speed/corollaries.py [--out analyses/speed/results_corollaries.json]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import densing_bayes as db
from densing_bayes.corollaries.compression.effects import fit_compression
from densing_bayes.corollaries.drivers.model import fit_drivers
from densing_bayes.corollaries.engines.model import fit_engines
from densing_bayes.corollaries.payback.model import load_payback_spec
from densing_bayes.corollaries.payback.training_cost import fit_training_cost
from densing_bayes.corollaries.prices.model import fit_prices


def timed(make: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of a call, and what it returns."""
    start = time.perf_counter()
    result = make()
    return time.perf_counter() - start, result


def main() -> None:
    """Fit everything twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results_corollaries.json"
    )
    arguments = parser.parse_args()
    joint = [timed(lambda: db.fit("joint")) for _ in range(2)]
    fit = joint[-1][1]
    makers: dict[str, Callable[[], Any]] = {
        "prices, GPT-3.5 level": lambda: fit_prices("gpt-3.5"),
        "prices, GPT-4 level": lambda: fit_prices("gpt-4"),
        "engines": fit_engines,
        "training cost": lambda: fit_training_cost(load_payback_spec().training),
        "compression": lambda: fit_compression(fit),
        "drivers": lambda: fit_drivers(fit),
    }
    rows = {"joint model": [seconds for seconds, _ in joint]}
    for name, make in makers.items():
        rows[name] = [timed(make)[0] for _ in range(2)]
        print(name, [round(seconds, 1) for seconds in rows[name]], flush=True)
    warm = sum(seconds[1] for name, seconds in rows.items() if name != "joint model")
    content = {
        "seconds": {name: [round(x, 1) for x in seconds] for name, seconds in rows.items()},
        "corollaries_warm": round(warm, 1),
        "over_joint": round(warm / rows["joint model"][1], 2),
        "verdict": fit.verdict,
    }
    arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
