"""What makes intervals hold out of sample? Additions to the model, each tried on rolling cuts.

The rule by which an addition earns its place is written down in docs/backtest.md. Each addition is
a change of the specification on top of another; each is fitted to the past of half-yearly cuts of
the panels and scored on the half years after them. Finished cuts are kept in the store, and what
is finished is written after every panel: backtest.json, and the table backtest.md. A panel takes
some minutes on two idle cores.

    python analyses/backtest.py [--additions walk ...] [--panels open ...] [--out analyses]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

import densing_bayes as db
from densing_bayes.display.sentences import markdown_table
from densing_bayes.evaluation.backtests.backtests import LEVELS, Held, summary
from densing_bayes.fitting.compiled import compile_fit
from densing_bayes.observed.observations import observe

SPECS = {"open": "joint", "paper": "paper", "current": "current"}
CUTS = {"open": 4, "paper": 4, "current": 6}  # those of the last end in 2025-06
SETTINGS = {"draws": 1000, "tune": 400, "chains": 4}
LINE, SHIPPED = "a line", "as shipped"


def lognormal(median: float, sigma: float) -> dict[str, Any]:
    """The prior of a scale by its median and the spread of its logarithm."""
    return {"distribution": "lognormal", "median": median, "sigma": sigma}


WALK = {
    "every_months": 3,
    "level_spread": lognormal(0.3, 0.7),
    "growth_spread": lognormal(0.3, 0.7),
    "tails": 4.0,
}
# Of 5,700 questions of MMLU that were annotated anew, 6.49% have an error (arXiv 2406.04127).
AUDITED = {"distribution": "logitnormal", "median": 0.935, "sigma": 0.2}
QUARTERS = {"every_months": 3, "spread": lognormal(0.5, 0.5)}
# By name: the addition that it comes on top of, and what it changes in the specification.
ADDITIONS: dict[str, tuple[str | None, dict[str, Any]]] = {
    LINE: (
        None,
        {
            "trend__walk": None,
            "trend__periods": None,
            "trend__release_scatter": None,
            "trend__release_spread": lognormal(0.4, 0.5),
            "density__lean": None,
        },
    ),
    "wandering trend": (LINE, {"trend__walk": WALK}),
    "wandering benchmarks": (
        "wandering trend",
        {"density__walk": lognormal(0.3, 0.7), "density__drift": False},
    ),
    "leaning organisations": (LINE, {"density__lean": lognormal(0.3, 0.5)}),
    "scattered releases": (
        LINE,
        {"trend__release_scatter": True, "trend__release_spread": lognormal(0.6, 0.3)},
    ),
    "effects of quarters": (LINE, {"trend__periods": QUARTERS}),
    "all but wandering": (
        LINE,
        {
            "density__lean": lognormal(0.3, 0.5),
            "trend__release_scatter": True,
            "trend__release_spread": lognormal(0.6, 0.3),
            "trend__periods": QUARTERS,
        },
    ),
    SHIPPED: ("all but wandering", {"trend__walk": WALK | {"growth_spread": lognormal(0.6, 0.5)}}),
    "leaning releases": (SHIPPED, {"density__release_lean": lognormal(0.3, 0.5)}),
    "audited ceiling": (SHIPPED, {"benchmarks__mmlu__ceiling": AUDITED}),
}


def changed(name: str, panel: str) -> db.ModelSpec:
    """The specification of a panel with an addition and those that it comes on top of."""
    chain: list[dict[str, Any]] = []
    at: str | None = name
    while at is not None:
        at, changes = ADDITIONS[at]
        chain.append(changes)
    spec = db.load_spec(SPECS[panel])
    merged = {key: value for changes in reversed(chain) for key, value in changes.items()}
    return spec.replace(**merged)


def entry(found: Held) -> dict[str, Any]:
    """What is kept of a backtest: its figures, without the PITs of single releases.

    Windows whose fit has not passed say nothing and are left out; ``left_out`` names them.
    """
    passed = found.windows["verdict"] == "PASS"
    left_out = found.windows.loc[~passed, ["window", "reasons"]].to_dict("records")
    own = found.cells["window"].isin(found.windows.loc[passed, "window"])
    found = Held(found.cells[own], found.windows[passed])
    figures = summary(found) | {"left_out": left_out}
    figures["pit"].pop("release")
    for row in figures["windows"]:
        cells = found.cells[found.cells["window"] == row["window"]]
        row["crps"] = float(cells["crps"].mean())
        row["width80"] = float((cells["upper80"] - cells["lower80"]).mean())
        row |= {f"covered{level}": float(cells[f"covered{level}"].mean()) for level in LEVELS}
    return figures


def gradient_seconds(name: str, panel: str, repeats: int = 400) -> float:
    """Least time of a gradient of the model on the whole panel, which other load affects little."""
    spec = changed(name, panel)
    engine = compile_fit(spec, observe(db.load_panel(panel), spec)).engine
    log_density, at = engine.log_density(), np.zeros(engine.size)
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        log_density(at)
        taken.append(time.perf_counter() - begin)
    return min(taken)


def difference(one: dict[str, Any], other: dict[str, Any]) -> tuple[float, float]:
    """Joint log score of one beyond another's, over the windows of both, and its standard error.

    Over panels; windows are what is independent.
    """
    apart = []
    for panel in set(one) & set(other):
        scores = [
            {row["window"]: row["joint_log_score"] for row in each[panel]["windows"]}
            for each in (one, other)
        ]
        apart += [
            scores[0][window] - scores[1][window] for window in set(scores[0]) & set(scores[1])
        ]
    count = len(apart)
    error = np.sqrt(count * np.var(apart, ddof=1)) if count > 1 else np.inf
    return float(np.sum(apart)), float(error)


def table(content: dict[str, Any]) -> str:
    """All additions as a table in Markdown."""
    header = ["addition", "on top of", "panel", "scores", "50%", "80%", "95%", "CRPS", "80% width",
              "window means p", "joint score", "gain on a line", "leapfrog steps",
              "gradient, ms", "passed"]  # fmt: skip
    rows = []
    for name, (below, _) in ADDITIONS.items():
        for panel, found in content.get(name, {}).items():
            windows = found["windows"]
            gain = "-"
            if name != LINE and panel in content.get(LINE, {}):
                value, error = difference({panel: found}, {panel: content[LINE][panel]})
                gain = f"{value:.0f} ± {error:.0f}"
            asked = len(windows) + len(found.get("left_out", []))
            rows.append(
                [
                    name,
                    below or "-",
                    panel,
                    str(found["n"]),
                    *(f"{found['coverage'][str(level)]['share']:.2f}" for level in LEVELS),
                    f"{found['crps']:.4f}",
                    f"{found['width80']:.3f}",
                    f"{found['window_means']['p']:.3f}",
                    f"{found['joint_log_score']:.0f}",
                    gain,
                    f"{np.mean([row['leapfrog_mean'] for row in windows]):.0f}",
                    f"{1e3 * found['gradient_seconds']:.2f}",
                    f"{len(windows)} of {asked}",
                ]
            )
    return markdown_table(header, rows)


def write(content: dict[str, Any], out: Path) -> None:
    """Write what is finished."""
    (out / "backtest.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (out / "backtest.md").write_text(table(content) + "\n", encoding="utf-8")


def main() -> None:
    """Backtest every addition on every panel, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--additions", nargs="+", choices=list(ADDITIONS), default=list(ADDITIONS))
    parser.add_argument("--panels", nargs="+", choices=list(SPECS), default=list(SPECS))
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    path = arguments.out / "backtest.json"
    content = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for name in arguments.additions:
        for panel in arguments.panels:
            found = db.backtest(
                changed(name, panel), panel, cuts=CUTS[panel], progress=True, **SETTINGS
            )
            own = entry(found) | {"gradient_seconds": gradient_seconds(name, panel)}
            content.setdefault(name, {})[panel] = own
            write(content, arguments.out)
            print(f"{name}, {panel}: {found.verdict}", flush=True)
    print(table(content))


if __name__ == "__main__":
    main()
