"""Cost of one gradient of the joint density, and how it grows with the number of systems.

Prints the time of one value and gradient in our coordinates, as the sampler calls it, beside that
of a value alone of the plain density by hand in numpy, for 1, 10 and 80 times the systems, and the
seconds that it takes to make the function. Numpy states a straight line below which releases fall;
the two densities of that are held equal first (up to the priors of the globals, which numpy leaves
out), and the gradient of what is shipped stands beside.

python analyses/speed/gradient.py [--out FILE]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytensor

from densing_bayes import load_panel, load_spec
from densing_bayes.fitting.compiled import Compiled, compile_fit
from densing_bayes.joint import laws
from densing_bayes.observed.observations import Observations, observe

LINE = {f"trend__{name}": None for name in ("walk", "periods", "release_scatter")} | {
    "density__lean": None
}  # what numpy does not state
FACTORS = (
    "loss",
    "reference_score",
    "shortfall",
    "log_density",
    "log_effective_params",
    "score",
)


def repeat(observed: Observations, times: int) -> Observations:
    """Panel with every system ``times`` over, each copy a release of its own."""
    systems, releases = len(observed.systems), len(observed.releases)
    copies = np.arange(times)
    order = np.argsort(np.tile(observed.cell_benchmark, times), kind="stable")

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
        system_family=observed.system_family * times,
        release_time=tile(observed.release_time),
        score=tile(observed.score)[order],
        cell_label=tuple(cells[i] for i in order),
        cell_system=tile(observed.cell_system, systems)[order],
        cell_benchmark=tile(observed.cell_benchmark)[order],
        cell_items=tile(observed.cell_items)[order],
        cell_flag=tile(observed.cell_flag)[order],
    )


def by_hand(o: Observations, v: dict[str, np.ndarray]) -> float:
    """Log density of runs, shortfalls, densities, cells and scores, in numpy."""
    law = [
        v[name]
        for name in (
            "irreducible_loss",
            "params_loss",
            "params_exponent",
            "tokens_loss",
            "tokens_exponent",
        )
    ]
    split = len(o.loss_benchmarks)

    def scores(
        i: np.ndarray, loss: np.ndarray, j: np.ndarray, ability: np.ndarray, shift: np.ndarray
    ) -> np.ndarray:
        z = np.concatenate(
            [
                v["steepness"][i] * (v["midpoint"][i] - loss),
                v["discrimination"][j] * (ability - v["difficulty"][j]),
            ]
        )
        k = np.concatenate([i, j + split])
        return laws.sigmoid_score(z + shift, v["floor"][k], v["ceiling"][k])

    def normal(x: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> float:
        return float(np.sum(-0.5 * ((x - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)))

    k = o.loss_benchmark
    expected = laws.scaling_loss(o.loss_log_params, o.loss_log_tokens, *(p[k] for p in law))
    total = normal(np.log(o.loss), np.log(expected), v["loss_noise"][k]) - np.sum(np.log(o.loss))

    k, s = o.reference_benchmark, o.loss_references
    j = k[s:] - split
    ability = laws.ability(o.reference_log_params, o.reference_log_tokens, v["token_elasticity"][j])
    run = o.reference_checkpointed
    mean = scores(k[:s], o.reference_loss, j, ability, (run >= 0) * v["run_effect"][run])
    sd = np.sqrt(laws.score_variance(mean, o.reference_items, v["reference_noise"][k]))
    total += normal(o.reference_score, mean, sd)

    u = v["shortfall"]
    total += normal(u, 0.0, v["shortfall_spread"] * np.ones_like(u)) + np.sum(np.log(2.0 * u))
    mean = (
        v["level"]
        + v["growth_before"] * o.time
        + v["growth_change"][0] * np.maximum(o.time, 0.0)
        + v["organisation_effect"][o.system_organisation]
        + v["size_slope"] * (o.log_params - o.mean_log_params)
        - u[o.system_release]
    )
    total += normal(v["log_density"], mean, v["system_spread"] * np.ones_like(mean))

    k, m, s = o.cell_benchmark, o.cell_system, o.loss_cells
    x, after = v["log_effective_params"], np.maximum(o.time[m], 0.0)
    drift = v["drift_before"][k] * o.time[m] + v["drift_change"][k] * after
    mean = o.log_params[m] + v["log_density"][m] + v["format_offset"][k] + drift
    total += normal(x, mean, v["benchmark_spread"][k])
    n, d = x - np.log(o.centre_params), o.log_reference_tokens
    i, j = k[:s], k[s:] - split
    loss = laws.scaling_loss(n[:s], d, *(p[i] for p in law))
    mean = scores(i, loss, j, laws.ability(n[s:], d, v["token_elasticity"][j]), np.zeros(k.size))
    sd = np.sqrt(laws.score_variance(mean, o.cell_items, v["protocol_noise"][k]))
    return float(total + normal(o.score, mean, sd))


def values_at_origin(compiled: Compiled) -> dict[str, np.ndarray]:
    """Plain variables at the origin of our coordinates."""
    engine = compiled.engine
    return engine.expanded(np.zeros(engine.size))


def check_equal(compiled: Compiled, observed: Observations) -> None:
    """Stop unless numpy and PyMC give the same log density at the origin."""
    plain, conditioned = compiled.parts.model, compiled.conditioned.model
    wanted = [rv.name for rv in plain.basic_RVs if rv.name in FACTORS]
    factors = [conditioned[f"factor_{name}"].sum() for name in wanted]
    inputs = [conditioned.rvs_to_values[rv] for rv in conditioned.free_RVs]
    graphs = conditioned.replace_rvs_by_values(factors)
    origin = [np.zeros(np.shape(x)) for x in conditioned.initial_point().values()]
    mode = pytensor.compile.Mode(linker="py", optimizer=None)
    theirs = sum(pytensor.function(inputs, graphs, mode=mode, on_unused_input="ignore")(*origin))
    ours = by_hand(observed, values_at_origin(compiled))
    if not np.isclose(theirs, ours, rtol=1e-9):
        raise SystemExit(f"the densities differ: PyMC {theirs}, numpy {ours}")


def microseconds(function: Callable[[], object], rounds: int) -> float:
    """Median time of a call."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1e6 * float(np.median(times))


