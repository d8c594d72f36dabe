"""Figures of exponential trends: one trend over its points, and doubling times on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from densing_bayes.canvas import (
    BLUE,
    GREY,
    INK,
    VERMILION,
    date_axis,
    days_of,
    new_axes,
    styled,
)
from densing_bayes.corollaries.engines import engine_label
from densing_bayes.exponential import ExponentialFit, line_through
from densing_bayes.fits import CI
from densing_bayes.observations import date_of
from densing_bayes.plot_data import PlotData, band
from densing_bayes.wording import percent

BEYOND = 1e5  # days that no axis shows
LONGEST_POINT = pd.Timedelta(days=7)  # between the limits of a date that is drawn as a point


def exponential_data(fit: ExponentialFit, ci: float = CI) -> PlotData:
    """Of :func:`plot_exponential`, in the unit of the values.

    ``trend``: date, median, lower, upper; ``points``: first_date and last_date, between which the
    date is, date (their middle), low and high, between which the value is, value (their geometric
    mean), and member, the probability that the point belongs to the class.
    """
    points = fit.points
    first, last = ([date_of(float(t)) for t in ends] for ends in (points.first, points.last))
    span = pd.date_range(min(first), max(last), periods=120)
    table = pd.DataFrame(
        {
            "date": [date_of(float(t)) for t in (points.first + points.last) / 2.0],
            "first_date": first,
            "last_date": last,
            "value": np.exp((points.log_low + points.log_high) / 2.0),
            "low": np.exp(points.log_low),
            "high": np.exp(points.log_high),
            "member": points.member,
        }
    )
    trend = band(line_through(fit, span), ci, (0, 1)).transform(np.exp)
    return {"trend": trend.assign(date=span)[["date", *trend]], "points": table}


@styled
def plot_exponential(
    fit: ExponentialFit, ax: Axes | None = None, unit: str = "", ci: float = CI
) -> Axes:
    """Dated values and the trend through them.

    Parameters
    ----------
    fit
        A fit of :func:`densing_bayes.exponential.fit_exponential`.
    ax
        Axes to draw into; new ones by default.
    unit
        Of the values, for the axis.
    ci
        Probability of the band.

    Returns
    -------
    matplotlib.axes.Axes
        y is logarithmic. Values and dates of which only limits are known are lines; the more
        likely a point belongs to the class, the darker it is.
    """
    ax = new_axes(8.0, 4.6)[0] if ax is None else ax
    trend, points = exponential_data(fit, ci).values()
    days, value = days_of(points["date"]), points["value"].to_numpy()
    name = "edge" if fit.spec.form == "frontier" else "trend"
    label = f"{name}, {percent(ci)} interval"
    span = trend["date"]
    ax.fill_between(span, trend["lower"], trend["upper"], color=BLUE, alpha=0.16, lw=0, label=label)
    ax.plot(span, trend["median"], color=BLUE, label=f"{name}, median")
    between = points[points["low"] < points["high"]]
    ax.vlines(days_of(between["date"]), between["low"], between["high"], color=GREY, lw=1.2)
    limited = points[points["last_date"] - points["first_date"] > LONGEST_POINT]
    starts, ends = days_of(limited["first_date"]), days_of(limited["last_date"])
    ax.hlines(limited["value"], starts, ends, color=GREY, lw=0.8, zorder=1.5)
    few = len(value) < 150
    sure = points["member"].to_numpy() >= 0.5
    for chosen, face, label in (
        (sure, VERMILION, "point"),
        (~sure, "none", "probably not of this level"),
    ):
        if chosen.any():
            ax.scatter(
                days[chosen],
                value[chosen],
                s=16 if few else 6,
                facecolors=face,
                edgecolors=VERMILION,
                linewidths=0.7,
                alpha=0.9 if few else 0.5,
                zorder=3,
                label=label,
            )
    date_axis(ax)
    ax.set_yscale("log")
    plain = FuncFormatter(_plain)
    ax.yaxis.set_major_formatter(plain)
    within_a_decade = np.ptp(np.log10(value)) < 1.0
    ax.yaxis.set_minor_formatter(plain if within_a_decade else NullFormatter())
    ax.set_ylabel(unit)
    ax.legend(frameon=False, fontsize=8)
    return ax


def _plain(value: float, _: int = 0) -> str:
    """Tick label; a function of its own, so that a figure can be stored."""
    return f"{value:g}"


def doubling_times_data(table: pd.DataFrame, ci: float = CI) -> PlotData:
    """Of :func:`plot_doubling_times`; ``ci`` is not used, the table has its intervals.

    ``engines``: index engine; label, median, lower, upper in days (infinite where unbounded).
    """
    said = table["doubling_time"]
    columns = {
        key: [float("inf") if row[key] is None else row[key] for row in said]
        for key in ("median", "lower", "upper")
    }
    labels = [engine_label(str(name)) for name in table.index]
    index = table.index.rename("engine")
    return {"engines": pd.DataFrame({"label": labels} | columns, index=index)}


@styled
def plot_doubling_times(
    table: pd.DataFrame,
    claims: Mapping[str, Sequence[float]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Doubling times of engines on one scale.

    Parameters
    ----------
    table
        Of :func:`densing_bayes.corollaries.engines.engine_table`.
    claims
        Published doubling times in days, by engine.
    ax
        Axes to draw into; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes
        x is the doubling time on a logarithmic scale from months to decades.
    """
    ax = new_axes(8.0, 0.9 + 0.45 * len(table))[0] if ax is None else ax
    engines = doubling_times_data(table)["engines"]
    for place, (name, row) in enumerate(engines.iterrows()):
        ends = np.minimum([row["lower"], row["upper"]], BEYOND)
        ax.plot(ends, [place] * 2, color=BLUE, lw=2.2, solid_capstyle="butt")
        if row["median"] < BEYOND:
            ax.plot(row["median"], place, "o", color=BLUE, ms=6, zorder=4)
        for value in (claims or {}).get(str(name), ()):
            ax.plot(value, place, "x", color=INK, ms=7, mew=1.6, zorder=5)
    ax.plot([], [], "o-", color=BLUE, ms=6, lw=2.2, label="posterior median and interval")
    if claims:
        ax.plot([], [], "x", color=INK, ms=7, mew=1.6, ls="none", label="published")
    ax.set_yticks(range(len(table)), list(engines["label"]))
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.set_xscale("log")
    marks = {30.4: "1 month", 91.3: "3 months", 365.25: "1 year", 1096: "3 years", 3652: "10 years"}
    marks[10957] = "30 years"
    ax.set_xticks(list(marks), list(marks.values()))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(45, 14000)
    ax.set_xlabel("doubling time")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=8)
    return ax
