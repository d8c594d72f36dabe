"""Write what the Stan yardstick needs: data, start values near the pilot, and points to check.

    python analyses/speed/export_data.py DATA.json

Stan's environment does not have densing_bayes, so everything passes through one JSON file:

- ``data``: the data block of joint.stan, priors of models/joint.toml included;
- ``starts``: initial values, one for each chain, near the least-squares pilot;
- ``checks``: random points with the log density that Stan must give there, to a constant;
- ``labels``: names of the elements of the listed quantities.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
from scipy.special import logit

from densing_bayes.fitting.start import pilot
from densing_bayes.inputs.families import Beta, LogitNormal, LogNormal, Normal, Prior
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import ModelSpec, load_spec
from densing_bayes.joint.model import Parts, assemble
from densing_bayes.observed.observations import Observations, observe

CHAINS = 4
START_JITTER = 0.02  # sd on the unconstrained scale of the PyMC model
CHECK_JITTERS = (0.02, 0.02, 0.1, 0.1, 0.4, 0.4)
NARROW = {"floor_shift": 0.02}  # variables whose natural scale is this times that of the others


def main() -> None:
    """Export the joint specification on the open panel."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--seed", type=int, default=20241)
    arguments = parser.parse_args()
    spec = yardstick()
    observed = observe(load_panel("open"), spec)
    check_covered(spec, observed)
    parts = assemble(spec, observed)
    point = pilot_point(spec, observed, parts.model)
    rng = np.random.default_rng(arguments.seed)
    to_constrained = constrained_function(parts.model)
    log_density = parts.model.compile_logp()

    checks = []
    for jitter in CHECK_JITTERS:
        at = jittered(point, jitter, rng)
        values, log_jacobian = stan_point(parts, observed, to_constrained(at))
        checks.append({"values": values, "log_density": float(log_density(at)) + log_jacobian})
    starts = [
        stan_point(parts, observed, to_constrained(jittered(point, START_JITTER, rng)))[0]
        for _ in range(CHAINS)
    ]
    content = {
        "spec_hash": spec.hash,
        "observations_hash": observed.hash(),
        "data": stan_data(spec, observed),
        "starts": starts,
        "checks": checks,
        "labels": labels(parts.model),
    }
    arguments.output.write_text(json.dumps(content), encoding="utf-8")
    print(f"{arguments.output}: {len(observed.score)} cells, {len(checks)} points to check")


def yardstick() -> ModelSpec:
    """The built-in specification without effects of runs, which joint.stan stated until it changed.

    Its trend wanders now and its curves are stated otherwise, so that it is refused.
    """
    return load_spec("joint").replace(performance__run_effects=False)


def check_covered(spec: ModelSpec, observed: Observations) -> None:
    """Refuse a specification with switches that joint.stan does not have."""
    trend = spec.trend
    covered = (
        len(spec.trend.changes) == 1
        and trend.changes[0].slope
        and not trend.changes[0].level
        and trend.frontier == "half-normal"
        and trend.release_effects
        and trend.organisation_effects
        and trend.size_slope
        and not trend.shortfall_drift
        and not trend.release_scatter
        and trend.walk is None
        and trend.periods is None
        and spec.density.lean is None
        and spec.performance.curve is None
        and spec.scaling.irreducible
        and spec.scaling.pooling
        and spec.performance.likelihood == "normal"
        and spec.density.drift
        and spec.density.drift_bend == trend.changes[0].date
        and not observed.flags
        and not observed.checkpointed
    )
    if not covered:
        raise SystemExit(
            "joint.stan states another model: a straight line below which releases fall, curves by "
            "steepness and midpoint; take the specification of the version that it is of"
        )


def pilot_point(spec: ModelSpec, observed: Observations, model: pm.Model) -> dict[str, np.ndarray]:
    """Value variables of the PyMC model at the least-squares pilot."""
    point = pilot(spec, observed).point(model.initial_point())
    return {name: np.asarray(value, dtype=float) for name, value in point.items()}


