"""Whether a benchmark's score follows from the reference loss, or directly from (N, D).

Writes the held-out error of both links on the largest reference runs, and how well each family of
the current panel foresees the scores of its largest member: link_errors.json, and as tables
link_errors.md and link_errors_families.md. Some seconds.

    python analyses/link_errors.py [--out analyses]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import densing_bayes as db
from densing_bayes.display.sentences import markdown_table
from densing_bayes.evaluation.left_out_members import left_out_members
from densing_bayes.posterior.plain import json_text
from densing_bayes.quantities.link_errors import link_errors


def main() -> None:
    """Fit by least squares, predict, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    out: Path = parser.parse_args().out
    spec = db.load_spec("joint")
    links = link_errors(spec, db.load_panel("open"))
    rows = [
        [
            str(name),
            f"{row['loss']:.3f}",
            f"{row['direct']:.3f}",
            f"{row['held_out']}{' checkpoints' if row['checkpoints'] else ''}",
            str(row["better"]),
            str(row["chosen"]),
        ]
        for name, row in links.iterrows()
    ]
    header = ["benchmark", "by loss", "directly by (N, D)", "runs held out", "better", "in joint"]
    (out / "link_errors.md").write_text(markdown_table(header, rows) + "\n", encoding="utf-8")
    members = left_out_members(db.load_spec("current"), db.load_panel("current"))
    rows = [
        [
            str(row["family"]),
            str(row["benchmark"]),
            str(row["run"]),
            f"{row['params'] / 1e9:.1f}",
            f"{row['tokens'] / 1e12:.2f}",
            str(row["fitted"]),
            f"{row['score']:.3f}",
            f"{row['predicted']:.3f}",
            "yes" if row["within"] else "no",
        ]
        for _, row in members.iterrows()
    ]
    header = ["family", "benchmark", "run", "params, 1e9", "tokens, 1e12", "runs fitted", "score",
              "predicted", "within 95%"]  # fmt: skip
    (out / "link_errors_families.md").write_text(markdown_table(header, rows) + "\n", "utf-8")
    content = {
        "links": links.reset_index().to_dict(orient="records"),
        "members": members.to_dict(orient="records"),
        "within": int(members["within"].sum()),
        "scores": len(members),
    }
    (out / "link_errors.json").write_text(json_text(content) + "\n", encoding="utf-8")
    for name in ("link_errors.md", "link_errors_families.md"):
        print((out / name).read_text("utf-8"))


if __name__ == "__main__":
    main()
