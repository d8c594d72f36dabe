"""Panels simulated from the model, for recovery and calibration studies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint import laws
from densing_bayes.joint.line import drawn_line, line_value, wandering
from densing_bayes.joint.scaling import Shape, family_loss, offsets
from densing_bayes.joint.tails import standard
from densing_bayes.joint.trend import periods
from densing_bayes.observed.arrays import Floats, Ints
from densing_bayes.observed.families import FamilyLosses
from densing_bayes.observed.observations import Observations


def simulate(
    spec: ModelSpec,
    observed: Observations,
    truth: xr.Dataset,
    seed: int,
    *,
    clip: bool = True,
) -> tuple[Observations, Floats]:
    """Simulate losses and scores for the runs, systems and cells of a panel.

    Parameters
    ----------
    spec
        The specification that ``truth`` belongs to, with the normal likelihood.
    observed
        The panel whose shape, dates and sizes are kept.
    truth
        Values of the global variables, without sample dims (one draw of a fit, perhaps edited).
        Shortfalls, effects and everything below them are drawn anew.
    seed
        Seed of the simulation.
    clip
        Move scores below 0 to 0 and above 1 to 1, as no test gives them. The normal likelihood
        has no such limits: leave this off where simulation and likelihood must be one.

    Returns
    -------
    Observations
        The same with simulated ``loss``, ``reference_loss``, ``reference_score`` and ``score``.
        Checkpoints of a run keep their losses: the model takes these as given and has no law for
        them.
    numpy.ndarray
        True log density of each system.
    """
    random = np.random.default_rng(seed)
    value = {str(name): truth[name].to_numpy() for name in truth.data_vars}

    k = observed.loss_benchmark
    noise = value["loss_noise"][k]
    loss = run_losses(observed, value) * np.exp(noise * random.standard_normal(k.size))

    reference_loss = _reference_losses(observed, loss)
    others = _of_families(observed.others, value, random) if observed.others else ()
    measured = replace(observed, loss=loss, reference_loss=reference_loss, others=others)
    if "run_spread" in value:
        effects = random.standard_normal(len(observed.checkpointed))
        value["run_effect"] = value["run_spread"] * effects
    reference_score = _measure(
        random,
        run_scores(measured, value),
        observed.reference_items,
        value["reference_noise"][observed.reference_benchmark],
        clip,
    )

    log_density = _log_densities(spec, observed, value, random)
    m, k = observed.cell_system, observed.cell_benchmark
    delta = _shifts(observed, value, random)
    delta = delta + value["benchmark_spread"][k] * random.standard_normal(m.size)
    z = _logits(observed, value, observed.log_params[m] + log_density[m] + delta)
    tails = spec.performance.score_tails

    def read(cells: Ints, measure: Ints, items: Floats) -> Floats:
        """Scores of cells under protocols."""
        at, noise, own = z[cells], value["protocol_noise"][k[cells]], k[cells]
        if measure.size:
            at = at + (measure >= 0) * value["protocol_offset"][measure]
            noise = np.where(measure >= 0, value["measure_noise"][measure], noise)
        expected = laws.sigmoid_score(at, value["floor"][own], value["ceiling"][own])
        return _measure(random, expected, items, noise, clip, tails)

    score = read(np.arange(k.size), observed.cell_measure, observed.cell_items)
    repeats = read(observed.repeat_cell, observed.repeat_measure, observed.repeat_items)
    simulated = replace(
        measured, reference_score=reference_score, score=score, repeat_score=repeats
    )
    return simulated, log_density


def _shifts(observed: Observations, value: dict[str, Any], random: np.random.Generator) -> Floats:
    """Mean of log Neff - log N - log density of each cell, with leans drawn anew."""
    m, k = observed.cell_system, observed.cell_benchmark
    time = observed.time[m]
    shift: Floats = value["format_offset"][k]
    if "drift_before" in value:
        shift = shift + value["drift_before"][k] * time
    if "drift_change" in value:
        shift = shift + value["drift_change"][k] * np.maximum(time - observed.bend_time, 0.0)
    for name, unit in (
        ("lean_spread", observed.system_organisation),
        ("release_lean_spread", observed.system_release),
    ):
        if name in value:
            effect = random.standard_normal((int(unit.max()) + 1, len(observed.benchmarks)))
            shift = shift + value[name] * effect[unit[m], k]
    return shift


def _logits(observed: Observations, value: dict[str, Any], log_effective_params: Floats) -> Floats:
    """Logit of every cell under the anchor of its benchmark."""
    n = log_effective_params - np.log(observed.centre_params)
    d = observed.log_reference_tokens
    k, cells = observed.cell_benchmark, observed.loss_cells
    i, j = k[:cells], k[cells:] - len(observed.loss_benchmarks)
    z = np.empty(k.size)
    loss = laws.scaling_loss(n[:cells], d, *(value[name][i] for name in laws.PARAMETERS))
    z[:cells] = value["steepness"][i] * (value["midpoint"][i] - loss)
    ability = laws.ability(n[cells:], d, value["token_elasticity"][j])
    z[cells:] = value["discrimination"][j] * (ability - value["difficulty"][j])
    return z


def _of_families(
    others: FamilyLosses, value: dict[str, Any], random: np.random.Generator
) -> FamilyLosses:
    """Simulated losses of further families of reference runs."""
    exponents = (
        np.exp(value[f"log_{of}_mean"] + value[f"{of}_spread"] * value[f"{of}_offset"])
        for of in ("params_exponent", "tokens_exponent")
    )
    population = Shape(value["irreducible_share"], value["params_share"], *exponents)
    names = ("family_share_spread", "family_exponent_spread", "family_offset")
    apart = offsets(*(value[name] for name in names))
    at = np.array(others.level)
    expected = family_loss(
        others, value["loss_at_centre"], population, apart, value["family_level"]
    )
    noise = value["family_noise"][at] * random.standard_normal(at.size)
    return others._replace(loss=tuple(map(float, expected * np.exp(noise))))


def _reference_losses(observed: Observations, loss: Floats) -> Floats:
    """Loss beside each reference score: the one that was simulated for that run, if any."""
    simulated = dict(zip(observed.loss_label, loss, strict=True))
    labels = observed.reference_label[: observed.loss_references]
    pairs = zip(labels, observed.reference_loss, strict=True)
    return np.array([simulated.get(label, own) for label, own in pairs], dtype=float)


def law_of_runs(value: Mapping[str, Any]) -> list[Any]:
    """Parameters of the law of the reference runs, which density may not be measured against."""
    own = laws.OF_RUNS if laws.OF_RUNS + laws.PARAMETERS[0] in value else ""
    return [value[own + name] for name in laws.PARAMETERS]


def run_losses(observed: Observations, value: dict[str, Any]) -> Floats:
    """Loss that the scaling law expects of each finished reference run, (..., loss_run).

    ``value`` has arrays of the variables by name, the dim of benchmarks last.
    """
    k = observed.loss_benchmark
    law = (each[..., k] for each in law_of_runs(value))
    return laws.scaling_loss(observed.loss_log_params, observed.loss_log_tokens, *law)


def reference_losses(observed: Observations, value: dict[str, Any]) -> Floats:
    """Loss beside each reference score, measured or as the law expects it, (..., reference_run)."""
    rows = observed.expected
    if not rows.size:
        return observed.reference_loss
    law = [each[..., observed.reference_benchmark[rows]] for each in law_of_runs(value)]
    expected = laws.scaling_loss(observed.expected_log_params, observed.expected_log_tokens, *law)
    loss = np.array(
        np.broadcast_to(
            observed.reference_loss, (*expected.shape[:-1], len(observed.reference_loss))
        )
    )
    loss[..., rows] = expected
    return loss


def run_scores(observed: Observations, value: dict[str, Any]) -> Floats:
    """Score that the link expects of each reference run, (..., reference_run).

    From the loss that was measured, or from params and tokens; ``value`` as of :func:`run_losses`.
    """
    k = observed.reference_benchmark
    by_loss = observed.loss_references
    i, j = k[:by_loss], k[by_loss:] - len(observed.loss_benchmarks)
    loss = reference_losses(observed, value)
    from_loss = value["steepness"][..., i] * (value["midpoint"][..., i] - loss)
    ability = laws.ability(
        observed.reference_log_params,
        observed.reference_log_tokens,
        value["token_elasticity"][..., j],
    )
    direct = value["discrimination"][..., j] * (ability - value["difficulty"][..., j])
    z = np.concatenate([from_loss, direct], axis=-1)
    if "run_effect" in value:
        run = observed.reference_checkpointed
        z = z + (run >= 0) * value["run_effect"][..., run]
    return laws.sigmoid_score(z, value["floor"][..., k], value["ceiling"][..., k])


def _log_densities(
    spec: ModelSpec, observed: Observations, value: dict[str, Any], random: np.random.Generator
) -> Floats:
    time = observed.time
    line = wandering(drawn_line(spec.trend, observed, value), observed.walk_edges, value)
    mean = line_value(line, time)
    if "organisation_spread" in value:
        effect = value["organisation_spread"] * random.standard_normal(len(observed.organisations))
        mean = mean + effect[observed.system_organisation]
    if spec.trend.periods is not None:
        found = periods(spec.trend.periods, time)
        effect = value["period_spread"] * random.standard_normal(len(found.label))
        mean = mean + effect[found.of]
    if "size_slope" in value:
        mean = mean + value["size_slope"] * (observed.log_params - observed.mean_log_params)
    if "shortfall_spread" in value:
        own = spec.trend.release_effects
        unit = observed.system_release if own else np.arange(len(time))
        unit_time = observed.release_time if own else time
        scale = value["shortfall_spread"] * np.exp(value.get("shortfall_growth", 0.0) * unit_time)
        shortfall = scale * np.abs(random.standard_normal(len(unit_time)))
        mean = mean - shortfall[unit]
    if "release_spread" in value:
        effect = value["release_spread"] * random.standard_normal(len(observed.releases))
        mean = mean + effect[observed.system_release]
    return mean + value["system_spread"] * random.standard_normal(len(time))


def _measure(
    random: np.random.Generator,
    expected: Floats,
    items: Floats,
    noise: Floats,
    clip: bool,
    tails: float | None = None,
) -> Floats:
    sd = np.sqrt(laws.score_variance(expected, items, noise))
    score = expected + sd * standard(random, tails, expected.shape)
    return np.clip(score, 0.0, 1.0) if clip else score
