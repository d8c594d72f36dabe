"""Score curves of a joint fit, collapsed to the few numbers that differences of ability need.

For a benchmark linked through its loss, z = top - gap, gap = c exp(-exponent ln Neff): with ln
Neff higher by ``shift`` the gap to the asymptote shrinks by exp(-exponent shift), whatever c is.
So floor, ceiling, top (z of a model of infinite size on D0 tokens) and exponent are all that a
pair of systems needs. For one linked directly z rises by discrimination x shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import logit

from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.result import Fit

LEAST_TOP = 0.01  # an asymptote below the midpoint of the curve, in units of z


class CurveShape(NamedTuple):
    """Curves of benchmarks; the last axis is the benchmark. numpy or PyTensor."""

    floor: Any
    ceiling: Any
    top: Any  # of the loss-linked benchmarks only
    rate: Any  # exponent, or discrimination where the link is direct


@dataclass(frozen=True)
class ScoreCurves:
    """Normal approximation to the posterior of score curves, on the unbounded scale.

    Attributes
    ----------
    benchmarks
        Names; those linked through their loss come first.
    loss_linked
        Number of benchmarks that are linked through their loss.
    guessed
        Whether guessing scores above 0, per benchmark; else the floor is the exponential of its
        coordinate.
    items
        Effective number of items, per benchmark.
    mean, factor
        Mean and Cholesky factor of the coordinates: floors (or their logs), logits of the
        ceilings, logs of the tops, logs of the rates.
    """

    benchmarks: tuple[str, ...]
    loss_linked: int
    guessed: NDArray[np.bool_]
    items: Floats
    mean: Floats
    factor: Floats

    def shape_of(self, coordinates: Any) -> CurveShape:
        """Curves at coordinates (their last axis); a numpy array or a PyTensor vector."""
        count = len(self.benchmarks)
        raw, rest = coordinates[..., :count], coordinates[..., count:]
        guessed = self.guessed.astype(float)
        floor = guessed * raw + (1.0 - guessed) * np.exp((1.0 - guessed) * raw)
        ceiling = 1.0 / (1.0 + np.exp(-rest[..., :count]))
        rest = rest[..., count:]
        top = np.exp(rest[..., : self.loss_linked])
        return CurveShape(floor, ceiling, top, np.exp(rest[..., self.loss_linked :]))


def scored(
    curve: CurveShape, scale: Any, lift: Any, k: NDArray[np.int64], zero_shot: Floats
) -> tuple[Any, Any]:
    """Floor, and span from floor to ceiling, of benchmarks ``k`` as a protocol scores them.

    ``zero_shot`` is 1 where the floor is lifted and the span scaled, 0 where the panel's protocol
    holds; numpy or PyTensor.
    """
    floor = curve.floor[k] + zero_shot * lift[k]
    return floor, (curve.ceiling - curve.floor)[k] * (1.0 + zero_shot * (scale[k] - 1.0))


def curve_draws(fit: Fit) -> xr.Dataset:
    """Floor, ceiling, top and rate of every benchmark of a fit, draw by draw.

    Returns
    -------
    xarray.Dataset
        ``floor``, ``ceiling``, ``rate`` with dims (chain, draw, benchmark) and ``top`` with dims
        (chain, draw, loss_benchmark).
    """
    observed, draws = fit.observed, fit.posterior
    dims = ("chain", "draw", "benchmark")
    loss = draws["irreducible_loss"] + draws["tokens_loss"] * np.exp(
        -draws["tokens_exponent"] * observed.log_reference_tokens
    )
    top = draws["steepness"] * (draws["midpoint"] - loss)
    rates = [
        draws["params_exponent"].transpose("chain", "draw", "loss_benchmark").to_numpy(),
        draws["discrimination"].transpose("chain", "draw", "direct_benchmark").to_numpy(),
    ]
    return xr.Dataset(
        {
            "floor": draws["floor"].transpose(*dims),
            "ceiling": draws["ceiling"].transpose(*dims),
            "top": top.transpose("chain", "draw", "loss_benchmark"),
            "rate": (dims, np.concatenate(rates, axis=-1)),
        }
    )


def collapse(fit: Fit) -> ScoreCurves:
    """Fit the normal approximation to the posterior draws of the curves of a joint fit."""
    observed, draws = fit.observed, curve_draws(fit)
    guessed = observed.chance > 0
    floor = draws["floor"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        floor = np.where(guessed, floor, np.log(floor))
    coordinates = np.concatenate(
        [
            floor,
            logit(draws["ceiling"].to_numpy()),
            np.log(np.maximum(draws["top"].to_numpy(), LEAST_TOP)),
            np.log(draws["rate"].to_numpy()),
        ],
        axis=-1,
    )
    flat = coordinates.reshape(-1, coordinates.shape[-1])
    covariance = np.cov(flat, rowvar=False)
    jitter = 1e-9 * np.diag(np.diag(covariance)) + 1e-12 * np.eye(len(covariance))
    items = [
        observed.cell_items[observed.cell_benchmark == k].max()
        for k in range(len(observed.benchmarks))
    ]
    return ScoreCurves(
        benchmarks=observed.benchmarks,
        loss_linked=len(observed.loss_benchmarks),
        guessed=guessed,
        items=np.array(items, float),
        mean=flat.mean(axis=0),
        factor=np.linalg.cholesky(covariance + jitter),
    )
