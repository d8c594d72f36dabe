"""How good were forecasts? Fits to the past of several dates, scored on the half year after each.

Each cut of each panel is a fit of its own and is kept in the store: a run that was stopped goes
on where it was. Cuts whose fit does not pass, also on a second try, are left out. Writes
forecast_accuracy.json with what is finished after every cut, and the table
forecast_accuracy.md at the end. Seven fits of a past and two whole ones, about fifteen minutes on
two idle cores.

    python analyses/forecast_accuracy.py [--panels open paper] [--out analyses]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

import densing_bayes as db
from densing_bayes.evaluation.backtests.accuracy import accuracy_at, accuracy_table
from densing_bayes.evaluation.leave_out import cuts_of
from densing_bayes.fitting.many import Request, Terms
from densing_bayes.fitting.settings import STANDARD
from densing_bayes.fitting.store import store_folder, versions
from densing_bayes.observed.observations import observe

# Cuts since ChatGPT: before it a fit of the past knows nothing of the second rate.
CUTS = {"open": 3, "paper": 4}
SPECS = {"open": "joint", "paper": "paper"}
DRAWS = {"open": 1000, "paper": 2000}


def tables(found: list[dict[str, Any]]) -> dict[str, Any]:
    """What the cuts of a panel say together: both targets, and the cuts one by one.

    Of a cut whose fit has not passed, only the verdict is kept.
    """
    passed = [cut for cut in found if cut["verdict"] == cut["full_verdict"] == "PASS"]
    keys = ("cut", "verdict", "full_verdict", "systems", "releases")
    listed = {"cuts": [{key: cut[key] for key in keys} for cut in found]}
    if not passed:
        return listed
    scores = pd.concat([pd.DataFrame(cut["scores"]) for cut in passed])
    best = pd.concat([pd.DataFrame(cut["best"]) for cut in passed])

    def rows(table: pd.DataFrame) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(table.round(4).to_json(orient="index"))
        return content

    return listed | {
        "scores_by_cut": {
            cut["cut"]: rows(accuracy_table(pd.DataFrame(cut["scores"]))) for cut in passed
        },
        "scores": rows(accuracy_table(scores)),
        "scores_by_benchmark": {
            str(name): rows(accuracy_table(own)) for name, own in scores.groupby("benchmark")
        },
        "best_density": rows(accuracy_table(best)),
        "best_density_by_cut": json.loads(best.round(4).to_json(orient="records")),
    }


def lines(content: dict[str, Any]) -> list[str]:
    """Both targets as a table in Markdown."""
    result = ["| panel | target | method | forecasts | CRPS | behind the model | 50% | 80% | 95% |"]
    result.append("|" + "---|" * 9)
    for panel, found in content.items():
        for target, name in (("scores", "score"), ("best_density", "best log density")):
            for method, row in found.get(target, {}).items():
                error = row["crps_behind_se"]
                behind = f"{row['crps_behind']:.3f}" + ("" if error is None else f" ± {error:.3f}")
                cells = [panel, name, method, str(row["count"]), f"{row['crps']:.3f}", behind]
                cells += [f"{row[f'covered{level}']:.2f}" for level in (50, 80, 95)]
                result.append(f"| {' | '.join(cells)} |")
    return result


def main() -> None:
    """Score every cut of every panel, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panels", nargs="+", choices=list(CUTS), default=list(CUTS))
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    path = arguments.out / "forecast_accuracy.json"
    content = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for panel in arguments.panels:
        spec = db.load_spec(SPECS[panel])
        settings = STANDARD | {"draws": DRAWS[panel]}
        terms = Terms(settings, versions(), {"panel": panel}, store_folder(), cores=2)
        request = Request(spec, observe(db.load_panel(panel), spec))
        found: list[dict[str, Any]] = []
        for cut in cuts_of(request.observed, CUTS[panel]):
            found.append(accuracy_at(cut, request, terms))
            content[panel] = tables(found)
            path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            print(f"{panel}, cut {cut}: {found[-1]['verdict']}", flush=True)
    text = "\n".join(lines(content)) + "\n"
    (arguments.out / "forecast_accuracy.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
