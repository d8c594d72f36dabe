"""Ledger of claims: every published number beside its posterior, and a verdict by a fixed rule.

One rule (:func:`verdict`) judges all claims. It and the values, tolerances and rivals of the claims
(data/claims.csv) were written down before the ledger was first computed; tolerances are the
rounding of the published figures.

- A claim "about" a value is *contradicted* if the interval holds nothing within the tolerance of
  the published value; *uninformative* if it also holds the rival value, or if posterior and prior
  cannot be told apart; else *supported*.
- A claim of "at least", "at most" or of an event is *supported* from a probability of 0.95 on,
  *contradicted* up to 0.05, and *uninformative* in between.
- It is *not testable* on a panel that lacks what it needs, or whose fit has not passed; the reason
  is given.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from densing_bayes.corollaries import claims as corollaries
from densing_bayes.corollaries.claims import TablePanel, fit_tables
from densing_bayes.errors import DensingError, NotTestableError
from densing_bayes.fits import CI, Fit
from densing_bayes.fitting import SEED, TARGET_ACCEPT
from densing_bayes.laws import doubling_time
from densing_bayes.observations import DAYS_PER_YEAR
from densing_bayes.plotted import PlottedPanel, fit_paper_figures
from densing_bayes.quantities import (
    benchmark_growth,
    check_ci,
    draws_of,
    estimate,
    frontier,
    growth,
    probability,
    size_slope,
)

log = logging.getLogger(__name__)

BUILT_IN = {"joint": 1000, "paper": 2000}  # specifications, and draws of each chain
SURE = 0.95  # probability from which a one-sided claim or an event is supported
UNMOVED = 0.8  # prior mass in the posterior interval above which nothing was learnt
LATER = 127  # days from Mistral-7B (2023-09-27) to MiniCPM-1-2.4B (2024-02-01)
# Params of MiniCPM-1-2.4B and Mistral-7B, without embeddings (as the name counts) and in all.
EXAMPLE_PARAMS = {
    "non-embedding": (2_442_057_984, 6_979_588_096),
    "total": (2_724_880_896, 7_241_732_096),
}
NO_MEAN = {"doubling_time_after", "growth_ratio", *corollaries.WITH_PRIOR}
VERDICTS = ("supported", "contradicted", "uninformative", "not testable", "pending")
Draws = NDArray[np.float64]
Judgeable = Fit | PlottedPanel | TablePanel
Quantity = Callable[[Any, str, str], Draws]  # (fit, argument, group) -> draws


class Judged(NamedTuple):
    """Verdict with the probability that it hangs on."""

    verdict: str
    probability: float | None
    meaning: str  # of the probability
    reason: str


def load_claims() -> pd.DataFrame:
    """Claims of the article and the paper that have a number.

    Returns
    -------
    pandas.DataFrame
        Index ``claim``; topic, statement, quantity, kind ("about", "at least", "at most",
        "event"), value, low and high (what still counts as the value), rival, unit, pending
        (bool: no quantity yet), note, source.
    """
    text = ("claim", "topic", "statement", "quantity", "kind", "unit", "note", "source")
    with files("densing_bayes.data").joinpath("claims.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file, dtype={"pending": str} | dict.fromkeys(text, str))
    table[list(text)] = table[list(text)].fillna("")
    table["pending"] = table["pending"] == "true"
    return table.set_index("claim")


def claims(fits: Iterable[Judgeable] | None = None, ci: float = CI) -> pd.DataFrame:
    """Put every claim beside each posterior.

    Parameters
    ----------
    fits
        Fits of different panels; by default those of the built-in specifications "joint" and
        "paper", taken from the store or made, which takes some minutes, and kept there; the
        frontiers through the paper's figures (:func:`densing_bayes.plotted.fit_paper_figures`);
        and prices and engines (:func:`densing_bayes.corollaries.claims.fit_tables`).
    ci
        Probability of the intervals, which also decide claims about a value.

    Returns
    -------
    pandas.DataFrame
        One row per claim and panel (one row for a pending claim): claim, topic, statement, kind,
        value, low, high, rival, unit, panel, estimate (dict as of :func:`densing_bayes.estimate`,
        or None), probability, meaning of the probability, verdict, reason, note, source.

    Raises
    ------
    DensingError
        If two fits are of one panel, or ``ci`` is no probability.
    """
    check_ci(ci)
    rows = []
    fits = built_in_fits() if fits is None else list(fits)
    panels = [str(fit.provenance.get("panel", "unnamed")) for fit in fits]
    twice = [panel for panel in panels if panels.count(panel) > 1]
    if twice:
        raise DensingError(f"two fits of panel '{twice[0]}': give one fit of each panel")
    for name, claim in load_claims().iterrows():
        head = {"claim": name} | {
            key: claim[key]
            for key in ("topic", "statement", "kind", "value", "low", "high", "rival", "unit")
        }
        tail = {"note": claim["note"], "source": claim["source"]}
        if claim["pending"]:
            judged = Judged("pending", None, "", "no model of this package answers it yet")
            rows.append(head | {"panel": "", "estimate": None} | judged._asdict() | tail)
            continue
        for panel, fit in zip(panels, fits, strict=True):
            said, judged = _judge(claim, fit, ci)
            rows.append(head | {"panel": panel, "estimate": said} | judged._asdict() | tail)
    return pd.DataFrame(rows)


def built_in_fit(name: str) -> Fit:
    """Fit of "joint" or "paper" to its panel, from the store or kept there."""
    from densing_bayes.batch import Request, Terms, fitter
    from densing_bayes.observations import observe
    from densing_bayes.spec import load_spec
    from densing_bayes.store import store_folder, versions
    from densing_bayes.tables import load_panel

    spec = load_spec(name)
    panel = load_panel(spec.panel.source)
    settings = {
        "draws": BUILT_IN[name],
        "tune": 500,
        "chains": 4,
        "seed": SEED,
        "target_accept": TARGET_ACCEPT,
        "sampler": "nutpie",
    }
    source = {"panel": panel.name, "tables_hash": panel.sha256}
    cores = os.cpu_count() or 1
    log.info("fit of '%s' to panel '%s', made now or before", name, panel.name)
    terms = Terms(settings, versions(), source, store_folder(), min(4, cores), progress=None)
    return fitter(terms)(Request(spec, observe(panel, spec)))


def table_fits() -> list[Judgeable]:
    """Fits of the paper's figures, and of prices and engines; about a minute."""
    log.info("fits of plotted densities, prices and engines, made now or before")
    return [fit_paper_figures(), fit_tables()]


