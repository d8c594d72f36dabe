"""Figure of the doubling time by the data that it is estimated from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from densing_bayes.display.figures.canvas import BLUE, VERMILION, new_axes, styled
from densing_bayes.inputs.dates import DAYS_PER_YEAR

LONGEST = 1500.0  # days that the axis reaches to
APART = 0.03  # shift of the two kinds of windows, in years


@styled
def plot_by_year(windows: Sequence[dict[str, Any]], ax: Axes | None = None) -> Axes:
    """Doubling time with its interval in each window, by the date that the window ends before.

    Parameters
    ----------
    windows
        Each with ``window`` ("expanding" or "rolling"), ``before`` (a date) and
        ``doubling_time_days`` (an estimate); those without an estimate are left out.
    ax
        Axes to draw into; new ones by default.
    """
    ax = new_axes(6.4, 4.0)[0] if ax is None else ax
    shapes = (
        ("expanding", BLUE, "o", "all releases before"),
        ("rolling", VERMILION, "s", "two years before"),
    )
    for shift, (kind, colour, marker, label) in zip((-APART, APART), shapes, strict=True):
        own = [each for each in windows if each["window"] == kind and "doubling_time_days" in each]
        at = np.array([_year(each["before"]) + shift for each in own])
        said = [each["doubling_time_days"] for each in own]
        middle = np.array([_days(each["median"]) for each in said])
        low, high = (np.array([_days(each[end]) for each in said]) for end in ("lower", "upper"))
        ax.vlines(at, low, high, colors=colour, linewidth=1.5)
        ax.plot(at, middle, marker, color=colour, label=label)
    ax.set_yscale("log")
    ax.set_ylim(top=LONGEST)
    ax.set_yticks([100, 200, 400, 800], ["100", "200", "400", "800"])
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("end of the data")
    ax.set_ylabel("doubling time of density (days)")
    ax.legend(title="estimated from", loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    return ax


def _year(date: str) -> float:
    day = np.datetime64(date, "D")
    begin = day.astype("datetime64[Y]")
    days = (day - begin.astype("datetime64[D]")).astype(int)
    return float(date[:4]) + float(days) / DAYS_PER_YEAR


def _days(value: float | None) -> float:
    return 2.0 * LONGEST if value is None else value
