"""Cost of one gradient of the joint density, and how it grows with the number of systems.

Prints one gradient of our conditioned density against a numpy evaluation of the likelihood terms
of the same density, written by hand (value only), and both for 1x, 10x and 100x the systems.

python analyses/speed/gradient.py [--out FILE]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path

import numpy as np

from densing_bayes import laws, load_panel, load_spec
from densing_bayes.fitting import compile_fit
from densing_bayes.observations import Observations, observe


def repeat(observed: Observations, times: int) -> Observations:
    """Panel with every system ``times`` over, each copy a release of its own."""
    systems, releases = len(observed.systems), len(observed.releases)
    copies = np.arange(times)
    cell_order = np.argsort(np.tile(observed.cell_benchmark, times), kind="stable")

    def tile(values: np.ndarray, step: int = 0) -> np.ndarray:
        return np.concatenate([values + step * copy for copy in copies])

    def labels(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"{name}~{copy}" for copy in copies for name in names)

    cells = labels(observed.cell_label)
    return dataclasses.replace(
        observed,
        systems=labels(observed.systems),
        releases=labels(observed.releases),
        log_params=tile(observed.log_params),
        time=tile(observed.time),
        system_release=tile(observed.system_release, releases),
        system_organisation=tile(observed.system_organisation),
        release_time=tile(observed.release_time),
        score=tile(observed.score)[cell_order],
        cell_label=tuple(cells[i] for i in cell_order),
        cell_system=tile(observed.cell_system, systems)[cell_order],
        cell_benchmark=tile(observed.cell_benchmark)[cell_order],
        cell_items=tile(observed.cell_items)[cell_order],
        cell_flag=tile(observed.cell_flag)[cell_order],
    )


def by_hand(observed: Observations) -> float:
    """Value of the cells' likelihood and of the two latent layers, in plain numpy."""
    k = observed.cell_benchmark
    x = observed.log_params[observed.cell_system] - np.log(observed.centre_params)
    loss = laws.scaling_loss(x, observed.log_reference_tokens, 0.4, 0.3, 0.2, 0.2, 0.3)
    mean = laws.sigmoid_score(10.0 * (0.8 - loss), 0.25 + 0.0 * k, 0.9)
    variance = laws.score_variance(mean, observed.cell_items, 0.01)
    value = -0.5 * np.sum((observed.score - mean) ** 2 / variance + np.log(variance))
    trend = 0.5 * observed.time - 0.1 * observed.system_release
    return float(value - 0.5 * np.sum(trend**2) - 0.5 * np.sum((x - mean) ** 2))


def microseconds(function, rounds: int) -> float:
    """Median time of a call."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1e6 * float(np.median(times))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    spec, panel = load_spec("joint"), load_panel("open")
    rows = []
    for times in (1, 10, 100):
        observed = repeat(observe(panel, spec), times)
        functions = compile_fit(spec, observed).functions
        origin = np.zeros(functions.n_dim)
        functions.logp_func(origin)
        rounds = 2000 // times + 20
        row = {
            "systems": len(observed.systems),
            "free_values": functions.n_dim,
            "gradient_us": microseconds(lambda: functions.logp_func(origin), rounds),  # noqa: B023
            "by_hand_value_us": microseconds(lambda: by_hand(observed), rounds),  # noqa: B023
        }
        row["ratio"] = row["gradient_us"] / row["by_hand_value_us"]
        rows.append({name: round(value, 2) for name, value in row.items()})
        print(rows[-1], flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
