"""Imports that no tool sees: by a string, at run time."""

import ast
import pkgutil
from collections import Counter
from pathlib import Path

import pytest

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


def defined_twice(text):
    """Names that a module gives to two things, of which the second hides the first."""
    names = Counter()
    for node in ast.parse(text).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names[name] += 1
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names.update(alias.asname or alias.name for alias in aliases)
            case ast.Assign(targets=targets):
                found = (each for target in targets for each in ast.walk(target))
                names.update(each.id for each in found if isinstance(each, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                names[name] += 1
    return sorted(name for name, times in names.items() if times > 1)


def test_every_name_of_a_module_is_defined_once():
    found = {
        str(path.relative_to(FOLDER)): names
        for path in FOLDER.rglob("*.py")
        if (names := defined_twice(path.read_text("utf-8")))
    }
    assert found == {}


def test_a_name_that_is_defined_twice_is_seen():
    assert defined_twice('from a import b\nA, B = 1, 2\nB, C = 3, 4\nb = "c"') == ["B", "b"]


def taken(text):
    """Names that a source takes from the package, in functions as well."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("densing_bayes"):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_what_scripts_import_of_the_package_is_there():
    """They run for minutes, so no test runs most of them."""
    root = FOLDER.parent
    scripts = [*root.glob("analyses/**/*.py"), *root.glob("docs/*.py"), *root.glob("data/*.py")]
    names = {name for script in scripts for name in taken(script.read_text("utf-8"))}
    assert len(names) > 50
    for name in sorted(names):
        pkgutil.resolve_name(name)


def test_an_import_of_what_is_not_there_is_seen():
    (name,) = taken("def f():\n    from densing_bayes.joint.laws import mend\n")
    with pytest.raises(AttributeError):
        pkgutil.resolve_name(name)
