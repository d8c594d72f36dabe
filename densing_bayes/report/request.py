"""The report of the command line: which fits, what is done ahead, and files that are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from densing_bayes.inputs.default import DEFAULT
from densing_bayes.report.look import PLAIN, Look

if TYPE_CHECKING:
    from densing_bayes.ledger.terms import Judgeable
    from densing_bayes.posterior.result import Fit
    from densing_bayes.progress import Steps

IDENTITY = ("spec_hash", "data_hash", "tables_hash", "seed", "created")  # of a fit, in provenance


SECTIONS = {  # seconds of the longer steps that follow
    "section 'shelf-lives'": 8.0,
    "section 'claims'": 8.0,
    "files": 4.0,
}


class ReportWanted(NamedTuple):
    """What is asked of a report; names and paths as the command takes them."""

    fit: Path | None  # the built-in fit by default
    beside: tuple[Path, ...]
    sections: tuple[str, ...] | None
    corollaries: bool
    hypotheses: tuple[str, ...] | None
    data: str | None
    title: str | None
    formats: tuple[str, ...]
    ci: float
    look: Look = PLAIN


def report_made(wanted: ReportWanted) -> tuple[Fit, dict[str, bytes]]:
    """The fit of a report, and the contents of its files by name.

    What takes long is done ahead, in processes side by side. The files are kept: while neither
    fits, wishes nor package change, they are taken from the store.
    """
    from densing_bayes.display.terminal import load_fit
    from densing_bayes.fitting.built_in import built_in_fit
    from densing_bayes.fitting.store import kept_files, store_folder
    from densing_bayes.ledger.ledger import check_panels

    fits = None if wanted.fit is None else [load_fit(wanted.fit)]
    beside: list[Judgeable] = [load_fit(path) for path in wanted.beside]
    if beside:  # they are there for the claims, which are about densities of a reference family
        check_panels([*(fits or []), *beside])

    def make() -> dict[str, bytes]:
        return _made(wanted, fits, beside)

    if wanted.hypotheses is not None or "pdf" in wanted.formats or wanted.data is not None:
        files = make()
    else:  # what the built-in fits say depends on the package alone
        given = [*(fits or []), *beside]
        identities = [[each.provenance.get(name) for name in IDENTITY] for each in given]
        asked = wanted._replace(fit=None, beside=())
        beside_them = sorted(
            path.name
            for kind in ("averaged", "tokens")
            for path in store_folder().glob(f"{kind}-*.json")
        )
        files = kept_files("report", [identities, asked, beside_them], make, store_folder())
    return built_in_fit(DEFAULT) if fits is None else fits[0], files


def _made(
    wanted: ReportWanted, fits: list[Fit] | None, beside: list[Judgeable]
) -> dict[str, bytes]:
    """Contents of the files of a report: of some fits, or of the built-in ones."""
    from densing_bayes.fitting.built_in import built_in_fit
    from densing_bayes.fitting.engine.machine import is_compiled
    from densing_bayes.ledger.ledger import table_fits
    from densing_bayes.progress import Steps, expected
    from densing_bayes.report.ahead import EXPECTED, for_claims, for_sections, run

    judged = wanted.sections is None or "claims" in wanted.sections
    judged &= fits is None or not fits[0].observed.without_runs
    others = fits is None and not beside and judged
    errands = for_claims(
        [name for name, needed in ((DEFAULT, fits is None), ("paper", others)) if needed],
        tables=judged,
    )
    if fits is None and wanted.corollaries:
        errands += for_sections(wanted.sections, wanted.ci)
    seconds = {each.step: EXPECTED[each.step] for each in errands} | SECTIONS
    with Steps(*expected(seconds, is_compiled())) as steps:
        run(errands, steps)
        fit = built_in_fit(DEFAULT) if fits is None else fits[0]
        if others:
            beside = [built_in_fit("paper")]
        return _files(wanted, fit, [*beside, *(table_fits() if judged else [])], steps)


def _files(
    wanted: ReportWanted, fit: Fit, beside: list[Judgeable], steps: Steps
) -> dict[str, bytes]:
    from densing_bayes.corollaries.sections import corollary_sections
    from densing_bayes.evaluation.hypotheses.comparison import compare
    from densing_bayes.inputs.panel import load_panel
    from densing_bayes.report.assembly import TITLE, make_report
    from densing_bayes.report.files import report_files

    more: dict[str, Any] | None = None
    if wanted.corollaries:
        more = corollary_sections(fit, wanted.ci)
    panel = None if wanted.data is None else load_panel(wanted.data)
    compared = None
    if wanted.hypotheses is not None:
        compared = compare(fit.spec, list(wanted.hypotheses), panel)
    report = make_report(
        fit,
        wanted.ci,
        title=wanted.title or TITLE,
        sections=wanted.sections,
        beside=beside,
        more=more,
        comparison=compared,
        panel=panel,
        steps=steps,
    )
    with steps.step("files"):
        return report_files(report, wanted.formats, wanted.look)
