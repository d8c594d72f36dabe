"""What training costs: GPU-hours against params and tokens, and what an hour costs.

    ln hours = ln(6 N D / peak per hour) - ln utilisation
               + (b_N - 1) ln(N / N0) + (b_D - 1) ln(D / D0) + scatter
    ln price of an hour = ln(peak in 1e15 operations/s) + ln rate of the basis + scatter

6 N D is the usual count of floating-point operations (Kaplan et al. 2020, arXiv 2001.08361), N the
active params, N0 and D0 the geometric means of the table.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.corollaries.payback.table import COSTS
from densing_bayes.corollaries.small_model import Posterior, sample_posterior
from densing_bayes.errors import DensingError, did_you_mean
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.default import DEFAULT
from densing_bayes.inputs.families import Frozen, PositivePrior, RealPrior, UnitPrior
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.tables.reading import load_table
from densing_bayes.posterior.estimates import check_choice, of_prior

if TYPE_CHECKING:
    import pymc as pm

FEWEST = 4  # systems with hours, params and tokens
PETA = 1e15
SECONDS = 3600.0


class TrainingSpec(Frozen):
    """Priors of the cost of training, and on what it is to be priced."""

    hardware: str = "H100"
    basis: Literal["rented", "amortised"] = "rented"
    utilisation: UnitPrior
    params_exponent: RealPrior
    tokens_exponent: RealPrior
    hours_spread: PositivePrior
    rented_rate: PositivePrior
    amortised_rate: PositivePrior
    rate_spread: PositivePrior


@dataclass(frozen=True)
class TrainingCostFit:
    """Posterior of the cost of training.

    Attributes
    ----------
    spec, table
        What was fitted to what.
    centre
        ln N0 and ln D0.
    sampled
        Draws of ``utilisation``, ``params_exponent``, ``tokens_exponent``, ``hours_spread``,
        ``rate`` (basis; USD per hour of 1e15 operations/s) and ``rate_spread``; verdict.
    """

    spec: TrainingSpec
    table: pd.DataFrame
    centre: tuple[float, float]
    sampled: Posterior

    @property
    def verdict(self) -> str:
        """PASS or FAIL."""
        return self.sampled.verdict


def load_costs(source: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """The table of training costs, GPU-hours and rental prices, or a CSV file of one's own."""
    return load_table(COSTS, source).set_index("entry")


def trained(table: pd.DataFrame) -> pd.DataFrame:
    """Rows with hours whose params, tokens and hardware are known, trained from scratch."""
    known = table[["params", "tokens", "peak_flops"]].notna().all(axis=1)
    return table[known & (table["quantity"] == "gpu_hours") & (table["scratch"] == "true")]


def hourly_prices(table: pd.DataFrame) -> pd.DataFrame:
    """USD per hour of 1e15 operations/s: of rentals, and of costs whose hours are known.

    Returns
    -------
    pandas.DataFrame
        ``rate`` and ``basis``, index of the table. A rented cost with a rental price of the same
        date and hardware is left out: the price was worked out from it.
    """
    hours = table[table["quantity"] == "gpu_hours"].set_index("name")["value"]
    rentals = table[(table["quantity"] == "rental_price") & table["peak_flops"].notna()]
    costs = table[(table["quantity"] == "training_cost") & table["peak_flops"].notna()]
    same = pd.MultiIndex.from_frame(costs[["date", "hardware"]]).isin(
        pd.MultiIndex.from_frame(rentals[["date", "hardware"]])
    )
    costs = costs[costs["name"].isin(hours.index) & ~same]
    price = pd.concat([rentals["value"], costs["value"] / hours[costs["name"]].to_numpy()])
    chosen = table.loc[price.index]
    return pd.DataFrame({"rate": price / (chosen["peak_flops"] / PETA), "basis": chosen["basis"]})


def training_cost_model(table: pd.DataFrame, spec: TrainingSpec) -> pm.Model:
    """State the two regressions."""
    import pymc as pm

    from densing_bayes.joint.variables import variable

    runs, prices = trained(table), hourly_prices(table)
    params, tokens = np.log(runs["params"].to_numpy()), np.log(runs["tokens"].to_numpy())
    bases = ["rented", "amortised"]
    with pm.Model(coords={"basis": bases, "run": list(runs["name"])}) as model:
        utilisation = variable("utilisation", spec.utilisation)
        b_params = variable("params_exponent", spec.params_exponent)
        b_tokens = variable("tokens_exponent", spec.tokens_exponent)
        ideal = np.log(6.0 / SECONDS) + params + tokens - np.log(runs["peak_flops"].to_numpy())
        centre = (
            ideal
            - pm.math.log(utilisation)
            + (b_params - 1.0) * (params - params.mean())
            + (b_tokens - 1.0) * (tokens - tokens.mean())
        )
        spread = variable("hours_spread", spec.hours_spread)
        pm.Normal(
            "log_hours", centre, spread, observed=np.log(runs["value"].to_numpy()), dims="run"
        )
        rate = variable("rate", [spec.rented_rate, spec.amortised_rate], "basis")
        rate_spread = variable("rate_spread", spec.rate_spread)
        which = [bases.index(basis) for basis in prices["basis"]]
        pm.Normal(
            "log_price",
            pm.math.log(rate)[which],
            rate_spread,
            observed=np.log(prices["rate"].to_numpy()),
        )
    return model


