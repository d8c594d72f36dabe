"""Numbers of README.md and docs that somebody typed: none should be.

A number of the text is accounted for if it

- is part of an interval that figures.py carries over, or one of the figures that quotes.py names,
- is that of a published source or an input, named with its text in sources.toml, or
- belongs to the structure of the text: a date, a version, an equation, code, a name with a digit,
  the number of a figure, a level of an interval, or a setting of a specification in `models/`.

A test fails if a page has more other numbers than it is known to have.

    python docs/page_numbers.py [PAGE]    # how many each page has, or which a page has
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from figures import INTERVAL, ROOT, content_of, estimates, names_of, pages, said, today
from quotes import places

NUMBER = re.compile(r"(?<![\w.,/^-])[-−]?\d(?:[\d,]*\d)?(?:\.\d+)?(?:e-?\d+)?(?![\w]|-[A-Za-z])")
STRUCTURE = re.compile(
    r"""
    ^```.*?^```                                   # code
  | <!--\ begin.*?<!--\ end                       # what a script writes
  | `[^`\n]*`
  | ^\$\$.*?^\$\$ | \$\$.*?\$\$ | \$[^$]*\$       # equations
  | \]\([^)]*\) | https?://\S+ | \{[\w:]+\}       # links and roles
  | \b\d{4}-\d\d(?:-\d\d)?\b                      # dates
  | \b(?:19|20)\d\d\b
  | ^\s*\d+\.\s                                   # lists and headings
  | ^\#.*?$
  | \b(?:[Ff]igs?\.|[Ee]quations?|[Ee]q\.|[Ss]ections?|[Ss]upplementary|[Tt]ables?|[Vv]ersions?|
      arXiv|Python|PyMC|ArviZ|Chapter|[Ss]eeds?)\s\(?[\d.]+(?:,?\s(?:and|to)\s[\d.]+)?\w?
  | \b(?:50,\s80\sand\s)?(?:95|89|80|50)%         # levels of intervals
  | \b(?:GPT|Llama|Qwen|Gemma|Phi|OLMo|Mistral|DeepSeek|Pythia|OPT|MiniCPM|BLOOM|Falcon|Chinchilla|
      H100|A100|MMLU|Yi|Nemotron|Minitron|Claude|Gemini|Vicuna|Alpaca|Mixtral|StableLM|Grok)
      [ -][\d.]+(?:\s?[BM]\b)?
  | R² | \bln\s2\b | [Ee]xit\ codes?\s\d
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
SMALL = {"0", "1"}  # ends of a scale, not measured


def typed(page: Path) -> list[tuple[int, str]]:
    """Numbers of a page that are accounted for by nothing, with their lines."""
    text = page.read_text(encoding="utf-8")
    spans = list(_accounted(page, text))
    settings = _settings()
    return [
        (text[: found.start()].count("\n") + 1, found.group())
        for found in NUMBER.finditer(text)
        if found.group() not in SMALL
        and not any(start <= found.start() and found.end() <= end for start, end in spans)
        and not ("e" in found.group() and float(found.group().replace(",", "")) in settings)
    ]


def _accounted(page: Path, text: str) -> Iterator[tuple[int, int]]:
    """Where a text has numbers that are accounted for."""
    for found in STRUCTURE.finditer(text):
        yield found.span()
    held = estimates(names_of(page)).values()
    for found in INTERVAL.finditer(text):
        if any(said(found, each) == found.group() for each in held):
            yield found.span()
    name = str(page.relative_to(ROOT))
    for found, count in places(text, name, content_of(today)):
        yield from (found.span(number + 1) for number in range(count))
    for piece in sources().get(name, {}):
        for found in re.finditer(r"\s+".join(map(re.escape, piece.split())), text):
            yield found.span()


def sources() -> dict[str, dict[str, str]]:
    """Pieces of text whose numbers are those of a source, and the source, by page."""
    path = ROOT / "docs/sources.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _settings() -> set[float]:
    """Numbers that specifications have."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("models/**/*.toml"))
    return {float(number) for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e\d+)?", text)}


def main() -> None:
    """Say how many numbers the pages have that were typed, or which one page has."""
    if len(sys.argv) > 1:
        for line, number in typed(Path(sys.argv[1]).resolve()):
            print(f"{sys.argv[1]}:{line}: {number}")
        return
    for page in pages():
        if found := typed(page):
            print(f'"{page.relative_to(ROOT)}": {len(found)},')


if __name__ == "__main__":
    main()
