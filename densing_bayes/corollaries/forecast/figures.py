"""The fan of forecasts: scores that systems of a size have had, and will have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from densing_bayes.display.figures.canvas import (
    BLUE,
    GREY,
    INK,
    VERMILION,
    date_axis,
    days_of,
    new_axes,
    quantiles,
    styled,
)
from densing_bayes.display.figures.data import PlotData, band
from densing_bayes.errors import DensingError
from densing_bayes.inputs.dates import date_of
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.forecasts import release_score_at, score_at, score_limit
from densing_bayes.quantities.labels import benchmark_label
from densing_bayes.quantities.numbers import count

BANDS = (0.95, 0.8, 0.5)
POINTS = 60
AHEAD_DAYS = 730


def score_fan(
    fit: Fit,
    params: float,
    benchmark: str,
    start: Any = None,
    end: Any = None,
    seed: int = 0,
) -> pd.DataFrame:
    """What the fan chart shows: quantiles of the score of a new release, and of the frontier.

    Parameters
    ----------
    fit
        A fit.
    params, benchmark
        As of :func:`densing_bayes.quantities.forecasts.score_at`.
    start, end
        First and last date; by default from the first system to two years after the last.
    seed
        Of the predictive draws.

    Returns
    -------
    pandas.DataFrame
        Index ``date``; ``release_median`` and ``release_lower95``, ``release_upper95`` and so on
        for 80 and 50 of :func:`.release_score_at`; ``frontier_median``,
        ``frontier_lower``, ``frontier_upper`` of :func:`.score_at`, 95%.
    """
    first = pd.Timestamp(start) if start is not None else date_of(fit.observed.time.min())
    last = date_of(fit.observed.time.max()) + pd.Timedelta(days=AHEAD_DAYS)
    last = pd.Timestamp(end) if end is not None else last
    if not first < last:
        raise DensingError(f"start = {first.date()} must be before end = {last.date()}")
    dates = pd.date_range(first, last, periods=POINTS).normalize()
    drawn = release_score_at(fit, dates, params, benchmark, seed)
    columns: dict[str, np.ndarray] = {}
    for level in BANDS:
        lower, middle, upper = quantiles(drawn, level, (0, 1))
        columns |= {
            f"release_lower{level * 100:.0f}": lower,
            f"release_upper{level * 100:.0f}": upper,
        }
        columns["release_median"] = middle
    lower, middle, upper = quantiles(score_at(fit, dates, params, benchmark), CI, (0, 1))
    columns |= {"frontier_median": middle, "frontier_lower": lower, "frontier_upper": upper}
    return pd.DataFrame(columns, index=dates.rename("date"))


def systems_near(fit: Fit, params: float, benchmark: str, within: float = 1.5) -> pd.DataFrame:
    """Scores of the systems whose size is within a factor of ``params``.

    Returns
    -------
    pandas.DataFrame
        Index ``system``; ``date``, ``params``, ``score``.
    """
    if not within >= 1.0:
        raise DensingError(f"within = {within} must be a factor of at least 1")
    observed = fit.observed
    own = observed.cell_benchmark == observed.benchmarks.index(benchmark)
    m = observed.cell_system[own]
    table = pd.DataFrame(
        {
            "date": [date_of(t) for t in observed.time[m]],
            "params": np.exp(observed.log_params[m]),
            "score": observed.score[own],
        },
        index=pd.Index([observed.systems[i] for i in m], name="system"),
    )
    return table[np.abs(np.log(table["params"] / params)) <= np.log(within)]


def score_fan_data(
    fit: Fit,
    ci: float = CI,
    *,
    params: float,
    benchmark: str,
    start: Any = None,
    end: Any = None,
    within: float = 1.5,
) -> PlotData:
    """Of :func:`plot_score_fan`; ``ci`` is of the score that no size reaches.

    ``fan``: as of :func:`score_fan`, with ``date`` as a column; ``systems``: as of
    :func:`systems_near`, within the dates of the fan; ``limit``: median, lower and upper of the
    score that no size reaches.
    """
    fan = score_fan(fit, params, benchmark, start, end)
    near = systems_near(fit, params, benchmark, within)
    near = near[(near["date"] >= fan.index[0]) & (near["date"] <= fan.index[-1])]
    limit = band(np.ravel(score_limit(fit, benchmark))[:, None], ci)
    return {"fan": fan.reset_index(), "systems": near, "limit": limit}


@styled
def plot_score_fan(
    fit: Fit,
    params: float,
    benchmark: str,
    *,
    start: Any = None,
    end: Any = None,
    score: float | None = None,
    within: float = 1.5,
    ax: Axes | None = None,
) -> Axes:
    """Fan chart of the score of a system of ``params`` over dates.

    Parameters
    ----------
    fit, params, benchmark, start, end
        As of :func:`score_fan`.
    score
        A score to mark.
    within
        Systems within this factor of ``params`` are shown.
    ax
        Axes to draw into; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes
        Bands of 50, 80 and 95% of a new release, the frontier with its 95% interval, the
        observed systems, the last datum, and the score that no size reaches.
    """
    fan, near, limit = score_fan_data(
        fit, params=params, benchmark=benchmark, start=start, end=end, within=within
    ).values()
    ax = new_axes(8.0, 4.6)[0] if ax is None else ax
    days = days_of(fan["date"])
    for level, alpha in zip(BANDS, (0.14, 0.2, 0.28), strict=True):
        name = f"{level * 100:.0f}"
        lower, upper = fan[f"release_lower{name}"], fan[f"release_upper{name}"]
        label = f"new release, {name}%"
        ax.fill_between(days, lower, upper, color=BLUE, alpha=alpha, lw=0, label=label)
    ax.plot(days, fan["frontier_median"], color=VERMILION, lw=1.6, label="frontier, 95%")
    for side in ("lower", "upper"):
        ax.plot(days, fan[f"frontier_{side}"], color=VERMILION, lw=0.8, ls="--")
    low, high = (f"{size / 1e9:.3g}e9" for size in (params / within, params * within))
    label = f"systems of {low} to {high} params"
    ax.plot(days_of(near["date"]), near["score"], "o", color=INK, ms=4, mec="white", label=label)
    middle, least, most = limit.iloc[0]
    ax.axhspan(least, most, color=GREY, alpha=0.18, lw=0, label="score that no size reaches, 95%")
    ax.axhline(middle, color=GREY, lw=0.8)
    last = days_of([date_of(fit.observed.time.max())])[0]
    ax.axvline(last, color=GREY, lw=0.8, ls=":")
    if score is not None:
        ax.axhline(score, color=INK, lw=0.8, ls="--")
    ax.set_xlim(days[0], days[-1])
    ax.set_ylim(0.0, 1.0)
    date_axis(ax)
    ax.set_ylabel(f"{benchmark_label(benchmark, fit.observed)}, system of {count(params)} params")
    ax.legend(loc="lower right", fontsize=7, frameon=False)
    return ax
