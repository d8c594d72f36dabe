"""densing_bayes: a joint Bayesian model of the Densing Law.

The names below are the public interface. They are imported on first use, since PyMC and ArviZ
take seconds to load.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from densing_bayes.shown import RENDERERS

if TYPE_CHECKING:
    from densing_bayes.evaluation.backtests.backtests import backtest, score
    from densing_bayes.evaluation.backtests.unseen import predict
    from densing_bayes.evaluation.checks import Checks, check
    from densing_bayes.evaluation.hypotheses.averaging import average
    from densing_bayes.evaluation.hypotheses.comparison import compare
    from densing_bayes.evaluation.hypotheses.table import Comparison
    from densing_bayes.evaluation.token_range import average_over_tokens, over_tokens
    from densing_bayes.fitting.fit import fit
    from densing_bayes.inputs.foreign.imported import Imported
    from densing_bayes.inputs.foreign.importing import import_scores
    from densing_bayes.inputs.hypothesis import Hypothesis
    from densing_bayes.inputs.panel import Panel, export_panel, list_panels, load_events, load_panel
    from densing_bayes.inputs.specification import (
        ModelSpec,
        list_hypotheses,
        list_specs,
        load_hypothesis,
        load_spec,
    )
    from densing_bayes.joint.model import build_model
    from densing_bayes.ledger.ledger import claims, load_claims
    from densing_bayes.posterior.estimates import estimate
    from densing_bayes.posterior.result import Fit
    from densing_bayes.quantities.densities import densities, density_table
    from densing_bayes.quantities.forecasts import forecast_date, params_needed
    from densing_bayes.quantities.growth import (
        benchmark_growth,
        doubling_time,
        estimand_growth,
        frontier,
        growth,
        growth_rate,
    )
    from densing_bayes.quantities.paper_estimator import estimate_as_paper
    from densing_bayes.quantities.predictive import predictive
    from densing_bayes.quantities.shelf_life import (
        frontier_shelf_life,
        shelf_life,
        shelf_life_table,
    )
    from densing_bayes.quantities.summary import forecast_summary, trend_summary
    from densing_bayes.report.assembly import make_report
    from densing_bayes.report.files import write_report
    from densing_bayes.report.gallery import get_plot_data
    from densing_bayes.report.look import report_look

__version__: str  # read on first use

_HOME = {
    "inputs.panel": (
        "Panel",
        "load_panel",
        "list_panels",
        "load_events",
        "export_panel",
    ),
    "inputs.foreign.imported": ("Imported",),
    "inputs.foreign.importing": ("import_scores",),
    "inputs.specification": (
        "ModelSpec",
        "load_spec",
        "list_specs",
        "load_hypothesis",
        "list_hypotheses",
    ),
    "inputs.hypothesis": ("Hypothesis",),
    "joint.model": ("build_model",),
    "posterior.result": ("Fit",),
    "fitting.fit": ("fit",),
    "quantities.predictive": ("predictive",),
    "evaluation.backtests.unseen": ("predict",),
    "evaluation.backtests.backtests": (
        "backtest",
        "score",
    ),
    "posterior.estimates": ("estimate",),
    "quantities.growth": (
        "growth",
        "growth_rate",
        "benchmark_growth",
        "estimand_growth",
        "doubling_time",
        "frontier",
    ),
    "quantities.densities": (
        "densities",
        "density_table",
    ),
    "quantities.shelf_life": (
        "shelf_life",
        "shelf_life_table",
        "frontier_shelf_life",
    ),
    "quantities.forecasts": (
        "params_needed",
        "forecast_date",
    ),
    "quantities.summary": (
        "forecast_summary",
        "trend_summary",
    ),
    "evaluation.checks": (
        "Checks",
        "check",
    ),
    "evaluation.hypotheses.table": ("Comparison",),
    "evaluation.hypotheses.comparison": ("compare",),
    "evaluation.hypotheses.averaging": ("average",),
    "evaluation.token_range": (
        "over_tokens",
        "average_over_tokens",
    ),
    "quantities.paper_estimator": ("estimate_as_paper",),
    "ledger.ledger": (
        "claims",
        "load_claims",
    ),
    "report.gallery": ("get_plot_data",),
    "report.assembly": ("make_report",),
    "report.files": ("write_report",),
    "report.look": ("report_look",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Checks", "Comparison", "Fit", "Hypothesis", "Imported", "ModelSpec", "Panel", "__version__",
    "average", "average_over_tokens", "backtest", "benchmark_growth", "build_model", "check",
    "claims", "compare",
    "densities", "density_table", "doubling_time", "estimand_growth", "estimate",
    "estimate_as_paper", "export_panel", "fit", "forecast_date", "forecast_summary", "frontier",
    "frontier_shelf_life", "get_plot_data", "growth", "growth_rate", "import_scores",
    "list_hypotheses", "list_panels", "list_specs", "load_claims", "load_events", "load_hypothesis",
    "load_panel", "load_spec", "make_report", "over_tokens", "params_needed", "predict",
    "predictive", "report_look", "score", "shelf_life", "shelf_life_table", "trend_summary",
    "write_report",
]  # fmt: skip


_SHOWN_BY = {  # how a notebook shows results, by the name of their class
    "Section": ("display.pages", "notebook_section"),
    "Fit": ("report.notebook", "notebook_fit"),
    "Comparison": ("report.notebook", "notebook_comparison"),
}


def _shown(kind: str) -> Callable[[Any], str]:
    module, name = _SHOWN_BY[kind]
    return lambda result: getattr(import_module(f"densing_bayes.{module}"), name)(result)


RENDERERS |= {kind: _shown(kind) for kind in _SHOWN_BY}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name in _MODULE_OF:
        return getattr(import_module(f"densing_bayes.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'densing_bayes' has no attribute '{name}'")


def _version() -> str:
    """Version of the installed package, which its build took from the tags of the repository."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("densing-bayes")
    except PackageNotFoundError:
        return "unknown"  # source files on the path, installed nowhere


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
