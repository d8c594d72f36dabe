"""The doubling time by year of data: rows, what the section says, and the committed file."""

from densing_bayes.report.sections import years as years_section
from densing_bayes.report.sections.years import year_rows


def window(kind, before, median, upper=500.0, **more):
    rate = {"median": 0.8, "lower": 0.6, "upper": 1.0}
    time = {"median": median, "lower": 200.0, "upper": upper, "ci": 0.95, "unit": "days"}
    own = {"window": kind, "before": before, "systems": 9, "releases": 4, "verdict": "PASS"}
    return own | {"growth_rate_per_year": rate, "doubling_time_days": time} | more


FAILED = {"window": "rolling", "before": "2024-07-01", "systems": 5, "releases": 3,
          "verdict": "FAIL"}  # fmt: skip


def test_windows_are_rows_by_kind_and_date_and_what_failed_has_no_number():
    found = [window("rolling", "2026-01-01", 480.0, None), window("expanding", "2025-05-01", 250.0),
             FAILED, window("expanding", "2023-07-01", 300.0)]  # fmt: skip
    rows = year_rows(found)
    assert [row[:2] for row in rows] == [
        ("all releases", "2023-07-01"),
        ("all releases", "2025-05-01"),
        ("two years", "2024-07-01"),
        ("two years", "2026-01-01"),
    ]
    assert rows[0][4:] == ("0.80 (0.60 to 1.00)", "300 (200 to 500)")
    assert rows[2][4:] == ("FAIL", "")
    assert rows[3][5] == "480 (200 to never)"


def test_the_section_says_the_last_year_of_each_kind(monkeypatch):
    found = [window("expanding", "2025-05-01", 250.0), window("expanding", "2026-01-01", 291.0),
             window("rolling", "2026-01-01", 480.0)]  # fmt: skip
    monkeypatch.setattr(years_section, "windows", lambda: found)
    section = years_section.years_section()
    (sentence,) = section.sentences
    assert "before 2026-01-01 a doubling time of 291 (200 to 500) days" in sentence
    assert "the two years before it one of 480 (200 to 500) days" in sentence
    assert "250" not in sentence and section.document == {"windows": found}


def test_the_package_brings_windows_that_have_passed():
    found = years_section.windows()
    assert {each["window"] for each in found} <= set(years_section.KINDS)
    assert any("doubling_time_days" in each for each in found)
    assert all(("doubling_time_days" in each) == (each["verdict"] == "PASS") for each in found)
