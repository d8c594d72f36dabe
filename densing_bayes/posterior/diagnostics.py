"""The gate that every fit passes: convergence figures and one verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

RHAT_MAX = 1.01
ESS_MIN = 400
BFMI_MIN = 0.3
# Chains that miss the limits of R-hat or effective size by no more than this are as good as any
# and too short: they go on.
RHAT_NEAR = 1.03
ESS_NEAR = 200
# The models here need depth 5 to 7. A chain that sits in another mode than the one it was whitened
# for would go as deep as it may: to 10, and so cost as much as thirty good ones.
TREE_DEPTH_LIMIT = 8


def diagnose(
    posterior: xr.Dataset, sample_stats: xr.Dataset, depth_limit: int = TREE_DEPTH_LIMIT
) -> tuple[dict[str, Any], xr.Dataset]:
    """Convergence figures of a fit, and R-hat and effective sample sizes per variable.

    Parameters
    ----------
    posterior
        Draws of every reported variable, dims (chain, draw, ...).
    sample_stats
        Sampler statistics with ``diverging``, ``energy``, ``depth`` and ``n_steps``.
    depth_limit
        Depth of trees at which the sampler was told to stop.

    Returns
    -------
    dict
        ``rhat_max``, ``ess_bulk_min``, ``ess_tail_min``, ``divergences``, ``bfmi_min``,
        ``tree_depth_max``, ``leapfrog_mean``, ``worst``, ``verdict`` (PASS or FAIL), ``reasons``.
    xarray.Dataset
        ``<variable>`` over the extra dim ``statistic`` (rhat, ess_bulk, ess_tail).
    """
    import arviz_stats as azs

    posterior = posterior.drop_vars([name for name in posterior if posterior[name].size == 0])
    with np.errstate(invalid="ignore"):  # of constants, such as an irreducible loss of zero
        tables = {
            "rhat": azs.rhat(posterior),
            "ess_bulk": azs.ess(posterior, method="bulk"),
            "ess_tail": azs.ess(posterior, method="tail"),
        }
    table = xr.concat([tables[name] for name in tables], dim=xr.Variable("statistic", list(tables)))
    rhat, worst_rhat = _extreme(tables["rhat"], np.nanmax, -np.inf)
    bulk, worst_bulk = _extreme(tables["ess_bulk"], np.nanmin, np.inf)
    tail, worst_tail = _extreme(tables["ess_tail"], np.nanmin, np.inf)
    figures: dict[str, Any] = {
        "rhat_max": rhat,
        "ess_bulk_min": bulk,
        "ess_tail_min": tail,
        "divergences": int(sample_stats["diverging"].sum()),
        "bfmi_min": float(np.min(_bfmi(sample_stats["energy"].to_numpy()))),
        "tree_depth_max": int(sample_stats["depth"].max()),
        "leapfrog_mean": float(sample_stats["n_steps"].mean()),
        "worst": {"rhat": worst_rhat, "ess_bulk": worst_bulk, "ess_tail": worst_tail},
    }
    figures["reasons"] = _reasons(figures, depth_limit)
    figures["verdict"] = "FAIL" if figures["reasons"] else "PASS"
    return figures, table


def too_short(figures: dict[str, Any]) -> bool:
    """Whether more draws of the same chains can be expected to make a fit pass."""
    slow = (
        figures["rhat_max"] > RHAT_MAX,
        figures["ess_bulk_min"] < ESS_MIN,
        figures["ess_tail_min"] < ESS_MIN,
    )
    near = (
        figures["rhat_max"] <= RHAT_NEAR
        and min(figures["ess_bulk_min"], figures["ess_tail_min"]) >= ESS_NEAR
    )
    return near and 0 < sum(slow) == len(figures["reasons"])


def effective_size(values: np.ndarray) -> float:
    """Effective sample size of the mean of draws, (chain, draw)."""
    import arviz_stats as azs

    return float(azs.ess(values, chain_axis=0, draw_axis=1, method="mean"))


def largest_rhat(draws: xr.Dataset) -> float:
    """Largest R-hat of some variables, dims (chain, draw, ...)."""
    import arviz_stats as azs

    with np.errstate(invalid="ignore"):
        return _extreme(azs.rhat(draws), np.nanmax, -np.inf)[0]


def _extreme(table: xr.Dataset, of: Any, start: float) -> tuple[float, str]:
    best, name = start, ""
    for variable in table.data_vars:
        values = table[variable].to_numpy()
        if np.isnan(values).all():  # a constant, such as a zero-sum effect of one element
            continue
        value = float(of(values))
        if of([value, best]) == value:
            best, name = value, str(variable)
    return best, name


def _bfmi(energy: np.ndarray) -> np.ndarray:
    """Energy Bayesian fraction of missing information of each chain (Betancourt 2016)."""
    return np.mean(np.diff(energy, axis=1) ** 2, axis=1) / np.var(energy, axis=1)


def _reasons(figures: dict[str, Any], depth_limit: int) -> list[str]:
    worst = figures["worst"]
    checks = [
        (
            figures["rhat_max"] <= RHAT_MAX,
            f"R-hat {figures['rhat_max']:.3f} of {worst['rhat']} is above {RHAT_MAX}",
        ),
        (
            figures["ess_bulk_min"] >= ESS_MIN,
            f"bulk ESS {figures['ess_bulk_min']:.0f} of {worst['ess_bulk']} is below {ESS_MIN}",
        ),
        (
            figures["ess_tail_min"] >= ESS_MIN,
            f"tail ESS {figures['ess_tail_min']:.0f} of {worst['ess_tail']} is below {ESS_MIN}",
        ),
        (figures["divergences"] == 0, f"{figures['divergences']} divergent transitions"),
        (figures["bfmi_min"] >= BFMI_MIN, f"E-BFMI {figures['bfmi_min']:.2f} is below {BFMI_MIN}"),
        (
            figures["tree_depth_max"] < depth_limit,
            f"tree depth reached the limit of {depth_limit}",
        ),
    ]
    return [reason for good, reason in checks if not good]
