"""What a corollary is registered with, once: report, commands, ledger and figures loop over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from densing_bayes.display.figures.data import Source
    from densing_bayes.display.section import Section
    from densing_bayes.inputs.tables.columns import TableSchema
    from densing_bayes.posterior.result import Fit


class Answer(NamedTuple):
    """A section of the report."""

    name: str
    title: str
    make: Callable[[Fit, float, int], Section]  # of a fit, for intervals ci, with a seed
    seconds: float = 0.0  # that it takes where it is worth being made ahead, beside others


class Claimed(NamedTuple):
    """A quantity that claims are about."""

    draws: Callable[[Any, str, str], NDArray[np.float64]]  # of a fit, an argument and a group
    of_tables: bool = False  # whether it is of the fits of tables by name, not of a fit
    prior: bool = True  # whether its prior says something of a claim


@dataclass(frozen=True)
class Parts:
    """What takes time to import.

    Attributes
    ----------
    answers
        Sections of the report, in order.
    tables
        Its files in ``data/``.
    figures
        By the rest of the name of the ``plot_`` function, the maker of the tables behind it.
    claims
        Quantities of claims, by the name that they have in data/claims.csv.
    table_fits
        With a seed, fits through its own tables by name, from the store or kept there, on which
        quantities of tables rest; none by default.
    """

    answers: tuple[Answer, ...] = ()
    tables: tuple[TableSchema, ...] = ()
    figures: Mapping[str, Source] = field(default_factory=dict)
    claims: Mapping[str, Claimed] = field(default_factory=dict)
    table_fits: Callable[[int], Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Corollary:
    """What follows from the growth of density together with further data.

    Attributes
    ----------
    name
        Of its folder.
    parts
        Imports and gives its parts.
    commands
        By name; what is slow to import is imported inside them.
    """

    name: str
    parts: Callable[[], Parts]
    commands: Mapping[str, Callable[..., None]] = field(default_factory=dict)
