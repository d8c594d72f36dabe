"""The figure of the ledger: published values on our posteriors."""

from __future__ import annotations

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from densing_bayes.display.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    VERMILION,
    new_axes,
    power_of_two,
    styled,
)
from densing_bayes.display.figures.data import PlotData
from densing_bayes.ledger.rows import PANELS, panels_of, published
from densing_bayes.posterior.result import CI

WIDEST = 8.0  # times the published value, where intervals are cut off
LABEL = 66  # characters of a line of a label
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE)


def claims_data(table: pd.DataFrame, ci: float = CI) -> PlotData:
    """Of :func:`plot_claims`; ``ci`` is not used, a ledger has its intervals.

    ``claims``: the rows of the ledger that have an estimate of a published value above zero.
    """
    about = (table["kind"] == "about") & (table["value"] > 0)
    return {"claims": table[table["estimate"].notna() & about]}


@styled
def plot_claims(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Posterior medians and intervals over published values, one row per claim.

    Parameters
    ----------
    table
        A ledger as of :func:`densing_bayes.claims`. Claims with a published value above zero and
        an estimate are shown.
    ax
        Axes to draw into; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes
        x is the quantity over its published value, logarithmic; the grey band is the rounding of
        the published value, a cross the rival. Intervals that go on beyond the frame are cut.
    """
    rows = claims_data(table)["claims"]
    names = list(dict.fromkeys(rows["claim"]))
    panels = panels_of(table)
    ax = new_axes(11.0, 1.2 + 0.42 * len(names))[0] if ax is None else ax
    labels = []
    for place, name in enumerate(names):
        group = rows[rows["claim"] == name]
        first = group.iloc[0]
        value = float(first["value"])
        low, high = float(first["low"]) / value, float(first["high"]) / value
        ax.fill_betweenx([place - 0.42, place + 0.42], low, high, color=GREY, alpha=0.35, lw=0)
        rival = float(first["rival"]) / value
        if 1.0 / WIDEST < rival < WIDEST:
            ax.plot(rival, place, "x", color=INK, ms=5, mew=1.2, zorder=4)
        shown = [panel for panel in panels if panel in set(group["panel"])]
        for _, row in group.iterrows():
            number = panels.index(str(row["panel"]))
            y = place + 0.22 * (shown.index(str(row["panel"])) - (len(shown) - 1) / 2.0)
            found = row["estimate"]
            lower, middle, upper = (
                np.clip(np.inf if found[key] is None else found[key] / value, 1 / WIDEST, WIDEST)
                for key in ("lower", "median", "upper")
            )
            ax.plot([lower, upper], [y, y], color=COLOURS[number], lw=1.6, solid_capstyle="butt")
            ax.plot(middle, y, "o", color=COLOURS[number], ms=4, zorder=5)
        said = published(first).replace(" ", "\N{NO-BREAK SPACE}")  # it is not broken
        labels.append(fill(f"{first['statement']} [{said}]", LABEL, break_on_hyphens=False))
    for number, panel in enumerate(panels):
        ax.plot([], [], "o-", color=COLOURS[number], ms=4, lw=1.6, label=PANELS.get(panel, panel))
    ax.plot([], [], "x", color=INK, ms=5, mew=1.2, label="rival value")
    ax.axvline(1.0, color=INK, lw=0.8, zorder=1)
    ax.set_yticks(range(len(names)), labels)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xscale("log", base=2)
    ax.set_xlim(1.0 / WIDEST, WIDEST)
    ax.xaxis.set_major_formatter(FuncFormatter(power_of_two))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("posterior over published value")
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=5, frameon=False, fontsize=8)
    return ax
