"""Public words are locked: what docs/schema.md says is what the model and the package have."""

import re
from pathlib import Path

import pytest
from examples import SPEC, SWITCHES, few_systems

import densing_bayes
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import list_hypotheses, load_hypothesis
from densing_bayes.joint.model import build_model

SCHEMA = (Path(__file__).parents[2] / "docs" / "schema.md").read_text(encoding="utf-8")
API = {
    "Comparison", "Fit", "Hypothesis", "ModelSpec", "Panel", "__version__", "benchmark_growth",
    "Checks", "average", "average_over_tokens", "backtest", "check", "claims", "estimate_as_paper",
    "load_claims", "over_tokens",
    "build_model", "compare", "densities", "growth_rate", "list_hypotheses", "load_hypothesis",
    "density_table", "doubling_time", "estimand_growth", "estimate", "export_panel", "fit",
    "forecast_date",
    "forecast_summary", "frontier", "frontier_shelf_life", "get_plot_data", "growth",
    "Imported", "import_scores", "list_panels", "list_specs",
    "load_events", "load_panel", "load_spec", "make_report", "params_needed", "predict",
    "predictive", "report_look", "score",
    "shelf_life", "shelf_life_table", "trend_summary", "write_report",
}  # fmt: skip


def documented() -> set[str]:
    """Names in the first column of the table of variables."""
    section = SCHEMA.split("## Variables of the posterior and prior")[1].split("\n## ")[0]
    first = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return set(re.findall(r"`(\w+)`", " ".join(first)))


@pytest.mark.parametrize(
    "name",
    ["as shipped", "mean trend", "shortfall drifts", "flagged rows", "no pooling",
     "wandering benchmarks", "leaning organisations"],
)  # fmt: skip
def test_every_variable_is_documented(name):
    model = build_model(SPEC.replace(**SWITCHES[name]), few_systems())
    named = {v.name.removesuffix("_logit") for v in (*model.free_RVs, *model.deterministics)}
    assert named <= documented()


@pytest.mark.parametrize("name", list_hypotheses())
def test_every_variable_of_a_hypothesis_is_documented(name):
    model = build_model(SPEC.under(load_hypothesis(name)), load_panel("open"))
    named = {v.name for v in (*model.free_RVs, *model.deterministics)}
    assert {name.removesuffix("_logit") for name in named} <= documented()


def test_every_dim_is_documented():
    model = build_model(SPEC, few_systems())
    section = SCHEMA.split("## Dims and labels")[1].split("\n## ")[0]
    assert set(model.coords) <= set(re.findall(r"`(\w+)`", section))


def test_the_public_names_are_these():
    assert set(densing_bayes.__all__) == API
    for name in API - {"__version__"}:
        assert getattr(densing_bayes, name) is not None
