"""Model specifications: TOML files parsed into frozen, validated objects.

A specification holds choices (panel, links, switches) and priors; the mathematics that they
switch is Python. Unknown keys fail with a suggestion, and equal specifications hash equally.
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from densing_bayes.errors import SpecError, did_you_mean
from densing_bayes.inputs.contradictions import contradiction
from densing_bayes.inputs.dates import MOST_DAYS, Day
from densing_bayes.inputs.families import (
    FAMILIES,
    Frozen,
    LogNormal,
    PositivePrior,
    RealPrior,
    UnitPrior,
)
from densing_bayes.inputs.hypothesis import (
    ChangeSpec,
    Hypothesis,
    LineSpec,
    PeriodSpec,
    SaturationSpec,
    SmoothSpec,
    WalkSpec,
)
from densing_bayes.inputs.performance import CurveSpec, PerformanceSpec, ProtocolsSpec
from densing_bayes.inputs.tables.schema import RELEASE_DAYS

Derivation = Literal["distilled", "continued", "upcycled"]  # schema.DERIVATIONS but COMPRESSED

# A key that came after the first fits is left out of a specification's content where it says
# nothing, so that what was fitted before it keeps its hash.
Later = Field(default=(), exclude_if=lambda value: not value)

POPULATION = "population"  # of families of reference runs


class PanelSpec(Frozen):
    """Which systems and scores enter, and how size is counted."""

    source: str = "open"
    protocols: tuple[str, ...] = Later  # of scores, the first one first; empty: the only one
    without: tuple[Derivation, ...] = Later  # derivations that stay out beside the compressed
    domains: tuple[str, ...] = ("general", "multilingual")
    architectures: tuple[str, ...] = ()  # of systems; empty: all
    weights: Literal["all", "open"] = "all"
    flagged: Literal["exclude", "offset"] = "exclude"
    size: Literal["total", "comparable", "non-embedding", "active", "inference-time"] = "comparable"
    min_params: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1e8
    reference_tokens: Annotated[float, Field(ge=1e6, allow_inf_nan=False)] = 1e12
    release_days: Annotated[int, Field(ge=0, le=MOST_DAYS)] = RELEASE_DAYS


class BenchmarkSpec(Frozen):
    """Link of one benchmark, and priors of its own where they differ."""

    link: Literal["loss", "direct", "size"]
    reference_format: str = "cloze"
    protocols: tuple[str, ...] = Later  # in place of the panel's
    families: tuple[str, ...] = Later  # of reference runs; empty: all
    format_offset: RealPrior | None = None
    ceiling: UnitPrior | None = None
    protocol_noise: PositivePrior | None = None
    loss_at_centre: PositivePrior | None = Field(
        default=None, exclude_if=lambda value: value is None
    )


class FamiliesSpec(Frozen):
    """Further families of reference runs: laws scatter over families about a population's."""

    also: tuple[str, ...] = Field(min_length=1)  # beside those that benchmarks name
    against: str = POPULATION  # whose law density is measured against: that, or a family
    level: RealPrior  # of a family's log loss on a benchmark, beside that of the reference runs
    exponent_spread: PositivePrior  # of log exponents over families
    share_spread: PositivePrior  # of logits of shares over families


class ScalingSpec(Frozen):
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
    families: FamiliesSpec | None = None


class DensitySpec(Frozen):
    """Spread of a system's density over benchmarks."""

    format_offset: RealPrior
    benchmark_spread: PositivePrior
    drift: bool = True
    drift_bend: Day | None = None
    drift_spread: PositivePrior
    drift_change_spread: PositivePrior
    flag_offset: RealPrior
    flag_spread: PositivePrior
    walk: PositivePrior | None = None  # spread of a year's steps of a benchmark off the trend
    lean: PositivePrior | None = None  # spread of what an organisation is better at, by benchmark
    release_lean: PositivePrior | None = None  # the same of a release, beyond its organisation


