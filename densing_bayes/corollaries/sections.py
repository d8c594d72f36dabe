"""Sections of the report on what follows from a fit, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from densing_bayes.corollaries.corollary import Answer, Corollary
from densing_bayes.corollaries.registered import COROLLARIES
from densing_bayes.display.section import Section
from densing_bayes.display.section_files import SECTION
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED
from densing_bayes.fitting.store import kept, store_folder
from densing_bayes.posterior.result import CI, Fit


def corollary_sections(
    fit: Fit, ci: float = CI, seed: int = SEED, corollaries: Iterable[Corollary] = COROLLARIES
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
    corollaries
        Those that are wanted; all by default.
    """
    names = ("spec_hash", "data_hash", "tables_hash", "seed", "created")
    key = [*(fit.provenance.get(name) for name in names), ci, seed]

    def stored(answer: Answer) -> Section:
        make = partial(_made, answer, fit, ci, seed)
        source = answer.make.__module__
        return kept(f"section-{answer.name}", key, make, store_folder(), source, SECTION)

    return {answer.name: partial(stored, answer) for answer in answers(corollaries)}


def answers(corollaries: Iterable[Corollary] = COROLLARIES) -> list[Answer]:
    """Sections of corollaries, in the order of the report."""
    return [answer for corollary in corollaries for answer in corollary.parts().answers]


def _made(answer: Answer, fit: Fit, ci: float, seed: int) -> Section:
    """A section, or why there is none: data of one's own need not hold what it takes."""
    try:
        return answer.make(fit, ci, seed)
    except DensingError as reason:
        return Section(answer.name, answer.title, (f"Left out: {reason}.",))
