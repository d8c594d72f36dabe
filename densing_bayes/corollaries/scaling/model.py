"""The loss law of runs: L = E + a (N/N0)^-alpha + b (D/D0)^-beta, with noise of log L."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.corollaries.scaling.runs import (
    ScalingLawSpec,
    chosen_runs,
    geometric_mean,
    load_law_spec,
    load_runs,
)
from densing_bayes.corollaries.small_model import Posterior, sample_posterior
from densing_bayes.errors import FileFormatError, FitError
from densing_bayes.fitting.settings import SEED
from densing_bayes.joint import laws
from densing_bayes.posterior.estimates import check_choice, estimate
from densing_bayes.posterior.result import CI, DAMAGE, LAW_FORMAT, format_of
from densing_bayes.writing import write_file

if TYPE_CHECKING:
    import pymc as pm


@dataclass(frozen=True)
class LawFit:
    """A fitted loss law. Made by :func:`fit_law` or :meth:`load`.

    Attributes
    ----------
    spec
        The specification.
    table
        All runs of the table, with those that a flag leaves out.
    runs
        Those that entered.
    sampled
        Draws and diagnostics.
    """

    spec: ScalingLawSpec
    table: pd.DataFrame
    runs: pd.DataFrame
    sampled: Posterior

    @property
    def verdict(self) -> str:
        """PASS or FAIL."""
        return self.sampled.verdict

    @property
    def diagnostics(self) -> dict[str, Any]:
        """Convergence figures."""
        return self.sampled.diagnostics

    @property
    def provenance(self) -> dict[str, Any]:
        """What was fitted, and how."""
        return self.sampled.provenance

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the fit to a NetCDF file.

        Raises
        ------
        FitError
            If it cannot be written.
        """
        groups = {"posterior": self.sampled.draws, "prior": self.sampled.prior}
        tree = xr.DataTree.from_dict(groups)
        tree.attrs = {
            "format": LAW_FORMAT,
            "spec": self.spec.model_dump_json(),
            "runs": self.table.to_json(orient="split", double_precision=15),
            "diagnostics": json.dumps(self.diagnostics),
            "provenance": json.dumps(self.provenance),
        }
        try:
            return write_file(Path(path), bytes(tree.to_netcdf(engine="h5netcdf")))
        except OSError as error:
            raise FitError(f"cannot write {path}: {error.strerror or error}") from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LawFit:
        """Load a saved fit.

        Raises
        ------
        FileFormatError
            If the file is damaged or not a saved loss law.
        """
        try:
            if format_of(path) != LAW_FORMAT:
                raise ValueError("no loss law")
            tree = xr.open_datatree(path, engine="h5netcdf")
            spec = ScalingLawSpec.model_validate_json(tree.attrs["spec"])
            content = json.loads(tree.attrs["runs"])
            table = pd.DataFrame(content["data"], columns=content["columns"])
            sampled = Posterior(
                tree["posterior"].dataset,
                tree["prior"].dataset,
                json.loads(tree.attrs["diagnostics"]),
                json.loads(tree.attrs["provenance"]),
            )
            fit = cls(spec, table, chosen_runs(table, spec), sampled)
            law_draws(fit, fit.runs)
            law_draws(fit, fit.runs, "prior")
            _ = fit.verdict, fit.diagnostics["reasons"]
        except PermissionError as error:
            raise FileFormatError(f"{path} cannot be read: permission denied") from error
        except DAMAGE as error:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise FileFormatError(
                f"{path} is damaged or not a saved loss law ({said}); fit again"
            ) from error
        return fit


