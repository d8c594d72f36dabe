"""The headline statements of a fit: a number with its interval, and the sentence that says it.

"Accelerated" is said where the interval of the change lies above 0 and nowhere else; a change is
named by its date, never as a cause.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from densing_bayes.display.sentences import LEAST_SHARE, change_phrase, given
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.labels import before_after, benchmark_label, change_label
from densing_bayes.quantities.numbers import (
    count,
    days,
    is_probability,
    limits,
    median,
    percent,
    time_limits,
)

NOT_AVERAGED: Final = (
    "This is conditional on that hypothesis, and no comparison with others of the same model and "
    "data is at hand; 'densing-bayes trend FIT --average' makes one, in some ten minutes, and "
    "gives the figure averaged over hypotheses."
)
AVERAGED_ROWS: Final = (
    ("Growth rate{}, 1/day", "growth_after"),
    ("Doubling time{}, days", "doubling_time_after"),
    ("Doubling time{}, benchmarks in general, days", "doubling_time_in_general"),
    ("Shelf life on the frontier, days", "shelf_life"),
)
_FOUND: Final = {
    "package": " that comes with the package, of the same model and data",
    "store": " in the store, of the same model and data",
    "made now": " of the same model and data",
}


class Statement(NamedTuple):
    """One headline: a title, its number with interval, and the sentence that says it."""

    key: str
    title: str
    value: str
    interval: str
    sentence: str


def headline(fit: Fit, summary: dict[str, Any]) -> list[Statement]:
    """The headline statements of a fit.

    Parameters
    ----------
    fit
        The fit, for the names of its changes.
    summary
        Of :func:`densing_bayes.quantities.summary.trend_summary`.

    Returns
    -------
    list of Statement
        ``doubling_time``, ``averaged`` and ``over_tokens`` (if there are such answers),
        ``growth_change`` (unless the trend has no change in slope),
        ``change_date`` for each change whose date is open, ``shelf_life`` and ``benchmarks``
        (unless there is only one).
    """
    names = before_after(fit)
    averaged = summary["averaged"]
    statements = [_doubling_time(summary, fit)]
    if averaged is not None:
        statements.append(_averaged(averaged, fit.observed))
    if summary["over_tokens"] is not None:
        statements.append(_over_tokens(summary["over_tokens"], fit))
    if names is not None:
        statements.append(_change(summary, change_phrase(fit)))
    statements += [
        _date(change_label(name, fit.spec.trend.changes), date)
        for name, date in summary["change_dates"].items()
    ]
    statements.append(_shelf_life(summary))
    if len(fit.observed.benchmarks) > 1:
        statements.append(_benchmarks(summary, fit))
    return statements


def _days(estimate: dict[str, Any]) -> str:
    return "never" if estimate["median"] is None else f"{days(estimate['median'])} days"


def mean_of(observed: Observations) -> str:
    """Of which benchmarks the growth of the frontier is the mean."""
    if len(observed.benchmarks) == 1:
        return f"on {benchmark_label(observed.benchmarks[0], observed)} alone"
    return f"in the mean of {len(observed.benchmarks)} benchmarks"


def after_of(fit: Fit) -> str:
    """When growth "after" is, with a space before it; empty where growth is constant."""
    names = before_after(fit)
    return "" if names is None else f" {names[1]}"


def _doubling_time(summary: dict[str, Any], fit: Fit) -> Statement:
    among, condition = mean_of(fit.observed), given(fit)
    time = summary["doubling_time_days"]["after"]
    rate = summary["growth_rate"]["after"]
    ci, when = percent(time["ci"]), after_of(fit)
    if rate["lower"] > 0:
        sentence = (
            f"{condition[0].upper()}{condition[1:]}, the density of the frontier, "
            f"{among}, doubles every {_days(time)}{when} ({ci} interval "
            f"{time_limits(time)})."
        )
    else:
        sentence = (
            f"Growth of the frontier{when} is not established: the {ci} interval of its rate, "
            f"{limits(rate)} per day, includes 0, with P(rate <= 0) "
            f"{is_probability(rate['p_le_0'])}. The median doubling time, {condition}, is "
            f"{_days(time)}."
        )
    if len(fit.observed.benchmarks) > 1:
        general = summary["by_estimand"]["benchmarks in general"]["doubling_time_days"]["after"]
        sentence += (
            f" On benchmarks in general, of which these are a sample, it is {_days(general)} "
            f"({time_limits(general)})."
        )
    if summary["averaged"] is None:
        sentence += f" {NOT_AVERAGED}"
    return Statement(
        "doubling_time",
        f"Doubling time{when}, {among}, {condition}",
        _days(time),
        f"{ci} interval {time_limits(time)}",
        sentence,
    )


def averaged_over(averaged: dict[str, Any]) -> str:
    """Over what an answer is averaged, and by which weights."""
    kind = averaged["kind"]
    return f"averaged over {len(averaged['hypotheses'])} hypotheses by {kind}"


def _averaged(averaged: dict[str, Any], observed: Observations) -> Statement:
    found, over = averaged[averaged["kind"]], averaged_over(averaged)
    time, general = found["doubling_time_after"], found["doubling_time_in_general"]
    ci = percent(time["ci"])
    parts = sorted(found["weights"].items(), key=lambda part: -part[1])
    named = ", ".join(f"{name} {w:.2f}" for name, w in parts if w >= LEAST_SHARE)
    sentence = (
        f"{over[0].upper()}{over[1:]} ({named}), density has doubled every {_days(time)} since "
        f"{found['since']}, {mean_of(observed)} ({ci} interval {time_limits(time)})"
    )
    if len(observed.benchmarks) > 1:
        sentence += (
            f", and every {_days(general)} on benchmarks in general ({time_limits(general)})"
        )
    sentence += f". {_from(averaged, 'a comparison')}"
    return Statement(
        "averaged",
        f"Doubling time since {found['since']}, {over}",
        _days(time),
        f"{ci} interval {time_limits(time)}",
        sentence,
    )


def _over_tokens(found: dict[str, Any], fit: Fit) -> Statement:
    """Growth without a choice of D0, and how far it goes with that choice."""
    when = after_of(fit)
    time, rate = found["doubling_time_after"], found["growth_after"]
    ci = percent(time["ci"])
    medians = [each["growth_after"]["median"] for each in found["at"]]
    over = f"over D0 from {count(found['low'])} to {count(found['high'])} tokens"
    sentence = (
        f"{over[0].upper()}{over[1:]}, {given(fit)}, density doubles every "
        f"{_days(time)}{when} {mean_of(fit.observed)} ({ci} interval {time_limits(time)}). Growth "
        f"is {median(rate)} per day ({limits(rate)}); at one D0 its median is between "
        f"{min(medians):.5f} and {max(medians):.5f}. {_from(found, 'fits')}"
    )
    return Statement(
        "over_tokens",
        f"Doubling time{when}, {over}",
        _days(time),
        f"{ci} interval {time_limits(time)}",
        sentence,
    )


def _from(found: dict[str, Any], what: str) -> str:
    """Where an answer comes from that was made beside the fit, and when."""
    place = _FOUND.get(found["source"], f" of the {found['source']}")
    return f"From {what}{place}, of {found['created'][:10]}."


def _change(summary: dict[str, Any], at: str) -> Statement:
    change = summary["growth_change"]
    ci = percent(change["ci"])
    figures = f"{median(change)} per day, {ci} interval {limits(change)}"
    chance = f"P(faster after) {is_probability(change['p_gt_0'])}"
    half = f"P(at least half as fast again) {is_probability(change['p_ge_half'])}"
    if change["lower"] > 0:
        says = f"Given that hypothesis, growth accelerated {at}: the rate rose by {figures}"
    elif change["upper"] < 0:
        says = f"Given that hypothesis, growth slowed {at}: the rate changed by {figures}"
    else:
        says = (
            f"Whether growth changed {at} is open: the interval of the change in rate includes 0 "
            f"({figures})"
        )
    sentence = (
        f"{says}; {chance}, {half}. The date is part of the hypothesis and names no cause; other "
        f"dates may do as well."
    )
    before, after = summary["doubling_time_days"]["before"], summary["doubling_time_days"]["after"]
    return Statement(
        "growth_change",
        f"Change of the growth rate {at}",
        f"{'+' if change['median'] > 0 else ''}{median(change, 2)} /day",
        f"{ci} interval {limits(change)}; {chance}; doubling time {_days(before)} before, "
        f"{_days(after)} after",
        sentence,
    )


def _date(label: str, date: dict[str, Any]) -> Statement:
    ci = percent(date["ci"])
    return Statement(
        "change_date",
        f"Date of {label}",
        date["median"],
        f"{ci} interval {date['lower']} to {date['upper']}",
        f"The date of {label}, estimated from the data, is {date['median']} ({ci} interval "
        f"{date['lower']} to {date['upper']}), within the window that the hypothesis allows.",
    )


def _shelf_life(summary: dict[str, Any]) -> Statement:
    life = summary["shelf_life_days"]
    ci = percent(life["ci"])
    factor = "half" if life["kappa"] == 2.0 else f"1/{life['kappa']:g}"
    sentence = (
        f"A system released on the frontier is matched by one with {factor} of its params after "
        f"{_days(life)} ({ci} interval {time_limits(life)})"
    )
    never = life.get("p_never", 0.0)
    sentence += f"; P(never) {is_probability(never)}." if never >= 0.001 else "."
    slope = summary["size_slope"]
    if slope["lower"] != slope["upper"]:
        sentence += (
            f" This is 1 + s times the time in which density at one size rises by that factor: "
            f"smaller systems of one date have another density, by the size slope s of "
            f"{median(slope, 2)} ({limits(slope, 2)})."
        )
    return Statement(
        "shelf_life",
        "Shelf life on the frontier",
        _days(life),
        f"{ci} interval {time_limits(life)}",
        sentence,
    )


def _benchmarks(summary: dict[str, Any], fit: Fit) -> Statement:
    observed = fit.observed
    each = {
        name: values["doubling_time_days"]["after"]
        for name, values in summary["by_benchmark"].items()
    }
    new = each.pop("new benchmark")
    ordered = sorted(each, key=lambda name: each[name]["median"] or math.inf)
    fast, slow = ordered[0], ordered[-1]
    ci = percent(new["ci"])
    sentence = (
        f"By benchmark, doubling times{after_of(fit)}, given the same, range from "
        f"{_days(each[fast])} on {benchmark_label(fast, observed)} ({time_limits(each[fast])}) to "
        f"{_days(each[slow])} on {benchmark_label(slow, observed)} ({time_limits(each[slow])}). On "
        f"a benchmark not yet seen it would be, with probability {ci}, {time_limits(new)}."
    )
    return Statement(
        "benchmarks",
        "Doubling time by benchmark",
        f"{median(each[fast])} to {median(each[slow])} days",
        f"medians; a new benchmark {time_limits(new)} ({ci})",
        sentence,
    )