def built_in_fits() -> list[Judgeable]:
    """All panels that come with the package."""
    return [*(built_in_fit(name) for name in BUILT_IN), *table_fits()]


def _judge(claim: pd.Series, fit: Judgeable, ci: float) -> tuple[dict[str, Any] | None, Judged]:
    if fit.verdict != "PASS":
        return None, Judged("not testable", None, "", f"the fit is {fit.verdict}")
    quantity, _, argument = str(claim["quantity"]).partition(":")
    claimed = _quantity(quantity, fit)
    try:
        draws = claimed(fit, argument, "posterior")
    except NotTestableError as reason:
        return None, Judged("not testable", None, "", str(reason))
    before = claimed(fit, argument, "prior") if quantity in WITH_PRIOR else None
    if claim["kind"] == "event":
        return None, verdict(claim, draws, before, ci)
    said = estimate(draws, str(claim["unit"]), ci, mean=quantity not in NO_MEAN)
    return said, verdict(claim, draws, before, ci)


def _quantity(name: str, fit: Judgeable) -> Quantity:
    """How a panel answers a claim; one that it cannot answer gives the reason."""
    if name == "visits":
        return _NO_INPUTS
    match fit:
        case TablePanel():
            return corollaries.OF_TABLES.get(name, _NO_DENSITIES)
        case PlottedPanel():
            return PLOTTED.get(name, _PLOTTED_ONLY)
    return QUANTITIES.get(name, _NO_TABLES)


