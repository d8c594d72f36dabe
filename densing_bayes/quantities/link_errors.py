"""Which link a benchmark can carry: held-out error of both, on the largest reference runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from densing_bayes.inputs.panel import Panel
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint.least_squares import fit_link, link_score
from densing_bayes.observed.selection import select


def link_errors(spec: ModelSpec, panel: Panel) -> pd.DataFrame:
    """Root mean square error of each link on runs larger than those it was fitted to.

    The two largest sizes of reference runs are held out; where scores in the benchmark's format
    exist for fewer than three sizes, the largest. Both links are judged on the same runs, finished
    ones; the loss link is fitted to every run with loss and score, the direct link to finished
    runs. Where too few runs are finished, checkpoints stand in (``checkpoints``).

    Parameters
    ----------
    spec
        A specification; its priors steady the fits, its links are compared.
    panel
        The panel.

    Returns
    -------
    pandas.DataFrame
        Index ``benchmark``; ``loss`` and ``direct`` (errors in score, NaN where not possible),
        ``better``, ``chosen`` (the specification's), numbers of runs, ``checkpoints``.
    """
    panel = select(panel, spec)
    rows = []
    for name, choice in spec.benchmarks.items():
        scores = panel.reference_scores
        scores = scores[
            (scores["benchmark"] == name) & (scores["format"] == choice.reference_format)
        ]
        losses = panel.losses[panel.losses["benchmark"] == name].set_index("run")["loss"]
        table = scores.set_index("run")[["score"]].join(losses).join(panel.runs)
        table = table.dropna(subset=["params", "tokens"])
        finished = table[table["annealed"] != "false"]
        sizes = np.sort(table["params"].unique())
        cut = sizes[-2] if len(sizes) >= 3 else sizes[-1]
        enough = (finished["params"] < cut).sum() >= 3 and (finished["params"] >= cut).any()
        judged = finished if enough else table
        chance = float(panel.benchmarks["chance"].loc[name])
        ceiling = choice.ceiling or spec.performance.ceiling
        row: dict[str, Any] = {"benchmark": name}
        for link, used in (
            ("loss", table.dropna(subset=["loss"])),
            ("direct", judged),
        ):
            train, test = used[used["params"] < cut], judged[judged["params"] >= cut]
            if len(train) < 3 or test.empty:
                row[link] = np.nan
                continue
            centre = [float(np.log(train[c]).mean()) for c in ("params", "tokens")]

            def covariates(part: pd.DataFrame, link: str = link, centre: list = centre) -> list:
                if link == "loss":
                    return [part["loss"].to_numpy(float)]
                pairs = zip(("params", "tokens"), centre, strict=True)
                return [np.log(part[c].to_numpy(float)) - at for c, at in pairs]

            fitted = fit_link(
                spec.performance, ceiling, chance, train["score"].to_numpy(), *covariates(train)
            )
            error = test["score"].to_numpy() - link_score(fitted, *covariates(test))
            row[link] = float(np.sqrt(np.mean(error**2)))
            row[f"fitted_{link}"], row["held_out"] = len(train), len(test)
        row["better"] = "loss" if not row["direct"] < row["loss"] else "direct"
        row["chosen"] = choice.link
        row["checkpoints"] = not enough
        rows.append(row)
    return pd.DataFrame(rows).set_index("benchmark")
