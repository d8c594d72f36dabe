"""Answer on compressed systems."""

from __future__ import annotations

from functools import partial

import pandas as pd

from densing_bayes.corollaries.compression.effects import fit_compression, method_table
from densing_bayes.corollaries.compression.figures import plot_compression
from densing_bayes.corollaries.small_model import Posterior
from densing_bayes.display.section import Picture, Section, Table
from densing_bayes.display.sentences import marked, small_verdict
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.numbers import (
    number,
    percent,
    probability,
)

SURE = 0.95  # probability from which a method is said to raise density


def methods_beside_parents(fit: Fit, ci: float, seed: int) -> Section:
    """What the report says of the embedded pairs."""
    # Enough for a table of two digits; the study has more draws.
    return compression_section(fit_compression(fit, seed=seed, draws=1300, tune=600), ci)


def compression_section(
    compression: Posterior, ci: float = CI, pairs: pd.DataFrame | None = None
) -> Section:
    """What pruning, distilling and quantising do to density.

    Parameters
    ----------
    compression
        Of :func:`.fit_compression`.
    ci
        Probability of the intervals.
    pairs
        Of :func:`.panel_pairs`, for a table of them; none by default.
    """
    methods = method_table(compression, ci)
    denser = [str(name) for name, row in methods.iterrows() if row["p_denser"] >= SURE]
    sentence = (
        f"Of {len(methods)} ways to make a system from another, measured beside its parent, "
        f"{len(denser) or 'none'} make{'s' if len(denser) == 1 else ''} it denser on average with "
        f"P >= {SURE:g}{': ' + ', '.join(denser) if denser else ''}."
    )
    document = {
        "methods": methods.reset_index().to_dict(orient="records"),
        "verdict": compression.verdict,
    }
    if pairs is not None:
        document["pairs"] = pairs.reset_index().to_dict(orient="records")
    return Section(
        "compression",
        "Compressed systems",
        (
            marked(compression.verdict, sentence),
            f"Pairs measured alike: {small_verdict(compression)}",
        ),
        (
            "A factor is the density of the child over that of its parent. Where most of a "
            "child's scores may be guesses, its lower limit is the prior's.",
        ),
        (_methods(methods, ci), *(() if pairs is None else (_pairs(pairs, ci),))),
        (
            Picture(
                partial(plot_compression, compression, ci),
                f"Factors on density of {len(methods)} methods with intervals. {sentence}",
                "compression",
                f"Density of the child over that of its parent by method, with {percent(ci)} "
                "intervals of the method's mean (thick) and of a new pair (thin).",
            ),
        ),
        document=document,
    )


def _methods(methods: pd.DataFrame, ci: float) -> Table:
    rows = tuple(
        (
            str(name),
            str(row["pairs"]),
            *_factor(row),
            probability(row["p_denser"]),
            probability(row["p_new_denser"]),
        )
        for name, row in methods.iterrows()
    )
    span = f"{percent(ci)} interval"
    header = ("Method", "Pairs", "Factor", span, "P(denser)", "P(new denser)")
    return Table(header, rows, numbers=methods.reset_index(), long=True)


def _pairs(pairs: pd.DataFrame, ci: float) -> Table:
    rows = tuple(
        (str(name), str(row["parent"]), *_factor(row), probability(row["p_denser"]))
        for name, row in pairs[pairs["reason"] == ""].iterrows()
    )
    header = ("Pair of the panel", "Parent", "Factor", f"{percent(ci)} interval", "P(denser)")
    return Table(header, rows, name="compression-pairs", left=frozenset({1}))


def _factor(row: pd.Series) -> tuple[str, str]:
    low, high = number(row["factor_lower"], 2), number(row["factor_upper"], 2)
    return number(row["factor"], 2), f"{low} to {high}"
