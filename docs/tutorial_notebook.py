"""The tutorial as a notebook: its page cell by cell, so that both say the same."""

from __future__ import annotations

import re
from pathlib import Path

from nbformat import NotebookNode, writes
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PAGE = Path(__file__).with_name("tutorial.md")
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def tutorial_notebook() -> NotebookNode:
    """The page of the tutorial with its Python in cells of code."""
    cells = []
    for number, part in enumerate(BLOCK.split(PAGE.read_text(encoding="utf-8"))):
        if not part.strip():
            continue
        code = number % 2 == 1
        cell = new_code_cell(part.strip()) if code else new_markdown_cell(_plain(part).strip())
        cell["id"] = f"cell-{number}"  # else random, and no notebook like another
        cells.append(cell)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def write_notebook() -> None:
    """Write it beside the page, from where readers download it."""
    PAGE.with_suffix(".ipynb").write_text(writes(tutorial_notebook()) + "\n", encoding="utf-8")


def _plain(text: str) -> str:
    """Text without what only the documentation understands: roles, and links to its pages."""
    text = re.sub(r"^.*\{download\}.*\n?", "", text, flags=re.MULTILINE)
    text = re.sub(r"\{func\}`([^`]+)`", r"`\1`", text)
    text = re.sub(r"\{doc\}`([^`]+)`", "gallery of the documentation", text)
    return re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]+\)", r"\1", text)
