"""What figures show, as tables: draw them in another way, or check them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from densing_bayes.display.figures.canvas import days_of, kernel_density, quantiles
from densing_bayes.errors import DensingError
from densing_bayes.inputs.dates import DAYS_PER_MONTH, DAYS_PER_YEAR, ORIGIN, date_of
from densing_bayes.joint import laws
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.densities import density_table
from densing_bayes.quantities.growth import frontier, growth
from densing_bayes.quantities.labels import before_after

if TYPE_CHECKING:
    from densing_bayes.evaluation.hypotheses.table import Comparison

MOST_DRAWS = 1000  # for bands of curves; intervals of parameters use all draws
PlotData = dict[str, pd.DataFrame]


class Source(NamedTuple):
    """The maker of a figure's tables, and what it takes."""

    make: Callable[..., PlotData]
    takes: type  # of its first argument
    words: str


def frontier_data(fit: Fit, ci: float = CI) -> PlotData:
    """Of :func:`densing_bayes.display.figures.trend.plot_frontier`.

    ``frontier``: date, median, lower, upper of the density; ``systems``: as of
    :func:`densing_bayes.density_table`.
    """
    table = density_table(fit, ci)
    released = pd.to_datetime(table["release_date"])
    first, last = released.min(), released.max()
    margin = (last - first) * 0.03
    days = pd.date_range(first - margin, last + 2 * margin, periods=160)
    return {"frontier": _edge(fit, days, ci), "systems": table}


def growth_data(fit: Fit, ci: float = CI) -> PlotData:
    """Of :func:`densing_bayes.display.figures.trend.plot_growth`, rates in 1/day.

    ``rates``: quantity (before, after, change), label, median, lower, upper; ``curves``: quantity,
    rate, posterior and prior (densities, of which the posterior's highest is 1).
    """
    names = before_after(fit)
    posterior, prior = growth(fit), growth(fit, "prior")
    labels = {"after": "growth"}
    if names is not None:
        labels = {"before": names[0], "after": names[1], "change": "change"}
    edges = np.array([quantiles(posterior[name], 0.998, None) for name in labels])
    low, high = float(min(edges[:, 0].min(), 0.0)), float(edges[:, 2].max())
    grid = np.linspace(low - 0.25 * (high - low), high + 0.15 * (high - low), 400)
    rates, curves = [], []
    for name, label in labels.items():
        lower, middle, upper = quantiles(posterior[name], ci, None)
        rates.append((name, label, middle, lower, upper))
        heights = _heights(posterior[name], prior[name], grid)
        curves.append(pd.DataFrame({"quantity": name, "rate": grid} | heights))
    columns = ["quantity", "label", "median", "lower", "upper"]
    return {"rates": pd.DataFrame(rates, columns=columns), "curves": pd.concat(curves)}


def scaling_data(fit: Fit, ci: float = CI) -> PlotData:
    """Of :func:`densing_bayes.display.figures.reference.plot_scaling`.

    ``runs``: benchmark, run, params, tokens, loss; ``law``: benchmark, tokens, params, median,
    lower, upper of the loss, at the fewest, a middle number of and the most tokens of the runs.
    """
    observed = fit.observed
    names = np.array(observed.loss_benchmarks, dtype=object)
    runs = pd.DataFrame(
        {
            "benchmark": names[observed.loss_benchmark] if len(names) else [],
            "run": [label.split("|")[0] for label in observed.loss_label],
            "params": observed.centre_params * np.exp(observed.loss_log_params),
            "tokens": observed.centre_tokens * np.exp(observed.loss_log_tokens),
            "loss": observed.loss,
        }
    )
    curves = [pd.DataFrame(columns=["benchmark", "tokens", "params", "median", "lower", "upper"])]
    law = _law(fit) if len(names) else {}
    for k, name in enumerate(names):
        own = runs[observed.loss_benchmark == k]
        grid = np.geomspace(own["params"].min() / 1.3, own["params"].max() * 1.3, 60)
        for level in np.quantile(own["tokens"], [0.0, 0.5, 1.0], method="nearest"):
            draws = laws.scaling_loss(
                np.log(grid / observed.centre_params),
                np.log(level / observed.centre_tokens),
                *(law[key][:, k, None] for key in LAW),
            )
            curves.append(band(draws, ci, benchmark=name, tokens=level, params=grid))
    return {"runs": runs, "law": _stacked(curves)}


def _run_losses(observed: Observations, law: dict[str, Floats]) -> Floats:
    """Loss beside each reference score: measured, or the median of what the law expects."""
    losses, rows = observed.reference_loss.copy(), observed.expected
    if rows.size:
        runs = observed.expected_log_params, observed.expected_log_tokens
        k = observed.reference_benchmark[rows]
        expected = laws.scaling_loss(*runs, *(law[key][:, k] for key in LAW))
        losses[rows] = np.median(expected, axis=0)
    return losses


