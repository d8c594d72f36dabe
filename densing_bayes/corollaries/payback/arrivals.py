"""How long a release lasts when its successors arrive one by one.

:mod:`.shelf_life` asks when the frontier passes a system; but nobody is served by a
frontier. Here releases arrive as a Poisson process, each with a shortfall below the frontier, an
organisation and sizes, and the first one that will do ends the life.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import Field

from densing_bayes.corollaries.payback.release import CONDITIONS, Condition, Release, release_of
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import DAYS_PER_YEAR, date_of
from densing_bayes.inputs.families import Frozen, Positive
from densing_bayes.inputs.hypothesis import PeriodSpec
from densing_bayes.joint.marginal.shared_parameters import known_or_new
from densing_bayes.joint.trend import periods
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.estimates import SAMPLE, check_choice, draws_of, estimate, probability
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities.growth import line_at, size_slope
from densing_bayes.quantities.shelf_life import line_arrival, successor_target

Successors = Literal["simulated", "observed"]
SLICE = 0.5  # years that are simulated at once; the search ends when every draw has its successor


class ArrivalSpec(Frozen):
    """Rate of releases and how long they are followed.

    Attributes
    ----------
    window_years
        Years before the panel's last release that give the rate, sizes and organisations.
    horizon_years
        Years after which a release counts as not succeeded.
    rate_shape, rate_years
        Gamma prior of the releases a year: shape, and the years that it is worth.
    """

    window_years: Positive = 2.0
    horizon_years: Positive = 5.0
    rate_shape: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.5
    rate_years: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


@dataclass(frozen=True)
class _Pool:
    """What a simulated release may be: those of the panel's last years, one row each."""

    log_params: Floats  # (release, size), missing sizes are NaN
    organisation: np.ndarray  # (release,)
    count: int
    years: float


def release_rate(
    fit: Fit, spec: ArrivalSpec | None = None, group: str = "posterior", seed: int = SEED
) -> xr.DataArray:
    """Releases of the panel a year: the conjugate posterior of a Poisson rate.

    The window ends with the panel's last release, which for that reason does not count. The panel
    holds what was measured under its protocol, not all that was released.

    Parameters
    ----------
    fit
        A fit.
    spec
        Window and prior.
    group
        Whose draws the rate goes with; the rate itself is the same.
    seed
        Of the draws.

    Returns
    -------
    xarray.DataArray
        1/year, dims (chain, draw).
    """
    spec = spec or ArrivalSpec()
    pool = _pool(fit, spec)
    level = draws_of(fit, group)["level"].transpose(*SAMPLE)
    random = np.random.default_rng([seed, 1])
    rate = random.gamma(pool.count + spec.rate_shape, 1.0, level.shape)
    return level.copy(data=rate / (pool.years + spec.rate_years)).rename("release_rate")


