"""The source that an answer rests on: a module, and what it imports of this package, recursively.

The store hashes it, so that an answer is made anew when a line changes that it came from, and kept
when another does. Imports are read from the source; nothing is imported for it.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "densing_bayes"
LIBRARIES = ("arviz-stats", "numba", "numpy", "nutpie", "pymc", "pytensor")  # numbers come from
HERE = Path(__file__).parents[__name__.count(".") - 1]  # folder of the package


@cache
def source_hash(*modules: str, folder: Path = HERE) -> str:
    """Hash of the source of some modules and of all that they import.

    Parameters
    ----------
    *modules
        Names such as "densing_bayes.joint.laws".
    folder
        Of the package.
    """
    content = hashlib.sha256()
    for name, path in sorted(imported(*modules, folder=folder).items()):
        content.update(name.encode() + path.read_bytes())
    return content.hexdigest()


def imported(*modules: str, folder: Path = HERE) -> dict[str, Path]:
    """Files of some modules and of what they import of the package, recursively, by module.

    Imports within functions count, those for type checkers do not. Importing a module of a folder
    runs the folder's ``__init__``, which counts, too; that of the package itself only names what it
    exports, and does not.

    Raises
    ------
    ModuleNotFoundError
        If there is no such module.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or name == PACKAGE:
            continue
        path = module_file(name, folder)
        if path is None:
            raise ModuleNotFoundError(f"no module '{name}' in {folder}", name=name)
        found[name] = path
        waiting.append(name.rpartition(".")[0])
        tree = ast.parse(path.read_text(encoding="utf-8"))
        waiting += [each for each in _names(tree) if module_file(each, folder)]
    return found


def _names(tree: ast.AST) -> Iterator[str]:
    """What is imported of the package: modules, and names that may be modules."""
    for node in _run(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a syntax tree without what is there for type checkers only."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield from _run(node)


def module_file(name: str, folder: Path = HERE) -> Path | None:
    """File of a module of the package, or None if the name is no such module."""
    package, *parts = name.split(".")
    if package != PACKAGE:
        return None
    place = folder.joinpath(*parts)
    files = (place.with_name(f"{place.name}.py"), place / "__init__.py")
    return next((file for file in files if file.is_file()), None)
