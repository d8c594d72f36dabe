"""What longer training alone gives: the density of a reference model trained on more tokens."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.errors import DensingError
from densing_bayes.inputs.panel import Panel, as_panel
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.estimates import SAMPLE, check_runs
from densing_bayes.posterior.result import Fit


def tokens_of(fit: Fit, panel: Panel | str | os.PathLike[str] | None = None) -> pd.Series:
    """Tokens that each system of a fit was trained on; NaN where that is not known.

    Parameters
    ----------
    fit
        A fit.
    panel
        The panel that it was fitted to, or its name or folder; by default the specification's.

    Raises
    ------
    DensingError
        If the panel lacks a system of the fit.
    """
    panel = as_panel(panel, fit.spec.panel.source)
    missing = [name for name in fit.observed.systems if name not in panel.systems.index]
    if missing:
        raise DensingError(
            f"panel '{panel.name}' has no system '{missing[0]}', which the fit has: give the panel "
            f"that it was fitted to"
        )
    return panel.systems.loc[list(fit.observed.systems), "tokens"].astype(float)


def overtraining(fit: Fit, panel: Panel | str | os.PathLike[str] | None = None) -> xr.DataArray:
    """Log density of a reference model of a system's params trained on the system's tokens.

    ln(Neff / N), where a reference model of Neff params trained on D0 tokens has the loss of one
    of N params trained on the system's D tokens (eq. 2 of arXiv 2412.04315; for directly linked
    benchmarks the ability). It is zero at D = D0 and what longer training alone gives.

    Parameters
    ----------
    fit
        A joint fit.
    panel
        As of :func:`tokens_of`.

    Returns
    -------
    xarray.DataArray
        Dims (chain, draw, system, benchmark), systems with known tokens only; infinite where no
        size trained on D0 tokens has so low a loss.
    """
    check_runs(fit, "what longer training gives")
    observed, draws = fit.observed, fit.posterior
    tokens = tokens_of(fit, panel).to_numpy()
    known = np.isfinite(tokens)
    n = observed.log_params[known] - np.log(observed.centre_params)
    d = np.log(tokens[known] / observed.centre_tokens)
    d0 = observed.log_reference_tokens

    def of(name: str, dim: str, benchmark: str) -> Floats:
        values = draws[name].sel({dim: benchmark}).transpose(*SAMPLE)
        return np.asarray(values.to_numpy()[..., None])

    columns = []
    for benchmark in observed.benchmarks:
        if benchmark in observed.loss_benchmarks:
            a, alpha, b, beta = (
                of(name, "loss_benchmark", benchmark)
                for name in ("params_loss", "params_exponent", "tokens_loss", "tokens_exponent")
            )
            ratio = np.exp(-alpha * n) + b / a * (np.exp(-beta * d) - np.exp(-beta * d0))
            with np.errstate(divide="ignore", invalid="ignore"):
                columns.append(np.where(ratio > 0, -np.log(ratio) / alpha, np.inf) - n)
        else:
            columns.append(of("token_elasticity", "direct_benchmark", benchmark) * (d - d0))
    return xr.DataArray(
        np.stack(columns, axis=-1),
        dims=(*SAMPLE, "system", "benchmark"),
        coords={
            **draws["level"].coords,
            "system": list(np.array(observed.systems, dtype=object)[known]),
            "benchmark": list(observed.benchmarks),
        },
        name="overtraining",
    )
