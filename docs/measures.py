"""How large and how entangled a package is: modules, levels of imports, circles, long functions.

python docs/measures.py           # write the table of the page on the architecture
python docs/measures.py FOLDER    # print the figures of the package in a folder
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

PACKAGE = Path(__file__).resolve().parents[1] / "densing_bayes"
MODULE = 400  # lines
FUNCTION = 60  # lines of code of its body: no docstring, comment or blank line
PARAMETERS = 8


class Measures(NamedTuple):
    """Figures of a package; modules without an ``__init__``."""

    modules: int
    lines: int
    levels: int  # modules on the longest chain of imports
    circles: int  # groups of modules that import each other
    long_modules: int
    long_functions: int
    long_signatures: int


# Of the commit before modules were moved into rooms; `git archive 7eadca0 densing_bayes` gives it.
BEFORE = Measures(
    modules=128,
    lines=30246,
    levels=31,
    circles=2,
    long_modules=20,
    long_functions=7,
    long_signatures=20,
)
# The same models in rooms: of the commit that moved them, `git archive 88801a0 densing_bayes`.
MOVED = Measures(
    modules=171,
    lines=31102,
    levels=30,
    circles=0,
    long_modules=5,
    long_functions=7,
    long_signatures=20,
)
WORDS = {
    "modules": "modules",
    "lines": "lines",
    "levels": "modules on the longest chain of imports",
    "circles": "circles of imports",
    "long_modules": f"modules of more than {MODULE} lines",
    "long_functions": f"functions of more than {FUNCTION} lines of code",
    "long_signatures": f"functions with more than {PARAMETERS} parameters, commands among them",
}


def measured(folder: Path = PACKAGE) -> Measures:
    """Figures of the package in a folder."""
    files = {path: path.read_text("utf-8") for path in sorted(folder.rglob("*.py"))}
    own = {path: text for path, text in files.items() if path.name != "__init__.py"}
    found = [(node, text) for text in own.values() for node in functions(text)]
    levels, circles = entanglement(folder, files)
    return Measures(
        modules=len(own),
        lines=sum(map(lines, files.values())),
        levels=levels,
        circles=circles,
        long_modules=sum(lines(text) > MODULE for text in own.values()),
        long_functions=sum(code_lines(node, text) > FUNCTION for node, text in found),
        long_signatures=sum(parameters(node) > PARAMETERS for node, _ in found),
    )


def lines(text: str) -> int:
    """Lines of a module."""
    return len(text.splitlines())


def functions(text: str) -> Iterator[ast.FunctionDef]:
    """Functions of a module, those within others as well."""
    return (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))


def code_lines(function: ast.FunctionDef, text: str) -> int:
    """Lines of code of the body of a function."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    rows = text.splitlines()[body[0].lineno - 1 : function.end_lineno]
    return sum(1 for row in rows if row.strip() and not row.strip().startswith("#"))


def parameters(function: ast.FunctionDef) -> int:
    """How many parameters a function has."""
    return len(parameter_names(function))


def parameter_names(function: ast.FunctionDef) -> list[str]:
    """Names of the parameters of a function."""
    of = function.args
    named = [*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg]
    return [each.arg for each in named if each is not None]


def entanglement(folder: Path, files: dict[Path, str]) -> tuple[int, int]:
    """Modules on the longest chain of imports, a circle counting as one; and circles."""
    names = {module_name(folder, path): path for path in files}
    graph = {
        name: {
            other
            for other in imported(files[path], folder.name)
            if other in names and other != name and names[other].name != "__init__.py"
        }
        for name, path in names.items()
        if path.name != "__init__.py"
    }
    place = {name: number for number, name in enumerate(graph)}
    edges = [(place[name], place[other]) for name in graph for other in graph[name]]
    matrix = coo_array(([1] * len(edges), tuple(zip(*edges, strict=True))), shape=[len(graph)] * 2)
    count, group = connected_components(matrix, connection="strong")
    below: dict[int, set[int]] = {number: set() for number in range(count)}
    for start, end in edges:
        if group[start] != group[end]:
            below[group[start]].add(group[end])
    depth: dict[int, int] = {}
    for number in TopologicalSorter(below).static_order():
        depth[number] = 1 + max((depth[each] for each in below[number]), default=0)
    return max(depth.values()), int((np.bincount(group) > 1).sum())


def module_name(folder: Path, path: Path) -> str:
    """Full name of a module of a package."""
    parts = path.relative_to(folder.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported(text: str, package: str) -> set[str]:
    """Modules of the package that a module may import, in functions as well."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.split(".")[0] == package}


def table() -> str:
    """Figures of the package before there were rooms, once moved, and now; and its rooms now."""
    now = measured()
    sizes: dict[str, list[int]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        sizes.setdefault(room, []).append(lines(path.read_text("utf-8")))
    rows = [
        f"| {words} | {' | '.join(f'{getattr(each, name):,}' for each in (BEFORE, MOVED, now))} |"
        for name, words in WORDS.items()
    ]
    rooms = [f"| `{room}` | {len(own)} | {sum(own):,} |" for room, own in sizes.items()]
    head, ruled = "| | before | moved into rooms | now |", "|---|---|---|"
    return "\n".join(
        [head, f"{ruled}---|", *rows, "", "| room | files | lines |", ruled, *rooms, ""]
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        for name, figure in measured(Path(sys.argv[1]))._asdict().items():
            print(f"{WORDS[name]}: {figure}")
    else:
        Path(__file__).with_name("measured.txt").write_text(table(), encoding="utf-8")
