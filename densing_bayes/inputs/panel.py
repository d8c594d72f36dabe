"""From CSV files to a checked :class:`Panel`.

Embedded panels and the user's own are read by the same code and held to the same schema, see
:mod:`densing_bayes.inputs.tables.schema`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from densing_bayes.errors import TableError, did_you_mean
from densing_bayes.inputs.default import DEFAULT
from densing_bayes.inputs.tables.reading import (
    DATA_PACKAGE,
    load_table,
    read_tables,
    refuse_foreign,
)
from densing_bayes.inputs.tables.releases import release_names
from densing_bayes.inputs.tables.schema import EVENTS, TABLES
from densing_bayes.writing import write_files

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

EMBEDDED: Final = ("current", "open", "paper")
"""Names of the embedded panels."""


@dataclass(frozen=True)
class Panel:
    """Benchmarks, reference runs, systems and scores that one model is fitted to.

    Attributes
    ----------
    name : str
        Name of the embedded panel, or of the folder.
    benchmarks : DataFrame
        Index ``benchmark``; name, items, effective_items, chance, format, loss_unit, source.
    protocols : DataFrame
        Columns protocol, benchmark, format, shots, metric, measured_by, source: who measured how.
        Without rows where all scores were measured alike.
    runs : DataFrame
        Index ``run``; family, params, tokens (both may be missing where a run only links loss to
        score), annealed ("true", "false" or "unknown"), checkpoint_of (the training run of which
        the row is a checkpoint, or ""), source.
    losses : DataFrame
        Columns run, benchmark, loss, loss_unit, source. Losses of families that cut text into
        other tokens, or count in another unit, are not on one scale.
    reference_scores : DataFrame
        Columns run, benchmark, format, protocol, score, source. A run and benchmark may have one
        score in each format and protocol.
    systems : DataFrame
        Index ``system``; release_date is datetime64, the sizes and tokens are counts, release is
        "" where the rule of :func:`densing_bayes.inputs.tables.releases.release_names` decides.
    scores : DataFrame
        Columns system, benchmark, protocol, score, score_error (standard error of the share),
        shots, flag, source. A system and benchmark may have one score in each protocol.
    sha256 : str
        Hash of the bytes of the CSV files.
    """

    name: str
    benchmarks: pd.DataFrame
    protocols: pd.DataFrame
    runs: pd.DataFrame
    losses: pd.DataFrame
    reference_scores: pd.DataFrame
    systems: pd.DataFrame
    scores: pd.DataFrame
    sha256: str

    @property
    def identity(self) -> dict[str, str]:
        """Name and hash of its tables, as the provenance of a fit has them."""
        return {"panel": self.name, "tables_hash": self.sha256}

    def runs_with_loss(self, benchmark: str) -> int:
        """Number of reference runs of known params and tokens that have a loss on a benchmark.

        Zero means that the benchmark cannot be linked through a loss.
        """
        sized = self.runs.index[self.runs["params"].notna() & self.runs["tokens"].notna()]
        losses = self.losses
        of_benchmark = losses[losses["benchmark"] == benchmark]
        return int(of_benchmark["run"].isin(sized).sum())

    def runs_with_score(self, benchmark: str, format: str | None = None) -> int:
        """Number of reference runs that have a score on a benchmark, in one format or in any."""
        scores = self.reference_scores
        wanted = scores["benchmark"] == benchmark
        if format is not None:
            wanted &= scores["format"] == format
        return int(scores.loc[wanted, "run"].nunique())


def as_panel(panel: Panel | str | os.PathLike[str] | None, own: str) -> Panel:
    """A panel as it is, or by its name or folder; by default the one that a specification names."""
    if isinstance(panel, Panel):
        return panel
    return load_panel(own if panel is None else panel)


def load_panel(source: str | os.PathLike[str] = DEFAULT) -> Panel:
    """Read and check a panel.

    Parameters
    ----------
    source : str or path, default "current"
        Name of an embedded panel ("current", "open" or "paper"), or a folder with benchmarks.csv,
        systems.csv and scores.csv; with reference_runs.csv and reference_scores.csv unless only
        specifications without reference runs are fitted, reference_losses.csv if runs have losses
        and protocols.csv where scores are of several protocols.

    Returns
    -------
    Panel

    Raises
    ------
    TableError
        Names the file, the row as an editor counts it, the column, the value and what would be
        right. All problems of all tables are collected; the first ten are shown.
    """
    if isinstance(source, str) and source in EMBEDDED:
        return _read_panel(source, files(DATA_PACKAGE).joinpath(source), embedded=True)
    folder = Path(source)
    if not folder.exists():
        hint = did_you_mean(str(source), EMBEDDED)
        raise TableError(
            f"{folder}: no such folder and no embedded panel of that name "
            f"(embedded: {', '.join(EMBEDDED)}){hint}"
        )
    if not folder.is_dir():
        refuse_foreign(folder)
        raise TableError(f"{folder}: is a file; give the folder that holds the tables of the panel")
    if not any((folder / schema.file).exists() for schema in TABLES.values()):
        refuse_foreign(folder)
    name = os.fsencode(folder.resolve().name).decode("utf-8", "backslashreplace")
    return _read_panel(name, folder, embedded=False)


def refuse_two_meanings(source: str) -> None:
    """Refuse a name that is that of an embedded panel and of a folder of tables here.

    Raises
    ------
    TableError
        Which would be read, and how the folder is named.
    """
    folder = Path(source)
    if source in EMBEDDED and any((folder / schema.file).exists() for schema in TABLES.values()):
        raise TableError(
            f"{source!r} is an embedded panel, and here a folder of tables too: write "
            f"{os.path.join(os.curdir, source)} for the folder, or rename it to read the embedded "
            f"panel"
        )


def list_panels() -> pd.DataFrame:
    """Say what is embedded.

    Returns
    -------
    DataFrame
        Index ``panel``; systems, releases, scores, benchmarks (names), runs, first_date and
        last_date (datetime64) of the systems.
    """
    rows = []
    for name in EMBEDDED:
        tables, _ = read_tables(files(DATA_PACKAGE).joinpath(name), embedded=True, check=False)
        systems = tables["systems"]
        rows.append(
            {
                "panel": name,
                "systems": len(systems),
                "releases": release_names(systems).nunique(),
                "scores": len(tables["scores"]),
                "benchmarks": ", ".join(tables["benchmarks"]["benchmark"]),
                "runs": len(tables["runs"]),
                "first_date": systems["release_date"].min(),
                "last_date": systems["release_date"].max(),
            }
        )
    return pd.DataFrame(rows).set_index("panel")


def load_events() -> pd.DataFrame:
    """Read the embedded dates at which a trend might have changed.

    Returns
    -------
    DataFrame
        Index ``event``; date (datetime64), name, reason, source. In order of date.
    """
    return load_table(EVENTS).set_index("event").sort_values("date", kind="stable")


def export_panel(name: str, directory: str | os.PathLike[str]) -> None:
    """Write the tables of an embedded panel out as a start for one's own.

    Parameters
    ----------
    name : str
        "current", "open" or "paper".
    directory : path
        Made if it does not exist. Nothing in it is overwritten.

    Raises
    ------
    TableError
        If there is no such panel, or one of the files exists already.
    """
    if name not in EMBEDDED:
        raise TableError(f"no embedded panel {name!r}; there are {', '.join(EMBEDDED)}")
    folder = Path(directory)
    if folder.exists() and not folder.is_dir():
        raise TableError(f"{folder}: is a file; give a folder")
    taken = [schema.file for schema in TABLES.values() if (folder / schema.file).exists()]
    if taken:
        raise TableError(
            f"{folder}: has {', '.join(taken)} already and nothing is overwritten; "
            "give another folder"
        )
    tables = {
        schema.file: files(DATA_PACKAGE).joinpath(name, schema.file) for schema in TABLES.values()
    }
    write_files(folder, {file: at.read_bytes() for file, at in tables.items() if at.is_file()})


def _read_panel(name: str, folder: Traversable | Path, embedded: bool) -> Panel:
    tables, sha256 = read_tables(folder, embedded, check=True)
    for table, key in (("benchmarks", "benchmark"), ("runs", "run"), ("systems", "system")):
        tables[table] = tables[table].set_index(key)
    unkeyed = {
        table: tables[table].reset_index(drop=True)
        for table in ("protocols", "losses", "reference_scores", "scores")
    }
    return Panel(
        name=name,
        benchmarks=tables["benchmarks"],
        runs=tables["runs"],
        systems=tables["systems"],
        sha256=sha256,
        **unkeyed,
    )
