"""How often each criterion prefers the hypothesis that is true.

Panels with the dates, sizes and missing cells of the open panel are simulated under no change, a
change at ChatGPT and a change ten months later, each with parameters drawn from its own posterior.
The three are fitted to each panel and compared, if all three fits pass; on the first panels,
forecasts are compared too. Prints tables and writes them as which_hypothesis_wins.md and .json,
where panels of an earlier run stay.

    python analyses/which_hypothesis_wins.py [--panels 60] [--forecasts 12] [--out analyses/...json]
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from multiverse import SETTINGS as COMMON
from scipy.special import softmax

import densing_bayes as db
from densing_bayes.batch import Request, Terms, fitter, run, workers_of
from densing_bayes.draws import stacked
from densing_bayes.evidence import log_evidence, target
from densing_bayes.fits import Fit
from densing_bayes.fitting import Compiled, compile_fit, fit_compiled
from densing_bayes.leave_out import (
    before,
    cuts_of,
    densities_after,
    leave_one_out,
)
from densing_bayes.observations import Observations, observe, with_changes
from densing_bayes.quantities import growth
from densing_bayes.simulation import simulate
from densing_bayes.spec import ChangeSpec, Hypothesis
from densing_bayes.store import store_folder, stored_answer, versions
from densing_bayes.wording import markdown_table

LATER = Hypothesis(
    name="later", changes=(ChangeSpec(name="mistral-7b", date=dt.date(2023, 9, 27)),)
)
NAMES = ("none", "chatgpt", "later")
CRITERIA = {"release": "LORO", "system": "LOSO", "forecast": "forecast", "evidence": "evidence"}
# Steps somewhat longer than by default; the pilot is that of the real panel.
SETTINGS: dict[str, Any] = {
    "draws": 1000,
    "tune": 300,
    "chains": 4,
    "cores": 1,
    "target_accept": 0.9,
    "prior": False,
}
PILOT = SETTINGS | {"draws": 10, "tune": 10, "seed": 1}
AGAIN = SETTINGS | {"draws": 1500, "target_accept": 0.97}  # with a pilot of its own, if need be
POINTS = 250  # of each half of the bridge
DRAWS = 500  # for leave-one-out
# Of a comparison's five, the last: before them a change at ChatGPT has met two months of data, and
# a later one none.
CUTS = 2
Answer = dict[str, Any]
Task = tuple[str, int]  # what to judge, and the number of the panel


class Ready(NamedTuple):
    """A hypothesis compiled, with a fit whose pilot serves those that follow."""

    compiled: Compiled
    near: Fit


def real_fits(names: Sequence[str]) -> list[Fit]:
    """Fits of the real panel, of the store if a comparison has left them there."""
    spec, panel = db.load_spec("joint"), db.load_panel("open")
    source = {"panel": panel.name, "tables_hash": panel.sha256}
    fit = fitter(Terms(COMMON, versions(), source, store_folder()))
    specs = [spec.under(LATER if name == "later" else db.load_hypothesis(name)) for name in names]
    return [fit(Request(own, observe(panel, own))) for own in specs]


def prepared(real: Sequence[Fit], cut: dt.date | None = None) -> list[Ready]:
    """Hypotheses compiled, for the panel or for what it has before a cut, which is sooner sampled.

    The fit of the real panel's past is short: only its pilot is wanted.
    """
    found: list[Ready] = []
    for fit in real:
        observed = fit.observed if cut is None else before(fit.observed, cut)
        last = found[-1] if found else None
        if last is None or not last.compiled.serves(fit.spec, observed):
            compiled = compile_fit(fit.spec, observed)
            if cut is not None:
                fit = fit_compiled(compiled, observed, near=last and last.near, **PILOT)
            last = Ready(compiled, fit)
        found.append(last)
    return found


def answers(tasks: list[Task], version: str) -> list[Answer]:
    """Answers to tasks, one after the other in one process; those in the store are not redone."""

    @functools.cache
    def real() -> dict[str, Fit]:
        return dict(zip(NAMES, real_fits(NAMES), strict=True))

    @functools.cache
    def ready(names: tuple[str, ...], cut: dt.date | None = None) -> list[Ready]:
        return prepared([real()[name] for name in names], cut)

    def answer(part: str, number: int) -> Answer:
        return (criteria if part == "criteria" else forecast)(number, real(), ready)

    return [
        stored_answer(
            f"wins-{part}-{number}-{version}",
            functools.partial(answer, part, number),
            store_folder(),
        )
        for part, number in tasks
    ]


def simulated(number: int, real: dict[str, Fit]) -> Observations:
    """Panel of a number, under the hypothesis that is its truth."""
    truth = real[NAMES[number % len(NAMES)]]
    flat = stacked(truth.posterior, "each")
    each = int(np.random.default_rng(number).integers(flat.sizes["each"]))
    return simulate(truth.spec, truth.observed, flat.isel(each=each), seed=5000 + number)[0]


def fits(
    names: Iterable[str],
    panel: Observations,
    number: int,
    real: dict[str, Fit],
    ready: Callable[..., list[Ready]],
    cut: dt.date | None = None,
) -> Iterator[tuple[str, Fit]]:
    """Hypotheses with their fits to a panel, or to what it has before a cut."""
    ordered = tuple(sorted(names))  # the one without a change last: others know its coordinates
    made = ready(ordered, cut)
    near: Fit | None = made[0].near
    for name, (compiled, _) in zip(ordered, made, strict=True):
        spec = real[name].spec
        shown = with_changes(panel, spec)
        shown = shown if cut is None else before(shown, cut)
        for start, settings in ((near, SETTINGS), (None, AGAIN)):
            near = fit_compiled(compiled, shown, spec=spec, near=start, seed=number, **settings)
            if near.verdict == "PASS":
                break
        yield name, near


def criteria(number: int, real: dict[str, Fit], ready: Callable[..., list[Ready]]) -> Answer:
    """Left-out releases and systems, and evidence, by hypothesis."""
    result = {}
    for name, fit in fits(NAMES, simulated(number, real), number, real, ready):
        left_out, _ = leave_one_out(fit, DRAWS)
        shared = target(fit)
        evidence = log_evidence(shared.log_density, shared.draws, number, POINTS)
        result[name] = {
            "verdict": fit.verdict,
            "release": float(np.sum(left_out["release"]["elpd"])),
            "system": float(np.sum(left_out["system"]["elpd"])),
            "evidence": evidence.value,
            "error": evidence.error,
            "p_change_gt_0": float(np.mean(growth(fit)["change"] > 0)),
        }
    return result


def forecast(number: int, real: dict[str, Fit], ready: Callable[..., list[Ready]]) -> Answer:
    """Log score of the half year after each cut, by hypothesis; none without a pass."""
    panel = simulated(number, real)
    result: Answer = {name: {"forecast": []} for name in NAMES}
    dates = {name: [change.date for change in real[name].spec.trend.changes] for name in NAMES}
    for cut in cuts_of(panel)[-CUTS:]:
        begun = [name for name in NAMES if not dates[name] or min(dates[name]) < cut]
        found = dict(fits(begun, panel, number, real, ready, cut))
        for name in NAMES:
            fit = found[name] if name in found else not_begun(found["none"], real[name], number)
            score = float(np.sum(densities_after(fit, with_changes(panel, fit.spec), cut)))
            result[name]["forecast"].append(score if fit.verdict == "PASS" else None)
    return result


def not_begun(fit: Fit, later: Fit, seed: int) -> Fit:
    """The fit of a hypothesis whose change no datum has met: that without it, and the prior."""
    prior = later.prior["growth_change"].stack(each=("chain", "draw")).transpose("each", ...)
    shape = (fit.posterior.sizes["chain"], fit.posterior.sizes["draw"])
    drawn = np.random.default_rng(seed).integers(prior.sizes["each"], size=shape)
    change = (("chain", "draw", "slope_change"), prior.to_numpy()[drawn])
    data = fit.data.copy()
    data["posterior"] = xr.DataTree(fit.posterior.assign(growth_change=change))
    return replace(fit, data=data, spec=later.spec)


def scores(row: dict[str, Any], criterion: str) -> dict[str, float]:
    """Score of each hypothesis, of forecasts over the cuts where all three fits passed."""
    if criterion != "forecast":
        return {name: row[name][criterion] for name in NAMES}
    found = np.array([row[name].get("forecast", []) for name in NAMES], dtype=float)
    usable = found[:, np.isfinite(found).all(axis=0)]
    return dict(zip(NAMES, usable.sum(axis=1).tolist(), strict=True)) if usable.size else {}


def best_of(scores: dict[str, float]) -> str:
    """The name with the highest score."""
    return max(scores, key=lambda name: scores[name])


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How often each criterion prefers the truth, and the calibration of the probability."""
    wins, made = [], rows
    rows = [row for row in made if all(row[name]["verdict"] == "PASS" for name in NAMES)]
    for true in NAMES:
        entry: dict[str, Any] = {"truth": true}
        entry["panels"] = sum(row["truth"] == true for row in made)
        entry["all three passed"] = sum(row["truth"] == true for row in rows)
        for criterion in CRITERIA:
            # forecasts have verdicts of their own
            pool = made if criterion == "forecast" else rows
            own = [scores(row, criterion) for row in pool if row["truth"] == true]
            best = [best_of(each) for each in own if each]
            entry |= {f"{criterion}: {name}": best.count(name) for name in NAMES}
        wins.append(entry)
    evidence = np.array([[row[name]["evidence"] for name in NAMES] for row in rows])
    stated = softmax(evidence, axis=1)
    truth = np.array([[row["truth"] == name for name in NAMES] for row in rows])
    edges = np.array([0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0])
    bins = []
    for low, high in itertools.pairwise(edges):
        inside = (stated >= low) & ((stated < high) | (high == 1.0))
        if inside.any():
            bins.append(
                {
                    "from": low,
                    "to": high,
                    "cases": int(inside.sum()),
                    "stated": float(stated[inside].mean()),
                    "true": float(truth[inside].mean()),
                }
            )
    return {
        "wins": wins,
        "calibration": bins,
        "log_score": float(np.mean(np.log(stated[truth]))),
        "log_score_of_guessing": float(-np.log(len(NAMES))),
    }


