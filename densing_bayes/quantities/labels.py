"""Names of benchmarks, changes and stretches of growth as they are written in text."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

from densing_bayes.inputs.dates import date_of
from densing_bayes.inputs.hypothesis import ChangeSpec
from densing_bayes.inputs.tables.reading import DATA_PACKAGE
from densing_bayes.inputs.tables.schema import EVENTS, KNOWN_BENCHMARKS
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.result import Fit


def benchmark_label(name: str, observed: Observations | None = None) -> str:
    """Name of a benchmark as it is written in text.

    That of the panel's own table, if it was observed and has one; else that of the benchmarks which
    are known by name; else the name.
    """
    if name == "new benchmark":
        return "a new benchmark"
    own = {} if observed is None else dict(zip(observed.benchmarks, observed.labels, strict=False))
    return own.get(name) or _known().get(name, name)


def change_label(name: str, changes: tuple[ChangeSpec, ...] = ()) -> str:
    """Name of a change as it is written in text.

    Its own label, if it is one of some changes of a hypothesis and has one; else that of the event
    of its name; else the name.
    """
    own = {change.name: change.label for change in changes}
    return own.get(name) or _events().get(name, name)


@cache
def _known() -> dict[str, str]:
    return _labels(KNOWN_BENCHMARKS.file, "benchmark")


@cache
def _events() -> dict[str, str]:
    return _labels(EVENTS.file, "event")


def _labels(file: str, key: str) -> dict[str, str]:
    """Labels of an embedded table, which tests have checked: to check it here takes a second."""
    with files(DATA_PACKAGE).joinpath(file).open(encoding="utf-8") as lines:
        return {row[key]: row["label"] or row[key] for row in csv.DictReader(lines)}


def unit_of_density(fit: Fit) -> str:
    """What has density 1."""
    if not fit.observed.without_runs:
        return "reference family"
    return f"mean line of these systems on {date_of(float(fit.observed.pinned_time[0])):%Y-%m-%d}"


def measured_by(fit: Fit) -> str:
    """What density is relative to, where that is no reference family."""
    if not fit.observed.without_runs:
        return ""
    return (
        f" No reference runs: density is relative to the {unit_of_density(fit)}, in units of size. "
        f"A system of density 2 scores as one of twice its params would on that line, and density "
        f"doubles in the time in which half the params come to suffice."
    )


def before_after(fit: Fit) -> tuple[str, str] | None:
    """How the two stretches of growth are called, or None where the growth rate is constant."""
    trend = fit.spec.trend
    names = [change_label(change.name, trend.changes) for change in trend.changes if change.slope]
    if not names and trend.walk is not None:
        return "in the first year of the data", "in the last year of the data"
    if trend.smooth is not None or trend.saturation is not None:
        return "at the first release", "at the last release"
    if not names:
        return None
    return f"before {names[0]}", f"after {names[-1]}"
