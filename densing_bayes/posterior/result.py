"""A fit: draws, verdict and provenance, with the file that keeps them without loss."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.errors import FileFormatError, FitError
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.observations import Observations
from densing_bayes.shown import html_of
from densing_bayes.writing import write_file

CI = 0.95  # the one default of every interval, equal-tailed
FORMAT = "densing_bayes fit 3"
LAW_FORMAT = "densing_bayes loss law 1"  # of a loss law alone, which has no systems
GROUPS = ("posterior", "sample_stats", "diagnostics", "observed_data")
FIGURES = ("rhat_max", "ess_bulk_min", "ess_tail_min", "divergences", "bfmi_min",
           "tree_depth_max", "worst", "verdict", "reasons")  # fmt: skip
IDENTITY = ("seed", "spec_hash", "data_hash")
DAMAGE = (
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
)
"""What reading a file of the right format raises where its contents are not what was written."""
VERDICTS = ("PASS", "FAIL", "MULTIMODAL")


@dataclass(frozen=True)
class Fit:
    """A fitted model: draws, verdict and provenance. Made by :func:`fit` or :meth:`Fit.load`.

    Attributes
    ----------
    data
        DataTree with groups ``posterior``, ``prior``, ``sample_stats``, ``diagnostics`` and
        ``observed_data``; dims and variable names as in docs/schema.md.
    spec
        The specification.
    observed
        What the model saw.
    diagnostics
        Convergence figures and the verdict, computed once when the fit was made.
    provenance
        Hashes of specification and data, seed, versions, sampler settings, times.
    kept
        What many answers are worked out from, by name, once for a fit in memory.
    """

    data: xr.DataTree
    spec: ModelSpec
    observed: Observations
    diagnostics: dict[str, Any]
    provenance: dict[str, Any]
    kept: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def posterior(self) -> xr.Dataset:
        """Posterior draws, dims (chain, draw, ...)."""
        return self.data["posterior"].dataset

    @property
    def prior(self) -> xr.Dataset:
        """Prior draws of the same variables, dims (chain, draw, ...)."""
        if "prior" not in self.data.children:
            raise FitError("this fit has no prior draws: fit again")
        return self.data["prior"].dataset

    @property
    def verdict(self) -> str:
        """PASS, FAIL, or MULTIMODAL where chains sit in different modes."""
        return str(self.diagnostics["verdict"])

    def _repr_html_(self) -> str | None:
        return html_of(self)

    def to_dataframe(self, ci: float = CI) -> pd.DataFrame:
        """Mean, sd, equal-tailed interval, R-hat and ESS of every scalar of the posterior."""
        tail = (1.0 - ci) / 2.0
        quality = self.data["diagnostics"].dataset
        rows: dict[str, dict[str, float]] = {}
        for name, values in self.posterior.data_vars.items():
            if values.size == 0:
                continue
            draws = values.to_numpy().reshape(values.sizes["chain"] * values.sizes["draw"], -1)
            lower, upper = np.quantile(draws, [tail, 1.0 - tail], axis=0)
            dims = values.dims[2:]
            indices = np.ndindex(*(values.sizes[dim] for dim in dims))
            figures = quality[name].transpose("statistic", *dims).to_numpy().reshape(3, -1)
            for i, index in enumerate(indices):
                key = ", ".join(
                    str(values[dim].values[j]) for dim, j in zip(dims, index, strict=True)
                )
                rows[f"{name}[{key}]" if key else str(name)] = {
                    "mean": float(draws[:, i].mean()),
                    "sd": float(draws[:, i].std(ddof=1)),
                    "lower": float(lower[i]),
                    "upper": float(upper[i]),
                    "rhat": float(figures[0, i]),
                    "ess_bulk": float(figures[1, i]),
                    "ess_tail": float(figures[2, i]),
                }
        return pd.DataFrame.from_dict(rows, orient="index")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the fit to a NetCDF file, without loss; no half-written file is ever left.

        Raises
        ------
        FitError
            If the folder does not exist or cannot be written.
        """
        path = Path(path)
        tree = self.data.copy()
        tree.attrs = {
            "format": FORMAT,
            "spec": self.spec.model_dump_json(),
            "diagnostics": json.dumps(self.diagnostics),
            "provenance": json.dumps(self.provenance),
            "observations": json.dumps(_pack(self.observed)),
        }
        # Into memory first: HDF5 cannot close a file on a full disk, and takes the process along.
        content = bytes(tree.to_netcdf(engine="h5netcdf"))
        try:
            if not path.parent.is_dir():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            return write_file(path, content)
        except OSError as error:
            raise FitError(
                f"cannot write {path}: {error.strerror or error}; choose a folder that exists and "
                f"that you may write to"
            ) from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Fit:
        """Load a saved fit; draws are read when asked for, the model is not rebuilt.

        Raises
        ------
        FileFormatError
            If the file is missing, damaged or not a saved fit.
        """
        path = Path(path)
        if not path.is_file():
            raise FileFormatError(f"no fit file '{path}'; make one with 'densing-bayes fit'")
        try:
            found = format_of(path)
            if found != FORMAT and found.startswith(FORMAT.rpartition(" ")[0]):
                raise FileFormatError(
                    f"{path} was saved by another version of densing_bayes ({found}, this one "
                    f"reads {FORMAT}); fit again"
                )
            if found == LAW_FORMAT:
                raise FileFormatError(
                    f"{path} is a fit of a loss law alone, which has no systems: 'scaling', "
                    f"'check' and 'report' take it"
                )
            if found != FORMAT:
                raise FileFormatError(
                    f"{path} is a NetCDF file but not a fit saved by densing_bayes ({FORMAT})"
                )
            tree = xr.open_datatree(path, engine="h5netcdf")
            fit = cls(
                data=tree,
                spec=ModelSpec.model_validate_json(tree.attrs["spec"]),
                observed=_unpack(json.loads(tree.attrs["observations"])),
                diagnostics=json.loads(tree.attrs["diagnostics"]),
                provenance=json.loads(tree.attrs["provenance"]),
            )
            lacking = _lacking(fit)
        except PermissionError as error:
            raise FileFormatError(f"{path} cannot be read: permission denied") from error
        except DAMAGE as error:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise FileFormatError(
                f"{path} is damaged or not a saved fit ({said}); fit again"
            ) from error
        if lacking:
            raise FileFormatError(f"{path} is damaged or not a saved fit: {lacking}; fit again")
        return fit


