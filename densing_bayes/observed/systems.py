"""Systems that a specification asks for, and their scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from densing_bayes.errors import SpecError
from densing_bayes.inputs.dates import DAYS_PER_YEAR, ORIGIN
from densing_bayes.inputs.panel import Panel
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.inputs.tables.columns import COMPRESSED
from densing_bayes.inputs.tables.releases import release_names
from densing_bayes.observed.changes import check_changes
from densing_bayes.observed.readings import effective_items, reading_arrays, readings
from densing_bayes.observed.sizes import system_sizes


def system_arrays(panel: Panel, spec: ModelSpec, benchmarks: list[str]) -> dict[str, Any]:
    """The systems of a panel and their scores, as observations have them."""
    position = {name: i for i, name in enumerate(benchmarks)}
    systems, scores = _systems_and_scores(panel, spec, benchmarks)
    scores = scores.assign(k=scores["benchmark"].map(position))
    scores, repeats = readings(scores, spec, benchmarks)
    sizes, fallbacks = system_sizes(systems, spec.panel.size)
    releases, system_release = np.unique(systems["release"].to_numpy(str), return_inverse=True)
    organisations, system_organisation = np.unique(
        systems["organisation"].to_numpy(str), return_inverse=True
    )
    time = (systems["release_date"] - ORIGIN).dt.days.to_numpy(float) / DAYS_PER_YEAR
    began = (systems["release_began"] - ORIGIN).dt.days.to_numpy(float) / DAYS_PER_YEAR
    release_time = np.array([began[system_release == i][0] for i in range(len(releases))])
    flags = tuple(sorted(map(str, set(scores["flag"]) - {""})))
    items = panel.benchmarks["effective_items"].astype(float)
    check_changes(spec, time)
    return dict(
        systems=tuple(map(str, systems.index)),
        releases=tuple(map(str, releases)),
        organisations=tuple(map(str, organisations)),
        log_params=np.log(sizes.to_numpy(float)),
        time=time,
        system_release=system_release.astype(np.int64),
        system_organisation=system_organisation.astype(np.int64),
        system_family=tuple(map(str, systems["family"])),
        release_time=release_time,
        size_fallbacks=fallbacks,
        score=scores["score"].to_numpy(float),
        cell_label=tuple(map(str, scores["system"] + "|" + scores["benchmark"])),
        cell_system=systems.index.get_indexer(pd.Index(scores["system"])).astype(np.int64),
        cell_benchmark=scores["k"].to_numpy(np.int64),
        cell_items=effective_items(scores, items),
        cell_flag=np.array([flags.index(f) if f else -1 for f in scores["flag"]], dtype=np.int64),
        flags=flags,
        **reading_arrays(scores, repeats, spec, benchmarks, items),
    )


def _systems_and_scores(
    panel: Panel, spec: ModelSpec, benchmarks: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    # Releases are those of the panel: which systems are left out here does not split them.
    release = release_names(panel.systems, spec.panel.release_days)
    began = panel.systems["release_date"].groupby(release).transform("min")
    systems = panel.systems.assign(release=release, release_began=began)
    systems = systems[
        systems["domain"].isin(spec.panel.domains)
        & (systems["params_total"] >= spec.panel.min_params)
        & ~systems["derivation"].isin([*COMPRESSED, *spec.panel.without])
    ]
    if spec.panel.architectures:
        systems = systems[systems["architecture"].isin(spec.panel.architectures)]
    if spec.panel.weights == "open":
        systems = systems[systems["open_weights"] == "true"]
    scores = panel.scores[
        panel.scores["benchmark"].isin(benchmarks) & panel.scores["system"].isin(systems.index)
    ]
    if spec.panel.flagged == "exclude":
        scores = scores[scores["flag"] == ""]
    systems = systems.loc[systems.index.isin(scores["system"])].sort_values(
        ["release_date", "release"], kind="stable"
    )
    if len(systems) < 2:
        raise SpecError(
            f"panel '{panel.name}' has {len(systems)} systems with scores on "
            f"{', '.join(benchmarks)} after the filters of [panel]; a trend needs at least 2"
        )
    return systems, scores
