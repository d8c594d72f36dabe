"""User tables: what is accepted, what is refused, and that refusals say where and what instead."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from densing_bayes.errors import DensingError, TableError
from densing_bayes.inputs.panel import export_panel, load_panel

GOOD = {
    "benchmarks.csv": "benchmark,items,chance\nmmlu,14042,0.25\ngsm8k,1319,0\n",
    "reference_runs.csv": "run,params,tokens\nr1,1e9,2e10\nr2,3e9,6e10\nlink,,\n",
    "reference_losses.csv": "run,benchmark,loss\nr1,mmlu,1.1\nr2,mmlu,0.9\nlink,mmlu,0.7\n",
    "reference_scores.csv": "run,benchmark,score\nr1,mmlu,0.3\nr2,mmlu,0.35\nlink,gsm8k,0.4\n",
    "systems.csv": (
        "system,release_date,params_total\nllama-2-7b,2023-07-18,6.74e9\nphi-2,2023-12-12,2.78e9\n"
    ),
    "scores.csv": "system,benchmark,score\nllama-2-7b,mmlu,0.438\nphi-2,mmlu,0.58\nphi-2,gsm8k,1\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in GOOD.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def replace(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) >= 1
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def message(folder: Path) -> str:
    with pytest.raises(TableError) as caught:
        load_panel(folder)
    return str(caught.value)


def test_minimal_tables_load_with_defaults(folder: Path) -> None:
    panel = load_panel(folder)

    system = panel.systems.loc["llama-2-7b"]
    assert system["release"] == "" and panel.runs["checkpoint_of"].eq("").all()
    assert system["release_date"] == pd.Timestamp("2023-07-18")
    assert system["params_active"] == system["params_total"] == 6.74e9
    assert np.isnan(system["params_comparable"]) and system["comparable_basis"] == "unknown"
    assert system["organisation"] == "unknown" and system["architecture"] == "dense"
    assert system["domain"] == "general" and system["open_weights"] == "unknown"
    assert (panel.scores[["flag", "source"]] == "").all(axis=None)
    assert panel.benchmarks["effective_items"].tolist() == [14042, 1319]
    assert panel.benchmarks["format"].tolist() == ["multiple-choice", "generation"]
    assert panel.reference_scores["format"].tolist() == ["multiple-choice"] * 2 + ["generation"]
    assert panel.runs["annealed"].eq("unknown").all()


def test_tables_without_protocols_are_of_one(folder: Path) -> None:
    panel = load_panel(folder)
    assert panel.protocols.empty
    assert panel.scores["protocol"].eq("panel").all() and panel.scores["score_error"].isna().all()
    assert panel.reference_scores["protocol"].eq("panel").all()


PROTOCOLS = (
    "protocol,benchmark,shots,metric,measured_by\n"
    "report,mmlu,5,accuracy,developers\nhouse,mmlu,0,accuracy,us\nreport,gsm8k,8,exact match,\n"
)
SEVERAL = (
    "system,benchmark,protocol,score,score_error\nllama-2-7b,mmlu,report,0.438,\n"
    "llama-2-7b,mmlu,house,0.45,0.004\nphi-2,gsm8k,report,0.5,\n"
)


@pytest.fixture
def several(folder: Path) -> Path:
    """The same folder with two scores of one system on one benchmark."""
    (folder / "protocols.csv").write_text(PROTOCOLS, "utf-8")
    (folder / "scores.csv").write_text(SEVERAL, "utf-8")
    return folder


def test_a_cell_may_have_a_score_of_each_protocol(several: Path) -> None:
    panel = load_panel(several)
    cell = panel.scores[panel.scores["system"] == "llama-2-7b"].set_index("protocol")
    assert cell["score"].to_dict() == {"report": 0.438, "house": 0.45}
    assert cell["score_error"]["house"] == 0.004 and np.isnan(cell["score_error"]["report"])
    assert panel.protocols["format"].tolist() == ["multiple-choice"] * 2 + ["generation"]
    assert panel.protocols["shots"].tolist() == [5, 0, 8]


PROTOCOL_CASES = {
    "unknown protocol": (
        "scores.csv",
        "mmlu,house",
        "mmlu,hose",
        ["row 3", "'protocol'", "hose", "mmlu in protocols.csv", "did you mean 'house'?"],
    ),
    "protocol of another benchmark": (
        "scores.csv",
        "phi-2,gsm8k,report",
        "phi-2,gsm8k,house",
        ["row 4", "'protocol'", "house has no row for gsm8k in protocols.csv; add it there"],
    ),
    "same protocol twice": (
        "scores.csv",
        "mmlu,house",
        "mmlu,report",
        ["row 3", "llama-2-7b + mmlu + report", "row 2 already", "keep one"],
    ),
    "error in percentage points": (
        "scores.csv",
        "0.45,0.004",
        "0.45,0.9",
        ["row 3", "'score_error'", "0.9", "percentage points", "write 0.009"],
    ),
    "negative error": (
        "scores.csv",
        "0.45,0.004",
        "0.45,-0.1",
        ["row 3", "'score_error'", "-0.1", "0 and 0.5", "leave it empty"],
    ),
    "protocol of an unknown benchmark": (
        "protocols.csv",
        "house,mmlu",
        "house,mmmlu",
        ["row 3", "'benchmark'", "mmmlu", "benchmarks.csv", "did you mean 'mmlu'?"],
    ),
    "protocol described twice": (
        "protocols.csv",
        "house,mmlu",
        "report,mmlu",
        ["row 3", "report + mmlu", "row 2 already"],
    ),
    "unit of a loss": (
        "reference_losses.csv",
        GOOD["reference_losses.csv"],
        "run,benchmark,loss,loss_unit\nr1,mmlu,1.1,bits\n",
        ["row 2", "'loss_unit'", "bits", "bits_per_byte, nats or leave it empty"],
    ),
}


@pytest.mark.parametrize(
    ("file", "old", "new", "fragments"), PROTOCOL_CASES.values(), ids=PROTOCOL_CASES
)
def test_bad_protocols_are_refused(
    several: Path, file: str, old: str, new: str, fragments: list[str]
) -> None:
    replace(several, file, old, new)
    text = message(several)
    for fragment in [file, *fragments]:
        assert fragment in text


def test_a_loss_is_in_the_unit_of_its_row_or_else_of_its_benchmark(folder: Path) -> None:
    (folder / "benchmarks.csv").write_text(
        "benchmark,items,chance,loss_unit\nmmlu,14042,0.25,bits_per_byte\ngsm8k,1319,0,\n", "utf-8"
    )
    (folder / "reference_losses.csv").write_text(
        "run,benchmark,loss,loss_unit\nr1,mmlu,1.1,\nr2,mmlu,0.9,nats\n", "utf-8"
    )
    assert load_panel(folder).losses["loss_unit"].tolist() == ["bits_per_byte", "nats"]


def test_columns_that_are_given_win_over_defaults(folder: Path) -> None:
    (folder / "systems.csv").write_text(
        "system,family,release_date,params_total,params_active\n"
        "a,F,2024-01-01,5e10,1e10\nb,F,2024-01-01,7e9,\n",
        encoding="utf-8",
    )
    (folder / "scores.csv").write_text("system,benchmark,score,flag\na,mmlu,0.5,fp8\n", "utf-8")
    panel = load_panel(folder)
    assert panel.systems["params_active"].tolist() == [1e10, 7e9]
    assert panel.systems["architecture"].tolist() == ["moe", "dense"]
    assert panel.scores["flag"].tolist() == ["fp8"]


def test_runs_that_link_a_benchmark_are_counted(folder: Path) -> None:
    panel = load_panel(folder)
    assert [panel.runs_with_loss(name) for name in panel.benchmarks.index] == [2, 0]
    assert [panel.runs_with_score(name) for name in panel.benchmarks.index] == [2, 1]
    assert panel.runs_with_score("mmlu", "cloze") == 0


def test_one_system_and_one_benchmark_load(folder: Path) -> None:
    (folder / "benchmarks.csv").write_text("benchmark,items,chance\nmmlu,14042,0.25\n", "utf-8")
    replace(folder, "systems.csv", "phi-2,2023-12-12,2.78e9\n", "")
    (folder / "scores.csv").write_text("system,benchmark,score\nllama-2-7b,mmlu,0\n", "utf-8")
    replace(folder, "reference_scores.csv", "link,gsm8k,0.4\n", "")
    panel = load_panel(folder)
    assert len(panel.systems) == len(panel.benchmarks) == 1
    assert panel.scores["score"].tolist() == [0.0]


def test_losses_may_be_absent_where_every_link_is_direct(folder: Path) -> None:
    (folder / "reference_losses.csv").unlink()
    panel = load_panel(folder)
    assert panel.losses.empty and panel.runs_with_loss("mmlu") == 0
    assert list(panel.losses.columns) == ["run", "benchmark", "loss", "loss_unit", "source"]


@pytest.mark.parametrize(
    "rewrite",
    [
        pytest.param(lambda text: b"\xef\xbb\xbf" + text.encode(), id="byte order mark"),
        pytest.param(lambda text: text.replace("\n", "\r\n").encode(), id="windows line ends"),
        pytest.param(lambda text: text.replace("\n", "\n\n").encode(), id="blank lines"),
        pytest.param(lambda text: text.replace(",", " , ").encode(), id="spaces"),
        pytest.param(lambda text: text.rstrip("\n").encode(), id="no last line end"),
    ],
)
def test_harmless_oddities_are_accepted(folder: Path, rewrite) -> None:
    plain = load_panel(folder)
    for name, text in GOOD.items():
        (folder / name).write_bytes(rewrite(text))
    odd = load_panel(folder)
    for table in ("benchmarks", "runs", "losses", "reference_scores", "systems", "scores"):
        pd.testing.assert_frame_equal(getattr(plain, table), getattr(odd, table))


def test_hash_follows_the_bytes(folder: Path) -> None:
    before = load_panel(folder).sha256
    assert load_panel(folder).sha256 == before
    replace(folder, "scores.csv", "0.58", "0.59")
    assert load_panel(folder).sha256 != before


CASES = {
    # case: (file, old, new, fragments of the message)
    "percentage": ("scores.csv", "0.438", "43.8", ["row 2, column 'score'", "43.8", "write 0.438"]),
    "score above 100": ("scores.csv", "0.438", "143", ["row 2", "'score'", "143", "0 and 1"]),
    "negative score": ("scores.csv", "0.58", "-0.1", ["row 3", "'score'", "-0.1", "0 and 1"]),
    "blank score": ("scores.csv", "0.58", "", ["row 3", "'score'", "leave the row out"]),
    "NaN score": ("scores.csv", "0.58", "NaN", ["row 3", "'score'", "leave the row out"]),
    "percent sign": ("scores.csv", "0.58", "58%", ["row 3", "'score'", "58%", "write 0.58"]),
    "decimal comma": ("scores.csv", "0.58", '"0,58"', ["row 3", "0,58", "write 0.58"]),
    "infinite score": ("scores.csv", "0.58", "inf", ["row 3", "'score'", "inf", "not a number"]),
    "unknown benchmark": (
        "scores.csv",
        "phi-2,mmlu",
        "phi-2,mmluu",
        ["row 3", "'benchmark'", "mmluu", "benchmarks.csv", "did you mean 'mmlu'?"],
    ),
    "unknown system": (
        "scores.csv",
        "llama-2-7b,",
        "llama2-7b,",
        ["row 2", "'system'", "llama2-7b", "systems.csv", "did you mean 'llama-2-7b'?"],
    ),
    "duplicate score": (
        "scores.csv",
        "phi-2,gsm8k,1",
        "phi-2,mmlu,0.6",
        ["row 4", "'system + benchmark'", "phi-2 + mmlu", "row 3 already", "keep one"],
    ),
    "negative shots": (
        "scores.csv",
        "score\nllama-2-7b,mmlu,0.438\nphi-2,mmlu,0.58\nphi-2,gsm8k,1",
        "score,shots\nllama-2-7b,mmlu,0.438,-1",
        ["row 2", "'shots'", "-1", "leave it empty"],
    ),
    "billions": (
        "systems.csv",
        "6.74e9",
        "6.74",
        ["row 2", "'params_total'", "6.74 ", "billions", "write 6.74e9"],
    ),
    "letter B": ("systems.csv", "6.74e9", "6.74B", ["row 2", "'params_total'", "write 6.74e9"]),
    "negative params": ("systems.csv", "6.74e9", "-7e9", ["row 2", "-7e9", "not positive"]),
    "blank params": ("systems.csv", "6.74e9", "", ["row 2", "'params_total'", "leave the system"]),
    "text as params": ("systems.csv", "6.74e9", "big", ["row 2", "big", "for example 7e9"]),
    "month": (
        "systems.csv",
        "2023-07-18",
        "2023-07",
        ["row 2", "'release_date'", "2023-07 is a month", "2023-07-15"],
    ),
    "year": ("systems.csv", "2023-07-18", "2023", ["row 2", "2023 is a year", "YYYY-MM-DD"]),
    "day first": ("systems.csv", "2023-07-18", "18/07/2023", ["row 2", "18/07/2023", "YYYY-MM-DD"]),
    "no such day": (
        "systems.csv",
        "2023-07-18",
        "2023-02-30",
        ["row 2", "2023-02-30", "not a date"],
    ),
    "blank date": ("systems.csv", "2023-07-18", "", ["row 2", "'release_date'", "YYYY-MM-DD"]),
    "future date": (
        "systems.csv",
        "2023-07-18",
        (date.today() + timedelta(days=2)).isoformat(),
        ["row 2", "'release_date'", "in the future", date.today().isoformat()],
    ),
    "duplicate system": (
        "systems.csv",
        "phi-2,",
        "llama-2-7b,",
        ["row 3", "'system'", "llama-2-7b occurs in row 2", "keep one"],
    ),
    "unnamed system": ("systems.csv", "phi-2,", ",", ["row 3", "'system'", "fill it in"]),
    "two organisations of a release": (
        "systems.csv",
        "params_total\nllama-2-7b,2023-07-18,6.74e9\nphi-2,2023-12-12,2.78e9",
        "params_total,organisation,release\nllama-2-7b,2023-07-18,6.74e9,A,x\n"
        "phi-2,2023-12-12,2.78e9,B,x",
        ["row 3", "'organisation'", "B differs from A in row 2", "release x", "one organisation"],
    ),
    "active above total": (
        "systems.csv",
        "params_total\nllama-2-7b,2023-07-18,6.74e9\nphi-2,2023-12-12,2.78e9",
        "params_total,params_active\nllama-2-7b,2023-07-18,6.74e9,8e9\nphi-2,2023-12-12,2.78e9,",
        ["row 2", "'params_active'", "8e+09", "6.74e+09", "part of it"],
    ),
    "missing column": (
        "systems.csv",
        "system,release_date,params_total",
        "system,release_date,note",
        ["row 1", "'params_total'", "missing", "add it"],
    ),
    "misspelt column": (
        "systems.csv",
        "params_total",
        "param_total",
        ["row 1", "'param_total'", "did you mean 'params_total'?"],
    ),
    "other word for a column": (
        "systems.csv",
        "system,",
        "model,",
        ["row 1", "'model'", "did you mean 'system'?"],
    ),
    "unknown column": (
        "scores.csv",
        "system,benchmark,score\nllama-2-7b,mmlu,0.438\nphi-2,mmlu,0.58\nphi-2,gsm8k,1",
        "system,benchmark,score,zzz\nllama-2-7b,mmlu,0.438,1",
        ["row 1", "'zzz'", "not known", "remove it", "Known: system, benchmark, protocol, score"],
    ),
    "column twice": (
        "scores.csv",
        "system,benchmark,score\n",
        "system,score,score\n",
        ["row 1", "'score'", "twice", "remove one"],
    ),
    "semicolons": (
        "benchmarks.csv",
        "benchmark,items,chance\n",
        "benchmark;items;chance\n",
        ["row 1", "semicolons", "save it with commas"],
    ),
    "tabs": (
        "benchmarks.csv",
        "benchmark,items,chance\n",
        "benchmark\titems\tchance\n",
        ["row 1", "tabs", "save it with commas"],
    ),
    "stray comma": ("scores.csv", "0.58", "0.58,5", ["row 3", "4 cells", "has 3", "double quotes"]),
    "chance of one": ("benchmarks.csv", "0.25", "1", ["row 2", "'chance'", "[0, 1)"]),
    "chance as percentage": ("benchmarks.csv", "0.25", "25", ["row 2", "'chance'", "write 0.25"]),
    "no items": ("benchmarks.csv", "14042", "0", ["row 2", "'items'", "below 1"]),
    "unknown format": (
        "benchmarks.csv",
        "chance\nmmlu,14042,0.25\ngsm8k,1319,0",
        "chance,format\nmmlu,14042,0.25,mcq\ngsm8k,1319,0,generation",
        ["row 2", "'format'", "mcq", "cloze, multiple-choice, generation"],
    ),
    "loss of zero": ("reference_losses.csv", "1.1", "0", ["row 2", "'loss'", "above 0"]),
    "loss of an unknown run": (
        "reference_losses.csv",
        "r2,",
        "r9,",
        ["row 3", "'run'", "r9", "reference_runs.csv"],
    ),
    "tokens in trillions": (
        "reference_runs.csv",
        "2e10",
        "0.02",
        ["row 2", "'tokens'", "0.02", "write 2e7 or 2e10"],
    ),
    "run in billions": ("reference_runs.csv", "1e9", "1", ["row 2", "'params'", "write 1e9"]),
    "scores of runs that are not there": (
        "reference_runs.csv",
        GOOD["reference_runs.csv"],
        "run,params,tokens\n",
        ["reference_scores.csv", "is not in reference_runs.csv"],
    ),
    "no systems": (
        "systems.csv",
        GOOD["systems.csv"],
        "system,release_date,params_total\n",
        ["no rows", "at least one"],
    ),
    "empty file": (
        "scores.csv",
        GOOD["scores.csv"],
        " \n",
        ["is empty", "system, benchmark, score"],
    ),
}


@pytest.mark.parametrize(("file", "old", "new", "fragments"), CASES.values(), ids=CASES)
def test_bad_values_are_refused(
    folder: Path, file: str, old: str, new: str, fragments: list[str]
) -> None:
    replace(folder, file, old, new)
    text = message(folder)
    for fragment in [file, *fragments]:
        assert fragment in text


def test_rows_are_those_of_an_editor(folder: Path) -> None:
    (folder / "scores.csv").write_text(
        'system,benchmark,score,source\n\nphi-2,mmlu,0.5,"two\nlines"\nphi-2,gsm8k,55,x\n', "utf-8"
    )
    assert "scores.csv, row 5, column 'score': 55" in message(folder)


def test_encoding_is_named(folder: Path) -> None:
    (folder / "benchmarks.csv").write_bytes(
        GOOD["benchmarks.csv"].replace("gsm8k", "caf\u00e9").encode("latin-1")
    )
    text = message(folder)
    assert "benchmarks.csv, row 3: byte 0xe9 is not UTF-8; save the file as UTF-8" in text


def test_all_problems_are_shown_up_to_ten(folder: Path) -> None:
    replace(folder, "scores.csv", "0.438", "43.8")
    replace(folder, "systems.csv", "2.78e9", "2.78")
    assert message(folder).startswith("2 problems in ")
    rows = "".join(f"s{i},2024-01-01,7\n" for i in range(15))
    (folder / "systems.csv").write_text("system,release_date,params_total\n" + rows, "utf-8")
    text = message(folder)
    assert text.startswith("16 problems in ") and text.endswith("and 6 more")
    assert len(text.splitlines()) == 12


@pytest.mark.parametrize("file", [name for name in GOOD if not name.startswith("reference_")])
def test_missing_file_is_named_with_its_columns(folder: Path, file: str) -> None:
    (folder / file).unlink()
    assert f"{file}: is missing; it needs the columns" in message(folder)


def test_missing_file_under_another_name_is_found(folder: Path) -> None:
    (folder / "systems.csv").rename(folder / "system.csv")
    assert "systems.csv: is missing; system.csv is there, rename it?" in message(folder)


def test_missing_folder_lists_the_embedded_panels(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"no such folder.*embedded: current, open, paper"):
        load_panel(tmp_path / "nowhere")
    with pytest.raises(TableError, match=r"did you mean 'paper'\?"):
        load_panel("papers")


def test_file_in_place_of_a_folder_is_refused(folder: Path) -> None:
    with pytest.raises(TableError, match="is a file; give the folder"):
        load_panel(folder / "scores.csv")


@pytest.mark.parametrize("name", ["open", "current"])
def test_exported_panel_loads_again(tmp_path: Path, name: str) -> None:
    export_panel(name, tmp_path / "new")
    mine, embedded = load_panel(tmp_path / "new"), load_panel(name)
    assert mine.name == "new" and mine.sha256 == embedded.sha256
    assert (tmp_path / "new" / "protocols.csv").exists() == (name == "current")
    pd.testing.assert_frame_equal(mine.systems, embedded.systems)
    pd.testing.assert_frame_equal(mine.protocols, embedded.protocols)


def test_export_overwrites_nothing(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(TableError, match="nothing is overwritten"):
        export_panel("open", folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_export_of_an_unknown_panel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="there are current, open, paper"):
        export_panel("closed", tmp_path)


def test_table_errors_are_densing_errors() -> None:
    assert issubclass(TableError, DensingError)
