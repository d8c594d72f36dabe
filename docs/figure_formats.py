"""Figures as pages write them."""

from __future__ import annotations

from typing import Any


def interval(estimate: dict[str, Any], digits: int = 0) -> tuple[str, ...]:
    """Median and limits."""
    return tuple(f"{estimate[key]:.{digits}f}" for key in ("median", "lower", "upper"))


def decimals(*values: float, digits: int = 2) -> tuple[str, ...]:
    """Numbers with so many decimals."""
    return tuple(f"{value:.{digits}f}" for value in values)


def texts(row: dict[str, Any], *keys: str) -> tuple[str, ...]:
    """Entries of a row, median and limits unless said, as they are."""
    return tuple(str(row[key]) for key in keys or ("median", "lower", "upper"))


def counts(row: dict[str, Any], *keys: str) -> tuple[str, ...]:
    """Numbers of a row, rounded to whole ones."""
    return tuple(f"{row[key]:.0f}" for key in keys)


def probability(p: float) -> str:
    """A probability, to three digits where it is near 1."""
    if p > 0.999:
        return "> 0.999"
    return f"{p:.3f}" if p >= 0.99 else f"{p:.2f}"


def equation(p: float) -> str:
    """What a small probability is, or below what it lies."""
    return "< 0.001" if p < 0.0005 else f"= {p:.3f}"


def days(number: float | None) -> str:
    """A number of days, or that there is no bound."""
    return "unbounded" if number is None else f"{number:.0f}"


def of_row(row: dict[str, Any], name: str) -> tuple[str, ...]:
    """Median and limits of a row that has them beside each other."""
    return tuple(f"{row[name + end]:.2f}" for end in ("", "_lower", "_upper"))


def small(p: float) -> str:
    """A probability that may be small, or below what it lies."""
    return "< 0.001" if p < 0.0005 else f"{p:.3f}" if p < 0.01 else probability(p)


def dates(estimate: dict[str, Any]) -> tuple[str, ...]:
    """Median and limits of a date that may never come."""
    return tuple(estimate[key] or "never" for key in ("median", "lower", "upper"))
