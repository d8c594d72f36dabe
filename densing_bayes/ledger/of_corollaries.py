"""Quantities of the corollaries that claims are about, for the ledger.

Each corollary registers its own: some are of a fit, the others of the fits through its tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from densing_bayes.corollaries.corollary import Claimed
from densing_bayes.corollaries.registered import COROLLARIES
from densing_bayes.corollaries.trends.exponential import ExponentialFit
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.panel import load_panel
from densing_bayes.observed.arrays import Floats

Fits = Mapping[str, ExponentialFit]


@dataclass(frozen=True)
class TablePanel:
    """Trends through the tables that hold no densities, such as prices and engines, by name."""

    fits: Fits

    @property
    def verdict(self) -> str:
        """PASS if all have passed, else FAIL."""
        return "PASS" if all(fit.verdict == "PASS" for fit in self.fits.values()) else "FAIL"

    @property
    def provenance(self) -> dict[str, Any]:
        """Name of the panel, and what each fit came from."""
        return {"panel": "tables"} | {name: fit.provenance for name, fit in self.fits.items()}


def fit_tables(seed: int = SEED) -> TablePanel:
    """Fits of all tables, from the store or made, which takes half a minute, and kept there."""
    fits: dict[str, ExponentialFit] = {}
    for corollary in COROLLARIES:
        of_tables = corollary.parts().table_fits
        fits |= {} if of_tables is None else of_tables(seed)
    return TablePanel(fits)


def _compute_ratio(fit: Fits, argument: str, group: str) -> Floats:
    """Training compute (6 N D) of a system over that of each other one that had been released."""
    name, date = argument.split()
    systems = load_panel("paper").systems
    systems = systems[systems["tokens"].notna() & (systems["release_date"] <= pd.Timestamp(date))]
    compute = systems["params_active"] * systems["tokens"]
    ratio: Floats = (compute[name] / compute.drop(name)).to_numpy(dtype=float)
    return ratio


CLAIMED = {
    name: claimed for corollary in COROLLARIES for name, claimed in corollary.parts().claims.items()
} | {"compute_ratio": Claimed(_compute_ratio, of_tables=True, prior=False)}
OF_FITS = {name: one.draws for name, one in CLAIMED.items() if not one.of_tables}
OF_TABLES = {name: one.draws for name, one in CLAIMED.items() if one.of_tables}
WITH_PRIOR = {name for name, one in CLAIMED.items() if one.prior}
