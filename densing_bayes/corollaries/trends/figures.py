"""Figure of an exponential trend over its points."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from densing_bayes.corollaries.trends.exponential import ExponentialFit, line_through
from densing_bayes.display.figures.canvas import (
    BLUE,
    GREY,
    VERMILION,
    date_axis,
    days_of,
    new_axes,
    styled,
)
from densing_bayes.display.figures.data import PlotData, band
from densing_bayes.inputs.dates import date_of
from densing_bayes.posterior.result import CI
from densing_bayes.quantities.numbers import percent

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
        A fit of :func:`densing_bayes.corollaries.trends.exponential.fit_exponential`.
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