def score_links_data(fit: Fit, ci: float = CI) -> PlotData:
    """Of :func:`densing_bayes.display.figures.reference.plot_score_links`.

    x is the loss on loss-linked benchmarks, else the effective params at D0 tokens. ``links``:
    benchmark, x, median, lower, upper of the score; ``systems``: benchmark, system, x (posterior
    median), score; ``reference_runs``: benchmark, run, x, score.
    """
    observed = fit.observed
    law = _law(fit) if observed.loss_benchmarks else {}
    floor, ceiling = _thinned(fit, "floor"), _thinned(fit, "ceiling")
    log_neff = _thinned(fit, "log_effective_params") - np.log(observed.centre_params)
    split = observed.loss_references
    run_losses = _run_losses(observed, law)
    links, systems, references = [], [], []
    for k, name in enumerate(observed.benchmarks):
        cells = observed.cell_benchmark == k
        of_runs = observed.reference_benchmark == k
        if k < len(observed.loss_benchmarks):
            run_x = run_losses[of_runs[:split]]
            system_x = np.median(
                laws.scaling_loss(
                    log_neff[:, cells],
                    observed.log_reference_tokens,
                    *(law[key][:, k, None] for key in LAW),
                ),
                axis=0,
            )
            # far up the floor nothing happens: the curve ends a little beyond the runs
            worst = run_x.max() + 0.4 * float(np.ptp(run_x))
            x = _stretch(np.r_[run_x, np.minimum(system_x, worst)])
            z = _thinned(fit, "steepness")[:, k, None] * (_thinned(fit, "midpoint")[:, k, None] - x)
        else:
            j = k - len(observed.loss_benchmarks)
            elasticity = _thinned(fit, "token_elasticity")[:, j, None]
            # a run's ability, in params of a model trained on D0 tokens
            run_x = np.median(
                laws.ability(
                    observed.reference_log_params[of_runs[split:]],
                    observed.reference_log_tokens[of_runs[split:]] - observed.log_reference_tokens,
                    elasticity,
                ),
                axis=0,
            )
            system_x = np.median(log_neff[:, cells], axis=0)
            x = _stretch(np.r_[run_x, system_x])
            z = _thinned(fit, "discrimination")[:, j, None] * (
                laws.ability(x, observed.log_reference_tokens, elasticity)
                - _thinned(fit, "difficulty")[:, j, None]
            )
            x, run_x, system_x = (
                observed.centre_params * np.exp(value) for value in (x, run_x, system_x)
            )
        draws = laws.sigmoid_score(z, floor[:, k, None], ceiling[:, k, None])
        links.append(band(draws, ci, benchmark=name, x=x))
        labels = np.array(observed.systems)[observed.cell_system[cells]]
        systems.append(_points(name, "system", labels, system_x, observed.score[cells]))
        labels = np.array([label.split("|")[0] for label in observed.reference_label])[of_runs]
        references.append(_points(name, "run", labels, run_x, observed.reference_score[of_runs]))
    return {
        "links": _stacked(links),
        "systems": _stacked(systems),
        "reference_runs": _stacked(references),
    }


def change_date_data(fit: Fit, ci: float = CI) -> PlotData:
    """Of :func:`densing_bayes.display.figures.hypotheses.plot_change_date`; ``ci`` is not used.

    ``dates``: change, start and end of a fortnight or so, posterior and prior probability per
    month.

    Raises
    ------
    DensingError
        If the hypothesis of the fit leaves no date open.
    """
    undated = fit.spec.trend.undated
    if not undated:
        raise DensingError(
            f"no date is open under '{fit.spec.description}': fit a hypothesis with a window, such "
            f"as unknown-date"
        )
    first = min(change.window[0] for change in undated)
    last = max(change.window[1] for change in undated)
    days = pd.date_range(first, last, periods=2 * round((last - first).days / 30) + 1)
    edges = days_of(days)
    months = (edges[1] - edges[0]) / DAYS_PER_MONTH

    def per_month(draws: Any) -> Floats:
        at = days_of([ORIGIN])[0] + np.ravel(draws) * DAYS_PER_YEAR
        return np.histogram(at, edges)[0] / at.size / months

    parts = [
        pd.DataFrame(
            {
                "change": change.name,
                "start": days[:-1],
                "end": days[1:],
                "posterior": per_month(fit.posterior["change_time"].isel(undated_change=i)),
                "prior": per_month(fit.prior["change_time"].isel(undated_change=i)),
            }
        )
        for i, change in enumerate(undated)
    ]
    return {"dates": _stacked(parts)}


