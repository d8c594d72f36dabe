"""A section as files that the store keeps: JSON, a CSV for each table of numbers, images."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import pandas as pd

from densing_bayes.display.section import Equation, Image, Picture, Section, Table
from densing_bayes.fitting.store import Form
from densing_bayes.posterior.plain import json_text

WHOLE = "section.json"


def pack(section: Section) -> dict[str, bytes]:
    """Files of a section; its pictures are drawn."""
    parts: dict[str, Any] = {each.name: getattr(section, each.name) for each in _fields(section)}
    parts["tables"] = [
        {each.name: getattr(table, each.name) for each in _fields(table)}
        | {"left": sorted(table.left), "spare": sorted(table.spare)}
        | {"numbers": table.numbers is not None}
        for table in section.tables
    ]
    parts["pictures"] = [
        {each.name: getattr(one, each.name) for each in _fields(one) if each.name != "draw"}
        for one in section.pictures
    ]
    files = {WHOLE: json_text(parts).encode()}
    for number, table in enumerate(section.tables):
        if table.numbers is not None:
            files[f"{number}.csv"] = table.numbers.to_csv(index=False).encode()
    for picture in section.pictures:
        files[f"{picture.name}.png"] = picture.image.png
        files[f"{picture.name}.svg"] = picture.image.svg.encode()
    return files


def unpack(files: dict[str, bytes]) -> Section:
    """The section of some files."""
    parts = json.loads(files[WHOLE])
    folded = parts["folded"]
    return Section(
        **parts
        | {name: tuple(parts[name]) for name in ("sentences", "notes")}
        | {
            "tables": tuple(_table(each, files, i) for i, each in enumerate(parts["tables"])),
            "pictures": tuple(_picture(each, files) for each in parts["pictures"]),
            "equations": tuple(Equation(*each) for each in parts["equations"]),
            "folded": folded and (folded[0], tuple(folded[1])),
        }
    )


SECTION = Form(pack, unpack)


def _fields(part: Section | Table | Picture) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(part)


def _table(parts: dict[str, Any], files: dict[str, bytes], number: int) -> Table:
    numbers = None
    if parts["numbers"]:
        text = io.BytesIO(files[f"{number}.csv"])
        numbers = pd.read_csv(text, float_precision="round_trip")  # else a last digit may change
    return Table(
        **parts
        | {name: tuple(parts[name]) for name in ("header", "hints")}
        | {name: frozenset(parts[name]) for name in ("left", "spare")}
        | {"rows": tuple(map(tuple, parts["rows"])), "numbers": numbers}
    )


def _picture(parts: dict[str, Any], files: dict[str, bytes]) -> Picture:
    name = parts["name"]
    return Picture(Image(files[f"{name}.png"], files[f"{name}.svg"].decode()), **parts)
