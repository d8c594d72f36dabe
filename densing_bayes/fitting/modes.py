"""Chains in different modes of a posterior: separation, weights, and the answer of each mode.

R-hat says that chains disagree, not why. Where they fall into groups that agree within and differ
between, the posterior has several modes and a pooled figure has no meaning: the number of chains
in a mode is not its weight.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import xarray as xr
from scipy.special import softmax

from densing_bayes.posterior.diagnostics import diagnose, largest_rhat
from densing_bayes.posterior.result import Fit

APART = 1.5  # R-hat of two chains above which they are in different modes; slow mixing stays below
TOGETHER = 1.1  # R-hat within a mode above which its chains have not explored it
LOCAL_DIMS = {"system", "release", "organisation", "cell", "knot"}


def chain_groups(posterior: xr.Dataset) -> list[list[int]]:
    """Positions of chains that share a mode, judged by the parameters that all systems share.

    Returns
    -------
    list of list of int
        One list per mode, by first chain. Chains are joined through others: two that differ are
        together if a third agrees with both.
    """
    shared = [
        name
        for name, values in posterior.data_vars.items()
        if values.size and not LOCAL_DIMS & set(values.dims)
    ]
    count = posterior.sizes["chain"]
    draws = posterior[shared]
    group = list(range(count))
    for i in range(count):
        for j in range(i + 1, count):
            if largest_rhat(draws.isel(chain=[i, j])) <= APART:
                group = [group[i] if g == group[j] else g for g in group]
    return [[i for i in range(count) if group[i] == g] for g in dict.fromkeys(group)]


def mode_fits(fit: Fit) -> list[Fit]:
    """The fit split by mode: one fit for the chains of each, with its own diagnostics.

    A fit whose chains agree comes back alone.
    """
    return [_of_chains(fit, chains) for chains in chain_groups(fit.posterior)]


def _of_chains(fit: Fit, chains: list[int]) -> Fit:
    groups = {name: node.to_dataset() for name, node in fit.data.children.items()}
    for name in ("posterior", "sample_stats"):
        groups[name] = groups[name].isel(chain=chains)
    diagnostics, groups["diagnostics"] = diagnose(groups["posterior"], groups["sample_stats"])
    return replace(fit, data=xr.DataTree.from_dict(groups), diagnostics=diagnostics)


def multimodality(fit: Fit) -> dict[str, Any]:
    """What the diagnostics of a fit need said of its modes; nothing if its chains share one.

    Modes are weighed by their evidence (bridge sampling with the draws of each), the prior and
    the data both taken into account.

    Returns
    -------
    dict
        ``verdict`` "MULTIMODAL", ``reasons``, and ``modes``: per mode its chains, weight,
        log_evidence with error, and the estimates growth_before, growth_after, growth_change
        (1/day) and doubling_time_after (days). Empty if there is one mode only, or if the chains
        within a mode disagree too.
    """
    from densing_bayes.fitting.evidence import log_evidence, target
    from densing_bayes.posterior.estimates import estimate
    from densing_bayes.quantities.growth import doubling_time, growth

    groups = chain_groups(fit.posterior)
    parts = [_of_chains(fit, chains) for chains in groups]
    if len(groups) < 2 or any(part.diagnostics["rhat_max"] > TOGETHER for part in parts):
        return {}
    modes = []
    for chains, part in zip(groups, parts, strict=True):
        shared = target(part)
        evidence = log_evidence(shared.log_density, shared.draws)
        rates = growth(part)
        mode: dict[str, Any] = {"chains": chains, "log_evidence": evidence.value}
        mode["log_evidence_error"] = evidence.error
        for name in ("before", "after", "change"):
            mode[f"growth_{name}"] = estimate(rates[name], "1/day")
        after = doubling_time(rates["after"])
        mode["doubling_time_after"] = estimate(after, "days", mean=False)
        modes.append(mode)
    weights = softmax([mode["log_evidence"] for mode in modes])
    for mode, weight in zip(modes, weights, strict=True):
        mode["weight"] = float(weight)
    reason = f"chains sit in {len(modes)} modes, so that pooled figures have no meaning"
    return {
        "verdict": "MULTIMODAL",
        "reasons": [reason, *fit.diagnostics["reasons"]],
        "modes": modes,
    }
