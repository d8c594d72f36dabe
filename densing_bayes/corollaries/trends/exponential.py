"""Exponential growth of dated values: a line through logarithms, as frontier or as mean.

    log value = F(date) - direction * shortfall + scatter

with a half-normal shortfall in the frontier form and none in the mean form. F may bend as any
hypothesis says. Prices, chips, batteries and densities that others plotted are all of this form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.corollaries.small_model import Posterior, sample_posterior
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED
from densing_bayes.inputs.dates import DAYS_PER_YEAR, years_since_origin
from densing_bayes.inputs.families import PositivePrior, RealPrior
from densing_bayes.inputs.hypothesis import LineSpec
from densing_bayes.joint.line import Line, continued, drawn_line, line_slope, line_value
from densing_bayes.observed.arrays import Floats
from densing_bayes.posterior.estimates import of_prior

if TYPE_CHECKING:
    import pymc as pm

FEWEST = 5  # points that a line can be fitted to
FAR = 5.0  # from which the logarithm of erfc takes another form
UNBOUNDED = 10.0  # an upper bound of x stands for values from x / 10 to x


class ExponentialSpec(LineSpec):
    """Form and priors of an exponential trend; level at 2022-11-30, rates per year.

    Attributes
    ----------
    form
        "frontier": values fall short of the line, one-sided; "mean": they scatter about it.
    best
        Whether the frontier is the highest or the lowest of the values.
    degrees_of_freedom
        Of the Student distribution of the scatter; normal if there are none given.
    shortfall_spread, system_spread
        Scales of the shortfall (frontier form) and of the scatter, in log units.
    shortfall_growth
        Rate at which the scale of the shortfall drifts, 1/year; constant if there is none given.
    """

    form: Literal["frontier", "mean"] = "frontier"
    best: Literal["highest", "lowest"] = "highest"
    degrees_of_freedom: float | None = None
    shortfall_spread: PositivePrior
    system_spread: PositivePrior
    shortfall_growth: RealPrior | None = None


@dataclass(frozen=True)
class Points:
    """Dated values; what is not known exactly lies between two limits.

    Attributes
    ----------
    label
        Names.
    log_low, log_high
        Logarithms between which the value lies; equal where it is known.
    first, last
        Years since 2022-11-30 between which the date lies; equal where it is known.
    member
        Probability that the point belongs to the class whose trend is sought.
    change_earliest, change_latest
        Windows of the changes of the line, years.
    """

    label: list[str]
    log_low: Floats
    log_high: Floats
    first: Floats
    last: Floats
    member: Floats
    change_earliest: Floats
    change_latest: Floats


@dataclass(frozen=True)
class ExponentialFit:
    """An exponential trend through dated values.

    Attributes
    ----------
    spec, points
        What was fitted to what.
    sampled
        Draws and prior draws of ``level`` (log value at 2022-11-30), ``growth_before`` (1/year),
        ``growth_change`` (slope_change), ``system_spread`` and ``shortfall_spread``; verdict.
    """

    spec: ExponentialSpec
    points: Points
    sampled: Posterior

    @property
    def posterior(self) -> xr.Dataset:
        """Posterior draws."""
        return self.sampled.draws

    @property
    def prior(self) -> xr.Dataset:
        """Prior draws."""
        return self.sampled.prior

    @property
    def diagnostics(self) -> dict[str, Any]:
        """Convergence figures."""
        return self.sampled.diagnostics

    @property
    def provenance(self) -> dict[str, Any]:
        """What the fit came from."""
        return self.sampled.provenance

    @property
    def verdict(self) -> str:
        """PASS or FAIL."""
        return self.sampled.verdict


def dated_points(table: pd.DataFrame, spec: ExponentialSpec, name: str = "points") -> Points:
    """Points of a table.

    Parameters
    ----------
    table
        ``date`` and ``value``; where they are there, ``label``, ``date_earliest``, ``value_low``
        and ``value_high`` (a high limit alone is an upper bound) and ``member``. Empty cells fall
        back on date and value.
    spec
        Whose changes have to lie within the dates.
    name
        What the table is called in messages.

    Raises
    ------
    DensingError
        If there are fewer than five points, a value is not positive, limits are in the wrong
        order, or a change lies outside the dates.
    """
    table = table.reset_index(drop=True)
    if len(table) < FEWEST:
        raise DensingError(f"{name}: a trend needs at least five points, there are {len(table)}")

    def column(key: str, fallback: pd.Series) -> pd.Series:
        return table[key].fillna(fallback) if key in table else fallback

    value, date = table["value"], pd.to_datetime(table["date"])
    high = column("value_high", value)
    low = column("value_low", value.where(high == value, high / UNBOUNDED))
    if "value_high" in table and "value_low" in table:
        bound = table["value_high"].notna() & table["value_low"].isna()
        low = low.where(~bound, high / UNBOUNDED)
    first = pd.to_datetime(column("date_earliest", date))
    for wrong, text in (
        (~(low > 0), "has a value that is not above 0; a logarithm needs one that is"),
        (low > high, "has value_low above value_high; exchange them"),
        (first > date, "has date_earliest after date; exchange them"),
    ):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            label = table["label"][row] if "label" in table else f"row {row + 1}"
            raise DensingError(f"{name}: {label} {text}")
    windows = [change.window for change in spec.changes]
    for change, (earliest, latest) in zip(spec.changes, windows, strict=True):
        if pd.Timestamp(latest) <= first.min() or pd.Timestamp(earliest) >= date.max():
            raise DensingError(
                f"{name}: the change '{change.name}' lies outside the dates from "
                f"{first.min().date()} to {date.max().date()}; give a date within them"
            )

    def years(dates: pd.Series) -> Floats:
        return np.array([years_since_origin(day) for day in dates])

    return Points(
        label=[str(text) for text in table.get("label", table.index)],
        log_low=np.log(low.to_numpy(float)),
        log_high=np.log(high.to_numpy(float)),
        first=years(first),
        last=years(date),
        member=column("member", pd.Series(1.0, table.index)).to_numpy(float),
        change_earliest=np.array([years_since_origin(window[0]) for window in windows]),
        change_latest=np.array([years_since_origin(window[1]) for window in windows]),
    )


def exponential_model(points: Points, spec: ExponentialSpec) -> pm.Model:
    """State the trend through dated values."""
    import pymc as pm
    import pytensor.tensor as pt

    from densing_bayes.joint.trend import frontier_line
    from densing_bayes.joint.variables import variable

    with pm.Model(coords=_coords(points, spec)) as model:
        line = frontier_line(spec, points)
        time = _between("date_share", points.first, points.last, "undated")
        value = _between("value_share", points.log_low, points.log_high, "unmeasured")
        above = value - line_value(line, time)
        scatter = variable("system_spread", spec.system_spread)
        heavy = spec.degrees_of_freedom
        if spec.form == "mean":
            law = pm.Normal.dist(0.0, scatter)
            if heavy is not None:
                law = pm.StudentT.dist(nu=heavy, mu=0.0, sigma=scatter)
            likelihood = pm.logp(law, above)
        else:
            width = scatter
            if heavy is not None:  # normal given its precision, which the shortfall needs
                precision = pm.Gamma("precision", heavy / 2.0, heavy / 2.0, dims="point")
                width = scatter / pt.sqrt(precision)
            shortfall = variable("shortfall_spread", spec.shortfall_spread)
            if spec.shortfall_growth is not None:
                drift = variable("shortfall_growth", spec.shortfall_growth)
                shortfall = shortfall * pt.exp(drift * time)
            sign = 1.0 if spec.best == "highest" else -1.0
            likelihood = _below(sign * above, shortfall, width)
        unsure = np.flatnonzero(points.member < 1.0)
        if len(unsure):
            share, logs = points.member[unsure], points.log_high
            # A point outside the class says nothing of the line: its law is wide and fixed.
            outside = pm.logp(pm.Normal.dist(logs.mean(), 2.0 * logs.std()), logs[unsure])
            mixed = pm.math.logaddexp(
                np.log(share) + likelihood[unsure], np.log1p(-share) + outside
            )
            likelihood = pt.set_subtensor(likelihood[unsure], mixed)
        pm.Potential("log_density", likelihood, dims="point")
    return model


def _coords(points: Points, spec: ExponentialSpec) -> dict[str, list[str]]:
    def where(low: Floats, high: Floats) -> list[str]:
        return [points.label[i] for i in np.flatnonzero(low < high)]

    return {
        "point": points.label,
        "undated": where(points.first, points.last),
        "unmeasured": where(points.log_low, points.log_high),
        **spec.coordinates,
    }


def _between(name: str, low: Floats, high: Floats, dims: str) -> Any:
    """Values that are known, and uniform latent ones where only limits are."""
    import pymc as pm
    import pytensor.tensor as pt

    open_ones = np.flatnonzero(low < high)
    if not len(open_ones):
        return low
    share = pm.Uniform(name, 0.0, 1.0, dims=dims)
    return pt.set_subtensor(
        pt.as_tensor(low)[open_ones], low[open_ones] + (high - low)[open_ones] * share
    )


def _below(above: Any, shortfall: Any, scatter: Any) -> Any:
    """Log density of scatter minus a half-normal shortfall (Aigner, Lovell, Schmidt 1977)."""
    import pytensor.tensor as pt

    width = pt.sqrt(shortfall**2 + scatter**2)
    scaled = above / width
    x = scaled * shortfall / (scatter * np.sqrt(2.0))
    # erfc(x) runs out of numbers far above the line; both branches stay finite for the gradient.
    far = x > FAR
    beyond = pt.switch(far, x, FAR)
    within = pt.log(pt.erfc(pt.switch(far, FAR, x)))
    log_tail = pt.switch(far, pt.log(pt.erfcx(beyond)) - beyond**2, within)
    return log_tail - pt.log(width) - 0.5 * scaled**2 - 0.5 * np.log(2.0 * np.pi)


def fit_exponential(
    points: Points,
    spec: ExponentialSpec,
    name: str = "points",
    *,
    draws: int = 2000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
) -> ExponentialFit:
    """Fit an exponential trend.

    Parameters
    ----------
    points
        Of :func:`dated_points`.
    spec
        Form and priors.
    name
        What the points are called in the provenance.
    draws, tune, chains, seed
        Of the sampler.
    """
    sampled = sample_posterior(
        exponential_model(points, spec),
        {"panel": name, "points": len(points.label)},
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
        target_accept=0.98,
        unreported=("date_share", "value_share", "precision"),
    )
    return ExponentialFit(spec, points, sampled)


def line_through(fit: ExponentialFit, dates: Any, group: str = "posterior") -> xr.DataArray:
    """Log of the line F at dates, dims (chain, draw, date).

    In the frontier form that is the edge, in the mean form the middle of the values.
    """
    return _along(fit, dates, group, line_value)


def growth_of(fit: ExponentialFit, dates: Any, group: str = "posterior") -> xr.DataArray:
    """Growth rate at dates, 1/day, dims (chain, draw, date); negative where values fall."""
    return _along(fit, dates, group, line_slope) / DAYS_PER_YEAR


def line_of(fit: ExponentialFit, group: str = "posterior") -> Line:
    """The drawn line; one that takes a random walk goes on walking past the last datum."""
    drawn = fit.prior if of_prior(group) else fit.posterior
    arrays = {str(name): drawn[name].to_numpy() for name in drawn}
    line, last = drawn_line(fit.spec, fit.points, arrays), float(fit.points.last.max())
    walks = [continued(walk, last, arrays["growth_step_spread"]) for walk in line.walks]
    return line._replace(walks=walks)


def _along(fit: ExponentialFit, dates: Any, group: str, what: Any) -> xr.DataArray:
    days = pd.DatetimeIndex(pd.to_datetime(np.atleast_1d(np.asarray(dates, dtype=object))))
    drawn = fit.prior if of_prior(group) else fit.posterior
    time = np.array([years_since_origin(day) for day in days])
    values = what(line_of(fit, group), time) + np.zeros(len(time))
    sample = {"chain": drawn.sizes["chain"], "draw": drawn.sizes["draw"]}
    values = np.broadcast_to(values, (*sample.values(), len(time)))
    return xr.DataArray(values, dims=(*sample, "date"), coords={"date": days})
