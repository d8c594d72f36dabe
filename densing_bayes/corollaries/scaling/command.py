"""Command on the loss law alone; what is slow to import is imported inside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from densing_bayes.display.options import Chains, Draws, Interval, Seed, Tune
from densing_bayes.display.terminal import (
    Json,
    check_writable,
    exit_unless_passed,
    interruptible,
    print_json,
    print_table,
    print_text,
    say,
    verdict_of,
)
from densing_bayes.errors import DensingError
from densing_bayes.fitting.settings import SEED

if TYPE_CHECKING:
    from densing_bayes.corollaries.scaling.model import LawFit


def scaling_command(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUNS]",
            help="CSV file with params, tokens and loss, or a file of 'fit scaling'. "
            "[default: embedded]",
        ),
    ] = None,
    spec: Annotated[
        str, typer.Option(metavar="SPEC", help="Specification of the law: name or TOML file.")
    ] = "scaling",
    draws: Draws = 1000,
    tune: Tune = 1000,
    chains: Chains = 4,
    seed: Seed = SEED,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """Loss law of a table of training runs, without systems (fits twice, in seconds)."""
    from densing_bayes.corollaries.scaling.judgement import largest_left_out, off_the_law
    from densing_bayes.corollaries.scaling.model import LawFit, is_law_file, law_summary
    from densing_bayes.corollaries.scaling.section import (
        far_sentence,
        law_rows,
        predicted_sentence,
        runs_sentence,
    )
    from densing_bayes.display.sentences import marked
    from densing_bayes.quantities.numbers import percent

    settings = {"draws": draws, "tune": tune, "chains": chains, "seed": seed}
    with interruptible():
        if source is not None and is_law_file(source):
            fitted = LawFit.load(source)
        else:
            fitted = _fitted(source, spec, settings)
        predicted = largest_left_out(fitted, ci)
    said, judged = law_summary(fitted, ci), off_the_law(fitted)
    if as_json:
        print_json(
            said
            | {
                "off_the_law": judged[judged["far"]].to_dict("records"),
                "left_out": {
                    "verdict": predicted.attrs["verdict"],
                    "runs": predicted.to_dict("records"),
                },
                "diagnostics": fitted.diagnostics,
                "provenance": fitted.provenance,
            }
        )
        exit_unless_passed(fitted.verdict)
        return
    print_text(marked(fitted.verdict, runs_sentence(fitted, said)))
    print_table("", ["Median", f"{percent(ci)} interval", "Prior interval"], law_rows(said))
    print_text(far_sentence(fitted, judged))
    print_text(predicted_sentence(predicted, ci))
    print_text(verdict_of(fitted))
    exit_unless_passed(fitted.verdict)


def _fitted(source: Path | str | None, spec: str, settings: dict[str, Any]) -> LawFit:
    from densing_bayes.corollaries.scaling.model import fit_law
    from densing_bayes.corollaries.scaling.runs import load_law_spec

    return fit_law(source, load_law_spec(spec), **settings)


def fit_law_file(spec: str, data: str | None, out: Path, settings: dict[str, Any]) -> None:
    """What ``fit`` does with a specification of a loss law: fit it to a table, and save it."""
    if data is not None and Path(data).is_dir():
        raise DensingError(f"{data} is a folder; a loss law is fitted to one CSV file of runs")
    with interruptible():
        fitted = _fitted(data, spec, settings)
    check_writable(out.parent)
    out.parent.mkdir(parents=True, exist_ok=True)
    fitted.save(out)
    say(f"wrote {out}: {verdict_of(fitted)}")
    exit_unless_passed(fitted.verdict)


def check_law_file(path: Path, as_json: bool) -> None:
    """What ``check`` does with a saved loss law."""
    from densing_bayes.corollaries.scaling.judgement import law_checks
    from densing_bayes.corollaries.scaling.model import LawFit
    from densing_bayes.evaluation.checks import check_rows, sentences

    fitted = LawFit.load(path)
    with interruptible():
        found = law_checks(fitted)
    if as_json:
        print_json(
            {
                "verdict": found.verdict,
                "checks": found.table.to_dict("records"),
                "diagnostics": fitted.diagnostics,
                "provenance": fitted.provenance,
            }
        )
    else:
        print_table("Check", ["Figure", "Limit", "Status"], check_rows(found), left={3})
        print_text("")
        for sentence in sentences(found):
            print_text(sentence)
    exit_unless_passed("FAIL" if found.verdict == "FAIL" else "PASS")
