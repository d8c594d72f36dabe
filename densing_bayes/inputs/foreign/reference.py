"""Reference runs for imported scores: those of a panel, for the benchmarks that have scores."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from densing_bayes.inputs.foreign.text_tables import frame, text_table
from densing_bayes.inputs.panel import EMBEDDED, load_panel
from densing_bayes.inputs.tables.schema import TABLES

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def reference_tables(reference: str | None, benchmarks: list[str]) -> dict[str, pd.DataFrame]:
    """Reference runs, their losses and scores, and how they were measured, word for word."""
    names = ("benchmarks", "protocols", "runs", "losses", "reference_scores")
    if reference is None:
        return {name: frame(name, ()) for name in names}
    folder: Traversable | Path = files("densing_bayes.data").joinpath(reference)
    if reference not in EMBEDDED:
        load_panel(reference)  # it has to be valid
        folder = Path(reference)
    tables = {name: text_table(folder, TABLES[name].file) for name in names}
    for name in names:
        table = tables[name].reindex(columns=TABLES[name].names, fill_value="")
        if name != "runs":
            table = table[table["benchmark"].isin(benchmarks)]
        tables[name] = table
    used = set(tables["losses"]["run"]) | set(tables["reference_scores"]["run"])
    tables["runs"] = tables["runs"][tables["runs"]["run"].isin(used)]
    scored = tables["reference_scores"]
    pairs = set(zip(scored["protocol"], scored["benchmark"], strict=True))
    described = tables["protocols"]
    wanted = [
        pair in pairs for pair in zip(described["protocol"], described["benchmark"], strict=True)
    ]
    tables["protocols"] = described[wanted]
    # a table without protocols was measured alike: a name for it, since there are protocols now
    nameless = tables["reference_scores"]["protocol"] == ""
    tables["reference_scores"].loc[nameless, "protocol"] = "panel"
    return tables


def elsewhere(benchmarks: list[str]) -> str:
    """Which embedded panels have reference scores on benchmarks."""
    package = files("densing_bayes.data")
    found = [
        name
        for name in EMBEDDED
        if set(text_table(package.joinpath(name), "reference_scores.csv")["benchmark"])
        & set(benchmarks)
    ]
    return f" (--reference {' or '.join(found)} has some)" if found else ""