def verdict(
    claim: Mapping[str, Any] | pd.Series, draws: Draws, prior: Draws | None = None, ci: float = CI
) -> Judged:
    """The fixed rule.

    Parameters
    ----------
    claim
        kind, low, high (NaN where open) and rival (NaN for none).
    draws
        Posterior draws of the quantity; of an event, 0 or 1.
    prior
        Prior draws of the same quantity, if there are any.
    ci
        Probability of the interval.
    """
    draws = np.ravel(np.asarray(draws, dtype=float))
    low, high, rival = (float(claim[key]) for key in ("low", "high", "rival"))
    if claim["kind"] != "about":
        of, meaning = _one_sided(str(claim["kind"]), draws, low, high)
        if of >= SURE:
            return Judged("supported", of, meaning, f"probability of at least {SURE}")
        if of <= 1.0 - SURE:
            return Judged("contradicted", of, meaning, f"probability of at most {1 - SURE:.2g}")
        return Judged("uninformative", of, meaning, "the probability is neither high nor low")
    tail = (1.0 - ci) / 2.0
    bottom, top = np.quantile(draws, [tail, 1.0 - tail], method="inverted_cdf")
    within = probability((draws >= low) & (draws <= high))
    meaning = f"P({low:.6g} to {high:.6g})"
    if top < low or bottom > high:
        side = "below" if top < low else "above"
        return Judged("contradicted", within, meaning, f"the interval lies {side} the claim")
    if bottom <= rival <= top:
        return Judged("uninformative", within, meaning, f"the interval also holds {rival:g}")
    if prior is not None:
        inside = probability((prior >= bottom) & (prior <= top))
        if inside > UNMOVED:
            reason = f"the interval holds {inside:.0%} of the prior as well"
            return Judged("uninformative", within, meaning, reason)
    return Judged("supported", within, meaning, "the interval holds the claim, not its rival")


def _one_sided(kind: str, draws: Draws, low: float, high: float) -> tuple[float, str]:
    match kind:
        case "at least":
            return probability(draws > low), f"P(> {low:g})"
        case "at most":
            return probability(draws <= high), f"P(<= {high:g})"
        case "event":
            return probability(draws > 0), "P"
    raise ValueError(f"no kind of claim '{kind}'")


# Quantities -------------------------------------------------------------------------------------


def _growth(part: str) -> Quantity:
    def draws(fit: Fit, argument: str, group: str) -> Draws:
        if not fit.spec.trend.changes and part != "after":
            raise NotTestableError("the trend has no change")
        return _flat(_rates(fit, argument, group)[part])

    return draws


def _rates(fit: Fit, benchmark: str, group: str) -> xr.Dataset:
    """Growth of the mean over benchmarks, or as one benchmark shows it."""
    if not benchmark:
        return growth(fit, group)
    _needs_benchmark(fit, benchmark)
    return benchmark_growth(fit, group).sel(benchmark=benchmark)


def _of_plotted(fit: PlottedPanel, part: str, group: str) -> Draws:
    """Growth, 1/day, of Fig. 3c; "five" and "mmlu_cf" are those of Figs 1 and 2."""
    figure = {"five": fit.five, "mmlu_cf": fit.mmlu_cf}.get(part, fit.mmlu)
    draws = figure.posterior if group == "posterior" else figure.prior
    before = _flat(draws["growth_before"]) / DAYS_PER_YEAR
    if part in ("five", "mmlu_cf", "before"):
        return before
    change = _flat(draws["growth_change"]) / DAYS_PER_YEAR
    return change if part == "change" else before + change


def _plotted(part: str) -> Quantity:
    def draws(fit: PlottedPanel, argument: str, group: str) -> Draws:
        if argument not in ("", "mmlu"):
            raise NotTestableError("the figures show no single benchmark but MMLU")
        return _of_plotted(fit, "after" if argument and part == "five" else part, group)

    return draws


def _flat(values: xr.DataArray) -> Draws:
    return np.ravel(values.to_numpy())


def _doubling(rate: Quantity) -> Quantity:
    return lambda fit, argument, group: doubling_time(rate(fit, argument, group))


def _share(rate: Quantity) -> Quantity:
    """Share x of the params that do later: the line has risen by (1 + s) ln(1 / x)."""

    def draws(fit: Any, argument: str, group: str) -> Draws:
        rise = rate(fit, argument, group) * LATER
        if isinstance(fit, PlottedPanel):  # the plotted densities know no sizes
            return np.exp(-rise)
        worth = 1.0 + np.ravel(size_slope(fit, group))
        # where the smaller ones are not worse at all, any share does
        return np.where(worth > 0, np.exp(-rise / np.where(worth > 0, worth, 1.0)), 0.0)

    return draws


def _ratio(before: Quantity, after: Quantity) -> Quantity:
    """Ratio of the rates; infinite where density did not grow before."""

    def draws(fit: Any, argument: str, group: str) -> Draws:
        early, late = before(fit, argument, group), after(fit, argument, group)
        return np.where(early > 0, late / np.where(early > 0, early, 1.0), np.inf)

    return draws


def _excess(before: Quantity, after: Quantity) -> Quantity:
    return lambda fit, argument, group: (
        after(fit, argument, group) - 1.5 * before(fit, argument, group)
    )


