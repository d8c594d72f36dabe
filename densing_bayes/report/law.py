"""The report of a loss law alone."""

from __future__ import annotations

from densing_bayes.errors import DensingError
from densing_bayes.report.request import ReportWanted


def law_report_files(wanted: ReportWanted) -> dict[str, bytes] | None:
    """Contents of the files of the report of a loss law, by name; None if the fit is none.

    Raises
    ------
    DensingError
        If something is asked for that only a joint fit has.
    """
    from densing_bayes.corollaries.scaling.model import LawFit, is_law_file
    from densing_bayes.corollaries.scaling.section import TITLE, law_report
    from densing_bayes.report.files import report_files

    if wanted.fit is None or not is_law_file(wanted.fit):
        return None
    if wanted.beside or wanted.hypotheses is not None or wanted.data is not None:
        raise DensingError(
            f"{wanted.fit} is a fit of a loss law, without systems: leave --beside, --hypotheses "
            f"and --data out"
        )
    fit = LawFit.load(wanted.fit)
    report = law_report(fit, wanted.ci, title=wanted.title or TITLE, wanted=wanted.sections)
    return report_files(report, wanted.formats, wanted.look)
