"""Files of a report: HTML, Markdown, JSON, CSV, PDF."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Collection
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

from densing_bayes import writing
from densing_bayes.display.literal import in_csv, in_markdown, in_markdown_cell
from densing_bayes.display.section import Picture, Report, Section, Table
from densing_bayes.errors import DensingError
from densing_bayes.posterior.plain import json_text
from densing_bayes.report.browser import find_browser, print_pdf
from densing_bayes.report.image_files import png, svg

FORMATS: Final = ("html", "md", "json", "csv", "pdf")
TONES: Final = {  # words at the end of a cell that are marked
    "supported": "ok",
    "passes": "ok",
    "PASS": "ok",
    "contradicted": "fails",
    "fails": "fails",
    "FAIL": "fails",
    "inconclusive": "aside",
}


# Files -------------------------------------------------------------------------------------------


def write_report(
    report: Report,
    directory: str | os.PathLike[str],
    formats: Collection[str] = ("html", "md", "json", "csv"),
) -> list[Path]:
    """Write a report to a folder.

    Parameters
    ----------
    report
        Of :func:`make_report`.
    directory
        Folder, made if it does not exist. Files of an earlier report are replaced, each in one
        step.
    formats
        "html": report.html, which needs no other file and no network. "md": report.md with a PNG
        for each figure. "json": report.json with all numbers. "csv": a file for each table, with
        the numbers unrounded. "pdf": report.pdf, printed by Chromium from the page.

    Returns
    -------
    list of Path
        Files written.

    Raises
    ------
    DensingError
        If a format is unknown, the folder cannot be written to, or a PDF is wanted and no
        Chromium is installed.
    """
    formats = check_formats(formats)
    return write_files(report_files(report, formats), Path(directory))


def write_files(files: dict[str, bytes], folder: Path) -> list[Path]:
    """Write the files of a report to a folder, all or none; errors as of a report."""
    try:
        return writing.write_files(folder, files)
    except OSError as error:
        raise DensingError(
            f"cannot write the report to {folder}: {error.strerror}; choose a folder that you may "
            f"write to"
        ) from error


def check_formats(formats: Collection[str]) -> list[str]:
    """Formats that can be written here; errors as of :func:`write_report`."""
    for name in formats:
        if name not in FORMATS:
            raise DensingError(f"no format '{name}' of a report; use {', '.join(FORMATS)}")
    if "pdf" in formats:
        find_browser()
    return list(formats)


def report_files(report: Report, formats: Collection[str]) -> dict[str, bytes]:
    """Contents of the files of a report, by name; formats as of :func:`write_report`."""
    files: dict[str, bytes] = {}
    if "html" in formats:
        files["report.html"] = html_page(report).encode()
    if "md" in formats:
        files["report.md"] = _render("report.md.jinja", report, link=_link).encode()
        for section in report.sections:
            for picture in section.pictures:
                files[_link(section, picture)] = png(picture.figure)
    if "json" in formats:
        files["report.json"] = (json_text(report_document(report)) + "\n").encode()
    if "csv" in formats:
        for section in report.sections:
            for table in section.tables:
                files[f"report_{table.name or section.name}.csv"] = _csv(table)
    if "pdf" in formats:
        files["report.pdf"] = _printed(report)
    return files


def _printed(report: Report) -> bytes:
    with tempfile.TemporaryDirectory() as aside:
        page = Path(aside) / "report.html"
        page.write_text(html_page(report), encoding="utf-8")
        return print_pdf(page, Path(aside) / "report.pdf").read_bytes()


def report_document(report: Report) -> dict[str, Any]:
    """All numbers of a report.

    Returns
    -------
    dict
        ``title``, ``headline`` (list of key, title, value, interval, sentence), ``verdict``,
        ``ci``, ``diagnostics``, ``provenance``, and ``sections``: what each one holds, by name.
    """
    return report.document | {"sections": {one.name: one.document for one in report.sections}}


def _csv(table: Table) -> bytes:
    import pandas as pd

    numbers = table.numbers
    if numbers is None:
        numbers = pd.DataFrame(list(table.rows), columns=list(table.header))
    return (
        numbers.rename(columns=in_csv).map(in_csv).to_csv(index=False, lineterminator="\n").encode()
    )


def _link(section: Section, picture: Picture) -> str:
    return f"report_{picture.name or section.name}.png"


# Pages -------------------------------------------------------------------------------------------


def html_page(report: Report) -> str:
    """The report as one HTML page."""

    def drawn(section: Section, picture: Picture) -> str:
        return svg(picture.figure, picture.name or section.name)

    return _render(
        "report.html.jinja",
        report,
        drawn=drawn,
        style=_resource("report.css"),
        script=_resource("report.js"),
        json=lambda content: json_text(content).replace("<", "\\u003c"),
        mathml=_mathml,
    )


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


def _resource(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _render(template: str, report: Report, **more: Any) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_resource),
        autoescape=template.endswith(".html.jinja"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"cell": cell, "line": in_markdown, "escaped": in_markdown_cell}
    return environment.get_template(template).render(report=report, **more)
