"""Results as a graph: which of them are out of date, and their scripts in the order of need.

The table is graph.toml; doit runs it. What an input was when a result was made is committed in
made_from.json, so that a fresh clone knows what is up to date. Called by `make results`, `make
results ONLY=payback` and `make stale`; the others of doit's commands work from the top folder, too:

    doit [run | list --status | info NAME | reset-dep NAME] [NAME ...]
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import shlex
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from doit.dependency import FileChangedChecker

from densing_bayes.source import HERE, LIBRARIES, imported, module_file

ROOT = Path(__file__).resolve().parents[1]
PINS = "constraints.txt"


def load_graph() -> dict[str, dict[str, Any]]:
    """Rows of graph.toml by name, with the path of the script, and all inputs as paths."""
    rows = tomllib.loads((ROOT / "analyses/graph.toml").read_text("utf-8"))
    groups = rows.pop("inputs")
    for name, row in rows.items():
        row["script"] = f"analyses/{row.get('script', name)}.py"
        row["inputs"] = [path for each in row["inputs"] for path in groups.get(each, [each])]
    return rows


def task_result() -> Iterator[dict[str, Any]]:
    """A task for each row that writes a result and is not left to a human being."""
    for name, row in load_graph().items():
        if row["outputs"] and "by_hand" not in row:
            words = [sys.executable, row["script"], *row.get("arguments", [])]
            first = [(remove, [row["outputs"]])] if row.get("afresh") else []
            yield {
                "basename": name,
                "doc": ast.get_docstring(ast.parse((ROOT / row["script"]).read_text("utf-8"))),
                "actions": [*first, shlex.join(words)],
                "file_dep": [row["script"], PINS, *row["inputs"]],
                "targets": row["outputs"],
                "verbosity": 2,
            }


def remove(paths: list[str]) -> None:
    """Remove results that a script would add to."""
    for path in paths:
        (ROOT / path).unlink(missing_ok=True)


# What an input is ---------------------------------------------------------------------------------


@cache
def content(path: str) -> str:
    """Hash of what a result can depend on in an input."""
    place = ROOT / path
    if path == PINS:
        lines = place.read_text("utf-8").splitlines()
        parts = [line.encode() for line in lines if line.partition("==")[0] in LIBRARIES]
    elif place.suffix == ".py":
        parts = [code(each) for each in with_imports(place)]
    else:
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        parts = [each.name.encode() + each.read_bytes() for each in files if each.is_file()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def with_imports(script: Path) -> list[Path]:
    """Files of a script, of the scripts beside it that it imports, and of the package, recursively.

    What a script takes from ``densing_bayes`` itself counts as the module that it comes from.
    """
    scripts, modules, waiting = [], set[str](), [script]
    while waiting:
        path = waiting.pop()
        if path in scripts or not path.is_file():
            continue
        scripts.append(path)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                if node.module == HERE.name:
                    names += [homes().get(alias.name, "") for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "db":
                names = [homes().get(node.attr, "")]
            else:
                continue
            modules |= {name for name in names if module_file(name)}
            waiting += [path.with_name(f"{name}.py") for name in names if "." not in name]
    return sorted(scripts) + sorted(imported(*modules).values())


@cache
def homes() -> dict[str, str]:
    """Module of each name that the package exports, as it says for type checkers."""
    tree = ast.parse((HERE / "__init__.py").read_text("utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module or "" for node in found for alias in node.names}


@cache
def code(path: Path) -> bytes:
    """Tokens of a Python file without comments, docstrings and blank lines."""
    kept: list[str] = []
    line: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
        if token.type in (tokenize.COMMENT, tokenize.NL):
            continue
        line.append(token)
        if token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            said = [each.type for each in line if each.string.strip()]
            if said == [tokenize.STRING]:
                line = [each for each in line if each.type in (tokenize.INDENT, tokenize.DEDENT)]
            kept += [f"{each.type} {each.string}" for each in line]
            line = []
    return "\n".join(kept).encode()


class Content(FileChangedChecker):  # type: ignore[misc]
    """An input has changed if its content has, whenever it was written."""

    def check_modified(self, file_path: str, file_stat: object, state: str) -> bool:
        """Compare with what it was."""
        return content(file_path) != state

    def get_state(self, dep: str, current_state: str | None) -> str:
        """What it is."""
        return content(dep)


class Lines:
    """What results were made from as JSON, a line for an input, in an order that stays the same."""

    def encode(self, data: Any) -> str:
        """Write."""
        for entry in data.values():
            entry["deps:"] = sorted(entry.get("deps:", []))
            entry.pop("result:", None)  # of what was printed
        return json.dumps(data, indent=1, sort_keys=True) + "\n"

    def decode(self, data: str) -> Any:
        """Read."""
        return json.loads(data)


DOIT_CONFIG = {
    "backend": "json",
    "dep_file": str(ROOT / "analyses/made_from.json"),
    "check_file_uptodate": Content,
    "codec_cls": Lines,
}
