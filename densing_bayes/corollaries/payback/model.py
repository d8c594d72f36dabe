"""Pay-back: what a release earns until it is succeeded, against what its training cost.

    revenue = margin * price * tokens per visit * visits a day * E(T)
    E(T)    = integral from 0 to T of 2^(-t / halving) exp(g t) dt

with T the shelf life (or a fixed window) in days and g the growth rate of demand. E(T) is the
number of days at launch price and demand that the life is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.corollaries.payback.arrivals import ArrivalSpec, Successors, waiting_time
from densing_bayes.corollaries.payback.release import Condition, Release
from densing_bayes.corollaries.payback.stated import UNITS, Input, drawn_input
from densing_bayes.corollaries.payback.training_cost import TrainingSpec
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.inputs.families import (
    Finite,
    Frozen,
    PositivePrior,
    UnitPrior,
)
from densing_bayes.inputs.specification import load_corollary
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.estimates import estimate, probability
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.numbers import is_probability

MILLION = 1e6


class PaybackSpec(Frozen):
    """Inputs of a pay-back, each a prior.

    Attributes
    ----------
    tokens_per_visit
        Billed tokens.
    price
        USD per million tokens at release.
    margin
        Share of revenue left after serving.
    halving_days
        Days in which the price halves.
    demand_growth
        Growth rate of the visits of a day, 1/year.
    arrivals, training
        Of the successors and of the cost.
    """

    tokens_per_visit: PositivePrior
    price: PositivePrior
    margin: UnitPrior
    halving_days: PositivePrior
    demand_growth: Finite = 0.0
    arrivals: ArrivalSpec = ArrivalSpec()
    training: TrainingSpec


@dataclass(frozen=True)
class Economics:
    """What a release costs and earns; what is not given is as the specification says.

    Attributes
    ----------
    training_cost
        USD: a number, a prior, or draws as of
        :func:`~densing_bayes.corollaries.payback.training_cost.training_cost_prior`.
    price, tokens_per_visit, margin, halving_days, demand_growth
        As of :class:`PaybackSpec`.
    serving_cost
        USD per million tokens, constant, in place of the margin. The release then stops earning
        where its price falls to that.
    window
        Days that earn, whatever happens; by default the time to the successor.
    """

    training_cost: Input
    price: Input | None = None
    tokens_per_visit: Input | None = None
    margin: Input | None = None
    serving_cost: Input | None = None
    halving_days: Input | None = None
    demand_growth: float | None = None
    window: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be right together."""
        window, growth = self.window, self.demand_growth
        if window is not None and not (np.isfinite(window) and window > 0):
            raise DensingError(f"window = {window:g} must be above 0 days, for instance 60")
        if self.margin is not None and self.serving_cost is not None:
            raise DensingError("give margin or serving_cost: each says what serving costs")
        if growth is not None and not np.isfinite(growth):
            raise DensingError(f"demand_growth = {growth} must be a rate in 1/year; 0 is constant")

    def inputs(self, spec: PaybackSpec) -> dict[str, Input]:
        """Every input, with those of a specification where none is given."""
        found: dict[str, Input] = {"training_cost": self.training_cost}
        serving = "margin" if self.serving_cost is None else "serving_cost"
        for name in ("price", "tokens_per_visit", "halving_days", serving):
            given = getattr(self, name)
            found[name] = getattr(spec, name) if given is None else given
        return found


@dataclass(frozen=True)
class Ending:
    """What ends the life of a release; as of :func:`.waiting_time`."""

    kappa: float = 2.0
    condition: Condition = "recipe"
    successors: Successors = "simulated"


@dataclass(frozen=True)
class Payback:
    """What a release has to earn, and how long it has.

    Attributes
    ----------
    draws
        Dims (chain, draw): ``waiting_time`` (days to the successor, infinite beyond the horizon),
        ``life`` (days that earn: the waiting time up to the horizon, or the window),
        ``training_cost`` (USD), ``price`` (USD per million tokens), ``tokens_per_visit``,
        ``margin`` or ``serving_cost`` (USD per million tokens), ``halving_days``,
        ``earned_per_daily_visit`` (USD over the life for one visit a day at release),
        ``daily_visits_needed`` and ``visits_needed`` (over the life) to break even.
    release
        Whose pay-back it is.
    kappa, condition, window, demand_growth
        As asked for; the window is None if the life ends with the successor.
    verdict
        Of the fit that the release comes from.
    """

    draws: xr.Dataset
    release: Release
    kappa: float
    condition: Condition
    window: float | None
    demand_growth: float
    verdict: str

    @property
    def p_passed(self) -> float:
        """P(an earlier system of the panel meets the condition at release already)."""
        return probability(self.draws["waiting_time"] == 0)

    @property
    def p_none(self) -> float:
        """P(no successor within the horizon)."""
        return probability(np.isinf(self.draws["waiting_time"]))

    def table(self, ci: float = CI) -> pd.DataFrame:
        """Median and interval of every input and result; an unbounded limit is infinite."""
        rows = {}
        for name, unit in UNITS.items():
            if name not in self.draws:
                continue
            said = estimate(self.draws[name], unit, ci, mean=False)
            limits = {
                key: np.inf if said[key] is None else said[key]
                for key in ("median", "lower", "upper")
            }
            rows[name] = limits | {"unit": unit}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("quantity")

    def sentence(self, ci: float = CI) -> str:
        """What the draws say, in words."""
        table = self.table(ci)
        numbers = table[["median", "lower", "upper"]].to_numpy(float)
        limits = dict(zip(table.index, numbers, strict=True))

        def said(name: str) -> str:
            median, lower, upper = limits[name]
            if lower == upper:
                return _short(median)
            return f"{_short(median)} ({_short(lower)} to {_short(upper)})"

        better = {
            "smooth": f"the frontier matches it with 1/{self.kappa:g} of the params",
            "density": f"a release of {self.kappa:g} times its density",
            "recipe": f"a release that would match it with 1/{self.kappa:g} of the params",
            "system": f"a system of at most 1/{self.kappa:g} of the params that matches it",
        }[self.condition]
        name = self.release.name
        if self.release.unit < 0:  # "a release of ...", not the name of a system
            name = name[0].upper() + name[1:]
        text = (
            f"{name}: days until {better}: {said('waiting_time')}, "
            f"P(there at release) {is_probability(self.p_passed)}, "
            f"P(none in time) {is_probability(self.p_none)}. "
        )
        span = "that time" if self.window is None else f"{self.window:g} days"
        text += (
            f"To earn {said('training_cost')} USD back within {span} takes "
            f"{said('visits_needed')} visits, {said('daily_visits_needed')} a day at release."
        )
        return f"{text} Medians and {100 * ci:g}% intervals" + (
            "." if self.verdict == "PASS" else f"; the fit is {self.verdict}."
        )


