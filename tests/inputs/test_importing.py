"""Scores from elsewhere: what each format says, what is left out, what is asked for."""

import csv
import json
import math
import shutil
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import densing_bayes as db
from densing_bayes.cli.main import app
from densing_bayes.errors import TableError
from densing_bayes.inputs.foreign import recognition
from densing_bayes.inputs.foreign.extract import (
    Extract,
    Reading,
    plain_text,
    quantised_by_name,
    tuned_by_name,
)
from densing_bayes.inputs.foreign.formats import harness, swallow, wide_table
from densing_bayes.inputs.foreign.importing import _one_a_cell, import_scores
from densing_bayes.inputs.foreign.mapping import ColumnOfScores, Mapping, load_mapping
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.tables.benchmark_names import ALIASES
from densing_bayes.inputs.tables.columns import FORMATS
from densing_bayes.inputs.tables.reading import load_table
from densing_bayes.inputs.tables.schema import KNOWN_BENCHMARKS, TABLES
from densing_bayes.observed.observations import observe

HERE = Path(__file__).parent / "foreign"
FILES = {
    "runs": "harness",
    "pythia_five_shot.json": "harness",
    "leaderboard_details.json": "harness",
    "open_llm_v1.csv": "open-llm-leaderboard-v1",
    "open_llm_v2.csv": "open-llm-leaderboard-v2",
    "euroeval.csv": "euroeval",
    "swallow.yml": "swallow",
    "epoch_runs.csv": "epoch",
    "wide.csv": "wide",
}


def scores(made) -> pd.DataFrame:
    table = made.tables["scores"].set_index(["system", "benchmark"])
    return table.assign(score=table["score"].astype(float))


def reasons(made, system: str) -> list[str]:
    return list(made.left_out.loc[made.left_out["system"] == system, "reason"])


def systems(made) -> pd.DataFrame:
    return made.tables["systems"].set_index("system")


def changed(tmp_path: Path, name: str, change) -> Path:
    """A copy of a results file with something changed."""
    content = json.loads((HERE / name).read_text("utf-8"))
    change(content)
    path = tmp_path / Path(name).name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


BLOOM = "runs/bigscience__bloom-560m/bloom-560m_common_sense_reasoning_0-shot.json"
QWEN = "runs/Qwen__Qwen2.5-1.5B/results_2025-03-03T00-05-12.300060.json"

# All formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_known_by_what_it_looks_like(name):
    assert recognition.recognise(HERE / name) == FILES[name]


def fill_in(folder: Path, asked: pd.DataFrame) -> None:
    """Write what is asked for, and nothing else, into tables."""
    for file, row, column, *_ in asked.itertuples(index=False):
        frame = pd.read_csv(folder / file, dtype=str, keep_default_na=False)
        if column:
            value = {"release_date": "2024-01-31", "params_total": "7e9"}[column]
            frame.loc[frame["system"] == row, column] = value
        else:
            benchmark = pd.read_csv(folder / "benchmarks.csv")["benchmark"].iloc[0]
            own = {"run": "r", "params": "1e9", "tokens": "1e11", "benchmark": benchmark}
            own["score"] = "0.5"
            frame.loc[len(frame)] = {name: own.get(name, "") for name in frame}
        frame.to_csv(folder / file, index=False)


@pytest.mark.parametrize("name", FILES)
def test_what_is_written_is_valid_or_names_all_that_is_missing(name, tmp_path):
    made = import_scores(HERE / name, reference="current", base_only=False)
    out = tmp_path / "panel"
    made.write(out)
    if not made.complete:
        with pytest.raises(TableError):
            load_panel(out)
    fill_in(out, made.missing)
    panel = load_panel(out)
    assert len(panel.scores) == len(made.tables["scores"])
    assert panel.scores["source"].ne("").all() and panel.systems["source"].ne("").all()


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_guessed(name):
    """Dates and sizes are those of the file or of an embedded table, else empty and asked for."""
    made = import_scores(HERE / name, base_only=False)
    table = systems(made)
    for column in ("release_date", "params_total"):
        asked = made.missing.loc[made.missing["column"] == column, "row"]
        assert set(asked) == set(table.index[table[column] == ""])


