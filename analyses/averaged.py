"""Growth averaged over the built-in hypotheses, beside what each of them says.

Compares all built-in hypotheses on the open panel, without exact refits and forecasts, and mixes
their posteriors by evidence and by stacking. Prints a table and writes averaged.json. Some ten
minutes on two cores; fits are kept.

    python analyses/averaged.py [--out analyses]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import densing_bayes as db
from densing_bayes.averaging import QUANTITIES, average_summary
from densing_bayes.documents import json_text


def main() -> None:
    """Compare, mix, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    out = parser.parse_args().out
    comparison = db.compare("joint")
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
