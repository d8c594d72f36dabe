"""What commands share: reading a fit, and printing an answer as text or as JSON."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from densing_bayes.display.literal import on_terminal
from densing_bayes.errors import DensingError

if TYPE_CHECKING:
    from rich.console import Console

    from densing_bayes.display.section import Section
    from densing_bayes.posterior.result import Fit

NOT_CONVERGED = 3
UNBOUNDED = 10_000  # characters: no table is wider
LEAST_WIDTH = 20  # of a line of text, however narrow the terminal
LEAST_NAME = 12  # of a column of names, where they are folded
FitFile = Annotated[Path, typer.Argument(metavar="FIT", help="File written by 'fit'.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


class Interrupt(BaseException):
    """Ctrl-C or SIGTERM: click and nutpie would take KeyboardInterrupt for something of theirs."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C, or SIGTERM, end the block with :class:`Interrupt`, which cleans up."""

    def interrupt(signum: int, frame: object) -> NoReturn:
        raise Interrupt

    signals = (signal.SIGINT, signal.SIGTERM)
    try:
        earlier = {number: signal.signal(number, interrupt) for number in signals}
    except ValueError:  # not the main thread, where no signal arrives
        yield
        return
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def load_fit(path: Path) -> Fit:
    """Read a fit, and warn if it has not passed."""
    from densing_bayes.posterior.result import Fit

    fitted = Fit.load(path)
    if fitted.verdict != "PASS":
        say(f"densing-bayes: warning: {verdict_text(fitted)}")
    return fitted


def verdict_text(fit: Fit) -> str:
    """The verdict of a fit as a sentence."""
    from densing_bayes.display.sentences import verdict_sentence

    return verdict_sentence(fit)


def parse_date(text: str) -> str:
    """A date as it was written, once it is known to be one."""
    import datetime as dt

    from densing_bayes.inputs.dates import FIRST_DAY, LAST_DAY, OUTSIDE

    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise DensingError(f"'{text}' is not a date; write it as 2024-08-31") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise DensingError(f"the date {text} {OUTSIDE}")
    return day.isoformat()


def say(text: str) -> None:
    """Print a message, apart from the output."""
    print(on_terminal(text), file=sys.stderr)


def print_json(document: Any) -> None:
    """Print one JSON document."""
    from densing_bayes.posterior.plain import json_text

    text = json_text(document)
    if (sys.stdout.encoding or "utf-8").lower().replace("-", "") != "utf8":
        text = json.dumps(json.loads(text), indent=2)  # escaped, where the output knows less
    print(text)


def show(document: Any, *sections: Section, as_json: bool, fit: Fit | None = None) -> None:
    """Print an answer: its document, or its sections with what the fit stands on."""
    if as_json:
        print_json(document)
        return
    for section in sections:
        print_section(section)
    if fit is not None:
        print_footing(fit)


def print_section(section: Section) -> None:
    """Print a section: sentences, tables, and how to read them."""
    for sentence in section.sentences:
        print_text(sentence)
    for i, table in enumerate(section.tables):
        if i or section.sentences:
            print_text("")
        if table.note:
            print_text(table.note)
        if table.blocks:
            print_blocks(table.header, table.rows)
            print_text("")
            continue
        kept = [i for i in range(len(table.header)) if i not in table.spare]
        first, *header = (table.header[i] for i in kept)
        rows = [[row[i] for i in kept] for row in table.rows]
        left = {place for place, i in enumerate(kept) if i in table.left}
        print_table(first, header, rows, left)
    for note in section.notes:
        print_text(note)
    if section.folded:
        title, lines = section.folded
        print_text(f"{title}:")
        for line in lines:
            print_text(f"  {line}")


def footing(fit: Fit) -> dict[str, Any]:
    """What every document of a fit ends with."""
    return {"diagnostics": fit.diagnostics, "provenance": fit.provenance}


def print_text(text: str) -> None:
    """Print a line, folded to the width of the terminal."""
    _console().print(on_terminal(text))


def print_table(
    first: str,
    header: list[str],
    rows: list[list[str]],
    left: Collection[int] = (),
) -> None:
    """Print a table: the first column left, the others right but for those in ``left``.

    Where it is wider than the terminal its columns move together before a name is folded. A column
    of numbers keeps its width: the lines are then longer than the terminal, which folds them.
    """
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        header_style="bold",
    )
    first, *header = map(on_terminal, (first, *header))
    rows = [[on_terminal(cell) for cell in row] for row in rows]
    columns = list(zip((first, *header), *rows, strict=True))
    least = [max(map(len, cells)) for cells in columns]
    for i, name in enumerate((first, *header)):
        folds = i == 0 or i in left
        if folds:
            least[i] = min(least[i], LEAST_NAME)
        table.add_column(
            name,
            justify="left" if folds else "right",
            no_wrap=not folds,
            overflow="fold",
            min_width=least[i],
        )
    for row in rows:
        table.add_row(*row)
    console = _console()
    unbounded = console.options.update(max_width=UNBOUNDED)
    if console.measure(table, options=unbounded).maximum > console.width:
        table.padding = 0
    _console(sum(least) + len(least) - 1).print(table)  # a space between columns


def _console(least: int = LEAST_WIDTH) -> Console:
    """Where output goes, as wide as the terminal or as it takes to print at all."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:  # which would end with an exit code of its own
            raise BrokenPipeError

    console = Output(highlight=False, markup=False, emoji=False)
    if console.width < least:
        console.width = least
    return console


def print_blocks(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows as blocks: the first cell, then a line for each of the others that is not "-"."""
    console = _console()
    width = max(map(len, header[1:]), default=0)
    for first, *cells in rows:
        console.print(on_terminal(first), style="bold")
        for name, cell in zip(header[1:], cells, strict=True):
            if cell != "-":
                console.print(on_terminal(f"  {name:{width}}  {cell}"))


def exit_unless_passed(*verdicts: str) -> None:
    """End with exit code 3 if something that was sampled has not converged."""
    if any(verdict != "PASS" for verdict in verdicts):
        raise typer.Exit(NOT_CONVERGED)


def print_footing(fit: Fit) -> None:
    """Print what a fit stands on: counts, provenance, verdict."""
    from densing_bayes.display.sentences import counts_sentence, verdict_sentence

    provenance = fit.provenance
    print_text("")
    print_text(counts_sentence(fit))
    print_text(
        f"{fit.spec.name} on {provenance.get('panel', 'simulated data')}, seed "
        f"{provenance['seed']}, spec {provenance['spec_hash'][:8]}, data "
        f"{provenance['data_hash'][:8]}. {verdict_sentence(fit)}"
    )


def check_writable(folder: Path) -> None:
    """Fail before sampling, not after, where the result could not be written."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise DensingError(f"cannot write to {folder}: {existing} is a file; give a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise DensingError(f"cannot write to {folder}: no permission; give another folder")


def check_writable_file(path: Path) -> None:
    """Fail before sampling, not after, where a file could not be written."""
    if path.is_dir():
        raise DensingError(f"{path} is a folder; give a file such as {path / 'fit.nc'}")
    target = Path(os.path.realpath(path))  # of a link, what it points to
    if target.exists() and not target.is_file():
        raise DensingError(f"cannot write to {path}: it is not a plain file; give another")
    if target.exists() and not os.access(target, os.W_OK):
        raise DensingError(f"cannot write to {path}: it may not be written; give another file")
    check_writable(target.parent)


def cannot_write(path: Path, error: OSError) -> NoReturn:
    """Say where a result could not be written, and why."""
    raise DensingError(
        f"cannot write to {path}: {error.strerror}; choose a folder that you may write to"
    ) from error
