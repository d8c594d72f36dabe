"""densing_bayes: a joint Bayesian model of the Densing Law.

The names below are the public interface. They are imported on first use, since PyMC and ArviZ
take seconds to load.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from densing_bayes.averaging import average
    from densing_bayes.backtests import backtest, score
    from densing_bayes.checks import Checks, check
    from densing_bayes.comparison import Comparison, compare
    from densing_bayes.fits import Fit
    from densing_bayes.fitting import fit
    from densing_bayes.forecasts import forecast_date, forecast_summary, params_needed
    from densing_bayes.gallery import get_plot_data
    from densing_bayes.hypothesis import Hypothesis
    from densing_bayes.importing import Imported, import_scores
    from densing_bayes.least_squares import estimate_as_paper
    from densing_bayes.ledger import claims, load_claims
    from densing_bayes.model import build_model
    from densing_bayes.prediction import predictive
    from densing_bayes.quantities import (
        benchmark_growth,
        densities,
        density_table,
        doubling_time,
        estimand_growth,
        estimate,
        frontier,
        growth,
        growth_rate,
    )
    from densing_bayes.report import make_report, write_report
    from densing_bayes.shelf import frontier_shelf_life, shelf_life, shelf_life_table
    from densing_bayes.spec import (
        ModelSpec,
        list_hypotheses,
        list_specs,
        load_hypothesis,
        load_spec,
    )
    from densing_bayes.summary import trend_summary
    from densing_bayes.tables import Panel, export_panel, list_panels, load_events, load_panel
    from densing_bayes.unseen import predict

__version__ = "0.1.0"

_HOME = {
    "tables": ("Panel", "load_panel", "list_panels", "load_events", "export_panel"),
    "importing": ("Imported", "import_scores"),
    "spec": ("ModelSpec", "load_spec", "list_specs", "load_hypothesis", "list_hypotheses"),
    "hypothesis": ("Hypothesis",),
    "model": ("build_model",),
    "fits": ("Fit",),
    "fitting": ("fit",),
    "prediction": ("predictive",),
    "unseen": ("predict",),
    "backtests": ("backtest", "score"),
    "quantities": (
        "estimate",
        "growth",
        "growth_rate",
        "benchmark_growth",
        "estimand_growth",
        "doubling_time",
        "frontier",
        "densities",
        "density_table",
    ),
    "shelf": ("shelf_life", "shelf_life_table", "frontier_shelf_life"),
    "forecasts": ("params_needed", "forecast_date", "forecast_summary"),
    "summary": ("trend_summary",),
    "checks": ("Checks", "check"),
    "comparison": ("Comparison", "compare"),
    "averaging": ("average",),
    "least_squares": ("estimate_as_paper",),
    "ledger": ("claims", "load_claims"),
    "gallery": ("get_plot_data",),
    "report": ("make_report", "write_report"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Checks", "Comparison", "Fit", "Hypothesis", "Imported", "ModelSpec", "Panel", "__version__",
    "average", "backtest", "benchmark_growth", "build_model", "check", "claims", "compare",
    "densities", "density_table", "doubling_time", "estimand_growth", "estimate",
    "estimate_as_paper", "export_panel", "fit", "forecast_date", "forecast_summary", "frontier",
    "frontier_shelf_life", "get_plot_data", "growth", "growth_rate", "import_scores",
    "list_hypotheses", "list_panels", "list_specs", "load_claims", "load_events", "load_hypothesis",
    "load_panel", "load_spec", "make_report", "params_needed", "predict", "predictive", "score",
    "shelf_life", "shelf_life_table", "trend_summary", "write_report",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(import_module(f"densing_bayes.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'densing_bayes' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
