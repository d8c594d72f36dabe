"""Imports that no tool sees: by a string, at run time."""

import ast
from pathlib import Path

import densing_bayes

FOLDER = Path(densing_bayes.__file__).parent
IMPORTERS = {
    "import_module",
    "__import__",
    "exec",
    "eval",
    "spec_from_file_location",
    "resolve_name",
}
REGISTRIES = {"__init__.py"}  # the public names of the package, which load on first use


def importers(text):
    """What a source calls or takes that can import by a string."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                if name in IMPORTERS:
                    yield name


def test_nothing_is_imported_by_a_string_outside_the_registries():
    found = {
        str(path.relative_to(FOLDER)): names
        for path in FOLDER.rglob("*.py")
        if (names := sorted(set(importers(path.read_text("utf-8")))))
    }
    assert found == {name: ["import_module"] for name in REGISTRIES}


def test_an_import_by_a_string_is_seen():
    text = (
        "from importlib import import_module as find\nimportlib.import_module('a')\n__import__(b)"
    )
    assert sorted(importers(text)) == ["__import__", "import_module", "import_module"]
