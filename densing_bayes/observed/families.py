"""Losses of further families of reference runs, whose laws scatter about those of a population.

Families measure losses each in their own way (prompts, tokens, units), so of a further family only
how its losses fall with params and tokens is of use, not where they lie, and not its scores.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from densing_bayes.errors import SpecError, did_you_mean
from densing_bayes.inputs.panel import Panel
from densing_bayes.inputs.specification import POPULATION, ModelSpec
from densing_bayes.observed.reference import final_runs

FEWEST = 3  # losses of a family on a benchmark: two would say less than its own level takes


class FamilyLosses(NamedTuple):
    """Losses of finished runs of further families; what is of a loss is in one order."""

    families: tuple[str, ...]  # the first is that of the reference runs
    levels: tuple[str, ...]  # family|benchmark that has losses
    label: tuple[str, ...]  # run|benchmark
    loss: tuple[float, ...]
    log_params: tuple[float, ...]
    log_tokens: tuple[float, ...]
    benchmark: tuple[int, ...]
    family: tuple[int, ...]  # index into families
    level: tuple[int, ...]  # index into levels
    against: int  # index into families of that which density is measured against; -1: population


def family_losses(
    panel: Panel, spec: ModelSpec, loss_linked: list[str], centres: tuple[float, float]
) -> FamilyLosses | tuple[()]:
    """Losses of the families that a specification adds; nothing if it adds none.

    Parameters
    ----------
    panel
        The whole panel, with the runs of all families.
    spec
        A specification.
    loss_linked
        Benchmarks that are linked through their loss, in order.
    centres
        Params and tokens at the centre of the reference runs.

    Raises
    ------
    SpecError
        If a family is unknown, is a reference family already, has losses of several units on a
        benchmark, or fewer than three on each; or if there is no family to measure density against.
    """
    wanted = spec.scaling.families
    if wanted is None:
        return ()
    own = {name for each in spec.benchmarks.values() for name in each.families}
    _check_names(panel, spec, own)
    runs = final_runs(panel, spec)
    runs = runs[runs["family"].isin(wanted.also)]
    table = panel.losses[panel.losses["benchmark"].isin(loss_linked)]
    table = table.merge(runs[["family", "params", "tokens"]], left_on="run", right_index=True)
    for (family, benchmark), rows in table.groupby(["family", "benchmark"]):
        if (units := rows["loss_unit"].unique()).size > 1:
            raise SpecError(
                f"family '{family}' has losses on {benchmark} in {' and '.join(sorted(units))}, "
                f"which are not on one scale; leave it out of [scaling.families] also"
            )
    of_group = table.groupby(["family", "benchmark"])["loss"].transform("size")
    table = table[of_group >= FEWEST].sort_values(["family", "benchmark", "run"], kind="stable")
    missing = [name for name in wanted.also if name not in set(table["family"])]
    if missing:
        raise SpecError(
            f"family '{missing[0]}' has fewer than {FEWEST} losses of finished runs on each of "
            f"{', '.join(loss_linked)}; leave it out of [scaling.families] also"
        )
    families = (" and ".join(sorted(own)), *wanted.also)
    labels = table["family"] + "|" + table["benchmark"]
    levels = tuple(dict.fromkeys(labels))
    log_params, log_tokens = (
        tuple(np.log(table[of].astype(float) / at))
        for of, at in zip(("params", "tokens"), centres, strict=True)
    )
    against = wanted.against
    place = -1 if against == POPULATION else 0 if against in own else families.index(against)
    return FamilyLosses(
        families,
        levels,
        tuple(table["run"] + "|" + table["benchmark"]),
        tuple(table["loss"].astype(float)),
        log_params,
        log_tokens,
        _indices(table["benchmark"], tuple(loss_linked)),
        _indices(table["family"], families),
        _indices(labels, levels),
        place,
    )


def _indices(values: pd.Series, among: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(among.index(each) for each in values)


def _check_names(panel: Panel, spec: ModelSpec, own: set[str]) -> None:
    wanted = spec.scaling.families
    assert wanted is not None
    if not own:
        raise SpecError(
            "[scaling.families] adds to the families of the reference runs: name these in "
            '[benchmarks.NAME] families = ["..."]'
        )
    known = sorted(panel.runs["family"].unique())
    for name in wanted.also:
        if name in own:
            raise SpecError(
                f"family '{name}' is one of the reference runs already: leave it out of "
                f"[scaling.families] also"
            )
        if name not in known:
            hint = did_you_mean(name, known, f"it has {', '.join(known)}")
            raise SpecError(f"family '{name}' is not in panel '{panel.name}'{hint}")
    choices = [POPULATION, *sorted(own), *wanted.also]
    if wanted.against not in choices:
        hint = did_you_mean(wanted.against, choices, f"use one of {', '.join(choices)}")
        raise SpecError(f"no family '{wanted.against}' to measure density against{hint}")
