"""Ledger of claims: every published number beside its posterior, and a verdict by a fixed rule.

Each claim is judged on its own D0, estimand and size convention, by :mod:`densing_bayes.verdicts`.
Every row names these, and what the fit that judges it has in their place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.corollaries import claims as corollaries
from densing_bayes.corollaries.claims import TablePanel, fit_tables
from densing_bayes.errors import DensingError, NotTestableError
from densing_bayes.fits import CI, Fit
from densing_bayes.fitting import SEED, TARGET_ACCEPT, whole
from densing_bayes.laws import doubling_time
from densing_bayes.observations import DAYS_PER_YEAR
from densing_bayes.plotted import PlottedPanel, fit_paper_figures, paper_figures_quantile
from densing_bayes.progress import Tell, unheard
from densing_bayes.quantile import kept_quantile_growth
from densing_bayes.quantities import (
    benchmark_growth,
    check_ci,
    draws_of,
    estimate,
    frontier,
    growth,
    size_slope,
)
from densing_bayes.shelf import frontier_shelf_life
from densing_bayes.verdicts import Draws, Judged, former_verdict, not_testable, verdict

FORMS: dict[str, dict[str, Any]] = {
    "maximum": {"trend__shortfall_drift": True},
    "edge": {},
    "mean": {"trend__frontier": "none"},
}


def _built_in() -> dict[str, tuple[str, int, dict[str, Any]]]:
    """Specification, draws of each chain and what is changed, by name of the fit.

    Version 2 of the paper and the article define density by D0 = 1e12 tokens, the journal by 5e12.
    They count all params, and the article's example those without embeddings, too.
    """
    plain = {"joint": 1000, "paper": 2000}
    fits: dict[str, tuple[str, int, dict[str, Any]]] = {
        name: (name, draws, {}) for name, draws in plain.items()
    }
    asked = [(form, d0, "total") for d0 in (1e12, 5e12) for form in FORMS]
    for name, draws in plain.items():
        for form, d0, size in [*asked, ("edge", 1e12, "non-embedding")]:
            if (name, form, d0, size) == ("paper", "edge", 5e12, "total"):
                continue  # that is how it is
            change = {"panel__reference_tokens": d0, "panel__size": size}
            label = f"{name}, {form}, D0 = {d0:.0e}, {size} params"
            fits[label] = (name, draws, FORMS[form] | change)
    return fits


BUILT_IN = _built_in()
PLOTTED_TOKENS = 5e12  # D0 of the figures, which are the journal's
HEAD = ("topic", "statement", "kind", "value", "low", "high", "rival", "unit", "estimand",
        "reference_tokens", "size")  # fmt: skip
LATER = 127  # days from Mistral-7B (2023-09-27) to MiniCPM-1-2.4B (2024-02-01)
# Params of MiniCPM-1-2.4B and Mistral-7B, without embeddings (as the name counts) and in all.
EXAMPLE_PARAMS = {
    "non-embedding": (2_442_057_984, 6_979_588_096),
    "total": (2_724_880_896, 7_241_732_096),
}
NO_MEAN = {
    "doubling_time_after",
    "growth_ratio",
    "shelf_life",
    "compute_ratio",
    *corollaries.WITH_PRIOR,
}
OBSERVED = {"price_observed", "compute_ratio"}  # numbers of a table, without a posterior
Judgeable = Fit | PlottedPanel | TablePanel
Quantity = Callable[[Any, str, str], Draws]  # (fit, argument, group) -> draws


DRIFTING = "edge with a drifting scale"
NEAREST = {  # estimands of trends, the first by which a claim is judged before the others
    "maximum": (DRIFTING, "edge", "mean"),
    "mean": ("mean", "edge", DRIFTING),
}
EDGE = ("edge", DRIFTING, "mean")  # of all other claims
DEFINITIONS = ("mean", "edge", DRIFTING, "quantile")  # of the best


class Terms(NamedTuple):
    """What a fit's answers are about: estimand of its trend, D0 (NaN for none), size convention."""

    estimand: str
    reference_tokens: float
    size: str

    def __str__(self) -> str:
        """As it stands in a row of the ledger."""
        if np.isnan(self.reference_tokens):
            return self.estimand
        return f"{self.estimand}; D0 = {tokens_text(self.reference_tokens)}; {self.size} params"

    def apart(self, claim: pd.Series) -> str:
        """What differs from what a claim is about; empty if nothing does."""
        if np.isnan(self.reference_tokens):
            return ""
        parts = []
        nearest = _nearest(claim)[0]
        if self.estimand != nearest:
            parts.append(f"{self.estimand} in place of {nearest}")
        if claim["size"] and self.size != claim["size"]:
            parts.append(f"{self.size} in place of {claim['size']} params")
        return ", ".join(parts)


