"""Sections of the report on what follows from a fit, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from densing_bayes.corollaries.compression.section import compression_section
from densing_bayes.corollaries.drivers.section import driver_section
from densing_bayes.corollaries.engines.section import device_section, engine_section
from densing_bayes.corollaries.forecast.section import forecast_section
from densing_bayes.corollaries.payback.section import payback_section
from densing_bayes.corollaries.prices.section import price_section
from densing_bayes.display.section import Section
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED
from densing_bayes.fitting.store import kept, store_folder
from densing_bayes.posterior.result import CI, Fit


def corollary_sections(
    fit: Fit, ci: float = CI, seed: int = SEED
) -> dict[str, Callable[[], Section]]:
    """Makers of the sections on what follows from a fit, by name; each is kept in the store.

    Parameters
    ----------
    fit
        A fit.
    ci
        Probability of the intervals.
    seed
        Of the small models, which take some minutes where the store has none.
    """
    makers: dict[str, tuple[str, Callable[[], Section]]] = {
        "prices": ("Price of inference", lambda: price_section(ci, seed)),
        "engines": ("Engines beside density", lambda: engine_section(fit, ci, seed)),
        "devices": ("What a device holds", lambda: device_section(fit, ci)),
        "compression": ("Compressed systems", lambda: compression_section(fit, ci, seed)),
        "forecast": ("8B at the level of GPT-4", lambda: forecast_section(fit, ci)),
        "payback": ("Life and pay-back of a release", lambda: payback_section(fit, ci, seed)),
        "drivers": ("Longer training and the rest", lambda: driver_section(fit, ci, seed)),
    }
    source = fit.provenance
    names = ("spec_hash", "data_hash", "tables_hash", "seed", "created")
    key = [*(source.get(name) for name in names), ci, seed]

    def stored(name: str) -> Section:
        title, make = makers[name]
        return kept(
            f"section-{name}", key, partial(_made, name, title, make), store_folder(), __name__
        )

    return {name: partial(stored, name) for name in makers}


def _made(name: str, title: str, make: Callable[[], Section]) -> Section:
    """A section, or why there is none: data of one's own need not hold what it takes."""
    try:
        return make()
    except DensingError as reason:
        return Section(name, title, (f"Left out: {reason}.",))
