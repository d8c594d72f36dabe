"""A report as a workbook of Excel, and as a notebook."""

from __future__ import annotations

import io
import re

from densing_bayes.display.localised import Local
from densing_bayes.display.pages import link, rendered, section_markdown, table_frame
from densing_bayes.display.section import Picture, Report, Section
from densing_bayes.errors import DensingError, install_hint

LONGEST_NAME = 31  # of a sheet of Excel
NUMBERS = """\
# All numbers of this report, unrounded; report.json is written beside it.
import json
from pathlib import Path

numbers = json.loads(Path("report.json").read_text(encoding="utf-8"))
{name: list(section)[:5] for name, section in numbers["sections"].items()}"""


def workbook(report: Report) -> bytes:
    """A sheet for the headline and one for each table, unrounded where its numbers are known.

    Text that begins as a formula does is text, as in the CSV files.

    Raises
    ------
    DensingError
        If XlsxWriter is not installed.
    """
    import pandas as pd

    try:
        import xlsxwriter  # noqa: F401
    except ImportError as error:
        raise DensingError(install_hint("workbooks", "XlsxWriter")) from error
    headline = pd.DataFrame(
        [(item.title, item.value, item.interval, item.sentence) for item in report.statements],
        columns=["what", "value", "interval", "in words"],
    )
    first = "headline" if not report.warning else report.verdict
    file, taken = io.BytesIO(), {first.casefold()}
    literal = {"strings_to_formulas": False, "strings_to_urls": False}
    with pd.ExcelWriter(file, engine="xlsxwriter", engine_kwargs={"options": literal}) as book:
        headline.to_excel(book, sheet_name=first, index=False)
        for section in report.sections:
            for table in section.tables:
                name = _sheet_name(table.name or section.name, taken)
                frame = table_frame(table).map(_plain)
                frame.to_excel(book, sheet_name=name, index=False, freeze_panes=(1, 1))
                book.sheets[name].autofit()
    return file.getvalue()


def _sheet_name(name: str, taken: set[str]) -> str:
    """A name that Excel takes and that no other sheet has, whatever its case."""
    stem = re.sub(r"[\[\]:*?/\\]", "-", name)[:LONGEST_NAME].strip("'") or "table"
    number, found = 1, stem
    while found.casefold() in taken:
        number += 1
        found = f"{stem[: LONGEST_NAME - 4]} {number}"
    taken.add(found.casefold())
    return found


def _plain(value: object) -> object:
    """A value that a cell can hold: lists and the like as text."""
    return str(value) if isinstance(value, list | dict | tuple | set) else value


def notebook(report: Report, local: Local) -> bytes:
    """A cell of Markdown for the headline and for each section, with its pictures in it.

    Raises
    ------
    DensingError
        If nbformat is not installed.
    """
    try:
        import nbformat
        from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
    except ImportError as error:
        raise DensingError(install_hint("notebooks", "nbformat")) from error
    head = rendered(
        __package__, "report.md.jinja", local=local, report=report, section_markdown=lambda _: ""
    )
    cells = [new_markdown_cell(head.strip())]
    for section in report.sections:
        cell = new_markdown_cell(section_markdown(section, _attached, local).strip())
        if attachments := _attachments(section):
            cell["attachments"] = attachments
        cells.append(cell)
    cells.append(new_code_cell(NUMBERS))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    for number, each in enumerate(book.cells):  # else random, and no report like another
        each["id"] = f"cell-{number}"
    return (nbformat.writes(book) + "\n").encode()


def _attached(picture: Picture) -> str:
    return f"attachment:{link(picture)}"


def _attachments(section: Section) -> dict[str, dict[str, str]]:
    import base64

    return {
        link(picture): {"image/png": base64.b64encode(picture.image.png).decode()}
        for picture in section.pictures
    }
