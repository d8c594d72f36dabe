"""Commands and report sections of the corollaries, from a real small fit."""

import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from densing_bayes.cli.main import app
from densing_bayes.corollaries import sections
from densing_bayes.corollaries.corollary import Answer, Corollary, Parts
from densing_bayes.corollaries.engines.model import device_table
from densing_bayes.corollaries.engines.section import device_section
from densing_bayes.corollaries.forecast.section import level_of_gpt_4
from densing_bayes.display.section import Section
from densing_bayes.errors import DensingError
from densing_bayes.quantities.forecasts import params_at, score_at

pytestmark = pytest.mark.fit


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def document(*arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_devices_on_terminal_and_as_json(small_fit, small_fit_file):
    found = document("devices", small_fit_file, "--memory", 24, "--date", "2024-01-01")
    expected = device_table(small_fit, ["2024-01-01"], [24.0])["effective_params"][0]
    assert found["devices"][0]["effective_params"]["median"] == pytest.approx(expected["median"])
    shown = run("devices", small_fit_file, "--memory", 24).stdout
    assert "24 GiB" in shown and "2022-11-30" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_the_third_of_params_score_and_date_is_the_answer(small_fit, small_fit_file):
    head = ("forecast", small_fit_file, "--benchmark", "hellaswag")
    when = document(*head, "--params", 8e9, "--score", 0.7, "--by", "2030-01-01")
    assert when["p_by"] > 0.9 and when["limit"]["median"] > 0.7
    score = document(*head, "--params", 8e9, "--date", "2024-01-01")["answer"]
    drawn = score_at(small_fit, "2024-01-01", 8e9, "hellaswag")
    assert score["median"] == pytest.approx(float(np.median(drawn)))
    size = document(*head, "--score", 0.7, "--date", "2024-01-01")["answer"]
    drawn = params_at(small_fit, "2024-01-01", "hellaswag", 0.7)
    assert size["median"] == pytest.approx(float(np.median(drawn)))
    for given in (("--params", 8e9), ("--params", 8e9, "--score", 0.7, "--date", "2024-01-01")):
        wrong = run(*head, *given)
        assert wrong.exit_code == 2
        assert "give two of --params, --score and --date" in wrong.stderr
    wrong = run(*head, "--params", 8e9, "--date", "2024")
    assert wrong.exit_code == 2 and "'2024' is not a date" in wrong.stderr


def test_lives_by_release(small_fit_file):
    found = document("shelf-life", small_fit_file, "llama-3-8b", "--condition", "system")
    (row,) = found["systems"]
    assert row["lower"] <= row["median"] <= row["upper"]
    assert found["condition"] == "system"
    shown = run("shelf-life", small_fit_file, "llama-3-8b", "--condition", "system").stdout
    assert "P(none)" in shown


def test_payback_of_a_system(small_fit_file):
    head = ("shelf-life", small_fit_file, "llama-3-8b", "--training-cost", 2e6, "--window", 60)
    found = document(*head, "--visits-per-day", 1e9)
    needed = found["estimates"]["daily_visits_needed"]
    assert needed["lower"] < needed["median"] < needed["upper"]
    assert 0 < found["break_even"]["p_break_even"] < 1
    twice = document(*head[:4], 4e6, *head[5:])["estimates"]["daily_visits_needed"]
    assert twice["median"] == pytest.approx(2 * needed["median"])
    shown = run(*head, "--visits-per-day", 1e9).stdout
    assert "P(break even)" in shown and "within 60 days" in shown.replace("\n", " ")
    wrong = run("shelf-life", small_fit_file, "--training-cost", 2e6)
    assert wrong.exit_code == 2 and "a pay-back is that of one system" in wrong.stderr
    wrong = run(*head, "--margin", 2)
    assert wrong.exit_code == 2 and "margin" in wrong.stderr


def test_price_command_refuses_what_is_no_date_or_level():
    assert "'soon' is not a date" in run("price", "--until", "soon").stderr
    wrong = run("price", "--level", "gpt-9")
    assert wrong.exit_code == 2 and "no level 'gpt-9'" in wrong.stderr


def test_sections_without_a_small_model(small_fit):
    device = device_section(small_fit)
    table = device.tables[0]
    assert len(table.rows) == 4 and len(table.header) == len(table.rows[0])
    forecast = level_of_gpt_4(small_fit, 0.95, 1)
    assert "GPT-4" in forecast.pictures[0].alt
    assert "the level of GPT-4" in forecast.sentences[0]


def test_a_section_that_cannot_be_made_says_why(small_fit, monkeypatch, tmp_path):
    monkeypatch.setenv("DENSING_BAYES_CACHE", str(tmp_path))

    def fail(*_):
        raise DensingError("no tokens")

    def make(*_):
        return Section("good", "Good", ("Said.",))

    for function in (make, fail):  # the store hashes the source of the module that makes
        function.__module__ = sections.__name__
    one = Corollary("one", lambda: Parts(answers=(Answer("good", "Good", make),)))
    other = Corollary("other", lambda: Parts(answers=(Answer("bad", "Bad", fail),)))
    made = sections.corollary_sections(small_fit, corollaries=(one, other))
    found = {name: section() for name, section in made.items()}
    assert list(found) == ["good", "bad"]
    assert found["good"].sentences == ("Said.",)
    assert found["bad"].title == "Bad" and found["bad"].sentences == ("Left out: no tokens.",)


@pytest.mark.slow
def test_all_sections_of_a_fit(small_fit, monkeypatch, tmp_path):
    monkeypatch.setenv("DENSING_BAYES_CACHE", str(tmp_path))
    found = {name: make() for name, make in sections.corollary_sections(small_fit).items()}
    again = {name: make() for name, make in sections.corollary_sections(small_fit).items()}
    assert len(found) == 7
    for name, section in found.items():
        assert section.name == name
        assert section.sentences and "Left out" not in section.sentences[0]
        assert [t.rows for t in again[name].tables] == [t.rows for t in section.tables]
        for table in section.tables:
            assert all(len(row) == len(table.header) for row in table.rows)
        assert all(re.search(r"\d", picture.alt) for picture in section.pictures)
