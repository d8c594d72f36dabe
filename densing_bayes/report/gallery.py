"""Every figure of the package, and the tables behind each."""

from __future__ import annotations

import inspect
from typing import Any

import pandas as pd

from densing_bayes.corollaries.registered import COROLLARIES
from densing_bayes.display.figures.checks import loo_pit_data
from densing_bayes.display.figures.data import (
    PlotData,
    Source,
    change_date_data,
    frontier_data,
    growth_changes_data,
    growth_data,
    hypotheses_data,
    scaling_data,
    score_links_data,
)
from densing_bayes.errors import DensingError
from densing_bayes.evaluation.checks import Checks
from densing_bayes.evaluation.hypotheses.table import Comparison
from densing_bayes.ledger.figures import claims_data
from densing_bayes.posterior.estimates import check_ci
from densing_bayes.posterior.result import CI, Fit

OF_FIGURES = {
    "frontier": Source(frontier_data, Fit, "a fit"),
    "growth": Source(growth_data, Fit, "a fit"),
    "scaling": Source(scaling_data, Fit, "a fit"),
    "score_links": Source(score_links_data, Fit, "a fit"),
    "change_date": Source(change_date_data, Fit, "a fit"),
    "hypotheses": Source(hypotheses_data, Comparison, "a comparison of hypotheses"),
    "growth_changes": Source(growth_changes_data, Comparison, "a comparison of hypotheses"),
    "loo_pit": Source(loo_pit_data, Checks, "checks of a fit"),
    "claims": Source(claims_data, pd.DataFrame, "a ledger of claims"),
} | {
    name: source for corollary in COROLLARIES for name, source in corollary.parts().figures.items()
}
"""Every figure, by the rest of the name of its ``plot_`` function."""


def get_plot_data(figure: str, of: Any, ci: float = CI, **options: Any) -> PlotData:
    """The tables behind a figure.

    Parameters
    ----------
    figure
        The rest of the name of its ``plot_`` function: "frontier", "score_fan", "compression", ...
    of
        What that function takes first: a fit, a comparison of hypotheses, a ledger of claims, ...
    ci
        Probability of the intervals and bands.
    **options
        Whatever else that function takes and the tables depend on, such as ``params`` and
        ``benchmark`` of "score_fan".

    Returns
    -------
    dict of pandas.DataFrame
        What is drawn, by name; the function ``<figure>_data`` beside the figure says what is in
        it.

    Raises
    ------
    DensingError
        If there is no such figure, it is not one of ``of``, an option is missing or unknown, or
        ``ci`` is not a probability.
    """
    check_ci(ci)
    if figure not in OF_FIGURES:
        raise DensingError(f"no figure '{figure}'; use one of {', '.join(OF_FIGURES)}")
    make, takes, words = OF_FIGURES[figure]
    if not isinstance(of, takes):
        raise DensingError(f"figure '{figure}' is of {words}, not of a {type(of).__name__}")
    try:
        bound = inspect.signature(make).bind(of, ci, **options)
    except TypeError as error:
        known = ", ".join(list(inspect.signature(make).parameters)[2:]) or "none"
        raise DensingError(f"figure '{figure}': {error}; its options are: {known}") from error
    return make(*bound.args, **bound.kwargs)
