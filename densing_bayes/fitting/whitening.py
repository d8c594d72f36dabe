"""Laplace approximation of the globals, in the coordinates of the conditioned model.

At the origin of the conditioned latents the joint density, Jacobian included, is close to the
marginal density of the globals: each latent sits at its conditional mode and carries its
conditional precision. So the mode and the curvature in the globals alone give their posterior
covariance, and with it the whitening that the sampler starts from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from densing_bayes.errors import FitError
from densing_bayes.fitting.coordinates.conditioned import Conditioned, coordinates_of
from densing_bayes.fitting.engine.functions import Engine
from densing_bayes.inputs.families import Normal
from densing_bayes.observed.arrays import Floats

ROUNDS = 60
MODE_ROUNDS = 3  # for the cells alone, where all else is known
ALIKE = 0.85  # share of the cells of two fits that both saw, from which one whitening serves both
HALVINGS = 12  # of a step that does not lead down
LONGEST = 2.0  # move of one coordinate in a round, in standard deviations
SETTLED = 0.05  # moves below which the search ends
# Step of the central differences in whitened units: a tenth of a standard deviation averages over
# the bends that cells at the floor put into the profile.
STEP = 0.1
WIDEST = 2.0  # standard deviation of any global: none has a wider prior


class Whitening(NamedTuple):
    """Constants of the conditioned model: they change how fast it samples, not its density."""

    globals_centre: Floats
    globals_scale: Floats
    cell_mode: Floats

    def dataset(self, conditioned: Conditioned, idle: Collection[str] = ()) -> xr.Dataset:
        """The constants with the names of their coordinates, as a fit keeps them.

        Without coordinates that are idle: to a fit whose data say something of them, what is known
        here is no use.
        """
        every = list(conditioned.coordinates)
        names = [name for name in every if name not in idle]
        return xr.Dataset(
            {
                "centre": ("coordinate", self.globals_centre[[every.index(n) for n in names]]),
                "scale": (("coordinate", "direction"), _among(self.globals_scale, every, names)),
                "cell_mode": ("cell", self.cell_mode),
            },
            coords={"coordinate": names, "cell": list(conditioned.observed.cell_label)},
        )


def _among(scale: Floats, every: list[str], names: list[str]) -> Floats:
    """Cholesky factor of the covariance that some of the coordinates have among them."""
    rows = scale[[every.index(name) for name in names]]
    return rows if names == every else np.linalg.cholesky(rows @ rows.T)


def whitening_near(
    conditioned: Conditioned, engine: Engine, pilot: xr.Dataset, idle: Mapping[str, Normal]
) -> Whitening | None:
    """Take over the constants of a like fit.

    The model's constants are moved to that fit's as far as they agree. Where it has all
    coordinates, or some besides, and saw much the same cells, its constants serve, with the modes
    of the cells found anew. Otherwise :func:`laplace` has to go on from there, and nothing is
    returned.

    Parameters
    ----------
    conditioned, engine
        The conditioned model and its functions.
    pilot
        Of :meth:`Whitening.dataset`.
    idle
        Coordinates of which the data say nothing, with their priors.
    """
    names, cells = list(conditioned.coordinates), list(conditioned.observed.cell_label)
    model = conditioned.model
    centre = dict(zip(pilot["coordinate"].values, pilot["centre"].values, strict=True))
    centre |= {name: prior.mu for name, prior in idle.items()}
    modes = dict(zip(pilot["cell"].values, pilot["cell_mode"].values, strict=True))
    for data, labels, there in (("globals_centre", names, centre), ("cell_mode", cells, modes)):
        own = zip(labels, model[data].get_value(), strict=True)
        model[data].set_value(np.array([there.get(label, value) for label, value in own]))
    seen = {
        cell for cell, weight in zip(cells, model["cell_seen"].get_value(), strict=True) if weight
    }
    saw, has = set(pilot["cell"].values), list(pilot["coordinate"].values)
    known = [name for name in names if name not in idle]
    if not set(known) <= set(has) or len(seen & saw) < ALIKE * len(seen | saw):
        return None
    whole = np.diag([idle[name].sigma if name in idle else 1.0 for name in names])
    at = [names.index(name) for name in known]
    whole[np.ix_(at, at)] = _among(pilot["scale"].to_numpy(), has, known)
    model["globals_scale"].set_value(whole)
    for _ in range(MODE_ROUNDS):
        model["cell_mode"].set_value(_cells_at_centre(conditioned, engine))
    return Whitening(*(model[name].get_value() for name in Whitening._fields))


def whitened(conditioned: Conditioned, whitening: Whitening, point: dict[str, Floats]) -> Floats:
    """Whitened globals of a point of the plain model's value variables."""
    at = coordinates_of(point, list(conditioned.names), conditioned.observed, conditioned.curve)
    return np.linalg.solve(whitening.globals_scale, at - whitening.globals_centre)


