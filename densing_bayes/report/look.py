"""What a report has of its readers' house: template, style, logo, locale, length of print."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Final, NamedTuple

from densing_bayes.display.localised import ENGLISH, in_locale
from densing_bayes.errors import DensingError, did_you_mean

PRINT_ROWS: Final = 20
IMAGES: Final = {
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
}


class Look(NamedTuple):
    """How a report looks; made by :func:`report_look`.

    Attributes
    ----------
    template
        Text of a Jinja template in place of report.html.jinja; empty for that.
    css
        Rules after those of the report.
    logo
        Address of an image that holds the image itself.
    locale
        Whose numbers and dates a page has.
    print_rows
        Rows of a long table that are printed; 0 for all.
    """

    template: str = ""
    css: str = ""
    logo: str = ""
    locale: str = ENGLISH
    print_rows: int = PRINT_ROWS


PLAIN: Final = Look()


def report_look(
    template: str | os.PathLike[str] | None = None,
    css: str | os.PathLike[str] | None = None,
    logo: str | os.PathLike[str] | None = None,
    locale: str = ENGLISH,
    print_rows: int = PRINT_ROWS,
) -> Look:
    """Read what a report is to have of one's own.

    Parameters
    ----------
    template
        File of a Jinja template for report.html. It may begin with
        ``{% extends "report.html.jinja" %}`` and give only the blocks that differ: ``head``,
        ``header``, ``headline``, ``sections``, ``footer``.
    css
        File of rules that come after those of the report.
    logo
        PNG, SVG, JPEG, WebP or GIF above the title; it becomes a part of the page.
    locale
        Such as "de" or "fr_CH": numbers and dates of pages and Markdown are written as there.
        Words stay English, and so do figures, JSON and CSV.
    print_rows
        Rows of a long table that are printed; 0 for all. A screen shows all in any case.

    Raises
    ------
    DensingError
        If a file cannot be read, or is not what it is to be, or there is no such locale.
    """
    in_locale(locale)  # refuses what is none
    if print_rows < 0:
        raise DensingError(f"print_rows = {print_rows} must be 0 (all rows) or more")
    return Look(
        template="" if template is None else _text(Path(template), "template"),
        css="" if css is None else _text(Path(css), "style").replace("</", "<\\/"),
        logo="" if logo is None else _image(Path(logo)),
        locale=locale,
        print_rows=print_rows,
    )


def _text(path: Path, what: str) -> str:
    try:
        return _bytes(path, what).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DensingError(f"{path}: is not UTF-8; save the {what} as UTF-8") from error


def _image(path: Path) -> str:
    kind = IMAGES.get(path.suffix.lower())
    if kind is None:
        hint = did_you_mean(path.suffix, IMAGES, f"use {', '.join(IMAGES)}")
        raise DensingError(f"{path}: a logo of another kind than the page can hold{hint}")
    return f"data:{kind};base64,{base64.b64encode(_bytes(path, 'logo')).decode()}"


def _bytes(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DensingError(f"cannot read the {what} {path}: {error.strerror}") from error
