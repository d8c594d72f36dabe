"""densing_bayes: a joint Bayesian model of the Densing Law.

The names below are the public interface. They are imported on first use, since PyMC and ArviZ
take seconds to load.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from densing_bayes.fitting import Fit, fit
    from densing_bayes.model import build_model
    from densing_bayes.spec import ModelSpec, list_specs, load_spec
    from densing_bayes.tables import Panel, export_panel, list_panels, load_events, load_panel

__version__ = "0.1.0"

_HOME = {
    "Panel": "tables",
    "load_panel": "tables",
    "list_panels": "tables",
    "load_events": "tables",
    "export_panel": "tables",
    "ModelSpec": "spec",
    "load_spec": "spec",
    "list_specs": "spec",
    "build_model": "model",
    "Fit": "fitting",
    "fit": "fitting",
}

__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"densing_bayes.{_HOME[name]}"), name)
    raise AttributeError(f"module 'densing_bayes' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
