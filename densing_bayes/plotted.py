"""The trend through densities that somebody else has plotted, as a stochastic frontier.

Where only densities are published, not the scores behind them, the joint model has nothing to work
on. What is left is its trend: log density = F(t) - shortfall + scatter, with the priors of the
joint specification. The errors of the densities themselves are unknown and so left out, as the
paper does; intervals are too narrow for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.errors import DensingError
from densing_bayes.fitting import PRIOR_DRAWS, SEED
from densing_bayes.line import Line, line_value
from densing_bayes.observations import years_since_origin
from densing_bayes.published import load_figures
from densing_bayes.spec import ModelSpec, load_spec

if TYPE_CHECKING:
    import pymc as pm

FEWEST = 5  # points that a frontier can be fitted to


@dataclass(frozen=True)
class PlottedFit:
    """A frontier through plotted points.

    Attributes
    ----------
    posterior, prior
        Draws, dims (chain, draw): level (ln density at ChatGPT), growth_before and growth_change
        (1/year; the change is absent where the line is straight), shortfall_spread, system_spread.
    diagnostics, provenance
        As of :class:`densing_bayes.Fit`.
    """

    posterior: xr.Dataset
    prior: xr.Dataset
    diagnostics: dict[str, Any]
    provenance: dict[str, Any]

    @property
    def verdict(self) -> str:
        """PASS or FAIL."""
        return str(self.diagnostics["verdict"])


@dataclass(frozen=True)
class PlottedPanel:
    """Frontiers through the densities that the paper plots.

    Attributes
    ----------
    five, mmlu_cf, mmlu
        Of Fig. 1 (five benchmarks) and Fig. 2 (MMLU-CF), each with one rate, and of Fig. 3c
        (MMLU), whose rate may change at ChatGPT.
    """

    five: PlottedFit
    mmlu_cf: PlottedFit
    mmlu: PlottedFit

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


def fit_paper_figures(seed: int = SEED) -> PlottedPanel:
    """Fit a frontier through each of the paper's figures of densities; some ten seconds."""
    five, mmlu_cf, mmlu = (
        fit_plotted(load_figures(figure), bend=bend, name=figure, seed=seed)
        for figure, bend in (("fig1", False), ("fig2", False), ("fig3c", True))
    )
    return PlottedPanel(five, mmlu_cf, mmlu)


def fit_plotted(
    points: pd.DataFrame,
    *,
    bend: bool,
    name: str = "plotted",
    spec: ModelSpec | None = None,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
) -> PlottedFit:
    """Fit a frontier through plotted densities.

    Parameters
    ----------
    points
        One row per system: ``date`` and ``value`` (density, above 0).
    bend
        Whether the rate may change at ChatGPT; else one rate throughout.
    name
        What the points are called in the provenance.
    spec
        Specification whose priors of the trend are used; "joint" by default.

    Raises
    ------
    DensingError
        If there are fewer than five points, or a density is not positive.
    """
    import nutpie
    import pymc as pm

    from densing_bayes.diagnostics import diagnose

    if len(points) < FEWEST or not (points["value"] > 0).all():
        raise DensingError(f"{name}: a frontier needs at least five densities, all above 0")
    model = frontier_model(points, bend, spec)
    trace = nutpie.sample(
        nutpie.compile_pymc_model(model),
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
        target_accept=0.95,
        progress_bar=False,
        save_warmup=False,
    )
    names = [rv.name for rv in model.free_RVs]
    posterior = trace["posterior"].dataset[names]
    diagnostics, _ = diagnose(posterior, trace["sample_stats"].dataset)
    prior = xr.Dataset(
        {
            rv.name: (("chain", "draw"), pm.draw(rv, PRIOR_DRAWS, random_seed=seed + i)[None])
            for i, rv in enumerate(model.free_RVs)
        }
    )
    provenance = {"panel": name, "points": len(points), "seed": seed}
    return PlottedFit(posterior, prior, diagnostics, provenance)


def frontier_model(points: pd.DataFrame, bend: bool, spec: ModelSpec | None = None) -> pm.Model:
    """State the frontier through plotted densities; arguments as of :func:`fit_plotted`."""
    import pymc as pm
    import pytensor.tensor as pt

    from densing_bayes.priors import variable

    priors = (spec or load_spec("joint")).trend
    time = np.array([years_since_origin(date) for date in points["date"]])
    observed = np.log(points["value"].to_numpy(float))
    with pm.Model(coords={"point": np.arange(len(points))}) as model:
        level = variable("level", priors.level)
        growth = variable("growth_before", priors.growth_before)
        bends = [(0.0, variable("growth_change", priors.growth_change))] if bend else []
        line = line_value(Line(level, growth, bends, []), time)
        shortfall = variable("shortfall_spread", priors.shortfall_spread)
        scatter = variable("system_spread", priors.system_spread)
        # The half-normal shortfall of each point integrated out (Aigner, Lovell, Schmidt 1977).
        width = np.sqrt(shortfall**2 + scatter**2)
        above = (observed - line) / width
        tail = 0.5 * pt.erfc(above * shortfall / (scatter * np.sqrt(2.0)))
        likelihood = np.log(2.0 / width) - 0.5 * np.log(2.0 * np.pi) - 0.5 * above**2
        pm.Potential("log_density", likelihood + np.log(tail), dims="point")
    return model
