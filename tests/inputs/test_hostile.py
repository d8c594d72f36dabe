"""Inputs that would fail later are refused where they are read."""

import pytest

from densing_bayes.display.terminal import parse_date
from densing_bayes.errors import DensingError, SpecError, TableError
from densing_bayes.inputs.panel import export_panel, load_panel
from densing_bayes.inputs.specification import load_hypothesis


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
