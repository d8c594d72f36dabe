"""Dates and the time inside models: years since the release of ChatGPT."""

from __future__ import annotations

import datetime as dt

import pandas as pd

ORIGIN = pd.Timestamp("2022-11-30")  # release of ChatGPT: time zero inside the models
DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12


def years_since_origin(date: str | dt.date | pd.Timestamp) -> float:
    """Years from the release of ChatGPT (2022-11-30) to a date, negative before."""
    return (pd.Timestamp(date) - ORIGIN).days / DAYS_PER_YEAR


def date_of(years: float) -> pd.Timestamp:
    """Calendar date of a model time, rounded to the day."""
    return ORIGIN + pd.Timedelta(days=round(float(years) * DAYS_PER_YEAR))
