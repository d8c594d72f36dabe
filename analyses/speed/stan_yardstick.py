"""Sample joint.stan and write what it cost. Run by an environment that has pystan.

    python analyses/speed/stan_yardstick.py DATA.json RESULTS.json

DATA.json comes from export_data.py. The log density is compared with PyMC's at the exported
points first; nothing is sampled unless they agree. Stan's settings are its defaults.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpstan
import numpy as np
import stan
from httpstan import cache, services_stub
from quantities import VARIABLES, listed, summarise, write_json

TOLERANCE = 1e-6  # relative, of differences of the log density between points
RENAMED = {"floor": "floor_score"}  # floor is a function in Stan


def main() -> None:
    """Check, sample and write results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("results", type=Path, nargs="?")
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--warmup", type=int, default=600)
    parser.add_argument("--draws", type=int, default=600)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--save-draws", type=Path, help="also keep the listed draws (npz)")
    parser.add_argument("--check-only", action="store_true")
    arguments = parser.parse_args()
    services_stub.executor = ProcessPoolExecutor(
        arguments.cores, mp_context=get_context("fork"), initializer=services_stub.init_worker
    )
    content = json.loads(arguments.data.read_text(encoding="utf-8"))
    program = Path(__file__).with_name("joint.stan").read_text(encoding="utf-8")
    model = stan.build(program, data=content["data"], random_seed=arguments.seed)
    mismatch = log_density_mismatch(model, content["checks"])
    print(f"log density: differences agree with PyMC's to {mismatch:.1e}")
    if mismatch > TOLERANCE:
        raise SystemExit("joint.stan and the PyMC model are not the same posterior")
    if arguments.check_only:
        return
    if arguments.results is None:
        parser.error("say where the results go")

    # httpstan answers a repeated call from its cache, which would time nothing.
    shutil.rmtree(cache.model_directory(model.model_name) / "fits", ignore_errors=True)
    load_before = os.getloadavg()[0]
    driver, workers, start = cpu(resource.RUSAGE_SELF), cpu(resource.RUSAGE_CHILDREN), time.time()
    fit = model.sample(
        num_chains=arguments.chains,
        num_warmup=arguments.warmup,
        num_samples=arguments.draws,
        init=content["starts"][: arguments.chains],
        refresh=0,  # httpstan 4.17 can break on a progress message that arrives in two parts
    )
    wall = time.time() - start
    services_stub.executor.shutdown(wait=True)  # so that the workers' CPU time is counted

    quantities = listed(listed_draws(fit), content["labels"])
    if arguments.save_draws:
        np.savez_compressed(arguments.save_draws, **quantities)
    summary = summarise(quantities)
    worker_cpu = cpu(resource.RUSAGE_CHILDREN) - workers
    results = {
        "sampler": f"pystan {stan.__version__}, httpstan {httpstan.__version__}",
        "spec_hash": content["spec_hash"],
        "observations_hash": content["observations_hash"],
        "chains": arguments.chains,
        "warmup": arguments.warmup,
        "draws": arguments.draws,
        "cores": arguments.cores,
        "seed": arguments.seed,
        "log_density_mismatch": mismatch,
        "wall_seconds": wall,
        "user_cpu_seconds": worker_cpu,
        "driver_cpu_seconds": cpu(resource.RUSAGE_SELF) - driver,
        "chain_seconds": chain_seconds(fit),
        "load_average": [load_before, os.getloadavg()[0]],
        "leapfrog_per_draw": float(np.mean(fit["n_leapfrog__"])),
        "divergences": int(np.sum(fit["divergent__"])),
        "max_treedepth_hits": int(np.sum(fit["treedepth__"] >= 10)),
        "step_size": sorted(set(np.ravel(fit["stepsize__"]).tolist())),
        "ess_per_wall_second": summary["min_ess_bulk"] / wall,
        "ess_per_cpu_second": summary["min_ess_bulk"] / worker_cpu,
        **summary,
    }
    write_json(arguments.results, results)
    print(f"{wall:.0f} s, least bulk ESS {summary['min_ess_bulk']:.0f}")


def cpu(who: int) -> float:
    """User CPU seconds so far of this process or of its ended children."""
    return resource.getrusage(who).ru_utime


def log_density_mismatch(model: Any, checks: list[dict[str, Any]]) -> float:
    """Largest relative disagreement of log density differences over pairs of points."""
    ours = np.array([check["log_density"] for check in checks])
    stans = np.array([model.log_prob(model.unconstrain_pars(check["values"])) for check in checks])
    if not np.all(np.isfinite(ours) & np.isfinite(stans)):
        raise SystemExit(f"log density is not finite at a point: PyMC {ours}, Stan {stans}")
    i, j = np.triu_indices(len(ours), k=1)
    difference = ours[i] - ours[j]
    return float(np.max(np.abs(stans[i] - stans[j] - difference) / np.abs(difference)))


def listed_draws(fit: Any) -> dict[str, np.ndarray]:
    """Arrays (chain, draw, ...) of the variables that the fixed list draws on."""
    draws = {}
    for name in {*VARIABLES, "log_density"} - {"growth_after"}:
        stan_name = RENAMED.get(name, name)
        values = fit[stan_name]
        # pystan has the chains innermost: (element, draw x chain).
        values = values.reshape(*values.shape[:-1], -1, fit.num_chains)
        values = np.moveaxis(values, (-1, -2), (0, 1))
        scalar = not fit.dims[fit.param_names.index(stan_name)]
        draws[name] = values[..., 0] if scalar else values
    return draws


def chain_seconds(fit: Any) -> list[list[float]]:
    """Warm-up and sampling seconds of each chain, as Stan reports them (to several writers)."""
    pattern = re.compile(r"([\d.]+) seconds \((Warm-up|Sampling)\)")
    return [
        [float(seconds) for seconds, _ in pattern.findall(output.decode())][:2]
        for output in fit.stan_outputs
    ]


if __name__ == "__main__":
    main()