def load_payback_spec(source: Any = "payback") -> PaybackSpec:
    """The inputs of models/corollaries/payback.toml, or of a TOML file of one's own."""
    return load_corollary(source, PaybackSpec)


def earning_days(life: Any, halving_days: Any, demand_growth: float = 0.0) -> Floats:
    """E(T): days at launch price and demand that a life is worth.

    Parameters
    ----------
    life
        Days, not negative; infinity is allowed where the integral exists.
    halving_days
        Days in which the price halves; infinity for a constant price.
    demand_growth
        Growth rate of demand, 1/year.
    """
    life = np.asarray(life, float)
    decay = np.log(2.0) / np.asarray(halving_days, float) - demand_growth / DAYS_PER_YEAR
    flat = np.abs(decay) < 1e-300
    with np.errstate(over="ignore", invalid="ignore"):
        shrunk = -np.expm1(-decay * life) / np.where(flat, 1.0, decay)
    return np.asarray(np.where(flat, life, shrunk))


def payback(
    fit: Fit,
    release: Release,
    economics: Economics,
    ending: Ending | None = None,
    spec: PaybackSpec | None = None,
    seed: int = SEED,
) -> Payback:
    """Visits that a release needs to earn its training cost back before it is succeeded.

    Parameters
    ----------
    fit
        A fit of the joint model.
    release
        Of :func:`~densing_bayes.corollaries.payback.release.release_of`.
    economics
        What it costs and earns.
    ending
        What ends its life; by default a recipe that does with half its params.
    spec
        Of :func:`load_payback_spec`.
    seed
        Of all that is drawn.

    Raises
    ------
    DensingError
        If an input cannot be right; the message says which and why.
    """
    spec, ending = spec or load_payback_spec(), ending or Ending()
    growth, window = economics.demand_growth, economics.window
    growth = spec.demand_growth if growth is None else growth
    wait = waiting_time(
        fit,
        release,
        ending.kappa,
        condition=ending.condition,
        successors=ending.successors,
        spec=spec.arrivals,
        seed=seed,
    )
    horizon = spec.arrivals.horizon_years * DAYS_PER_YEAR
    life = wait.clip(max=horizon) if window is None else xr.full_like(wait, float(window))
    drawn = {
        name: wait.copy(data=drawn_input(name, value, wait.shape, (seed, 4, place)))
        for place, (name, value) in enumerate(sorted(economics.inputs(spec).items()))
    }
    draws = xr.Dataset({"waiting_time": wait, "life": life, **drawn})
    earned = earned_per_daily_visit(draws, growth)
    with np.errstate(divide="ignore", invalid="ignore"):
        daily = np.where(earned > 0, draws["training_cost"].to_numpy() / earned, np.inf)
        # visits of the whole life for one visit a day at release
        whole = earning_days(draws["life"], np.inf, growth)
        visits = np.where(earned > 0, daily * whole, np.inf)
    draws = draws.assign(
        earned_per_daily_visit=wait.copy(data=earned),
        daily_visits_needed=wait.copy(data=daily),
        visits_needed=wait.copy(data=visits),
    )
    return Payback(draws, release, ending.kappa, ending.condition, window, growth, fit.verdict)


def earned_per_daily_visit(
    draws: xr.Dataset, demand_growth: float = 0.0, price: Any = None
) -> Floats:
    """USD that one visit a day at release earns over the life.

    Parameters
    ----------
    draws
        Inputs by name, as of :class:`Payback`.
    demand_growth
        1/year.
    price
        In place of that of the draws.
    """
    value = {str(name): draws[name].to_numpy() for name in draws}
    cost = value["price"] if price is None else np.asarray(price, float)
    scale = value["tokens_per_visit"] / MILLION
    if "margin" in value:
        days = earning_days(value["life"], value["halving_days"], demand_growth)
        return np.asarray(value["margin"] * cost * scale * days)
    # Served as long as the price is above the cost of serving.
    serving = value["serving_cost"]
    with np.errstate(invalid="ignore"):
        profitable = value["halving_days"] * np.log2(np.maximum(cost / serving, 1.0))
    profitable = np.where(cost > serving, profitable, 0.0)
    life = np.minimum(value["life"], profitable)
    income = cost * earning_days(life, value["halving_days"], demand_growth)
    return np.asarray(
        scale * np.maximum(income - serving * earning_days(life, np.inf, demand_growth), 0.0)
    )


def _short(value: float) -> str:
    """Three digits with a word for the thousands."""
    if not np.isfinite(value):
        return "unbounded"
    for size, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if abs(value) >= size:
            return f"{value / size:.3g}{word}"
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 100 else f"{value:.3g}"