def format_of(path: str | os.PathLike[str]) -> str:
    """What a NetCDF file says that it is; however many groups it has, only its root is read.

    Raises
    ------
    OSError
        If it cannot be read, or is no NetCDF file.
    """
    import h5py

    with h5py.File(path, "r") as file:
        return str(file.attrs.get("format", ""))


def _lacking(fit: Fit) -> str:
    """What a loaded fit lacks of what every answer stands on; nothing if it is whole."""
    groups = [name for name in GROUPS if name not in fit.data.children]
    if groups:
        return f"it has no group {groups[0]!r}"
    if not {"chain", "draw"} <= set(fit.posterior.sizes) or "level" not in fit.posterior:
        return "its posterior has no draws of 'level'"
    judged = set(fit.data["diagnostics"].dataset.data_vars)
    drawn = {name for name, draws in fit.posterior.data_vars.items() if draws.size}
    if judged != drawn:
        return f"{min(map(str, judged ^ drawn))!r} is missing in the posterior or its diagnostics"
    parts: list[tuple[str, Any, tuple[str, ...]]] = [  # as the file has them, of whatever type
        ("diagnostics", fit.diagnostics, FIGURES),
        ("provenance", fit.provenance, IDENTITY),
    ]
    for what, found, keys in parts:
        if not isinstance(found, dict):
            return f"its {what} are no table"
        missing = [key for key in keys if key not in found]
        if missing:
            return f"its {what} have no {missing[0]!r}"
    if fit.verdict not in VERDICTS:
        return f"it has the unknown verdict {fit.verdict!r}"
    for name in ("time", "score", "log_params"):
        if not np.isfinite(getattr(fit.observed, name)).all():
            return f"its observations have a {name} that is not a number"
    return ""


def _pack(observed: Observations) -> dict[str, Any]:
    """Observations as JSON; floats survive unchanged (repr round-trips)."""
    return {
        each.name: value.tolist() if isinstance(value, np.ndarray) else value
        for each in fields(observed)
        for value in [getattr(observed, each.name)]
    }


def _unpack(content: dict[str, Any]) -> Observations:
    values: dict[str, Any] = {}
    for each in fields(Observations):
        if each.name not in content and {each.default, each.default_factory} != {MISSING}:
            continue  # of a fit that an earlier version saved
        value = content[each.name]
        if each.type in ("Floats", "Ints"):
            value = np.array(value, dtype=np.int64 if each.type == "Ints" else np.float64)
        elif isinstance(value, list):
            value = tuple(value)
        values[each.name] = value
    return Observations(**values)
