"""Text that shows as it was written, whatever reads it: names and notes come from anybody's tables.

Pages of a report are escaped by their template, JSON by its writer; here is what else there is.
"""

from __future__ import annotations

import re
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# What can begin HTML or an entity, a link, code or a formula; a sign such as "P < 0.01" stays.
_MARKDOWN = re.compile(r"<(?=[A-Za-z/!?])|&(?=[A-Za-z#])|\](?=[\[(])|[`$]")
_NUMBER = re.compile(r"[-+]?[\d.,]*\d(e[-+]?\d+)?%?|-inf")


def in_utf8(text: str) -> str:
    """Text of an argument, in which bytes that were no text are written out."""
    return text.encode("utf-8", "backslashreplace").decode()


def in_markdown(text: str) -> str:
    """Text in one line, without HTML, links, code or formulas of its own."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(text.split()))


def in_markdown_cell(text: str) -> str:
    """The same in a cell of a table, where bars and stars have a meaning, too."""
    return re.sub(r"([|*])", r"\\\1", in_markdown(text))


def in_csv(cell: Any) -> Any:
    """A cell that a spreadsheet takes for text: one that could be a formula begins with a quote."""
    if not isinstance(cell, str) or cell[:1] not in ("=", "+", "-", "@", "\t", "\r"):
        return cell
    ends = cell.split(" to ")
    harmless = len(cell) == 1 or all(_NUMBER.fullmatch(end) for end in ends)
    return cell if harmless else f"'{cell}"


def on_terminal(text: str) -> str:
    """Text whose control characters are written out, so that they do nothing; lines stay."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def in_figure(text: str) -> str:
    """Text without formulas for matplotlib, which reads dollar signs as such."""
    return text.replace("$", r"\$")