class TrendSpec(LineSpec):
    """Trend of log density over release dates."""

    frontier: Literal["half-normal", "none"] = "half-normal"
    release_effects: bool = True
    organisation_effects: bool = True
    size_slope: bool = True
    shortfall_drift: bool = False
    shortfall_spread: PositivePrior
    release_spread: PositivePrior
    system_spread: PositivePrior
    organisation_spread: PositivePrior
    size: RealPrior
    shortfall_growth: RealPrior
    walk: WalkSpec | None = None  # the trend wanders about its line
    periods: PeriodSpec | None = None  # systems of one stretch of time share an effect
    release_scatter: Literal[True] | None = None  # releases lie about the edge, besides below it
    # Degrees of freedom of what a release falls short by; a half-normal, or normal, without.
    release_tails: Annotated[float, Field(gt=2, allow_inf_nan=False)] | None = None


# Additions that a specification without them does not know of, so that its hash stays what it was.
SWITCHED_ON = (
    ("trend", "walk"),
    ("trend", "periods"),
    ("trend", "release_scatter"),
    ("trend", "release_tails"),
    ("scaling", "families"),
    ("performance", "protocols"),
    ("performance", "score_tails"),
    ("performance", "curve"),
    ("density", "walk"),
    ("density", "lean"),
    ("density", "release_lean"),
)


