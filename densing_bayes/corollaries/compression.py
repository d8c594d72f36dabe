"""Compression: how dense a system is beside the one that it was made from.

Child and parent of a pair were measured in one table by the same people. The parent's score fixes
where it stands on the score curve of the joint fit; the child stands ``shift + ln(N_child /
N_parent)`` further along ln Neff, ``shift`` being the difference of log density. Nothing is
inverted: a child that guesses says that its shift is below some value, and no more.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Annotated, Any

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import Field

from densing_bayes.corollaries.score_curves import collapse
from densing_bayes.distributions import (
    Frozen,
    LogNormal,
    Positive,
    PositivePrior,
    RealPrior,
    UnitPrior,
)
from densing_bayes.errors import DensingError, TableError
from densing_bayes.fits import CI, Fit
from densing_bayes.fitting import SEED
from densing_bayes.posterior import Posterior, sample_posterior
from densing_bayes.quantities import check_ci, estimate, probability
from densing_bayes.schema import COMPRESSION
from densing_bayes.spec import load_corollary
from densing_bayes.tables import load_panel, load_table

TARGET_ACCEPT = 0.98
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
        Names the file, row, column, value and mend.
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


def fit_compression(
    fit: Fit,
    table: pd.DataFrame | None = None,
    spec: CompressionSpec | str | os.PathLike[str] = "compression",
    *,
    draws: int = 2400,
    tune: int = 900,
    chains: int = 4,
    seed: int = SEED,
) -> Posterior:
    """Shift of log density from parent to child, by pair and by method.

    Parameters
    ----------
    fit
        A joint fit, whose score curves are used.
    table
        Pairs as of :func:`load_compression`; the embedded ones by default.
    spec
        Specification, or its name or path.
    draws, tune, chains, seed
        Of the sampler.

    Returns
    -------
    Posterior
        ``shift`` (pair), ``class_shift`` and ``method_shift`` (for a parent of the reference size),
        the spreads (class), ``curve_place`` (coordinates of the curves in standard deviations of
        the joint posterior: 0 +- 1 if the pairs have moved nothing), and the parameters of the
        scores. Shifts are ln(density of the child / density of the parent).

    Raises
    ------
    DensingError
        If a benchmark is unknown, or no pair has a score on a benchmark of the fit.
    """
    from densing_bayes.corollaries.pair_model import LATENT, compression_model

    spec = spec if isinstance(spec, CompressionSpec) else load_corollary(spec, CompressionSpec)
    compared = compare_pairs(fit, load_compression() if table is None else table, spec)
    model = compression_model(compared, collapse(fit), spec)
    provenance = {
        "panel": fit.spec.panel.source,
        "fit": {"verdict": fit.verdict, **fit.provenance},
        "pairs": len(compared.pairs),
        "scores": len(compared.cells),
        "left_out": compared.left_out["reason"].value_counts().to_dict(),
    }
    posterior = sample_posterior(
        model,
        provenance,
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
        target_accept=TARGET_ACCEPT,
        unreported=LATENT,
    )
    return replace(
        posterior,
        draws=_labelled(posterior.draws, compared),
        prior=_labelled(posterior.prior, compared),
    )


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

    pairs = rows.drop_duplicates("child").sort_values(["class_", "label", "child"])
    pairs = pd.DataFrame(
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


def _items(fit: Fit) -> np.ndarray:
    """Effective number of items of every benchmark of a fit."""
    observed = fit.observed
    count = len(observed.benchmarks)
    return np.array([observed.cell_items[observed.cell_benchmark == k].max() for k in range(count)])


def _check_benchmarks(
    table: pd.DataFrame, benchmarks: tuple[str, ...], spec: CompressionSpec
) -> None:
    embedded = {name for panel in ("open", "paper") for name in load_panel(panel).benchmarks.index}
    known = {*benchmarks, *embedded, *spec.ignored_benchmarks}
    for name in table["benchmark"].unique():
        if name not in known:
            close = get_close_matches(name, sorted(known), n=1)
            mend = f"did you mean '{close[0]}'?" if close else "name it in ignored_benchmarks"
            raise DensingError(f"benchmark '{name}' of the pairs is in no panel; {mend}")


def class_of(pair: Any) -> str:
    """Class of a method: what was done, and for quantised systems to how many bits."""
    if pair["method"] != "quantised":
        return str(pair["method"])
    return f"{pair['bits']:g} bits" + (", per channel" if "channel" in pair["granularity"] else "")


def method_of(pair: Any) -> str:
    """Method of a pair: scheme and class."""
    return f"{pair['scheme']}, {class_of(pair)}"


def new_pairs(posterior: Posterior, group: str = "posterior", seed: int = SEED) -> xr.DataArray:
    """Shift of a new pair of each method: a new parent of the reference size, a new child.

    Returns
    -------
    xarray.DataArray
        ln(density of the child / density of the parent), dims (chain, draw, scheme).
    """
    draws = posterior.draws if group == "posterior" else posterior.prior
    of_class = draws["scheme_class"].to_numpy()
    random = np.random.default_rng(seed)
    middle = draws["method_shift"].transpose("chain", "draw", "scheme")
    # Effects of parents sum to zero over the parents seen, so a new one is further from the mean.
    parents = 1.0 + 1.0 / draws["class_parents"].sel({"class": of_class}).to_numpy()
    spread = [
        draws[name].transpose("chain", "draw", "class").sel({"class": of_class}).to_numpy()
        for name in ("parent_spread", "pair_spread")
    ]
    width = np.sqrt(spread[0] ** 2 * parents + spread[1] ** 2)
    return middle + width * random.standard_normal(middle.shape)


def method_table(posterior: Posterior, ci: float = CI) -> pd.DataFrame:
    """What each method does to density, on average and for a new pair.

    Parameters
    ----------
    posterior
        As of :func:`fit_compression`.
    ci
        Probability of the intervals.

    Returns
    -------
    pandas.DataFrame
        Index ``method``; class, pairs, ``guessing`` (share of the children's scores that cannot
        be told from guessing), ``factor`` on density for a parent of the reference size (median,
        ``_lower``, ``_upper``), ``p_denser`` (of that mean), ``new_lower``, ``new_upper`` and
        ``p_new_denser`` for a new pair.
    """
    check_ci(ci)
    draws, fresh = posterior.draws, new_pairs(posterior)
    rows = []
    of_class = dict(zip(draws["scheme"].to_numpy(), draws["scheme_class"].to_numpy(), strict=True))
    for name in draws["scheme"].to_numpy():
        mean, new = draws["method_shift"].sel(scheme=name), fresh.sel(scheme=name)
        of_method = draws["pair_method"] == name
        said, said_new = (estimate(np.exp(v), "1", ci, mean=False) for v in (mean, new))
        rows.append(
            {
                "method": str(name),
                "class": str(of_class[name]),
                "pairs": int(of_method.sum()),
                "guessing": float(draws["pair_guessing"][of_method.to_numpy()].mean()),
                "factor": said["median"],
                "factor_lower": said["lower"],
                "factor_upper": said["upper"],
                "p_denser": probability(mean > 0),
                "new_lower": said_new["lower"],
                "new_upper": said_new["upper"],
                "p_new_denser": probability(new > 0),
            }
        )
    table = pd.DataFrame(rows).set_index("method")
    return table.sort_values(["class", "factor"], ascending=[True, False])


def pair_table(posterior: Posterior, ci: float = CI) -> pd.DataFrame:
    """Density of each child over that of its parent.

    Returns
    -------
    pandas.DataFrame
        Index ``child``; parent, method, ``guessing`` (share of its scores that cannot be told from
        guessing), ``factor`` (median, ``_lower``, ``_upper``), ``p_denser``; densest first.
    """
    check_ci(ci)
    draws = posterior.draws
    rows = []
    for name in draws["pair"].to_numpy():
        values = draws["shift"].sel(pair=name)
        said = estimate(np.exp(values), "1", ci, mean=False)
        rows.append(
            {
                "child": str(name),
                "parent": str(values["pair_parent"].item()),
                "method": str(values["pair_method"].item()),
                "guessing": float(values["pair_guessing"].item()),
                "factor": said["median"],
                "factor_lower": said["lower"],
                "factor_upper": said["upper"],
                "p_denser": probability(values > 0),
            }
        )
    return pd.DataFrame(rows).set_index("child").sort_values("factor", ascending=False)


def _labelled(draws: xr.Dataset, compared: Comparison) -> xr.Dataset:
    """Draws with what the pairs and methods are as coordinates."""
    pairs = compared.pairs
    methods = pairs.drop_duplicates("method").set_index("method")["class_"]
    parents = pairs.groupby("class_")["parent"].nunique()
    return draws.assign_coords(
        pair_parent=("pair", list(pairs["parent"])),
        pair_method=("pair", list(pairs["method"])),
        pair_bits=("pair", pairs["bits"].to_numpy(float)),
        pair_guessing=("pair", pairs["guessing"].to_numpy(float)),
        scheme_class=("scheme", list(methods[draws["scheme"].to_numpy()])),
        scheme_bits=(
            "scheme",
            pairs.groupby("method")["bits"].first()[draws["scheme"].to_numpy()].to_numpy(float),
        ),
        class_parents=("class", parents[draws["class"].to_numpy()].to_numpy()),
    )
