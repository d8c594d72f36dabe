"""Several readings of one cell: a system's score on a benchmark, measured under several protocols.

The first protocol that a specification names for a benchmark is its anchor. A cell is read first
under the protocol that comes first among those which have measured it; what others have read of it
repeats that reading. A reading that agrees with an earlier one to the last digit that is usually
given may quote it, and is left out: it would make readings look as if they hardly differed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from densing_bayes.errors import SpecError
from densing_bayes.inputs.panel import Panel
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.arrays import Ints

QUOTED = 6e-4  # difference below which one reading may be another, quoted and rounded
NO_REPEATS: dict[str, Any] = {
    "repeat_score": np.empty(0),
    "repeat_label": (),
    "repeat_cell": np.empty(0, dtype=np.int64),
    "repeat_measure": np.empty(0, dtype=np.int64),
    "repeat_items": np.empty(0),
}
"""Arrays of observations without readings beside the first ones."""


def protocols_of(spec: ModelSpec, benchmark: str) -> tuple[str, ...]:
    """Protocols that a specification names for a benchmark, the anchor first."""
    return spec.benchmarks[benchmark].protocols or spec.panel.protocols


def measures_of(spec: ModelSpec, benchmarks: list[str]) -> tuple[str, ...]:
    """Benchmark and protocol, as ``benchmark|protocol``, of all protocols beside the anchors."""
    if spec.performance.protocols is None:
        return ()
    return tuple(f"{name}|{other}" for name in benchmarks for other in protocols_of(spec, name)[1:])


def check_protocols(panel: Panel, spec: ModelSpec) -> None:
    """Refuse protocols that an offset cannot relate to each other."""
    if spec.performance.protocols is None:
        return
    if spec.panel.flagged == "offset":
        raise SpecError(
            "[performance.protocols] has an offset for each protocol, and [panel] flagged = "
            '"offset" one for each flag: only one of them can be; use flagged = "exclude"'
        )
    formats = panel.protocols.set_index(["protocol", "benchmark"])["format"]
    of_benchmark = panel.benchmarks["format"]
    for name in spec.benchmarks:
        order = protocols_of(spec, name)
        if not order:
            raise SpecError(
                f"benchmark '{name}': [performance.protocols] relates protocols to the first one; "
                f"name them in [panel] protocols or in [benchmarks.{name}] protocols"
            )
        scores = panel.scores[panel.scores["benchmark"] == name]
        if order[0] not in set(scores["protocol"]):
            raise SpecError(
                f"benchmark '{name}': its first protocol '{order[0]}' is the anchor of the others, "
                f"but has no scores there; put another first in [benchmarks.{name}] protocols"
            )
        found = {other: formats.get((other, name), "") or of_benchmark[name] for other in order}
        odd = [other for other, kind in found.items() if kind != found[order[0]]]
        if odd:
            raise SpecError(
                f"benchmark '{name}': protocol '{odd[0]}' is {found[odd[0]]} and the anchor "
                f"'{order[0]}' is {found[order[0]]}; an offset does not relate two formats: leave "
                f"one out of [benchmarks.{name}] protocols"
            )


def effective_items(scores: pd.DataFrame, items: pd.Series) -> np.ndarray:
    """Items of a test whose sampling error is the stated one, or those of the benchmark.

    A binomial share S of n items has a standard error of sqrt(S (1 - S) / n).
    """
    own = items.loc[scores["benchmark"]].to_numpy().astype(np.float64)
    error = scores["score_error"].to_numpy(float)
    share = np.clip(scores["score"].to_numpy(float), 0.5 / own, 1.0 - 0.5 / own)
    return np.where(
        np.isnan(error), own, share * (1.0 - share) / np.where(error > 0, error, 1) ** 2
    )


def readings(
    scores: pd.DataFrame, spec: ModelSpec, benchmarks: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """First readings, and those that repeat them; in the order of cells.

    Parameters
    ----------
    scores
        Of :func:`densing_bayes.observed.selection.select`, with ``k``, the place of the benchmark.
    spec
        A specification.
    benchmarks
        Names, by place.

    Returns
    -------
    first, repeats
        Rows of ``scores``, the second with ``cell``, a row of the first. Both have ``measure``:
        an index into :func:`measures_of`, -1 for the anchor.
    """
    if spec.performance.protocols is None:
        first = scores.sort_values(["k", "system"], kind="stable")
        return first, first.iloc[:0].assign(cell=0)
    measures = measures_of(spec, benchmarks)
    place = {label: i for i, label in enumerate(measures)}
    label = scores["benchmark"] + "|" + scores["protocol"]
    scores = scores.assign(measure=label.map(place).fillna(-1).astype(int))
    scores = scores.sort_values(["k", "system", "measure"], kind="stable")
    scores = scores[~_quoted(scores)]
    again = scores.duplicated(["k", "system"])
    return scores[~again], scores[again].assign(cell=(~again).cumsum()[again] - 1)


def _quoted(scores: pd.DataFrame) -> pd.Series:
    """Which scores agree with an earlier one of their cell."""
    groups = scores.groupby(["k", "system"], sort=False)["score"]
    quoted = pd.Series(False, index=scores.index)
    for back in range(1, int(groups.size().max())):
        quoted |= (scores["score"] - groups.shift(back)).abs() < QUOTED
    return quoted


def reading_arrays(
    first: pd.DataFrame,
    repeats: pd.DataFrame,
    spec: ModelSpec,
    benchmarks: list[str],
    items: pd.Series,
) -> dict[str, Any]:
    """Arrays of observations that say which protocol has read a cell, and what others read."""
    measures = measures_of(spec, benchmarks)
    if not measures:
        return {}
    of_measure = [benchmarks.index(label.split("|")[0]) for label in measures]
    return {
        "measures": measures,
        "measure_benchmark": np.array(of_measure, dtype=np.int64),
        "cell_measure": _whole(first["measure"]),
        "repeat_score": repeats["score"].to_numpy(float),
        "repeat_label": tuple(
            map(str, repeats["system"] + "|" + repeats["benchmark"] + "|" + repeats["protocol"])
        ),
        "repeat_cell": _whole(repeats["cell"]),
        "repeat_measure": _whole(repeats["measure"]),
        "repeat_items": effective_items(repeats, items),
    }


def _whole(values: pd.Series) -> Ints:
    return values.to_numpy().astype(np.int64)
