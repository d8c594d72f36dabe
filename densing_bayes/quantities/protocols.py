"""How far protocols disagree: what each reads on a system of middling score, and how noisily."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from densing_bayes.errors import DensingError
from densing_bayes.posterior.estimates import SAMPLE, check_ci
from densing_bayes.posterior.result import CI, Fit

LEAST = 1e-3  # distance from floor and ceiling that a share of their distance is kept at


def protocol_differences(fit: Fit, ci: float = CI) -> pd.DataFrame:
    """What each protocol reads beside the anchor of its benchmark.

    Parameters
    ----------
    fit
        A fit whose specification has ``[performance.protocols]``.
    ci
        Probability of the intervals.

    Returns
    -------
    pandas.DataFrame
        A row per benchmark and protocol beside the anchors: ``benchmark``, ``protocol``,
        ``anchor``; ``systems`` that it has measured and those that the anchor has, too (``both``);
        ``at``, the median score of systems on the benchmark, and the ``difference`` that it reads
        on a system of which the anchor reads that (median, ``_lower``, ``_upper``); ``noise``,
        scale of its noise at a score of one half, and ``anchor_noise``.

    Raises
    ------
    DensingError
        If the fit has one protocol a benchmark.
    """
    check_ci(ci)
    observed, draws = fit.observed, fit.posterior
    if not observed.measures:
        raise DensingError(
            "this fit has one score a cell and no offsets of protocols; give its specification a "
            "table [performance.protocols]"
        )
    tail = (1.0 - ci) / 2.0
    of_anchor = observed.cell_measure < 0
    rows = []
    for i, label in enumerate(observed.measures):
        benchmark, protocol = label.split("|")
        k = int(observed.measure_benchmark[i])
        first = observed.cell_measure == i
        again = observed.repeat_cell[observed.repeat_measure == i]
        at = float(np.median(observed.score[observed.cell_benchmark == k]))
        difference = _difference(fit, benchmark, label, at)
        lower, median, upper = np.quantile(difference, [tail, 0.5, 1.0 - tail])
        noise = draws["measure_noise"].sel(measure=label)
        row: dict[str, Any] = {
            "benchmark": benchmark,
            "protocol": protocol,
            "anchor": _anchor(fit, benchmark),
            "systems": int(first.sum()) + len(again),
            "both": int(of_anchor[again].sum()),
            "at": at,
            "difference": median,
            "difference_lower": lower,
            "difference_upper": upper,
            "noise": float(noise.median()),
            "anchor_noise": float(draws["protocol_noise"].sel(benchmark=benchmark).median()),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _anchor(fit: Fit, benchmark: str) -> str:
    return (fit.spec.benchmarks[benchmark].protocols or fit.spec.panel.protocols)[0]


def _difference(fit: Fit, benchmark: str, label: str, at: float) -> np.ndarray:
    """Score under a protocol less that under the anchor, where the latter is ``at``; all draws."""
    draws = fit.posterior
    floor, ceiling = (
        draws[name].sel(benchmark=benchmark).transpose(*SAMPLE).to_numpy().ravel()
        for name in ("floor", "ceiling")
    )
    offset = draws["protocol_offset"].sel(measure=label).transpose(*SAMPLE).to_numpy().ravel()
    share = np.clip((at - floor) / (ceiling - floor), LEAST, 1.0 - LEAST)
    return np.asarray((ceiling - floor) * (expit(logit(share) + offset) - share))