def tables(content: dict[str, Any]) -> str:
    """The summary as Markdown: how often each criterion prefers what, and calibration."""
    shown = {  # none for forecasts, where no panel has them
        criterion: label
        for criterion, label in CRITERIA.items()
        if any(entry[f"{criterion}: {name}"] for entry in content["wins"] for name in NAMES)
    }
    header = ["truth", "panels", "all three passed"]
    header += [f"{label}: {name}" for label in shown.values() for name in NAMES]
    wins = []
    for entry in content["wins"]:
        counts = [f"{criterion}: {name}" for criterion in shown for name in NAMES]
        wins.append([str(entry[key]) for key in ("truth", *header[1:3], *counts)])
    bins = [
        [f"{row['from']:g} to {row['to']:g}", str(row["cases"])]
        + [f"{row[key]:.2f}" for key in ("stated", "true")]
        for row in content["calibration"]
    ]
    scored = (
        f"Mean log probability that the evidence gives the truth: {content['log_score']:.2f}; "
        f"of guessing {content['log_score_of_guessing']:.2f}."
    )
    calibration = markdown_table(["probability stated", "cases", "mean", "share true"], bins)
    return "\n\n".join([markdown_table(header, wins), calibration, scored]) + "\n"


def main() -> None:
    """Simulate, judge, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panels", type=int, default=60)
    parser.add_argument("--forecasts", type=int, default=12)
    parser.add_argument("--out", type=Path, default=Path("analyses/which_hypothesis_wins.json"))
    arguments = parser.parse_args()
    found = json.loads(arguments.out.read_text("utf-8")) if arguments.out.exists() else {}
    done = {row["panel"]: row for row in found.get("rows", [])}
    rows = [
        done.get(number, {"panel": number, "truth": NAMES[number % len(NAMES)]})
        for number in range(arguments.panels)
    ]
    tasks = [("criteria", row["panel"]) for row in rows if "evidence" not in row.get("none", {})]
    tasks += [
        ("forecast", row["panel"])
        for row in rows[: arguments.forecasts]
        if "forecast" not in row.get("none", {})
    ]
    jobs = workers_of(None) or 1
    if tasks:
        run("fits", real_fits, [(NAMES[:1],), (NAMES[1:],)], jobs=jobs, progress=None)
    shares = [tasks[i::jobs] for i in range(jobs)]
    script = versions()["source"].encode() + Path(__file__).read_bytes()  # settings, too
    calls = [(share, hashlib.sha256(script).hexdigest()[:12]) for share in shares]
    made = run("shares", answers, calls, jobs=jobs, progress=None)
    for (_, number), answer in zip(itertools.chain(*shares), itertools.chain(*made), strict=True):
        for name in NAMES:
            rows[number][name] = rows[number].get(name, {}) | answer[name]
    content = summary(rows) | {"rows": rows}
    arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    text = tables(content)
    arguments.out.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