def _at_constants(conditioned: Conditioned, engine: Engine) -> Engine:
    """The functions with the constants that the model holds."""
    held = {name: conditioned.model[name].get_value() for name in Whitening._fields}
    return engine.with_data(**held)


def _cells_at_centre(conditioned: Conditioned, engine: Engine) -> Floats:
    """Log Neff of the cells where all coordinates are zero."""
    return _at_constants(conditioned, engine).expanded(np.zeros(engine.size))[
        "log_effective_params"
    ]


def laplace(conditioned: Conditioned, engine: Engine) -> Whitening:
    """Find the mode and the whitening, starting from the constants that the model holds.

    Parameters
    ----------
    conditioned
        The conditioned model.
    engine
        Its functions.

    Raises
    ------
    FitError
        If the density is not finite at the start.
    """
    data = conditioned.model
    centre, scale, mode = (data[name].get_value() for name in Whitening._fields)
    size = len(centre)
    origin = np.zeros(engine.size)
    log_density = _at_constants(conditioned, engine).log_density()

    def negative(whitened: Floats) -> tuple[float, Floats]:
        position = origin.copy()
        position[:size] = whitened
        value, gradient = log_density(position)
        return -value, -gradient[:size]

    def refresh() -> None:
        nonlocal log_density
        for name, value in zip(Whitening._fields, (centre, scale, mode), strict=True):
            data[name].set_value(value)
        log_density = _at_constants(conditioned, engine).log_density()

    value, gradient = negative(np.zeros(size))
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        raise FitError(
            "the joint density is not finite at the least-squares start: look for scores or sizes "
            "far outside the others (densing-bayes data validate), or for very narrow priors"
        )
    for _ in range(ROUNDS):
        steps = STEP * np.eye(size)
        hessian = np.array([(negative(e)[1] - negative(-e)[1]) / (2 * STEP) for e in steps])
        if not np.isfinite(hessian).all():
            break
        scale = _whiten((hessian + hessian.T) / 2, scale)
        refresh()
        step = _downhill(negative, size)
        centre = centre + scale @ step
        refresh()
        found = _cells_at_centre(conditioned, engine)
        moved = np.max(np.abs(found - mode), initial=0.0)
        mode = found
        refresh()
        if moved < SETTLED and np.abs(step).max() < SETTLED:
            break
    return Whitening(centre, scale, mode)


def _downhill(negative: Any, size: int) -> Floats:
    """One Newton step in whitened units, shortened until it leads down (or none)."""
    value, gradient = negative(np.zeros(size))
    step = -gradient * min(1.0, LONGEST / np.abs(gradient).max())
    for _ in range(HALVINGS):
        if negative(step)[0] < value:  # false where it is not finite
            return step
        step = step / 2.0
    return np.zeros(size)


def _whiten(hessian: Floats, scale: Floats) -> Floats:
    """Cholesky factor of the inverse curvature, no direction wider than the priors are."""
    inverse = np.linalg.inv(scale)
    values, vectors = np.linalg.eigh(inverse.T @ hessian @ inverse)
    spread = vectors / np.sqrt(np.maximum(values, 1.0 / WIDEST**2))
    return np.linalg.cholesky(spread @ spread.T)


def refine(whitening: Whitening, whitened: Floats, log_effective_params: Floats) -> Whitening:
    """Whitening from pilot draws: their mean and covariance, and the median of the cells.

    Parameters
    ----------
    whitening
        The constants under which the draws were made.
    whitened
        Draws of the global coordinates, (draw, global).
    log_effective_params
        Draws of log Neff, (draw, cell).
    """
    centre, scale, _ = whitening
    draws = centre + whitened @ scale.T
    factor = np.linalg.cholesky(shrunk_covariance(whitened))
    modes = np.median(log_effective_params, axis=0)
    return Whitening(draws.mean(axis=0), scale @ factor, modes)


def shrunk_covariance(draws: Floats) -> Floats:
    """Covariance of draws (draw, coordinate), its correlations shrunk towards zero.

    A few draws of many coordinates make up correlations among them: the shrinkage of least
    expected squared error takes that out (Schafer and Strimmer, Stat. Appl. Genet. Mol. Biol.
    4:32, 2005, with their intensity). Under the whitening of the draws themselves true
    correlations are small.
    """
    count, size = draws.shape
    centred = draws - draws.mean(axis=0)
    spread = np.maximum(centred.std(axis=0), 1e-6)
    z = centred / spread
    correlation = z.T @ z / count
    variance = ((z**2).T @ z**2 / count - correlation**2) / (count - 1)
    off = ~np.eye(size, dtype=bool)
    true = np.sum(correlation[off] ** 2)
    kept = 1.0 - np.clip(np.sum(variance[off]) / true, 0.0, 1.0) if true > 0.0 else 0.0
    return np.outer(spread, spread) * np.where(off, kept * correlation, 1.0)
