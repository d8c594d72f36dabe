"""The one form of an answer: a section of sentences, tables, pictures and the document of `--json`.

Terminal, JSON, pages, notebooks and the store render it; nothing here knows these or the model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from densing_bayes.display.figures.drawn import Image
from densing_bayes.shown import html_of

if TYPE_CHECKING:
    import pandas as pd

    from densing_bayes.display.figures.drawn import Drawn
    from densing_bayes.display.headline import Statement

Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table as it is read.

    Attributes
    ----------
    header, rows
        Cells as text.
    name
        Of its CSV file; that of the section by default.
    note
        What stands above it.
    left
        Columns of text besides the first, which are aligned to the left.
    hints
        What a reader sees who points at a row; none, or one per row.
    long
        Whether it is searched and scrolled rather than read.
    numbers
        The same table unrounded, for its CSV file; by default the cells.
    spare
        Columns that a terminal leaves out, which has no room for all.
    blocks
        Whether a terminal shows a block for each row, since the cells are sentences: the first
        cell, and a line for each of the others.
    """

    header: Row
    rows: tuple[Row, ...]
    name: str = ""
    note: str = ""
    left: frozenset[int] = frozenset()
    hints: tuple[str, ...] = ()
    long: bool = False
    numbers: pd.DataFrame | None = None
    spare: frozenset[int] = frozenset()
    blocks: bool = False


@dataclass(frozen=True)
class Picture:
    """A figure, what it shows, and its description from the numbers for who cannot see it.

    Attributes
    ----------
    draw
        Draws the figure, or its axes; or an image of it, where it has been drawn before.
    alt
        Its description.
    name
        Of its file.
    caption, title
        What stands below and above it.
    """

    draw: Callable[[], Drawn] | Image
    alt: str
    name: str
    caption: str = ""
    title: str = ""

    @cached_property
    def image(self) -> Image:
        """The figure, drawn when it is first asked for: a terminal shows none."""
        from densing_bayes.display.figures.images import image_of

        return self.draw if isinstance(self.draw, Image) else image_of(self.draw(), self.name)


class Equation(NamedTuple):
    """A formula in LaTeX, and what it says."""

    label: str
    tex: str


@dataclass(frozen=True)
class Section:
    """What one question is answered with.

    Attributes
    ----------
    name
        By which it is chosen, and of its files and its key in report.json.
    title
        Heading.
    sentences
        What the numbers say, in words.
    notes
        How to read what follows.
    tables, pictures, equations
        What stands in it.
    folded
        Title and lines of what is shown on demand.
    calculator
        Of :func:`.calculator`, for a page that can compute.
    document
        The numbers.
    """

    name: str
    title: str
    sentences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    equations: tuple[Equation, ...] = ()
    folded: tuple[str, tuple[str, ...]] | None = None
    calculator: dict[str, Any] | None = None
    document: Any = field(default_factory=dict)

    def _repr_html_(self) -> str | None:
        return html_of(self)


@dataclass(frozen=True)
class Report:
    """A report: its first screen, and sections.

    Attributes
    ----------
    title, subtitle
        Of the whole.
    verdict, warning
        Of the fit; the warning is empty if it has passed.
    statements
        The headline, each with a number.
    notes
        What the headline rests on.
    sections
        In the order in which they are read.
    document
        All numbers that are not those of a section.
    names
        Of systems, releases and benchmarks, which stay as they are whatever numbers they hold.
    """

    title: str
    subtitle: str
    verdict: str
    warning: str
    statements: tuple[Statement, ...]
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    document: dict[str, Any]
    names: frozenset[str] = frozenset()
