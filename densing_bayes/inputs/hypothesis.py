"""What a line over time may do: changes at dates, a random walk, or growth that decays."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from densing_bayes.inputs.dates import MOST_DAYS, Day
from densing_bayes.inputs.families import Frozen, Positive, PositivePrior, RealPrior

MOST_CHANGES = 24
MOST_KNOTS = 240
"""Of a trend, so that a model of it can be built and sampled in minutes."""


class ChangeSpec(Frozen):
    """A change of the trend in slope, level or both, at a date or somewhere in a window.

    A date that is not known is uniform over the window from ``earliest`` to ``latest``; changes
    that share a window are in order of date.
    """

    name: Annotated[str, Field(min_length=1)]
    label: str | None = None  # as it is written in text; that of the table of events by default
    date: Day | None = None
    earliest: Day | None = None
    latest: Day | None = None
    slope: bool = True
    level: bool = False

    @property
    def known(self) -> bool:
        """Whether the date is given."""
        return self.date is not None

    @property
    def window(self) -> tuple[dt.date, dt.date]:
        """First and last date that the change can have; one date twice where it is known."""
        first, last = self.date or self.earliest, self.date or self.latest
        assert first is not None and last is not None  # by the validator
        return first, last

    @model_validator(mode="after")
    def _is_a_change(self) -> ChangeSpec:
        if not (self.slope or self.level):
            raise ValueError("a change needs slope = true, level = true or both")
        if self.known == (self.earliest is not None or self.latest is not None):
            raise ValueError("a change needs a date, or earliest and latest, and not both")
        if self.known:
            return self
        if self.earliest is None or self.latest is None:
            raise ValueError("a window needs both earliest and latest")
        if self.earliest >= self.latest:
            raise ValueError(
                f"the window from {self.earliest} to {self.latest} has no width: earliest must be "
                f"before latest; for a known date write date = {self.earliest}"
            )
        if self.level:
            raise ValueError(
                "a jump in level needs a known date (its density has no slope in the date): "
                "give date, or write level = false"
            )
        return self


class SmoothSpec(Frozen):
    """A growth rate that takes a random walk: it changes at knots from ``start`` to ``end``."""

    start: Day
    end: Day
    every_days: Annotated[int, Field(ge=28, le=MOST_DAYS)]
    spread: PositivePrior  # standard deviation of the change of the growth rate in a year, 1/year

    @model_validator(mode="after")
    def _has_knots(self) -> SmoothSpec:
        if self.start >= self.end:
            raise ValueError(f"start = {self.start} must be before end = {self.end}")
        if len(self.knots) > MOST_KNOTS:
            raise ValueError(
                f"{len(self.knots)} knots from {self.start} to {self.end} are more than "
                f"{MOST_KNOTS}: raise every_days, or bring start and end nearer to the data"
            )
        return self

    @property
    def knots(self) -> tuple[dt.date, ...]:
        """Dates at which the growth rate changes."""
        count = (self.end - self.start).days // self.every_days + 1
        return tuple(self.start + dt.timedelta(days=i * self.every_days) for i in range(count))


class SaturationSpec(Frozen):
    """A growth rate that decays exponentially from ``start`` on: density levels off."""

    start: Day
    decay: PositivePrior  # 1/year


class WalkSpec(Frozen):
    """A trend that wanders: level and growth rate take a step every so many months.

    Steps of the level are Student-t with ``tails`` degrees of freedom, or normal without. Spreads
    are those of a year's steps: of the level in log density, of the growth rate in 1/year.
    """

    every_months: Annotated[int, Field(ge=1, le=12)] = 3
    level_spread: PositivePrior
    growth_spread: PositivePrior
    tails: Annotated[float, Field(gt=2, allow_inf_nan=False)] | None = None

    @property
    def width(self) -> float:
        """Years between two steps."""
        return self.every_months / 12.0

    def edges(self, first: float, last: float) -> tuple[float, ...]:
        """Times in years between which steps are taken, whole steps from time 0 on both sides."""
        low, high = math.floor(first / self.width), max(0, math.ceil(last / self.width))
        return tuple(self.width * i for i in range(min(low, 0), high + 1))


class PeriodSpec(Frozen):
    """Systems of one stretch of time share an effect, which goes when the stretch ends.

    ``spread`` is that of the effects, in log density.
    """

    every_months: Annotated[int, Field(ge=1, le=12)] = 3
    spread: PositivePrior

    def begun(self, time: Iterable[float]) -> list[int]:
        """Number of the stretch that each time in years lies in, counted from time 0 on."""
        return [math.floor(12.0 * each / self.every_months) for each in time]

    def begin(self, number: int) -> float:
        """Begin of a stretch, in years."""
        return number * self.every_months / 12.0


def _check_changes(
    changes: tuple[ChangeSpec, ...], smooth: SmoothSpec | None, saturation: SaturationSpec | None
) -> None:
    if sum(map(bool, (changes, smooth, saturation))) > 1:
        raise ValueError("a trend has changes, or is smooth, or saturates: give one of the three")
    steps = sum(change.slope + change.level for change in changes)
    if steps > MOST_CHANGES:  # of terms that the line has, of which PyTensor takes 32 in one sum
        raise ValueError(
            f"{steps} changes of slope or level are more than {MOST_CHANGES}: leave some out, or "
            f"say that the trend is smooth"
        )
    names = [change.name for change in changes]
    if len(set(names)) < len(names):
        raise ValueError("two changes bear one name: give each its own")
    for one, two in itertools.pairwise(changes):
        same_window = not one.known and one.window == two.window
        if not (same_window or one.window[1] < two.window[0]):
            raise ValueError(
                f"changes must be in order of date, no date twice, and windows must be one and the "
                f"same or apart: '{one.name}' and '{two.name}' are not"
            )


class Hypothesis(Frozen):
    """What the frontier did: the part of a trend that hypotheses differ in.

    Load one with :func:`load_hypothesis`. ``prior_odds`` weigh hypotheses against each other
    before the data; only their ratios matter. The two priors replace those of the model
    specification where they are given.
    """

    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    prior_odds: Positive = 1.0
    changes: Annotated[tuple[ChangeSpec, ...], Field(max_length=MOST_CHANGES)] = ()
    smooth: SmoothSpec | None = None
    saturation: SaturationSpec | None = None
    growth_change: RealPrior | None = None
    level_change: RealPrior | None = None

    @model_validator(mode="after")
    def _distinct_changes(self) -> Hypothesis:
        _check_changes(self.changes, self.smooth, self.saturation)
        return self


class LineSpec(Frozen):
    """A line over time, what may change in it, and the priors of its parameters."""

    changes: Annotated[tuple[ChangeSpec, ...], Field(max_length=MOST_CHANGES)] = ()
    smooth: SmoothSpec | None = None
    saturation: SaturationSpec | None = None
    level: RealPrior
    growth_before: RealPrior
    growth_change: RealPrior
    level_change: RealPrior

    @model_validator(mode="after")
    def _distinct_changes(self) -> LineSpec:
        _check_changes(self.changes, self.smooth, self.saturation)
        return self

    @property
    def undated(self) -> tuple[ChangeSpec, ...]:
        """The changes whose date is left to the data, in order."""
        return tuple(change for change in self.changes if not change.known)

    @property
    def coordinates(self) -> dict[str, list[str]]:
        """Names along the dims that a model of the line has."""
        return {
            "change": [change.name for change in self.changes],
            "undated_change": [change.name for change in self.undated],
            "slope_change": [change.name for change in self.changes if change.slope],
            "level_change_at": [change.name for change in self.changes if change.level],
            "knot": [knot.isoformat() for knot in self.smooth.knots] if self.smooth else [],
        }

    def under(self, hypothesis: Hypothesis) -> Self:
        """The same with the changes of a hypothesis, and its priors where it has its own."""
        update: dict[str, Any] = {
            key: getattr(hypothesis, key) for key in ("changes", "smooth", "saturation")
        }
        for key in ("growth_change", "level_change"):
            update[key] = getattr(hypothesis, key) or getattr(self, key)
        return self.model_copy(update=update)


NONE = Hypothesis(name="none")
"""The hypothesis of no change."""
