"""Section of the report on the doubling time by the data that it is estimated from.

What it says is no answer of the fit that is reported: it comes with the package, of the panel to
the end of 2025.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from densing_bayes.display.section import Picture, Row, Section, Table
from densing_bayes.quantities import numbers

if TYPE_CHECKING:
    from densing_bayes.display.figures.drawn import Drawn

IN_PACKAGE = "doubling_time_by_year.json"  # of densing_bayes.data
HEADER = ("Data", "Before", "Systems", "Releases", "Growth a year", "Doubling time (days)")
KINDS = {"expanding": "all releases", "rolling": "two years"}


def windows() -> list[dict[str, Any]]:
    """Windows that come with the package: what analyses/doubling_time_by_year.py has found."""
    text = files("densing_bayes.data").joinpath(IN_PACKAGE).read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)["windows"]
    return found


def year_rows(found: list[dict[str, Any]]) -> list[Row]:
    """The windows in text, earliest first; one whose fit has not passed has no number."""
    rows: list[Row] = []
    for each in sorted(found, key=lambda each: (each["window"], each["before"])):
        said = (each["verdict"], "")
        if "doubling_time_days" in each:
            rate, time = each["growth_rate_per_year"], each["doubling_time_days"]
            span = f"({rate['lower']:.2f} to {rate['upper']:.2f})"
            said = (f"{rate['median']:.2f} {span}", _time(time))
        head = (KINDS[each["window"]], each["before"], str(each["systems"]), str(each["releases"]))
        rows.append((*head, *said))
    return rows


def _time(time: dict[str, Any]) -> str:
    """A doubling time with its interval; what is unbounded never comes."""
    middle, lower, upper = (
        "never" if time[key] is None else f"{time[key]:.0f}" for key in ("median", "lower", "upper")
    )
    return f"{middle} ({lower} to {upper})"


def years_section() -> Section:
    """The doubling time by year of data, from all releases before a date and from two years."""
    found = windows()
    passed = [each for each in found if "doubling_time_days" in each]
    last = max(each["before"] for each in passed)
    said = {
        each["window"]: _time(each["doubling_time_days"])
        for each in passed
        if each["before"] == last
    }
    words = {
        "expanding": f"from all releases before {last} a doubling time of {{}} days",
        "rolling": "from those of the two years before it one of {} days",
    }
    parts = [words[kind].format(time) for kind, time in said.items()]
    sentence = f"Of the panel to the end of 2025, a straight trend gives {', and '.join(parts)}."
    ci = numbers.percent(passed[0]["doubling_time_days"]["ci"])

    def drawn() -> Drawn:
        from densing_bayes.display.figures.years import plot_by_year

        return plot_by_year(found)

    return Section(
        "by-year",
        "The doubling time by year of data",
        (sentence,),
        (
            "This comes with the package and is not an answer of the fit reported here. Windows "
            "share data, most of all neighbouring ones, so whether two of them differ cannot be "
            "judged from the overlap of their intervals.",
        ),
        (Table(HEADER, tuple(year_rows(found)), left=frozenset({1})),),
        (
            Picture(
                drawn,
                f"Doubling times with {ci} intervals by the end of the data. {sentence}",
                "by-year",
                f"Doubling time of density with its {ci} interval, by the date up to which "
                "releases enter its estimate.",
            ),
        ),
        document={"windows": found},
    )
