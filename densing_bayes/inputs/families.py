"""Priors as a specification states them: a family and its parameters, read from TOML."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    """A table of a specification: fixed once read, and without keys that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


LARGEST = 1e12  # of what a prior says; beyond it sums lose their digits, and a model its start
WIDEST = 20.0  # standard deviation of a logarithm or logit: factors of e^20

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=1 / LARGEST, le=LARGEST)]
Finite = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
OfLogs = Annotated[float, Field(ge=1 / LARGEST, le=WIDEST)]


class Normal(Frozen):
    """Normal prior on the real line."""

    distribution: Literal["normal"]
    mu: Finite
    sigma: Amount


class LogNormal(Frozen):
    """Log-normal prior, by its median and the standard deviation of the logarithm."""

    distribution: Literal["lognormal"]
    median: Amount
    sigma: OfLogs


class HalfNormal(Frozen):
    """Half-normal prior."""

    distribution: Literal["halfnormal"]
    sigma: Amount


class Exponential(Frozen):
    """Exponential prior of a scale, by the value that it exceeds with a small probability.

    The penalised-complexity prior of a standard deviation (Simpson et al. 2017): most likely there
    is nothing of what it scales, and evidence for more is paid for at a constant rate.
    """

    distribution: Literal["exponential"]
    upper: Amount
    tail: Annotated[float, Field(gt=0, lt=1)] = 0.05

    @property
    def mean(self) -> float:
        """Mean of the scale: 1 / rate."""
        return -self.upper / math.log(self.tail)


class Beta(Frozen):
    """Beta prior on the unit interval."""

    distribution: Literal["beta"]
    alpha: Amount
    beta: Amount


class LogitNormal(Frozen):
    """Logit-normal prior on the unit interval, by its median and the sd of the logit."""

    distribution: Literal["logitnormal"]
    median: Annotated[float, Field(gt=0, lt=1)]
    sigma: OfLogs


FAMILIES: dict[str, type[Frozen]] = {
    "normal": Normal,
    "lognormal": LogNormal,
    "halfnormal": HalfNormal,
    "exponential": Exponential,
    "beta": Beta,
    "logitnormal": LogitNormal,
}
Prior = Normal | LogNormal | HalfNormal | Exponential | Beta | LogitNormal
RealPrior = Normal
PositivePrior = Annotated[LogNormal | HalfNormal | Exponential, Field(discriminator="distribution")]
UnitPrior = Annotated[Beta | LogitNormal, Field(discriminator="distribution")]
