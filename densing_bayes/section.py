"""A section of the report: sentences, a table and a figure that belong together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Section:
    """What one part of a report says.

    Attributes
    ----------
    name
        Of files and of the key in report.json.
    title
        Heading.
    sentences
        What the numbers say, in words.
    header, rows
        A table; none if there are no rows.
    figure, alt, caption
        A figure, its description from the numbers, and what it shows; none if there is no figure.
    document
        The numbers.
    """

    name: str
    title: str
    sentences: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    figure: Figure | None = None
    alt: str = ""
    caption: str = ""
    document: dict[str, Any] = field(default_factory=dict)