def test_a_panel_that_is_complete_can_be_fitted(tmp_path):
    made = import_scores(HERE / "runs", mapping=Mapping(shots=dict.fromkeys(
        ("hellaswag", "arc_challenge", "winogrande", "mmlu"), 0)))  # fmt: skip
    assert made.complete
    made.write(tmp_path / "panel")
    observed = observe(load_panel(tmp_path / "panel"), db.load_spec("joint"))
    assert len(observed.score) == 7
    assert sorted(observed.systems) == ["bloom-560m", "qwen2.5-1.5b"]


# lm-evaluation-harness ---------------------------------------------------------------------------


def test_new_results_take_the_right_metric_with_its_error_and_shots():
    table = scores(import_scores(HERE / "runs"))
    row = table.loc[("qwen2.5-1.5b", "hellaswag")]
    assert row["score"] == pytest.approx(0.678550, abs=1e-6)  # acc_norm, not acc 0.502
    assert row["score_error"] == "0.00466" and row["shots"] == "0"
    assert table.loc[("qwen2.5-1.5b", "winogrande"), "score"] == pytest.approx(0.635359, abs=1e-6)


def test_mmlu_is_the_mean_over_subjects_and_not_the_figure_of_the_group():
    """The group weighs subjects by their items, which is another benchmark."""
    content = json.loads((HERE / QWEN).read_text("utf-8"))["results"]
    subjects = [r["acc,none"] for r in content.values() if r.get("alias", "").startswith("  - ")]
    assert len(subjects) == 57
    score = scores(import_scores(HERE / "runs")).loc[("qwen2.5-1.5b", "mmlu"), "score"]
    assert score == pytest.approx(sum(subjects) / 57, abs=1e-6)
    assert abs(score - content["mmlu"]["acc,none"]) > 0.01


def test_the_error_of_mmlu_is_that_of_a_mean():
    content = json.loads((HERE / QWEN).read_text("utf-8"))["results"]
    errors = [
        r["acc_stderr,none"] for r in content.values() if r.get("alias", "").startswith("  - ")
    ]
    made = scores(import_scores(HERE / "runs")).loc[("qwen2.5-1.5b", "mmlu"), "score_error"]
    assert float(made) == pytest.approx(math.sqrt(sum(e**2 for e in errors)) / 57, rel=1e-2)


def test_old_results_are_read_and_a_checkpoint_is_a_system_of_its_own():
    made = import_scores(HERE / "pythia_five_shot.json")
    table = scores(made)
    name = "pythia-v1.1-1.4b@step83000"
    assert table.loc[(name, "arc_challenge"), "score"] == pytest.approx(0.308020, abs=1e-6)
    assert table.loc[(name, "arc_challenge"), "flag"] == "other_shots"  # 5, not 25
    assert table.loc[(name, "winogrande"), "flag"] == ""
    assert 0.25 < table.loc[(name, "mmlu"), "score"] < 0.28


def test_results_of_the_first_leaderboard_name_task_and_shots_in_one():
    made = import_scores(HERE / "leaderboard_details.json", base_only=False)
    table = scores(made).loc["cbddo-llm-8b-instruct-v1"]
    assert table.loc["arc_challenge", "score"] == pytest.approx(0.546075, abs=1e-6)
    assert list(table["shots"]) == ["25", "10"] and list(table["flag"]) == ["", ""]
    assert "has 1 of the 57 subjects" in " ".join(
        reasons(made, "aerdincdal/CBDDO-LLM-8B-Instruct-v1")
    )


def test_a_subject_that_is_missing_leaves_mmlu_out(tmp_path):
    path = changed(tmp_path, QWEN, lambda c: c["results"].pop("mmlu_virology"))
    made = import_scores(path)
    assert "mmlu" not in made.tables["scores"]["benchmark"].tolist()
    assert "has 56 of the 57 subjects, and the score is their mean" in reasons(
        made, "Qwen/Qwen2.5-1.5B"
    )