def waiting_time(
    fit: Fit,
    release: Release,
    kappa: float = 2.0,
    *,
    condition: Condition = "recipe",
    successors: Successors = "simulated",
    spec: ArrivalSpec | None = None,
    group: str = "posterior",
    seed: int = SEED,
) -> xr.DataArray:
    """Days until the first release that succeeds another.

    Releases arrive at the rate of :func:`release_rate`. Each takes its sizes and its organisation
    from one of the panel's last years, and draws a shortfall and the scatter of its systems anew:
    log density = F(t) - shortfall + organisation + slope (log N' - mean) + scatter. Systems of
    the panel that came before ``release`` may have passed it already.

    Parameters
    ----------
    fit
        A fit.
    release
        Of :func:`release_of`.
    kappa
        Factor by which the successor is better, above 1.
    condition
        "smooth": no release at all, but the frontier at 1/kappa of the params, matches it.
        "density": a system of it has at least kappa times the density, so that 1/kappa of the
        params would match at that density. "recipe": the same of the density that it would have,
        by the size slope of the fit, at 1/kappa of the params. "system": it has a system of at
        most 1/kappa of the params and at least the effective params.
    successors
        "simulated" from the date of the release on, or "observed": those of the panel as far as
        it goes, simulated afterwards; "smooth" has none.
    spec
        Rate and horizon.
    group
        "posterior" or "prior".
    seed
        Of the draws. One seed gives the same arrivals whatever the release's density and kappa.

    Returns
    -------
    xarray.DataArray
        Days, dims (chain, draw): 0 where an earlier system of the panel meets the condition,
        infinity where none does within the horizon.

    Raises
    ------
    DensingError
        If kappa, the condition or the kind of successors cannot be right.
    """
    spec = spec or ArrivalSpec()
    if not (np.isfinite(kappa) and kappa > 1.0):
        raise DensingError(f"kappa = {kappa} must be above 1: the successor has 1/kappa the params")
    for name, value, known in (
        ("condition", condition, CONDITIONS),
        ("successors", successors, ("simulated", "observed")),
    ):
        check_choice(name, value, known)
    level = draws_of(fit, group)["level"].transpose(*SAMPLE)
    if condition == "smooth":
        size = np.array([release.log_params])
        target = successor_target(fit, release.log_density[..., None], size, kappa, group)
        first = line_arrival(fit, target, np.array([release.time]), "frontier", group)[..., 0]
        first = np.where(first > release.time + spec.horizon_years, np.inf, first)
        return level.copy(data=(first - release.time) * DAYS_PER_YEAR).rename("waiting_time")
    last = float(fit.observed.time.max())
    until = release.time if successors == "simulated" else max(release.time, last)
    first = _first_of_panel(fit, release, kappa, condition, until, group)
    begin, end = min(until, last), release.time + spec.horizon_years
    slope = size_slope(fit, group)
    for number, start in enumerate(np.arange(begin, end, SLICE)):
        if (first <= start).all():
            break
        stop = min(float(start) + SLICE, end)
        for time, log_density, log_params in _arrivals(
            fit, float(start), stop, spec, group, seed, number
        ):
            succeeds = _succeeds(release, log_density, log_params, slope, kappa, condition)
            first = np.minimum(first, np.where(succeeds, time, np.inf).min(axis=-1))
    days = np.maximum(first - release.time, 0.0) * DAYS_PER_YEAR
    return level.copy(data=days).rename("waiting_time")


def waiting_table(
    fit: Fit,
    systems: Sequence[str] | None = None,
    kappa: float = 2.0,
    ci: float = CI,
    *,
    condition: Condition = "recipe",
    successors: Successors = "simulated",
    spec: ArrivalSpec | None = None,
    seed: int = SEED,
) -> pd.DataFrame:
    """Waiting times of systems in days with intervals, P(already passed) and P(none in time).

    Arguments as of :func:`waiting_time`; all systems by default.
    """
    rows = []
    for name in fit.observed.systems if systems is None else systems:
        release = release_of(fit, name)
        days = waiting_time(
            fit, release, kappa, condition=condition, successors=successors, spec=spec, seed=seed
        )
        summary = estimate(days, "days", ci, mean=False)
        rows.append(
            {
                "system": name,
                "release_date": date_of(release.time).date(),
                "median": summary["median"],
                "lower": summary["lower"],
                "upper": summary["upper"],
                "p_passed": probability(days == 0),
                "p_none": probability(np.isinf(days)),
            }
        )
    return pd.DataFrame(rows).set_index("system")


def _succeeds(
    release: Release,
    log_density: np.ndarray,
    log_params: np.ndarray,
    slope: Floats,
    kappa: float,
    condition: Condition,
) -> np.ndarray:
    """Whether systems succeed a release; the last axis is theirs, missing sizes are NaN."""
    own = release.log_density[..., None]
    smaller = release.log_params - np.log(kappa)
    if condition == "density":
        return log_density >= own + np.log(kappa)
    if condition == "recipe":
        rescaled = log_density + slope[..., None] * (smaller - log_params)
        return rescaled >= own + np.log(kappa)
    return (log_params <= smaller) & (log_density + log_params >= own + release.log_params)


def _first_of_panel(
    fit: Fit, release: Release, kappa: float, condition: Condition, until: float, group: str
) -> Floats:
    """Date of the first system of the panel up to a date that succeeds a release; or infinity."""
    observed = fit.observed
    others = (observed.system_release != release.unit) & (observed.time <= until)
    logs = draws_of(fit, group)["log_density"].transpose(*SAMPLE, "system").to_numpy()
    if not others.any():
        return np.full(logs.shape[:2], np.inf)
    slope = size_slope(fit, group)
    sizes = observed.log_params[others]
    meets = _succeeds(release, logs[..., others], sizes, slope, kappa, condition)
    return np.asarray(np.where(meets, observed.time[others], np.inf).min(axis=-1))


