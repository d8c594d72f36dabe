"""Section of the report on compressed systems."""

from __future__ import annotations

from densing_bayes.corollaries.compression.effects import fit_compression, method_table
from densing_bayes.corollaries.compression.figures import plot_compression
from densing_bayes.display.canvas import figure_of
from densing_bayes.display.section import Picture, Section, Table
from densing_bayes.display.sentences import marked
from densing_bayes.fitting.settings import SEED
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.numbers import (
    number,
    percent,
    probability,
)

SURE = 0.95  # probability from which a method is said to raise density


def compression_section(fit: Fit, ci: float = CI, seed: int = SEED) -> Section:
    """What pruning, distilling and quantising do to density."""
    # Enough for a table of two digits; the study has more draws.
    compression = fit_compression(fit, seed=seed, draws=1300, tune=600)
    methods = method_table(compression, ci)
    denser = [str(name) for name, row in methods.iterrows() if row["p_denser"] >= SURE]
    sentence = (
        f"Of {len(methods)} ways to make a system from another, measured beside its parent, "
        f"{len(denser) or 'none'} make{'s' if len(denser) == 1 else ''} it denser on average with "
        f"P >= {SURE:g}{': ' + ', '.join(denser) if denser else ''}."
    )
    rows = tuple(
        (
            str(name),
            str(row["pairs"]),
            f"{number(row['factor'], 2)} "
            f"({number(row['factor_lower'], 2)} to {number(row['factor_upper'], 2)})",
            probability(row["p_denser"]),
            probability(row["p_new_denser"]),
        )
        for name, row in methods.iterrows()
    )
    return Section(
        "compression",
        "Compressed systems",
        (marked(compression.verdict, sentence),),
        (
            "A factor is the density of the child over that of its parent. Where most of a "
            "child's scores may be guesses, its lower limit is the prior's.",
        ),
        (
            Table(
                ("Method", "Pairs", "Factor", "P(denser)", "P(a new pair denser)"),
                rows,
                numbers=methods.reset_index(),
                long=True,
            ),
        ),
        (
            Picture(
                figure_of(plot_compression(compression, ci)),
                f"Factors on density of {len(methods)} methods with intervals. {sentence}",
                f"Density of the child over that of its parent by method, with {percent(ci)} "
                "intervals of the method's mean (thick) and of a new pair (thin).",
            ),
        ),
        document={
            "methods": methods.reset_index().to_dict(orient="records"),
            "verdict": compression.verdict,
        },
    )
