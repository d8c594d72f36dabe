"""Price of inference at a level: the edge of the cheapest offers, and how fast it falls."""

from __future__ import annotations

import os
from functools import cache
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import Field
from scipy.stats import norm

from densing_bayes.corollaries.prices.table import PRICES
from densing_bayes.corollaries.trends.exponential import (
    ExponentialFit,
    ExponentialSpec,
    dated_points,
    fit_exponential,
    growth_of,
    line_through,
)
from densing_bayes.corollaries.trends.kept import kept_fits
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import years_since_origin
from densing_bayes.inputs.families import Frozen
from densing_bayes.inputs.hypothesis import Hypothesis
from densing_bayes.inputs.specification import load_corollary
from densing_bayes.inputs.tables.reading import load_table
from densing_bayes.posterior.estimates import check_choice, estimate, probability
from densing_bayes.posterior.result import CI
from densing_bayes.quantities.growth import doubling_time

Price = Literal["input", "blended"]
INPUTS_PER_OUTPUT = 3.0  # tokens read for each one written, in a blended price
LIKELY = 0.5  # from which an observed ratio counts an offer
SURELY_NOT = 0.02  # offers less likely than this to be of the level are left out
FIRST, LAST = "2022-12-01", "2024-08-31"  # dates of the published fold reduction


class LevelSpec(Frozen):
    """A level of ability: a score on MMLU, and offers that define it."""

    score: Annotated[float, Field(gt=0, lt=1)]
    always: tuple[str, ...] = ()


class PriceSpec(Frozen):
    """Levels, and the trend of the cheapest offer."""

    name: str
    description: str = ""
    levels: dict[str, LevelSpec] = Field(min_length=1)
    trend: ExponentialSpec


