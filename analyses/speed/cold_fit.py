"""Where the time of one fit goes: run with empty caches it is a cold fit, run again a warm one.

Prints seconds by part as JSON; first_run.py calls it in an empty home folder.

    python analyses/speed/cold_fit.py
"""

from __future__ import annotations

import importlib
import json
import time
from typing import Any

PARTS = {  # functions by module, and the part that the time in them belongs to
    ("densing_bayes.joint.model", "assemble"): "model",
    ("densing_bayes.fitting.coordinates.conditioned", "condition"): "model",
    ("pymc.model.core.Model", "logp"): "model",
    ("pytensor.graph.rewriting.utils", "rewrite_graph"): "rewriting",
    ("pytensor.gradient", "grad"): "gradient",
    ("densing_bayes.fitting.engine.functions", "record"): "recording",
    ("densing_bayes.fitting.start", "pilot"): "least squares",
    ("densing_bayes.fitting.start", "loss_optima"): "least squares",
    ("densing_bayes.fitting.whitening", "laplace"): "Laplace approximation",
    ("densing_bayes.fitting.steps", "pilot_run"): "pilot",
    ("densing_bayes.fitting.steps", "sample"): "sampling",
    ("densing_bayes.posterior.diagnostics", "diagnose"): "diagnostics",
    ("densing_bayes.fitting.steps", "_prior"): "prior draws",
    ("densing_bayes.fitting.engine.machine", "callbacks"): "machine (numba)",
    ("densing_bayes.fitting.engine.functions", "callbacks"): "machine (numba)",
    ("densing_bayes.fitting.engine.functions", "run_each"): "machine (numba)",
}


def clocked(seconds: dict[str, float], inside: list[str], function: Any, part: str) -> Any:
    """The function, with the time in it added to its part and taken from the one around it."""

    def wrapped(*arguments: Any, **named: Any) -> Any:
        inside.append(part)
        start = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            taken = time.perf_counter() - start
            inside.pop()
            seconds[part] = seconds.get(part, 0.0) + taken
            if inside:
                seconds[inside[-1]] = seconds.get(inside[-1], 0.0) - taken

    return wrapped


def main() -> None:
    """Fit the open panel and print the seconds of each part."""
    started = time.perf_counter()
    seconds: dict[str, float] = {}
    inside: list[str] = []
    for (place, name), part in PARTS.items():
        stem, _, last = place.rpartition(".")
        owner = (
            getattr(importlib.import_module(stem), last)
            if last[0].isupper()
            else importlib.import_module(place)
        )
        setattr(owner, name, clocked(seconds, inside, getattr(owner, name), part))
    import nutpie  # noqa: F401 - its import is part of the cost

    import densing_bayes as db

    seconds["imports"] = time.perf_counter() - started
    started = time.perf_counter()
    fit = db.fit("joint", progress=False)
    whole = time.perf_counter() - started
    seconds["the rest"] = whole - sum(v for k, v in seconds.items() if k != "imports")
    seconds["whole"] = whole + seconds["imports"]
    if fit.verdict != "PASS":
        raise SystemExit(f"the fit did not pass: {fit.diagnostics['reasons']}")
    print(json.dumps({part: round(taken, 2) for part, taken in seconds.items()}))


if __name__ == "__main__":
    main()