def fit_training_cost(
    spec: TrainingSpec,
    table: pd.DataFrame | None = None,
    *,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
) -> TrainingCostFit:
    """Fit hours and prices of hours; some ten seconds.

    Parameters
    ----------
    spec
        Priors, as under ``[training]`` of models/corollaries/payback.toml.
    table
        Of :func:`load_costs`; the embedded one by default.
    draws, tune, chains, seed
        Of the sampler.

    Raises
    ------
    DensingError
        If fewer than four systems have hours, params, tokens and hardware, or none has the
        hardware that is to be priced.
    """
    table = load_costs() if table is None else table
    runs = trained(table)
    if len(runs) < FEWEST:
        raise DensingError(
            f"{len(runs)} systems have gpu_hours, params, tokens and peak_flops; the cost of "
            f"training needs at least {FEWEST}: add rows, or give the cost itself"
        )
    peak_of(table, spec.hardware)
    sampled = sample_posterior(
        training_cost_model(table, spec),
        {"table": COSTS.file, "runs": len(runs), "prices": len(hourly_prices(table))},
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
    )
    centre = tuple(float(np.log(runs[name]).mean()) for name in ("params", "tokens"))
    return TrainingCostFit(spec, table, (centre[0], centre[1]), sampled)


def peak_of(table: pd.DataFrame, hardware: str) -> float:
    """Peak operations a second of a chip of the table."""
    peaks = table.loc[table["peak_flops"].notna()].groupby("hardware")["peak_flops"].first()
    if hardware not in peaks.index:
        hint = did_you_mean(hardware, peaks.index)
        raise DensingError(
            f"no hardware '{hardware}' in the table of costs (it has "
            f"{', '.join(sorted(peaks.index))}){hint}"
        )
    return float(peaks[hardware])


def training_cost(
    fit: TrainingCostFit,
    params: float,
    tokens: float,
    *,
    hardware: str | None = None,
    basis: str | None = None,
    group: Literal["posterior", "prior"] = "posterior",
    seed: int = SEED,
) -> xr.Dataset:
    """Predicted cost of training a new system.

    Parameters
    ----------
    fit
        Of :func:`fit_training_cost`.
    params, tokens
        Counts; of a mixture of experts the active params.
    hardware, basis
        Those of the specification by default.
    group
        Under posterior or prior.
    seed
        Of the scatter of a new system and a new price.

    Returns
    -------
    xarray.Dataset
        ``gpu_hours``, ``hour_price`` (USD) and ``training_cost`` (USD), dims (chain, draw).
    """
    for name, value, least, example in (
        ("params", params, 1e5, "8e9"),
        ("tokens", tokens, 1e6, "15e12"),
    ):
        if not (np.isfinite(value) and value >= least):
            raise DensingError(f"{name} = {value:g} must be a count such as {example}")
    basis = basis or fit.spec.basis
    check_choice("basis", basis, ("rented", "amortised"))
    peak = peak_of(fit.table, hardware or fit.spec.hardware)
    draws: Any = fit.sampled.prior if of_prior(group) else fit.sampled.draws
    shape = draws["utilisation"].shape
    random = np.random.default_rng([seed, 3])
    ideal = np.log(6.0 * params * tokens / (peak * SECONDS))
    log_hours = (
        ideal
        - np.log(draws["utilisation"])
        + (draws["params_exponent"] - 1.0) * (np.log(params) - fit.centre[0])
        + (draws["tokens_exponent"] - 1.0) * (np.log(tokens) - fit.centre[1])
        + draws["hours_spread"] * random.standard_normal(shape)
    )
    log_price = (
        np.log(peak / PETA)
        + np.log(draws["rate"].sel(basis=basis, drop=True))
        + draws["rate_spread"] * random.standard_normal(shape)
    )
    return xr.Dataset(
        {
            "gpu_hours": np.exp(log_hours),
            "hour_price": np.exp(log_price),
            "training_cost": np.exp(log_hours + log_price),
        }
    )


def training_cost_prior(
    params: float,
    tokens: float,
    spec: TrainingSpec,
    *,
    table: pd.DataFrame | None = None,
    seed: int = SEED,
) -> xr.DataArray:
    """Cost in USD of training a system, to be used as an input of a pay-back.

    Fits the table of costs and predicts from it; arguments as of :func:`fit_training_cost` and
    :func:`training_cost`.

    Raises
    ------
    DensingError
        If the fit has not passed, or an argument cannot be right.
    """
    fit = fit_training_cost(spec, table, seed=seed)
    if fit.verdict != "PASS":
        raise DensingError(
            "the fit of training costs has not passed; give the cost itself, or look at the table"
        )
    return training_cost(fit, params, tokens, seed=seed)["training_cost"]


def training_cost_of(
    system: str, spec: TrainingSpec, panel: str | os.PathLike[str] = DEFAULT, *, seed: int = SEED
) -> xr.DataArray:
    """Cost in USD of training a system of a panel, from its active params and its tokens.

    Raises
    ------
    DensingError
        If the panel has no such system, or its tokens are not known.
    """
    systems = load_panel(panel).systems
    if system not in systems.index:
        hint = did_you_mean(system, systems.index, most=3)
        raise DensingError(f"no system '{system}' in panel '{panel}'{hint}")
    sizes = systems.loc[system, ["params_active", "tokens"]].to_numpy(float)
    params, tokens = float(sizes[0]), float(sizes[1])
    if np.isnan(tokens):
        raise DensingError(f"the tokens of {system} are not known; give its training cost itself")
    return training_cost_prior(params, tokens, spec, seed=seed)
