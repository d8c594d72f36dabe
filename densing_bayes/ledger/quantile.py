"""A frontier as an upper quantile: the line below which nine in ten releases lie, at any date.

The frontier of the joint model has the slope of the mean unless its shortfall may drift, and then
still the shape of a half-normal. A quantile says how the best grow without a law of the shortfall.
It is read off densities: each posterior draw of them, or densities that somebody plotted, gets
the line of least check loss (Koenker and Bassett 1978) under weights of a Bayesian bootstrap of
releases (Rubin 1981; Chamberlain and Imbens 2003), so that errors of the densities and the luck of
which releases there were both widen the answer. An asymmetric Laplace density has the same mode,
but its scale decides how wide its intervals are, and no release scatters by it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy.optimize import linprog

from densing_bayes.corollaries.trends.exponential import ExponentialFit
from densing_bayes.corollaries.trends.kept import kept_draws
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.inputs.hypothesis import LineSpec
from densing_bayes.joint.line import Dated
from densing_bayes.observed.arrays import Floats, Ints
from densing_bayes.posterior.result import Fit

QUANTILE = 0.9
DRAWS = 500  # of the posterior, evenly spaced, each with weights of its own


def quantile_growth(
    fit: Fit | ExponentialFit, q: float = QUANTILE, *, draws: int = DRAWS, seed: int = SEED
) -> xr.Dataset:
    """Growth rate of an upper quantile of densities, before and after the changes of the trend.

    Parameters
    ----------
    fit
        Whose draws of log density are used, and whose changes the line has. Of densities that were
        plotted there is one value each, taken as exact.
    q
        Share of the releases that lie below the line; a release with several systems counts once.
    draws
        Number of draws.
    seed
        Of the weights.

    Returns
    -------
    xarray.Dataset
        ``before``, ``after``, ``change`` in 1/day, dims (chain, draw), one chain. There is no prior
        but a flat one.

    Raises
    ------
    DensingError
        If the trend has no changes at known dates alone, or ``q`` is not a share.
    """
    if not 0.0 < q < 1.0:
        raise DensingError(f"q = {q} is not a share of the releases; use for instance {QUANTILE}")
    spec: LineSpec
    dated: Dated
    if isinstance(fit, ExponentialFit):
        spec, dated, time = fit.spec, fit.points, fit.points.last
        values, unit = fit.points.log_high[None], np.arange(len(time))
        more: tuple[Floats, ...] = ()
    else:
        spec, dated, time = fit.spec.trend, fit.observed, fit.observed.time
        values = fit.posterior["log_density"].transpose("chain", "draw", "system").to_numpy()
        values, unit = values.reshape(-1, len(time)), fit.observed.system_release
        size = fit.observed.log_params - fit.observed.mean_log_params
        more = (size,) if fit.spec.trend.size_slope else ()
    columns, slopes = _columns(spec, dated, time)
    chosen = np.linspace(0, len(values) - 1, draws).round().astype(int)
    lines = quantile_lines(
        values[chosen], np.stack([*columns, *more], axis=1), unit, q, np.random.default_rng(seed)
    )
    before = lines[:, 1] / DAYS_PER_YEAR
    after = lines[:, slopes].sum(axis=1) / DAYS_PER_YEAR
    sample = ("chain", "draw")
    parts = {"before": before, "after": after, "change": after - before}
    return xr.Dataset({name: (sample, rate[None]) for name, rate in parts.items()})


def kept_quantile_growth(fit: Fit) -> xr.Dataset:
    """As :func:`quantile_growth` by default, from the store or kept there."""
    source = fit.provenance
    names = ("spec_hash", "data_hash", "seed", "created")
    key = [str(source.get(name)) for name in names]
    return kept_draws("quantile", key, lambda: {"growth": quantile_growth(fit)}, __name__)["growth"]


def _columns(spec: LineSpec, dated: Dated, time: Floats) -> tuple[list[Floats], list[int]]:
    """Columns of the design, level and time first; those whose factors sum to the last rate."""
    if spec.smooth is not None or spec.saturation is not None or spec.undated:
        raise DensingError(
            "a quantile of the densities needs changes at known dates: the trend of this fit is "
            "smooth, levels off, or leaves a date to the data"
        )
    columns, slopes = [np.ones_like(time), time], [1]
    for change, at in zip(spec.changes, dated.change_earliest, strict=True):
        if change.slope:
            slopes.append(len(columns))
            columns.append(np.maximum(time - at, 0.0))
        if change.level:
            columns.append((time >= at).astype(float))
    return columns, slopes


def quantile_lines(
    values: Floats,
    design: Floats,
    unit: Ints | Sequence[int],
    q: float,
    random: np.random.Generator,
) -> Floats:
    """Coefficients of least check loss for each set of values, under bootstrap weights of units.

    Parameters
    ----------
    values
        Shape (set, point).
    design
        Shape (point, coefficient).
    unit
        Unit of each point: a unit has one weight, which its points share.
    q
        Quantile.
    random
        Generator of the weights.

    Returns
    -------
    numpy.ndarray
        Shape (set, coefficient).
    """
    _, unit, count = np.unique(unit, return_inverse=True, return_counts=True)
    found = np.empty((len(values), design.shape[1]))
    for i, own in enumerate(values):
        weight = random.standard_exponential(len(count))
        each = weight[unit] / count[unit]
        each /= each.mean()
        found[i] = quantile_line(own, design, each, q)
    return found


def quantile_line(values: Floats, design: Floats, weight: Floats, q: float) -> Floats:
    """Coefficients that minimise the sum of weights times check losses.

    By the dual: residual signs d between -(1 - q) w and q w, orthogonal to the design; the
    multipliers of that are the coefficients.
    """
    solved = linprog(
        -values,
        A_eq=design.T,
        b_eq=np.zeros(design.shape[1]),
        bounds=np.stack([(q - 1.0) * weight, q * weight], axis=1).tolist(),
        method="highs-ds",
    )
    return np.asarray(-solved.eqlin.marginals)