class ModelSpec(Frozen):
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

    @model_validator(mode="after")
    def _agrees(self) -> ModelSpec:
        if said := contradiction(self):
            raise ValueError(said)
        return self

    @property
    def without_runs(self) -> bool:
        """Whether no reference run has a part in it: density is relative to the systems' line."""
        return all(benchmark.link == "size" for benchmark in self.benchmarks.values())

    @property
    def hash(self) -> str:
        """SHA-256 of all that matters to the fit (name, description and labels do not)."""
        content = self.model_dump(mode="json", exclude={"name", "description"})
        for section, key in SWITCHED_ON:
            if content[section][key] is None:
                del content[section][key]
        for change in content["trend"]["changes"]:
            del change["label"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def under(self, hypothesis: Hypothesis) -> ModelSpec:
        """The same model with the trend of a hypothesis."""
        return self.model_copy(
            update={
                "trend": self.trend.under(hypothesis),
                "description": f"{self.description}; hypothesis {hypothesis.name}",
            }
        )

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
        return _validate(content, "replace()", ModelSpec)


def load_spec(source: str | os.PathLike[str]) -> ModelSpec:
    """Load a model specification.

    Parameters
    ----------
    source
        Name of a built-in specification ("current", "joint", "paper"), or the path of a TOML file.

    Raises
    ------
    SpecError
        If there is no such specification, or if it is not valid; the message names the key.
    """
    return _validate(*_read(source, _MODELS, "specification"), ModelSpec)


def as_spec(
    spec: ModelSpec | str | os.PathLike[str],
    hypothesis: Hypothesis | str | os.PathLike[str] | None = None,
) -> ModelSpec:
    """A specification as it is, or by name or path; under another hypothesis, if one is given."""
    spec = spec if isinstance(spec, ModelSpec) else load_spec(spec)
    if hypothesis is None:
        return spec
    given = hypothesis if isinstance(hypothesis, Hypothesis) else load_hypothesis(hypothesis)
    return spec.under(given)


def load_hypothesis(source: str | os.PathLike[str]) -> Hypothesis:
    """Load a hypothesis about the trend.

    Parameters
    ----------
    source
        Name of a built-in hypothesis (see :func:`list_hypotheses`), or the path of a TOML file.

    Raises
    ------
    SpecError
        If there is no such hypothesis, or if it is not valid; the message names the key.
    """
    return _validate(*_read(source, _HYPOTHESES, "hypothesis"), Hypothesis)


def load_corollary[Spec: Frozen](source: Spec | str | os.PathLike[str], kind: type[Spec]) -> Spec:
    """Load the specification of a corollary.

    Parameters
    ----------
    source
        Name of a file in models/corollaries, or the path of a TOML file; a specification is
        returned as it is.
    kind
        Class of the specification.

    Raises
    ------
    SpecError
        If there is no such specification, or if it is not valid; the message names the key.
    """
    if not isinstance(source, str | os.PathLike):
        return source
    return _validate(*_read(source, _COROLLARIES, "specification"), kind)


def list_specs() -> list[str]:
    """Names of the built-in specifications."""
    return _names(_MODELS)


def list_hypotheses() -> list[str]:
    """Names of the built-in hypotheses."""
    return _names(_HYPOTHESES)


_MODELS = resources.files("densing_bayes.models")
_HYPOTHESES = _MODELS.joinpath("hypotheses")
_COROLLARIES = _MODELS.joinpath("corollaries")


def _names(folder: Traversable) -> list[str]:
    return sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml"))


def _read(
    source: str | os.PathLike[str], folder: Traversable, kind: str
) -> tuple[dict[str, Any], str]:
    """Content of a built-in file, or of the user's own, and how to call it in a message."""
    names = _names(folder)
    if str(source) in names:
        return tomllib.loads(folder.joinpath(f"{source}.toml").read_text("utf-8")), f"{source}.toml"
    path = Path(source)
    if not path.is_file():
        hint = did_you_mean(str(source), names)
        raise SpecError(
            f"no {kind} '{source}': neither a built-in name ({', '.join(names)}) nor a file{hint}"
        )
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig")), str(path)
    except RecursionError:
        raise SpecError(f"{path}: tables or lists are nested too deeply") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: is not UTF-8; save the file as UTF-8") from error
    except ValueError as error:  # of the decoder, or a number of thousands of digits
        raise SpecError(f"{path}: not valid TOML: {error}") from error
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from error


def _validate[Spec: Frozen](content: dict[str, Any], where: str, kind: type[Spec]) -> Spec:
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        problems = [_message(item, kind) for item in error.errors()]
        raise SpecError(f"{where}: " + "; ".join(problems)) from error


def _message(item: Any, kind: type[Frozen]) -> str:
    location = [str(part) for part in item["loc"] if str(part) not in FAMILIES]
    path = ".".join(location)
    match item["type"]:
        case "extra_forbidden":
            return _unknown(path, location[-1], _known_keys(item["loc"], kind))
        case "missing":
            return f"'{path}' is missing"
        case "union_tag_invalid":
            tag = item["ctx"]["tag"]
            allowed = item["ctx"]["expected_tags"].replace("'", "").split(", ")
            hint = did_you_mean(tag, allowed)
            return f"'{path}': no prior '{tag}' here, use one of {', '.join(allowed)}{hint}"
        case _:
            said = item["msg"].removeprefix("Value error, ")
            if isinstance(item["input"], dict | list):  # it is long, and not what is wrong
                return f"'{path}': {said}" if path else said
            return f"'{path}' = {item['input']!r}: {said}"


def _known_keys(location: tuple[int | str, ...], kind: type[Frozen]) -> list[str]:
    """Keys allowed at the place of an unknown one, found by walking down the schema."""
    model: Any = kind
    for part in location[:-1]:
        if part in FAMILIES:
            model = FAMILIES[str(part)]
            continue
        if isinstance(part, int) or part not in getattr(model, "model_fields", {}):
            continue
        annotation = model.model_fields[part].annotation
        inner: dict[str, Any] = {
            "benchmarks": BenchmarkSpec,
            "changes": ChangeSpec,
            "smooth": SmoothSpec,
            "walk": WalkSpec,
            "periods": PeriodSpec,
            "protocols": ProtocolsSpec,
            "families": FamiliesSpec,
            "curve": CurveSpec,
            "saturation": SaturationSpec,
        }
        model = inner.get(str(part), annotation)
    return list(getattr(model, "model_fields", {}))


def _unknown(path: str, key: str, known: list[str]) -> str:
    hint = did_you_mean(key, known, f"known keys: {', '.join(known)}")
    return f"unknown key '{path}'{hint}"
