"""Options that commands share, each checked before anything is imported or fitted."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import LEAST_CHAINS, LEAST_DRAWS, LEAST_TUNE, MAX_SEED


def share(option: str) -> Callable[[float | None], float | None]:
    """A check that the value of an option is a probability, ends excluded."""

    def checked(value: float | None) -> float | None:
        if value is not None and not 0.0 < value < 1.0:
            raise DensingError(
                f"{option} {value:g} is not a probability between 0 and 1, such as 0.9"
            )
        return value

    return checked


def positive(option: str) -> Callable[[float | None], float | None]:
    """A check that the value of an option is above 0 and finite."""

    def checked(value: float | None) -> float | None:
        if value is not None and not (value > 0.0 and math.isfinite(value)):
            raise DensingError(f"{option} {value:g} must be a number above 0")
        return value

    return checked


def list_of_names(text: str, option: str) -> list[str]:
    """Names of a list with commas, of which there must be one at least."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise DensingError(f"{option} {text!r} names nothing: give a name, or leave it out")
    return names


def path_given(text: str | Path) -> Path:
    """A path that was given; an empty one would mean the current folder."""
    if not str(text).strip():
        raise typer.BadParameter("the path is empty; give one, or leave the option out")
    return Path(text)


def panel_name(name: str | None) -> str | None:
    """Name of a panel, unless it names both an embedded one and tables of one's own here."""
    if name is not None and Path(name).is_dir():
        from densing_bayes.inputs.panel import refuse_two_meanings

        refuse_two_meanings(name)
    return name


Draws = Annotated[int, typer.Option(help="Posterior draws per chain.", min=LEAST_DRAWS)]
Tune = Annotated[int, typer.Option(help="Tuning steps per chain.", min=LEAST_TUNE)]
Chains = Annotated[int, typer.Option(help="Number of chains.", min=LEAST_CHAINS)]
Seed = Annotated[int, typer.Option(help="Seed of all random numbers.", min=0, max=MAX_SEED)]
Jobs = Annotated[
    int | None, typer.Option(help="Parallel processes. [default: one per core]", min=1)
]
Interval = Annotated[
    float,
    typer.Option("--ci", help="Posterior probability of each interval.", callback=share("--ci")),
]
SpecName = Annotated[
    str, typer.Argument(metavar="SPEC", help="Specification: built-in name or TOML file.")
]
Cache = Annotated[
    bool, typer.Option("--cache/--no-cache", help="Keep finished fits and reuse them.")
]
PanelName = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Panel: folder of tables or name of an embedded one. [default: that of SPEC]",
        callback=panel_name,
    ),
]
SeenTables = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Tables that FIT was fitted to. [default: the embedded panel]",
        callback=panel_name,
    ),
]
Tables = Annotated[
    str,
    typer.Argument(
        metavar="DIR", help="Folder of tables, or an embedded panel.", callback=panel_name
    ),
]
OutFile = Annotated[Path, typer.Option(metavar="FILE", help="File to write.", parser=path_given)]
OutFolder = Annotated[
    Path, typer.Option(metavar="DIR", help="Folder to write to.", parser=path_given)
]
