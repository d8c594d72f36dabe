"""How often forecasts prefer the hypothesis that is true.

As which_hypothesis_wins.py, but with one benchmark, since forecasts need several fits of a panel:
panels are simulated under no change, a change at ChatGPT and a change ten months later, and the
three are fitted to what a panel has before each of the two last cuts of a comparison. Their log
scores of the half years after the cuts are added, where all fits pass. Prints a table and writes
it as which_forecast_wins.md and .json, where panels of an earlier run stay.

    python analyses/which_forecast_wins.py [--panels 60] [--out analyses/...json]
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from which_hypothesis_wins import (
    LATER,
    NAMES,
    SETTINGS,
    Answer,
    Judge,
    arguments_of,
    best_of,
    judged,
    simulated,
    tried,
    write,
)

import densing_bayes as db
from densing_bayes.display.sentences import markdown_table
from densing_bayes.evaluation.leave_out import cuts_of, densities_after, released_before
from densing_bayes.fitting.compiled import Compiled, compile_fit, with_room
from densing_bayes.fitting.fit import fit_compiled
from densing_bayes.fitting.settings import Sampling
from densing_bayes.observed.observations import with_changes
from densing_bayes.posterior.result import Fit

BENCHMARK = "hellaswag"
# Of a comparison's five, the last: before them a change at ChatGPT has met two months of data, and
# a later one none.
CUTS = 2
PILOT = SETTINGS | {"draws": 10, "tune": 10, "seed": 1}  # only its pilot is wanted


def prepared() -> Judge:
    """Fits of the real panel, whole and before each cut, and the model compiled."""
    joint = db.load_spec("joint")
    spec = joint.replace(benchmarks={BENCHMARK: joint.benchmarks[BENCHMARK].model_dump()})
    real = {
        name: db.fit(spec, hypothesis=LATER if name == "later" else name, cores=1, seed=1)
        for name in NAMES
    }
    for name, fit in real.items():
        if fit.verdict != "PASS":
            raise SystemExit(f"{name}: {'; '.join(fit.diagnostics['reasons'])}")
    compiled = compile_fit(with_room(spec), real["none"].observed)
    near = {
        (name, cut): fit_compiled(
            compiled,
            fit.observed,
            Sampling(**PILOT),
            spec=fit.spec,
            near=fit,
            seen=released_before(fit.observed, cut),
        )
        for name, fit in real.items()
        for cut in cuts_of(fit.observed)[-CUTS:]
        if begun(fit, cut)
    }
    return lambda number: forecast(number, real, compiled, near)


def begun(fit: Fit, cut: dt.date) -> bool:
    """Whether data before a cut have met the change of a hypothesis, if it has one."""
    return all(change.date < cut for change in fit.spec.trend.changes if change.date is not None)


def forecast(
    number: int,
    real: dict[str, Fit],
    compiled: Compiled,
    near: dict[tuple[str, dt.date], Fit],
) -> Answer:
    """Log score of the half year after each cut, by hypothesis; none without a pass."""
    panel = simulated(number, real)
    result: Answer = {name: [] for name in NAMES}
    for cut in cuts_of(panel)[-CUTS:]:
        fits = {
            name: tried(
                compiled,
                with_changes(panel, real[name].spec),
                real[name].spec,
                near[name, cut],
                number,
                released_before(panel, cut),
            )
            for name in NAMES
            if begun(real[name], cut)
        }
        for name in NAMES:
            fit = fits[name] if name in fits else not_begun(fits["none"], real[name], number)
            score = float(np.sum(densities_after(fit, with_changes(panel, fit.spec), cut)))
            result[name].append(score if fit.verdict == "PASS" else None)
    return result


def not_begun(fit: Fit, later: Fit, seed: int) -> Fit:
    """The fit of a hypothesis whose change no datum has met: that without it, and the prior."""
    prior = later.prior["growth_change"].stack(each=("chain", "draw")).transpose("each", ...)
    shape = (fit.posterior.sizes["chain"], fit.posterior.sizes["draw"])
    drawn = np.random.default_rng(seed).integers(prior.sizes["each"], size=shape)
    change = (("chain", "draw", "slope_change"), prior.to_numpy()[drawn])
    data = fit.data.copy()
    data["posterior"] = xr.DataTree(fit.posterior.assign(growth_change=change))
    return replace(fit, data=data, spec=later.spec)


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How often the sum over the cuts is best for which hypothesis, by truth."""
    wins = []
    for true in NAMES:
        own = [row for row in rows if row["truth"] == true]
        passed = [row for row in own if all(None not in row[name] for name in NAMES)]
        best = [best_of({name: sum(row[name]) for name in NAMES}) for row in passed]
        entry = {"truth": true, "panels": len(own), "all passed": len(passed)}
        wins.append(entry | {f"best: {name}": best.count(name) for name in NAMES})
    return wins


def table(wins: list[dict[str, Any]]) -> str:
    """The summary as Markdown."""
    return markdown_table(list(wins[0]), [[str(cell) for cell in row.values()] for row in wins])


def main() -> None:
    """Simulate, forecast, count."""
    arguments = arguments_of(__doc__, "analyses/which_forecast_wins.json")
    rows = judged("forecast", arguments.panels, arguments.out, prepared, __file__)
    wins = summary(rows)
    write({"wins": wins, "rows": rows}, table(wins) + "\n", arguments.out)


if __name__ == "__main__":
    main()
