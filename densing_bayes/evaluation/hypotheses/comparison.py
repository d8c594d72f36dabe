"""Comparison of hypotheses about the trend."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from densing_bayes.errors import DensingError
from densing_bayes.evaluation.hypotheses import criteria
from densing_bayes.evaluation.hypotheses.averaged import averaged_of
from densing_bayes.evaluation.hypotheses.table import Comparison, criteria_table, sensitivity_table
from densing_bayes.fitting.fit import check_settings
from densing_bayes.fitting.many import Request, Terms, cores_of_each, fitter, run
from densing_bayes.fitting.settings import SEED, STANDARD
from densing_bayes.fitting.store import folder_of, versions
from densing_bayes.inputs.dates import years_since_origin
from densing_bayes.inputs.default import DEFAULT
from densing_bayes.inputs.hypothesis import NONE, Hypothesis
from densing_bayes.inputs.panel import Panel, as_panel
from densing_bayes.inputs.specification import (
    ModelSpec,
    as_spec,
    list_hypotheses,
    load_hypothesis,
)
from densing_bayes.observed.observations import Observations, observe, with_changes
from densing_bayes.posterior.result import CI, Fit

if TYPE_CHECKING:
    from densing_bayes.evaluation.hypotheses.table import Comparison


Source = Hypothesis | Fit | str | os.PathLike[str]


def compare(
    spec: ModelSpec | str | os.PathLike[str] = DEFAULT,
    hypotheses: Sequence[Source] | None = None,
    panel: Panel | str | os.PathLike[str] | None = None,
    *,
    exact: bool = False,
    forecast: bool = False,
    draws: int = 1000,
    tune: int = 500,
    chains: int = 4,
    seed: int = SEED,
    jobs: int | None = None,
    store: bool | str | os.PathLike[str] = True,
    progress: bool | None = None,
) -> Comparison:
    """Fit hypotheses about the trend to one panel and compare them.

    Fits run in processes of :mod:`joblib`, so within ``joblib.parallel_config("dask")`` they run
    on a cluster. Finished fits are kept, and a comparison that was killed goes on from them.

    Parameters
    ----------
    spec
        The model that the hypotheses share, or its name or path.
    hypotheses
        Hypotheses, names or paths of them, or fits; by default all that are built in.
    panel
        A panel, or its name or folder; by default the specification's own.
    exact
        Refit without each release whose leave-one-out density importance sampling cannot give, and
        try other priors once more where a fit with them has not passed.
    forecast
        Refit up to each of five dates and score the systems of the half year after it.
    draws, tune, chains, seed
        Of the fits. A fit that does not converge is tried once more: after divergent transitions
        in smaller steps, after slow mixing with two to four times the draws.
    jobs
        Processes at a time; by default as many as there are processors, or what
        ``joblib.parallel_config`` says.
    store
        Keep and reuse fits in the user's cache (True) or in a folder; or do not (False). Averages
        over the hypotheses are kept there, too, for :func:`.averaged_of`.
    progress
        Say what has been done; by default on a terminal only.

    Raises
    ------
    DensingError
        If two hypotheses bear one name, or a fit has seen other data or another model.
    SpecError
        If a hypothesis does not go with the panel.
    """
    check_settings(draws, tune, chains, seed)
    if hypotheses is not None and not len(hypotheses):
        raise DensingError("no hypotheses are given to compare; leave them out for all built in")
    spec = as_spec(spec)
    panel = as_panel(panel, spec.panel.source)
    bare = observe(panel, spec.under(NONE))
    sources = [as_source(source) for source in hypotheses or list_hypotheses()]
    named = _named(sources, spec, bare)
    specs = {name: spec.under(hypothesis) for name, hypothesis in named.items()}
    seen = {name: observe(panel, own) for name, own in specs.items()}
    ready = {
        name: source for name, source in zip(named, sources, strict=True) if isinstance(source, Fit)
    }
    settings = STANDARD | {"draws": draws, "tune": tune, "chains": chains, "seed": seed}
    with folder_of(store) as folder:
        terms = Terms(settings, versions(), panel.identity, folder, cores_of_each(jobs))
        requests = {name: Request(specs[name], seen[name], ready.get(name)) for name in named}
        how: dict[str, Any] = {"jobs": jobs, "progress": progress}
        groups = criteria.by_structure(specs)
        found = run(
            "fits and criteria",
            criteria.examined,
            [([requests[n] for n in names], terms, exact) for names in groups],
            **how,
            names=[", ".join(names) for names in groups],
        )
        answers = dict(zip(itertools.chain(*groups), itertools.chain(*found), strict=True))
        if exact:
            criteria.leave_out_exactly(requests, answers, terms, how)
        forecasts = criteria.forecast_table(requests, terms, how) if forecast else pd.DataFrame()
        fits = {name: fitter(terms)(request) for name, request in requests.items()}
        if store is False:
            for fit in fits.values():
                fit.data.load()
    comparison = Comparison(
        spec=spec,
        observed=bare,
        hypotheses=named,
        fits=fits,
        table=criteria_table(named, fits, answers, forecasts),
        dates=dates_between(bare, named),
        sensitivity=sensitivity_table(fits, answers),
        forecasts=forecasts,
    )
    if store is not False:
        from densing_bayes.evaluation.hypotheses.averaged import keep_averaged

        keep_averaged(comparison, folder)
    return comparison


def as_source(source: Source) -> Hypothesis | Fit:
    """A hypothesis or a fit, from what names it: a path that ends in .nc is a saved fit."""
    if isinstance(source, Hypothesis | Fit):
        return source
    return Fit.load(source) if str(source).endswith(".nc") else load_hypothesis(source)


def _named(
    sources: Sequence[Hypothesis | Fit], spec: ModelSpec, bare: Observations
) -> dict[str, Hypothesis]:
    named: dict[str, Hypothesis] = {}
    for source in sources:
        hypothesis = _of_fit(source, spec, bare) if isinstance(source, Fit) else source
        if hypothesis.name in named:
            raise DensingError(
                f"two hypotheses are called '{hypothesis.name}': give each a name of its own"
            )
        named[hypothesis.name] = hypothesis
    return named


def _of_fit(fit: Fit, spec: ModelSpec, bare: Observations) -> Hypothesis:
    """The hypothesis of a fit, which must have seen the same data under the same model."""
    trend = fit.spec.trend
    name = fit.spec.description.rpartition("hypothesis ")[2] or fit.spec.name
    hypothesis = Hypothesis(
        name=name,
        changes=trend.changes,
        smooth=trend.smooth,
        saturation=trend.saturation,
        growth_change=trend.growth_change,
        level_change=trend.level_change,
    )
    if with_changes(fit.observed, spec.under(NONE)).hash() != bare.hash():
        raise DensingError(
            f"the fit '{name}' has seen other data than '{spec.name}' does here "
            f"({len(fit.observed.score)} scores, {len(bare.score)} here, or others): criteria "
            f"compare hypotheses on the same data only; fit it again to this panel"
        )
    if spec.under(hypothesis).hash != fit.spec.hash:
        raise DensingError(
            f"the fit '{name}' differs from '{spec.name}' in more than the trend's changes: "
            f"compare it under its own specification"
        )
    return hypothesis


def dates_between(observed: Observations, named: dict[str, Hypothesis]) -> pd.DataFrame:
    """What lies between neighbouring candidate dates: few releases can hardly distinguish them."""
    found = {
        change.date
        for hypothesis in named.values()
        for change in hypothesis.changes
        if change.date is not None
    }
    dates = sorted(found)
    labels = {
        date: ", ".join(
            name
            for name, hypothesis in named.items()
            if any(change.date == date for change in hypothesis.changes)
        )
        for date in dates
    }
    rows = []
    for first, second in itertools.pairwise(dates):
        inside = (observed.time >= years_since_origin(first)) & (
            observed.time < years_since_origin(second)
        )
        rows.append(
            {
                "first": labels[first],
                "second": labels[second],
                "days": (second - first).days,
                "systems": int(inside.sum()),
                "releases": len(np.unique(observed.system_release[inside])),
            }
        )
    return pd.DataFrame(rows, columns=["first", "second", "days", "systems", "releases"])


def make_averaged(
    fit: Fit, panel: Panel, ci: float = CI, *, progress: bool | None = None
) -> dict[str, Any]:
    """Compare all built-in hypotheses under the model of a fit, and average over them.

    Some ten minutes on two cores; fits are kept, so that it takes seconds once they are there.
    Parameters and result as of :func:`averaged_of`, from the tables that the fit has seen.
    """
    draws = int(fit.provenance.get("sampler", {}).get("draws", 0))
    made = compare(fit.spec, panel=panel, draws=max(1000, draws), progress=progress)
    found = averaged_of(fit, made, ci)
    if found is None:
        raise DensingError(
            "the comparison has no averages: no hypothesis has passed; compare with more draws, "
            "and give its comparison.json"
        )
    return found
