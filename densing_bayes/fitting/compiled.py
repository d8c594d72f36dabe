"""A model compiled once, for panels of one shape and for hypotheses of one structure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from densing_bayes.fitting.engine.functions import Engine, make_engine
from densing_bayes.inputs.families import Normal
from densing_bayes.inputs.hypothesis import ChangeSpec
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.observations import Observations, placed

if TYPE_CHECKING:
    from densing_bayes.fitting.coordinates.conditioned import Conditioned
    from densing_bayes.joint.model import Parts

NEVER = dt.date(2200, 1, 1)  # a change so long after the data does not touch them


class Compiled(NamedTuple):
    """A specification compiled for panels of one shape and hypotheses of one structure."""

    spec: ModelSpec
    parts: Parts
    conditioned: Conditioned
    engine: Engine

    @property
    def names(self) -> list[str]:
        """Names of all variables of the model but the observed ones."""
        return _names(self.parts)

    def serves(self, spec: ModelSpec, observed: Observations) -> bool:
        """Whether a specification and a panel need no compilation of their own.

        They may differ in names and dates of changes, and in measured values, and a model
        compiled :func:`with_room` serves all that leave some of that room.
        """
        labels = ("cell_label", "loss_label", "reference_label", "repeat_label")
        own = self.conditioned.observed
        same = all(getattr(own, label) == getattr(observed, label) for label in labels)
        same &= (own.others and own.others.label) == (observed.others and observed.others.label)
        return same and structure(self.spec) in (structure(spec), structure(with_room(spec)))

    def dates(self, spec: ModelSpec, observed: Observations) -> dict[str, Any]:
        """The model's data about the changes of a specification that it serves, by name."""
        if structure(self.spec) != structure(spec):
            observed = placed(observed, with_room(spec))
        dates = {
            "change_earliest": observed.change_earliest,
            "change_latest": observed.change_latest,
        }
        return {name: value for name, value in dates.items() if name in self.parts.model}

    def idle(self, spec: ModelSpec) -> dict[str, Normal]:
        """Coordinates of changes that lie after the data, by name, and their priors."""
        room, stated = self.spec.trend.coordinates, spec.trend.coordinates
        priors = {
            "slope_change": ("growth_change[0]", spec.trend.growth_change),
            "level_change_at": ("level_change[0]", spec.trend.level_change),
        }
        return dict(priors[dim] for dim in priors if len(room[dim]) > len(stated[dim]))


def structure(spec: ModelSpec) -> str:
    """What of a specification is compiled; names and dates of changes are data."""
    pattern, before = [], None
    for change in spec.trend.changes:
        window = None if change.known else change.window
        in_order = window is not None and window == before  # after the date of the one before
        pattern.append((change.slope, change.level, change.known, in_order))
        before = window
    return f"{spec.replace(trend__changes=()).hash} {pattern}"


def with_room(spec: ModelSpec) -> ModelSpec:
    """The specification with one bend and one jump at known dates, if it has no more than those.

    What it does not have lies long after the data, where it changes nothing. So one compilation
    serves hypotheses with a bend, with a jump, with both and with none.
    """
    trend = spec.trend
    bends = [change.date for change in trend.changes if change.slope]
    jumps = [change.date for change in trend.changes if change.level]
    straight = trend.smooth is None and trend.saturation is None and not trend.undated
    if not straight or max(len(bends), len(jumps)) > 1:
        return spec
    changes = (
        ChangeSpec(name="bend", date=(bends or [NEVER])[0]),
        ChangeSpec(name="jump", date=(jumps or [NEVER])[0], slope=False, level=True),
    )
    return spec.model_copy(update={"trend": trend.model_copy(update={"changes": changes})})


def compile_fit(spec: ModelSpec, observed: Observations) -> Compiled:
    """Build and compile the model once, for this and any panel of the same shape."""
    from densing_bayes.fitting.coordinates.conditioned import condition
    from densing_bayes.fitting.start import pilot
    from densing_bayes.joint.model import assemble

    observed = placed(observed, spec)
    parts = assemble(spec, observed)
    start = pilot(spec, observed).point(parts.model.initial_point())
    conditioned = condition(parts, observed, start)
    engine = make_engine(conditioned.model, ["whitened", *_names(parts)])
    return Compiled(spec, parts, conditioned, engine)


def _names(parts: Parts) -> list[str]:
    return [rv.name for rv in (*parts.model.free_RVs, *parts.model.deterministics)]
