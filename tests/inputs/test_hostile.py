"""Inputs that would fail later are refused where they are read."""

import datetime as dt
import os

import pytest

from densing_bayes.display.terminal import parse_date
from densing_bayes.errors import DensingError, SpecError, TableError
from densing_bayes.inputs.panel import export_panel, load_panel
from densing_bayes.inputs.specification import load_hypothesis, load_spec
from densing_bayes.observed.observations import observe


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2023-07-18", "1000-01-01", "1000-01-01 lies outside 1800 to 2200"),
        ("2023-07-18", "9999-12-31", "9999-12-31 lies outside 1800 to 2200"),
        ("2023-07-18", "2023-02-31", "2023-02-31 is not a date"),
        ("llama-2-7b,", "llama-2\0-7b,", "holds a control character"),
        ("llama-2-7b,", "llama-2\x1b[31m-7b,", "holds a control character"),
    ],
)
def test_cells_that_fail_later_are_refused_by_the_tables(old, new, said, tmp_path):
    export_panel("open", tmp_path)
    systems = tmp_path / "systems.csv"
    text = systems.read_text("utf-8")
    assert old in text
    systems.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(TableError, match=said) as error:
        load_panel(tmp_path)
    assert "systems.csv, row" in str(error.value) and "\x1b" not in str(error.value)


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31"])
def test_dates_out_of_range_are_refused(date, tmp_path):
    with pytest.raises(DensingError, match="lies outside 1800 to 2200"):
        parse_date(date)
    path = tmp_path / "own.toml"
    path.write_text(f'name = "own"\n[[changes]]\nname = "a"\ndate = {date}\n')
    with pytest.raises(SpecError, match="lies outside 1800 to 2200"):
        load_hypothesis(path)


def test_deeply_nested_toml_is_refused(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text("a = " + "[" * 20000 + "]" * 20000)
    with pytest.raises(SpecError, match="nested too deeply"):
        load_hypothesis(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("prior_odds = " + "9" * 5000, "not valid TOML"),  # more digits than Python reads
        ('smooth = { start = 2020-01-01, end = 2024-01-01, every_days = 99999999999999999999, '
         'spread = { distribution = "halfnormal", sigma = 1 } }', "every_days.*less than or equal"),
    ],
)  # fmt: skip
def test_numbers_beyond_what_can_be_computed_with_are_refused(line, said, tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(f'name = "own"\n{line}\n')
    with pytest.raises(SpecError, match=said):
        load_hypothesis(path)
    with pytest.raises(SpecError, match=r"release_days.*less than or equal"):
        load_spec("joint").replace(panel__release_days=10**20)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trend__level": {"distribution": "normal", "mu": 0.0, "sigma": 1e308}}, "level.*sigma"),
        ({"trend__growth_before": {"distribution": "normal", "mu": -1e300, "sigma": 1}}, "mu"),
        (
            {"scaling__loss_noise": {"distribution": "lognormal", "median": 1, "sigma": 1e3}},
            "sigma",
        ),
    ],
)
def test_priors_that_no_model_starts_from_are_refused(changes, said):
    with pytest.raises(SpecError, match=said + ".*should be"):
        load_spec("joint").replace(**changes)


def test_more_knots_and_changes_than_can_be_sampled_are_refused(tmp_path):
    path = tmp_path / "own.toml"
    smooth = "start = 1900-01-01\nend = 2100-01-01\nevery_days = 28\n"
    spread = 'spread = { distribution = "halfnormal", sigma = 1 }\n'
    path.write_text(f'name = "own"\n[smooth]\n{smooth}{spread}')
    with pytest.raises(SpecError, match=r"2609 knots .* are more than 240: raise every_days"):
        load_hypothesis(path)
    changes = "".join(f'[[changes]]\nname = "c{i}"\ndate = {1990 + i}-01-01\n' for i in range(30))
    path.write_text(f'name = "own"\n{changes}')
    with pytest.raises(SpecError, match=r"'changes': .* at most 24") as error:
        load_hypothesis(path)
    assert len(str(error.value)) < 200
    both = "".join(
        f'[[changes]]\nname = "c{i}"\ndate = {1990 + i}-01-01\nlevel = true\n' for i in range(13)
    )
    path.write_text(f'name = "own"\n{both}')
    with pytest.raises(SpecError, match="26 changes of slope or level are more than 24"):
        load_hypothesis(path)


def test_a_smooth_trend_without_a_knot_in_the_data_is_refused():
    smooth = load_hypothesis("smooth").smooth
    late = smooth.model_copy(update={"start": dt.date(2100, 1, 1), "end": dt.date(2101, 1, 1)})
    spec = load_spec("joint").replace(trend__changes=(), trend__smooth=late)
    with pytest.raises(SpecError, match="no knot of the smooth trend"):
        observe(load_panel("open"), spec)


def test_what_contradicts_itself_is_said_without_printing_it_all(tmp_path):
    path = tmp_path / "own.toml"
    one = '[[changes]]\nname = "{}"\ndate = 2023-01-01\n'
    path.write_text('name = "own"\n' + one.format("a") + one.format("b"))
    with pytest.raises(SpecError, match=r"'a' and 'b' are not$") as error:
        load_hypothesis(path)
    assert "{" not in str(error.value) and len(str(error.value)) < 300


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
def test_a_folder_whose_name_is_no_text_has_a_name_that_is(tmp_path):
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/own\xff")
    export_panel("open", folder)
    assert load_panel(folder).name == r"own\xff"


@pytest.mark.parametrize("line", ["sep=,", "# made by hand"])
def test_a_line_above_the_header_is_one_problem(line, tmp_path):
    export_panel("open", tmp_path)
    systems = tmp_path / "systems.csv"
    systems.write_text(f"{line}\n{systems.read_text('utf-8')}", "utf-8")
    with pytest.raises(TableError, match=r"row 1: .* is no header; remove the line") as error:
        load_panel(tmp_path)
    assert len(str(error.value).splitlines()) == 1
