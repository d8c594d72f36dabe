"""How results show themselves in a notebook: renderers by the name of the class.

A result stands in a low room and its renderer in a high one, so the package names the renderer
where it names all that loads on first use, and the result asks for it here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

RENDERERS: dict[str, Callable[[Any], str]] = {}


def html_of(result: Any) -> str | None:
    """A result as HTML, or None, by which a notebook falls back on text."""
    render = RENDERERS.get(type(result).__name__)
    return None if render is None else render(result)
