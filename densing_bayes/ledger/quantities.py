"""Quantities that claims are about, as each kind of fit answers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from densing_bayes.errors import DensingError, NotTestableError
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.joint.laws import doubling_time
from densing_bayes.ledger import of_corollaries as corollaries
from densing_bayes.ledger.of_corollaries import TablePanel
from densing_bayes.ledger.plotted import PlottedPanel, paper_figures_quantile
from densing_bayes.ledger.quantile import kept_quantile_growth
from densing_bayes.ledger.rule import Draws
from densing_bayes.ledger.terms import Judgeable
from densing_bayes.posterior.estimates import draws_of, of_prior
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.growth import benchmark_growth, frontier, growth, size_slope
from densing_bayes.quantities.shelf_life import frontier_shelf_life

LATER = 127  # days from Mistral-7B (2023-09-27) to MiniCPM-1-2.4B (2024-02-01)
# Params of MiniCPM-1-2.4B and Mistral-7B, without embeddings (as the name counts) and in all.
EXAMPLE_PARAMS = {
    "non-embedding": (2_442_057_984, 6_979_588_096),
    "total": (2_724_880_896, 7_241_732_096),
}
Quantity = Callable[[Any, str, str], Draws]  # (fit, argument, group) -> draws


def quantity_of(name: str, fit: Judgeable) -> Quantity:
    """How a panel answers a claim; one that it cannot answer gives the reason."""
    if name == "visits":
        return _NO_INPUTS
    match fit:
        case TablePanel(fits=fits):
            of_tables = corollaries.OF_TABLES.get(name, _NO_DENSITIES)
            return lambda _, argument, group: of_tables(fits, argument, group)
        case PlottedPanel():
            return PLOTTED.get(name, _PLOTTED_ONLY)
    return QUANTITIES.get(name, _NO_TABLES)


# Quantities -------------------------------------------------------------------------------------


def _growth(part: str) -> Quantity:
    def draws(fit: Fit, argument: str, group: str) -> Draws:
        if not fit.spec.trend.changes and part != "after":
            raise NotTestableError("the trend has no change")
        return _flat(_rates(fit, argument, group)[part])

    return draws


def _rates(fit: Fit, benchmark: str, group: str) -> xr.Dataset:
    """Growth of the mean over benchmarks, or as one benchmark shows it."""
    if not benchmark:
        return growth(fit, group)
    _needs_benchmark(fit, benchmark)
    return benchmark_growth(fit, group).sel(benchmark=benchmark)


def _of_plotted(fit: PlottedPanel, part: str, group: str) -> Draws:
    """Growth, 1/day, of Fig. 3c; "five" and "mmlu_cf" are those of Figs 1 and 2."""
    figure = {"five": fit.five, "mmlu_cf": fit.mmlu_cf}.get(part, fit.mmlu)
    draws = figure.prior if of_prior(group) else figure.posterior
    before = _flat(draws["growth_before"]) / DAYS_PER_YEAR
    if part in ("five", "mmlu_cf", "before"):
        return before
    change = _flat(draws["growth_change"]) / DAYS_PER_YEAR
    return change if part == "change" else before + change


def _cf_over_five(fit: PlottedPanel, argument: str, group: str) -> Draws:
    """Ratio of two slopes whose fits are independent, and whose prior draws come from one seed."""
    five = _of_plotted(fit, "five", group)
    return _of_plotted(fit, "mmlu_cf", group) / np.random.default_rng(SEED).permutation(five)


def _plotted(part: str) -> Quantity:
    def draws(fit: PlottedPanel, argument: str, group: str) -> Draws:
        if argument not in ("", "mmlu"):
            raise NotTestableError("the figures show no single benchmark but MMLU")
        return _of_plotted(fit, "after" if argument and part == "five" else part, group)

    return draws


def _of_quantile(part: str) -> Quantity:
    """Growth, 1/day, of an upper quantile of densities."""

    def draws(fit: Fit, argument: str, group: str) -> Draws:
        try:
            return _flat(kept_quantile_growth(fit)[part])
        except DensingError as error:
            raise NotTestableError(str(error)) from error

    return draws


def _of_plotted_quantile(part: str) -> Quantity:
    def draws(fit: PlottedPanel, argument: str, group: str) -> Draws:
        figures = paper_figures_quantile()
        if part in ("five", "mmlu_cf") and not argument:
            return _flat(figures[part]["after"])
        return _flat(figures["mmlu"]["after" if part == "five" else part])

    return draws


def _flat(values: xr.DataArray) -> Draws:
    return np.ravel(values.to_numpy())


def _doubling(rate: Quantity) -> Quantity:
    return lambda fit, argument, group: doubling_time(rate(fit, argument, group))


def _share(rate: Quantity) -> Quantity:
    """Share x of the params that do later: the line has risen by (1 + s) ln(1 / x)."""

    def draws(fit: Any, argument: str, group: str) -> Draws:
        rise = rate(fit, argument, group) * LATER
        if isinstance(fit, PlottedPanel):  # the plotted densities know no sizes
            return np.exp(-rise)
        worth = 1.0 + np.ravel(size_slope(fit, group))
        # Where the smaller ones are not worse at all, any share does; where they hardly are and the
        # line falls, as it may under the prior, no number of params does.
        with np.errstate(over="ignore"):
            share = np.exp(-rise / np.where(worth > 0, worth, 1.0))
        return np.where(worth > 0, share, 0.0)

    return draws


def _ratio(before: Quantity, after: Quantity) -> Quantity:
    """Ratio of the rates; infinite where density did not grow before."""

    def draws(fit: Any, argument: str, group: str) -> Draws:
        early, late = before(fit, argument, group), after(fit, argument, group)
        return np.where(early > 0, late / np.where(early > 0, early, 1.0), np.inf)

    return draws


def _excess(before: Quantity, after: Quantity) -> Quantity:
    return lambda fit, argument, group: (
        after(fit, argument, group) - 1.5 * before(fit, argument, group)
    )


def of_rates(rate: Callable[[str], Quantity], headline: str) -> dict[str, Quantity]:
    """Quantities that follow from growth rates; doubling time and share from the headline's."""
    before, after = rate("before"), rate("after")
    return {
        "doubling_time_after": _doubling(rate(headline)),
        "growth_before": before,
        "growth_after": after,
        "growth_change": rate("change"),
        "growth_ratio": _ratio(before, after),
        "excess_over_half_faster": _excess(before, after),
        "share_after_127_days": _share(rate(headline)),
    }


