"""What a specification says of scores: how they follow from loss or ability, and their noise."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from densing_bayes.inputs.families import Frozen, LogNormal, PositivePrior, RealPrior, UnitPrior


class ProtocolsSpec(Frozen):
    """Several protocols on one benchmark, related to the one that is named first."""

    offset: RealPrior  # on the logit of the share of what lies between floor and ceiling
    noise_spread: PositivePrior  # of log noise about that of the benchmark


class CurveSpec(Frozen):
    """The curve of a benchmark, by what two reference models would score after D0 tokens."""

    small: Annotated[float, Field(ge=1e6, allow_inf_nan=False)]  # params
    large: Annotated[float, Field(ge=1e6, allow_inf_nan=False)]  # params
    start: RealPrior  # logit of the way from floor to ceiling that the small one has come
    rise: PositivePrior  # by how much the large one is ahead of it, on the logit

    @model_validator(mode="after")
    def _in_order(self) -> CurveSpec:
        if self.small >= self.large:
            raise ValueError(
                f"small = {self.small:g} must be fewer params than large = {self.large:g}"
            )
        return self


class PerformanceSpec(Frozen):
    """Score as a function of loss or of ability."""

    likelihood: Literal["normal", "beta-binomial"] = "normal"
    floor_spread: RealPrior  # of the floor about chance
    floor_without_chance: LogNormal | None = None  # where guessing scores nothing
    ceiling: UnitPrior
    curve: CurveSpec | None = None  # in place of the four priors that follow
    steepness: PositivePrior | None = None
    midpoint: PositivePrior | None = None
    discrimination: PositivePrior | None = None
    difficulty: RealPrior | None = None
    token_elasticity: PositivePrior
    reference_noise: PositivePrior
    run_effects: bool = True  # checkpoints of one training run share an effect
    # Reference runs without a measured loss enter at the loss that the law expects.
    expected_losses: bool = Field(default=False, exclude_if=lambda value: not value)
    run_spread: PositivePrior = LogNormal(distribution="lognormal", median=0.2, sigma=0.7)
    protocol_noise: PositivePrior
    protocols: ProtocolsSpec | None = None  # all scores of a system enter, not one a cell
    # Degrees of freedom of the noise of systems' scores; normal without.
    score_tails: Annotated[float, Field(gt=2, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _has_curves(self) -> PerformanceSpec:
        four = ("steepness", "midpoint", "discrimination", "difficulty")
        stated = [key for key in four if getattr(self, key) is not None]
        if self.curve is None and len(stated) < len(four):
            missing = ", ".join(key for key in four if key not in stated)
            raise ValueError(
                f"nothing is said of the curves: add a table [performance.curve], or the priors "
                f"that are missing ({missing})"
            )
        if self.curve is not None and stated:
            raise ValueError(
                f"curves have two priors: leave out {', '.join(stated)}, or the table "
                f"[performance.curve]"
            )
        return self