def test_other_shots_are_flagged_and_a_mapping_says_which_are_right():
    flagged = import_scores(HERE / "runs")
    assert set(scores(flagged)["flag"]) == {"other_shots", ""}
    told = import_scores(HERE / "runs", mapping=Mapping(shots={"hellaswag": 0}))
    flags = scores(told)["flag"].xs("hellaswag", level="benchmark")
    assert set(flags) == {""}
    protocols = told.tables["protocols"].set_index("benchmark")["shots"]
    assert protocols["hellaswag"] == "0" and protocols["arc_challenge"] == "25"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c["config"].update(limit=100), "was measured on the first 100 items"),
        (lambda c: c.update(chat_template="{% for m in messages %}"), "with a chat template"),
        (
            lambda c: c["config"].update(model_args="pretrained=a/b,load_in_4bit=True"),
            "with rounded weights (load_in_4bit)",
        ),
        (
            lambda c: c["config"].update(model_args={"pretrained": "a/b", "peft": "c/d"}),
            "is a base model with an adapter (peft=c/d)",
        ),
        (lambda c: c["config"].update(model_args="pretrained=a/b-GPTQ"), "has rounded weights"),
        (lambda c: c["config"].update(model_args="pretrained=a/b-chat"), "is tuned by its name"),
        (lambda c: c["config"].update(model_args=""), "names no system"),
    ],
)
def test_runs_that_measure_something_else_are_left_out(change, reason, tmp_path):
    path = changed(tmp_path, BLOOM, change)
    with pytest.raises(TableError) as error:
        import_scores(path)
    assert reason in str(error.value)


def test_arguments_may_be_a_table_and_a_folder_is_named_by_its_end(tmp_path):
    path = changed(
        tmp_path,
        BLOOM,
        lambda c: c["config"].update(model_args={"pretrained": "/home/me/mine-1b/"}),
    )
    assert list(systems(import_scores(path)).index) == ["mine-1b"]


def test_the_harness_counts_parameters(tmp_path):
    path = changed(tmp_path, QWEN, lambda c: c.update(model_name="me/mine"))
    row = systems(import_scores(path)).loc["mine"]
    assert row["params_total"] == "1543714304" and row["organisation"] == "me"


def test_subtasks_are_pooled_by_their_items():
    names = [f"leaderboard_musr_{i}" for i in ("a", "b", "c")]
    run = {
        "results": {n: {"acc_norm,none": s, "acc_norm_stderr,none": 0.03} for n, s in
                    zip(names, (0.5, 0.25, 0.75), strict=True)},
        "n-shot": dict.fromkeys(names, 0),
        "n-samples": {n: {"effective": i} for n, i in zip(names, (250, 250, 500), strict=True)},
        "model_name": "a/b",
    }  # fmt: skip
    extract = Extract("", "", "")
    harness._Run("x.json", run, extract, {}).read(True)
    assert extract.readings[0].benchmark == "musr"
    assert extract.readings[0].score == pytest.approx((250 * 0.5 + 250 * 0.25 + 500 * 0.75) / 1000)


def test_a_number_of_thousands_of_digits_is_no_json(tmp_path):
    path = tmp_path / "results_x.json"
    path.write_text(f'{{"results": {"9" * 5000}}}', encoding="utf-8")
    with pytest.raises(TableError, match="not valid JSON"):
        import_scores(path, format="harness")


@pytest.mark.parametrize(
    "text",
    [
        "- " + "[" * 200_000 + "]" * 200_000,
        "- " * 200_000,
        "- id: 2023-02-31",
        "- id: " + "9" * 5000,
    ],
    ids=["brackets", "dashes", "day", "digits"],
)
def test_yaml_that_cannot_be_loaded_is_no_list_of_models(text):
    assert swallow.parse(text) is None


@pytest.mark.parametrize("key", ["config", "n-shot", "n-samples", "date", "model_name"])
@pytest.mark.parametrize("value", [None, [], "x", 1e30, {"a": []}])
def test_odd_fields_of_results_do_not_break_the_reader(key, value, tmp_path):
    path = changed(tmp_path, QWEN, lambda c: c.update({key: value}))
    assert len(import_scores(path).tables["scores"]) == 4


# Leaderboards ------------------------------------------------------------------------------------


def test_the_first_leaderboard_is_percent_and_its_parameters_are_no_size():
    made = import_scores(HERE / "open_llm_v1.csv")
    table = scores(made)
    assert table.loc[("godzilla2-70b", "hellaswag"), "score"] == pytest.approx(0.875)
    assert systems(made).loc["godzilla2-70b", "params_total"] == ""
    assert systems(made).loc["falcon-180b", "release_date"] == "2023-09-06"  # embedded
    assert reasons(made, "tiiuae/falcon-180B-chat") == ["is tuned by its name (chat)"]
    assert reasons(made, "TheBloke/Genz-70b-GPTQ") == ["has rounded weights, by its name (GPTQ)"]


