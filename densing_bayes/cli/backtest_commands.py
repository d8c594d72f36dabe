"""Commands that hold predictions against what came; what is slow is imported inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from densing_bayes.display.options import (
    Cache,
    Chains,
    Draws,
    Jobs,
    PanelName,
    Seed,
    SpecName,
    Tune,
    panel_name,
)
from densing_bayes.display.terminal import (
    FitFile,
    Json,
    exit_unless_passed,
    load_fit,
    say,
    show,
)
from densing_bayes.fitting.settings import SEED

if TYPE_CHECKING:
    from densing_bayes.evaluation.backtests.backtests import Held
    from densing_bayes.posterior.result import Fit


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("backtest")(backtest_command)
    app.command("score")(score_command)


def backtest_command(
    spec: SpecName,
    cuts: Annotated[
        int, typer.Option(metavar="N", help="Number of cuts, half a year apart.", min=1)
    ] = 4,
    data: PanelName = None,
    hypothesis: Annotated[
        str | None,
        typer.Option(
            metavar="H",
            help="Hypothesis about the trend: built-in name or TOML file. [default: that of SPEC]",
        ),
    ] = None,
    draws: Draws = 1000,
    tune: Tune = 500,
    chains: Chains = 4,
    jobs: Jobs = None,
    seed: Seed = SEED,
    cache: Cache = True,
    as_json: Json = False,
) -> None:
    """Fit the data before each cut, and compare predictions with the following half year."""
    from densing_bayes.evaluation.backtests.backtests import backtest

    found = backtest(
        spec,
        data,
        hypothesis=hypothesis,
        cuts=cuts,
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
        jobs=jobs,
        store=cache,
        progress=True,
    )
    _show(found, as_json)
    exit_unless_passed(found.verdict)


def score_command(
    fit: FitFile,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            callback=panel_name,
            help="Panel with systems that FIT has not seen: folder of tables or name of an "
            "embedded one. [default: that of the specification of FIT]",
        ),
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Protocol whose scores are taken; repeat the option to give several in order of "
            "preference. [default: as the specification of FIT says]",
        ),
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Compare the predictions of a fit with scores of systems that it has not seen."""
    from densing_bayes.evaluation.backtests.backtests import score

    fitted = load_fit(fit)
    found = score(fitted, data, protocols=protocol, seed=seed)
    _show(found, as_json, fitted)


def _show(found: Held, as_json: bool, fit: Fit | None = None) -> None:
    from densing_bayes.display.answers.backtests import held_section

    section = held_section(found)
    show(section.document, section, as_json=as_json, fit=fit)
    if not as_json:
        for window in section.document["windows"]:
            if window["verdict"] != "PASS":
                say(f"densing-bayes: warning: {window['window']}: {window['reasons']}")
