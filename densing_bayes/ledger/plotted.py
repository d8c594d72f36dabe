"""The trend through densities that somebody else has plotted, as a stochastic frontier.

Where only densities are published, not the scores behind them, the joint model has nothing to work
on. What is left is its trend: log density = F(t) - shortfall + scatter, with the priors of the
joint specification. The errors of the densities themselves are unknown and so left out, as the
paper does; intervals are too narrow for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import xarray as xr

from densing_bayes.corollaries.trends.exponential import (
    ExponentialFit,
    ExponentialSpec,
    dated_points,
    fit_exponential,
)
from densing_bayes.corollaries.trends.kept import kept_draws, kept_fits
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import ORIGIN
from densing_bayes.inputs.hypothesis import ChangeSpec
from densing_bayes.inputs.published import load_figures
from densing_bayes.inputs.specification import ModelSpec, load_spec
from densing_bayes.ledger.quantile import quantile_growth

FIGURES = {"five": "fig1", "mmlu_cf": "fig2", "mmlu": "fig3c"}  # whose densities are plotted
CHATGPT = ChangeSpec(name="chatgpt", date=ORIGIN.date())
PRIORS = (
    "level",
    "growth_before",
    "growth_change",
    "level_change",
    "shortfall_spread",
    "system_spread",
)


@dataclass(frozen=True)
class PlottedPanel:
    """Frontiers through the densities that the paper plots.

    Attributes
    ----------
    five, mmlu_cf, mmlu
        Of Fig. 1 (five benchmarks) and Fig. 2 (MMLU-CF), each with one rate, and of Fig. 3c
        (MMLU), whose rate may change at ChatGPT.
    drifts
        Whether the scale of the shortfall may drift.
    """

    five: ExponentialFit
    mmlu_cf: ExponentialFit
    mmlu: ExponentialFit
    drifts: bool = False

    @property
    def verdict(self) -> str:
        """PASS if all have passed, else FAIL."""
        parts = (self.five, self.mmlu_cf, self.mmlu)
        return "PASS" if all(part.verdict == "PASS" for part in parts) else "FAIL"

    @property
    def provenance(self) -> dict[str, Any]:
        """Name of the panel, and what each fit came from."""
        parts = {"fig1": self.five, "fig2": self.mmlu_cf, "fig3c": self.mmlu}
        return {"panel": "plotted"} | {name: part.provenance for name, part in parts.items()}


def fit_paper_figures(seed: int = SEED, *, drifts: bool = False) -> PlottedPanel:
    """Fit a frontier through each of the paper's figures of densities, or take it from the store.

    It takes some seconds. With ``drifts`` the scale of the shortfall may change with date.
    """

    def make() -> dict[str, ExponentialFit]:
        return {
            name: fit_plotted(
                load_figures(figure), bend=name == "mmlu", drifts=drifts, name=figure, seed=seed
            )
            for name, figure in FIGURES.items()
        }

    fits = kept_fits("plotted", [seed, drifts], make, __name__)
    return PlottedPanel(**fits, drifts=drifts)


def paper_figures_quantile(seed: int = SEED) -> dict[str, xr.Dataset]:
    """Growth of an upper quantile of each figure's densities, by figure; as for fits of them.

    From the store, or made in some seconds and kept there.
    """

    def make() -> dict[str, xr.Dataset]:
        panel = fit_paper_figures(seed)
        return {name: quantile_growth(getattr(panel, name), seed=seed) for name in FIGURES}

    return kept_draws("plotted-quantile", seed, make, __name__)


def fit_plotted(
    points: pd.DataFrame,
    *,
    bend: bool,
    drifts: bool = False,
    form: Literal["frontier", "mean"] = "frontier",
    name: str = "plotted",
    spec: ModelSpec | None = None,
    seed: int = SEED,
) -> ExponentialFit:
    """Fit a frontier through plotted densities.

    Parameters
    ----------
    points
        One row per system: ``date`` and ``value`` (density, above 0).
    bend
        Whether the rate may change at ChatGPT; else one rate throughout.
    drifts
        Whether the scale of the shortfall may drift.
    form
        "frontier", or "mean" for a line about which densities scatter.
    name
        What the points are called in the provenance.
    spec
        Specification whose priors of the trend are used; "joint" by default.

    Raises
    ------
    DensingError
        If there are fewer than five points, or a density is not positive.
    """
    frontier = plotted_spec(bend, spec, drifts=drifts, form=form)
    return fit_exponential(dated_points(points, frontier, name), frontier, name, seed=seed)


def plotted_spec(
    bend: bool,
    spec: ModelSpec | None = None,
    *,
    drifts: bool = False,
    form: Literal["frontier", "mean"] = "frontier",
) -> ExponentialSpec:
    """Frontier with the priors of a specification's trend; arguments as of :func:`fit_plotted`."""
    trend = (spec or load_spec("joint")).trend
    names = (*PRIORS, "shortfall_growth") if drifts else PRIORS
    priors = {name: getattr(trend, name) for name in names}
    return ExponentialSpec(**priors, form=form, changes=(CHATGPT,) if bend else ())