def test_of_several_rows_of_a_system_the_middle_one_is_taken_not_the_best():
    made = import_scores(HERE / "open_llm_v1.csv")
    assert scores(made).loc[("falcon-180b", "arc_challenge"), "score"] == pytest.approx(0.697)
    others = made.left_out[made.left_out["system"] == "tiiuae/falcon-180B"]
    values = others.loc[others["benchmark"] == "arc_challenge", "value"]
    assert sorted(values) == ["0.694", "0.698"]


def test_the_second_leaderboard_gives_raw_scores():
    made = import_scores(HERE / "open_llm_v2.csv", reference="paper")
    table = scores(made)
    # BBH is 42.7 after guessing is taken off
    assert table.loc[("yi-1.5-34b", "bbh"), "score"] == pytest.approx(0.597639, abs=1e-6)
    protocols = made.tables["protocols"].set_index(["protocol", "benchmark"])
    assert protocols.loc[("open-llm-leaderboard-v2", "bbh"), "format"] == "multiple-choice"
    assert "is a merge of other systems" in reasons(made, "Triangle104/Dark-Chivalry_V1.0")
    row = systems(made).loc["yi-1.5-9b-32k"]
    assert row["params_total"] == "8829000000" and row["note"] == "weights uploaded 2024-05-15"


def test_a_day_of_upload_is_a_release_only_if_told():
    row = systems(import_scores(HERE / "open_llm_v2.csv", upload_dates=True)).loc["yi-1.5-9b-32k"]
    assert (row["release_date"], row["date_basis"]) == ("2024-05-15", "bound")


def test_percent_above_guessing_is_no_score(tmp_path):
    table = pd.read_csv(HERE / "open_llm_v2.csv", dtype=str)
    path = tmp_path / "no_raw.csv"
    table[[c for c in table if not c.endswith(" Raw") or c == "GPQA Raw"]].to_csv(path, index=False)
    made = import_scores(path)
    assert set(made.tables["scores"]["benchmark"]) == {"gpqa"}
    assert any("percentage above guessing" in reason for reason in made.left_out["reason"])


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("fullname", "01-ai/Yi-6B-Instruct", "is marked as pretrained, but is tuned by its name"),
        ("Chat Template", "True", "is marked as pretrained, but was measured with a chat template"),
        ("Flagged", "True", "is flagged by the leaderboard"),
        ("Precision", "4bit", "was measured with rounded weights (4bit)"),
        ("Weight type", "Adapter", "has no weights of its own (Adapter)"),
    ],
)
def test_rows_marked_as_pretrained_that_are_not_are_left_out(column, value, reason, tmp_path):
    table = pd.read_csv(HERE / "open_llm_v2.csv", dtype=str)
    table.loc[table["fullname"] == "01-ai/Yi-6B", column] = value
    path = tmp_path / "v2.csv"
    table.to_csv(path, index=False)
    made = import_scores(path)
    assert "yi-6b" not in systems(made).index
    assert any(text.startswith(reason) for text in made.left_out["reason"])


def test_names_are_read_out_of_markup(tmp_path):
    table = pd.read_csv(HERE / "open_llm_v2.csv", dtype=str).drop(columns="fullname")
    path = tmp_path / "v2.csv"
    table.to_csv(path, index=False)
    assert "yi-1.5-34b" in systems(import_scores(path)).index
    assert plain_text("<a href='x'>a/B (v&amp;w)</a>  <a href='y'>📑</a>") == "a/B (v&w)"
    assert plain_text("<a href='x'>a/B</a> (zero-shot)") == "a/B (zero-shot)"


