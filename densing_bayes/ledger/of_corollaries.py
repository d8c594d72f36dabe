"""Quantities of the corollaries that claims are about, for the ledger.

Those of a fit come from its posterior, with a small model of chips where density meets Moore's law;
those of tables from the prices and engines that :func:`fit_tables` fits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from densing_bayes.corollaries.compression.panel_pairs import only_gemma_denser, published_shifts
from densing_bayes.corollaries.engines.model import (
    effective_doubling_time,
    engine_rate,
    stored_engines,
)
from densing_bayes.corollaries.prices.model import (
    fold_reduction,
    halving_time,
    observed_fold,
    stored_prices,
)
from densing_bayes.corollaries.trends.exponential import ExponentialFit
from densing_bayes.errors import DensingError, NotTestableError
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import years_since_origin
from densing_bayes.inputs.panel import load_panel
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.forecasts import forecast_date
from densing_bayes.quantities.growth import doubling_time

Draws = NDArray[np.float64]


@dataclass(frozen=True)
class TablePanel:
    """Trends through the tables that hold no densities: prices and engines.

    Attributes
    ----------
    prices
        Cheapest offers of the level of GPT-3.5.
    engines
        Chips and batteries, by name.
    """

    prices: ExponentialFit
    engines: dict[str, ExponentialFit]

    @property
    def verdict(self) -> str:
        """PASS if all have passed, else FAIL."""
        parts = (self.prices, *self.engines.values())
        return "PASS" if all(part.verdict == "PASS" for part in parts) else "FAIL"

    @property
    def provenance(self) -> dict[str, Any]:
        """Name of the panel, and what each fit came from."""
        engines = {name: engine.provenance for name, engine in self.engines.items()}
        return {"panel": "tables", "prices": self.prices.provenance} | engines


def fit_tables(seed: int = SEED) -> TablePanel:
    """Prices and engines, from the store or fitted, which takes half a minute, and kept there."""
    return TablePanel(stored_prices(seed), stored_engines(seed))


def _flat(values: Any) -> Draws:
    return np.ravel(np.asarray(values))


def _product(fit: Fit, argument: str, group: str) -> Draws:
    return _flat(effective_doubling_time(fit, fit_tables().engines[argument], group))


def _reached(fit: Fit, argument: str, group: str) -> Draws:
    """Whether a system of some params has reached a score by a date; posterior only."""
    params, benchmark, score, date = argument.split()
    if benchmark not in fit.observed.benchmarks:
        raise NotTestableError(f"the panel has no {benchmark}")
    years = forecast_date(fit, float(params), benchmark, float(score))
    return _flat(years <= years_since_origin(date)).astype(float)


def _only_gemma(fit: Fit, argument: str, group: str) -> Draws:
    """Whether of the published pairs that have scores only one is denser; posterior only."""
    try:
        shifts = published_shifts(fit)
    except DensingError as error:
        raise NotTestableError(str(error)) from error
    return _flat(only_gemma_denser(shifts)).astype(float)


def _fold(fit: TablePanel, argument: str, group: str) -> Draws:
    return _flat(fold_reduction(fit.prices, group=group))


def _observed(fit: TablePanel, argument: str, group: str) -> Draws:
    first, last = argument.split()
    return np.array([observed_fold(fit.prices, first, last)["fold"]])


def _compute_ratio(fit: TablePanel, argument: str, group: str) -> Draws:
    """Training compute (6 N D) of a system over that of each other one that had been released."""
    name, date = argument.split()
    systems = load_panel("paper").systems
    systems = systems[systems["tokens"].notna() & (systems["release_date"] <= pd.Timestamp(date))]
    compute = systems["params_active"] * systems["tokens"]
    ratio: Draws = (compute[name] / compute.drop(name)).to_numpy(dtype=float)
    return ratio


def _halving(fit: TablePanel, argument: str, group: str) -> Draws:
    return _flat(halving_time(fit.prices, group=group))


def _doubling(fit: TablePanel, argument: str, group: str) -> Draws:
    return _flat(doubling_time(engine_rate(fit.engines[argument], group)))


OF_FITS: dict[str, Callable[[Any, str, str], Draws]] = {
    "density_times_engine": _product,
    "reached_by": _reached,
    "only_gemma_denser": _only_gemma,
}
OF_TABLES: dict[str, Callable[[Any, str, str], Draws]] = {
    "price_fold": _fold,
    "price_observed": _observed,
    "compute_ratio": _compute_ratio,
    "price_halving": _halving,
    "engine_doubling": _doubling,
}
# those whose prior says something of a claim
WITH_PRIOR = {"density_times_engine", "price_fold", "price_halving", "engine_doubling"}
