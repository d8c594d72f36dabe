"""All built-in hypotheses by all criteria.

Writes analyses/hypotheses.json and .md, the figures beside them, and prints the findings and how
long it took. About 12 minutes on two cores, and an hour with exact refits and forecasts; a run
that was stopped goes on from the fits that are kept.

    python analyses/hypotheses.py [--exact] [--forecast] [--out analyses]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import densing_bayes as db
from densing_bayes.display import findings
from densing_bayes.display.answers.hypotheses import comparison_document, comparison_section
from densing_bayes.posterior.plain import json_text


def main() -> None:
    """Compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--forecast", action="store_true")
    arguments = parser.parse_args()
    started = time.perf_counter()
    comparison = db.compare("joint", exact=arguments.exact, forecast=arguments.forecast)
    print(f"{time.perf_counter() - started:.0f} s")
    print(findings.markdown(comparison))
    (arguments.out / "hypotheses.md").write_text(findings.markdown(comparison), encoding="utf-8")
    content = comparison_document(comparison)
    content["forecasts"] = [
        {key: row[key] for key in ("hypothesis", "cut", "releases", "log_score", "verdict")}
        for row in content["forecasts"]
    ]
    path = arguments.out / "hypotheses.json"
    path.write_text(json_text(content) + "\n", encoding="utf-8")
    for picture in comparison_section(comparison).pictures:
        (arguments.out / f"{picture.name}.png").write_bytes(picture.image.png)


if __name__ == "__main__":
    main()
