"""Claims that came after the paper, and its forecast of small systems, asked of the current panel.

The news article of December 2024 has a system of 8 billion parameters at the level of GPT-4 by the
end of 2025. That date has passed, so the claim is a fact to be looked up: which systems came
nearest, by each protocol. It is judged on developers' own reports, as GPT-4's scores are. Claims
about what no table of ours holds are named as such.
Writes claims_2026.json and claims_2026.md.

    python analyses/claims_2026.py [--out analyses]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import densing_bayes as db
from densing_bayes.ledger.facts import judged_fact
from densing_bayes.ledger.ledger import load_claims


def rows() -> list[dict[str, Any]]:
    """Every claim with its verdict, and the systems that came nearest."""
    panel, found = db.load_panel("current"), []
    for name, claim in load_claims("claims_2026").iterrows():
        judged, nearest = judged_fact(claim, panel)
        row: dict[str, Any] = {
            "claim": name,
            "statement": claim["statement"],
            "value": claim["value"],
            "unit": claim["unit"],
            "verdict": judged.verdict,
            "reason": judged.reason,
            "source": claim["source"],
        }
        if nearest is not None:
            row["nearest"] = json.loads(nearest.to_json(orient="records", date_format="iso"))
        found.append(row)
    return found


def lines(found: list[dict[str, Any]]) -> list[str]:
    """The claims as a table in Markdown."""
    result = ["| claim | value | verdict | best by each protocol |", "|---|---|---|---|"]
    for row in found:
        said = row["reason"]
        if "nearest" in row:
            said = "; ".join(
                f"{each['system']} {each['score']:.3f} ({each['protocol']})"
                for each in row["nearest"]
            )
        unit = "" if row["unit"] in ("score", "1") else f" {row['unit']}"
        result.append(
            f"| {row['statement']} | {row['value']:g}{unit} | {row['verdict']} | {said} |"
        )
    return result


def main() -> None:
    """Judge the claims, write them and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    out = parser.parse_args().out
    found = rows()
    content = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    (out / "claims_2026.json").write_text(content, encoding="utf-8")
    text = "\n".join(lines(found)) + "\n"
    (out / "claims_2026.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
