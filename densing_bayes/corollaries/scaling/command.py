"""Command on the loss law alone; what is slow to import is imported inside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from densing_bayes.display.options import Chains, Draws, Interval, Seed, Tune
from densing_bayes.display.terminal import (
    Json,
    exit_unless_passed,
    say,
    show,
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
            help="CSV file with params, tokens and loss, or a file written by 'fit scaling'. "
            "[default: the embedded table]",
        ),
    ] = None,
    spec: Annotated[
        str,
        typer.Option(metavar="SPEC", help="Specification of the law: built-in name or TOML file."),
    ] = "scaling",
    draws: Draws = 1000,
    tune: Tune = 1000,
    chains: Chains = 4,
    seed: Seed = SEED,
    as_json: Json = False,
    ci: Interval = 0.95,
) -> None:
    """Loss law of a table of training runs, without systems (two fits, of seconds each)."""
    from densing_bayes.corollaries.scaling.model import LawFit, is_law_file
    from densing_bayes.corollaries.scaling.section import law_section

    settings = {"draws": draws, "tune": tune, "chains": chains, "seed": seed}
    if source is not None and is_law_file(source):
        fitted = LawFit.load(source)
    else:
        fitted = _fitted(source, spec, settings)
    section = law_section(fitted, ci)
    show(section.document, section, as_json=as_json)
    exit_unless_passed(fitted.verdict)


def _fitted(source: Path | str | None, spec: str, settings: dict[str, Any]) -> LawFit:
    from densing_bayes.corollaries.scaling.model import fit_law
    from densing_bayes.corollaries.scaling.runs import load_law_spec

    return fit_law(source, load_law_spec(spec), **settings)


def fit_law_file(spec: str, data: str | None, out: Path, settings: dict[str, Any]) -> None:
    """What ``fit`` does with a specification of a loss law: fit it to a table, and save it."""
    from densing_bayes.display.sentences import small_verdict

    if data is not None and Path(data).is_dir():
        raise DensingError(f"{data} is a folder; a loss law is fitted to one CSV file of runs")
    fitted = _fitted(data, spec, settings)
    out.parent.mkdir(parents=True, exist_ok=True)
    fitted.save(out)
    say(f"wrote {out}: {small_verdict(fitted)}")
    exit_unless_passed(fitted.verdict)


def check_law_file(path: Path, as_json: bool) -> None:
    """What ``check`` does with a saved loss law."""
    from densing_bayes.corollaries.scaling.judgement import law_checks
    from densing_bayes.corollaries.scaling.model import LawFit
    from densing_bayes.display.answers.checks import checks_section

    fitted = LawFit.load(path)
    found = law_checks(fitted)
    section = checks_section(found)
    document = {key: section.document[key] for key in ("verdict", "checks")}
    document |= {"diagnostics": fitted.diagnostics, "provenance": fitted.provenance}
    show(document, section, as_json=as_json)
    exit_unless_passed("FAIL" if found.verdict == "FAIL" else "PASS")
