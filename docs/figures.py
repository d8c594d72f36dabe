"""Intervals that pages quote: each is one of a committed result, and follows it when that changes.

A page may quote "116 days (92 to 155)" where a result that it names (`analyses/multiverse.py`, or
the .json, .md or .png) holds an estimate that rounds to these three numbers; README.md may quote
any result. A test holds the pages to that. When scripts have been run again, this one carries their
new numbers over: an interval of the results as they were in a commit becomes that of the same entry
today.

    python docs/figures.py [COMMIT]

It rewrites the pages, prints what it cannot carry over because no result or results that differ
held it, and exits with 1 if there is any. COMMIT is HEAD unless given. Single figures come from
today's results by the names that quotes.py gives them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import NoneType
from typing import Any

from quotes import content_of, places, quoted

ROOT = Path(__file__).resolve().parents[1]
HISTORY = "changes-in-answers.md"  # what answers were in earlier versions stays as it was
# Intervals that no result holds, with the reason.
TYPED = {
    "0.25 (0.15 to 0.37)": "size slope of the fits of which the shelf life beside it is",
    "2022-05-06 (2021-10-22 to 2022-10-17)": "of a fit with its window doubled, which is not kept",
}
SIZES = {"million": 1e6, "billion": 1e9}
NESTED = dict | list | NoneType
UNBOUNDED = ("never", "unbounded")

DATE = r"\d{4}-\d\d-\d\d"
NUMBER = r"-?\d[\d,]*(?:\.\d+)?(?:e\d+)?"
VALUE = rf"({DATE}|{NUMBER}|{'|'.join(UNBOUNDED)})"
SIZE = rf"((?: (?:{'|'.join(SIZES)}))?)"
UNIT = r"((?: (?!to\b)[a-zA-Z]+)?)"
INTERVAL = re.compile(rf"(?<![\w.-]){VALUE}{SIZE}{UNIT} \({VALUE}{SIZE} to {VALUE}{SIZE}\)")
Estimate = tuple[Any, Any, Any]  # median and limits; one that is None is unbounded
Read = Callable[[str], str]  # the text of a result by name


def pages() -> list[Path]:
    """README.md and the pages of the documentation, but for the history of answers."""
    found = [*sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/howto").glob("*.md"))]
    return [ROOT / "README.md", *(page for page in found if page.name != HISTORY)]


def names_of(page: Path) -> list[str]:
    """Names of the results that a page may quote."""
    every = {path.stem for path in (ROOT / "analyses").glob("*.json")}
    if page.name == "README.md":
        return sorted(every)
    text = page.read_text(encoding="utf-8")
    said = set(re.findall(r"analyses/(\w+)[-\w]*\.(?:py|json|md|png)", text))
    return sorted(said & every)


def today(name: str) -> str:
    """A result as it is in the working tree."""
    return (ROOT / f"analyses/{name}.json").read_text(encoding="utf-8")


def estimates(names: list[str], read: Read = today) -> dict[str, Estimate]:
    """Estimates that results hold, by where they stand."""
    return {
        where: found for name in names for where, found in _within(json.loads(read(name)), name)
    }


def _within(content: Any, where: str) -> Iterator[tuple[str, Estimate]]:
    if isinstance(content, list):
        if len(content) == 3 and not any(
            isinstance(each, dict | list | NoneType) for each in content
        ):
            low, middle, high = sorted(content)
            yield where, (middle, low, high)
        content = dict(enumerate(content))
    if not isinstance(content, dict):
        return
    if {"median", "lower", "upper"} <= content.keys():
        yield where, (content["median"], content["lower"], content["upper"])
    for key, value in content.items():
        stem = str(key).removesuffix("_lower")
        if stem != key and stem in content and f"{stem}_upper" in content:
            yield f"{where}/{stem}", (content[stem], value, content[f"{stem}_upper"])
        yield from _within(value, f"{where}/{key}")


# One interval ------------------------------------------------------------------------------------


def said(found: re.Match[str], estimate: Estimate) -> str:
    """An estimate in the form of an interval of a page: the same digits, sizes and words."""
    middle, size, unit, low, low_size, high, high_size = found.groups()
    first, second, third = (
        _said(value, form, own.strip() or size.strip())
        for value, form, own in zip(
            estimate, (middle, low, high), (size, low_size, high_size), strict=True
        )
    )
    return f"{first}{size}{unit} ({second}{low_size} to {third}{high_size})"


def _said(value: Any, form: str, size: str) -> str:
    """A value as a page writes it: rounded to the decimals of what stands there."""
    if isinstance(value, str):
        return value
    if value is None or value == float("inf"):
        return form if form in UNBOUNDED else UNBOUNDED[1]
    if form in UNBOUNDED:
        form = ""
    digits, _, exponent = form.partition("e")
    decimals = len(digits.partition(".")[2])
    scaled = value / SIZES.get(size, 1.0) / 10 ** int(exponent or 0)
    number = f"{scaled:,.{decimals}f}" if "," in form else f"{scaled:.{decimals}f}"
    return f"{number}e{exponent}" if exponent else number


def _apart(page: Path, text: str) -> Callable[[re.Match[str]], bool]:
    """Whether an interval of a page is no part of a quote, which has its figures by name."""
    name = str(page.relative_to(ROOT))
    quotes = [found.span() for found, _ in places(text, name, content_of(today))]
    return lambda found: (
        not any(start < found.end() and found.start() < end for start, end in quotes)
    )


def unfounded(page: Path) -> list[str]:
    """Intervals of a page that no result that it names holds, with their lines."""
    text = page.read_text(encoding="utf-8")
    apart = _apart(page, text)
    held = estimates(names_of(page)).values()
    return [
        f"{page.relative_to(ROOT)}:{text[: found.start()].count(chr(10)) + 1}: {found.group()}"
        for found in INTERVAL.finditer(text)
        if found.group() not in TYPED
        and apart(found)
        and not any(said(found, each) == found.group() for each in held)
    ]


def carried(page: Path, before: Read, after: Read = today) -> tuple[str, list[str]]:
    """The text of a page with the intervals of today's results, and what could not be carried."""
    names = names_of(page)
    old, new = estimates(names, before), estimates(names, after)
    page_text = page.read_text(encoding="utf-8")
    apart = _apart(page, page_text)
    left = []

    def anew(found: re.Match[str]) -> str:
        if not apart(found):
            return found.group()
        where_held = [where for where, each in old.items() if said(found, each) == found.group()]
        texts = {said(found, new[where]) for where in where_held if where in new}
        if len(texts) == 1:
            return texts.pop()
        if found.group() in TYPED:
            return found.group()
        held = ", ".join(where_held[:3]) if where_held else "no result"
        left.append(f"{page.relative_to(ROOT)}: {found.group()}, held by {held}")
        return found.group()

    return INTERVAL.sub(anew, page_text), left


def main() -> None:
    """Carry every page over, and say what is left."""
    commit = sys.argv[1] if len(sys.argv) > 1 else "HEAD"

    def before(name: str) -> str:
        command = ["git", "show", f"{commit}:analyses/{name}.json"]
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return found.stdout if found.returncode == 0 else "{}"  # a result that is new

    left = []
    for page in pages():
        text, more = carried(page, before)
        text, missing = quoted(text, str(page.relative_to(ROOT)), content_of(today))
        page.write_text(text, encoding="utf-8")
        left += more + missing
    if left:
        sys.exit("\n".join(left))


if __name__ == "__main__":
    main()
