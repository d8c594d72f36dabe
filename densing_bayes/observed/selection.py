"""One score a cell, and one family of reference runs a benchmark, as a specification asks.

A panel may hold what several people measured in several ways. What is fitted to it sees one score
of a system on a benchmark, that of the first protocol in the specification's order which has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from densing_bayes.errors import SpecError, did_you_mean
from densing_bayes.inputs.panel import Panel
from densing_bayes.inputs.specification import BenchmarkSpec, ModelSpec
from densing_bayes.inputs.tables.schema import ONE_PROTOCOL
from densing_bayes.observed.readings import check_protocols, protocols_of

REFERENCE = ["run", "benchmark", "format"]


def select(panel: Panel, spec: ModelSpec, *, runs_too: bool = True) -> Panel:
    """The benchmarks of a specification with the scores and families that it asks for.

    Parameters
    ----------
    panel
        A panel.
    spec
        Its ``[panel] protocols`` is an order of preference, and ``protocols`` of a benchmark one of
        its own: a cell takes its score from the first protocol that has one, and is left out if
        none has. Without an order no cell may have more than one score. Where the specification
        has ``[performance.protocols]``, the scores of all of them are kept. ``families`` of a
        benchmark are those of the reference runs that tie its score to params and tokens.
    runs_too
        Choose among the reference runs, too; otherwise they stay as they are.

    Returns
    -------
    Panel
        Scores are unique by system and benchmark (and protocol, if all are kept), reference scores
        by run, benchmark and format; losses of one benchmark are of one unit. Scores that have a
        flag are left out before the choice where the specification leaves them out.

    Raises
    ------
    SpecError
        If a cell has several scores and no order is given, a protocol or family is unknown, or
        losses of a benchmark that is linked through them are of several units.
    """
    check_protocols(panel, spec)
    scores, losses, references, kept = [], [], [], set[str]()
    for name, benchmark in spec.benchmarks.items():
        order = protocols_of(spec, name)
        if runs_too:
            families, loss, reference = _runs_of(panel, name, benchmark, order)
            kept |= set(families)
            losses.append(loss)
            references.append(reference)
        known = [ONE_PROTOCOL, *panel.protocols["protocol"], *panel.scores["protocol"]]
        _check_known(order, known, f"{name}: protocol", panel.name)
        own = panel.scores[panel.scores["benchmark"] == name]
        if spec.panel.flagged == "exclude":
            own = own[own["flag"] == ""]
        if spec.performance.protocols is None:
            own = _first(own, ["system", "benchmark"], order, others=not order)
        scores.append(own[own["protocol"].isin(order)] if order else own)
    panel = replace(panel, scores=pd.concat(scores).sort_index())
    if not runs_too:
        return panel
    return replace(
        panel,
        runs=panel.runs[panel.runs["family"].isin(kept)],
        losses=pd.concat(losses).sort_index(),
        reference_scores=pd.concat(references).sort_index(),
    )


def _runs_of(
    panel: Panel, name: str, benchmark: BenchmarkSpec, order: Sequence[str]
) -> tuple[tuple[str, ...], pd.DataFrame, pd.DataFrame]:
    """Families of reference runs of a benchmark, their losses and their scores."""
    families = benchmark.families or tuple(panel.runs["family"].unique())
    _check_known(families, list(panel.runs["family"]), f"{name}: family", panel.name)
    runs = panel.runs.index[panel.runs["family"].isin(families)]
    loss = panel.losses[(panel.losses["benchmark"] == name) & panel.losses["run"].isin(runs)]
    units = sorted(loss["loss_unit"].unique())
    if benchmark.link == "loss" and len(units) > 1:
        raise SpecError(
            f"benchmark '{name}': losses of its reference runs are in {' and '.join(units)}, "
            f"which are not on one scale; name the families of one in "
            f"[benchmarks.{name}] families (there are {', '.join(map(repr, families))})"
        )
    reference = panel.reference_scores
    reference = reference[(reference["benchmark"] == name) & reference["run"].isin(runs)]
    return families, loss, _first(reference, REFERENCE, order, others=True)


def check_benchmarks(panel: Panel, spec: ModelSpec, *, runs_too: bool = True) -> None:
    """Refuse benchmarks that the panel does not have, or not with what their link needs."""
    for name, benchmark in spec.benchmarks.items():
        if name not in panel.benchmarks.index:
            known = ", ".join(panel.benchmarks.index)
            raise SpecError(f"benchmark '{name}' is not in panel '{panel.name}' (it has {known})")
        if not runs_too:
            continue
        if benchmark.link == "loss" and name not in set(panel.losses["benchmark"]):
            raise SpecError(
                f"benchmark '{name}' has link = \"loss\" but panel '{panel.name}' has no losses of "
                f'reference runs for it: add them, or use link = "direct"'
            )


def _first(
    scores: pd.DataFrame, key: list[str], order: Sequence[str], others: bool
) -> pd.DataFrame:
    """The row of each key whose protocol comes first; of protocols not named only with others."""
    place = {protocol: i for i, protocol in enumerate(order)}
    rank = scores["protocol"].map(place)
    if not others:
        scores, rank = scores[rank.notna()], rank.dropna()
    rank = rank.fillna(len(place))
    best = rank == rank.groupby([scores[name] for name in key]).transform("min")
    chosen = scores[best.astype(bool)]
    twice = chosen[chosen.duplicated(key, keep=False)]
    if not twice.empty:
        row = twice.iloc[0]
        same = (twice[key] == row[key]).all(axis=1)
        raise SpecError(
            f"{row[key[0]]} has {same.sum()} scores on {row['benchmark']}, measured under "
            f"{', '.join(twice.loc[same, 'protocol'])}; say which to take, in order of "
            f'preference, in [panel] protocols = ["{row["protocol"]}", ...] '
            "(score takes --protocol)"
        )
    return chosen


def _check_known(names: Sequence[str], known: Sequence[str], what: str, panel: str) -> None:
    for name in names:
        if name not in set(known):
            hint = did_you_mean(name, known, f"it has {', '.join(sorted(set(known)))}")
            raise SpecError(f"{what} '{name}' is not in panel '{panel}'{hint}")
