"""Changes of a trend, as arrays of dates, and whether a panel can tell of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from densing_bayes.errors import SpecError
from densing_bayes.inputs.dates import date_of, years_since_origin
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.arrays import Floats


def changes_of(spec: ModelSpec) -> dict[str, Any]:
    """Names and dates of the changes of the trend."""
    changes = spec.trend.changes
    return {
        "changes": tuple(change.name for change in changes),
        "change_earliest": np.array([years_since_origin(change.window[0]) for change in changes]),
        "change_latest": np.array([years_since_origin(change.window[1]) for change in changes]),
    }


def check_changes(spec: ModelSpec, time: Floats) -> None:
    """Refuse changes that lie outside the data."""
    first, last = date_of(time.min()).date(), date_of(time.max()).date()
    smooth = spec.trend.smooth
    if smooth is not None and not any(first < knot < last for knot in smooth.knots):
        raise SpecError(
            f"no knot of the smooth trend, {smooth.start} to {smooth.end}, lies within the data, "
            f"which run from {first} to {last}"
        )
    for change in spec.trend.changes:
        start, end = map(years_since_origin, change.window)
        if change.known and not time.min() < start <= time.max():
            raise SpecError(
                f"change '{change.name}' at {change.date} lies outside the data, which run from "
                f"{first} to {last}: there is nothing on one side of it"
            )
        if not change.known and not np.any((time >= start) & (time <= end)):
            raise SpecError(
                f"the window of change '{change.name}', {change.earliest} to {change.latest}, "
                f"holds no release; the data run from {first} to {last}"
            )
