"""What the model sees: a panel narrowed by a specification, as index arrays.

Cells (a system's score on a benchmark) are sparse: a missing score has no cell. Benchmarks that
are linked through their loss come first, so that one split serves every array over benchmarks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from densing_bayes.inputs.dates import date_of, years_since_origin
from densing_bayes.inputs.panel import Panel
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.arrays import Floats, Ints
from densing_bayes.observed.changes import changes_of, check_changes
from densing_bayes.observed.families import FamilyLosses, family_losses
from densing_bayes.observed.reference import (
    expected_losses,
    final_runs,
    reference_losses,
    reference_scores,
    training_runs,
)
from densing_bayes.observed.selection import check_benchmarks, select
from densing_bayes.observed.sizes import centre
from densing_bayes.observed.systems import system_arrays


def _no_ints() -> Ints:
    return np.empty(0, dtype=np.int64)


def _no_floats() -> Floats:
    return np.empty(0)


# What models know nothing of that have reference runs of one family, one protocol a benchmark, no
# walk, and all losses measured.
_SWITCHED_ON = ("walk_edges", "pinned_time", "expected", "expected_log_params",
                "expected_log_tokens", "measures", "measure_benchmark", "cell_measure",
                "repeat_score", "repeat_label", "repeat_cell", "repeat_measure",
                "repeat_items", "others")  # fmt: skip


@dataclass(frozen=True)
class Observations:
    """Arrays of one fit. Logarithms are natural; times are years since 2022-11-30."""

    benchmarks: tuple[str, ...]
    loss_benchmarks: tuple[str, ...]
    chance: Floats
    centre_params: float
    centre_tokens: float
    log_reference_tokens: float  # log(D0 / D0')

    loss: Floats
    loss_label: tuple[str, ...]
    loss_benchmark: Ints
    loss_log_params: Floats
    loss_log_tokens: Floats

    reference_score: Floats
    reference_label: tuple[str, ...]
    reference_benchmark: Ints
    reference_items: Floats
    reference_loss: Floats  # of the loss-linked rows, which come first
    reference_log_params: Floats  # of the directly linked rows
    reference_log_tokens: Floats
    reference_checkpointed: Ints  # index into checkpointed, -1 for none
    checkpointed: tuple[str, ...]  # training runs with several scores on a benchmark

    systems: tuple[str, ...]
    releases: tuple[str, ...]
    organisations: tuple[str, ...]
    log_params: Floats
    time: Floats
    system_release: Ints
    system_organisation: Ints
    system_family: tuple[str, ...]
    release_time: Floats  # of its first member in the panel, whether that is a system here or not
    size_fallbacks: int  # systems whose size in the chosen convention is unknown

    score: Floats
    cell_label: tuple[str, ...]
    cell_system: Ints
    cell_benchmark: Ints
    cell_items: Floats
    cell_flag: Ints  # index into flags, -1 for none
    flags: tuple[str, ...]

    mean_log_params: float  # over systems, where the size slope is centred
    changes: tuple[str, ...]
    change_earliest: Floats  # the date of a change, or the start of its window
    change_latest: Floats  # the date of a change, or the end of its window
    bend_time: Floats  # dates at which the drifts of benchmarks bend: one or none
    walk_edges: Floats  # between which a trend that wanders takes its steps
    labels: tuple[str, ...] = ()  # of benchmarks as the panel writes them; the model sees none
    # Where the line is zero if there are no reference runs to measure it by: one or none.
    pinned_time: Floats = field(default_factory=_no_floats)

    # Rows of loss-linked reference scores whose loss is expected, and not measured: NaN above.
    expected: Ints = field(default_factory=_no_ints)
    expected_log_params: Floats = field(default_factory=_no_floats)
    expected_log_tokens: Floats = field(default_factory=_no_floats)

    others: FamilyLosses | tuple[()] = ()  # losses of further families of reference runs

    # Where a benchmark has several protocols; all empty if not. ``score`` is the first reading.
    measures: tuple[str, ...] = ()  # benchmark|protocol, of protocols beside the anchors
    measure_benchmark: Ints = field(default_factory=_no_ints)
    cell_measure: Ints = field(
        default_factory=_no_ints
    )  # of the first reading: index into measures, -1 for the anchor
    repeat_score: Floats = field(
        default_factory=_no_floats
    )  # readings of the same cells under other protocols
    repeat_label: tuple[str, ...] = ()
    repeat_cell: Ints = field(default_factory=_no_ints)
    repeat_measure: Ints = field(default_factory=_no_ints)
    repeat_items: Floats = field(default_factory=_no_floats)

    @property
    def direct_benchmarks(self) -> tuple[str, ...]:
        """Benchmarks that are linked directly to params and tokens."""
        return self.benchmarks[len(self.loss_benchmarks) :]

    @property
    def loss_cells(self) -> int:
        """Number of leading cells that belong to loss-linked benchmarks."""
        return int(np.sum(self.cell_benchmark < len(self.loss_benchmarks)))

    @property
    def loss_references(self) -> int:
        """Number of leading reference scores that belong to loss-linked benchmarks."""
        return len(self.reference_loss)

    @property
    def without_runs(self) -> bool:
        """Whether no reference run has a part in it, so that density is relative to the line."""
        return self.pinned_time.size > 0

    def counts(self) -> pd.DataFrame:
        """Systems and releases before and after each change of the trend (or in all).

        A release counts on the side of its date, which is that of its first member. A change whose
        date is not known has a row of its own for its window.
        """
        labels, cuts = [f"before {self.changes[0]}" if self.changes else "all"], [-np.inf]
        windows = zip(self.changes, self.change_earliest, self.change_latest, strict=True)
        for name, earliest, latest in windows:
            if latest > earliest and earliest > cuts[-1]:
                labels.append(f"in the window of {name}")
                cuts.append(earliest)
            if latest > cuts[-1]:
                labels.append(f"after {name}")
                cuts.append(latest)
            else:  # the window is that of the change before
                labels[-1] = f"after {name}"
        rows = {}
        for name, start, end in zip(labels, cuts, [*cuts[1:], np.inf], strict=True):
            inside = (self.time >= start) & (self.time < end)
            began = (self.release_time >= start) & (self.release_time < end)
            families = set(np.array(self.system_family, object)[inside])
            rows[name] = {
                "systems": int(inside.sum()),
                "releases": int(began.sum()),
                "families": len(families),
                "cells": int(inside[self.cell_system].sum()),
            }
        return pd.DataFrame.from_dict(rows, orient="index")

    def joined(self) -> pd.DataFrame:
        """Releases whose systems came out on more than one date.

        Returns
        -------
        DataFrame
            Index ``release``; ``systems`` (names), ``first`` and ``last`` (dates of these).
        """
        rows = {}
        for i in np.argsort(self.release_time, kind="stable"):
            members = np.flatnonzero(self.system_release == i)
            first, last = self.time[members].min(), self.time[members].max()
            if first < last:
                rows[self.releases[i]] = {
                    "systems": [self.systems[m] for m in members],
                    "first": date_of(first).date(),
                    "last": date_of(last).date(),
                }
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["systems", "first", "last"])
        return table.rename_axis("release")

    def of_systems(self, chosen: NDArray[np.bool_]) -> Observations:
        """The same runs with the chosen systems only, their scores and releases.

        The centre of the size slope stays where it was, so that parameters mean the same.
        """
        releases, system_release = np.unique(self.system_release[chosen], return_inverse=True)
        organisations, system_organisation = np.unique(
            self.system_organisation[chosen], return_inverse=True
        )
        cells = chosen[self.cell_system]
        position = np.cumsum(chosen) - 1
        kept = cells[self.repeat_cell]
        return replace(
            self,
            cell_measure=self.cell_measure[cells] if self.measures else self.cell_measure,
            repeat_score=self.repeat_score[kept],
            repeat_label=tuple(np.array(self.repeat_label, object)[kept]),
            repeat_cell=(np.cumsum(cells) - 1)[self.repeat_cell[kept]].astype(np.int64),
            repeat_measure=self.repeat_measure[kept],
            repeat_items=self.repeat_items[kept],
            systems=tuple(np.array(self.systems, object)[chosen]),
            releases=tuple(self.releases[i] for i in releases),
            organisations=tuple(self.organisations[i] for i in organisations),
            log_params=self.log_params[chosen],
            time=self.time[chosen],
            system_release=system_release.astype(np.int64),
            system_organisation=system_organisation.astype(np.int64),
            system_family=tuple(np.array(self.system_family, object)[chosen]),
            release_time=self.release_time[releases],
            score=self.score[cells],
            cell_label=tuple(np.array(self.cell_label, object)[cells]),
            cell_system=position[self.cell_system[cells]].astype(np.int64),
            cell_benchmark=self.cell_benchmark[cells],
            cell_items=self.cell_items[cells],
            cell_flag=self.cell_flag[cells],
        )

    def hash(self) -> str:
        """SHA-256 of every array and label that the model sees."""
        digest = hashlib.sha256()
        for name in sorted(self.__dataclass_fields__):
            value = getattr(self, name)
            if name == "labels" or (name in _SWITCHED_ON and not len(value)):
                continue
            data = value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
            digest.update(name.encode() + data)
        return digest.hexdigest()


def observe(panel: Panel, spec: ModelSpec) -> Observations:
    """Narrow a panel to what a specification asks for.

    Raises
    ------
    SpecError
        If nothing is left, a benchmark lacks what its link needs, or a cell has scores of several
        protocols and the specification does not say which it takes.
    """
    check_benchmarks(panel, spec)
    whole, panel = panel, select(panel, spec)
    names = list(spec.benchmarks)
    loss_linked = [name for name in names if spec.benchmarks[name].link == "loss"]
    benchmarks = loss_linked + [name for name in names if name not in loss_linked]
    position = {name: i for i, name in enumerate(benchmarks)}

    runs, losses = reference_losses(panel, spec, loss_linked)
    finals = final_runs(panel, spec)
    of_systems = system_arrays(panel, spec, benchmarks)
    centre_params, centre_tokens = centre(spec, finals, of_systems["log_params"])
    references = reference_scores(panel, spec, benchmarks, finals)
    references = references.assign(k=references["benchmark"].map(position))
    references = references.sort_values(["k", "run"], kind="stable")
    from_loss = references["k"] < len(loss_linked)
    checkpointed, reference_checkpointed = training_runs(panel, spec, references)

    items = panel.benchmarks["effective_items"].astype(float)
    return Observations(
        benchmarks=tuple(benchmarks),
        loss_benchmarks=tuple(loss_linked),
        labels=tuple(panel.benchmarks["label"].loc[benchmarks]),
        chance=panel.benchmarks["chance"].loc[benchmarks].to_numpy(float),
        centre_params=centre_params,
        centre_tokens=centre_tokens,
        log_reference_tokens=float(np.log(spec.panel.reference_tokens / centre_tokens)),
        loss=losses["loss"].to_numpy(float),
        loss_label=tuple(map(str, losses["run"] + "|" + losses["benchmark"])),
        loss_benchmark=losses["benchmark"].map(position).to_numpy().astype(np.int64),
        loss_log_params=np.log(runs["params"].to_numpy(float) / centre_params),
        loss_log_tokens=np.log(runs["tokens"].to_numpy(float) / centre_tokens),
        reference_score=references["score"].to_numpy(float),
        reference_label=tuple(map(str, references["run"] + "|" + references["benchmark"])),
        reference_benchmark=references["k"].to_numpy(np.int64),
        reference_items=items.loc[references["benchmark"]].to_numpy().astype(np.float64),
        reference_loss=references.loc[from_loss, "loss"].to_numpy(float),
        reference_log_params=np.log(
            references.loc[~from_loss, "params"].to_numpy(float) / centre_params
        ),
        reference_log_tokens=np.log(
            references.loc[~from_loss, "tokens"].to_numpy(float) / centre_tokens
        ),
        reference_checkpointed=reference_checkpointed,
        **expected_losses(references[from_loss], centre_params, centre_tokens),
        checkpointed=checkpointed,
        others=family_losses(whole, spec, loss_linked, (centre_params, centre_tokens)),
        **of_systems,
        mean_log_params=float(np.mean(of_systems["log_params"])),
        bend_time=np.array(
            [years_since_origin(date) for date in [spec.density.drift_bend] if date]
        ),
        walk_edges=_walk_edges(spec, of_systems["time"]),
        pinned_time=of_systems["time"].mean(keepdims=True) if spec.without_runs else _no_floats(),
        **changes_of(spec),
    )


def observe_systems(seen: Observations, panel: Panel, spec: ModelSpec) -> Observations:
    """Observations with the systems of a panel in place of their own; runs stay what they are.

    Raises
    ------
    SpecError
        As of :func:`observe`, but for what concerns reference runs.
    """
    check_benchmarks(panel, spec, runs_too=False)
    panel = select(panel, spec, runs_too=False)
    return replace(seen, **system_arrays(panel, spec, list(seen.benchmarks)))


def _walk_edges(spec: ModelSpec, time: Floats) -> Floats:
    walk = spec.trend.walk
    return np.array([] if walk is None else walk.edges(float(time.min()), float(time.max())))


def with_changes(observed: Observations, spec: ModelSpec) -> Observations:
    """The same observations with the changes of another specification of the trend.

    Raises
    ------
    SpecError
        If a change has no systems on both sides, or a window no release in it.
    """
    check_changes(spec, observed.time)
    return placed(observed, spec)


def placed(observed: Observations, spec: ModelSpec) -> Observations:
    """The same, wherever the changes lie."""
    return replace(observed, **changes_of(spec))
