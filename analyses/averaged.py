"""Growth averaged over the built-in hypotheses, beside what each of them says.

Compares all built-in hypotheses under each specification, without exact refits and forecasts, and
mixes their posteriors by evidence and by stacking. Writes averaged.json, a table (averaged.md), and
what the package brings for fits of the same model and data (data/averaged.json). With --specs,
answers of the others are left as they are. A quarter of an hour on two cores for the open panel,
twice that for the current one; fits are kept, and what is finished is written.

    python analyses/averaged.py [--specs joint paper current] [--out analyses] [--data data]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import densing_bayes as db
from densing_bayes.display.sentences import markdown_table
from densing_bayes.evaluation.hypotheses.averaged import IN_PACKAGE, averaged_document
from densing_bayes.evaluation.hypotheses.averaging import average_summary, date_of_growth
from densing_bayes.evaluation.hypotheses.mixtures import QUANTITIES
from densing_bayes.fitting.built_in import BUILT_IN
from densing_bayes.posterior.plain import json_text
from densing_bayes.quantities.numbers import limits, median
from densing_bayes.quantities.summary import change_dates

SPECS = ("joint", "paper", "current")


def bring(folder: Path, name: str, comparison: db.Comparison) -> None:
    """Put averages into the file that comes with the package, in place of those of that name."""
    path = folder / IN_PACKAGE
    others = [each for each in json.loads(path.read_text("utf-8")) if each["name"] != name]
    records = [*others, {"name": name} | averaged_document(comparison)]
    path.write_text(json_text(records) + "\n", encoding="utf-8")


def answers(comparison: db.Comparison) -> dict[str, Any]:
    """What the averages say, and each hypothesis by itself, with the dates that data choose."""
    date = date_of_growth(comparison.spec, comparison.observed)
    return {
        "verdicts": comparison.table["verdict"].to_dict(),
        "k_above_release": comparison.table["k_above_release"].to_dict(),
        "averaged": average_summary(comparison),
        "change_dates": {
            name: dates for name, fit in comparison.fits.items() if (dates := change_dates(fit))
        },
        "hypotheses": {
            name: {
                key: db.estimate(of(fit, date), unit, mean=unit == "1/day")
                for key, (of, unit) in QUANTITIES.items()
            }
            for name, fit in comparison.fits.items()
        },
    }


def table(content: dict[str, Any]) -> str:
    """What the criteria and the doubling times say of each hypothesis and of the averages."""
    header = ["panel", "hypothesis", "probability by evidence", "weight by stacking",
              "releases of uncertain weight", "doubling time since ChatGPT, days"]  # fmt: skip
    rows = []
    for name, found in content.items():
        panel, averaged = db.load_spec(name).panel.source, found["averaged"]
        for label, row in found["hypotheses"].items():
            shares = [f"{averaged[kind]['weights'].get(label, 0.0):.2f}" for kind in averaged]
            criteria = [*shares, f"{found['k_above_release'][label]:.0f}"]
            rows.append([panel, label, *criteria, said(row)])
        for kind, row in averaged.items():
            rows.append([panel, f"averaged by {kind}", "", "", "", said(row)])
    return markdown_table(header, rows)


def said(row: dict[str, Any]) -> str:
    """The doubling time of a row with its interval."""
    time = row["doubling_time_after"]
    return f"{median(time)} ({limits(time)})"


def main() -> None:
    """Compare, mix, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--specs", nargs="+", choices=SPECS, default=SPECS)
    arguments = parser.parse_args()
    path = arguments.out / "averaged.json"
    content = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for name in arguments.specs:
        comparison = db.compare(name, draws=BUILT_IN[name][1])
        bring(arguments.data, name, comparison)
        content[name] = answers(comparison)
        path.write_text(json_text(content) + "\n", encoding="utf-8")
        path.with_suffix(".md").write_text(table(content) + "\n", encoding="utf-8")
    print(table(content))


if __name__ == "__main__":
    main()