def measure(times: int) -> dict[str, float]:
    """Times of both for ``times`` the systems."""
    spec, panel = load_spec("joint"), load_panel("open")
    line = spec.replace(**LINE)
    observed, whole = (repeat(observe(panel, each), times) for each in (line, spec))
    compiled = compile_fit(line, observed)
    check_equal(compiled, observed)
    values = values_at_origin(compiled)
    rounds = 2000 // times + 20
    hand = microseconds(lambda: by_hand(observed, values), rounds)
    start = time.perf_counter()
    shipped = compile_fit(spec, whole)
    seconds = time.perf_counter() - start
    gradient, of_line = (gradient_of(each, rounds) for each in (shipped, compiled))
    return {
        "systems": len(observed.systems),
        "free_values": shipped.engine.size,
        "compile_seconds": round(seconds, 2),
        "gradient_us": round(gradient, 1),
        "gradient_of_a_line_us": round(of_line, 1),
        "numpy_value_us": round(hand, 1),
        "ratio": round(of_line / hand, 2),
    }


def gradient_of(compiled: Compiled, rounds: int) -> float:
    """Median time of a value and gradient, in microseconds."""
    log_density, origin = compiled.engine.log_density(), np.zeros(compiled.engine.size)
    log_density(origin)
    return microseconds(lambda: log_density(origin), rounds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rows = []
    compile_fit(load_spec("joint"), observe(load_panel("open"), load_spec("joint")))  # imports
    for times in (1, 10, 80):
        rows.append(measure(times))
        print(rows[-1], flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