def _shelf_life(fit: Fit, argument: str, group: str) -> Draws:
    return _flat(frontier_shelf_life(fit, group=group))


def _matches_mistral(fit: Fit, argument: str, group: str) -> Draws:
    """How far the frontier lies above Mistral-7B 127 days later, at the size of MiniCPM-1-2.4B.

    The argument is a benchmark and a size convention, which decides the ratio of the two sizes.
    """
    benchmark, convention = argument.split()
    _needs_benchmark(fit, benchmark)
    _needs_systems(fit, ["mistral-7b-v0.1"])
    mistral = draws_of(fit, group)["log_density"].sel(system="mistral-7b-v0.1")
    smaller, larger = EXAMPLE_PARAMS[convention]
    later = frontier(fit, ["2024-02-01"], group=group).isel(date=0)
    drift = _rates(fit, benchmark, group)["after"] - growth(fit, group)["after"]
    size = fit.observed.log_params[fit.observed.systems.index("mistral-7b-v0.1")]
    away = size - np.log(larger / smaller) - fit.observed.mean_log_params
    later = later + size_slope(fit, group) * away
    return _flat(later + drift * LATER - mistral - np.log(larger / smaller))


def _largest_density(fit: Fit, argument: str, group: str) -> Draws:
    systems = argument.split()
    if fit.spec.panel.source != "paper":
        raise NotTestableError("densities are on the scale of another reference family")
    _needs_systems(fit, systems)
    return np.exp(_flat(draws_of(fit, group)["log_density"].sel(system=systems).max("system")))


def _less_dense(fit: Fit, argument: str, group: str) -> Draws:
    large, *siblings = argument.split()
    _needs_systems(fit, [large, *siblings])
    density = draws_of(fit, group)["log_density"]
    return _flat(density.sel(system=siblings).min("system") - density.sel(system=large))


def _never(reason: str) -> Quantity:
    def draws(fit: Any, argument: str, group: str) -> Draws:
        raise NotTestableError(reason)

    return draws


def _needs_benchmark(fit: Fit, name: str) -> None:
    if name not in fit.observed.benchmarks:
        raise NotTestableError(f"the fit has no {name}")


def _needs_systems(fit: Fit, names: list[str]) -> None:
    missing = [name for name in names if name not in fit.observed.systems]
    if missing:
        raise NotTestableError(f"the fit has no {', '.join(missing)}")


_NO_R_SQUARED = _never("R2 of a running maximum is no property of the systems")
_NO_MMLU_CF = _never("the panel has no scores on MMLU-CF")
_PLOTTED_ONLY = _never("the plotted densities are the claim itself, or say nothing of it")
_NO_DENSITIES = _never("prices, chips and batteries say nothing of densities")
_NO_INPUTS = _never("the assumptions behind it are published nowhere")
_NO_TABLES = _never("the panel has no prices, chips or batteries")
QUANTITIES = (
    of_rates(_growth, headline="after")
    | corollaries.OF_FITS
    | {
        "shelf_life": _shelf_life,
        "matches_mistral": _matches_mistral,
        "density": _largest_density,
        "largest_density": _largest_density,
        "less_dense": _less_dense,
        "r_squared": _NO_R_SQUARED,
        "growth_mmlu_cf": _NO_MMLU_CF,
        "growth_mmlu_cf_over_five": _NO_MMLU_CF,
    }
)
PLOTTED = of_rates(_plotted, headline="five") | {
    "r_squared": _NO_R_SQUARED,
    "growth_mmlu_cf": _plotted("mmlu_cf"),
    "growth_mmlu_cf_over_five": _cf_over_five,
}
QUANTILES = of_rates(_of_quantile, headline="after")
PLOTTED_QUANTILES = of_rates(_of_plotted_quantile, headline="five") | {
    "growth_mmlu_cf": _of_plotted_quantile("mmlu_cf"),
}
# Quantities whose prior the rule before this one looked at.
WITH_PRIOR = {
    "doubling_time_after",
    "growth_before",
    "growth_after",
    "growth_ratio",
    "share_after_127_days",
    "growth_mmlu_cf",
} | corollaries.WITH_PRIOR
