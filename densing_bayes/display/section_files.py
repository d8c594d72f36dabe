"""A section as files that the store keeps: JSON, and the images of its pictures."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pandas as pd

from densing_bayes.display.figures.drawn import Image
from densing_bayes.display.section import Equation, Picture, Section, Table
from densing_bayes.fitting.store import Form
from densing_bayes.posterior.plain import json_text

WHOLE = "section.json"


def pack(section: Section) -> dict[str, bytes]:
    """Files of a section; its pictures are drawn."""
    parts: dict[str, Any] = {each.name: getattr(section, each.name) for each in _fields(section)}
    parts["tables"] = [
        {each.name: getattr(table, each.name) for each in _fields(table)}
        | {"left": sorted(table.left), "spare": sorted(table.spare)}
        | {"numbers": _split(table.numbers)}
        for table in section.tables
    ]
    parts["pictures"] = [
        {each.name: getattr(one, each.name) for each in _fields(one) if each.name != "draw"}
        for one in section.pictures
    ]
    files = {WHOLE: json_text(parts).encode()}
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
            "tables": tuple(map(_table, parts["tables"])),
            "pictures": tuple(_picture(each, files) for each in parts["pictures"]),
            "equations": tuple(Equation(*each) for each in parts["equations"]),
            "folded": folded and (folded[0], tuple(folded[1])),
        }
    )


SECTION = Form(pack, unpack)


def _fields(part: Section | Table | Picture) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(part)


def _split(numbers: pd.DataFrame | None) -> dict[str, Any] | None:
    """Numbers of a table by row: text in JSON keeps every digit."""
    if numbers is None:
        return None
    return {"columns": list(numbers.columns), "data": numbers.to_numpy(object).tolist()}


def _table(parts: dict[str, Any]) -> Table:
    split = parts["numbers"]
    numbers = None if split is None else pd.DataFrame(split["data"], columns=split["columns"])
    return Table(
        **parts
        | {name: tuple(parts[name]) for name in ("header", "hints")}
        | {name: frozenset(parts[name]) for name in ("left", "spare")}
        | {"rows": tuple(map(tuple, parts["rows"])), "numbers": numbers}
    )


def _picture(parts: dict[str, Any], files: dict[str, bytes]) -> Picture:
    name = parts["name"]
    return Picture(Image(files[f"{name}.png"], files[f"{name}.svg"].decode()), **parts)
