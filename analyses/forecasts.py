"""A system of 8e9 params at the level of GPT-4: when, and what was known at the end of 2024.

Both panels, and the paper's panel with nothing that was released after 2024-12-31. Prints and
writes forecasts.json, where rows of an earlier run stay, and a fan chart of each fit. With saved
fits a few seconds; the fit of the past takes some three minutes on two cores.

    python analyses/forecasts.py [FIT ...] [--rows "open" "paper" "paper up to 2024-12"]
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

import densing_bayes as db
from densing_bayes.corollaries.forecast.figures import plot_score_fan
from densing_bayes.evaluation.leave_out import before
from densing_bayes.fitting.many import Request, Terms, fitter
from densing_bayes.fitting.settings import STANDARD
from densing_bayes.fitting.store import store_folder, versions
from densing_bayes.observed.observations import observe
from densing_bayes.quantities.forecasts import params_at, release_score_at, score_at
from densing_bayes.quantities.summary import forecast_summary

PARAMS, BENCHMARK, SCORE = 8e9, "mmlu", 0.864
DEADLINE = "2025-12-31"
CUT = dt.date(2025, 1, 1)  # first day that the fit of the past does not know
DATES = ("2024-12-31", DEADLINE, "2026-12-31")
READINGS = ("frontier", "p95", "best")
ROWS = {"open": "joint", "paper": "paper", "paper up to 2024-12": "paper"}
DRAWS = {"joint": 1000, "paper": 2000}


def request(row: str) -> Request:
    """Specification and systems of a row."""
    spec = db.load_spec(ROWS[row])
    observed = observe(db.load_panel(spec.panel.source), spec)
    return Request(spec, before(observed, CUT) if row.endswith("2024-12") else observed)


def fitted(row: str) -> db.Fit:
    """The fit of a row, from the store if it is there."""
    settings = STANDARD | {"draws": DRAWS[ROWS[row]]}
    panel = row.partition(" ")[0]
    terms = Terms(settings, versions(), {"panel": panel}, store_folder(), cores=2)
    return fitter(terms)(request(row))


def answers(fit: db.Fit) -> dict[str, Any]:
    """What a fit says of dates, params and scores."""
    level = {name: forecast_summary(fit, PARAMS, BENCHMARK, SCORE, reading=name, by=DEADLINE)
             for name in READINGS}  # fmt: skip
    result: dict[str, Any] = {"verdict": fit.verdict, "systems": len(fit.observed.systems)}
    result["date"] = level
    for name, draws in (
        ("params", params_at(fit, list(DATES), BENCHMARK, SCORE)),
        ("score_of_frontier", score_at(fit, list(DATES), PARAMS, BENCHMARK)),
        ("score_of_mean", score_at(fit, list(DATES), PARAMS, BENCHMARK, "mean")),
        ("score_of_new_release", release_score_at(fit, list(DATES), PARAMS, BENCHMARK)),
    ):
        unit = "params" if name == "params" else "score"
        result[name] = {
            date: db.estimate(draws.isel(date=i), unit, mean=False) for i, date in enumerate(DATES)
        }
        if name == "score_of_new_release":
            for i, date in enumerate(DATES):
                result[name][date]["p_at_level"] = float((draws.isel(date=i) >= SCORE).mean())
    return result


def said(row: str, answer: dict[str, Any]) -> list[str]:
    """An answer in words."""
    first = answer["date"]["frontier"]
    limit, seen = first["limit"], first["highest_seen"]
    text = [
        f"{row} ({answer['systems']} systems to {first['last_datum']}, {answer['verdict']}):",
        f"  no size reaches {limit['median']:.3f} ({limit['lower']:.3f} to {limit['upper']:.3f}); "
        f"best score seen {seen['score']:.3f} ({seen['system']}); "
        f"P({SCORE} above what any size reaches) = {first['p_above_limit']:.2f}",
    ]
    for name, date in answer["date"].items():
        within = date["if_below_limit"]
        text.append(
            f"  {name}: {date['median'] or 'never'} ({date['lower'] or 'never'} to "
            f"{date['upper'] or 'never'}), P(by {DEADLINE}) = {date['p_by']:.4f}"
            + ("" if within is None else (
                f"; if some size reaches it {within['median'] or 'never'} ({within['lower']} to "
                f"{within['upper'] or 'never'}), P(by then) = {within['p_by']:.4f}"
            ))
        )  # fmt: skip
    score = answer["score_of_new_release"][DEADLINE]
    text.append(
        f"  a new release of {PARAMS:g} params on {DEADLINE}: {score['median']:.3f} "
        f"({score['lower']:.3f} to {score['upper']:.3f}), "
        f"P({SCORE} or more) = {score['p_at_level']:.4f}"
    )
    return text


def main() -> None:
    """Answer for every row, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fits", nargs="*", type=Path, help="saved fits of whole panels")
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), help="some rows; all by default")
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    saved = {fit.provenance["panel"]: fit for fit in map(db.Fit.load, arguments.fits)}
    path = arguments.out / "forecasts.json"
    content = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for row in arguments.rows or list(ROWS):
        fit = saved[row] if row in saved else fitted(row)
        content[row] = answers(fit)
        ax = plot_score_fan(fit, PARAMS, BENCHMARK, start="2022-06-01", score=SCORE)
        ax.set_title(f"panel '{row}'", fontsize=9)
        name = f"forecasts-{row.replace(' ', '-')}.png"
        ax.figure.savefig(arguments.out / name, dpi=110, bbox_inches="tight")
        plt.close("all")
        print("\n".join(said(row, content[row])))
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
