"""Command line. What is slow to import is imported inside the commands that need it."""

from __future__ import annotations

import io
import os
import sys
import warnings
from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from densing_bayes.cli import (
    backtest_commands,
    comparing_commands,
    data_commands,
    fit_commands,
    reading_commands,
)
from densing_bayes.corollaries.registered import COROLLARIES
from densing_bayes.display.terminal import Interrupt, interruptible, say
from densing_bayes.errors import DensingError

BAD_INPUT = 2


class _Commands(TyperGroup):
    """Commands whose foreseen errors end in one message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # here, where a full disk or a closed pipe can be told
        except DensingError as error:
            say(f"densing-bayes: {error}")
            raise typer.Exit(BAD_INPUT) from error
        except BrokenPipeError as error:  # the reader has seen enough
            _write_no_more()
            raise typer.Exit from error
        except OSError as error:
            _write_no_more()
            # HDF5 names neither file nor number of the error
            where = error.filename or ("the output" if error.errno else "a file that is damaged")
            say(f"densing-bayes: cannot use {where}: {error.strerror or error}")
            raise typer.Exit(BAD_INPUT) from error


app = typer.Typer(
    cls=_Commands,
    name="densing-bayes",
    help="Joint Bayesian model of the Densing Law: doubling times, densities and shelf lives of "
    "language models, with credible intervals.",
    epilog="Exit codes: 0 success, 2 bad usage or input, 3 sampled but not converged.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(
    cls=_Commands, no_args_is_help=True, help="List, check, export and import the tables of panels."
)
app.add_typer(data_app, name="data")


def main() -> None:
    """Run the command line; after Ctrl-C or SIGTERM all is cleaned up, and KeyboardInterrupt."""
    for stream in (sys.stdout, sys.stderr):  # which may know ASCII only
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    warnings.showwarning = _say_warning  # type: ignore[assignment]  # takes the rest as it comes
    with suppress(Interrupt), interruptible():
        app()
    raise KeyboardInterrupt  # here, where what the interrupted frames held has been let go


def _say_warning(message: Warning | str, *where: Any) -> None:
    """Say a warning without the line of source that it comes from."""
    say(f"densing-bayes: warning: {message}")


def _write_no_more() -> None:
    """Let what is left for the output go nowhere: writing it would fail once more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@app.callback(invoke_without_command=True)
def _options(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from densing_bayes import __version__

        print(__version__)
        raise typer.Exit


for part in (fit_commands, reading_commands, comparing_commands, backtest_commands):
    part.register(app)
for corollary in COROLLARIES:
    for name, command in corollary.commands.items():
        app.command(name)(command)
data_commands.register(data_app)
