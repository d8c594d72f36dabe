"""Commands that hold predictions against what came; what is slow is imported inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from densing_bayes.display.options import Chains, Draws, Jobs, PanelName, Seed, Tune, panel_name
from densing_bayes.display.terminal import (
    FitFile,
    Json,
    exit_unless_passed,
    interruptible,
    load_fit,
    print_footing,
    print_json,
    print_table,
    print_text,
    say,
)
from densing_bayes.fitting.settings import SEED

if TYPE_CHECKING:
    from densing_bayes.evaluation.backtests.backtests import Held


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("backtest")(backtest_command)
    app.command("score")(score_command)


def backtest_command(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="Built-in name or TOML file.")],
    cuts: Annotated[int, typer.Option(metavar="N", help="Cuts, half a year apart.", min=1)] = 4,
    data: PanelName = None,
    hypothesis: Annotated[
        str | None,
        typer.Option(metavar="H", help="Trend: built-in name or TOML file. [default: SPEC's own]"),
    ] = None,
    draws: Draws = 1000,
    tune: Tune = 500,
    chains: Chains = 4,
    jobs: Jobs = None,
    seed: Seed = SEED,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Keep what is finished and reuse it.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Fit the past of each cut and hold its predictions against the half year after it."""
    from densing_bayes.evaluation.backtests.backtests import backtest

    with interruptible():
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
    _print(found, as_json)
    exit_unless_passed(found.verdict)


def score_command(
    fit: FitFile,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            callback=panel_name,
            help="Panel with systems that FIT has not seen: folder or embedded name. "
            "[default: the one that FIT's specification names]",
        ),
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Protocol whose scores are taken; several in order of preference. "
            "[default: as FIT's specification says]",
        ),
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Hold the predictions of a fit against scores of systems that it has not seen."""
    from densing_bayes.evaluation.backtests.backtests import score

    fitted = load_fit(fit)
    found = score(fitted, data, protocols=protocol, seed=seed)
    _print(found, as_json)
    if not as_json:
        print_footing(fitted)


def _print(found: Held, as_json: bool) -> None:
    from densing_bayes.evaluation.backtests.backtests import LEVELS, summary
    from densing_bayes.quantities.labels import benchmark_label
    from densing_bayes.quantities.numbers import number, percent

    figures = summary(found)
    if as_json:
        print_json(figures)
        return
    print_table(
        "Interval",
        ["Scores that it held", "95% band if independent"],
        [
            [
                f"{level}%",
                percent(figures["coverage"][str(level)]["share"]),
                " to ".join(percent(end) for end in figures["coverage"][str(level)]["band"]),
            ]
            for level in LEVELS
        ],
    )
    print_text("")
    rows: list[list[str]] = [["mean CRPS", number(figures["crps"], 3)]]
    rows += [
        [f"CRPS by that of: {rival}", "-" if ratio is None else number(ratio, 2)]
        for rival, ratio in figures["crps_ratio"].items()
    ]
    rows += [
        ["mean width of 80% intervals", number(figures["width80"], 3)],
        ["joint log score, nats", number(figures["joint_log_score"], 1)],
        ["p-value of the window means", number(figures["window_means"]["p"], 3)],
    ]
    print_table(f"{figures['n']} scores", ["Figure"], rows)
    print_text("")
    for by in ("window", "benchmark"):
        parts: dict[str, Any] = figures["pit"][by]
        print_table(
            by.capitalize(),
            ["Scores", "Mean PIT"],
            [
                [
                    benchmark_label(name) if by == "benchmark" else name,
                    str(part["n"]),
                    number(part["mean"], 2),
                ]
                for name, part in parts.items()
            ],
        )
        print_text("")
    for window in figures["windows"]:
        if window["verdict"] != "PASS":
            say(f"densing-bayes: warning: {window['window']}: {window['reasons']}")
