"""Pairs of a system and what it was compressed to: specification and data."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from densing_bayes.corollaries.compression.table import COMPRESSION
from densing_bayes.errors import DensingError, TableError, did_you_mean
from densing_bayes.inputs.families import (
    Frozen,
    LogNormal,
    Positive,
    PositivePrior,
    RealPrior,
    UnitPrior,
)
from densing_bayes.inputs.panel import EMBEDDED, load_panel
from densing_bayes.inputs.tables.reading import load_table
from densing_bayes.posterior.result import Fit

GUESSING = 0.02  # above chance, and three standard errors: up to there a child may be guessing


class PublishedPair(Frozen):
    """A pair that the paper plots; with a scheme it has no scores and is a new pair of that."""

    child: Annotated[str, Field(min_length=1)]
    parent: Annotated[str, Field(min_length=1)]
    scheme: str = ""
    bits: Positive = 16.0


class ShiftSpec(Frozen):
    """Priors of the shift of log density, per class of methods."""

    mean: RealPrior
    size_slope: RealPrior
    method_spread: LogNormal
    parent_spread: LogNormal
    pair_spread: LogNormal
    benchmark_spread: LogNormal


class ScoreSpec(Frozen):
    """Priors of what stands between abilities and measured scores."""

    parent_logit: RealPrior
    error_correlation: UnitPrior
    table_noise: PositivePrior
    guess_spread: PositivePrior
    zero_shot_scale: LogNormal
    zero_shot_floor: RealPrior
    protocol_gap: PositivePrior


class NewSystemSpec(Frozen):
    """Prior of a system that the joint fit leaves out, about its parent."""

    shift: RealPrior


class CompressionSpec(Frozen):
    """The model of pairs; load it with ``load_corollary("compression", CompressionSpec)``."""

    name: str
    reference_params: Positive
    ignored_benchmarks: tuple[str, ...] = ()
    published: tuple[PublishedPair, ...] = ()
    shift: ShiftSpec
    score: ScoreSpec
    new_system: NewSystemSpec


@dataclass(frozen=True)
class Comparison:
    """Pairs as index arrays. Loss-linked benchmarks come first among parent scores and cells.

    Attributes
    ----------
    pairs
        One row per pair, index ``pair``: child, parent, class_, method, bits, log_ratio
        (ln N_child / N_parent), log_parent (ln N_parent / reference), kin (parent and class).
    parents
        One row per score of a parent in a table: benchmark (index), score, zero_shot, anchor
        (its score in the panel, where it is needed to tie a protocol to the panel's).
    cells
        One row per score of a child: pair and parent score (indices), benchmark, score, zero_shot.
    left_out
        Rows of the table that are not used, with the reason.
    """

    pairs: pd.DataFrame
    parents: pd.DataFrame
    cells: pd.DataFrame
    left_out: pd.DataFrame


def load_compression(source: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Scores of compressed systems and their parents, measured in one table.

    Parameters
    ----------
    source
        A CSV file of one's own in the schema of data/compression.csv; the embedded one by default.

    Returns
    -------
    pandas.DataFrame
        One row per child, benchmark and table; scores are shares, sizes are counts.

    Raises
    ------
    TableError
        Says which file, row, column and value, and how to fix it.
    """
    table = load_table(COMPRESSION, source)
    name = COMPRESSION.file if source is None else os.fspath(source)
    for row in table.index[table["child"] == table["parent"]]:
        raise TableError(
            f"{name}, row {row + 2}: {table['child'][row]} is its own parent; write the system "
            f"that it was made from into column 'parent'"
        )
    for child, parents in table.groupby("child")["parent"].unique().items():
        if len(parents) > 1:
            raise TableError(
                f"{name}: {child} has the parents {' and '.join(parents)}; give each pair a child "
                f"of its own name"
            )
    several = table.groupby(["table", "parent", "benchmark"])["parent_score"].nunique()
    for of_table, parent, benchmark in several.index[several > 1]:
        raise TableError(
            f"{name}: {parent} has several scores on {benchmark} in table '{of_table}'; two "
            f"protocols are two tables, name them apart"
        )
    return table


def compare_pairs(fit: Fit, table: pd.DataFrame, spec: CompressionSpec) -> Comparison:
    """Narrow a table of pairs to the benchmarks of a fit; errors as of :func:`fit_compression`."""
    benchmarks = fit.observed.benchmarks
    _check_benchmarks(table, benchmarks, spec)
    reason = pd.Series("", index=table.index)
    reason[table["protocol"] == "other"] = "format unlike the panel's"
    reason[~table["benchmark"].isin(benchmarks)] = "benchmark not in the fit"
    left_out = table.assign(reason=reason)[reason != ""][["child", "benchmark", "table", "reason"]]
    rows = table[reason == ""].copy()
    if rows.empty:
        raise DensingError(
            f"no pair has a score on a benchmark of this fit ({', '.join(benchmarks)}) in a format "
            f"like the panel's; add such rows, or take a fit of another panel"
        )
    rows["k"] = [benchmarks.index(name) for name in rows["benchmark"]]
    rows["zero_shot"] = rows["protocol"] == "zero-shot"
    rows = rows.sort_values("k", kind="stable")
    rows["class_"] = [class_of(row) for _, row in rows.iterrows()]
    rows["label"] = [method_of(row) for _, row in rows.iterrows()]

    pairs = _children(rows, spec)
    parents = rows.drop_duplicates(["table", "parent", "k"])
    place = pd.MultiIndex.from_frame(parents[["table", "parent", "k"]])
    chance = fit.observed.chance[rows["k"]]
    width = np.sqrt(chance * (1.0 - chance) / _items(fit)[rows["k"]])
    guessing = (rows["child_score"] < chance + 3.0 * width + GUESSING).groupby(rows["child"])
    pairs["guessing"] = guessing.mean()
    known = dict(zip(fit.observed.cell_label, fit.observed.score, strict=True))
    anchor = [known.get(f"{p}|{b}", np.nan) for p, b in parents[["parent", "benchmark"]].to_numpy()]
    return Comparison(
        pairs=pairs,
        parents=pd.DataFrame(
            {
                "k": parents["k"],
                "score": parents["parent_score"],
                "zero_shot": parents["zero_shot"],
                "anchor": np.where(parents["zero_shot"], anchor, np.nan),
                "label": parents["table"] + "|" + parents["parent"] + "|" + parents["benchmark"],
            }
        ).reset_index(drop=True),
        cells=pd.DataFrame(
            {
                "pair": pairs.index.get_indexer(pd.Index(rows["child"])),
                "measured": place.get_indexer(
                    pd.MultiIndex.from_frame(rows[["table", "parent", "k"]])
                ),
                "k": rows["k"],
                "score": rows["child_score"],
                "zero_shot": rows["zero_shot"],
            }
        ).reset_index(drop=True),
        left_out=left_out.reset_index(drop=True),
    )


def _children(rows: pd.DataFrame, spec: CompressionSpec) -> pd.DataFrame:
    """One row per child: how it was made, and sizes beside its parent's."""
    pairs = rows.drop_duplicates("child").sort_values(["class_", "label", "child"])
    return pd.DataFrame(
        {
            "child": pairs["child"],
            "parent": pairs["parent"],
            "class_": pairs["class_"],
            "method": pairs["label"],
            "bits": pairs["bits"],
            "log_ratio": np.log(pairs["child_params"] / pairs["parent_params"]),
            "log_parent": np.log(pairs["parent_params"] / spec.reference_params),
            "kin": pairs["parent"] + ", " + pairs["class_"],
        }
    ).set_index("child", drop=False)


def _items(fit: Fit) -> np.ndarray:
    """Effective number of items of every benchmark of a fit."""
    observed = fit.observed
    count = len(observed.benchmarks)
    return np.array([observed.cell_items[observed.cell_benchmark == k].max() for k in range(count)])


def _check_benchmarks(
    table: pd.DataFrame, benchmarks: tuple[str, ...], spec: CompressionSpec
) -> None:
    embedded = {name for panel in EMBEDDED for name in load_panel(panel).benchmarks.index}
    known = {*benchmarks, *embedded, *spec.ignored_benchmarks}
    for name in table["benchmark"].unique():
        if name not in known:
            hint = did_you_mean(name, sorted(known), "name it in ignored_benchmarks")
            raise DensingError(f"benchmark '{name}' of the pairs is in no panel{hint}")


def class_of(pair: Any) -> str:
    """Class of a method: what was done, and for quantised systems to how many bits."""
    if pair["method"] != "quantised":
        return str(pair["method"])
    return f"{pair['bits']:g} bits" + (", per channel" if "channel" in pair["granularity"] else "")


def method_of(pair: Any) -> str:
    """Method of a pair: scheme and class."""
    return f"{pair['scheme']}, {class_of(pair)}"
