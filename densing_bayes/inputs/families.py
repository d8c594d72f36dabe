"""Priors as a specification states them: a family and its parameters, read from TOML.

What a family is stands here: its density, its quantiles, its name in words, and what it is at
another scale. Only its random variable is made elsewhere, in ``joint.variables``.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal, Self

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


class Family(Frozen):
    """A prior. SciPy takes its time to import, and is imported where a law is asked for."""

    scale: ClassVar[str] = "sigma"  # the parameter that is multiplied

    def _law(self) -> Any:
        """The distribution as ``scipy.stats`` has it."""
        raise NotImplementedError

    def log_density(self, x: Any) -> Any:
        """Log density at values of the variable, of their shape."""
        return self._law().logpdf(x)

    def quantile(self, share: Any) -> Any:
        """Quantiles at probabilities, of their shape."""
        return self._law().ppf(share)

    def middle(self) -> float:
        """Median."""
        return float(self.quantile(0.5))

    def text(self) -> str:
        """Name and parameters."""
        raise NotImplementedError

    def described(self) -> str:
        """Name and parameters, with the central 95% range."""
        lower, upper = self.quantile(0.025), self.quantile(0.975)
        return f"{self.text()}: {lower:.2g} to {upper:.2g}"

    def times(self, factor: float) -> Self:
        """A prior of so many times the scale: of a log-normal, so many times the median."""
        return self.model_copy(update={self.scale: getattr(self, self.scale) * factor})


class Normal(Family):
    """Normal prior on the real line."""

    distribution: Literal["normal"]
    mu: Finite
    sigma: Amount

    def _law(self) -> Any:
        from scipy import stats

        return stats.norm(self.mu, self.sigma)

    def text(self) -> str:
        """Name and parameters."""
        return f"Normal({self.mu:g}, {self.sigma:g})"


class LogNormal(Family):
    """Log-normal prior, by its median and the standard deviation of the logarithm."""

    scale = "median"
    distribution: Literal["lognormal"]
    median: Amount
    sigma: OfLogs

    def _law(self) -> Any:
        from scipy import stats

        return stats.lognorm(self.sigma, scale=self.median)

    def text(self) -> str:
        """Name and parameters."""
        return f"LogNormal(median {self.median:g}, {self.sigma:g})"


class HalfNormal(Family):
    """Half-normal prior."""

    distribution: Literal["halfnormal"]
    sigma: Amount

    def _law(self) -> Any:
        from scipy import stats

        return stats.halfnorm(scale=self.sigma)

    def text(self) -> str:
        """Name and parameters."""
        return f"HalfNormal({self.sigma:g})"


class Exponential(Family):
    """Exponential prior of a scale, by the value that it exceeds with a small probability.

    The penalised-complexity prior of a standard deviation (Simpson et al. 2017): most likely there
    is nothing of what it scales, and evidence for more is paid for at a constant rate.
    """

    scale = "upper"
    distribution: Literal["exponential"]
    upper: Amount
    tail: Annotated[float, Field(gt=0, lt=1)] = 0.05

    @property
    def mean(self) -> float:
        """Mean of the scale: 1 / rate."""
        return -self.upper / math.log(self.tail)

    def _law(self) -> Any:
        from scipy import stats

        return stats.expon(scale=self.mean)

    def text(self) -> str:
        """Name and parameters."""
        return f"Exponential(mean {self.mean:.2g})"


class Beta(Family):
    """Beta prior on the unit interval. It has no scale."""

    distribution: Literal["beta"]
    alpha: Amount
    beta: Amount

    def _law(self) -> Any:
        from scipy import stats

        return stats.beta(self.alpha, self.beta)

    def text(self) -> str:
        """Name and parameters."""
        return f"Beta({self.alpha:g}, {self.beta:g})"


class LogitNormal(Family):
    """Logit-normal prior on the unit interval, by its median and the sd of the logit."""

    distribution: Literal["logitnormal"]
    median: Annotated[float, Field(gt=0, lt=1)]
    sigma: OfLogs

    def _law(self) -> Any:
        """Of the logit."""
        from scipy import special, stats

        return stats.norm(special.logit(self.median), self.sigma)

    def log_density(self, x: Any) -> Any:
        """Log density at values of the variable, of their shape."""
        import numpy as np
        from scipy.special import logit

        x = np.asarray(x)
        return self._law().logpdf(logit(x)) - np.log(x * (1.0 - x))

    def quantile(self, share: Any) -> Any:
        """Quantiles at probabilities, of their shape."""
        from scipy.special import expit

        return expit(self._law().ppf(share))

    def middle(self) -> float:
        """Median, to the last bit."""
        return self.median

    def text(self) -> str:
        """Name and parameters."""
        return f"LogitNormal(median {self.median:g}, {self.sigma:g})"


Prior = Normal | LogNormal | HalfNormal | Exponential | Beta | LogitNormal
FAMILIES: dict[str, type[Family]] = {
    "normal": Normal,
    "lognormal": LogNormal,
    "halfnormal": HalfNormal,
    "exponential": Exponential,
    "beta": Beta,
    "logitnormal": LogitNormal,
}
RealPrior = Normal
PositivePrior = Annotated[LogNormal | HalfNormal | Exponential, Field(discriminator="distribution")]
UnitPrior = Annotated[Beta | LogitNormal, Field(discriminator="distribution")]
