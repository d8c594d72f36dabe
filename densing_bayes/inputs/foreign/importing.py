"""From evaluation outputs and leaderboards to a panel folder in our schema.

The formats are read by modules of their own; here one reading a cell is chosen, systems that the
embedded tables know are taken from there, and what nobody said is asked for, never guessed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pandas as pd

from densing_bayes.errors import TableError
from densing_bayes.inputs.foreign.extract import (
    OTHER_SHOTS,
    Extract,
    LeftOut,
    Reading,
    file_text,
)
from densing_bayes.inputs.foreign.formats import (
    epoch,
    euroeval,
    harness,
    open_leaderboard,
    swallow,
    wide_table,
)
from densing_bayes.inputs.foreign.imported import Imported
from densing_bayes.inputs.foreign.mapping import Mapping, load_mapping
from densing_bayes.inputs.foreign.recognition import FORMATS, recognise
from densing_bayes.inputs.foreign.reference import elsewhere, reference_tables
from densing_bayes.inputs.foreign.systems import systems_of
from densing_bayes.inputs.foreign.text_tables import cell, frame, rows_of
from densing_bayes.inputs.tables.reading import load_table
from densing_bayes.inputs.tables.schema import KNOWN_BENCHMARKS, TABLES

NEEDED: Final = {
    "release_date": "the day of release, YYYY-MM-DD",
    "params_total": "the number of parameters, such as 7.24e9",
}
"""Columns of ``systems.csv`` without which a system has no density, and what to write there."""


def import_scores(
    source: str | os.PathLike[str],
    *,
    mapping: str | os.PathLike[str] | Mapping | None = None,
    format: str | None = None,
    reference: str | None = "open",
    base_only: bool = True,
    complete_only: bool = False,
    upload_dates: bool = False,
) -> Imported:
    """Make a panel of evaluation outputs or a leaderboard.

    Parameters
    ----------
    source : path
        Results of lm-evaluation-harness (a file, or a folder of runs), a table of the Open LLM
        Leaderboard (first or second version), of EuroEval or of Epoch AI, the Swallow
        leaderboard's ``model.yml``, or a plain CSV table with systems in rows.
    mapping : path or Mapping, optional
        What the source does not say: columns, scale, number of shots, facts of systems.
    format : str, optional
        Key of :data:`.FORMATS`; seen from the file by default.
    reference : str or None, default "open"
        Embedded panel, or folder, whose reference runs go into the tables, for the benchmarks that
        have scores.
    base_only : bool, default True
        Leave out systems that were tuned on instructions or chats.
    complete_only : bool, default False
        Leave out systems whose date or size is not known, in place of asking for them.
    upload_dates : bool, default False
        Take the day on which weights were uploaded for the release, as a bound.

    Returns
    -------
    Imported

    Raises
    ------
    TableError
        If the source is in no format that is known, is damaged, or has no score of use.
    """
    path = Path(source)
    if not os.path.exists(path):
        raise TableError(f"{path}: no such file or folder")
    known = load_table(KNOWN_BENCHMARKS).set_index("benchmark")
    given = mapping if isinstance(mapping, Mapping) else Mapping()
    if mapping is not None and not isinstance(mapping, Mapping):
        given = load_mapping(mapping)
    kind = _format(path, format, mapping is not None)
    usual = {str(k): int(v) for k, v in known["shots"].dropna().items()} | given.shots
    extract = _read(path, kind, given, usual, base_only)
    left_out = list(extract.left_out)
    readings = _usable(extract.readings, known, given, left_out)
    readings = _one_a_cell(readings, left_out)
    systems = systems_of(extract, readings, given, upload_dates)
    if complete_only:
        for name in [name for name, row in systems.items() if not all(row[c] for c in NEEDED)]:
            row = systems.pop(name)
            lacking = " and ".join(column for column in NEEDED if not row[column])
            left_out.append(LeftOut(f"has no {lacking}", name))
    readings = [reading for reading in readings if reading.system in systems]
    if not readings:
        reasons = "; ".join(dict.fromkeys(item.reason for item in left_out))
        raise TableError(
            f"{path}: has no score that can be used{f': {reasons}' if reasons else ''}"
        )
    benchmarks = list(dict.fromkeys(reading.benchmark for reading in readings))
    tables = {
        "systems": frame("systems", systems.values()),
        "scores": _scores(readings, systems, extract, given),
        **reference_tables(reference, benchmarks),
    }
    described = {row["benchmark"]: row for row in rows_of(tables["benchmarks"])}
    for benchmark in benchmarks:
        described.setdefault(benchmark, _benchmark(benchmark, known, given))
    tables["benchmarks"] = frame("benchmarks", (described[b] for b in benchmarks))
    measured = [_measured(b, extract, known, given, readings, usual) for b in benchmarks]
    tables["protocols"] = pd.concat([frame("protocols", measured), tables["protocols"]])
    missing, worth = _asked(systems, extract, tables, benchmarks)
    return Imported(
        format=kind,
        tables={name: tables[name] for name in TABLES},
        left_out=_listed(left_out),
        missing=missing,
        worth_giving=worth,
    )


# Reading -----------------------------------------------------------------------------------------


def _format(path: Path, given: str | None, mapped: bool) -> str:
    if given is not None and given not in FORMATS:
        raise TableError(f"no format {given!r}; there are {', '.join(FORMATS)}")
    if path.is_file():
        file_text(path)  # whether it can be read at all
    kind = given or recognise(path)
    if not kind and mapped and path.is_file():
        kind = "wide"  # the mapping says which columns are what
    if not kind:
        known = "; ".join(FORMATS.values())
        raise TableError(
            f"{path}: is in no format that is known ({known}). A plain table needs a mapping that "
            "names its columns, see 'Scores from elsewhere' in the documentation"
        )
    if path.is_dir() and kind != "harness":
        raise TableError(f"{path}: is a folder; give a file")
    return kind


def _read(
    path: Path, kind: str, mapping: Mapping, usual: dict[str, int], base_only: bool
) -> Extract:
    readers: dict[str, Callable[[], Extract]] = {
        "harness": lambda: harness.read(_runs(path), usual, base_only),
        "open-llm-leaderboard-v1": lambda: open_leaderboard.read_first(path, base_only),
        "open-llm-leaderboard-v2": lambda: open_leaderboard.read_second(path, base_only),
        "euroeval": lambda: euroeval.read(path, base_only),
        "swallow": lambda: swallow.read(path, base_only),
        "epoch": lambda: epoch.read(path, base_only),
        "wide": lambda: wide_table.read(path, mapping, usual, base_only),
    }
    return readers[kind]()


def _runs(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = harness.results_files(path)
    if not found:
        raise TableError(f"{path}: holds no results file of lm-evaluation-harness")
    return found


# Readings ----------------------------------------------------------------------------------------


def _usable(
    readings: Iterable[Reading], known: pd.DataFrame, mapping: Mapping, left_out: list[LeftOut]
) -> list[Reading]:
    kept = []
    for reading in readings:
        own = mapping.benchmarks.get(reading.benchmark)
        told = own is not None and own.items is not None and own.chance is not None
        reason = ""
        if reading.benchmark not in known.index and not told:
            reason = "is not a benchmark known here; a mapping may give its items and chance"
        elif not 0 <= reading.score <= 1:
            reason = "is a score that is not between 0 and 1"
        if reason:
            system = "" if reading.benchmark not in known.index else reading.system
            value = f"{reading.score:.6g}" if system else ""
            left_out.append(LeftOut(reason, system, reading.benchmark, value, reading.source))
        else:
            kept.append(reading)
    return kept


def _one_a_cell(readings: list[Reading], left_out: list[LeftOut]) -> list[Reading]:
    """One reading of a system and benchmark: unflagged before flagged, then the latest.

    Where no dates distinguish them it is the one in the middle, of two in the middle the lower: the
    best of several tries is no score.
    """
    cells: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        cells.setdefault((reading.system, reading.benchmark), []).append(reading)
    kept = []
    for several in cells.values():
        plain = [reading for reading in several if not reading.flag] or several
        latest = max(reading.date for reading in plain)
        tied = sorted((r for r in plain if r.date == latest), key=lambda reading: reading.score)
        chosen = tied[(len(tied) - 1) // 2]
        kept.append(chosen)
        for reading in several:
            if reading is not chosen:
                why = "is another reading of the same cell"
                left_out.append(
                    LeftOut(
                        f"{why}, {_why_not(reading, chosen)}",
                        reading.system,
                        reading.benchmark,
                        f"{reading.score:.6g}",
                        reading.source,
                    )
                )
    return kept


def _why_not(reading: Reading, chosen: Reading) -> str:
    if reading.flag and not chosen.flag:
        return f"flagged {reading.flag}"
    if reading.date != chosen.date:
        return "measured earlier"
    return "not the middle one" if reading.score != chosen.score else "with the same score"


def _scores(
    readings: list[Reading],
    systems: dict[str, dict[str, str]],
    extract: Extract,
    mapping: Mapping,
) -> pd.DataFrame:
    rows = [
        {
            "system": systems[reading.system]["system"],
            "benchmark": reading.benchmark,
            "protocol": mapping.protocol or extract.protocol,
            "score": f"{reading.score:.6g}",
            "score_error": f"{reading.error:.3g}" if 0 < reading.error <= 0.5 else "",
            "shots": "" if reading.shots is None else str(reading.shots),
            "flag": reading.flag,
            "source": reading.source,
        }
        for reading in readings
    ]
    return frame("scores", rows)


def _asked(
    systems: dict[str, dict[str, str]],
    extract: Extract,
    tables: dict[str, pd.DataFrame],
    benchmarks: list[str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What has to be filled in, and what would better be."""
    missing, worth = [], []
    for row in systems.values():
        for column, what in NEEDED.items():
            if not row[column]:
                missing.append(("systems.csv", row["system"], column, what, row["note"]))
        if not row["family"]:
            worth.append(
                (
                    "systems.csv",
                    row["system"],
                    "family",
                    "a name that sizes of one recipe share; without it each is its own release",
                )
            )
        if row["parent"] and not row["derivation"]:
            worth.append(("systems.csv", row["system"], "derivation", f"made of {row['parent']}"))
        if extract.kind_unknown and not row["family"]:
            what = "delete what is not a base model: the file does not say which are"
            worth.append(("systems.csv", row["system"], "", what))
    unmet = [name for name in ("runs", "reference_scores") if tables[name].empty]
    for name in unmet:
        what = (
            "runs of known params, tokens and score, which tie scores to sizes; without them only "
            "specifications such as 'systems' can be fitted"
        )
        worth.append((TABLES[name].file, "", "", f"{what}{elsewhere(benchmarks)}"))
    tied = set(tables["reference_scores"]["benchmark"])
    for benchmark in [] if unmet else sorted(set(benchmarks) - tied):
        what = "scores of reference runs, without which no specification can use it"
        file = TABLES["reference_scores"].file
        worth.append((file, benchmark, "", f"{what}{elsewhere([benchmark])}"))
    columns = ["table", "row", "column", "write", "note"]
    return (
        pd.DataFrame(missing, columns=columns).fillna(""),
        pd.DataFrame(worth, columns=columns[:-1]).assign(note=""),
    )


