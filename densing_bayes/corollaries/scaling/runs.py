"""Training runs of a loss law, and the specification of the law."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from densing_bayes.corollaries.scaling.table import LAW_RUNS
from densing_bayes.errors import DensingError
from densing_bayes.inputs.families import Frozen, LogNormal, PositivePrior, UnitPrior
from densing_bayes.inputs.specification import load_corollary
from densing_bayes.inputs.tables.reading import load_table

FEWEST = 8  # runs: the law has five constants, and their noise is to be known
BUILT_IN = "scaling"
FLOPS_PER_TOKEN = 6.0  # training FLOP for each param and token


class RunsSpec(Frozen):
    """Which runs of the table enter."""

    flagged: Literal["exclude", "include"] = "exclude"


class LawSpec(Frozen):
    """The law and its priors; ``loss_at_centre`` in units of the geometric mean of the losses."""

    irreducible: bool = True
    tails: Annotated[float, Field(gt=2, allow_inf_nan=False)] | None = None
    loss_at_centre: PositivePrior
    irreducible_share: UnitPrior
    params_share: UnitPrior
    params_exponent: LogNormal
    tokens_exponent: LogNormal
    loss_noise: PositivePrior


class CheckSpec(Frozen):
    """Limits of the checks."""

    left_out: Annotated[float, Field(gt=0, le=0.5)] = 0.1
    missed: Annotated[float, Field(ge=0, le=1)] = 0.2
    far: Annotated[float, Field(gt=0, lt=1)] = 0.01


class ScalingLawSpec(Frozen):
    """A loss law of a table of runs."""

    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    runs: RunsSpec = RunsSpec()
    law: LawSpec
    check: CheckSpec = CheckSpec()


def load_law_spec(source: ScalingLawSpec | str | os.PathLike[str] = BUILT_IN) -> ScalingLawSpec:
    """Load the specification of a loss law; errors as of `load_corollary`."""
    return load_corollary(source, ScalingLawSpec)


def is_law_spec(source: str | os.PathLike[str]) -> bool:
    """Whether a name or file is a specification of a loss law, not of a joint model."""
    if str(source) == BUILT_IN:
        return True
    try:
        content = tomllib.loads(Path(source).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return False  # whatever is wrong with it is told by who reads it
    return "law" in content and "panel" not in content


def load_runs(source: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Training runs with their losses.

    Parameters
    ----------
    source
        A CSV file of one's own; by default the runs of Hoffmann et al. 2022 (Chinchilla) as
        Besiroglu et al. 2024 read them off a figure, losses in nats.

    Returns
    -------
    pandas.DataFrame
        run, params, tokens, loss (in one unit), flag, source.

    Raises
    ------
    TableError
        Names the file, the row, the column, the value and what would be right.
    """
    return load_table(LAW_RUNS, source)


def chosen_runs(runs: pd.DataFrame, spec: ScalingLawSpec) -> pd.DataFrame:
    """The runs that enter, with their training compute.

    Raises
    ------
    DensingError
        If fewer than eight are left, or all have one size or one number of tokens.
    """
    if spec.runs.flagged == "exclude":
        runs = runs[runs["flag"] == ""]
    if len(runs) < FEWEST:
        raise DensingError(f"{len(runs)} runs: a loss law needs at least {FEWEST}")
    for column in ("params", "tokens"):
        if runs[column].nunique() == 1:
            raise DensingError(
                f"all runs have {float(runs[column].iloc[0]):.6g} {column}: a loss law needs runs "
                f"of several"
            )
    compute = FLOPS_PER_TOKEN * runs["params"] * runs["tokens"]
    return runs.assign(compute=compute).reset_index(drop=True)


def geometric_mean(values: pd.Series) -> float:
    """Where the law is centred."""
    return float(np.exp(np.log(values).mean()))
