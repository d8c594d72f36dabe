"""Growth averaged over the built-in hypotheses, beside what each of them says.

Compares all built-in hypotheses on the open panel, without exact refits and forecasts, and mixes
their posteriors by evidence and by stacking. Prints a table and writes averaged.json, and what the
package brings for fits of the same model and data (data/averaged.json). With --paper it compares
them on the paper's panel, too, for the latter. Some ten minutes on two cores a panel; fits are
kept.

    python analyses/averaged.py [--paper] [--out analyses] [--data data]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import densing_bayes as db
from densing_bayes.evaluation.hypotheses.averaged import IN_PACKAGE, averaged_document
from densing_bayes.evaluation.hypotheses.averaging import average_summary
from densing_bayes.evaluation.hypotheses.mixtures import QUANTITIES
from densing_bayes.posterior.plain import json_text


def bring(folder: Path, name: str, comparison: db.Comparison) -> None:
    """Put averages into the file that comes with the package, in place of those of that name."""
    path = folder / IN_PACKAGE
    others = [each for each in json.loads(path.read_text("utf-8")) if each["name"] != name]
    records = [*others, {"name": name} | averaged_document(comparison)]
    path.write_text(json_text(records) + "\n", encoding="utf-8")


def main() -> None:
    """Compare, mix, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--paper", action="store_true")
    arguments = parser.parse_args()
    out = arguments.out
    comparison = db.compare("joint")
    bring(arguments.data, "joint", comparison)
    if arguments.paper:
        bring(arguments.data, "paper", db.compare("paper", draws=2000))
    content = {
        "verdicts": comparison.table["verdict"].to_dict(),
        "k_above_release": comparison.table["k_above_release"].to_dict(),
        "averaged": average_summary(comparison),
        "hypotheses": {
            name: {
                key: db.estimate(of(fit), unit, mean=unit == "1/day")
                for key, (of, unit) in QUANTITIES.items()
            }
            for name, fit in comparison.fits.items()
        },
    }
    (out / "averaged.json").write_text(json_text(content) + "\n", encoding="utf-8")
    rows = content["hypotheses"] | {
        f"averaged by {kind}": found for kind, found in content["averaged"].items()
    }
    for name, row in rows.items():
        time, general = row["doubling_time_after"], row["doubling_time_in_general"]
        said = [
            f"{one['median'] or float('inf'):.0f} ({one['lower']:.0f} to "
            f"{one['upper'] or float('inf'):.0f})"
            for one in (time, general)
        ]
        print(f"{name:22} {said[0]:22} in general {said[1]}")


if __name__ == "__main__":
    main()
