"""Density by inference time: effective params over those that take as long to run.

Nature Machine Intelligence 7:1823, Methods. A token takes k1 N for reading the weights and k2 N for
the arithmetic; a mixture of experts reads all its params and uses some, a quantised system reads
fewer bits:

    dense      Neff / N
    mixture    Neff (k1 + k2) / (N_total k1 + N_active k2)
    quantised  Neff (k1 + k2) / (N k1 bits / 16 + N_active k2)

Only the ratio k2 / k1 matters. The paper prints k1 = 2.45 k2, but its formulas (k1 = 1 / B, k2 = 2
length / C) with its hardware give k2 = 2.45 k1, which is the default here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.corollaries.compression.effects import new_pairs
from densing_bayes.corollaries.small_model import Posterior
from densing_bayes.errors import DensingError, did_you_mean
from densing_bayes.inputs.panel import Panel, load_panel
from densing_bayes.observed.sizes import INFERENCE_TIME_RATIO
from densing_bayes.posterior.estimates import SAMPLE, check_ci, estimate, probability
from densing_bayes.posterior.result import CI, Fit

FULL_BITS = 16.0


def time_ratio(length: float = 100.0, flops: float = 82.58e12, bandwidth: float = 1.01e12) -> float:
    """k2 / k1: time of the arithmetic over that of reading the weights, for a dense system.

    Parameters
    ----------
    length
        Tokens that are handled for one reading of the weights.
    flops, bandwidth
        Of the device, FLOP/s and parameters read per second as the paper counts them (its figure
        for an RTX 4090 is 1.01e12).
    """
    for name, value in (("length", length), ("flops", flops), ("bandwidth", bandwidth)):
        if not (np.isfinite(value) and value > 0):
            raise DensingError(f"{name} = {value} must be a number above 0")
    return 2.0 * length * bandwidth / flops


def time_factor(bits: float | np.ndarray, ratio: float = INFERENCE_TIME_RATIO) -> np.ndarray:
    """Factor of quantising to ``bits`` on inference-time density where scores stay as they are."""
    _check_ratio(ratio)
    return np.asarray((1.0 + ratio) / (np.asarray(bits) / FULL_BITS + ratio))


def inference_density(
    fit: Fit,
    systems: Sequence[str] | None = None,
    *,
    ratio: float = INFERENCE_TIME_RATIO,
    ci: float = CI,
    panel: Panel | None = None,
) -> pd.DataFrame:
    """Density of systems by params and by inference time.

    Parameters
    ----------
    fit
        A joint fit.
    systems
        Names of systems of the fit; all mixtures of experts by default.
    ratio
        k2 / k1, above 0 or 0.
    ci
        Probability of the intervals.
    panel
        The panel that was fitted; by default the one of that name.

    Returns
    -------
    pandas.DataFrame
        Index ``system``; params_total, params_active, and medians with ``_lower`` and ``_upper`` of
        ``density`` (Neff / N_total) and ``inference_density``. Effective params are those of the
        fit.

    Raises
    ------
    DensingError
        If a system is not in the fit, or none is a mixture of experts.
    """
    check_ci(ci)
    draws = inference_density_draws(fit, systems, ratio=ratio, panel=panel)
    rows = []
    for name in draws["system"].to_numpy():
        one = draws.sel(system=name)
        row: dict[str, Any] = {"system": str(name)}
        for column in ("params_total", "params_active"):
            row[column] = float(one[column])
        for column in ("density", "inference_density"):
            said = estimate(one[column], "1", ci, mean=False)
            row |= {column: said["median"], f"{column}_lower": said["lower"]}
            row[f"{column}_upper"] = said["upper"]
        rows.append(row)
    return pd.DataFrame(rows).set_index("system")


def inference_density_draws(
    fit: Fit,
    systems: Sequence[str] | None = None,
    *,
    ratio: float = INFERENCE_TIME_RATIO,
    panel: Panel | None = None,
) -> xr.Dataset:
    """The same with draws: ``density`` and ``inference_density``, dims (chain, draw, system)."""
    _check_ratio(ratio)
    table = (panel or load_panel(fit.spec.panel.source)).systems.reindex(fit.observed.systems)
    if systems is None:
        systems = list(table.index[table["params_active"] < table["params_total"]])
        if not systems:
            raise DensingError("no system of this fit has fewer active than total params")
    for name in systems:
        if name not in table.index:
            hint = did_you_mean(name, table.index, most=3)
            raise DensingError(f"no system '{name}' in this fit{hint}")
    rows = [fit.observed.systems.index(name) for name in systems]
    log_density = fit.posterior["log_density"].transpose(*SAMPLE, "system").isel(system=rows)
    sizes = xr.DataArray(np.exp(fit.observed.log_params[rows]), dims="system")
    effective = np.exp(log_density) * sizes
    total, active = (
        xr.DataArray(table.loc[list(systems), column].to_numpy(float), dims="system")
        for column in ("params_total", "params_active")
    )
    return xr.Dataset(
        {
            "params_total": total,
            "params_active": active,
            "density": effective / total,
            "inference_density": effective * (1.0 + ratio) / (total + ratio * active),
        }
    )


def quantised_density(
    compression: Posterior, ci: float = CI, *, ratio: float = INFERENCE_TIME_RATIO
) -> pd.DataFrame:
    """What quantising does to density by params and by inference time, per method.

    Parameters
    ----------
    compression
        Posterior of :func:`densing_bayes.corollaries.compression.effects.fit_compression`.
    ci
        Probability of the intervals.
    ratio
        k2 / k1.

    Returns
    -------
    pandas.DataFrame
        Index ``method``; bits, ``factor`` on density and ``inference_factor`` on inference-time
        density (median, ``_lower``, ``_upper``; for a parent of the reference size),
        ``p_faster_denser`` (the latter is above 1) and ``p_new_faster_denser`` (for a new pair).
    """
    check_ci(ci)
    draws, fresh = compression.draws, new_pairs(compression)
    rows = []
    for name in draws["scheme"].to_numpy():
        bits = float(draws["scheme_bits"].sel(scheme=name))
        if bits >= FULL_BITS:
            continue
        gain = float(np.log(time_factor(bits, ratio)))
        mean = draws["method_shift"].sel(scheme=name)
        row: dict[str, Any] = {"method": str(name), "bits": bits}
        for column, values in (("factor", mean), ("inference_factor", mean + gain)):
            said = estimate(np.exp(values), "1", ci, mean=False)
            row |= {column: said["median"], f"{column}_lower": said["lower"]}
            row[f"{column}_upper"] = said["upper"]
        row["p_faster_denser"] = probability(mean + gain > 0)
        row["p_new_faster_denser"] = probability(fresh.sel(scheme=name) + gain > 0)
        rows.append(row)
    if not rows:
        raise DensingError("no pair of this posterior is quantised: all have 16 bits or more")
    return pd.DataFrame(rows).set_index("method").sort_values(["bits", "inference_factor"])


def _check_ratio(ratio: float) -> None:
    if not (np.isfinite(ratio) and ratio >= 0):
        raise DensingError(f"ratio = {ratio} (k2 / k1) must be 0 or more; the default is 2.45")