def test_euroeval_gives_accuracy_with_an_error_and_knows_what_is_missing():
    made = import_scores(HERE / "euroeval.csv")
    table = scores(made)
    row = table.loc[("llama-3.1-70b", "hellaswag")]  # 65.25 ± 2.68 / 72.45 ± 2.35@@65.25
    assert row["score"] == 0.7245
    assert float(row["score_error"]) == pytest.approx(0.0235 / 1.96, rel=1e-2)
    assert "viking-7b" not in systems(made).index  # -@@-1
    assert systems(made).loc["emma-500-llama2-7b", "params_total"] == "6738415616"
    assert "is a merge of other systems" in reasons(made, "cstr/Spaetzle-v8-7b")
    assert "is not a base model (📝)" in reasons(made, "meta-llama/Llama-3.1-70B-Instruct")
    # the embedded panel was compiled from the same leaderboard
    embedded = load_panel("current").scores.query("system == 'gemma-2b' and protocol == 'euroeval'")
    assert table.loc[("gemma-2b", "hellaswag"), "score"] == embedded["score"].item()


def test_euroeval_zero_shot_is_flagged():
    made = import_scores(HERE / "euroeval.csv", base_only=False)
    row = scores(made).loc[("gemma-3-27b-it", "hellaswag")]
    assert (row["flag"], row["shots"]) == ("zero_shot", "0")


def test_swallow_gives_base_models_with_dates_and_sizes():
    made = import_scores(HERE / "swallow.yml", reference="current")
    assert made.complete
    row = systems(made).loc["falcon3-1b-base"]
    assert (row["params_total"], row["release_date"]) == ("1700000000", "2024-12-19")
    assert (row["family"], row["parent"]) == ("Falcon3", "Falcon3-3B-Base")
    assert row["derivation"] == "" and "derivation" in made.worth_giving["column"].tolist()
    assert systems(made).loc["gemma-2-2b", "release_date"] == "2024-07-31"  # embedded, checked
    assert scores(made).loc[("falcon3-7b-base", "mmlu"), "score"] == 0.701
    assert "is not a base model (is_post)" in reasons(made, "cyberagent/calm3-22b-chat")


def test_epoch_gives_scores_of_known_tasks_and_asks_for_the_rest():
    made = import_scores(HERE / "epoch_runs.csv")
    row = scores(made).loc[("open-mixtral-8x7b", "gpqa_diamond")]
    assert (row["score"], row["score_error"]) == (0.298, "0.02")
    assert scores(made).loc[("open-mistral-7b", "math_lvl5"), "score_error"] == ""  # 0.04±0
    assert "FrontierMath-Tier-4-2025-07-01-Private" in made.left_out["value"].tolist()
    assert set(made.missing["column"]) == {"release_date", "params_total"}
    assert "reference_runs.csv" in made.worth_giving["table"].tolist()


# Plain tables ------------------------------------------------------------------------------------

MAPPING = """
protocol = "lab"
measured_by = "the lab"
[facts]
release_date = "Released"
params_total = { column = "Params (B)", unit = "billions" }
[benchmarks]
hellaswag = { column = "HellaSwag (acc_norm)", shots = 10 }
arc_challenge = { column = "ARC-C", shots = 0 }
own = { column = "Average", items = 500, chance = 0.25, name = "Our own" }
[systems."Llama-2-7B of a lab"]
release_date = 2023-07-18
family = "Llama-2"
tokens = 2e12
"""


def test_a_plain_table_needs_no_mapping_where_its_columns_speak():
    made = import_scores(HERE / "wide.csv")
    assert scores(made).loc[("falcon-40b", "mmlu"), "score"] == pytest.approx(0.5698)
    assert set(made.tables["scores"]["benchmark"]) == {"hellaswag", "arc_challenge", "mmlu"}
    assert "Average" in made.left_out["value"].tolist()


def test_a_mapping_says_what_a_table_does_not(tmp_path):
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING, encoding="utf-8")
    made = import_scores(HERE / "wide.csv", mapping=path)
    assert made.complete
    row = systems(made).loc["llama-2-7b-of-a-lab"]
    assert (row["params_total"], row["tokens"]) == ("6738000000", "2000000000000")
    assert (row["release_date"], row["family"]) == ("2023-07-18", "Llama-2")
    table = scores(made)
    assert set(table["protocol"]) == {"lab"}
    assert set(table["flag"].xs("arc_challenge", level="benchmark")) == {"other_shots"}
    assert made.tables["benchmarks"].set_index("benchmark").loc["own", "items"] == "500"
    made.write(tmp_path / "panel")
    assert load_panel(tmp_path / "panel").benchmarks.loc["own", "name"] == "Our own"


