"""Errands: in processes side by side, in order of need, and called off together."""

import os
import threading

import pytest

from densing_bayes.errors import DensingError
from densing_bayes.fitting.built_in import BUILT_IN
from densing_bayes.progress import Steps
from densing_bayes.report import ahead
from densing_bayes.report.ahead import EXPECTED, Errand, for_claims, for_sections, run


def leave(path, needed, tell):
    """Write the own process to a file, once another is there."""
    if needed is not None:
        assert needed.exists()
    tell("writing", 0.5)
    path.write_text(str(os.getpid()))


def fail(tell):
    raise DensingError("no such thing; look elsewhere")


def wait(tell):
    threading.Event().wait(60.0)


@pytest.fixture
def steps():
    with Steps({}) as shown:
        yield shown


def test_what_is_needed_comes_first_and_both_processes_work(tmp_path, steps, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    errands = [
        Errand("second", leave, (second, first), after="first"),
        Errand("first", leave, (first, None)),
    ]
    run(errands, steps)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["first", "second"]
    assert str(os.getpid()) not in (first.read_text(), second.read_text())


def test_one_errand_is_done_here(tmp_path, steps, capsys):
    run([Errand("alone", leave, (tmp_path / "alone", None))], steps)
    assert (tmp_path / "alone").read_text() == str(os.getpid())
    assert capsys.readouterr().err.startswith("alone: ")


def test_an_error_calls_the_others_off(steps):
    with pytest.raises(DensingError, match="look elsewhere"):
        run([Errand("slow", wait), Errand("fails", fail)], steps)


def test_a_report_asks_for_what_it_needs_and_no_more():
    names = [errand.step for errand in [*for_claims(tuple(BUILT_IN)), *for_sections(None, 0.95)]]
    assert set(names) == set(EXPECTED)
    assert [errand.step for errand in for_claims(("joint",), tables=False)] == ["fit of 'joint'"]
    assert for_sections(("trend", "model"), 0.95) == []
    assert {errand.after for errand in for_sections(None, 0.95)} == {"fit of 'current'"}
    assert ahead.LONG[0].name == "compression"
