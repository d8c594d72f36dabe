"""Figures of the drivers: density and longer training by date, growth by driver, the prior."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from densing_bayes.corollaries.drivers.data import (
    DriverData,
    DriversSpec,
    driver_data,
    drivers_spec,
)
from densing_bayes.corollaries.drivers.overtraining import overtraining
from densing_bayes.corollaries.small_model import Posterior
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
from densing_bayes.display.figures.data import PlotData
from densing_bayes.inputs.dates import date_of
from densing_bayes.inputs.panel import Panel
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.numbers import percent

ROWS = {
    "growth_total": "regression: all",
    "growth": "regression: at fixed tokens",
    "growth_by_driver": "regression: with tokens",
    "law:density_growth": "each draw: all",
    "law:overtraining_growth": "scaling law: longer training",
    "law:rest_growth": "each draw: the rest",
}


def gains(
    fit: Fit,
    spec: DriversSpec | str | os.PathLike[str] = "drivers",
    panel: Panel | str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Posterior medians of log density and of what longer training alone gives.

    Returns
    -------
    pandas.DataFrame
        Index ``system``; ``date``, ``log_density``, ``overtraining`` (infinite where most draws
        say that no size trained on D0 tokens does as well).
    """
    data = driver_data(fit, spec, panel)
    names = list(data.systems)
    gain = overtraining(fit, panel).mean("benchmark").sel(system=names)
    density = fit.posterior["log_density"].sel(system=names)
    return pd.DataFrame(
        {
            "date": [date_of(t) for t in data.time],
            "log_density": np.median(density.transpose("chain", "draw", "system"), axis=(0, 1)),
            "overtraining": np.quantile(
                gain.transpose("chain", "draw", "system"), 0.5, axis=(0, 1), method="inverted_cdf"
            ),
        },
        index=pd.Index(names, name="system"),
    )


def drivers_data(
    fit: Fit,
    ci: float = CI,
    *,
    table: pd.DataFrame,
    spec: DriversSpec | str | os.PathLike[str] = "drivers",
    panel: Panel | str | os.PathLike[str] | None = None,
) -> PlotData:
    """Of :func:`plot_drivers`; ``ci`` is not used, the table has its intervals.

    ``systems``: as of :func:`gains`; ``growth``: the rows of the table that are drawn, with their
    labels.
    """
    known = [name for name in ROWS if name in table.index]
    growth = table.loc[known].assign(label=[ROWS[name] for name in known])
    return {"systems": gains(fit, spec, panel), "growth": growth}


@styled
def plot_drivers(
    fit: Fit,
    table: pd.DataFrame,
    spec: DriversSpec | str | os.PathLike[str] = "drivers",
    panel: Panel | str | os.PathLike[str] | None = None,
    axes: list[Axes] | None = None,
) -> list[Axes]:
    """Log density and the gain by longer training over dates; growth by driver.

    Parameters
    ----------
    fit
        A joint fit.
    table
        Of :func:`densing_bayes.corollaries.drivers.quantities.drivers_table`.
    spec, panel
        As there.
    axes
        Two axes to draw into; new ones by default.

    Returns
    -------
    list of matplotlib.axes.Axes
    """
    left, right = axes or new_axes(11.0, 4.2, 2)
    points, growth = drivers_data(fit, table=table, spec=spec, panel=panel).values()
    days = days_of(points["date"])
    for name, colour, label in (
        ("log_density", BLUE, "log density"),
        ("overtraining", VERMILION, "of it: longer training, by the scaling law"),
    ):
        values = points[name].to_numpy()
        shown = np.isfinite(values)
        left.plot(days[shown], values[shown], "o", color=colour, ms=4, alpha=0.75, label=label)
        slope, start = np.polyfit(days[shown] - days.mean(), values[shown], 1)
        ends = np.array([days.min(), days.max()])
        left.plot(ends, start + slope * (ends - days.mean()), color=colour, lw=1.4)
    date_axis(left)
    left.set_ylabel("posterior medians, natural logarithms")
    left.legend(loc="lower right", fontsize=8, frameon=False)

    for place, (key, row) in enumerate(growth.iterrows()):
        name = str(key)
        if np.isfinite(row["prior_lower"]):
            limits = [row["prior_lower"], row["prior_upper"]]
            right.plot(limits, [place] * 2, color=GREY, lw=6, alpha=0.3, solid_capstyle="butt")
        colour = VERMILION if "overtraining" in name or "by_driver" in name else BLUE
        right.plot([row["lower"], row["upper"]], [place] * 2, color=colour, lw=2.0)
        right.plot(row["median"], place, "o", color=colour, ms=5)
    right.axvline(0.0, color=INK, lw=0.8)
    right.set_yticks(range(len(growth)), list(growth["label"]))
    right.set_ylim(len(growth) - 0.5, -0.5)
    right.set_xlabel("growth of log density, 1/year (grey: prior, 95%)")
    return [left, right]


def drivers_prior_data(
    data: DriverData,
    ci: float = CI,
    *,
    sampled: Posterior,
    spec: DriversSpec | str | os.PathLike[str] = "drivers",
    seed: int = 0,
) -> PlotData:
    """Of :func:`plot_drivers_prior`, in natural logarithms; ``ci`` is of the wider band.

    ``bands``: probability, date, lower, upper; ``systems``: date, log_density (posterior means).
    """
    spec = drivers_spec(spec)
    random = np.random.default_rng(seed)
    prior = {name: np.ravel(values)[:, None] for name, values in sampled.prior.items()}
    time = np.linspace(data.time.min(), data.time.max(), 40)
    shape = (len(prior["level"]), len(time))
    frontier = spec.form == "frontier"
    effect = random.standard_normal(shape)
    effect = (
        -prior["shortfall_spread"] * np.abs(effect)
        if frontier
        else (prior["release_spread"] * effect)
    )
    drawn = prior["level"] + prior["growth"] * time + effect
    drawn = drawn + prior["system_spread"] * random.standard_normal(shape)
    dates = [date_of(t) for t in time]
    bands = []
    for probability in (ci, 0.5):
        lower, _, upper = quantiles(drawn, probability, 0)
        limits = {"date": dates, "lower": lower, "upper": upper}
        bands.append(pd.DataFrame({"probability": probability} | limits))
    systems = {"date": [date_of(t) for t in data.time], "log_density": data.log_density}
    return {"bands": pd.concat(bands, ignore_index=True), "systems": pd.DataFrame(systems)}


@styled
def plot_drivers_prior(
    data: DriverData,
    sampled: Posterior,
    spec: DriversSpec | str | os.PathLike[str] = "drivers",
    ax: Axes | None = None,
    seed: int = 0,
) -> Axes:
    """What the prior says of densities before it has seen any, with the densities.

    Returns
    -------
    matplotlib.axes.Axes
        Bands of 50 and 95% of the log density of a system of mean size and tokens per param.
    """
    ax = new_axes(6.0, 4.0)[0] if ax is None else ax
    bands, systems = drivers_prior_data(data, sampled=sampled, spec=spec, seed=seed).values()
    for probability, band in bands.groupby("probability", sort=False):
        label = f"prior, {percent(float(str(probability)))}"
        days = days_of(band["date"])
        ax.fill_between(
            days, band["lower"], band["upper"], color=GREY, alpha=0.25, lw=0, label=label
        )
    points = days_of(systems["date"])
    ax.plot(
        points, systems["log_density"], "o", color=BLUE, ms=3, label="posterior mean of a system"
    )
    date_axis(ax)
    ax.set_ylabel("log density")
    ax.legend(loc="lower right", fontsize=8, frameon=False)
    return ax