@pytest.mark.parametrize(
    ("cells", "score"),
    [("0.5,0.25", 0.5), ("50,25", 0.5), ("50%,25%", 0.5), ("0.5%,0.2%", 0.005)],
)
def test_percent_or_share_is_seen_from_the_whole_table(cells, score, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"model,mmlu,hellaswag\na,{cells}\n", encoding="utf-8")
    assert scores(import_scores(path)).loc[("a", "mmlu"), "score"] == pytest.approx(score)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model,mmlu,hellaswag\na,0.9,50\n", "column 'mmlu' has no score above 1"),
        ("model,mmlu,MMLU (5-shot)\na,1,2\n", "both 'mmlu' and 'MMLU (5-shot)' may be mmlu"),
        ("model,mmlu\na,b,c\n", "row 2: has 3 cells where the header has 2"),
        ("model,mmlu\na,\n", "has no score that can be used"),
        ("model,mmlu\na,500\n", "is not between 0 and 1"),
    ],
)
def test_a_table_that_cannot_be_right_ends_in_one_message(text, message, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TableError) as error:
        import_scores(path)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("protocoll = 'x'", "unknown key 'protocoll'; did you mean 'protocol'?"),
        ("[benchmarks.mmlu]\ncolum = 'x'", "did you mean 'column'?"),
        ("[facts]\nreleased = 'x'", "unknown key 'facts.released'; did you mean 'release'?"),
        ("[systems.a]\nparams = 7e9", "unknown key \"systems.'a'.params\""),
        ("scale = 'percents'", "'scale' = 'percents'"),
        ("scale = ", "not valid TOML"),
        ("scale = " + "9" * 5000, "not valid TOML"),
        ("scale = " + "[" * 20000, "not valid TOML"),
        ("[benchmarks]\nmmlu = 'Nowhere'", "has no column 'Nowhere'"),
    ],
)
def test_a_mapping_that_is_wrong_ends_in_one_message(text, message, tmp_path):
    path = tmp_path / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TableError) as error:
        import_scores(HERE / "wide.csv", mapping=path)
    assert message.replace('"', "'") in str(error.value).replace('"', "'")


def test_the_formats_of_a_mapping_are_those_of_the_schema():
    annotation = ColumnOfScores.model_fields["format"].annotation
    assert get_args(get_args(annotation)[0]) == FORMATS


def test_a_mapping_that_is_not_there_is_said(tmp_path):
    with pytest.raises(TableError, match=r"nowhere\.toml: cannot be read"):
        load_mapping(tmp_path / "nowhere.toml")


# One reading, one system -------------------------------------------------------------------------


def readings(*given) -> list[Reading]:
    return [Reading("a", "mmlu", score, flag=flag, date=date) for score, flag, date in given]


@pytest.mark.parametrize(
    ("given", "score"),
    [
        ([(0.5, "", ""), (0.6, "", "")], 0.5),
        ([(0.5, "", ""), (0.6, "", ""), (0.7, "", "")], 0.6),
        ([(0.5, "", "2024-01-01"), (0.4, "", "2024-02-01"), (0.6, "", "2023-01-01")], 0.4),
        ([(0.5, "", "2023-01-01"), (0.9, "other_shots", "2024-01-01")], 0.5),
    ],
)
def test_one_reading_a_cell(given, score):
    left_out = []
    (kept,) = _one_a_cell(readings(*given), left_out)
    assert kept.score == score
    assert len(left_out) == len(given) - 1


@pytest.mark.parametrize(
    ("date", "size", "asked"),
    [("Jul 2023", "7e9", "release_date"), ("2023-07-18", "7", "params_total"),
     ("2999-01-01", "7e9", "release_date")],
)  # fmt: skip
def test_a_date_or_size_that_cannot_be_one_is_asked_for_with_what_was_there(
    date, size, asked, tmp_path
):
    path = tmp_path / "t.csv"
    path.write_text(f"model,day,size,mmlu\na,{date},{size},50\n", encoding="utf-8")
    facts = {"release_date": "day", "params_total": "size"}
    made = import_scores(path, mapping=Mapping.model_validate({"facts": facts}))
    assert made.missing["column"].tolist() == [asked]
    assert f"{asked} given: {date if asked == 'release_date' else size}" in made.missing["note"][0]


