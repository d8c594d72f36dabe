"""Compression: how dense a system is beside the one that it was made from.

Child and parent of a pair were measured in one table by the same people. The parent's score fixes
where it stands on the score curve of the joint fit; the child stands ``shift + ln(N_child /
N_parent)`` further along ln Neff, ``shift`` being the difference of log density. Nothing is
inverted: a child that guesses says that its shift is below some value, and no more.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.corollaries.compression.pairs import (
    Comparison,
    CompressionSpec,
    compare_pairs,
    load_compression,
)
from densing_bayes.corollaries.compression.shifts.score_curves import collapse
from densing_bayes.corollaries.small_model import Posterior, sample_posterior
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.specification import load_corollary
from densing_bayes.posterior.estimates import check_ci, estimate, of_prior, probability
from densing_bayes.posterior.result import CI, Fit

TARGET_ACCEPT = 0.98


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
    from densing_bayes.corollaries.compression.shifts.model import LATENT, compression_model

    spec = load_corollary(spec, CompressionSpec)
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


def new_pairs(posterior: Posterior, group: str = "posterior", seed: int = SEED) -> xr.DataArray:
    """Shift of a new pair of each method: a new parent of the reference size, a new child.

    Returns
    -------
    xarray.DataArray
        ln(density of the child / density of the parent), dims (chain, draw, scheme).
    """
    draws = posterior.prior if of_prior(group) else posterior.draws
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
