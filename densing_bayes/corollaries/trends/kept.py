"""Exponential fits that the store keeps, as JSON and NetCDF."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from densing_bayes.corollaries.small_model import Posterior
from densing_bayes.corollaries.trends.exponential import ExponentialFit, ExponentialSpec, Points
from densing_bayes.fitting.store import Form, kept, store_folder


def kept_fits(
    what: str, key: Any, make: Callable[[], dict[str, ExponentialFit]], module: str
) -> dict[str, ExponentialFit]:
    """Fits by name, from the store or made and kept there; as of :func:`.kept`."""
    return kept(what, key, make, store_folder(), module, FITS)


def kept_draws(
    what: str, key: Any, make: Callable[[], dict[str, xr.Dataset]], module: str
) -> dict[str, xr.Dataset]:
    """Draws by name, from the store or made and kept there; as of :func:`.kept`."""
    return kept(what, key, make, store_folder(), module, DRAWS)


def pack_draws(draws: dict[str, xr.Dataset]) -> dict[str, bytes]:
    """A NetCDF file for the draws of each name."""
    return {f"{name}.nc": bytes(each.to_netcdf(engine="h5netcdf")) for name, each in draws.items()}


def unpack_draws(files: dict[str, bytes]) -> dict[str, xr.Dataset]:
    """The draws of some files, by name."""
    return {
        name.removesuffix(".nc"): xr.load_dataset(io.BytesIO(content), engine="h5netcdf")
        for name, content in files.items()
    }


def _pack(fits: dict[str, ExponentialFit]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    draws: dict[str, xr.Dataset] = {}
    for name, fit in fits.items():
        points = {
            field.name: np.asarray(getattr(fit.points, field.name)).tolist()
            for field in dataclasses.fields(Points)
            if field.name != "label"
        }
        said = {
            "spec": fit.spec.model_dump_json(),
            "label": [str(label) for label in fit.points.label],
            "points": points,
            "diagnostics": fit.diagnostics,
            "provenance": fit.provenance,
        }
        files[f"{name}.json"] = json.dumps(said).encode()
        draws |= {f"{name}-posterior": fit.posterior, f"{name}-prior": fit.prior}
    return files | pack_draws(draws)


def _unpack(files: dict[str, bytes]) -> dict[str, ExponentialFit]:
    draws = unpack_draws({name: each for name, each in files.items() if name.endswith(".nc")})
    fits = {}
    for file, content in files.items():
        if not file.endswith(".json"):
            continue
        name, said = file.removesuffix(".json"), json.loads(content)
        floats = {key: np.array(values, float) for key, values in said["points"].items()}
        sampled = Posterior(
            draws[f"{name}-posterior"],
            draws[f"{name}-prior"],
            said["diagnostics"],
            said["provenance"],
        )
        spec = ExponentialSpec.model_validate_json(said["spec"])
        fits[name] = ExponentialFit(spec, Points(said["label"], **floats), sampled)
    return fits


FITS = Form(_pack, _unpack)
DRAWS = Form(pack_draws, unpack_draws)