def test_organisations_that_share_the_name_of_a_family_share_no_release(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("model,mmlu\na/one,50\nb/two,60\n", encoding="utf-8")
    facts = {"family": "Llama", "release_date": "2024-01-01", "params_total": 7e9}
    made = import_scores(
        path, mapping=Mapping.model_validate({"systems": {"a/one": facts, "b/two": facts}})
    )
    made.write(tmp_path / "panel")
    assert set(load_panel(tmp_path / "panel").systems["family"]) == {"Llama (a)", "Llama (b)"}


def test_a_namesake_of_another_size_or_account_is_not_taken_for_a_system_we_know(tmp_path):
    path = tmp_path / "t.csv"
    text = "Model,Params,mmlu\ntiiuae/falcon-40b,1e9,50\nsomeone/Falcon-40B,4.13e10,50\n"
    path.write_text(text, encoding="utf-8")
    made = import_scores(
        path, mapping=Mapping.model_validate({"facts": {"params_total": "Params"}})
    )
    assert set(systems(made)["release_date"]) == {""}
    assert set(systems(made).index) == {"tiiuae/falcon-40b", "someone/falcon-40b"}


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("google/gemma-2-2b-it", "it"),
        ("a/Llama-2-7b-chat-hf", "chat"),
        ("a/Mistral-7B-Instruct-v0.3", "Instruct"),
        ("a/b-SFT", "SFT"),
        ("mistralai/Mistral-7B-v0.1", ""),
        ("instruct-lab/granite-7b", ""),
        ("EleutherAI/gpt-neox-20b", ""),
        ("a/Unity-7b", ""),
    ],
)
def test_names_say_what_was_tuned(name, word):
    assert tuned_by_name(name) == word


@pytest.mark.parametrize(
    ("name", "quantised"),
    [
        *((f"a/b-{word}", True) for word in ("GPTQ", "AWQ", "4bit", "FP8", "w4a16")),
        *((name, False) for name in ("Qwen/Qwen3-4B", "a/llama-8b", "a/b-bf16")),
    ],
)
def test_names_say_what_was_rounded(name, quantised):
    assert bool(quantised_by_name(name)) == quantised


def test_known_benchmarks_agree_with_the_embedded_panel():
    known = load_table(KNOWN_BENCHMARKS).set_index("benchmark")
    columns = ["items", "effective_items", "chance", "format"]
    embedded = load_panel("current").benchmarks
    pd.testing.assert_frame_equal(known.loc[embedded.index, columns], embedded[columns])
    assert set(ALIASES.values()) <= set(known.index)


# Writing and the command -------------------------------------------------------------------------


def run(*words: object):
    return CliRunner().invoke(app, ["data", *map(str, words)])


def test_nothing_is_overwritten_unless_told(tmp_path):
    out = tmp_path / "panel"
    out.mkdir()
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    (out / "scores.csv").write_text("mine", encoding="utf-8")
    refused = run("import", HERE / "swallow.yml", out)
    assert refused.exit_code == 2 and "scores.csv" in refused.output
    assert sorted(p.name for p in out.iterdir()) == ["notes.txt", "scores.csv"]
    assert run("import", HERE / "swallow.yml", out, "--overwrite").exit_code == 0
    assert (out / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert load_panel(out).scores.shape[0] == 18


def test_a_second_import_leaves_no_table_of_the_first(tmp_path):
    out = tmp_path / "panel"
    import_scores(HERE / "swallow.yml").write(out)
    assert (out / "reference_losses.csv").exists()
    import_scores(HERE / "open_llm_v2.csv").write(out, overwrite=True)
    assert not (out / "reference_losses.csv").exists()


def test_an_import_that_fails_leaves_nothing(tmp_path, monkeypatch):
    made = import_scores(HERE / "swallow.yml")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(OSError, match="No space"):
        made.write(tmp_path / "panel")
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_was_made_left_out_and_asked(tmp_path):
    result = run("import", HERE / "euroeval.csv", tmp_path / "panel")
    assert result.exit_code == 0
    text = " ".join(result.output.split())
    assert "euroeval.csv is a leaderboard of EuroEval: 5 systems" in text
    assert "1 x is a merge of other systems" in text
    assert "release_date, the day of release, YYYY-MM-DD: mistral-small-3.1-24b-base-2503" in text
    assert "not valid yet; values missing: 3, listed in missing.csv" in text
    for name in ("left_out.csv", "missing.csv"):
        assert (tmp_path / "panel" / name).exists()


def test_the_command_has_json(tmp_path):
    result = run("import", HERE / "runs", tmp_path / "panel", "--json")
    document = json.loads(result.stdout)
    assert document["valid"] and document["format"] == "harness"
    assert document["rows"] == {"systems": 2, "benchmarks": 5, "scores": 8}
    assert document["flagged"] == {"other_shots": 7}


def test_complete_makes_a_valid_panel(tmp_path):
    result = run("import", HERE / "euroeval.csv", tmp_path / "panel", "--complete")
    assert result.exit_code == 0 and "valid" in result.output
    assert set(load_panel(tmp_path / "panel").systems.index) == {"llama-3.1-70b", "gemma-2b"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "no such file or folder"),
        ([HERE / "SOURCES.md"], "is in no format that is known"),
        ([HERE / "wide.csv", "--format", "wid"], "no format 'wid'"),
        ([HERE / "wide.csv", "--reference", "opne"], "did you mean 'open'?"),
        ([HERE / "runs", "--format", "epoch"], "is a folder; give a file"),
    ],
)
def test_what_cannot_be_imported_ends_in_one_message(words, message, tmp_path):
    result = run("import", words[0], tmp_path / "panel", *words[1:])
    assert result.exit_code == 2
    assert message in result.output and not (tmp_path / "panel").exists()


