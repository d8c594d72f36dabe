"""Numbers as they are written in text: digits, units, intervals, probabilities."""

from __future__ import annotations

import math
from typing import Any


def number(value: float | None, digits: int = 3) -> str:
    """A number with some significant digits and no exponent; None and infinity are "inf"."""
    if value is None or math.isinf(value):
        return "inf" if value is None or value > 0 else "-inf"
    if math.isnan(value):
        return "unknown"
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(places, 8)}f}"


def days(value: float | None) -> str:
    """A time in days, whole from 10 on; None and infinity are "inf"."""
    if value is None or not math.isfinite(value) or abs(value) < 10:
        return number(value, 2)
    return f"{value:,.0f}"


def count(value: float) -> str:
    """A count of params or tokens with SI letters of the field: 7e9 is "7.0B"."""
    if not math.isfinite(value):
        return "inf"
    if value >= 1e18:  # no model is as large, and digits would not fit
        return f"{value:.1e}"
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            scaled = value / size
            return f"{scaled:.0f}{letter}" if scaled >= 99.5 else f"{scaled:.2g}{letter}"
    return f"{value:.0f}"


def probability(value: float) -> str:
    """A probability as written after "P = ": never 0 or 1, which draws cannot show."""
    if value > 0.999:
        return "> 0.999"
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3f}" if value > 0.99 or value < 0.01 else f"{value:.2f}"


def is_probability(value: float) -> str:
    """A probability with its sign of relation: "= 0.97", "> 0.999"."""
    text = probability(value)
    return text if text[0] in "<>" else f"= {text}"


def limits(estimate: dict[str, Any], digits: int = 3) -> str:
    """The interval of an estimate, "96 to 155"; an unbounded limit is "inf"."""
    lower, upper = (_in_unit(estimate, name, digits) for name in ("lower", "upper"))
    return f"{lower} to {upper}"


def time_limits(estimate: dict[str, Any]) -> str:
    """The interval of a time in words, for sentences: "96 to 155 days", "109 days or more ..."."""
    if estimate["lower"] is None:
        return "unbounded"
    if estimate["upper"] is None:
        return f"{days(estimate['lower'])} days or more, no upper limit"
    return f"{limits(estimate)} days"


def median(estimate: dict[str, Any], digits: int = 3) -> str:
    """The median of an estimate."""
    return _in_unit(estimate, "median", digits)


def _in_unit(estimate: dict[str, Any], name: str, digits: int) -> str:
    value = estimate[name]
    if estimate["unit"] == "days":
        return days(value)
    if estimate["unit"] == "1/day" and value is not None:  # aligned, so with fixed places
        return f"{value:z.{digits + 2}f}"  # and no negative zero
    return number(value, digits)


def percent(ci: float) -> str:
    """An interval's probability as a per cent: 0.95 is "95%"."""
    return f"{100 * ci:.4g}%"
