"""Examples that several tests use: small panels, switches of the model, fits of the past."""

import dataclasses
import datetime as dt

import pandas as pd
import xarray as xr

from densing_bayes.corollaries.payback.model import Economics, Ending, payback
from densing_bayes.corollaries.payback.release import release_of
from densing_bayes.evaluation import leave_out
from densing_bayes.evaluation.backtests import backtests
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_hypothesis, load_spec

SPEC = load_spec("joint")
# A line that changes at ChatGPT and releases below it: nothing that wanders, scatters or leans.
LINE = SPEC.replace(
    trend__walk=None, trend__periods=None, trend__release_scatter=None, density__lean=None
)
PANEL = load_panel("open")
FEW = (
    "gpt2-xl",
    "opt-6.7b",
    "opt-1.3b",
    "pythia-12b-deduped",
    "llama-7b",
    "llama-2-7b",
    "mistral-7b-v0.1",
    "phi-2",
    "qwen2-7b",
    "llama-3-8b",
)
PC = {"distribution": "exponential", "upper": 1.0, "tail": 0.05}
WALK = {"every_months": 6, "level_spread": PC, "growth_spread": PC, "tails": 4.0}
FURTHER = {
    "also": ["EleutherAI on the Pile", "Mamba"],
    "level": {"distribution": "normal", "mu": 0.0, "sigma": 1.0},
    "exponent_spread": {"distribution": "lognormal", "median": 0.15, "sigma": 0.5},
    "share_spread": {"distribution": "lognormal", "median": 0.3, "sigma": 0.5},
}
OF_THE_SHAPE = {
    "performance__curve": None,
    "performance__steepness": {"distribution": "lognormal", "median": 12.0, "sigma": 0.7},
    "performance__midpoint": {"distribution": "lognormal", "median": 0.8, "sigma": 0.3},
    "performance__discrimination": {"distribution": "lognormal", "median": 0.6, "sigma": 0.6},
    "performance__difficulty": {"distribution": "normal", "mu": 1.0, "sigma": 2.0},
}
SWITCHES = {
    "as shipped": {},
    "no irreducible loss": {"scaling__irreducible": False},
    "curves by their shape": OF_THE_SHAPE,
    "no run effects": {"performance__run_effects": False},
    "no pooling": {"scaling__pooling": False},
    "annealed runs only": {"scaling__final_runs": "annealed"},
    "no drift": {"density__drift": False},
    "mean trend": {"trend__frontier": "none"},
    "no release effects": {"trend__release_effects": False},
    "no organisation effects": {"trend__organisation_effects": False},
    "no size slope": {"trend__size_slope": False},
    "wandering": {"trend__walk": WALK},
    "wandering benchmarks": {"trend__walk": WALK, "density__walk": PC, "density__drift": False},
    "leaning organisations": {"density__lean": PC},
    "leaning releases": {"density__lean": PC, "density__release_lean": PC},
    "periods": {"trend__periods": {"every_months": 3, "spread": PC}},
    "scattered releases": {"trend__release_scatter": True},
    "heavy tails": {"trend__release_tails": 4.0},
    "wandering smoothly": {
        "trend__walk": WALK,
        "trend__changes": (),
        "trend__smooth": load_hypothesis("smooth").smooth,
    },
    "shortfall drifts": {"trend__shortfall_drift": True},
    "no change": {"trend__changes": ()},
    "open date": {"trend__changes": load_hypothesis("unknown-date").changes},
    "open dates": {"trend__changes": load_hypothesis("two-changes").changes},
    "total size": {"panel__size": "total"},
    "flagged rows": {"panel__flagged": "offset"},
    "beta-binomial": {"performance__likelihood": "beta-binomial"},
    "one benchmark": {"benchmarks": {"hellaswag": {"link": "loss"}}},
    "the paper's form": {},
    "several protocols": {},
    "without reference runs": {
        "benchmarks": {"hellaswag": {"link": "size"}, "mmlu": {"link": "size"}},
        "trend__frontier": "none",
        "trend__size_slope": False,
    },
    "several families": {},
    "direct links only": {
        "benchmarks": {"hellaswag": {"link": "direct"}, "winogrande": {"link": "direct"}}
    },
}


def few_systems(panel=PANEL):
    few = [name for name in FEW if name in panel.systems.index]
    systems = panel.systems.loc[few]
    scores = panel.scores[panel.scores["system"].isin(few)]
    return dataclasses.replace(panel, systems=systems, scores=scores)


def of_the_past(fit, cut):
    """A fit cut down to what was released before a date: the shape of a fit of the past."""
    own = leave_out.before(fit.observed, cut)
    keep = {
        "system": list(own.systems),
        "release": list(own.releases),
        "organisation": list(own.organisations),
        "cell": list(own.cell_label),
    }
    draws = fit.posterior.sel({k: v for k, v in keep.items() if k in fit.posterior.dims})
    return dataclasses.replace(fit, data=xr.DataTree.from_dict({"posterior": draws}), observed=own)


CUT = dt.date(2024, 1, 23)


def past_of(fit):
    """A fit that has not seen what came after the cut; its draws have, which is no matter here."""
    past = of_the_past(fit, CUT)
    return dataclasses.replace(past, provenance=fit.provenance, diagnostics=fit.diagnostics)


def last_window(fit):
    """The half year after the cut as a backtest of one cut holds it."""
    own = leave_out.released_within(fit.observed, CUT)[fit.observed.system_release]
    rows = backtests.held(past_of(fit), fit.observed.of_systems(own), CUT, 183)
    return backtests.Held(pd.DataFrame(rows["cells"]), pd.DataFrame([rows["window"]]))


def payback_by(fit, system=None, **options):
    """A pay-back by what each part of it is called: the release, its economics, its ending."""

    def of(kind):
        names = {field.name for field in dataclasses.fields(kind)}
        return kind(**{name: value for name, value in options.items() if name in names})

    place = {name: options.get(name) for name in ("density", "params", "date")}
    release = release_of(fit, options.get("system", system), **place)
    return payback(fit, release, of(Economics), of(Ending))
