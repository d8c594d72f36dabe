"""Growth of the best under each definition of it, side by side; docs/frontier-or-mean.md.

The mean trend, the edge of a half-normal shortfall whose scale is constant (its slope is that of
the mean), the same with a scale that drifts by exp(psi t), and an upper quantile of the densities.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from densing_bayes.corollaries.trends.exponential import ExponentialFit
from densing_bayes.errors import DensingError
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.inputs.published import load_figures
from densing_bayes.ledger.ledger import DEFINITIONS
from densing_bayes.ledger.plotted import PlottedPanel, fit_paper_figures, fit_plotted
from densing_bayes.ledger.quantile import kept_quantile_growth, quantile_growth
from densing_bayes.ledger.terms import DRIFTING, PLOTTED_TOKENS, Terms, terms_of
from densing_bayes.posterior.estimates import estimate
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.growth import doubling_time, growth
from densing_bayes.quantities.numbers import limits, median

LABELS = {
    "mean": "mean trend",
    "edge": "edge, constant scale",
    DRIFTING: "edge, scale drifts",
    "quantile": "0.9 quantile",
}
FIGURES = {  # panels of what the paper plots: name, figure, whether the rate may change at ChatGPT
    "plotted, five benchmarks": ("fig1", False),
    "plotted, MMLU-CF": ("fig2", False),
    "plotted, MMLU": ("fig3c", True),
}


def growth_by_definition(fits: Iterable[Fit], ci: float = CI) -> pd.DataFrame:
    """Growth after the last change under each definition of the best that fits have.

    Parameters
    ----------
    fits
        Fits that have passed, of any panels; those that are alike but for the form of the trend
        make a group, to which a quantile is added, of the densities of its last form.
    ci
        Probability of the intervals.

    Returns
    -------
    pandas.DataFrame
        panel, reference_tokens, size, definition; ``growth_rate`` (1/day), ``doubling_time_days``
        and ``shortfall_growth`` (psi, 1/year; None but for a drifting scale): estimates.

    Raises
    ------
    DensingError
        If a fit has not passed.
    """
    groups: dict[tuple[str, float, str], dict[str, Fit]] = {}
    for fit in fits:
        terms = terms_of(fit)
        panel = str(fit.provenance.get("panel", "unnamed"))
        if fit.verdict != "PASS":
            raise DensingError(
                f"the fit of {panel} ({terms}) is {fit.verdict}: take one that passed"
            )
        groups.setdefault((panel, *terms[1:]), {})[terms.estimand] = fit
    rows = []
    for key, group in groups.items():
        known = {name: group[name] for name in DEFINITIONS if name in group}
        for name, fit in known.items():
            psi = fit.posterior["shortfall_growth"] if name == DRIFTING else None
            rows.append(_row(key, name, growth(fit)["after"], psi, ci))
        source = known.get(DRIFTING) or next(iter(known.values()))
        rows.append(_row(key, "quantile", kept_quantile_growth(source)["after"], None, ci))
    return pd.DataFrame(rows)


def plotted_by_definition(ci: float = CI) -> pd.DataFrame:
    """The same of the densities that the paper plots; some seconds."""
    panels = {drifts: fit_paper_figures(drifts=drifts) for drifts in (False, True)}
    rows = []
    for label, (figure, bend) in FIGURES.items():
        key = (label, PLOTTED_TOKENS, "total")
        mean = fit_plotted(load_figures(figure), bend=bend, form="mean", name=figure)
        edges = [_of_figure(panels[drifts], figure) for drifts in (False, True)]
        for name, fit in zip(DEFINITIONS, (mean, *edges), strict=False):
            if fit.verdict != "PASS":
                raise DensingError(f"the fit of {figure} ({name}) is {fit.verdict}")
            psi = fit.posterior["shortfall_growth"] if name == DRIFTING else None
            rows.append(_row(key, name, _after(fit), psi, ci))
        rows.append(_row(key, "quantile", quantile_growth(mean)["after"], None, ci))
    return pd.DataFrame(rows)


def _of_figure(panel: PlottedPanel, figure: str) -> ExponentialFit:
    return {"fig1": panel.five, "fig2": panel.mmlu_cf, "fig3c": panel.mmlu}[figure]


def _after(fit: ExponentialFit) -> Any:
    rate = fit.posterior["growth_before"]
    if "growth_change" in fit.posterior:
        rate = rate + fit.posterior["growth_change"].sum("slope_change")
    return rate / DAYS_PER_YEAR


def _row(key: tuple[str, float, str], name: str, rate: Any, psi: Any, ci: float) -> dict[str, Any]:
    head = dict(zip(("panel", *Terms._fields[1:]), key, strict=True)) | {"definition": name}
    return head | {
        "growth_rate": estimate(rate, "1/day", ci),
        "doubling_time_days": estimate(doubling_time(rate), "days", ci, mean=False),
        "shortfall_growth": None if psi is None else estimate(psi, "1/year", ci),
    }


def definition_cells(table: pd.DataFrame) -> list[list[str]]:
    """Rows of text: panel, D0, definition, growth per year, doubling time in days, psi per year."""
    rows = []
    for _, row in table.iterrows():
        rate = {
            name: DAYS_PER_YEAR * row["growth_rate"][name] for name in ("median", "lower", "upper")
        }
        time, psi = row["doubling_time_days"], row["shortfall_growth"]
        rows.append(
            [
                str(row["panel"]),
                f"{row['reference_tokens']:.0e}".replace("e+", "e"),
                LABELS[row["definition"]],
                f"{rate['median']:.2f} ({rate['lower']:.2f} to {rate['upper']:.2f})",
                f"{median(time)} ({limits(time)})",
                "" if psi is None else psi_text(psi),
            ]
        )
    return rows


def psi_sentences(table: pd.DataFrame) -> list[str]:
    """A sentence for each drifting scale: which way it goes, and what that does to the growth."""
    said = []
    for key, group in table.groupby(["panel", "reference_tokens", "size"], sort=False):
        rows = {row["definition"]: row for _, row in group.iterrows()}
        if DRIFTING not in rows:
            continue
        psi = rows[DRIFTING]["shortfall_growth"]
        which = "whether releases spread out or draw closer together is open"
        if psi["lower"] > 0:
            which = "releases spread out, and the edge rises faster than the mean"
        elif psi["upper"] < 0:
            which = "releases draw closer together, and the edge rises more slowly than the mean"
        times = "; ".join(
            f"{LABELS[name]} {median(rows[name]['doubling_time_days'])} "
            f"({limits(rows[name]['doubling_time_days'])})"
            for name in DEFINITIONS
            if name in rows
        )
        d0 = f"{key[1]:.0e}".replace("e+", "e")
        said.append(
            f"{key[0]}, D0 = {d0}: psi is {psi_text(psi)} a year: {which}. Doubling after, days: "
            f"{times}."
        )
    return said


def psi_text(psi: dict[str, Any]) -> str:
    """A drift of the scale of the shortfall with its interval, in two places."""
    return f"{psi['median']:.2f} ({psi['lower']:.2f} to {psi['upper']:.2f})"
