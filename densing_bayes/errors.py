"""Errors that densing_bayes raises on purpose, and the hint that many of them end with."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "", most: int = 1) -> str:
    """End of a message about an unknown name: the names that are near it, after a semicolon.

    Parameters
    ----------
    name
        The unknown name.
    known
        The names that there are.
    otherwise
        How else to fix it, for where nothing is near; by default nothing is said.
    most
        How many names at most.
    """
    by_case = {each.casefold(): each for each in known}
    close = [by_case[each] for each in get_close_matches(name.casefold(), by_case, n=most)]
    if close:
        quoted = " or ".join(f"'{each}'" for each in close)
        return f"; did you mean {quoted}?"
    return f"; {otherwise}" if otherwise else ""


def install_hint(what: str, package: str) -> str:
    """That something needs a package which is not installed, and how to install it."""
    return f"{what} need {package}, which is not installed: pip install 'densing-bayes[reports]'"


class DensingError(Exception):
    """Root of the errors raised on purpose; messages say what is wrong, where and how to fix it."""


class TableError(DensingError):
    """A table is missing, unreadable or holds a value that cannot be right."""


class SpecError(DensingError):
    """A specification or hypothesis is unknown, incomplete or contradicts itself."""


class FitError(DensingError):
    """A model could not be built, sampled or asked for the quantity wanted."""


class FileFormatError(DensingError):
    """A saved fit cannot be read, or was written by an incompatible version."""


class NotTestableError(DensingError):
    """A panel cannot say anything about a claim, for the reason given."""