def hypotheses_data(comparison: Comparison, ci: float = CI) -> PlotData:
    """Of :func:`densing_bayes.display.figures.hypotheses.plot_hypotheses`.

    ``frontier``: hypothesis, date, median, lower, upper of the density; ``systems``: hypothesis,
    system, date, median density.
    """
    time = comparison.observed.time
    days = pd.date_range(date_of(time.min()), date_of(time.max()), periods=120)
    bands, points = [], []
    for name, fit in comparison.fits.items():
        bands.append(_edge(fit, days, ci, hypothesis=name))
        density = np.exp(fit.posterior["log_density"].median(("chain", "draw")))
        points.append(
            pd.DataFrame(
                {
                    "hypothesis": name,
                    "system": density["system"],
                    "date": [date_of(t) for t in time],
                    "density": density,
                }
            )
        )
    return {"frontier": _stacked(bands), "systems": _stacked(points)}


def growth_changes_data(comparison: Comparison, ci: float = CI) -> PlotData:
    """Of :func:`densing_bayes.display.figures.hypotheses.plot_growth_changes`, rates in 1/year.

    ``changes``: hypothesis, median, lower, upper, p_gt_0, p_ge_half; ``curves``: hypothesis,
    change, posterior and prior (densities, of which the posterior's highest is 1).

    Raises
    ------
    DensingError
        If no hypothesis changes the growth rate.
    """
    changes = {
        name: DAYS_PER_YEAR * np.ravel(change)
        for name, fit in comparison.fits.items()
        if bool(np.any((change := growth(fit)["change"]) != 0.0))
    }
    if not changes:
        raise DensingError("no hypothesis here changes the growth rate")
    edges = np.array([np.quantile(values, [0.005, 0.995]) for values in changes.values()])
    grid = np.linspace(min(edges[:, 0].min(), -0.5), edges[:, 1].max(), 400)
    rows, curves = [], []
    for name, values in changes.items():
        prior = DAYS_PER_YEAR * growth(comparison.fits[name], "prior")["change"]
        heights = _heights(values, prior, grid)
        curves.append(pd.DataFrame({"hypothesis": name, "change": grid} | heights))
        lower, middle, upper = quantiles(values, ci, None)
        p_half = float(comparison.table["p_ge_half"].loc[name])
        rows.append((name, middle, lower, upper, float(np.mean(values > 0)), p_half))
    columns = ["hypothesis", "median", "lower", "upper", "p_gt_0", "p_ge_half"]
    return {"changes": pd.DataFrame(rows, columns=columns), "curves": _stacked(curves)}


LAW = ("E", "a", "alpha", "b", "beta")


def _law(fit: Fit) -> dict[str, Floats]:
    """Draws of the parameters of the runs' loss law, thinned, shape (draws, loss_benchmark)."""
    own = laws.OF_RUNS if laws.OF_RUNS + laws.PARAMETERS[0] in fit.posterior else ""
    return {key: _thinned(fit, own + name) for key, name in zip(LAW, laws.PARAMETERS, strict=True)}


def _thinned(fit: Fit, name: str) -> Floats:
    values = fit.posterior[name].to_numpy()
    values = values.reshape(-1, *values.shape[2:])
    return np.asarray(values[:: max(1, len(values) // MOST_DRAWS)])


def _edge(fit: Fit, days: pd.DatetimeIndex, ci: float, **columns: str) -> pd.DataFrame:
    """The frontier's density over dates."""
    limits = band(frontier(fit, days), ci, (0, 1)).transform(np.exp)
    return limits.assign(**columns, date=days)[[*columns, "date", *limits]]


def _heights(posterior: Any, prior: Any, grid: Floats) -> dict[str, Floats]:
    """Densities of draws on a grid, of which the posterior's highest is 1."""
    after, before = (kernel_density(np.ravel(draws), grid) for draws in (posterior, prior))
    top = after.max() or 1.0
    return {"posterior": after / top, "prior": before / top}


def band(draws: Any, ci: float, axis: Any = 0, **columns: object) -> pd.DataFrame:
    """Median, lower and upper limit of draws along a curve, beside columns of it."""
    lower, middle, upper = quantiles(draws, ci, axis)
    return pd.DataFrame(columns | {"median": middle, "lower": lower, "upper": upper})


def _points(benchmark: str, what: str, labels: object, x: Floats, score: Floats) -> pd.DataFrame:
    return pd.DataFrame({"benchmark": benchmark, what: labels, "x": x, "score": score})


def _stacked(parts: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def _stretch(values: Floats) -> Floats:
    """A grid over the values with a margin."""
    margin = 0.05 * float(np.ptp(values)) or 0.1
    return np.linspace(values.min() - margin, values.max() + margin, 120)
