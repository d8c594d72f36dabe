"""Ledger of claims: every published number beside its posterior, and a verdict by a fixed rule.

Each claim is judged on its own D0, estimand and size convention, by :mod:`.rule`.
Every row names these, and what the fit that judges it has in their place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from densing_bayes.errors import DensingError, NotTestableError
from densing_bayes.fitting.built_in import BUILT_IN, built_in_fit
from densing_bayes.ledger import of_corollaries as corollaries
from densing_bayes.ledger.of_corollaries import fit_tables
from densing_bayes.ledger.plotted import PlottedPanel, fit_paper_figures
from densing_bayes.ledger.quantities import PLOTTED_QUANTILES, QUANTILES, WITH_PRIOR, quantity_of
from densing_bayes.ledger.rule import Draws, Judged, former_verdict, not_testable, verdict
from densing_bayes.ledger.terms import (
    DRIFTING,
    Judgeable,
    Terms,
    nearest_forms,
    terms_of,
    tokens_text,
)
from densing_bayes.posterior.estimates import check_ci, check_runs, estimate
from densing_bayes.posterior.result import CI, Fit

HEAD = ("topic", "statement", "kind", "value", "low", "high", "rival", "unit", "estimand",
        "reference_tokens", "size")  # fmt: skip
NO_MEAN = {
    "doubling_time_after",
    "growth_ratio",
    "shelf_life",
    "compute_ratio",
    *corollaries.WITH_PRIOR,
}
OBSERVED = corollaries.OF_TABLES.keys() - corollaries.WITH_PRIOR  # of a table: no posterior
DEFINITIONS = ("mean", "edge", DRIFTING, "quantile")  # of the best


def load_claims(name: str = "claims") -> pd.DataFrame:
    """Claims that have a number, of the article and the paper; "claims_2026" are those since.

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
    with files("densing_bayes.data").joinpath(f"{name}.csv").open(encoding="utf-8") as file:
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
        figures (:func:`densing_bayes.ledger.plotted.fit_paper_figures`); and prices and engines
        (:func:`densing_bayes.ledger.of_corollaries.fit_tables`). Of several fits of one panel each
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
        If two fits are of one panel, D0 and form, a fit has no reference runs, or ``ci`` is not a
        probability.
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


def check_panels(fits: Iterable[Judgeable]) -> None:
    """Refuse fits that :func:`claims` would refuse, before anything is made beside them."""
    _by_panel(list(fits))


def _by_panel(fits: list[Judgeable]) -> dict[str, dict[Terms, Judgeable]]:
    """Fits by panel, and of each panel by what their answers are about."""
    result: dict[str, dict[Terms, Judgeable]] = {}
    for fit in fits:
        panel = str(fit.provenance.get("panel", "unnamed"))
        own, terms = result.setdefault(panel, {}), terms_of(fit)
        if isinstance(fit, Fit):
            check_runs(fit, "published claims, which are about densities of a reference family,")
        if terms in own:
            raise DensingError(
                f"two fits of panel '{panel}': give one fit of each panel, D0 and form ({terms})"
            )
        own[terms] = fit
    return result


def _chosen(claim: pd.Series, fits: dict[Terms, Judgeable]) -> Terms | None:
    """The fit that is nearest to what a claim is about; none if no fit has its D0."""
    asked, order = float(claim["reference_tokens"]), nearest_forms(claim)

    def distance(terms: Terms) -> tuple[int, bool]:
        form = order.index(terms.estimand) if terms.estimand in order else 0
        return form, terms.size != claim["size"]

    same = [
        terms
        for terms in fits
        if np.isnan(asked) or np.isnan(terms.reference_tokens) or terms.reference_tokens == asked
    ]
    return min(same, key=distance, default=None)


def table_fits() -> list[Judgeable]:
    """Fits of the paper's figures in both forms, and of prices and engines; some seconds."""
    return [fit_paper_figures(), fit_paper_figures(drifts=True), fit_tables()]


def built_in_fits(names: Iterable[str] = tuple(BUILT_IN)) -> list[Judgeable]:
    """Panels that come with the package, under all that a claim is about, and tables."""
    return [*(built_in_fit(name) for name in names), *table_fits()]


def _judge(claim: pd.Series, fits: dict[Terms, Judgeable], ci: float) -> dict[str, Any]:
    terms = _chosen(claim, fits)
    if terms is None:
        has = " and ".join(sorted({tokens_text(terms.reference_tokens) for terms in fits}))
        own = tokens_text(float(claim["reference_tokens"]))
        reason = f"the claim is about D0 = {own} tokens, and the panel was fitted with {has}"
        return ledger_row("", "", None, not_testable(reason))
    fit, said_of = fits[terms], (str(terms), terms.apart(claim))
    try:
        draws, before = drawn(claim, fit)
    except NotTestableError as reason:
        return ledger_row(*said_of, None, not_testable(str(reason)))
    judged = verdict(claim, draws, before)
    quantity = _name(claim)
    former = former_verdict(claim, draws, before if quantity in WITH_PRIOR else None, ci)
    if claim["kind"] == "event":
        return ledger_row(*said_of, None, judged, former)
    return ledger_row(*said_of, _estimate(claim, draws, ci), judged, former) | {
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
    claimed = quantity_of(quantity, fit)
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


def ledger_row(
    judged_on: str,
    apart: str,
    said: dict[str, Any] | None,
    judged: Judged,
    former: str = "not testable",
) -> dict[str, Any]:
    """What a row of the ledger says of a claim: who judges, an estimate, and the verdict."""
    head = {"judged_on": judged_on, "judged_apart": apart, "definitions": None, "estimate": said}
    return head | {"former_verdict": former} | judged._asdict()
