"""The gate that every fit passes: convergence figures and one verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

SAMPLE = ("chain", "draw")
CONSTANT = np.finfo(float).resolution  # range of draws below which ArviZ, too, sees a constant
RHAT_MAX = 1.01
ESS_MIN = 400
BFMI_MIN = 0.3
# Chains that miss the limits of R-hat or effective size by no more than this are as good as any
# and too short: they go on.
RHAT_NEAR = 1.03
ESS_NEAR = 200
# The models here need depth 5 to 6, and a draw far out in a tail more now and then.
TREE_DEPTH_LIMIT = 10


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
        A figure that cannot be computed, as R-hat of one chain, is NaN and fails.
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
    rhat, worst_rhat = _extreme(tables["rhat"], posterior, np.max)
    bulk, worst_bulk = _extreme(tables["ess_bulk"], posterior, np.min)
    tail, worst_tail = _extreme(tables["ess_tail"], posterior, np.min)
    figures: dict[str, Any] = {
        "rhat_max": rhat,
        "ess_bulk_min": bulk,
        "ess_tail_min": tail,
        "divergences": int(sample_stats["diverging"].sum()),
        "bfmi_min": float(sample_stats["energy"].azstats.bfmi().min(skipna=False)),
        "tree_depth_max": int(sample_stats["depth"].max()),
        "leapfrog_mean": float(sample_stats["n_steps"].mean()),
        "worst": {"rhat": worst_rhat, "ess_bulk": worst_bulk, "ess_tail": worst_tail},
    }
    figures["reasons"] = _reasons(figures, depth_limit, posterior)
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
    """Largest R-hat of some variables, dims (chain, draw, ...); NaN if one has none."""
    import arviz_stats as azs

    with np.errstate(invalid="ignore"):
        return _extreme(azs.rhat(draws), draws, np.max)[0]


def _extreme(table: xr.Dataset, posterior: xr.Dataset, of: Any) -> tuple[float, str]:
    """The worst figure of all variables, with the name of its variable.

    A figure that cannot be computed is the worst there is, and NaN; so it is where all draws are
    constant. Constants among others, such as a zero-sum effect of one element, have no figure.
    """
    best, name = np.nan, ""
    for variable in table.data_vars:
        draws = posterior[variable]
        spread = (draws.max(SAMPLE, skipna=False) - draws.min(SAMPLE, skipna=False)).to_numpy()
        figures = table[variable].transpose(*draws.dims[2:]).to_numpy()
        figures = np.where(np.isfinite(spread), figures, np.nan)  # ranks hide an infinite draw
        figures = figures[~(spread <= CONSTANT)]
        if not figures.size:
            continue
        value = float(of(figures))
        if np.isnan(value):
            return np.nan, str(variable)
        if not name or of([value, best]) == value:
            best, name = value, str(variable)
    return best, name


def _reasons(figures: dict[str, Any], depth_limit: int, posterior: xr.Dataset) -> list[str]:
    worst = figures["worst"]
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    checks = [
        ("rhat_max", "R-hat", worst["rhat"], "above", RHAT_MAX, ".3f"),
        ("ess_bulk_min", "bulk ESS", worst["ess_bulk"], "below", ESS_MIN, ".0f"),
        ("ess_tail_min", "tail ESS", worst["ess_tail"], "below", ESS_MIN, ".0f"),
        ("bfmi_min", "E-BFMI", "", "below", BFMI_MIN, ".2f"),
    ]
    reasons = []
    for key, name, variable, side, limit, form in checks:
        figure, of = figures[key], f" of {variable}" if variable else ""
        if not np.isfinite(figure):
            reasons.append(
                f"{name}{of} cannot be computed ({chains} chain{'s' * (chains > 1)}, {draws} draws "
                f"each{'; two chains or more are needed' * (chains < 2)})"
            )
        elif figure > limit if side == "above" else figure < limit:
            reasons.append(f"{name} {figure:{form}}{of} is {side} {limit}")
    if figures["divergences"]:
        reasons.append(f"{figures['divergences']} divergent transitions")
    if figures["tree_depth_max"] >= depth_limit:
        reasons.append(f"tree depth reached the limit of {depth_limit}")
    return reasons