def load_prices(source: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Dated offers of inference.

    Parameters
    ----------
    source
        A CSV file of one's own; the embedded table by default.

    Returns
    -------
    pandas.DataFrame
        offer, provider, system, date, date_earliest (where only the first sighting is known),
        input_price and output_price (USD per million tokens), mmlu and mmlu_second (two readings),
        open_weights, plotted_date and plotted_price (in the paper's Fig. 3a), sources.

    Raises
    ------
    TableError
        Names the file, the row, the column, the value and what would be right.
    """
    return load_table(PRICES, source)


def score_noise(offers: pd.DataFrame) -> float:
    """Standard deviation of one reading of MMLU, from systems that have two."""
    pairs = offers[["mmlu", "mmlu_second"]].dropna().drop_duplicates()
    if len(pairs) < 2:
        file = offers.attrs.get("file", "the table of offers")
        raise DensingError(
            f"{file}: the noise of a score needs two systems with two readings; give the second "
            f"in the column mmlu_second"
        )
    return float(np.sqrt(np.mean((pairs["mmlu"] - pairs["mmlu_second"]) ** 2) / 2.0))


def offers_of(
    offers: pd.DataFrame, level: str | float, spec: PriceSpec, price: Price = "input"
) -> pd.DataFrame:
    """Offers that may be of a level, with the probability that they are.

    Parameters
    ----------
    offers
        Of :func:`load_prices`.
    level
        Name of a level of the specification, or a score on MMLU.
    spec
        Specification.
    price
        Of the tokens read, or blended at three tokens read for one written.

    Returns
    -------
    pandas.DataFrame
        label, date, date_earliest, value (USD per million tokens) and member: P(score >= level)
        for a score measured with :func:`score_noise`, 1 for the offers that define the level.
        Offers without a score are left out, and those whose probability is below 0.02.

    Raises
    ------
    DensingError
        If there is no such level or kind of price.
    """
    check_choice("price", price, ("input", "blended"))
    chosen = _level(level, spec)
    noise = score_noise(offers)
    readings = offers[["mmlu", "mmlu_second"]]
    error = noise / np.sqrt(readings.notna().sum(axis=1).clip(lower=1))
    member = pd.Series(norm.cdf((readings.mean(axis=1) - chosen.score) / error), offers.index)
    member = member.where(~offers["offer"].isin(chosen.always), 1.0)
    value = offers["input_price"]
    if price == "blended":
        value = (INPUTS_PER_OUTPUT * value + offers["output_price"]) / (INPUTS_PER_OUTPUT + 1.0)
    table = pd.DataFrame(
        {
            "label": offers["offer"],
            "date": offers["date"],
            "date_earliest": offers["date_earliest"],
            "value": value,
            "member": member,
        }
    )
    return table[member.ge(SURELY_NOT) & value.notna()].reset_index(drop=True)


def _level(level: str | float, spec: PriceSpec) -> LevelSpec:
    if isinstance(level, str) and level in spec.levels:
        return spec.levels[level]
    try:
        score = float(level)
    except ValueError:
        score = np.nan
    if not 0.0 < score < 1.0:
        names = ", ".join(spec.levels)
        raise DensingError(f"no level '{level}': give {names}, or a score on MMLU such as 0.75")
    return LevelSpec(score=score)


def fit_prices(
    level: str | float = "gpt-3.5",
    *,
    price: Price = "input",
    until: Any = None,
    offers: pd.DataFrame | None = None,
    spec: str | os.PathLike[str] | PriceSpec = "prices",
    hypothesis: Hypothesis | None = None,
    draws: int = 2000,
    seed: int = SEED,
) -> ExponentialFit:
    """Fit the price of the cheapest offer of a level; some seconds.

    Parameters
    ----------
    level, price
        As in :func:`offers_of`.
    until
        Last date of the offers that enter; all by default.
    offers
        Table of :func:`load_prices`; the embedded one by default.
    spec
        Name or path of a specification, or one that is loaded.
    hypothesis
        What the trend did; one rate throughout by default.
    draws, seed
        Of the sampler; draws are those of each of four chains.

    Returns
    -------
    ExponentialFit
        Of ln(USD per million tokens); growth is negative where prices fall.

    Raises
    ------
    DensingError
        If there is no such level, or fewer than five offers of it.
    """
    offers = load_prices() if offers is None else offers
    spec = load_corollary(spec, PriceSpec)
    table = offers_of(offers, level, spec, price)
    if until is not None:
        table = table[table["date"] <= pd.Timestamp(until)]
    trend = spec.trend if hypothesis is None else spec.trend.under(hypothesis)
    name = f"{price} price at {level}"
    return fit_exponential(dated_points(table, trend, name), trend, name, draws=draws, seed=seed)


@cache
def stored_prices(seed: int = SEED) -> ExponentialFit:
    """Prices at the level of GPT-3.5, from the store or fitted and kept there."""
    fits = kept_fits("prices", seed, lambda: {"prices": fit_prices("gpt-3.5", seed=seed)}, __name__)
    return fits["prices"]


def halving_time(fit: ExponentialFit, date: Any = LAST, group: str = "posterior") -> xr.DataArray:
    """Days in which the cheapest price halves, at a date; infinite where it does not fall."""
    return doubling_time(-growth_of(fit, date, group).isel(date=0))


def fold_reduction(
    fit: ExponentialFit, first: Any = FIRST, last: Any = LAST, group: str = "posterior"
) -> xr.DataArray:
    """How many times cheaper the edge of the offers is at the last date than at the first."""
    ends = line_through(fit, [first, last], group)
    ratio = ends.isel(date=0, drop=True) - ends.isel(date=1, drop=True)
    return ratio.copy(data=np.exp(ratio))


def observed_fold(fit: ExponentialFit, first: Any = FIRST, last: Any = LAST) -> dict[str, Any]:
    """How many times cheaper the cheapest offer is at the last date than at the first, as listed.

    No model: the cheapest of the offers made by a date that are at least as likely as not of the
    level. One offer decides each end, so a first one that was dear for its time counts in full;
    :func:`fold_reduction` is the ratio of the edge of all offers.

    Parameters
    ----------
    fit
        Of :func:`fit_prices`; only its offers are used.
    first, last
        Dates.

    Returns
    -------
    dict
        ``fold``; ``first`` and ``last``: offer and price, USD per million tokens.

    Raises
    ------
    DensingError
        If there is no offer of the level by the first date.
    """
    ends = {"first": _cheapest(fit, first), "last": _cheapest(fit, last)}
    fold = ends["first"]["price"] / ends["last"]["price"]
    return {"fold": fold} | ends


def _cheapest(fit: ExponentialFit, date: Any) -> dict[str, Any]:
    """Cheapest offer of the level that was made by a date."""
    points = fit.points
    made = (points.last <= years_since_origin(date)) & (points.member >= LIKELY)
    if not made.any():
        raise DensingError(f"no offer of this level by {date}; give a later date")
    i = int(np.flatnonzero(made)[np.argmin(points.log_high[made])])
    return {"offer": points.label[i], "price": float(np.exp(points.log_high[i]))}


def price_summary(
    fit: ExponentialFit, first: Any = FIRST, last: Any = LAST, ci: float = CI
) -> dict[str, Any]:
    """Halving time, rate, fold reduction and price at the last date, with the prior beside.

    Returns
    -------
    dict
        ``growth_rate`` (1/day), ``halving_time_days``, ``fold_reduction``, ``price``
        (USD per million tokens at the last date): estimates; ``p_falls``; ``prior``: the same of
        the prior; ``observed``: of :func:`observed_fold`, None without an offer by the first date;
        ``offers``: how many entered, and how many of them surely of the level.
    """

    def of(group: str) -> dict[str, Any]:
        rate = growth_of(fit, last, group).isel(date=0)
        price = np.exp(line_through(fit, last, group).isel(date=0))
        return {
            "growth_rate": estimate(rate, "1/day", ci),
            "halving_time_days": estimate(halving_time(fit, last, group), "days", ci, mean=False),
            "fold_reduction": estimate(
                fold_reduction(fit, first, last, group), "1", ci, mean=False
            ),
            "price": estimate(price, "USD per million tokens", ci, mean=False),
            "p_falls": probability(rate < 0),
        }

    member = fit.points.member
    return (
        {"first": str(first), "last": str(last)}
        | of("posterior")
        | {"prior": of("prior"), "observed": _observed(fit, first, last)}
        | {"offers": {"entered": len(member), "surely": int((member == 1.0).sum())}}
    )


def _observed(fit: ExponentialFit, first: Any, last: Any) -> dict[str, Any] | None:
    try:
        return observed_fold(fit, first, last)
    except DensingError:
        return None