# A foreign file where a table is expected --------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FILES if name != "wide.csv"])
def test_a_foreign_file_in_place_of_a_panel_gets_one_message(name):
    result = run("validate", HERE / name)
    assert result.exit_code == 2
    assert recognition.FORMATS[FILES[name]] in result.output
    assert f"densing-bayes data import {HERE / name}" in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".csv")])
@pytest.mark.parametrize("table", ["scores.csv", "systems.csv"])
def test_a_foreign_file_in_place_of_a_table_gets_one_message(name, table, tmp_path):
    db.export_panel("open", tmp_path / "panel")
    shutil.copy(HERE / name, tmp_path / "panel" / table)
    with pytest.raises(TableError) as error:
        load_panel(tmp_path / "panel")
    assert recognition.FORMATS[FILES[name]] in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_folder_of_foreign_files_gets_one_message(tmp_path):
    shutil.copy(HERE / "euroeval.csv", tmp_path / "english_all.csv")
    with pytest.raises(TableError, match=r"english_all\.csv: is a leaderboard of EuroEval"):
        load_panel(tmp_path)


def test_tables_of_ours_are_not_taken_for_foreign_ones(tmp_path):
    db.export_panel("current", tmp_path / "panel")
    assert recognition.foreign_files(tmp_path / "panel") == []
    for schema in TABLES.values():
        path = tmp_path / "panel" / schema.file
        if path.exists():
            with path.open(encoding="utf-8", newline="") as text:
                header = next(csv.reader(text))
            assert not wide_table.is_wide(header), schema.file


# Damage ------------------------------------------------------------------------------------------

JUNK = (
    '"',
    ",",
    "\n",
    "\0",
    "null",
    "{",
    "[",
    "-",
    "NaN",
    "1e999",
    "±",
    "@@",
    "- ",
    "&a *a",
    "9" * 400,
)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_files_end_in_an_error_of_ours_or_in_a_panel_that_holds(data, tmp_path_factory):
    """What is said to be complete is valid, however odd the file."""
    source = data.draw(
        st.sampled_from([p for p in HERE.rglob("*.*") if p.is_file() and p.suffix != ".md"])
    )
    text = source.read_text(encoding="utf-8")
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.sampled_from([0, 1, 3, 20, 200]))
        text = text[:start] + data.draw(st.sampled_from(JUNK)) + text[end:]
    folder = tmp_path_factory.mktemp("damage")
    (folder / source.name).write_text(text, encoding="utf-8")
    try:
        made = import_scores(
            folder / source.name,
            reference="current",
            base_only=data.draw(st.booleans()),
            complete_only=data.draw(st.booleans()),
        )
    except TableError:
        return
    made.write(folder / "panel")
    if made.complete:
        load_panel(folder / "panel")
