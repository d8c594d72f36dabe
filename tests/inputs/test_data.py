"""Embedded tables: complete, sourced, and what the documentation says of them."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest

from densing_bayes.inputs.panel import EMBEDDED, Panel, list_panels, load_events, load_panel
from densing_bayes.inputs.tables.releases import release_names
from densing_bayes.inputs.tables.schema import DIMENSIONS, TABLES, VARIABLES


@pytest.fixture(scope="module", params=EMBEDDED)
def panel(request: pytest.FixtureRequest) -> Panel:
    return load_panel(request.param)


def read(*path: str) -> pd.DataFrame:
    with files("densing_bayes.data").joinpath(*path).open(encoding="utf-8") as file:
        return pd.read_csv(file)


def test_every_row_has_a_source(panel: Panel) -> None:
    for name in TABLES:
        assert (getattr(panel, name)["source"] != "").all(), name
    described = set(zip(panel.protocols["protocol"], panel.protocols["benchmark"], strict=True))
    measured = zip(panel.scores["protocol"], panel.scores["benchmark"], strict=True)
    assert not described or set(measured) <= described


def test_every_system_has_a_score_and_every_benchmark_references(panel: Panel) -> None:
    assert set(panel.systems.index) == set(panel.scores["system"])
    for benchmark in panel.benchmarks.index:
        assert benchmark in set(panel.scores["benchmark"])
        assert panel.runs_with_loss(benchmark) >= 30
        assert panel.runs_with_score(benchmark) >= 12


def test_experts_carry_a_total_and_an_active_size(panel: Panel) -> None:
    systems = panel.systems
    experts = systems["architecture"] == "moe"
    assert experts.sum() >= 6
    assert (systems["params_active"] < 0.5 * systems["params_total"])[experts].all()
    assert (systems["params_active"] == systems["params_total"])[
        systems["architecture"].isin(["dense", "ssm"])
    ].all()


def test_comparable_size_lies_between_bare_and_total(panel: Panel) -> None:
    known = panel.systems.dropna(subset=["params_comparable"])
    assert (known["params_nonembedding"] < known["params_comparable"]).all()
    assert (known["params_comparable"] <= known["params_total"]).all()
    assert (known["comparable_basis"] != "unknown").all()


def test_open_covers_the_systems_a_trend_needs() -> None:
    systems = load_panel("open").systems
    usable = systems[(systems["domain"] != "code") & (systems["derivation"] != "quantised")]
    assert len(usable) == 131 and usable["params_comparable"].notna().all()
    before = usable[usable["release_date"] < "2022-11-30"]
    assert before["family"].nunique() == 7


def test_open_marks_what_was_not_measured_under_the_protocol() -> None:
    scores = load_panel("open").scores
    flags = scores.loc[scores["flag"] != ""].groupby("flag")["system"].unique()
    assert set(flags["fp8_checkpoint"]) == {"llama-3.1-405b"}
    assert set(flags["developer_report"]) == {"gemma-2-2b", "gemma-2-9b", "gemma-2-27b"}


def test_open_runs_say_what_was_annealed() -> None:
    runs = load_panel("open").runs
    assert runs["annealed"].value_counts().to_dict() == {"false": 58, "true": 30, "unknown": 2}
    assert runs.index[runs["annealed"] == "unknown"].tolist() == ["13B-5T", "7B-4T"]


def test_open_says_which_checkpoints_are_of_one_run() -> None:
    panel = load_panel("open")
    runs = panel.runs[panel.runs["family"] == "OLMo 2"]
    assert runs["checkpoint_of"].value_counts().to_dict() == {"OLMo 2 13B": 32, "OLMo 2 7B": 28}
    assert runs.groupby("checkpoint_of")["params"].nunique().eq(1).all()
    assert (panel.runs.loc[panel.runs["family"] == "OLMo ladder", "checkpoint_of"] == "").all()
    finished = panel.runs[panel.runs["annealed"] != "false"]
    of_checkpoints = finished["checkpoint_of"][finished["checkpoint_of"] != ""]
    assert of_checkpoints.is_unique  # so that no two losses of the scaling law are of one run
    assert (load_panel("paper").runs["checkpoint_of"] == "").all()


@pytest.mark.parametrize(
    ("benchmark", "words"),
    [
        ("mmlu", "acc"),
        ("bbh", "CoT"),
        ("math", "EM"),
        ("humaneval", "pass@1"),
        ("mbpp", "pass@1"),
    ],
)
def test_paper_scores_keep_to_one_protocol(benchmark: str, words: str) -> None:
    scores = load_panel("paper").scores
    source = scores.loc[scores["benchmark"] == benchmark, "source"]
    assert source.str.contains(words, regex=False).all()
    others = (
        "chat;|SFT|zero-shot, FP16|direct|multiple choice|maj@|maj1|sanitized|hand-verified|OLMES"
    )
    assert not source.str.contains(others).any()


def test_paper_points_that_link_loss_to_score_have_no_size() -> None:
    panel = load_panel("paper")
    unsized = panel.runs.index[panel.runs["params"].isna()]
    assert set(unsized) == set(panel.reference_scores["run"]) and len(unsized) == 60
    assert set(unsized) <= set(panel.losses["run"])


def test_old_panels_are_byte_for_byte_what_fits_were_made_of() -> None:
    assert load_panel("open").sha256.startswith("960c10019e1d")
    assert load_panel("paper").sha256.startswith("a48b36c24c78")


def test_current_has_a_row_for_each_system_of_all_sources() -> None:
    panel = load_panel("current")
    systems = panel.systems
    assert len(systems) >= 300
    assert systems["release_date"].min() < pd.Timestamp("2019-03-01")
    assert systems["release_date"].max() >= pd.Timestamp("2025-12-01")
    assert (systems["release_date"] >= "2025-01-01").sum() >= 70
    for name in ("open", "paper"):
        assert set(load_panel(name).systems.index) <= set(systems.index)
    # one name, organisation and size is one system
    told_apart = systems.reset_index()[["name", "params_total", "organisation"]]
    assert not told_apart.duplicated().any()


def test_current_marks_what_started_from_another_system() -> None:
    systems = load_panel("current").systems
    swallow = systems[systems["organisation"] == "Swallow"]
    assert len(swallow) == 5 and swallow["derivation"].eq("continued").all()
    assert (
        systems.loc[["deepseek-v3.1-base", "tinyswallow-1.5b"], "derivation"].eq("continued").all()
    )
    assert set(swallow["parent"]) <= set(systems.index)


def test_current_losses_of_a_family_have_one_unit() -> None:
    panel = load_panel("current")
    losses = panel.losses.join(panel.runs["family"], on="run")
    assert (losses["loss_unit"] != "").all()
    assert (losses.groupby(["family", "benchmark"])["loss_unit"].nunique() == 1).all()
    assert set(losses["loss_unit"]) == {"bits_per_byte", "nats"}


def test_current_has_large_runs_without_a_loss() -> None:
    panel = load_panel("current")
    large = panel.runs[panel.runs["params"] > 3e10]
    assert len(large) == 10 and (large["annealed"] == "false").all()
    assert not set(large.index) & set(panel.losses["run"])
    curve = panel.reference_scores[panel.reference_scores["run"].isin(large.index)]
    hellaswag = curve[curve["benchmark"] == "hellaswag"].set_index("run")["score"]
    assert hellaswag[large["tokens"].sort_values().index].is_monotonic_increasing


def test_events_are_in_order_and_explained() -> None:
    events = load_events()
    assert events["date"].is_monotonic_increasing
    assert events.at["chatgpt", "date"] == pd.Timestamp("2022-11-30")
    assert (events[["name", "reason", "source"]] != "").all(axis=None)


def test_listing_says_what_loading_gives() -> None:
    listed = list_panels()
    for name in EMBEDDED:
        panel = load_panel(name)
        row = listed.loc[name]
        assert row["systems"] == len(panel.systems)
        assert row["releases"] == release_names(panel.systems).nunique()
        assert row["scores"] == len(panel.scores)
        assert row["runs"] == len(panel.runs)
        assert row["last_date"] == panel.systems["release_date"].max()


def test_listing_needs_neither_pandera_nor_pymc() -> None:
    code = (
        "import sys; from densing_bayes.inputs.panel import list_panels; list_panels(); "
        "assert not {'pandera', 'pymc', 'arviz'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_embedding_facts_are_of_known_systems() -> None:
    facts = read("embeddings.csv")
    known = set(load_panel("open").systems.index) | set(load_panel("paper").systems.index)
    assert facts["system"].is_unique and set(facts["system"]) <= known
    assert (facts[["vocabulary", "embedding_width"]] > 0).all(axis=None)


def test_paper_figures_hold_the_running_maxima() -> None:
    figures = read("paper", "figures.csv")
    counts = figures.groupby("figure").size().to_dict()
    assert counts == {"fig1": 51, "fig2": 47, "fig3a": 10, "fig3b": 9, "fig3c": 37}
    assert len(read("paper", "reference_curves.csv")) == 6


def test_words_are_free_for_arviz() -> None:
    reserved = {"model", "group", "sample", "column", "variable"}
    assert not reserved & set(DIMENSIONS) and not reserved & set(VARIABLES)


def test_what_the_readme_counts_of_current_is_there() -> None:
    panel = load_panel("current")
    systems, scores = panel.systems, panel.scores
    before = (systems["release_date"] < "2022-11-30").sum()
    others = len(panel.runs) - sum(len(load_panel(name).runs) for name in ("open", "paper"))
    text = (Path(__file__).parents[2] / "data" / "README.md").read_text(encoding="utf-8")
    for said in (
        f"{len(systems)}, {release_names(systems).nunique()} |",
        f"{before} systems |",
        f"{len(scores)}, of {scores['protocol'].nunique()} protocols |",
        f"both, and {others} runs of other families",
        f"{systems['params_comparable'].isna().sum()} systems have no comparable size",
    ):
        assert said in text
