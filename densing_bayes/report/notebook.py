"""How a notebook shows a fit and a comparison: as the sections that answer about them."""

from __future__ import annotations

import html

from densing_bayes.display.answers.hypotheses import comparison_section
from densing_bayes.display.answers.trend import trend_section
from densing_bayes.display.headline import headline
from densing_bayes.display.pages import notebook_section
from densing_bayes.display.sentences import counts_sentence, marked
from densing_bayes.evaluation.hypotheses.averaged import averaged_of
from densing_bayes.evaluation.hypotheses.table import Comparison
from densing_bayes.evaluation.token_range import over_tokens_of
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.summary import trend_summary
from densing_bayes.report.sections.basis import diagnostics_section


def notebook_fit(fit: Fit) -> str:
    """A fit: its headline, the trend, and whether it has converged."""
    trend = trend_summary(fit, averaged=averaged_of(fit), over_tokens=over_tokens_of(fit))
    said = [marked(fit.verdict, each.sentence) for each in headline(fit, trend)]
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in (*said, counts_sentence(fit)))
    sections = (trend_section(fit, trend), diagnostics_section(fit))
    return lines + "".join(map(notebook_section, sections))


def notebook_comparison(comparison: Comparison) -> str:
    """A comparison of hypotheses."""
    return notebook_section(comparison_section(comparison))
