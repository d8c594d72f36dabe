"""Dates and the time inside models: years since the release of ChatGPT."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import pandas as pd
from pydantic import AfterValidator

FIRST_DAY, LAST_DAY = dt.date(1800, 1, 1), dt.date(2200, 12, 31)
MOST_DAYS = (LAST_DAY - FIRST_DAY).days
OUTSIDE = f"lies outside {FIRST_DAY.year} to {LAST_DAY.year}"

ORIGIN = pd.Timestamp("2022-11-30")  # release of ChatGPT: time zero inside the models
DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12


def _within_range(day: dt.date) -> dt.date:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"the date {OUTSIDE}")
    return day


Day = Annotated[dt.date, AfterValidator(_within_range)]
"""A date of a specification, within what can be computed with."""


def years_since_origin(date: str | dt.date | pd.Timestamp) -> float:
    """Years from the release of ChatGPT (2022-11-30) to a date, negative before."""
    return (pd.Timestamp(date) - ORIGIN).days / DAYS_PER_YEAR


def date_of(years: float) -> pd.Timestamp:
    """Calendar date of a model time, rounded to the day."""
    return ORIGIN + pd.Timedelta(days=round(float(years) * DAYS_PER_YEAR))
