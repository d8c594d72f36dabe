"""What an import gives: tables in our schema, what was left out and why, and what is not known."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from densing_bayes.errors import TableError
from densing_bayes.inputs.tables.schema import TABLES
from densing_bayes.writing import write_files

LEFT_OUT: Final = "left_out.csv"
MISSING: Final = "missing.csv"


@dataclass(frozen=True)
class Imported:
    """Tables made of a foreign file, and what is not in them.

    Attributes
    ----------
    format : str
        What the file was.
    tables : dict
        As in :class:`densing_bayes.Panel`, every cell as text.
    left_out : DataFrame
        reason, system, benchmark, value, source; "" stands for all.
    missing : DataFrame
        table, row, column, write, note: what has to be filled in before the tables are valid, by
        name, and what is known of it.
    worth_giving : DataFrame
        The same of what may stay empty, but would change answers.
    """

    format: str
    tables: dict[str, pd.DataFrame]
    left_out: pd.DataFrame
    missing: pd.DataFrame
    worth_giving: pd.DataFrame

    @property
    def complete(self) -> bool:
        """Whether the tables are valid as they are."""
        return self.missing.empty

    def write(self, directory: str | os.PathLike[str], overwrite: bool = False) -> None:
        """Write the tables, ``left_out.csv`` and ``missing.csv`` to a folder.

        All files are written beside before the first is moved.

        Raises
        ------
        TableError
            If one of the files exists and ``overwrite`` is false.
        OSError
            If the folder cannot be written to.
        """
        folder = Path(directory)
        if folder.exists() and not folder.is_dir():
            raise TableError(f"{folder}: is a file; give a folder")
        contents = {
            TABLES[name].file: table
            for name, table in self.tables.items()
            if not (table.empty and TABLES[name].optional)
        }
        contents[LEFT_OUT] = self.left_out
        asked = {"yes": self.missing, "no": self.worth_giving}
        contents[MISSING] = pd.concat([t.assign(needed=word) for word, t in asked.items()])
        ours = [*(schema.file for schema in TABLES.values()), LEFT_OUT, MISSING]
        taken = [name for name in ours if (folder / name).exists()]
        if taken and not overwrite:
            raise TableError(
                f"{folder}: has {', '.join(taken)} already and nothing is overwritten unless told "
                "(--overwrite); give another folder"
            )
        write_files(
            folder,
            {
                name: table.to_csv(index=False, lineterminator="\n").encode()
                for name, table in contents.items()
            },
        )
        for name in set(taken) - contents.keys():  # of an earlier import
            (folder / name).unlink()
