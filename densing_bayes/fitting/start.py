"""Start values by least squares in two steps, as the paper estimates (arXiv 2412.04315, sec. 3).

First the loss law and the link of each benchmark from the reference runs, then the inversion of
the systems' scores to effective params and a straight line through log density. Residuals of the
priors keep weakly identified parameters finite; nothing of the pilot enters the posterior.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.joint import laws
from densing_bayes.joint.curves import Curves, two_scores
from densing_bayes.joint.least_squares import (
    FEWEST_LOSSES,
    fit_link,
    fit_losses,
    law_of,
    link_score,
    steadied_law,
)
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.observations import Observations

# Log likelihood below the best optimum at which another is no start: a chain there would stay for
# good in a place that the runs exclude (e^-12).
EXCLUDED = 12.0


@dataclass(frozen=True)
class Pilot:
    """Least-squares estimates; arrays over the benchmarks of each link, cells and systems."""

    loss_at_centre: Floats
    irreducible_share: Floats
    params_share: Floats
    params_exponent: Floats
    tokens_exponent: Floats
    floor: Floats
    ceiling: Floats
    steepness: Floats
    midpoint: Floats
    discrimination: Floats
    difficulty: Floats
    token_elasticity: Floats
    log_effective_params: Floats  # of the cells
    log_density: Floats  # of the systems
    trend: Floats  # level, growth before, growth changes
    curve: tuple[Floats, Floats]  # start and rise over benchmarks, where curves are stated so

    def point(self, start: dict[str, Floats]) -> dict[str, Floats]:
        """Point of the model's value variables: ``start`` with the estimates put in."""
        estimates = {
            "loss_at_centre_log__": np.log(self.loss_at_centre),
            "irreducible_share_logodds__": logit(self.irreducible_share),
            "params_share_logodds__": logit(self.params_share),
            "params_exponent_log__": np.log(self.params_exponent),
            "tokens_exponent_log__": np.log(self.tokens_exponent),
            "ceiling_logit": logit(self.ceiling),
            "steepness_log__": np.log(self.steepness),
            "midpoint_log__": np.log(self.midpoint),
            "discrimination_log__": np.log(self.discrimination),
            "difficulty": self.difficulty,
            "token_elasticity_log__": np.log(self.token_elasticity),
            "curve_start": self.curve[0],
            "curve_rise_log__": np.log(self.curve[1]),
            "log_effective_params": self.log_effective_params,
            "log_density": self.log_density,
            "level": self.trend[0],
            "growth_before": self.trend[1],
            "growth_at_origin": self.trend[1],
        }
        if self.params_exponent.size:
            estimates |= {
                "log_params_exponent_mean": np.log(self.params_exponent).mean(),
                "log_tokens_exponent_mean": np.log(self.tokens_exponent).mean(),
            }
        if self.trend.size > 2:
            estimates["growth_change"] = self.trend[2:]
        return start | {name: value for name, value in estimates.items() if name in start}


def pilot(spec: ModelSpec, observed: Observations, exponents: Floats | None = None) -> Pilot:
    """Estimate everything by least squares, one step after the other.

    ``exponents``, alpha and beta of each loss-linked benchmark, say which optimum of its loss law
    to look for; by default the search starts at the medians of their priors.
    """
    priors = spec.scaling
    count = len(observed.loss_benchmarks)
    if exponents is None:
        exponents = np.tile(
            [priors.params_exponent.median, priors.tokens_exponent.median], (count, 1)
        )
    scaling = np.array([_loss_law(spec, observed, i, exponents[i]) for i in range(count)])
    scaling = scaling.reshape(-1, 5)
    links = np.array([_link(spec, observed, i) for i in range(len(observed.benchmarks))]).reshape(
        -1, 5
    )
    split = len(observed.loss_benchmarks)
    log_effective_params = _invert(spec, observed, scaling, links)
    log_density, trend = _line(spec, observed, log_effective_params)
    return Pilot(
        loss_at_centre=scaling[:, 0],
        irreducible_share=scaling[:, 1],
        params_share=scaling[:, 2],
        params_exponent=scaling[:, 3],
        tokens_exponent=scaling[:, 4],
        floor=links[:, 0],
        ceiling=links[:, 1],
        steepness=links[:split, 2],
        midpoint=links[:split, 3],
        discrimination=links[split:, 2],
        difficulty=links[split:, 3],
        token_elasticity=links[split:, 4],
        log_effective_params=log_effective_params,
        log_density=log_density,
        trend=trend,
        curve=_curve(spec, observed, scaling, links),
    )


