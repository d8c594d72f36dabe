"""The page on the architecture says what the code is."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TO_BE_MADE = re.compile(r"densing_bayes.corollaries.energy\b")  # by who follows the page on it
TEXTS = [
    file
    for pattern in (
        "README.md",
        "CONTRIBUTING.md",
        "docs/**/*.md",
        "analyses/**/*.md",
        "data/*.md",
        "densing_bayes/**/*.py",
    )
    for file in sorted(ROOT.glob(pattern))
    if "_build" not in file.parts
]


@pytest.fixture
def architecture(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    return importlib.import_module("architecture")


def test_the_committed_page_is_what_the_script_writes(architecture):
    page = architecture.PAGE.read_text(encoding="utf-8")
    assert architecture.written(page) == page, "run python docs/architecture.py"


def test_every_function_on_the_way_exists(architecture):
    for name in architecture.WAY.split():
        module, _, function = name.rpartition(".")
        assert callable(getattr(importlib.import_module(f"densing_bayes.{module}"), function))


def test_a_call_that_is_not_made_is_refused(architecture, monkeypatch):
    assert architecture.calls("quantities.growth.doubling_time", "joint.laws.doubling_time")
    assert not architecture.calls("quantities.growth.doubling_time", "joint.laws.logistic")
    monkeypatch.setattr(architecture, "WAY", "fitting.fit.fit\n  report.files.write_report")
    with pytest.raises(LookupError, match=r"fitting\.fit\.fit does not call report\.files"):
        architecture.way()


def test_a_function_that_is_gone_is_refused(architecture, monkeypatch):
    monkeypatch.setattr(architecture, "WAY", "fitting.fit.mend")
    with pytest.raises(LookupError, match=r"there is no fitting\.fit\.mend"):
        architecture.way()


def is_there(name):
    """Whether there is a module, an attribute or a field of a class of this name."""
    try:
        pkgutil.resolve_name(name)
    except ImportError:
        return False
    except AttributeError:
        owner, _, field = name.rpartition(".")
        return is_there(owner) and field in fields_of(pkgutil.resolve_name(owner))
    return True


def fields_of(owner):
    return getattr(owner, "__annotations__", {})


def test_a_name_that_is_gone_is_seen():
    assert is_there("densing_bayes.Fit.diagnostics")
    assert is_there("densing_bayes.joint.laws.doubling_time")
    assert not is_there("densing_bayes.Fit.mended")
    assert not is_there("densing_bayes.laws")
    assert not is_there("densing_bayes.laws.doubling_time")


def test_every_file_of_the_project_that_a_text_names_is_there():
    folders = "densing_bayes|tests|models|data|analyses|docs"
    for text in TEXTS:
        said = text.read_text(encoding="utf-8")
        for name in re.findall(rf"(?<![\w/.@-])((?:{folders})/[\w./-]+\.\w+)", said):
            assert (ROOT / name).exists() or TO_BE_MADE.match(name), f"{text}: {name}"


def test_every_module_that_a_text_names_is_there():
    for text in TEXTS:
        for name in re.findall(r"\bdensing_bayes(?:\.\w+)+", text.read_text(encoding="utf-8")):
            assert is_there(name) or TO_BE_MADE.match(name), f"{text}: {name}"
