"""Sample the plain PyMC model, as densing_bayes.build_model states it, with nutpie.

    python analyses/speed/plain_pymc.py RESULTS.json

Same specification, panel and start as the Stan yardstick; none of our changes of coordinates.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from pathlib import Path

import numpy as np
import nutpie
import pytensor.tensor as pt
from export_data import NARROW, START_JITTER, check_covered, labels, pilot_point, yardstick
from quantities import VARIABLES, listed, summarise, write_json

from densing_bayes.inputs.panel import load_panel
from densing_bayes.joint.model import assemble
from densing_bayes.observed.observations import observe


def main() -> None:
    """Sample and write results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--chains", type=int, default=2)
    parser.add_argument("--warmup", type=int, default=600)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--save-draws", type=Path, help="also keep the listed draws (npz)")
    arguments = parser.parse_args()

    spec = yardstick()
    observed = observe(load_panel("open"), spec)
    check_covered(spec, observed)
    model = assemble(spec, observed).model
    jittered = {
        name: pt.as_tensor(value)
        + START_JITTER * NARROW.get(name, 1.0) * pt.random.normal(size=np.shape(value))
        for name, value in pilot_point(spec, observed, model).items()
    }
    start = time.time()
    compiled = nutpie.compile_pymc_model(model, initial_points=jittered, jitter_rvs=set())
    compile_seconds = time.time() - start

    load_before = os.getloadavg()[0]
    cpu, start = resource.getrusage(resource.RUSAGE_SELF).ru_utime, time.time()
    trace = nutpie.sample(
        compiled,
        chains=arguments.chains,
        tune=arguments.warmup,
        draws=arguments.draws,
        cores=arguments.cores,
        seed=arguments.seed,
        progress_bar=False,
    )
    wall = time.time() - start
    user = resource.getrusage(resource.RUSAGE_SELF).ru_utime - cpu

    names = {*VARIABLES, "log_density"} - {"growth_after"}
    quantities = listed({n: trace.posterior[n].to_numpy() for n in names}, labels(model))
    if arguments.save_draws:
        np.savez_compressed(arguments.save_draws, **quantities)
    summary = summarise(quantities)
    steps = trace.sample_stats["n_steps"].to_numpy()
    tuning = trace.warmup_sample_stats["n_steps"].to_numpy()
    results = {
        "sampler": f"nutpie {nutpie.__version__}, plain PyMC model",
        "spec_hash": spec.hash,
        "observations_hash": observed.hash(),
        "chains": arguments.chains,
        "warmup": arguments.warmup,
        "draws": arguments.draws,
        "cores": arguments.cores,
        "seed": arguments.seed,
        "compile_seconds": compile_seconds,
        "wall_seconds": wall,
        "user_cpu_seconds": user,
        "load_average": [load_before, os.getloadavg()[0]],
        "leapfrog_per_draw": float(steps.mean()),
        "leapfrog_per_warmup_draw": float(tuning.mean()),
        "divergences": int(trace.sample_stats["diverging"].sum()),
        "max_treedepth_hits": int((trace.sample_stats["depth"] >= 10).sum()),
        "step_size": trace.sample_stats["step_size"].to_numpy()[:, -1].tolist(),
        "ess_per_wall_second": summary["min_ess_bulk"] / wall,
        "ess_per_cpu_second": summary["min_ess_bulk"] / user,
        **summary,
    }
    write_json(arguments.results, results)
    print(f"{wall:.0f} s, least bulk ESS {summary['min_ess_bulk']:.0f}")


if __name__ == "__main__":
    main()
