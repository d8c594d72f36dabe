"""How far a long piece of work is: what has been done, what is being done, and what is left."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Tell = Callable[[str, float], None]  # told a phase of a step, and the share of it that is done

YARDSTICK = 0.0105  # seconds of the loop of `pace` on the machine that expected seconds are of
COLD = 12.0  # seconds of the same machine to compile what numba's cache has not got yet
SETTLED = 0.1  # share of the work from which the time that it took says what is left


def unheard(phase: str, share: float) -> None:
    """Tell nobody."""


class Steps:
    """Steps of a piece of work, shown on standard error.

    On a terminal a bar shows the whole with an estimate of what is left, and a line each step
    that is under way. Elsewhere each step that has ended is one line with its seconds.

    Parameters
    ----------
    expected
        Names of the steps, in order, and the seconds that each is expected to take here. Other
        steps may come; they count for nothing in the estimate.
    said
        First line.
    """

    def __init__(self, expected: Mapping[str, float], said: str = "") -> None:
        self._expected = dict(expected)
        self._said = said
        self._begun: dict[str, float] = {}
        self._share: dict[str, float] = {}
        self._started = time.perf_counter()
        self._terminal = sys.stderr.isatty()
        self._bars: Any = None
        self._rows: dict[str, Any] = {}

    def __enter__(self) -> Steps:
        if self._said:
            print(self._said, file=sys.stderr, flush=True)
        if self._terminal:
            self._bars = _bars()
            self._bars.start()
            self._rows[""] = self._bars.add_task("all", total=1.0, note="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def begin(self, step: str) -> None:
        """A step begins."""
        self._begun[step] = time.perf_counter()
        self._share[step] = 0.0
        if self._bars is not None:
            self._rows[step] = self._bars.add_task(step, total=1.0, note="")
        self._refresh()

    def tell(self, step: str, phase: str, share: float) -> None:
        """A step is in a phase, of which a share is done."""
        self._share[step] = max(self._share.get(step, 0.0), min(share, 0.99))
        if self._bars is not None and step in self._rows:
            self._bars.update(self._rows[step], completed=share, note=phase)
        self._refresh()

    def end(self, step: str, seconds: float | None = None) -> None:
        """A step has ended, after ``seconds`` or after the time since it began."""
        if seconds is None:
            seconds = time.perf_counter() - self._begun.get(step, self._started)
        self._share[step] = 1.0
        line = f"{step}: {seconds:.1f} s"
        if self._bars is None:
            print(line, file=sys.stderr, flush=True)
        else:
            if step in self._rows:
                self._bars.remove_task(self._rows.pop(step))
            self._bars.console.print(f"[green]done[/] {line}", highlight=False)
        self._refresh()

    def hear(self, event: tuple[Any, ...]) -> None:
        """Take an event that another process has sent: the name of a method and its arguments."""
        what, *arguments = event
        getattr(self, what)(*arguments)

    @contextmanager
    def step(self, name: str) -> Iterator[Tell]:
        """A step that is done in the block; it yields the function that is told of it."""
        self.begin(name)
        yield lambda phase, share: self.tell(name, phase, share)
        self.end(name)

    def _refresh(self) -> None:
        if self._bars is None:
            return
        whole = sum(self._expected.values()) or 1.0
        done = sum(self._expected.get(step, 0.0) * at for step, at in self._share.items())
        left = seconds_left(time.perf_counter() - self._started, done, whole)
        ended = sum(at == 1.0 for at in self._share.values())
        count = max(len(self._expected), len(self._share))
        note = f"{ended} of {count} steps, {in_words(left)} left"
        self._bars.update(self._rows[""], completed=done / whole, note=note)


@contextmanager
def phases(expected: Mapping[str, float], said: str = "") -> Iterator[Tell]:
    """Show the phases of one step as steps of their own: each ends when the next is told of."""
    with Steps(expected, said) as steps:
        current = ""

        def tell(phase: str, share: float) -> None:
            nonlocal current
            if phase != current:
                if current:
                    steps.end(current)
                steps.begin(phase)
                current = phase
            steps.tell(phase, "", share)

        yield tell
        if current:
            steps.end(current)


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=True,
    )


def expected(seconds: Mapping[str, float], compiled: bool) -> tuple[dict[str, float], str]:
    """Seconds that steps should take on this machine, and a sentence about the whole.

    Parameters
    ----------
    seconds
        By step, on the machine of the committed benchmark, beside each other on two cores.
    compiled
        Whether numba's cache has what the sampler runs.
    """
    slower, cold = pace(), not compiled
    here = {step: slower * each for step, each in seconds.items()}
    whole = sum(here.values()) + slower * COLD * cold
    caches = "compile caches are empty" if cold else "less with what is kept from before"
    return here, f"This takes {in_words(whole)} ({caches})."


def seconds_left(elapsed: float, done: float, whole: float) -> float:
    """Seconds that are left, of work of which some expected seconds of the whole are done."""
    if done < SETTLED * whole:
        return max(0.0, whole - elapsed)
    return elapsed * (whole - done) / done


def in_words(seconds: float) -> str:
    """A duration as one says it: "about 40 s", "about 3 minutes"."""
    if seconds < 90.0:
        return f"about {max(5 * round(seconds / 5.0), 5):d} s"
    return f"about {round(seconds / 60.0):d} minutes"


def pace() -> float:
    """How slow this machine is, beside the one that expected seconds are of; takes some 30 ms."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        sum(i * i for i in range(200_000))
        times.append(time.perf_counter() - start)
    return min(times) / YARDSTICK * (2.0 / min(2, os.cpu_count() or 1))