def _arrivals(
    fit: Fit, begin: float, end: float, spec: ArrivalSpec, group: str, seed: int, number: int
) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Simulated systems of releases from one date to another: time, ln density, ln params.

    Each array has the shape (chain, draw, arrival); one array per system of a release. What has
    not arrived or does not exist has the time infinity and the density NaN.
    """
    draws, observed = draws_of(fit, group), fit.observed
    shape = draws["level"].shape
    random = np.random.default_rng([seed, 2, number])
    pool = _pool(fit, spec)
    rate = release_rate(fit, spec, group, seed).to_numpy()
    count = random.poisson(rate * (end - begin))
    of_organisation = np.zeros((*shape, len(observed.organisations)))
    if "organisation_effect" in draws:
        of_organisation[:] = (
            draws["organisation_effect"].transpose(*SAMPLE, "organisation").to_numpy()
        )
    slope = size_slope(fit, group)[..., None]
    system_spread = _value(draws, "system_spread")[..., None]
    release_spread = _value(draws, "release_spread")[..., None]
    shared = fit.spec.trend.release_effects
    block = (*shape, int(count.max(initial=0)))
    if not block[-1]:
        return
    time = begin + (end - begin) * random.uniform(size=block)
    which = random.integers(len(pool.organisation), size=block)
    effect = np.take_along_axis(of_organisation, pool.organisation[which], axis=-1)
    base = line_at(fit, time, "frontier", group) + effect
    base = base + release_spread * random.standard_normal(block)
    if fit.spec.trend.periods is not None:
        base = base + _period_effects(fit, fit.spec.trend.periods, time, group, seed)
    shortfall = _value(draws, "shortfall_spread")[..., None] * np.exp(
        _value(draws, "shortfall_growth")[..., None] * time
    )
    short = np.abs(random.standard_normal(block))
    there = np.arange(block[-1]) < count[..., None]
    for member in range(pool.log_params.shape[1]):
        if member and not shared:
            short = np.abs(random.standard_normal(block))
        log_params = pool.log_params[which, member]
        log_density = base - shortfall * short
        log_density = log_density + slope * (log_params - observed.mean_log_params)
        log_density = log_density + system_spread * random.standard_normal(block)
        yield np.where(there, time, np.inf), log_density, log_params


def _period_effects(fit: Fit, spec: PeriodSpec, time: Floats, group: str, seed: int) -> Floats:
    """Effects of the stretches of time that arrivals fall into: known ones, and new ones."""
    draws = draws_of(fit, group)
    spread = _value(draws, "period_spread")
    stretches = periods(spec, time)
    new = [  # a generator per stretch, so that all arrivals of one share its effect
        spread * np.random.default_rng([seed, 3, abs(number)]).standard_normal(spread.shape)
        for number in stretches.number
    ]
    own = draws["period_effect"].transpose(*SAMPLE, "period")
    effect = known_or_new(own, "period", stretches.label, np.stack(new, axis=-1))
    return np.take_along_axis(effect, stretches.of, axis=-1)


def _value(draws: xr.Dataset, name: str) -> Floats:
    """Draws of a scalar, zero where the model has none."""
    shape = draws["level"].shape
    return draws[name].transpose(*SAMPLE).to_numpy() if name in draws else np.zeros(shape)


def _pool(fit: Fit, spec: ArrivalSpec) -> _Pool:
    observed = fit.observed
    last = observed.release_time.max()
    years = min(spec.window_years, float(last - observed.release_time.min()))
    if not years > 0:
        raise DensingError("the panel's releases share one date; a rate needs releases over time")
    recent = np.flatnonzero(observed.release_time >= last - years)
    sizes = [observed.log_params[observed.system_release == i] for i in recent]
    table = np.full((len(sizes), max(map(len, sizes))), np.nan)
    for row, values in zip(table, sizes, strict=True):
        row[: len(values)] = values
    first = [int(np.flatnonzero(observed.system_release == i)[0]) for i in recent]
    return _Pool(table, observed.system_organisation[first], len(recent) - 1, years)