def _nearest(claim: pd.Series) -> tuple[str, ...]:
    """Forms of a trend that can answer a claim, the nearest to its estimand first."""
    return NEAREST.get(str(claim["estimand"]), EDGE)


def load_claims() -> pd.DataFrame:
    """Claims of the article and the paper that have a number.

    Returns
    -------
    pandas.DataFrame
        Index ``claim``; topic, statement, quantity, kind ("about", "at least", "at most",
        "event"), value, low and high (what still counts as the value), rival, unit, estimand,
        reference_tokens (D0) and size (convention; empty where densities do not matter), note,
        source.
    """
    text = ("claim", "topic", "statement", "quantity", "kind", "unit", "estimand", "size", "note",
            "source")  # fmt: skip
    with files("densing_bayes.data").joinpath("claims.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file, dtype=dict.fromkeys(text, str))
    table[list(text)] = table[list(text)].fillna("")
    return table.set_index("claim")


def claims(fits: Iterable[Judgeable] | None = None, ci: float = CI) -> pd.DataFrame:
    """Put every claim beside each posterior.

    Parameters
    ----------
    fits
        Fits of different panels, D0 or forms; by default those of :data:`BUILT_IN`, taken from the
        store or made, which takes some minutes, and kept there; the frontiers through the paper's
        figures (:func:`densing_bayes.plotted.fit_paper_figures`); and prices and engines
        (:func:`densing_bayes.corollaries.claims.fit_tables`). Of several fits of one panel each
        claim takes the one of its own D0 and form.
    ci
        Probability of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per claim and panel: claim, topic, statement, kind, value, low, high, rival, unit,
        estimand, reference_tokens and size (of the claim), panel, judged_on (the same of the fit),
        judged_apart (what of these differs), definitions (of claims about a maximum: estimates by
        definition of the best), estimate (dict as of :func:`densing_bayes.estimate`, or None),
        probability, meaning of the probability, bayes_factor, near_border (whether another seed
        might say another word), verdict, former_verdict (by the rule before), reason, note,
        source.

    Raises
    ------
    DensingError
        If two fits are of one panel, D0 and form, or ``ci`` is no probability.
    """
    check_ci(ci)
    rows = []
    by_panel = _by_panel(built_in_fits() if fits is None else list(fits))
    for name, claim in load_claims().iterrows():
        head = {"claim": name} | {key: claim[key] for key in HEAD}
        tail = {"note": claim["note"], "source": claim["source"]}
        for panel, own in by_panel.items():
            row = _judge(claim, own, ci)
            rows.append(head | {"panel": panel} | row | tail)
    return pd.DataFrame(rows)


def _by_panel(fits: list[Judgeable]) -> dict[str, dict[Terms, Judgeable]]:
    """Fits by panel, and of each panel by what their answers are about."""
    result: dict[str, dict[Terms, Judgeable]] = {}
    for fit in fits:
        panel = str(fit.provenance.get("panel", "unnamed"))
        own, terms = result.setdefault(panel, {}), terms_of(fit)
        if terms in own:
            raise DensingError(
                f"two fits of panel '{panel}': give one fit of each panel, D0 and form ({terms})"
            )
        own[terms] = fit
    return result


def terms_of(fit: Judgeable) -> Terms:
    """What the answers of a fit are about.

    The slope of a frontier whose shortfalls have a constant scale is that of the mean, too; one
    whose scale drifts may have maxima that grow faster or slower.
    """
    if isinstance(fit, TablePanel):
        return Terms("observed, or an edge through the table", np.nan, "")
    if isinstance(fit, PlottedPanel):
        return Terms(DRIFTING if fit.drifts else "edge", PLOTTED_TOKENS, "total")
    trend, panel = fit.spec.trend, fit.spec.panel
    estimand = DRIFTING if trend.shortfall_drift else "edge"
    if trend.frontier == "none":
        estimand = "mean"
    return Terms(estimand, panel.reference_tokens, panel.size)


def _chosen(claim: pd.Series, fits: dict[Terms, Judgeable]) -> Terms | None:
    """The fit that is nearest to what a claim is about; none if no fit has its D0."""
    asked, order = float(claim["reference_tokens"]), _nearest(claim)

    def distance(terms: Terms) -> tuple[int, bool]:
        form = order.index(terms.estimand) if terms.estimand in order else 0
        return form, terms.size != claim["size"]

    same = [
        terms
        for terms in fits
        if np.isnan(asked) or np.isnan(terms.reference_tokens) or terms.reference_tokens == asked
    ]
    return min(same, key=distance, default=None)


def tokens_text(count: float) -> str:
    """A number of tokens as it is written in specifications, such as 5e12."""
    return f"{count:.0e}".replace("e+", "e").replace("e0", "e")


def built_in_fit(name: str, tell: Tell = unheard) -> Fit:
    """A fit of :data:`BUILT_IN` to its panel, from the store or kept there."""
    from densing_bayes import batch
    from densing_bayes.observations import observe
    from densing_bayes.spec import load_spec
    from densing_bayes.store import store_folder, versions
    from densing_bayes.tables import load_panel

    base, draws, changes = BUILT_IN[name]
    spec = load_spec(base).replace(**changes)
    panel = load_panel(spec.panel.source)
    settings = {
        "draws": draws,
        "tune": 500,
        "chains": 4,
        "seed": SEED,
        "target_accept": TARGET_ACCEPT,
        "sampler": "nutpie",
    }
    source = {"panel": panel.name, "tables_hash": panel.sha256}
    cores = os.cpu_count() or 1
    told = whole(tell)
    terms = batch.Terms(settings, versions(), source, store_folder(), min(4, cores), told)
    return batch.fitter(terms)(batch.Request(spec, observe(panel, spec)))


def table_fits() -> list[Judgeable]:
    """Fits of the paper's figures in both forms, and of prices and engines; some seconds."""
    return [fit_paper_figures(), fit_paper_figures(drifts=True), fit_tables()]


def built_in_fits() -> list[Judgeable]:
    """All panels that come with the package, under all that a claim is about."""
    return [*(built_in_fit(name) for name in BUILT_IN), *table_fits()]


def _judge(claim: pd.Series, fits: dict[Terms, Judgeable], ci: float) -> dict[str, Any]:
    terms = _chosen(claim, fits)
    if terms is None:
        has = " and ".join(sorted({tokens_text(terms.reference_tokens) for terms in fits}))
        own = tokens_text(float(claim["reference_tokens"]))
        reason = f"the claim is about D0 = {own} tokens, and the panel was fitted with {has}"
        return _row("", "", None, not_testable(reason))
    fit, said_of = fits[terms], (str(terms), terms.apart(claim))
    try:
        draws, before = drawn(claim, fit)
    except NotTestableError as reason:
        return _row(*said_of, None, not_testable(str(reason)))
    judged = verdict(claim, draws, before)
    quantity = _name(claim)
    former = former_verdict(claim, draws, before if quantity in WITH_PRIOR else None, ci)
    if claim["kind"] == "event":
        return _row(*said_of, None, judged, former)
    return _row(*said_of, _estimate(claim, draws, ci), judged, former) | {
        "definitions": _definitions(claim, fits, terms, ci)
    }


def _estimate(claim: pd.Series, draws: Draws, ci: float) -> dict[str, Any]:
    return estimate(draws, str(claim["unit"]), ci, mean=_name(claim) not in NO_MEAN)


def _definitions(
    claim: pd.Series, fits: dict[Terms, Judgeable], judged: Terms, ci: float
) -> dict[str, Any] | None:
    """Estimates of what is claimed of a maximum, by definition of the best; else none.

    Of the fits that share D0 and size convention with the one that judges, and of a quantile of
    the densities of that one.
    """
    if claim["estimand"] != "maximum" or np.isnan(judged.reference_tokens):
        return None
    found = {}
    for terms, fit in fits.items():
        if terms[1:] == judged[1:]:
            with suppress(NotTestableError):  # not passed, or without a change
                found[terms.estimand] = _estimate(claim, drawn(claim, fit)[0], ci)
    fit, (name, _, argument) = fits[judged], str(claim["quantity"]).partition(":")
    plotted = isinstance(fit, PlottedPanel)
    of_quantile = (PLOTTED_QUANTILES if plotted else QUANTILES).get(name)
    if of_quantile is not None and (plotted or not argument):
        with suppress(NotTestableError):
            found["quantile"] = _estimate(claim, of_quantile(fit, argument, "posterior"), ci)
    return {name: found[name] for name in DEFINITIONS if name in found}


def drawn(claim: pd.Series, fit: Judgeable) -> tuple[Draws, Draws | None]:
    """Draws of what a claim is about, and of a claim about a value its prior draws.

    Raises
    ------
    NotTestableError
        If the fit has not passed, or its panel does not hold what is needed.
    """
    if fit.verdict != "PASS":
        raise NotTestableError(f"the fit is {fit.verdict}")
    quantity, argument = _name(claim), str(claim["quantity"]).partition(":")[2]
    claimed = _quantity(quantity, fit)
    values = claim["kind"] == "about" and quantity not in OBSERVED
    draws = claimed(fit, argument, "posterior")
    return draws, claimed(fit, argument, "prior") if values else None


def _name(claim: pd.Series) -> str:
    return str(claim["quantity"]).partition(":")[0]


def testable(fits: Iterable[Judgeable]) -> Iterator[tuple[str, str, pd.Series, Judgeable]]:
    """Name and panel of each row of the ledger, its claim and the fit that judges it.

    Rows that no fit of the panel can judge are left out.
    """
    by_panel = _by_panel(list(fits))
    for name, claim in load_claims().iterrows():
        for panel, own in by_panel.items():
            terms = _chosen(claim, own)
            if terms is not None:
                yield str(name), panel, claim, own[terms]


def _row(
    judged_on: str,
    apart: str,
    said: dict[str, Any] | None,
    judged: Judged,
    former: str = "not testable",
) -> dict[str, Any]:
    head = {"judged_on": judged_on, "judged_apart": apart, "definitions": None, "estimate": said}
    return head | {"former_verdict": former} | judged._asdict()


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


def _cf_over_five(fit: PlottedPanel, argument: str, group: str) -> Draws:
    """Ratio of two slopes whose fits are independent, and whose prior draws come from one seed."""
    five = _of_plotted(fit, "five", group)
    return _of_plotted(fit, "mmlu_cf", group) / np.random.default_rng(SEED).permutation(five)


def _plotted(part: str) -> Quantity:
    def draws(fit: PlottedPanel, argument: str, group: str) -> Draws:
        if argument not in ("", "mmlu"):
            raise NotTestableError("the figures show no single benchmark but MMLU")
        return _of_plotted(fit, "after" if argument and part == "five" else part, group)

    return draws


def _of_quantile(part: str) -> Quantity:
    """Growth, 1/day, of an upper quantile of densities."""

    def draws(fit: Fit, argument: str, group: str) -> Draws:
        try:
            return _flat(kept_quantile_growth(fit)[part])
        except DensingError as error:
            raise NotTestableError(str(error)) from error

    return draws


def _of_plotted_quantile(part: str) -> Quantity:
    def draws(fit: PlottedPanel, argument: str, group: str) -> Draws:
        figures = paper_figures_quantile()
        if part in ("five", "mmlu_cf") and not argument:
            return _flat(figures[part]["after"])
        return _flat(figures["mmlu"]["after" if part == "five" else part])

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
        # Where the smaller ones are not worse at all, any share does; where they hardly are and the
        # line falls, as it may under the prior, no number of params does.
        with np.errstate(over="ignore"):
            share = np.exp(-rise / np.where(worth > 0, worth, 1.0))
        return np.where(worth > 0, share, 0.0)

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


def _shelf_life(fit: Fit, argument: str, group: str) -> Draws:
    return _flat(frontier_shelf_life(fit, group=group))


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
        "shelf_life": _shelf_life,
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
    "growth_mmlu_cf_over_five": _cf_over_five,
}
QUANTILES = _of_rates(_of_quantile, headline="after")
PLOTTED_QUANTILES = _of_rates(_of_plotted_quantile, headline="five") | {
    "growth_mmlu_cf": _of_plotted_quantile("mmlu_cf"),
}
# Quantities whose prior the rule before this one looked at.
WITH_PRIOR = {
    "doubling_time_after",
    "growth_before",
    "growth_after",
    "growth_ratio",
    "share_after_127_days",
    "growth_mmlu_cf",
} | corollaries.WITH_PRIOR
