"""Reports: sections chosen, made and put together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from densing_bayes.display import sentences
from densing_bayes.display.headline import headline
from densing_bayes.display.literal import in_utf8
from densing_bayes.display.section import Report, Section
from densing_bayes.errors import DensingError, did_you_mean
from densing_bayes.evaluation.hypotheses.averaged import averaged_of
from densing_bayes.evaluation.token_range import over_tokens_of
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.progress import Steps
from densing_bayes.quantities import numbers
from densing_bayes.quantities.labels import benchmark_label, change_label
from densing_bayes.quantities.summary import trend_summary
from densing_bayes.report.sections.basis import tables_of
from densing_bayes.report.sections.fit import fit_sections

if TYPE_CHECKING:
    from densing_bayes.evaluation.hypotheses.table import Comparison
    from densing_bayes.inputs.panel import Panel
    from densing_bayes.ledger.terms import Judgeable

TITLE: Final = "Capability density of open language models"


def make_report(
    fit: Fit,
    ci: float = CI,
    *,
    title: str = TITLE,
    sections: Collection[str] | None = None,
    beside: Iterable[Judgeable] = (),
    more: dict[str, Callable[[], Section]] | None = None,
    comparison: Comparison | None = None,
    panel: Panel | None = None,
    steps: Steps | None = None,
) -> Report:
    """Put a report together.

    Parameters
    ----------
    fit
        The fit. If it has not passed, every headline is marked and a warning says why.
    ci
        Probability of the intervals.
    title
        Of the report.
    sections
        Names of the sections that are wanted; all by default. Only those are made.
    beside
        Fits of other panels, for the ledger of claims.
    more
        Makers of further sections by name, such as those of
        :func:`densing_bayes.corollaries.sections.corollary_sections`; they come after the claims.
    comparison
        Of hypotheses, for the section on them and for averages over them; by default averages are
        those that :func:`densing_bayes.evaluation.hypotheses.averaged.averaged_of` finds.
    panel
        The tables that the fit has seen, for their sources; by default the embedded panel, if it
        was that.
    steps
        Told of each section.

    Raises
    ------
    DensingError
        If there is no section of a name, or the fit has seen other tables.
    """
    if panel is not None and panel.sha256 != fit.provenance.get("tables_hash"):
        raise DensingError(
            f"the fit has seen other tables than those of '{panel.name}'; give those that it was "
            f"made from, or fit again"
        )
    trend = trend_summary(fit, ci, averaged_of(fit, comparison, ci), over_tokens_of(fit))
    own = fit_sections(
        fit, trend, ci, beside=beside, panel=panel or tables_of(fit), comparison=comparison
    )
    makers: dict[str, Callable[[], Section]] = {}
    for name, make in own.items():
        makers[name] = make
        if (name == "hypotheses" and "claims" not in own) or name == "claims":
            makers |= more or {}
    wanted = chosen(list(makers), sections)
    source, title = fit.provenance, in_utf8(title)
    statements = tuple(headline(fit, trend))
    parts = []
    for name in wanted:
        with steps.step(f"section '{name}'") if steps else nullcontext():
            parts.append(makers[name]())
    return Report(
        title=title,
        subtitle=fit.spec.description or fit.spec.name,
        verdict=fit.verdict,
        warning=_warning(fit),
        statements=statements,
        notes=(
            sentences.counts_sentence(fit),
            f"Fit: panel '{source.get('panel', 'unnamed')}', specification "
            f"{source['spec_hash'][:12]}, data {source['data_hash'][:12]}, seed {source['seed']}, "
            f"{source['created'][:10]}. Intervals are equal-tailed, {numbers.percent(ci)}.",
        ),
        sections=tuple(parts),
        document={
            "title": title,
            "headline": [item._asdict() for item in statements],
            "verdict": fit.verdict,
            "ci": ci,
            "diagnostics": fit.diagnostics,
            "provenance": source,
        },
        names=_names(fit),
    )


def _names(fit: Fit) -> frozenset[str]:
    """What tables and hypotheses call things."""
    own, dated = fit.observed, fit.spec.trend.changes
    labels = [benchmark_label(name, own) for name in own.benchmarks]
    changes = [change_label(change.name, dated) for change in dated]
    return frozenset((*own.systems, *own.releases, *own.organisations, *labels, *changes))


def chosen(names: list[str], wanted: Collection[str] | None) -> list[str]:
    """Names of sections that are wanted, in the order of the report.

    Raises
    ------
    DensingError
        If there is no section of a name.
    """
    for name in wanted or ():
        if name not in names:
            hint = did_you_mean(name, names, f"there are {', '.join(names)}")
            raise DensingError(f"no section '{name}' in the report{hint}")
    return [name for name in names if wanted is None or name in wanted]


def _warning(fit: Fit) -> str:
    if fit.verdict == "PASS":
        return ""
    modes = fit.verdict == "MULTIMODAL"
    first = "This posterior has several modes." if modes else "This fit has not converged."
    return f"{first} {sentences.verdict_sentence(fit)}"