def loss_optima(spec: ModelSpec, observed: Observations) -> Floats:
    """Exponents at the optima of the loss laws, combinations over benchmarks, best first.

    Returns
    -------
    numpy.ndarray
        alpha and beta, shape (combination, loss benchmark, 2), without those that the runs
        exclude; one combination where each loss law has a single optimum, or where there are too
        few losses to tell.
    """
    found = []
    for benchmark in range(len(observed.loss_benchmarks)):
        rows = observed.loss_benchmark == benchmark
        if rows.sum() < FEWEST_LOSSES:
            return np.empty((1, 0, 2))
        table = fit_losses(
            np.exp(observed.loss_log_params[rows]),
            np.exp(observed.loss_log_tokens[rows]),
            observed.loss[rows],
            relative=True,
            irreducible=spec.scaling.irreducible,
        )
        cost = rows.sum() * np.log(table["rmse"] / table["rmse"].min())
        found.append(list(zip(cost, table["alpha"], table["beta"], strict=True)))
    combined = [(sum(o[0] for o in optima), optima) for optima in itertools.product(*found)]
    near = sorted(pair for pair in combined if pair[0] <= EXCLUDED)
    return np.array([[o[1:] for o in optima] for _, optima in near])


def _loss_law(spec: ModelSpec, observed: Observations, benchmark: int, exponents: Floats) -> Floats:
    """Centre loss, irreducible share, params share and exponents of one benchmark."""
    rows = observed.loss_benchmark == benchmark
    runs = observed.loss_log_params[rows], observed.loss_log_tokens[rows], observed.loss[rows]
    return steadied_law(spec.scaling, *runs, exponents)


def _link(spec: ModelSpec, observed: Observations, benchmark: int) -> Floats:
    """Floor, ceiling, slope, midpoint (and token elasticity) of one benchmark's link."""
    rows = observed.reference_benchmark == benchmark
    split = observed.loss_references
    own = spec.benchmarks[observed.benchmarks[benchmark]].ceiling or spec.performance.ceiling
    chance = float(observed.chance[benchmark])
    if observed.without_runs:
        # Size and date of the systems are to their scores what size and tokens are to a run's.
        cells = observed.cell_benchmark == benchmark
        m = observed.cell_system[cells]
        size = observed.log_params[m] - np.log(observed.centre_params)
        time = observed.time[m] - observed.pinned_time
        return fit_link(spec.performance, own, chance, observed.score[cells], size, time)
    if benchmark < len(observed.loss_benchmarks):
        rows[observed.expected] = False
        covariates = [observed.reference_loss[rows[:split]]]
    else:
        covariates = [
            observed.reference_log_params[rows[split:]],
            observed.reference_log_tokens[rows[split:]],
        ]
    return fit_link(spec.performance, own, chance, observed.reference_score[rows], *covariates)


def _curve(
    spec: ModelSpec, observed: Observations, scaling: Floats, links: Floats
) -> tuple[Floats, Floats]:
    """Start and rise of the curves; empty where they are stated otherwise."""
    if spec.performance.curve is None:
        return np.empty(0), np.empty(0)
    split = len(observed.loss_benchmarks)
    law = law_of(scaling.T, spec.scaling.irreducible)
    curves = Curves(links[:split, 2], links[:split, 3], links[split:, 2], links[split:, 3])
    return two_scores(spec.performance.curve, observed, law, links[split:, 4], curves)


def _invert(spec: ModelSpec, observed: Observations, scaling: Floats, links: Floats) -> Floats:
    """Effective params of the cells: the size on a grid whose score comes nearest.

    Scores outside the range of the curve end at the edge of the grid, pulled in by a weak
    penalty towards the system's own size.
    """
    grid = np.linspace(np.log(1e7), np.log(1e13), 600)
    n = grid - np.log(observed.centre_params)
    d = observed.log_reference_tokens
    split = len(observed.loss_benchmarks)
    result = np.empty(len(observed.score))
    for benchmark in range(len(links)):
        if benchmark < split:
            law = law_of(scaling[benchmark], spec.scaling.irreducible)
            loss = laws.scaling_loss(n, d, *law)
            curve = link_score(links[benchmark], loss)
        else:
            curve = link_score(links[benchmark], n, np.full(n.shape, d))
        cells = np.flatnonzero(observed.cell_benchmark == benchmark)
        misfit = ((observed.score[cells, None] - curve) / 0.02) ** 2
        size = observed.log_params[observed.cell_system[cells]]
        penalty = ((grid - size[:, None] + 0.5) / 1.5) ** 2
        result[cells] = grid[np.argmin(misfit + penalty, axis=1)]
    return result


def _line(spec: ModelSpec, observed: Observations, x: Floats) -> tuple[Floats, Floats]:
    """Mean log density of the systems, and a line through it that bends at each slope change."""
    m = observed.cell_system
    count = np.bincount(m, minlength=len(observed.systems))
    density = np.bincount(m, x - observed.log_params[m], minlength=len(count)) / count
    middle = (observed.change_earliest + observed.change_latest) / 2.0
    bends = [
        np.maximum(observed.time - at, 0.0)
        for at, change in zip(middle, spec.trend.changes, strict=True)
        if change.slope
    ]
    design = np.column_stack([np.ones_like(observed.time), observed.time, *bends])
    ridge = np.vstack([design, 0.3 * np.eye(design.shape[1])])
    target = np.r_[density, np.zeros(design.shape[1])]
    return density, np.linalg.lstsq(ridge, target, rcond=None)[0]
