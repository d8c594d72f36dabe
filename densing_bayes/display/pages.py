"""Sections as HTML, Markdown and CSV: parts of a page, or alone, as in a notebook."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from densing_bayes.display.literal import in_csv, in_markdown, in_markdown_cell
from densing_bayes.display.localised import Local, as_it_is
from densing_bayes.display.section import Picture, Section, Table
from densing_bayes.errors import DensingError
from densing_bayes.posterior.plain import json_text

if TYPE_CHECKING:
    import pandas as pd

TONES: Final = {  # words at the end of a cell that are marked
    "supported": "ok",
    "passes": "ok",
    "PASS": "ok",
    "contradicted": "fails",
    "fails": "fails",
    "FAIL": "fails",
    "inconclusive": "aside",
}


def section_html(
    section: Section, *, alone: bool = False, local: Local = as_it_is, print_rows: int = 0
) -> str:
    """A section as a part of a page.

    ``alone``: to stand in a notebook, which has neither the style nor the script of a report: with
    pictures as PNG, and without the calculator. ``local`` writes numbers and dates;
    ``print_rows`` of a long table are printed, or all where it is 0.
    """
    return rendered(
        __package__,
        "section.html.jinja",
        local=local,
        section=section,
        alone=alone,
        print_rows=print_rows,
        drawn=_png if alone else _svg,
        json=lambda content: json_text(content).replace("<", "\\u003c"),
        mathml=_mathml,
    )


def notebook_section(section: Section) -> str:
    """A section as a notebook shows it."""
    return section_html(section, alone=True)


def link(picture: Picture) -> str:
    """Name of the file of a picture in a report."""
    return f"report_{picture.name}.png"


def section_markdown(
    section: Section, link: Callable[[Picture], str] = link, local: Local = as_it_is
) -> str:
    """A section in Markdown; its pictures are files beside it, named by ``link``."""
    return rendered(__package__, "section.md.jinja", local=local, section=section, link=link)


def table_csv(table: Table) -> bytes:
    """A table as CSV, unrounded where its numbers are known."""
    return table_frame(table).to_csv(index=False, lineterminator="\n").encode()


def table_frame(table: Table) -> pd.DataFrame:
    """A table for a spreadsheet: unrounded where its numbers are known, and without formulas."""
    import pandas as pd

    numbers = table.numbers
    if numbers is None:
        numbers = pd.DataFrame(list(table.rows), columns=list(table.header))
    return numbers.rename(columns=in_csv).map(in_csv)


def _svg(picture: Picture) -> str:
    return picture.image.svg


def _png(picture: Picture) -> str:
    content = base64.b64encode(picture.image.png).decode()
    return f'<img alt="" style="max-width: 100%" src="data:image/png;base64,{content}">'


def _mathml(tex: str) -> str:
    from latex2mathml.converter import convert

    return convert(tex, display="block")


class Cell(NamedTuple):
    """A cell of a table: its text, and the word at its end that is marked, with its tone."""

    text: str
    word: str
    tone: str


def cell(text: str) -> Cell:
    """Split the word off a cell that says how something ended."""
    text = re.sub(r"\binf\b", "∞", text.replace("<=", "≤").replace(">=", "≥"))
    before, _, last = text.rpartition(": ")
    if last in TONES:
        return Cell(before, last, TONES[last])
    return Cell(text, "", "")


def resource(package: str, name: str) -> str:
    """Text of a file that a package has."""
    return resources.files(package).joinpath(name).read_text("utf-8")


def rendered(
    package: str, template: str, *, own: str = "", local: Local = as_it_is, **names: Any
) -> str:
    """A template of a package, filled in; or one of the user's ``own``, which may extend it.

    Raises
    ------
    DensingError
        If the user's own cannot be filled in.
    """
    import jinja2
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(
        loader=jinja2.FunctionLoader(lambda name: resource(package, name)),
        autoescape=template.endswith(".html.jinja"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "cell": cell, "line": in_markdown, "escaped": in_markdown_cell, "local": local,
    }  # fmt: skip
    if not own:
        return environment.get_template(template).render(**names)
    try:
        return environment.from_string(own).render(**names)
    except (jinja2.TemplateError, OSError, TypeError, ValueError, ArithmeticError) as error:
        line = getattr(error, "lineno", None)
        at = f", line {line}" if line else ""
        raise DensingError(f"the template cannot be filled in{at}: {error}") from error