def _of_rates(rate: Callable[[str], Quantity], headline: str) -> dict[str, Quantity]:
    """Quantities that follow from growth rates; doubling time and share from the headline's."""
    before, after = rate("before"), rate("after")
    return {
        "doubling_time_after": _doubling(rate(headline)),
        "growth_before": before,
        "growth_after": after,
        "growth_change": rate("change"),
        "growth_ratio": _ratio(before, after),
        "excess_over_half_faster": _excess(before, after),
        "share_after_127_days": _share(rate(headline)),
    }


def _matches_mistral(fit: Fit, argument: str, group: str) -> Draws:
    """How far the frontier lies above Mistral-7B 127 days later, at the size of MiniCPM-1-2.4B.

    The argument is a benchmark and a size convention, which decides the ratio of the two sizes.
    """
    benchmark, convention = argument.split()
    _needs_benchmark(fit, benchmark)
    _needs_systems(fit, ["mistral-7b-v0.1"])
    mistral = draws_of(fit, group)["log_density"].sel(system="mistral-7b-v0.1")
    smaller, larger = EXAMPLE_PARAMS[convention]
    later = frontier(fit, ["2024-02-01"], group=group).isel(date=0)
    drift = _rates(fit, benchmark, group)["after"] - growth(fit, group)["after"]
    size = fit.observed.log_params[fit.observed.systems.index("mistral-7b-v0.1")]
    away = size - np.log(larger / smaller) - fit.observed.mean_log_params
    later = later + size_slope(fit, group) * away
    return _flat(later + drift * LATER - mistral - np.log(larger / smaller))


def _largest_density(fit: Fit, argument: str, group: str) -> Draws:
    systems = argument.split()
    if fit.spec.panel.source != "paper":
        raise NotTestableError("densities are on the scale of another reference family")
    _needs_systems(fit, systems)
    return np.exp(_flat(draws_of(fit, group)["log_density"].sel(system=systems).max("system")))


def _less_dense(fit: Fit, argument: str, group: str) -> Draws:
    large, *siblings = argument.split()
    _needs_systems(fit, [large, *siblings])
    density = draws_of(fit, group)["log_density"]
    return _flat(density.sel(system=siblings).min("system") - density.sel(system=large))


def _never(reason: str) -> Quantity:
    def draws(fit: Any, argument: str, group: str) -> Draws:
        raise NotTestableError(reason)

    return draws


def _needs_benchmark(fit: Fit, name: str) -> None:
    if name not in fit.observed.benchmarks:
        raise NotTestableError(f"the panel has no {name}")


def _needs_systems(fit: Fit, names: list[str]) -> None:
    missing = [name for name in names if name not in fit.observed.systems]
    if missing:
        raise NotTestableError(f"the fit has no {', '.join(missing)}")


_NO_R_SQUARED = _never("R2 of a running maximum is no property of the systems")
_NO_MMLU_CF = _never("the panel has no scores on MMLU-CF")
_PLOTTED_ONLY = _never("the plotted densities are the claim itself, or say nothing of it")
_NO_DENSITIES = _never("prices, chips and batteries say nothing of densities")
_NO_INPUTS = _never("the assumptions behind it are published nowhere")
_NO_TABLES = _never("the panel has no prices, chips or batteries")
QUANTITIES = (
    _of_rates(_growth, headline="after")
    | corollaries.OF_FITS
    | {
        "matches_mistral": _matches_mistral,
        "density": _largest_density,
        "largest_density": _largest_density,
        "less_dense": _less_dense,
        "r_squared": _NO_R_SQUARED,
        "growth_mmlu_cf": _NO_MMLU_CF,
        "growth_mmlu_cf_over_five": _NO_MMLU_CF,
    }
)
PLOTTED = _of_rates(_plotted, headline="five") | {
    "r_squared": _NO_R_SQUARED,
    "growth_mmlu_cf": _plotted("mmlu_cf"),
    "growth_mmlu_cf_over_five": lambda fit, argument, group: (
        _of_plotted(fit, "mmlu_cf", group) / _of_plotted(fit, "five", group)
    ),
}
# Quantities whose prior says something of the claim; the others hang on one system's data.
WITH_PRIOR = {
    "doubling_time_after",
    "growth_before",
    "growth_after",
    "growth_ratio",
    "share_after_127_days",
    "growth_mmlu_cf",
} | corollaries.WITH_PRIOR
