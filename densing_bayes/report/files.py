"""Files of a report: HTML, Markdown, JSON, CSV, PDF."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from densing_bayes import writing
from densing_bayes.display.localised import in_locale
from densing_bayes.display.pages import (
    link,
    rendered,
    resource,
    section_html,
    section_markdown,
    table_csv,
)
from densing_bayes.display.section import Report
from densing_bayes.errors import DensingError, install_hint
from densing_bayes.posterior.plain import json_text
from densing_bayes.report.browser import find_browser, print_pdf
from densing_bayes.report.exports import notebook, workbook
from densing_bayes.report.look import PLAIN, Look

FORMATS: Final = ("html", "md", "json", "csv", "xlsx", "ipynb", "pdf")
NEEDS: Final = {"xlsx": ("workbooks", "XlsxWriter"), "ipynb": ("notebooks", "nbformat")}


# Files -------------------------------------------------------------------------------------------


def write_report(
    report: Report,
    directory: str | os.PathLike[str],
    formats: Collection[str] = ("html", "md", "json", "csv"),
    look: Look = PLAIN,
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
        the numbers unrounded. "xlsx": report.xlsx, a workbook with a sheet for each table.
        "ipynb": report.ipynb, a notebook. "pdf": report.pdf, printed by Chromium from the page.
    look
        Template, style, logo and locale of one's own, of
        :func:`densing_bayes.report_look`.

    Returns
    -------
    list of Path
        Files written.

    Raises
    ------
    DensingError
        If a format is unknown, the folder cannot be written to, a template cannot be filled in, or
        what a format needs is not installed: Chromium for a PDF, packages for workbook and
        notebook.
    """
    formats = check_formats(formats)
    return write_files(report_files(report, formats, look), Path(directory))


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
    for name, (what, package) in NEEDS.items():
        if name in formats and find_spec(package.lower()) is None:
            raise DensingError(install_hint(what, package))
    return list(formats)


def report_files(report: Report, formats: Collection[str], look: Look = PLAIN) -> dict[str, bytes]:
    """Contents of the files of a report, by name; arguments as of :func:`write_report`."""
    local = in_locale(look.locale, report.names)
    files: dict[str, bytes] = {}
    if "html" in formats:
        files["report.html"] = html_page(report, look).encode()
    if "md" in formats:
        markdown = rendered(
            __package__,
            "report.md.jinja",
            local=local,
            report=report,
            section_markdown=partial(section_markdown, local=local),
        )
        files["report.md"] = markdown.encode()
        for section in report.sections:
            for picture in section.pictures:
                files[link(picture)] = picture.image.png
    if "json" in formats:
        files["report.json"] = (json_text(report_document(report)) + "\n").encode()
    if "csv" in formats:
        for section in report.sections:
            for table in section.tables:
                files[f"report_{table.name or section.name}.csv"] = table_csv(table)
    if "xlsx" in formats:
        files["report.xlsx"] = workbook(report)
    if "ipynb" in formats:
        files["report.ipynb"] = notebook(report, local)
    if "pdf" in formats:
        files["report.pdf"] = _printed(report, look)
    return files


def _printed(report: Report, look: Look) -> bytes:
    with tempfile.TemporaryDirectory() as aside:
        page = Path(aside) / "report.html"
        page.write_text(html_page(report, look), encoding="utf-8")
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


# Pages -------------------------------------------------------------------------------------------


def html_page(report: Report, look: Look = PLAIN) -> str:
    """The report as one HTML page."""
    local = in_locale(look.locale, report.names)
    return rendered(
        __package__,
        "report.html.jinja",
        own=look.template,
        local=local,
        report=report,
        look=look,
        passed=not report.warning,
        section_html=partial(section_html, local=local, print_rows=look.print_rows),
        style=resource(__package__, "report.css"),
        script=resource(__package__, "report.js"),
    )
