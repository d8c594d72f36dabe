"""Rows of systems: what the embedded tables, the file and the mapping say of them."""

from __future__ import annotations

import datetime as dt
import math
import re
from importlib.resources import files
from typing import Any, Final

from densing_bayes.inputs.foreign.extract import Extract, Reading, number
from densing_bayes.inputs.foreign.mapping import Mapping
from densing_bayes.inputs.foreign.text_tables import cell, rows_of, text_table
from densing_bayes.inputs.tables.columns import MIN_PARAMS
from densing_bayes.inputs.tables.schema import TABLES

SAME_SIZE: Final = 0.12
"""Two sizes of one checkpoint differ by no more than this, the rest being rounding."""
EXACT_SIZE: Final = 0.01
"""Two exact sizes of one checkpoint differ by less, by what counts as a parameter."""


def systems_of(
    extract: Extract, readings: list[Reading], mapping: Mapping, upload_dates: bool
) -> dict[str, dict[str, str]]:
    """Name in the file -> row of ``systems.csv``."""
    embedded = text_table(files("densing_bayes.data").joinpath("current"), "systems.csv")
    rows = rows_of(embedded)
    systems: dict[str, dict[str, str]] = {}
    for name in dict.fromkeys(reading.system for reading in readings):
        said = dict(extract.systems.get(name, {}))
        size = float(said.get("params_total", math.nan))
        row = next((row for row in rows if _is_same(name, size, row)), None)
        systems[name] = _said(name, said, extract, upload_dates) if row is None else dict(row)
        own = mapping.systems.get(name, {})
        systems[name] |= {column: cell(value) for column, value in own.items()}
        _blank_what_is_wrong(systems[name])
    _name_apart(systems)
    return systems


def _is_same(name: str, size: float, row: dict[str, str]) -> bool:
    """Whether a name and size (NaN where it is not known) mean a system of the embedded tables.

    The names are equal, or the system's own name is the key and the account or the size says that
    it is no namesake.
    """
    account, _, own = name.lower().rpartition("/")
    embedded_account = row["name"].lower().rpartition("/")[0]
    difference = abs(size / float(row["params_total"]) - 1)
    if difference > SAME_SIZE:  # another checkpoint; unknown sizes do not differ
        return False
    if name.lower() in (row["name"].lower(), row["system"]):
        return True
    vouched = account == embedded_account if embedded_account else difference < EXACT_SIZE
    return own == row["system"] and vouched


def _said(name: str, said: dict[str, Any], extract: Extract, upload_dates: bool) -> dict[str, str]:
    """Row of a system that the embedded tables do not have: what the file says, no more."""
    row = dict.fromkeys(TABLES["systems"].names, "")
    account, _, own = name.rpartition("/")
    row |= {"system": own.lower().replace(" ", "-"), "name": name, "source": extract.source}
    if account:
        row["organisation"] = account  # of the account that holds the weights
    uploaded = str(said.pop("uploaded", ""))
    if uploaded and upload_dates:
        row |= {"release_date": uploaded, "date_basis": "bound"}
    elif uploaded:
        row["note"] = f"weights uploaded {uploaded}"
    row |= {column: cell(value) for column, value in said.items()}
    return row


def _blank_what_is_wrong(row: dict[str, str]) -> None:
    """Empty a date or size that cannot be one, and note what was there: it is asked for then."""
    for column, is_right in (("release_date", _is_day), ("params_total", _is_size)):
        if row[column] and not is_right(row[column]):
            row["note"] = "; ".join(filter(None, (row["note"], f"{column} given: {row[column]}")))
            row[column] = ""


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and dt.date.fromisoformat(text) <= dt.date.today()
    except ValueError:
        return False


def _is_size(text: str) -> bool:
    return number(text) >= MIN_PARAMS


def _name_apart(systems: dict[str, dict[str, str]]) -> None:
    """Tell systems of one key apart by their account, and families by their organisation.

    Two organisations may continue the training of one family: their systems are no release.
    """
    owners: dict[str, set[str]] = {}
    for row in systems.values():
        owners.setdefault(row["family"], set()).add(row["organisation"])
    for row in systems.values():
        if row["family"] and len(owners[row["family"]]) > 1:
            row["family"] = f"{row['family']} ({row['organisation'] or 'unknown'})"
    count: dict[str, int] = {}
    for row in systems.values():
        count[row["system"]] = count.get(row["system"], 0) + 1
    for name, row in systems.items():
        if count[row["system"]] > 1:
            row["system"] = re.sub(r"\s+", "-", name.lower())