def jittered(
    point: dict[str, np.ndarray], sd: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Point with normal noise on every value variable."""
    return {
        name: value + sd * NARROW.get(name, 1.0) * rng.standard_normal(np.shape(value))
        for name, value in point.items()
    }


def constrained_function(
    model: pm.Model,
) -> Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]:
    """Function from value variables to free variables and deterministics, by name."""
    named = [*model.free_RVs, *model.deterministics]
    compiled = model.compile_fn(
        model.replace_rvs_by_values(named), inputs=model.value_vars, on_unused_input="ignore"
    )
    names = [variable.name for variable in named]
    return lambda point: dict(zip(names, compiled(point), strict=True))


def stan_point(
    parts: Parts, observed: Observations, values: dict[str, np.ndarray]
) -> tuple[dict[str, Any], float]:
    """Parameters of joint.stan at a point, and the log Jacobian that its density gains there.

    The latents are affine in Stan's standard normals, so their densities gain the logarithms of
    their spreads. All else has the same unconstrained coordinates (shortfalls up to a shift,
    drifts up to a rotation).
    """
    names = [rv.name for rv in parts.model.free_RVs]
    point = {name: np.asarray(values[name], dtype=float) for name in names}
    m, k = observed.cell_system, observed.cell_benchmark
    ramp = np.maximum(observed.time - observed.change_earliest[0], 0.0)
    shortfall = point.pop("shortfall")
    mean = (
        point["level"]
        + point["growth_before"] * observed.time
        + point["growth_change"] * ramp
        + values["organisation_effect"][observed.system_organisation]
        + point["size_slope"] * (observed.log_params - observed.mean_log_params)
        - shortfall[observed.system_release]
    )
    log_density = point.pop("log_density")
    cell_mean = (
        observed.log_params[m]
        + log_density[m]
        + point["format_offset"][k]
        + values["drift_before"][k] * observed.time[m]
        + values["drift_change"][k] * ramp[m]
    )
    spread, cell_spread = point["system_spread"], point["benchmark_spread"][k]
    point["shortfall_offset"] = shortfall / point["shortfall_spread"]
    point["log_density_offset"] = (log_density - mean) / spread
    point["log_effective_params_offset"] = (
        point.pop("log_effective_params") - cell_mean
    ) / cell_spread
    point["growth_change"] = point["growth_change"][0]
    log_jacobian = len(log_density) * np.log(spread) + np.sum(np.log(cell_spread))
    return {name: value.tolist() for name, value in point.items()}, float(log_jacobian)


def stan_data(spec: ModelSpec, observed: Observations) -> dict[str, Any]:
    """Data block of joint.stan, with indices from one."""
    data = {
        "K": len(observed.benchmarks),
        "L": len(observed.loss_benchmarks),
        "chance": observed.chance,
        "log_centre_params": np.log(observed.centre_params),
        "log_reference_tokens": observed.log_reference_tokens,
        "n_loss": len(observed.loss),
        "loss_benchmark": observed.loss_benchmark + 1,
        "loss_log_params": observed.loss_log_params,
        "loss_log_tokens": observed.loss_log_tokens,
        "loss": observed.loss,
        "n_reference": len(observed.reference_score),
        "n_reference_loss": observed.loss_references,
        "reference_benchmark": observed.reference_benchmark + 1,
        "reference_items": observed.reference_items,
        "reference_score": observed.reference_score,
        "reference_loss": observed.reference_loss,
        "reference_log_params": observed.reference_log_params,
        "reference_log_tokens": observed.reference_log_tokens,
        "M": len(observed.systems),
        "R": len(observed.releases),
        "O": len(observed.organisations),
        "log_params": observed.log_params,
        "time": observed.time,
        "system_release": observed.system_release + 1,
        "system_organisation": observed.system_organisation + 1,
        "change_time": observed.change_earliest[0],
        "C": len(observed.score),
        "C_loss": observed.loss_cells,
        "cell_system": observed.cell_system + 1,
        "cell_benchmark": observed.cell_benchmark + 1,
        "cell_items": observed.cell_items,
        "score": observed.score,
    }
    data |= {f"prior_{name}": value for name, value in stan_priors(spec, observed).items()}
    return {name: np.asarray(value).tolist() for name, value in data.items()}


def stan_priors(spec: ModelSpec, observed: Observations) -> dict[str, list[Any]]:
    """Priors as the pairs that joint.stan expects."""
    scaling, performance, density, trend = (
        spec.scaling,
        spec.performance,
        spec.density,
        spec.trend,
    )
    benchmarks = [spec.benchmarks[name] for name in observed.benchmarks]
    log_normal = {
        "loss_at_centre": scaling.loss_at_centre,
        "params_exponent": scaling.params_exponent,
        "tokens_exponent": scaling.tokens_exponent,
        "exponent_spread": scaling.exponent_spread,
        "loss_noise": scaling.loss_noise,
        "steepness": performance.steepness,
        "midpoint": performance.midpoint,
        "discrimination": performance.discrimination,
        "token_elasticity": performance.token_elasticity,
        "reference_noise": performance.reference_noise,
        "protocol_noise": performance.protocol_noise,
        "benchmark_spread": density.benchmark_spread,
        "drift_spread": density.drift_spread,
        "drift_change_spread": density.drift_change_spread,
        "organisation_spread": trend.organisation_spread,
        "shortfall_spread": trend.shortfall_spread,
        "system_spread": trend.system_spread,
    }
    normal = {
        "floor_shift": performance.floor_spread,
        "difficulty": performance.difficulty,
        "level": trend.level,
        "growth_before": trend.growth_before,
        "growth_change": trend.growth_change,
        "size_slope": trend.size,
    }
    beta = {
        "params_share": scaling.params_share,
        "irreducible_share": scaling.irreducible_share,
    }
    pairs: dict[str, list[Any]] = {}
    for kind, priors in ((LogNormal, log_normal), (Normal, normal), (Beta, beta)):
        pairs |= {name: pair(prior, kind) for name, prior in priors.items()}
    pairs["ceiling_logit"] = [
        pair(b.ceiling or performance.ceiling, LogitNormal) for b in benchmarks
    ]
    pairs["format_offset"] = [
        pair(b.format_offset or density.format_offset, Normal) for b in benchmarks
    ]
    return pairs


def pair(prior: Prior, kind: type) -> list[float]:
    """Two numbers of a prior: location and scale, or the shapes of a beta."""
    if not isinstance(prior, kind):
        raise SystemExit(f"joint.stan states {kind.__name__} here, not {prior.distribution}")
    match prior:
        case Normal():
            return [prior.mu, prior.sigma]
        case LogNormal():
            return [float(np.log(prior.median)), prior.sigma]
        case LogitNormal():
            return [float(logit(prior.median)), prior.sigma]
        case Beta():
            return [prior.alpha, prior.beta]
    raise AssertionError(prior)


def labels(model: pm.Model) -> dict[str, list[str]]:
    """Labels of the elements of every variable with one dim."""
    return {
        name: [str(label) for label in model.coords[dims[0]]]
        for name, dims in model.named_vars_to_dims.items()
        if len(dims) == 1
    }


if __name__ == "__main__":
    main()
