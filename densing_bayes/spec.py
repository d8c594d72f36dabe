"""Model specifications: TOML files parsed into frozen, validated objects.

A specification holds choices (panel, links, switches) and priors; the mathematics that they
switch is Python. Unknown keys fail with a suggestion, and equal specifications hash equally.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import json
import os
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from densing_bayes.errors import SpecError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Normal(_Frozen):
    """Normal prior on the real line."""

    distribution: Literal["normal"]
    mu: Finite
    sigma: Positive


class LogNormal(_Frozen):
    """Log-normal prior, by its median and the standard deviation of the logarithm."""

    distribution: Literal["lognormal"]
    median: Positive
    sigma: Positive


class HalfNormal(_Frozen):
    """Half-normal prior."""

    distribution: Literal["halfnormal"]
    sigma: Positive


class Beta(_Frozen):
    """Beta prior on the unit interval."""

    distribution: Literal["beta"]
    alpha: Positive
    beta: Positive


class LogitNormal(_Frozen):
    """Logit-normal prior on the unit interval, by its median and the sd of the logit."""

    distribution: Literal["logitnormal"]
    median: Annotated[float, Field(gt=0, lt=1)]
    sigma: Positive


Prior = Normal | LogNormal | HalfNormal | Beta | LogitNormal
RealPrior = Normal
PositivePrior = Annotated[LogNormal | HalfNormal, Field(discriminator="distribution")]
UnitPrior = Annotated[Beta | LogitNormal, Field(discriminator="distribution")]


class PanelSpec(_Frozen):
    """Which systems enter, and how their size is counted."""

    source: str = "open"
    domains: tuple[str, ...] = ("general", "multilingual")
    flagged: Literal["exclude", "offset"] = "exclude"
    size: Literal["total", "comparable", "non-embedding", "active", "inference-time"] = "comparable"
    min_params: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1e8
    reference_tokens: Annotated[float, Field(ge=1e6, allow_inf_nan=False)] = 1e12


class BenchmarkSpec(_Frozen):
    """Link of one benchmark, and priors of its own where they differ."""

    link: Literal["loss", "direct"]
    reference_format: str = "cloze"
    format_offset: RealPrior | None = None
    ceiling: UnitPrior | None = None


class ScalingSpec(_Frozen):
    """Scaling law of the reference runs."""

    irreducible: bool = True
    final_runs: Literal["all", "annealed"] = "all"
    loss_at_centre: PositivePrior
    irreducible_share: UnitPrior
    params_share: UnitPrior
    params_exponent: LogNormal
    tokens_exponent: LogNormal
    pooling: bool = True
    exponent_spread: PositivePrior
    loss_noise: PositivePrior


class PerformanceSpec(_Frozen):
    """Score as a function of loss or of ability."""

    likelihood: Literal["normal", "beta-binomial"] = "normal"
    floor_spread: RealPrior
    ceiling: UnitPrior
    steepness: PositivePrior
    midpoint: PositivePrior
    discrimination: PositivePrior
    difficulty: RealPrior
    token_elasticity: PositivePrior
    reference_noise: PositivePrior
    protocol_noise: PositivePrior


class DensitySpec(_Frozen):
    """Spread of a system's density over benchmarks."""

    format_offset: RealPrior
    benchmark_spread: PositivePrior
    drift: bool = True
    drift_spread: PositivePrior
    drift_change_spread: PositivePrior
    flag_offset: RealPrior
    flag_spread: PositivePrior


class ChangeSpec(_Frozen):
    """A change of the trend at a known date, in slope, level or both."""

    name: Annotated[str, Field(min_length=1)]
    date: dt.date
    slope: bool = True
    level: bool = False

    @model_validator(mode="after")
    def _changes_something(self) -> ChangeSpec:
        if not (self.slope or self.level):
            raise ValueError("a change needs slope = true, level = true or both")
        return self


class TrendSpec(_Frozen):
    """Trend of log density over release dates."""

    frontier: Literal["half-normal", "none"] = "half-normal"
    release_effects: bool = True
    organisation_effects: bool = True
    size_slope: bool = True
    shortfall_drift: bool = False
    changes: tuple[ChangeSpec, ...] = ()
    level: RealPrior
    growth_before: RealPrior
    growth_change: RealPrior
    level_change: RealPrior
    shortfall_spread: PositivePrior
    release_spread: PositivePrior
    system_spread: PositivePrior
    organisation_spread: PositivePrior
    size: RealPrior
    shortfall_growth: RealPrior

    @model_validator(mode="after")
    def _distinct_changes(self) -> TrendSpec:
        names = [change.name for change in self.changes]
        if len(set(names)) < len(names):
            raise ValueError("two changes bear one name: give each its own")
        dates = [change.date for change in self.changes]
        if dates != sorted(set(dates)):
            raise ValueError("changes must be in order of date, no date twice")
        return self


