"""How often each criterion prefers the hypothesis that is true.

Panels with the dates, sizes and missing cells of the open panel are simulated under no change, a
change at ChatGPT and a change ten months later, each with parameters drawn from its own posterior.
The three are fitted to each panel and compared, if all three fits pass. Prints tables and writes
them as which_hypothesis_wins.md and .json, where panels of an earlier run stay. Forecasts, which
need many fits of a panel, are in which_forecast_wins.py.

    python analyses/which_hypothesis_wins.py [--panels 60] [--out analyses/...json]
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import hashlib
import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

import densing_bayes as db
from densing_bayes.display.sentences import markdown_table
from densing_bayes.evaluation.leave_out import leave_one_out
from densing_bayes.evaluation.simulation import simulate
from densing_bayes.fitting.compiled import Compiled, compile_fit, with_room
from densing_bayes.fitting.evidence import log_evidence, target
from densing_bayes.fitting.fit import fit_compiled
from densing_bayes.fitting.many import Request, Terms, fitter, run, workers_of
from densing_bayes.fitting.settings import STANDARD, Sampling
from densing_bayes.fitting.store import store_folder, stored_answer, versions
from densing_bayes.inputs.hypothesis import ChangeSpec, Hypothesis
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.observations import Observations, observe, with_changes
from densing_bayes.posterior.draws import stacked
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.growth import growth
from densing_bayes.source import source_hash

LATER = Hypothesis(
    name="later", changes=(ChangeSpec(name="mistral-7b", date=dt.date(2023, 9, 27)),)
)
NAMES = ("none", "chatgpt", "later")
CRITERIA = {"release": "LORO", "system": "LOSO", "evidence": "evidence"}
# Steps somewhat longer than by default; the pilot is that of the real panel.
SETTINGS: dict[str, Any] = {
    "draws": 1000,
    "tune": 300,
    "chains": 4,
    "cores": 1,
    "target_accept": 0.9,
    "prior": False,
}
AGAIN = SETTINGS | {"draws": 1500, "target_accept": 0.97}  # with a pilot of its own, if need be
POINTS = 250  # of each half of the bridge
DRAWS = 500  # for leave-one-out
Answer = dict[str, Any]
Judge = Callable[[int], Answer]  # of the panel of a number


def real_fits(names: Sequence[str]) -> list[Fit]:
    """Fits of the real panel, of the store if a comparison has left them there."""
    spec, panel = db.load_spec("joint"), db.load_panel("open")
    fit = fitter(Terms(STANDARD, versions(), panel.identity, store_folder()))
    specs = [spec.under(LATER if name == "later" else db.load_hypothesis(name)) for name in names]
    return [fit(Request(own, observe(panel, own))) for own in specs]


def answers(
    part: str, numbers: list[int], version: str, prepared: Callable[[], Judge]
) -> list[Answer]:
    """Answers about panels, one after the other in one process; those in the store are not redone.

    ``prepared`` compiles what is needed, and is called when the first panel is to be judged.
    """
    judge = functools.cache(prepared)
    return [
        stored_answer(
            f"wins-{part}-{number}-{version}",
            lambda n=number: judge()(n),
            store_folder(),
            leave_one_out.__module__,
        )
        for number in numbers
    ]


def judged(
    part: str,
    panels: int,
    out: Path,
    prepared: Callable[[], Judge],
    script: str,
    begin: Callable[[], object] = lambda: None,
) -> list[Answer]:
    """Rows of so many panels: those of an earlier run, and answers about those that it lacks.

    Answers come from as many processes as there are processors; ``begin`` is called before.
    """
    found = json.loads(out.read_text("utf-8")) if out.exists() else {}
    rows = {row["panel"]: row for row in found.get("rows", [])}
    missing = sorted(set(range(panels)) - set(rows))
    if missing:
        begin()
        jobs = workers_of(None) or 1
        shares = [missing[i::jobs] for i in range(jobs)]
        source = source_hash(simulate.__module__, fitter.__module__)
        content = source.encode() + Path(script).read_bytes()  # settings, too
        version = hashlib.sha256(content).hexdigest()[:12]
        calls = [(part, share, version, prepared) for share in shares]
        made = run("shares", answers, calls, jobs=jobs, progress=None)
        new = zip(itertools.chain(*shares), itertools.chain(*made), strict=True)
        rows |= {n: {"panel": n, "truth": NAMES[n % len(NAMES)]} | answer for n, answer in new}
    return [rows[number] for number in sorted(rows)]


def arguments_of(description: str | None, out: str) -> argparse.Namespace:
    """Number of panels, and file of the results."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--panels", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path(out))
    return parser.parse_args()


def write(content: dict[str, Any], text: str, out: Path) -> None:
    """Write results as JSON, and print and write their tables."""
    out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    out.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


def simulated(number: int, real: dict[str, Fit]) -> Observations:
    """Panel of a number, under the hypothesis that is its truth."""
    truth = real[NAMES[number % len(NAMES)]]
    flat = stacked(truth.posterior, "each")
    each = int(np.random.default_rng(number).integers(flat.sizes["each"]))
    return simulate(truth.spec, truth.observed, flat.isel(each=each), seed=5000 + number)[0]


def tried(
    compiled: Compiled,
    panel: Observations,
    spec: ModelSpec,
    near: Fit,
    number: int,
    seen: NDArray[np.bool_] | None = None,
) -> Fit:
    """Fit of a panel, from a pilot that may serve, else from one of its own."""
    starts: tuple[tuple[Fit | None, dict[str, Any]], ...] = ((near, SETTINGS), (None, AGAIN))
    for start, settings in starts:
        fit = fit_compiled(
            compiled, panel, Sampling(seed=number, **settings), spec=spec, near=start, seen=seen
        )
        if fit.verdict == "PASS":
            break
    return fit


def prepared() -> Judge:
    """Fits of the real panel, and all that judging a panel needs compiled."""
    real = dict(zip(NAMES, real_fits(NAMES), strict=True))
    compiled = compile_fit(with_room(real["none"].spec), real["none"].observed)
    return lambda number: criteria(number, real, compiled)


def criteria(number: int, real: dict[str, Fit], compiled: Compiled) -> Answer:
    """Left-out releases and systems, and evidence, by hypothesis."""
    panel = simulated(number, real)
    result = {}
    near = real["none"]
    for name in NAMES:
        spec = real[name].spec
        near = fit = tried(compiled, with_changes(panel, spec), spec, near, number)
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
            own = [row for row in rows if row["truth"] == true]
            best = [best_of({name: row[name][criterion] for name in NAMES}) for row in own]
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
    header = ["truth", "panels", "all three passed"]
    header += [f"{label}: {name}" for label in CRITERIA.values() for name in NAMES]
    wins = []
    for entry in content["wins"]:
        counts = [f"{criterion}: {name}" for criterion in CRITERIA for name in NAMES]
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
    arguments = arguments_of(__doc__, "analyses/which_hypothesis_wins.json")

    def begin() -> None:
        run("fits", real_fits, [(NAMES[:1],), (NAMES[1:],)], jobs=workers_of(None), progress=None)

    rows = judged("criteria", arguments.panels, arguments.out, prepared, __file__, begin)
    content = summary(rows) | {"rows": rows}
    write(content, tables(content), arguments.out)


if __name__ == "__main__":
    main()
