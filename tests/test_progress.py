"""What a long command says of its progress, on a terminal and on a pipe."""

import io
import re
import sys

import pytest

from densing_bayes import progress
from densing_bayes.progress import Steps, expected, in_words, phases, seconds_left


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_on_a_pipe_each_step_that_has_ended_is_a_line_with_its_seconds(capsys):
    with Steps({"one": 1.0, "two": 2.0}, "This takes a while.") as steps:
        with steps.step("one") as tell:
            tell("half", 0.5)
            assert capsys.readouterr().err == "This takes a while.\n"
        steps.end("two", 3.25)
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"one: \d+\.\d s", lines[0])
    assert lines[1:] == ["two: 3.2 s"]


def test_on_a_terminal_there_are_bars_and_what_is_left(monkeypatch):
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with Steps({"one": 1.0, "two": 9.0}) as steps:
        steps.begin("one")
        steps.tell("one", "sampling", 0.5)
        steps._bars.refresh()
        assert "0 of 2 steps, about" in shown.getvalue()
        assert "sampling" in shown.getvalue()
        steps.end("one")
        steps._bars.refresh()
    assert "1 of 2 steps" in shown.getvalue()
    assert "done" in shown.getvalue()


@pytest.mark.parametrize(
    ("elapsed", "done", "left"),
    [(0.0, 0.0, 100.0), (30.0, 5.0, 70.0), (120.0, 5.0, 0.0), (60.0, 50.0, 60.0), (9.0, 90.0, 1.0)],
)
def test_the_time_left_follows_what_the_work_has_taken_once_some_is_done(elapsed, done, left):
    assert seconds_left(elapsed, done, 100.0) == pytest.approx(left)


def test_phases_end_when_the_next_begins(capsys):
    with phases({"model": 1.0, "sampling": 2.0}) as tell:
        tell("model", 0.0)
        tell("sampling", 0.0)
        tell("sampling", 0.7)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["model", "sampling"]


def test_events_of_another_process_arrive(capsys):
    with Steps({}) as steps:
        for event in (("begin", "far"), ("tell", "far", "pilot", 0.2), ("end", "far")):
            steps.hear(event)
    assert capsys.readouterr().err.startswith("far: ")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "about 5 s"), (42.0, "about 40 s"), (89.0, "about 90 s"), (170.0, "about 3 minutes")],
)
def test_durations_are_said_as_one_says_them(seconds, words):
    assert in_words(seconds) == words


@pytest.mark.parametrize(("compiled", "said"), [(True, "kept"), (False, "caches are empty")])
def test_the_first_line_says_how_long_and_whether_caches_are_cold(monkeypatch, compiled, said):
    monkeypatch.setattr(progress, "pace", lambda: 2.0)
    seconds, sentence = expected({"one": 100.0, "two": 20.0}, compiled)
    assert seconds == {"one": 200.0, "two": 40.0}
    assert "about 4 minutes" in sentence
    assert said in sentence