class ModelSpec(_Frozen):
    """A complete statistical model: panel, links, priors, switches and trend.

    Load one with :func:`load_spec`; the sections mirror the tables of the TOML file.
    """

    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    panel: PanelSpec
    benchmarks: dict[str, BenchmarkSpec] = Field(min_length=1)
    scaling: ScalingSpec
    performance: PerformanceSpec
    density: DensitySpec
    trend: TrendSpec

    @property
    def hash(self) -> str:
        """SHA-256 of all that matters to the fit (name and description do not)."""
        content = self.model_dump(mode="json", exclude={"name", "description"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def replace(self, **changes: Any) -> ModelSpec:
        """Copy with keys replaced, addressed as ``section__key=value`` and validated again.

        Raises
        ------
        SpecError
            If a key is unknown or a value is not allowed.

        Examples
        --------
        >>> spec = load_spec("joint").replace(trend__frontier="none")
        """
        content = self.model_dump(mode="python")
        for path, value in changes.items():
            *sections, key = path.split("__")
            table = content
            for section in sections:
                if section not in table:
                    raise SpecError(_unknown(path, section, list(table)))
                table = table[section]
            table[key] = value
        return _validate(content, "replace()")


def load_spec(source: str | os.PathLike[str]) -> ModelSpec:
    """Load a model specification.

    Parameters
    ----------
    source
        Name of a built-in specification ("joint"), or the path of a TOML file.

    Raises
    ------
    SpecError
        If there is no such specification, or if it is not valid; the message names the key.
    """
    text, where = _read(source)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{where}: not valid TOML: {error}") from error
    return _validate(content, where)


def list_specs() -> list[str]:
    """Names of the built-in specifications."""
    folder = resources.files("densing_bayes.models")
    return sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml"))


def _read(source: str | os.PathLike[str]) -> tuple[str, str]:
    names = list_specs()
    if str(source) in names:
        file = resources.files("densing_bayes.models").joinpath(f"{source}.toml")
        return file.read_text(encoding="utf-8"), f"{source}.toml"
    path = Path(source)
    if not path.is_file():
        close = difflib.get_close_matches(str(source), names, n=1)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        raise SpecError(
            f"no specification '{source}': neither a built-in name ({', '.join(names)}) "
            f"nor a file.{hint}"
        )
    try:
        return path.read_text(encoding="utf-8-sig"), str(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read as UTF-8 text: {error}") from error


def _validate(content: dict[str, Any], where: str) -> ModelSpec:
    try:
        return ModelSpec.model_validate(content)
    except ValidationError as error:
        problems = [_message(item) for item in error.errors()]
        raise SpecError(f"{where}: " + "; ".join(problems)) from error


_DISTRIBUTIONS = {
    "normal": Normal,
    "lognormal": LogNormal,
    "halfnormal": HalfNormal,
    "beta": Beta,
    "logitnormal": LogitNormal,
}


def _message(item: Any) -> str:
    location = [str(part) for part in item["loc"] if str(part) not in _DISTRIBUTIONS]
    path = ".".join(location)
    match item["type"]:
        case "extra_forbidden":
            return _unknown(path, location[-1], _known_keys(item["loc"]))
        case "missing":
            return f"'{path}' is missing"
        case "union_tag_invalid":
            tag = item["ctx"]["tag"]
            allowed = item["ctx"]["expected_tags"].replace("'", "").split(", ")
            close = difflib.get_close_matches(tag, allowed, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            return f"'{path}': no prior '{tag}' here, use one of {', '.join(allowed)}{hint}"
        case _:
            return f"'{path}' = {item['input']!r}: {item['msg']}"


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """Keys allowed at the place of an unknown one, found by walking down the schema."""
    model: Any = ModelSpec
    for part in location[:-1]:
        if part in _DISTRIBUTIONS:
            model = _DISTRIBUTIONS[str(part)]
            continue
        if isinstance(part, int) or part not in getattr(model, "model_fields", {}):
            continue
        annotation = model.model_fields[part].annotation
        inner: dict[str, Any] = {"benchmarks": BenchmarkSpec, "changes": ChangeSpec}
        model = inner.get(str(part), annotation)
    return list(getattr(model, "model_fields", {}))


def _unknown(path: str, key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(known)}"
    return f"unknown key '{path}'; {hint}"
