"""Draws of several chains in one row."""

from __future__ import annotations

import numpy as np
import xarray as xr

from densing_bayes.joint.marginal.shared_parameters import SAMPLE_DRAW


def stacked(draws: xr.Dataset, dim: str) -> xr.Dataset:
    """Draws with the dims chain and draw made one, first of all.

    Variables without elements, as a model without benchmarks of one kind has them, are kept;
    :meth:`xarray.Dataset.stack` cannot take them.
    """
    empty = [name for name, values in draws.data_vars.items() if not values.size]
    flat = draws.drop_vars(empty).stack({dim: ["chain", "draw"]}, create_index=False)
    count = draws.sizes["chain"] * draws.sizes["draw"]
    for name in empty:
        dims = [d for d in draws[name].dims if d not in ("chain", "draw")]
        values = np.empty((count, *(draws.sizes[d] for d in dims)))
        flat[name] = ((dim, *dims), values)
    return flat


def thinned(posterior: xr.Dataset, draws: int) -> xr.Dataset:
    """About so many draws, evenly from every chain, along the one dim ``sample_draw``."""
    step = max(1, posterior.sizes["chain"] * posterior.sizes["draw"] // draws)
    return stacked(posterior.isel(draw=slice(0, None, step)), SAMPLE_DRAW)
