"""Reference runs that a specification asks for: their losses and scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from densing_bayes.errors import SpecError
from densing_bayes.inputs.panel import Panel
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.arrays import Ints


def final_runs(panel: Panel, spec: ModelSpec) -> pd.DataFrame:
    """Finished runs whose params and tokens are known, as the specification allows them."""
    if spec.without_runs:
        return panel.runs.iloc[:0]
    allowed = {"true", "unknown"} if spec.scaling.final_runs == "all" else {"true"}
    known = panel.runs[["params", "tokens"]].notna().all(axis=1)
    finals = panel.runs[known & panel.runs["annealed"].isin(allowed)]
    # Of the checkpoints of a training run only the last is a finished run.
    checkpoints = finals[finals["checkpoint_of"] != ""].sort_values("tokens", kind="stable")
    earlier = checkpoints.index[checkpoints.duplicated("checkpoint_of", keep="last")]
    finals = finals.drop(earlier)
    if len(finals) < 3:
        raise SpecError(
            f"panel '{panel.name}' has {len(finals)} finished reference runs with params and "
            f"tokens; the scaling law needs at least 3. Specification 'systems' needs none: its "
            f"densities are relative to the line of the systems themselves"
        )
    return finals


def reference_losses(
    panel: Panel, spec: ModelSpec, loss_linked: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The finished run of each loss, and the losses, on benchmarks linked through them."""
    finals = final_runs(panel, spec)
    losses = panel.losses[
        panel.losses["benchmark"].isin(loss_linked) & panel.losses["run"].isin(finals.index)
    ]
    for name in loss_linked:
        if (losses["benchmark"] == name).sum() < 3:
            raise SpecError(
                f"benchmark '{name}' has fewer than 3 losses of finished reference runs: use "
                f'link = "direct", or add runs'
            )
    return finals.loc[losses["run"]], losses


def reference_scores(
    panel: Panel, spec: ModelSpec, benchmarks: list[str], finals: pd.DataFrame
) -> pd.DataFrame:
    """Scores of reference runs in the format that each benchmark is linked by."""
    wanted = pd.DataFrame(
        [
            (name, spec.benchmarks[name].reference_format, spec.benchmarks[name].link)
            for name in benchmarks
        ],
        columns=["benchmark", "format", "link"],
    )
    wanted = wanted[wanted["link"] != "size"]
    table = panel.reference_scores[["run", "benchmark", "format", "score"]].merge(
        wanted, on=["benchmark", "format"]
    )
    table = table.merge(panel.losses[["run", "benchmark", "loss"]], how="left")
    table = table.merge(panel.runs[["params", "tokens"]], left_on="run", right_index=True)
    with_loss = table["loss"].notna()
    if spec.performance.expected_losses:
        # The law is of runs that are not shorter: early on, a loss is far above it.
        shortest = (finals["tokens"] / finals["params"]).min()
        with_loss |= table["tokens"] / table["params"] >= shortest
    usable = np.where(table["link"] == "loss", with_loss, table["run"].isin(finals.index))
    table = table[usable].reset_index(drop=True)
    for name in wanted["benchmark"]:
        if (table["benchmark"] == name).sum() < 3:
            raise SpecError(
                f"benchmark '{name}': fewer than 3 usable reference scores in format "
                f"'{spec.benchmarks[name].reference_format}'; add runs or change reference_format"
            )
    return table


def training_runs(
    panel: Panel, spec: ModelSpec, references: pd.DataFrame
) -> tuple[tuple[str, ...], Ints]:
    """Training runs with more than one score on a benchmark, and that of each reference score.

    A run whose loss has to be expected is one of them in any case.
    """
    if references.empty:
        return (), np.empty(0, dtype=np.int64)
    run = references["run"].map(panel.runs["checkpoint_of"])
    expected = (references["link"] == "loss") & references["loss"].isna()
    run = run.mask((run == "") & expected, references["run"])
    label = (run + "|" + references["benchmark"]).where(run != "", "")
    several = (label != "") & (label.duplicated(keep=False) | expected)
    several &= spec.performance.run_effects
    names = sorted(map(str, set(label[several])))
    index = [names.index(name) if yes else -1 for name, yes in zip(label, several, strict=True)]
    return tuple(names), np.array(index, dtype=np.int64)


def expected_losses(
    references: pd.DataFrame, centre_params: float, centre_tokens: float
) -> dict[str, Any]:
    """Arrays of observations about the loss-linked rows whose loss is not measured."""
    rows = np.flatnonzero(references["loss"].isna()).astype(np.int64)
    own = references.iloc[rows]
    return {
        "expected": rows,
        "expected_log_params": np.log(own["params"].to_numpy(float) / centre_params),
        "expected_log_tokens": np.log(own["tokens"].to_numpy(float) / centre_tokens),
    }
