"""The loss law of the Chinchilla runs, beside the answer of their re-analysis.

Fits the law to the embedded runs without and with the five that a flag marks, and to them without
the tenth with most compute. Writes scaling.json, scaling.md and two figures. Half a minute.

    python analyses/scaling.py [--out analyses]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from densing_bayes.corollaries.scaling.figures import plot_predicted, plot_residuals
from densing_bayes.corollaries.scaling.judgement import largest_left_out, off_the_law
from densing_bayes.corollaries.scaling.model import CONSTANTS, fit_law, law_summary
from densing_bayes.corollaries.scaling.runs import load_law_spec
from densing_bayes.corollaries.scaling.section import far_sentence, predicted_sentence
from densing_bayes.display.figures.canvas import figure_of
from densing_bayes.evaluation.outliers import far_limit
from densing_bayes.posterior.plain import json_text
from densing_bayes.posterior.result import CI
from densing_bayes.quantities.numbers import limits, median

KNOWN = {"irreducible_loss": 1.8172, "params_exponent": 0.3478, "tokens_exponent": 0.3658}


def main() -> None:
    """Fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    out = parser.parse_args().out
    spec = load_law_spec()
    all_runs = spec.model_copy(update={"runs": spec.runs.model_copy(update={"flagged": "include"})})
    fits = {"without": fit_law(spec=spec), "with": fit_law(spec=all_runs)}
    said = {name: law_summary(fit) for name, fit in fits.items()}
    fit, judged = fits["without"], {name: off_the_law(each) for name, each in fits.items()}
    predicted = largest_left_out(fit)
    content = {
        "known": KNOWN,
        "verdicts": {name: each.verdict for name, each in fits.items()},
        "constants": said,
        "off_the_law": {
            name: table[table["far"]].to_dict("records") for name, table in judged.items()
        },
        "left_out": {"verdict": predicted.attrs["verdict"], "runs": predicted.to_dict("records")},
    }
    (out / "scaling.json").write_text(json_text(content) + "\n", encoding="utf-8")
    lines = [
        "| constant | re-analysis | without the five runs | with them |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {label} | {KNOWN.get(name, '')} | "
        + " | ".join(f"{median(said[key][name], 4)} ({limits(said[key][name], 4)})" for key in said)
        + " |"
        for name, label in CONSTANTS.items()
    ]
    sentences = [
        f"Without the five runs: {far_sentence(fit, judged['without'])}",
        f"With them: {far_sentence(fits['with'], judged['with'])}",
        predicted_sentence(predicted, CI),
    ]
    text = "\n".join(lines) + "\n\n" + "\n\n".join(sentences) + "\n"
    (out / "scaling.md").write_text(text, encoding="utf-8")
    limit = far_limit(len(judged["without"]), spec.check.far)
    for name, axes in (
        ("scaling", plot_residuals(judged["without"], limit)),
        ("scaling-left-out", plot_predicted(predicted)),
    ):
        figure_of(axes).savefig(out / f"{name}.png")
    print(text)


if __name__ == "__main__":
    main()
