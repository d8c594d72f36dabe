"""The joint model as one PyMC model: the plain statement, in the order in which data flow."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
from pytensor.tensor.variable import TensorVariable

from densing_bayes.inputs.dates import date_of
from densing_bayes.inputs.panel import Panel
from densing_bayes.inputs.performance import CurveSpec
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint.density import Density, densities
from densing_bayes.joint.scaling import ScalingLaw, Shape, scaling_laws
from densing_bayes.joint.score_links import ScoreLink, score_link
from densing_bayes.joint.trend import Trend, periods, trend
from densing_bayes.observed.observations import Observations, observe


class Measured(NamedTuple):
    """What was measured, as data of the model: it can be exchanged without compiling anew."""

    loss: TensorVariable
    reference_loss: TensorVariable  # beside the scores of loss-linked benchmarks
    reference_score: TensorVariable
    score: TensorVariable
    repeat: TensorVariable | None  # readings of the same cells under other protocols
    family_loss: TensorVariable | None  # of further families of reference runs


class Parts(NamedTuple):
    """A model with the symbolic parts of its components."""

    model: pm.Model
    data: Measured
    law: ScalingLaw  # that density is measured against
    link: ScoreLink
    trend: Trend
    density: Density
    score_tails: float | None  # degrees of freedom of the noise of systems' scores
    curve: CurveSpec | None  # by which curves are stated, if by two scores


def build_model(spec: ModelSpec, panel: Panel) -> pm.Model:
    """Build the joint model of a specification on a panel.

    A plain :class:`pymc.Model` with named dims (see docs/schema.md): ``pm.sample``, ``pm.do``,
    prior and posterior predictive sampling work on it. :func:`densing_bayes.fit` samples the same
    density in better coordinates.

    Raises
    ------
    SpecError
        If the panel lacks what the specification asks for.
    """
    return assemble(spec, observe(panel, spec)).model


def assemble(spec: ModelSpec, observed: Observations) -> Parts:
    """Build the model from observations, keeping the symbolic parts."""
    with pm.Model(coords=coordinates(spec, observed)) as model:
        data = Measured(
            loss=pm.Data("loss_data", observed.loss, dims="loss_run"),
            reference_loss=pm.Data(
                "reference_loss_data", np.nan_to_num(observed.reference_loss, nan=0.0)
            ),
            reference_score=pm.Data(
                "reference_score_data", observed.reference_score, dims="reference_run"
            ),
            score=pm.Data("score_data", observed.score, dims="cell"),
            repeat=pm.Data("repeat_data", observed.repeat_score, dims="repeat")
            if observed.repeat_label
            else None,
            family_loss=pm.Data("family_loss_data", observed.others.loss, dims="family_loss_run")
            if observed.others
            else None,
        )
        runs, law = scaling_laws(spec, observed, data.loss, data.family_loss)
        link = score_link(spec, observed, runs, data.reference_loss, data.reference_score)
        frontier = trend(spec.trend, observed)
        density = densities(spec, observed, data.score, data.repeat, law, link, frontier)
    performance = spec.performance
    return Parts(
        model, data, law, link, frontier, density, performance.score_tails, performance.curve
    )


def coordinates(spec: ModelSpec, observed: Observations) -> dict[str, Any]:
    """Named dims of the model and their labels."""
    return {
        "benchmark": observed.benchmarks,
        "loss_benchmark": observed.loss_benchmarks,
        "direct_benchmark": observed.direct_benchmarks,
        "loss_run": observed.loss_label,
        "reference_run": observed.reference_label,
        "checkpointed_run": observed.checkpointed,
        **_of_families(observed),
        "system": observed.systems,
        "release": observed.releases,
        "organisation": observed.organisations,
        "cell": observed.cell_label,
        "flag": observed.flags,
        "measure": observed.measures,
        "repeat": observed.repeat_label,
        "stretch": [str(date_of(edge).date()) for edge in observed.walk_edges[:-1]],
        "contrast": list(range(len(observed.benchmarks) - 1)),
        "period": periods(spec.trend.periods, observed.time).label if spec.trend.periods else [],
        **spec.trend.coordinates,
    }


def _of_families(observed: Observations) -> dict[str, Any]:
    if not observed.others:
        return {}
    return {
        "family": observed.others.families,
        "measured_family": observed.others.levels,
        "family_loss_run": observed.others.label,
        "shape": Shape._fields,
    }
