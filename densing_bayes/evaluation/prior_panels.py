"""Panels drawn from the prior: whether what the priors expect looks like evaluations of models.

A prior is to be judged by what it expects to see. Each prior draw gives a panel of the shape of
the real one, and a panel is usable if on every benchmark

- the greatest loss of the reference runs is between LOSS_RATIO times the least: training lowered
  the loss, and not to next to nothing;
- the scores of the reference runs rise by RISE of the way from chance to 1 or more: they show a
  curve, and not its floor alone;
- the middle half of the systems' scores is MIDDLE_HALF wide or more: neither the floor nor the
  ceiling holds three quarters of the systems, where scores say nothing of density.

The embedded panels lie well inside these limits: their
losses fall by factors of 1.6 to 3.8, their reference scores rise by half of the way or more, and
the middle halves of their scores are 0.18 wide or more. The rule was written down before any prior
was changed for its sake.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.evaluation.simulation import simulate
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint.model import assemble
from densing_bayes.joint.variables import drawn
from densing_bayes.observed.observations import Observations

LOSS_RATIO = (1.1, 10.0)  # of the greatest loss of the reference runs to the least
RISE = 0.25  # of the reference scores, of the way from chance to 1
MIDDLE_HALF = 0.05  # distance of the quartiles of the systems' scores
LEAST_USABLE = 0.5  # share of panels: a prior that expects the impossible more often is a bad guess
PANELS = 200  # the standard error of a share of one half is then 0.035
LOCAL = frozenset({"system", "release", "organisation", "cell", "period"})  # simulated, not given


@dataclass(frozen=True)
class PriorPanels:
    """What panels drawn from the prior look like. Made by :func:`prior_panels`.

    Attributes
    ----------
    faults
        One row per panel, one column per demand on a benchmark, whose name says what is wrong
        where it is not met; True where it is not.
    """

    faults: pd.DataFrame

    @property
    def usable(self) -> float:
        """Share of panels that meet every demand."""
        return float((~self.faults.any(axis=1)).mean())

    def commonest(self, count: int = 3) -> list[tuple[str, float]]:
        """The commonest faults, each with the share of panels that have it."""
        shares = self.faults.mean().sort_values(ascending=False, kind="stable").head(count)
        return [(str(fault), float(share)) for fault, share in shares.items() if share > 0.0]


def prior_panels(
    spec: ModelSpec, observed: Observations, panels: int = PANELS, seed: int = 0
) -> PriorPanels:
    """Draw panels of the shape of an observed one from the prior, and judge each.

    Parameters
    ----------
    spec
        A specification.
    observed
        The panel whose runs, systems and cells are kept.
    panels
        Number of panels.
    seed
        Of the draws of parameters, and with the number of the panel of its measurements.
    """
    truths = prior_truths(spec, observed, panels, seed)
    rows = []
    for number in range(panels):
        truth = truths.isel(each=number)
        rows.append(panel_faults(simulate(spec, observed, truth, seed + number)[0]))
    return PriorPanels(pd.DataFrame(rows))


def prior_truths(spec: ModelSpec, observed: Observations, count: int, seed: int) -> xr.Dataset:
    """Prior draws of what all systems share, along the dim ``each``."""
    model = assemble(spec, observed).model
    dims = model.named_vars_to_dims
    names = [
        str(variable.name)
        for variable in (*model.free_RVs, *model.deterministics)
        if LOCAL.isdisjoint(dims.get(variable.name, ()))
    ]
    values = drawn(model, names, count, seed)
    return xr.Dataset({name: (("each", *dims.get(name, ())), values[name]) for name in names})


def panel_faults(observed: Observations) -> dict[str, bool]:
    """What is demanded of a panel, by what is wrong where it is not met."""
    return {fault: not met for fault, met in _demands(observed)}


def usable(observed: Observations) -> bool:
    """Whether a panel meets every demand: judged by what was measured, and by nothing else."""
    return not any(panel_faults(observed).values())


def _demands(observed: Observations) -> Iterator[tuple[str, bool]]:
    low, high = LOSS_RATIO
    for k, name in enumerate(observed.benchmarks):
        losses = observed.loss[observed.loss_benchmark == k]
        if k < len(observed.loss_benchmarks) and losses.size > 1:
            ratio = losses.max() / losses.min()
            yield f"losses of {name} hardly fall", bool(ratio >= low)
            yield f"losses of {name} fall to next to nothing", bool(ratio <= high)
        scores = observed.reference_score[observed.reference_benchmark == k]
        if scores.size > 1:
            rise = np.ptp(scores) / (1.0 - observed.chance[k])
            yield f"reference scores on {name} show no curve", bool(rise >= RISE)
        first, third = np.quantile(observed.score[observed.cell_benchmark == k], [0.25, 0.75])
        yield f"systems' scores on {name} are all alike", bool(third - first >= MIDDLE_HALF)
