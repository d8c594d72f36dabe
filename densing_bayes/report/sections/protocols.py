"""Section of the report on how far the protocols of its scores disagree."""

from __future__ import annotations

from typing import Any

from densing_bayes.display.section import Section, Table
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities import numbers
from densing_bayes.quantities.labels import benchmark_label
from densing_bayes.quantities.protocols import protocol_differences


def protocol_section(fit: Fit, ci: float = CI) -> Section:
    """Offset and noise of every protocol beside the anchor of its benchmark."""
    table = protocol_differences(fit, ci)
    records: list[dict[Any, Any]] = table.to_dict("records")
    rows = tuple(
        (
            benchmark_label(row["benchmark"]),
            row["protocol"],
            row["anchor"],
            str(row["systems"]),
            str(row["both"]),
            f"{100.0 * row['difference']:+.1f}",
            f"{100.0 * row['difference_lower']:+.1f} to {100.0 * row['difference_upper']:+.1f}",
            f"{100.0 * row['noise']:.2g}",
        )
        for row in records
    )
    surely = [row for row in records if row["difference_lower"] * row["difference_upper"] > 0.0]
    span = numbers.percent(ci)
    sentences = [
        f"{len(surely)} of {len(records)} protocols differ from the anchor of their benchmark: the "
        f"{span} interval of the difference excludes zero."
    ]
    if surely:
        most = max(surely, key=lambda row: abs(row["difference"]))
        sentences.append(
            f"The largest difference is that of {most['protocol']} on "
            f"{benchmark_label(most['benchmark'])}: "
            f"{100.0 * most['difference']:+.1f} points ({100.0 * most['difference_lower']:+.1f} to "
            f"{100.0 * most['difference_upper']:+.1f}) at a score of {100.0 * most['at']:.0f} by "
            f"{most['anchor']}."
        )
    return Section(
        "protocols",
        "How far protocols disagree",
        tuple(sentences),
        (
            "Every score has a protocol: who measured it, and how. One protocol of each benchmark "
            "is the anchor; every other has an offset from it on the logit of the score, known "
            "from systems that both have measured or from their other scores, and its own noise.",
        ),
        (
            Table(
                (
                    "Benchmark",
                    "Protocol",
                    "Anchor",
                    "Systems",
                    "Anchor's, too",
                    "Difference",
                    f"{span} interval",
                    "Noise",
                ),
                rows,
                note="Difference and noise in points of 100: the difference on a system whose "
                "score by the anchor is the median of the benchmark, the noise at a score of 50.",
                left=frozenset({1, 2}),
                numbers=table,
            ),
        ),
        document={"differences": records},
    )
