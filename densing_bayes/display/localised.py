"""Numbers and dates of a text as a locale writes them; the words stay as they are.

Sentences and tables are made in English, and JSON and CSV files stay so. What a page shows is
rewritten as it is rendered, in one place, so that no page has numbers of two kinds.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection
from typing import Final

from densing_bayes.errors import DensingError, install_hint

ENGLISH: Final = "en"
Local = Callable[..., str]

_DATE = r"(?P<date>\b\d{4}-\d\d-\d\d\b)"
# A number that stands alone or beside a sign, bracket, unit or per cent: neither a part of a name
# such as qwen2.5-7b, nor of a version, an address or an identifier such as arXiv 2412.04315.
_NUMBER = (
    r"(?<![\w.,:/-])(?<!arXiv )(?P<number>[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)"
    r"(?P<unit>[kMBT%]?)(?![\w/]|[.,-]\w)"
)
_ALONE = re.compile(rf"[<>≤≥=\s]*(?:{_DATE}|{_NUMBER})(?: to .*| \*)?")


def as_it_is(text: str, alone: bool = False) -> str:
    """A text as English has it."""
    return text


def in_locale(locale: str, names: Collection[str] = ()) -> Local:
    """A function that writes numbers and dates of a text as a locale does.

    Parameters
    ----------
    locale
        Such as "de", "fr_CH" or "pt-BR".
    names
        That are left as they are, whatever numbers they hold.

    Returns
    -------
    callable
        Of a text, and whether only a text that is nothing but a number or date is rewritten.

    Raises
    ------
    DensingError
        If there is no such locale, or Babel is not installed.
    """
    if locale == ENGLISH:
        return as_it_is
    try:
        from babel import Locale, UnknownLocaleError
        from babel.dates import format_date
        from babel.numbers import get_decimal_symbol, get_group_symbol
    except ImportError as error:
        raise DensingError(install_hint("numbers and dates of a locale", "Babel")) from error
    try:
        known = Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as error:
        raise DensingError(
            f"no locale '{locale}': write a language, with a country where that matters, such as "
            f"de, fr_CH or pt_BR"
        ) from error
    signs = str.maketrans({",": get_group_symbol(known), ".": get_decimal_symbol(known)})
    longest = sorted((re.escape(name) for name in names if name), key=len, reverse=True)
    kept = [rf"(?P<name>(?<!\w)(?:{'|'.join(longest)})(?!\w))"] if longest else []
    part = re.compile("|".join([*kept, _DATE, _NUMBER]))

    def written(found: re.Match[str]) -> str:
        if found["date"]:
            try:
                day = dt.date.fromisoformat(found["date"])
            except ValueError:  # a number of another kind
                return found[0]
            return format_date(day, format="medium", locale=known)
        if found["number"] is None:
            return found[0]
        return found["number"].translate(signs) + found["unit"]

    def local(text: str, alone: bool = False) -> str:
        if alone and not _ALONE.fullmatch(text):
            return text
        return part.sub(written, text)

    return local