def is_law_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a saved loss law."""
    try:
        return format_of(path) == LAW_FORMAT
    except DAMAGE:
        return False  # whatever is wrong with it is told by who reads it


def law_model(runs: pd.DataFrame, spec: ScalingLawSpec) -> pm.Model:
    """State the law of the runs of :func:`chosen_runs`."""
    import pymc as pm

    from densing_bayes.joint.variables import variable

    law = spec.law
    n, d = _centred(runs, runs)
    with pm.Model(coords={"run": runs["run"].to_numpy(str)}) as model:
        unit = geometric_mean(runs["loss"])
        centre = pm.Deterministic(
            "centre_loss", unit * variable("relative_centre", law.loss_at_centre)
        )
        share: Any = 0.0
        if law.irreducible:
            share = variable("irreducible_share", law.irreducible_share)
        params_share = variable("params_share", law.params_share)
        reducible = centre * (1.0 - share)
        E = pm.Deterministic("irreducible_loss", centre * share)
        a = pm.Deterministic("params_loss", reducible * params_share)
        b = pm.Deterministic("tokens_loss", reducible * (1.0 - params_share))
        alpha = variable("params_exponent", law.params_exponent)
        beta = variable("tokens_exponent", law.tokens_exponent)
        noise = variable("loss_noise", law.loss_noise)
        expected = np.log(laws.scaling_loss(n, d, E, a, alpha, b, beta))
        measured = np.log(runs["loss"].to_numpy(float))
        if law.tails is None:
            pm.Normal("log_loss", expected, noise, observed=measured, dims="run")
        else:
            pm.StudentT(
                "log_loss", nu=law.tails, mu=expected, sigma=noise, observed=measured, dims="run"
            )
    return model


def fit_law(
    runs: pd.DataFrame | str | os.PathLike[str] | None = None,
    spec: ScalingLawSpec | str | os.PathLike[str] = "scaling",
    *,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
) -> LawFit:
    """Fit the loss law to a table of training runs; some seconds.

    Parameters
    ----------
    runs
        Table of :func:`load_runs`, or its file; the embedded one by default.
    spec
        A specification, or its name or path.
    draws, tune, chains, seed
        Of the sampler.

    Returns
    -------
    LawFit
        Draws of ``irreducible_loss`` (E, in the unit of the losses), ``params_loss`` and
        ``tokens_loss`` (a and b, contributions at the centre of the runs), ``params_exponent``
        (alpha), ``tokens_exponent`` (beta) and ``loss_noise`` (of log loss).

    Raises
    ------
    TableError, DensingError
        If the table is not valid, or has too few runs.
    """
    if isinstance(runs, pd.DataFrame):
        table, name = runs, "a table"
    else:
        table, name = load_runs(runs), "chinchilla" if runs is None else Path(runs).name
    spec = load_law_spec(spec)
    chosen = chosen_runs(table, spec)
    source = {
        "table": name,
        "runs": len(chosen),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": version("densing-bayes"),
    }
    sampled = sample_posterior(
        law_model(chosen, spec), source, draws=draws, tune=tune, chains=chains, seed=seed
    )
    return LawFit(spec, table, chosen, sampled)


def law_draws(fit: LawFit, runs: pd.DataFrame, group: str = "posterior") -> xr.DataArray:
    """Draws of the loss that the law gives to runs, dims (chain, draw, run); without noise.

    Parameters
    ----------
    fit
        A fit.
    runs
        Table with ``run``, ``params`` and ``tokens``, of the fit or not.
    group
        "posterior" or "prior".
    """
    prior = check_choice("group", group, ("posterior", "prior")) == "prior"
    drawn = fit.sampled.prior if prior else fit.sampled.draws
    n, d = (
        xr.DataArray(x, dims="run", coords={"run": runs["run"].to_numpy(str)})
        for x in _centred(runs, fit.runs)
    )
    names = ("irreducible_loss", "params_loss", "params_exponent", "tokens_loss", "tokens_exponent")
    loss = laws.scaling_loss(n, d, *(drawn[name] for name in names))
    return loss.transpose("chain", "draw", "run")


def _centred(runs: pd.DataFrame, about: pd.DataFrame) -> list[np.ndarray]:
    """log(N/N0) and log(D/D0), about the geometric means of other runs."""
    return [
        np.log(runs[column].to_numpy(float) / geometric_mean(about[column]))
        for column in ("params", "tokens")
    ]


CONSTANTS = {
    "irreducible_loss": "Irreducible loss E",
    "params_exponent": "Exponent of params alpha",
    "tokens_exponent": "Exponent of tokens beta",
    "params_loss": "Loss from too few params a, at the centre",
    "tokens_loss": "Loss from too few tokens b, at the centre",
    "loss_noise": "Noise of log loss",
    "optimal_exponent": "Optimal params grow with compute to the power",
}


def law_summary(fit: LawFit, ci: float = CI) -> dict[str, Any]:
    """Constants of the law with intervals, and the same of the prior.

    Returns
    -------
    dict
        Estimates by the names of :data:`CONSTANTS`; ``prior``; ``centre``: params and tokens at
        which a and b are stated; ``runs`` and ``flagged``: how many entered, and how many a flag
        left out.

    Notes
    -----
    At C = 6 N D the loss is least where N grows as C^(beta / (alpha + beta)) (Hoffmann et al.
    2022).
    """

    def of(drawn: xr.Dataset) -> dict[str, Any]:
        alpha, beta = drawn["params_exponent"], drawn["tokens_exponent"]
        drawn = drawn.assign(optimal_exponent=beta / (alpha + beta))
        return {
            name: estimate(drawn[name], "loss" if name.endswith("_loss") else "1", ci)
            for name in CONSTANTS
        }

    return of(fit.sampled.draws) | {
        "prior": of(fit.sampled.prior),
        "centre": {name: geometric_mean(fit.runs[name]) for name in ("params", "tokens")},
        "runs": len(fit.runs),
        "flagged": len(fit.table) - len(fit.runs),
    }
