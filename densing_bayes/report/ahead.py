"""The long work of a report or a ledger, done ahead in processes side by side.

Each errand leaves its result in the store, where the report then finds it. Fits sample on all
cores, but what comes before and after sampling takes one: two at a time keep both busy.
"""

from __future__ import annotations

import os
import queue
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import Any, NamedTuple

from densing_bayes.corollaries.sections import answers
from densing_bayes.fitting.built_in import BUILT_IN
from densing_bayes.inputs.default import DEFAULT
from densing_bayes.progress import Steps, Tell, expected, unheard

LONG = sorted(
    (answer for answer in answers() if answer.seconds), key=lambda each: -each.seconds
)  # sections, the longest first
AT_ONCE = 2
OFTEN = 0.2  # seconds between two events of one errand, at least
FITS = {"current": 115.0, "joint": 25.0, "paper": 75.0}  # seconds, by specification
EXPECTED = {  # seconds beside each other on two cores, by step
    **{f"fit of '{name}'": FITS[base] for name, (base, *_) in BUILT_IN.items()},
    "densities that the paper plotted": 8.0,
    "prices and engines": 4.0,
    **{f"section '{answer.name}'": answer.seconds for answer in LONG},
}


class Errand(NamedTuple):
    """Something to be made and left in the store."""

    step: str
    make: Callable[..., Any]  # of a module, so that another process finds it
    arguments: tuple[Any, ...] = ()
    after: str | None = None  # step that it needs


def run(errands: Sequence[Errand], steps: Steps) -> None:
    """Do errands, each as soon as what it needs is there.

    Parameters
    ----------
    errands
        What is to be done. An error of one is raised, after the others have been called off.
    steps
        Told of each.
    """
    if len(errands) < 2 or (os.cpu_count() or 1) < 2:
        for errand in errands:
            with steps.step(errand.step) as tell:
                errand.make(*errand.arguments, tell)
        return
    context = get_context("spawn")
    events = context.Queue()
    waiting, ended = list(errands), set[str]()
    running: dict[Future[None], str] = {}
    with ProcessPoolExecutor(
        AT_ONCE, mp_context=context, initializer=_begin, initargs=(events,)
    ) as pool:
        try:
            while waiting or running:
                for errand in list(waiting):
                    if errand.after is None or errand.after in ended:
                        waiting.remove(errand)
                        running[pool.submit(_done, errand)] = errand.step
                finished, _ = wait(running, timeout=OFTEN, return_when=FIRST_COMPLETED)
                _pass_on(events, steps)
                for future in finished:
                    future.result()
                    ended.add(running.pop(future))
        except BaseException:
            for process in list((pool._processes or {}).values()):  # Python 3.14 has a method
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    _pass_on(events, steps)


def _pass_on(events: Any, steps: Steps) -> None:
    while True:
        try:
            steps.hear(events.get_nowait())
        except queue.Empty:
            return


_events: list[Any] = []  # of a process that does errands: the queue of what it says


def _begin(events: Any) -> None:
    """Make a process ready; Ctrl-C is for the one that waits for it, which then ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _events.append(events)


def _done(errand: Errand) -> None:
    """Do an errand in a process of its own."""
    last, events = 0.0, _events[0]

    def tell(phase: str, share: float) -> None:
        nonlocal last
        if time.monotonic() - last >= OFTEN:
            last = time.monotonic()
            events.put(("tell", errand.step, phase, share))

    events.put(("begin", errand.step))
    errand.make(*errand.arguments, tell)
    events.put(("end", errand.step))


# What a report needs -----------------------------------------------------------------------------


def for_claims(names: Sequence[str] = (DEFAULT, "paper"), *, tables: bool = True) -> list[Errand]:
    """Errands for the ledger of claims: built-in fits, and those of the paper's figures.

    The two by default judge each claim somewhere; all of ``ledger.BUILT_IN`` judge it on every
    panel, under its own D0 and form.
    """
    fits = [Errand(f"fit of '{name}'", _fit, (name,)) for name in names]
    if not tables:
        return fits
    return [
        *fits,
        Errand("densities that the paper plotted", _plotted),
        Errand("prices and engines", _tables),
    ]


def for_sections(wanted: Sequence[str] | None, ci: float) -> list[Errand]:
    """Errands for the sections on corollaries of the built-in fit that take some seconds."""
    after = f"fit of '{DEFAULT}'"
    return [
        Errand(f"section '{answer.name}'", _section, (answer.name, ci), after)
        for answer in LONG
        if wanted is None or answer.name in wanted
    ]


def do_ahead(errands: Sequence[Errand]) -> None:
    """Do errands and show them."""
    from densing_bayes.fitting.engine.machine import is_compiled

    seconds = {each.step: EXPECTED[each.step] for each in errands}
    with Steps(*expected(seconds, is_compiled())) as steps:
        run(errands, steps)


def _fit(name: str, tell: Tell = unheard) -> None:
    from densing_bayes.fitting.built_in import built_in_fit
    from densing_bayes.ledger.quantile import kept_quantile_growth

    kept_quantile_growth(built_in_fit(name, tell))


def _plotted(tell: Tell = unheard) -> None:
    from densing_bayes.ledger.plotted import fit_paper_figures, paper_figures_quantile

    for drifts in (False, True):
        fit_paper_figures(drifts=drifts)
    paper_figures_quantile()


def _tables(tell: Tell = unheard) -> None:
    from densing_bayes.ledger.of_corollaries import fit_tables

    fit_tables()


def _section(name: str, ci: float, tell: Tell = unheard) -> None:
    from densing_bayes.corollaries.sections import corollary_sections
    from densing_bayes.fitting.built_in import built_in_fit

    corollary_sections(built_in_fit(DEFAULT), ci)[name]()
