"""Fits that come with the package: of which specification, and from the store."""

from __future__ import annotations

import os
from typing import Any

from densing_bayes.fitting.fit import whole
from densing_bayes.fitting.settings import STANDARD
from densing_bayes.posterior.result import Fit
from densing_bayes.progress import Tell, unheard

AS_SHIPPED = {"current": 2000, "joint": 1000, "paper": 2000}  # draws of each chain
FORMS: dict[str, dict[str, Any]] = {
    "maximum": {"trend__shortfall_drift": True},
    "edge": {},
    "mean": {"trend__frontier": "none"},
}


def _built_in(shipped: dict[str, int]) -> dict[str, tuple[str, int, dict[str, Any]]]:
    """Specification, draws of each chain and what is changed, by name of the fit.

    Version 2 of the paper and the article define density by D0 = 1e12 tokens, the journal by 5e12.
    They count all params, and the article's example those without embeddings, too.
    """
    fits: dict[str, tuple[str, int, dict[str, Any]]] = {
        name: (name, draws, {}) for name, draws in shipped.items()
    }
    asked = [(form, d0, "total") for d0 in (1e12, 5e12) for form in FORMS]
    for name, draws in shipped.items():
        for form, d0, size in [*asked, ("edge", 1e12, "non-embedding")]:
            if (name, form, d0, size) == ("paper", "edge", 5e12, "total"):
                continue  # that is how it is
            change = {"panel__reference_tokens": d0, "panel__size": size}
            label = f"{name}, {form}, D0 = {d0:.0e}, {size} params"
            fits[label] = (name, draws, FORMS[form] | change)
    return fits


BUILT_IN = _built_in(AS_SHIPPED)
"""Fits by which the ledger of claims judges unless it is given others."""


def built_in_fit(name: str, tell: Tell = unheard) -> Fit:
    """A fit of :data:`BUILT_IN` to its panel, from the store or kept there."""
    from densing_bayes.fitting import many
    from densing_bayes.fitting.store import store_folder, versions
    from densing_bayes.inputs.panel import load_panel
    from densing_bayes.inputs.specification import load_spec
    from densing_bayes.observed.observations import observe

    base, draws, changes = BUILT_IN[name]
    spec = load_spec(base).replace(**changes)
    panel = load_panel(spec.panel.source)
    settings, cores = STANDARD | {"draws": draws}, min(4, os.cpu_count() or 1)
    told = whole(tell)
    terms = many.Terms(settings, versions(), panel.identity, store_folder(), cores, told)
    return many.fitter(terms)(many.Request(spec, observe(panel, spec)))
