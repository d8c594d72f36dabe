"""What a release has to earn, cost or be used, to pay back."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from densing_bayes.corollaries.payback.model import Payback, earned_per_daily_visit, earning_days
from densing_bayes.corollaries.payback.stated import UNITS
from densing_bayes.errors import DensingError
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.estimates import check_ci, estimate, probability
from densing_bayes.posterior.result import CI

BISECTIONS = 60  # of the price, on a logarithmic scale: exact to rounding
PROBABILITY = 0.9  # with which a demand, price, margin or cost is to break even


def revenue(result: Payback, visits_per_day: float) -> xr.DataArray:
    """USD left after serving, over the life, from a demand in visits a day at release."""
    _check_demand(visits_per_day)
    return result.draws["earned_per_daily_visit"] * visits_per_day


def p_break_even(result: Payback, visits_per_day: float) -> float:
    """P(the training cost is earned back) for a demand in visits a day at release."""
    return probability(revenue(result, visits_per_day) >= result.draws["training_cost"])


def break_even_demand(result: Payback, p: float = PROBABILITY) -> float:
    """Visits a day at release that break even with probability ``p``; infinite if none do."""
    return _upper(result.draws["daily_visits_needed"], p)


def break_even_price(result: Payback, visits_per_day: float, p: float = PROBABILITY) -> float:
    """USD per million tokens at release that break even with probability ``p``.

    Other inputs keep their draws. Infinite if no price does, as where P(passed) is above 1 - p.
    """
    _check_demand(visits_per_day)
    draws, growth = result.draws, result.demand_growth
    cost = draws["training_cost"].to_numpy()
    if "margin" in draws:
        unit = earned_per_daily_visit(draws, growth, 1.0) * visits_per_day
        with np.errstate(divide="ignore"):
            return _upper(np.where(unit > 0, cost / unit, np.inf), p)
    # Earnings rise with the price in every draw: halve a bracket on a logarithmic scale.
    low = np.log(draws["serving_cost"].to_numpy())
    high = low + 80.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        enough = earned_per_daily_visit(draws, growth, np.exp(middle)) * visits_per_day >= cost
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    reached = earned_per_daily_visit(draws, growth, np.exp(high)) * visits_per_day >= cost
    return _upper(np.where(reached, np.exp(high), np.inf), p)


def break_even_margin(result: Payback, visits_per_day: float, p: float = PROBABILITY) -> float:
    """Margin that breaks even with probability ``p``; infinite if even all of the revenue fails."""
    _check_demand(visits_per_day)
    if "margin" not in result.draws:
        raise DensingError("this pay-back has a serving_cost; ask for a margin of one without it")
    gross = result.draws["earned_per_daily_visit"] / result.draws["margin"] * visits_per_day
    with np.errstate(divide="ignore"):
        needed = _upper(np.divide(result.draws["training_cost"], gross), p)
    return needed if needed <= 1.0 else np.inf


def break_even_cost(result: Payback, visits_per_day: float, p: float = PROBABILITY) -> float:
    """Training cost in USD that is earned back with probability ``p``."""
    return -_upper(-revenue(result, visits_per_day), p)


def implied_cost(result: Payback, visits: float, window: float) -> xr.DataArray:
    """Training cost in USD that a number of visits within a window of days pays for.

    This is what one would have to assume where only visits and window are published. Life and
    training cost of the result do not matter to it.
    """
    inside = result.draws.assign(life=xr.full_like(result.draws["life"], _window(window)))
    per_daily = earned_per_daily_visit(inside, result.demand_growth)
    days = earning_days(window, np.inf, result.demand_growth)
    _check_demand(visits)
    return result.draws["life"].copy(data=visits * per_daily / days).rename("training_cost")


def implied_earning(
    training_cost: float, visits: float, window: float, halving_days: Any = np.inf
) -> Floats:
    """USD after serving that a visit on the first day must bring: price x tokens x margin.

    For a cost, a number of visits spread evenly over a window of days, and a price that halves in
    ``halving_days``.
    """
    _check_demand(visits)
    if not training_cost > 0:
        raise DensingError(f"training_cost = {training_cost:g} must be above 0; its unit is USD")
    days = earning_days(_window(window), halving_days)
    return np.asarray(training_cost * window / (visits * days))


def payback_document(
    result: Payback,
    visits_per_day: float | None = None,
    p: float = PROBABILITY,
    ci: float = CI,
) -> dict[str, Any]:
    """A pay-back as a document, as ``--json`` prints it.

    Parameters
    ----------
    result
        Of :func:`payback`.
    visits_per_day
        A demand, for P(break even) and the inverse questions that need one.
    p
        Probability with which the inverse questions ask for a pay-back.
    ci
        Probability of the intervals.

    Returns
    -------
    dict
        ``release``, ``kappa``, ``condition``, ``window_days``, ``demand_growth``, an estimate of
        every input and result, ``p_passed``, ``p_none``, ``break_even`` and ``sentence``. What
        cannot be reached is infinite, null in JSON.
    """
    answers: dict[str, Any] = {"p": p, "visits_per_day": break_even_demand(result, p)}
    if visits_per_day is not None:
        answers |= {
            "for_visits_per_day": visits_per_day,
            "p_break_even": p_break_even(result, visits_per_day),
            "price": break_even_price(result, visits_per_day, p),
            "training_cost": break_even_cost(result, visits_per_day, p),
        }
        if "margin" in result.draws:
            answers["margin"] = break_even_margin(result, visits_per_day, p)
    return {
        "release": result.release.name,
        "kappa": result.kappa,
        "condition": result.condition,
        "window_days": result.window,
        "demand_growth": result.demand_growth,
        "estimates": {
            name: estimate(result.draws[name], unit, ci, mean=False)
            for name, unit in UNITS.items()
            if name in result.draws
        },
        "p_passed": result.p_passed,
        "p_none": result.p_none,
        "break_even": answers,
        "sentence": result.sentence(ci),
    }


def _window(window: float) -> float:
    if not (np.isfinite(window) and window > 0):
        raise DensingError(f"window = {window:g} must be above 0 days, for instance 60")
    return float(window)


def _check_demand(visits: float) -> None:
    if not (np.isfinite(visits) and visits > 0):
        raise DensingError(f"visits = {visits:g} must be a number above 0, such as 1e6")


def _upper(draws: Any, p: float) -> float:
    """Smallest draw that at least a share ``p`` of draws does not exceed."""
    check_ci(p)
    return float(np.quantile(np.ravel(draws), p, method="inverted_cdf"))
