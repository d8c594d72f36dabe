"""Inputs of a pay-back that are stated: numbers, or priors to draw from."""

from __future__ import annotations

import numpy as np
import xarray as xr

from densing_bayes.errors import DensingError
from densing_bayes.inputs.families import Family, Prior
from densing_bayes.observed.arrays import Floats

Input = float | Prior | np.ndarray | xr.DataArray
"""A number, a prior, or draws that are taken at random."""


UNITS = {
    "waiting_time": "days",
    "life": "days",
    "training_cost": "USD",
    "price": "USD per million tokens",
    "tokens_per_visit": "tokens",
    "margin": "1",
    "serving_cost": "USD per million tokens",
    "halving_days": "days",
    "earned_per_daily_visit": "USD",
    "daily_visits_needed": "visits a day",
    "visits_needed": "visits",
}


def drawn_input(name: str, value: Input, shape: tuple[int, ...], seed: tuple[int, ...]) -> Floats:
    """Draws of an input: a number repeated, a prior sampled, or given draws taken at random.

    Raises
    ------
    DensingError
        If a value is not positive, or a margin is above 1.
    """
    random = np.random.default_rng(seed)
    if isinstance(value, Family):
        drawn = value.quantile(random.uniform(size=shape))
    elif isinstance(value, np.ndarray | xr.DataArray):
        pool = np.ravel(value)
        if not pool.size:
            raise DensingError(f"{name}: there are no draws")
        drawn = pool[random.integers(pool.size, size=shape)]
    else:
        drawn = np.full(shape, float(value))
    _check_input(name, drawn)
    return np.asarray(drawn, float)


def _check_input(name: str, drawn: np.ndarray) -> None:
    wrong = drawn[~(drawn > 0)]
    if wrong.size:
        raise DensingError(f"{name} = {wrong[0]:g} must be above 0; its unit is {UNITS[name]}")
    if name == "margin" and (drawn > 1).any():
        value = drawn[drawn > 1][0]
        hint = f"; write {value / 100:g} for {value:g}%" if value <= 100 else ""
        raise DensingError(f"margin = {value:g} is above 1: it is a share of revenue{hint}")
    if name != "halving_days" and np.isinf(drawn).any():
        raise DensingError(f"{name} is infinite; its unit is {UNITS[name]}")
