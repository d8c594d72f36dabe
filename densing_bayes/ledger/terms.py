"""What the answers of a fit are about: estimand, D0 and size convention."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from densing_bayes.ledger.of_corollaries import TablePanel
from densing_bayes.ledger.plotted import PlottedPanel
from densing_bayes.posterior.result import Fit

PLOTTED_TOKENS = 5e12  # D0 of the figures, which are the journal's
Judgeable = Fit | PlottedPanel | TablePanel


DRIFTING = "edge with a drifting scale"
NEAREST = {  # estimands of trends, the first by which a claim is judged before the others
    "maximum": (DRIFTING, "edge", "mean"),
    "mean": ("mean", "edge", DRIFTING),
}
EDGE = ("edge", DRIFTING, "mean")  # of all other claims


class Terms(NamedTuple):
    """What a fit's answers are about: estimand of its trend, D0 (NaN for none), size convention."""

    estimand: str
    reference_tokens: float
    size: str

    def __str__(self) -> str:
        """As it stands in a row of the ledger."""
        if np.isnan(self.reference_tokens):
            return self.estimand
        return f"{self.estimand}; D0 = {tokens_text(self.reference_tokens)}; {self.size} params"

    def apart(self, claim: pd.Series) -> str:
        """What differs from what a claim is about; empty if nothing does."""
        if np.isnan(self.reference_tokens):
            return ""
        parts = []
        nearest = nearest_forms(claim)[0]
        if self.estimand != nearest:
            parts.append(f"{self.estimand} in place of {nearest}")
        if claim["size"] and self.size != claim["size"]:
            parts.append(f"{self.size} in place of {claim['size']} params")
        return ", ".join(parts)


def nearest_forms(claim: pd.Series) -> tuple[str, ...]:
    """Forms of a trend that can answer a claim, the nearest to its estimand first."""
    return NEAREST.get(str(claim["estimand"]), EDGE)


def terms_of(fit: Judgeable) -> Terms:
    """What the answers of a fit are about.

    The slope of a frontier whose shortfalls have a constant scale is that of the mean, too; one
    whose scale drifts may have maxima that grow faster or slower.
    """
    if isinstance(fit, TablePanel):
        return Terms("observed, or an edge through the table", np.nan, "")
    if isinstance(fit, PlottedPanel):
        return Terms(DRIFTING if fit.drifts else "edge", PLOTTED_TOKENS, "total")
    trend, panel = fit.spec.trend, fit.spec.panel
    estimand = DRIFTING if trend.shortfall_drift else "edge"
    if trend.frontier == "none":
        estimand = "mean"
    return Terms(estimand, panel.reference_tokens, panel.size)


def tokens_text(count: float) -> str:
    """A number of tokens as it is written in specifications, such as 5e12."""
    return f"{count:.0e}".replace("e+", "e").replace("e0", "e")