# Tables ------------------------------------------------------------------------------------------


def _benchmark(benchmark: str, known: pd.DataFrame, mapping: Mapping) -> dict[str, str]:
    usual = {} if benchmark not in known.index else known.loc[benchmark].to_dict()
    row = {"benchmark": benchmark} | {str(k): cell(v) for k, v in usual.items()}
    own = mapping.benchmarks.get(benchmark)
    if own is not None:
        given = {"name": own.name, "items": own.items, "chance": own.chance, "format": own.format}
        row |= {k: cell(v) for k, v in given.items() if v not in (None, "")}
        if own.items is not None:
            row["effective_items"] = cell(own.items)
        row.setdefault("source", mapping.source or "as given")
    return row


def _measured(
    benchmark: str,
    extract: Extract,
    known: pd.DataFrame,
    mapping: Mapping,
    readings: list[Reading],
    shots_usual: dict[str, int],
) -> dict[str, str]:
    """Row of ``protocols.csv``: what the format says, else what is usual."""
    usual = known.loc[benchmark] if benchmark in known.index else pd.Series(dtype=object)
    own = [reading for reading in readings if reading.benchmark == benchmark]
    shots = {reading.shots for reading in own if not reading.flag}
    if not shots and any(reading.flag == OTHER_SHOTS for reading in own):
        shots = {shots_usual[benchmark]}  # none was measured as the protocol has it
    row: dict[str, Any] = {
        "protocol": mapping.protocol or extract.protocol,
        "benchmark": benchmark,
        "format": usual.get("format", ""),
        "shots": next(iter(shots)) if len(shots) == 1 else None,
        "metric": usual.get("metric", ""),
        "measured_by": mapping.measured_by or extract.measured_by,
        "source": mapping.source or "named in each row",
    }
    row |= extract.measured.get(benchmark, {})
    return {column: cell(value) for column, value in row.items()}


def _listed(left_out: list[LeftOut]) -> pd.DataFrame:
    columns = ["reason", "system", "benchmark", "value", "source"]
    table = pd.DataFrame([asdict(item) for item in left_out], columns=columns, dtype=object)
    return table.drop_duplicates(["reason", "system", "benchmark", "value"], ignore_index=True)
