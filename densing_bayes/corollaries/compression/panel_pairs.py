"""Pairs of child and parent within a panel: difference of log density in the joint posterior.

A joint fit leaves quantised and pruned systems out of its trend. Such a child is scored beside the
fit: given a draw of everything else, its log density has a wide prior about its parent's and the
likelihood of its scores, benchmark deviations integrated out. The fit does not learn from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.corollaries.compression.effects import new_pairs
from densing_bayes.corollaries.compression.pairs import CompressionSpec
from densing_bayes.corollaries.small_model import Posterior
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import DAYS_PER_YEAR, ORIGIN
from densing_bayes.inputs.panel import Panel, load_panel
from densing_bayes.inputs.specification import load_corollary
from densing_bayes.joint import laws
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.selection import select
from densing_bayes.observed.sizes import system_sizes
from densing_bayes.posterior.estimates import SAMPLE, check_ci, estimate, probability
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.forecasts import reference_logit

GRID = np.arange(-6.0, 6.0 + 1e-9, 0.125)  # log density about the parent's
NODES = 7  # of the quadrature over the deviation of a benchmark
IN_FIT, BESIDE = "in the fit", "scored beside the fit"
SUBJECT = "gemma-2-9b"  # of the paper's claim


class PanelPair(NamedTuple):
    """A pair of a panel, how the child is placed, and why it cannot be (empty if it can)."""

    child: str
    parent: str
    derivation: str
    how: str
    reason: str


def list_panel_pairs(
    fit: Fit, panel: Panel | None = None, spec: CompressionSpec | str = "compression"
) -> list[PanelPair]:
    """Pairs that the tables of a panel name, and those that the paper plots.

    Parameters
    ----------
    fit
        A joint fit.
    panel
        The panel that it was fitted to; by default the one of that name.
    spec
        Names the published pairs, whose children have no parent in the tables.
    """
    spec = load_corollary(spec, CompressionSpec)
    panel = panel or load_panel(fit.spec.panel.source)
    systems = panel.systems
    published = {pair.child: pair.parent for pair in spec.published if not pair.scheme}
    derived = systems[systems["derivation"] != ""]
    rows = []
    for child, row in derived.iterrows():
        name = str(child)
        parent = str(row["parent"]) or published.get(name, "")
        how = IN_FIT if name in fit.observed.systems else BESIDE
        rows.append(
            PanelPair(name, parent, str(row["derivation"]), how, "")._replace(
                reason=_obstacle(fit, panel, name, parent)
            )
        )
    return rows


def _obstacle(fit: Fit, panel: Panel, child: str, parent: str) -> str:
    """Why a pair cannot be compared; empty if it can."""
    if not parent:
        return "no parent is named"
    if parent not in fit.observed.systems:
        return f"the parent {parent} is not in the fit"
    if child in fit.observed.systems:
        return ""
    if _scores(fit, panel, child).empty:
        return "the child has no scores that the fit would use"
    return ""


def panel_shifts(
    fit: Fit,
    panel: Panel | None = None,
    spec: CompressionSpec | str = "compression",
    seed: int = SEED,
    children: Sequence[str] | None = None,
) -> xr.DataArray:
    """Difference of log density, child minus parent, of the pairs of a panel.

    Parameters
    ----------
    fit, panel, spec
        As of :func:`list_panel_pairs`.
    seed
        Of the draws of children that are scored beside the fit.
    children
        Names of the children wanted; all by default.

    Returns
    -------
    xarray.DataArray
        ln(density of the child / density of the parent), dims (chain, draw, pair); the pair is
        named after its child.
    """
    spec = load_corollary(spec, CompressionSpec)
    pairs = [pair for pair in list_panel_pairs(fit, panel, spec) if not pair.reason]
    if children is not None:
        pairs = [pair for pair in pairs if pair.child in children]
    if not pairs:
        raise DensingError(
            f"panel '{fit.spec.panel.source}' has no such pair of child and parent that this fit "
            "can compare; name parents in column 'parent' of systems.csv"
        )
    log_density = fit.posterior["log_density"].transpose(*SAMPLE, "system")
    panel = panel or load_panel(fit.spec.panel.source)
    shifts = []
    for number, pair in enumerate(pairs):
        parent = log_density.sel(system=pair.parent).to_numpy()
        if pair.how == IN_FIT:
            child = log_density.sel(system=pair.child).to_numpy()
        else:
            child = place_system(fit, panel, pair.child, parent, spec, seed + number)
        shifts.append(child - parent)
    level = fit.posterior["level"].transpose(*SAMPLE)
    return xr.DataArray(
        np.stack(shifts, axis=-1),
        dims=(*SAMPLE, "pair"),
        coords={**level.coords, "pair": [pair.child for pair in pairs]},
        name="shift",
    )


def panel_pairs(
    fit: Fit,
    ci: float = CI,
    *,
    panel: Panel | None = None,
    spec: CompressionSpec | str = "compression",
    seed: int = SEED,
) -> pd.DataFrame:
    """Pairs of a panel: factor on density, P(child denser), and the pairs that are missing.

    Returns
    -------
    pandas.DataFrame
        Index ``child``; parent, derivation, how (in the fit, or scored beside it), ``factor``
        (density of the child over the parent's: median, ``_lower``, ``_upper``), ``p_denser`` and
        ``reason`` (empty, or why the pair is missing; its figures are then NaN).
    """
    check_ci(ci)
    draws = panel_shifts(fit, panel, spec, seed)
    known = list(draws["pair"].to_numpy())
    rows = []
    for pair in list_panel_pairs(fit, panel, spec):
        row: dict[str, Any] = pair._asdict()
        if pair.child in known:
            values = draws.sel(pair=pair.child)
            said = estimate(np.exp(values), "1", ci, mean=False)
            row |= {"factor": said["median"], "factor_lower": said["lower"]}
            row |= {"factor_upper": said["upper"], "p_denser": probability(values > 0)}
        rows.append(row)
    table = pd.DataFrame(rows).set_index("child")
    return table[[*table.columns.drop("reason"), "reason"]]


def published_shifts(
    fit: Fit,
    compression: Posterior | None = None,
    *,
    panel: Panel | None = None,
    spec: CompressionSpec | str = "compression",
    seed: int = SEED,
) -> xr.DataArray:
    """Shifts of the pairs that the paper plots as compressed.

    Parameters
    ----------
    fit
        A joint fit that holds Gemma-2-9B and Gemma-2-27B (the embedded one of "paper" does).
    compression
        Posterior of :func:`fit_compression`, for the published pairs that have no scores; without
        it they are left out.
    panel, spec, seed
        As of :func:`panel_shifts`.

    Returns
    -------
    xarray.DataArray
        ln(density of the child / density of the parent), dims (chain, draw, pair), with ``parent``
        and ``how`` it is known; attribute ``left_out`` names the rest.

    Raises
    ------
    DensingError
        If the fit cannot compare Gemma-2-9B with its parent.
    """
    spec = load_corollary(spec, CompressionSpec)
    found = {pair.child: pair for pair in list_panel_pairs(fit, panel, spec)}
    if SUBJECT not in found or found[SUBJECT].reason:
        raise DensingError(
            f"{SUBJECT} and its parent are not both in this fit (panel "
            f"'{fit.spec.panel.source}'); take a fit of 'paper'"
        )
    draws = panel_shifts(fit, panel, spec, seed, [pair.child for pair in spec.published])
    known = list(draws["pair"].to_numpy())
    kept, left_out = [], []
    for number, pair in enumerate(spec.published):
        if pair.child in known:
            values, how = draws.sel(pair=pair.child).to_numpy(), found[pair.child].how
        elif pair.scheme and compression is not None:
            method = f"{pair.scheme}, {pair.bits:g} bits"
            random = np.random.default_rng(seed + number)
            fresh = np.ravel(new_pairs(compression, seed=seed + number).sel(scheme=method))
            values, how = random.choice(fresh, draws.shape[:2]), f"a new pair of {method}"
        else:
            left_out.append(pair.child)
            continue
        kept.append((pair.child, pair.parent, how, values))
    return xr.DataArray(
        np.stack([values for *_, values in kept], axis=-1),
        dims=("chain", "draw", "pair"),
        coords={
            "pair": [child for child, *_ in kept],
            "parent": ("pair", [parent for _, parent, *_ in kept]),
            "how": ("pair", [how for *_, how, _ in kept]),
        },
        attrs={"left_out": left_out},
    )


def only_gemma_denser(shifts: xr.DataArray) -> xr.DataArray:
    """Whether of published pairs only Gemma-2-9B is denser than its parent, dims (chain, draw)."""
    others = shifts.drop_sel(pair=SUBJECT)
    return (shifts.sel(pair=SUBJECT, drop=True) > 0) & (others < 0).all("pair")


def only_gemma(
    fit: Fit,
    compression: Posterior | None = None,
    ci: float = CI,
    *,
    panel: Panel | None = None,
) -> dict[str, Any]:
    """Test the claim that of compressed systems only Gemma-2-9B is denser than its parent.

    Parameters
    ----------
    fit, compression, panel
        As of :func:`published_shifts`.
    ci
        Probability of the intervals.

    Returns
    -------
    dict
        ``p_denser`` (Gemma-2-9B), ``p_others_less_dense`` (all others), ``p_claim`` (both),
        ``pairs`` (one entry per published pair: child, parent, how, factor, p_denser) and
        ``left_out``.
    """
    shifts = published_shifts(fit, compression, panel=panel)
    entries = [
        {"child": child, "parent": str(values["parent"].item()), "how": str(values["how"].item())}
        | {"factor": estimate(np.exp(values), "1", ci, mean=False)}
        | {"p_denser": probability(values > 0)}
        for child, values in ((name, shifts.sel(pair=name)) for name in shifts["pair"].to_numpy())
    ]
    return {
        "p_denser": probability(shifts.sel(pair=SUBJECT) > 0),
        "p_others_less_dense": probability((shifts.drop_sel(pair=SUBJECT) < 0).all("pair")),
        "p_claim": probability(only_gemma_denser(shifts)),
        "pairs": entries,
        "left_out": shifts.attrs["left_out"],
    }


def _scores(fit: Fit, panel: Panel, system: str) -> pd.DataFrame:
    """Scores of a system that the specification of the fit would use."""
    scores = select(panel, fit.spec).scores
    return scores[(scores["system"] == system) & (scores["flag"] == "")]


def place_system(
    fit: Fit, panel: Panel, system: str, parent: Floats, spec: CompressionSpec, seed: int = SEED
) -> Floats:
    """Draws of the log density of a system that the fit has not seen, one per posterior draw.

    Parameters
    ----------
    fit
        A joint fit.
    panel
        Tables with the system, its size, date and scores.
    system
        Its name.
    parent
        Log density about which the prior is centred, (chain, draw).
    spec
        Prior of the difference.
    seed
        Of the draws.

    Returns
    -------
    ndarray
        ln(density), (chain, draw).
    """
    row = panel.systems.loc[[system]]
    size, _ = system_sizes(row, fit.spec.panel.size)
    log_params = float(np.log(size.iloc[0]))
    time = (row["release_date"].iloc[0] - ORIGIN).days / DAYS_PER_YEAR
    prior = spec.new_system.shift
    centre = np.ravel(parent) + prior.mu
    log_posterior = np.tile(-0.5 * (GRID / prior.sigma) ** 2, (len(centre), 1))
    items = panel.benchmarks["effective_items"].astype(float)
    for _, cell in _scores(fit, panel, system).iterrows():
        name = str(cell["benchmark"])
        ability = log_params + centre[:, None] + GRID
        log_posterior += _log_likelihood(
            fit, name, ability, time, float(cell["score"]), float(items[name])
        )
    weights = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
    cumulated = np.cumsum(weights, axis=1)
    random = np.random.default_rng(seed)
    drawn = random.uniform(size=(len(centre), 1)) * cumulated[:, -1:]
    place = GRID[np.sum(cumulated < drawn, axis=1)]
    place = place + (GRID[1] - GRID[0]) * (random.uniform(size=len(place)) - 0.5)
    return np.asarray((centre + place).reshape(np.shape(parent)))


def _log_likelihood(
    fit: Fit, benchmark: str, ability: Floats, time: float, score: float, items: float
) -> Floats:
    """Log likelihood of a score where ln N + log density is ``ability``, (draw, grid).

    The deviation of the benchmark is integrated out by Gauss-Hermite quadrature.
    """
    draws, observed = fit.posterior, fit.observed

    def of(name: str, **where: str) -> Floats:
        values = draws[name].sel(where) if where else draws[name]
        return np.asarray(values.transpose(*SAMPLE).to_numpy().reshape(-1, 1))

    own = {"benchmark": benchmark}
    shift = of("format_offset", **own)
    if "drift_before" in draws:
        shift = shift + of("drift_before", **own) * time
    if "drift_change" in draws:
        after = max(time - observed.bend_time[0], 0.0)
        shift = shift + of("drift_change", **own) * after
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    spread, noise = of("benchmark_spread", **own), of("protocol_noise", **own)
    floor, ceiling = of("floor", **own), of("ceiling", **own)
    total = np.zeros(ability.shape)
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        z = reference_logit(fit, benchmark, ability + shift + node * spread, of)
        mean = laws.sigmoid_score(z, floor, ceiling)
        variance = laws.score_variance(mean, items, noise)
        total += weight * np.exp(-0.5 * (score - mean) ** 2 / variance) / np.sqrt(variance)
    return np.asarray(np.log(np.maximum(total, 1e-300)))
