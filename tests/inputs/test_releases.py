"""A release is a recipe: siblings that come out within some weeks, wherever a date is cut."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from densing_bayes.display.answers.systems import density_document
from densing_bayes.errors import SpecError
from densing_bayes.evaluation.leave_out import (
    before,
    densities_after,
    released_before,
    released_within,
)
from densing_bayes.inputs.dates import years_since_origin
from densing_bayes.inputs.panel import export_panel, load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.inputs.tables.releases import release_names
from densing_bayes.observed.observations import observe
from densing_bayes.report.sections.basis import data_section

SPEC = load_spec("joint")
PANEL = load_panel("open")
OBSERVED = observe(PANEL, SPEC)
CUT = dt.date(2022, 10, 1)  # within the release RWKV@2022-08-07


def table(*dates: str, family: str = "F", release: str = "") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "organisation": "O",
            "family": family,
            "release": release,
            "release_date": pd.to_datetime(list(dates)),
        },
        index=[f"{family}-{date}" for date in dates],
    )


def names_of(observed, *systems: str) -> set[str]:
    return {observed.releases[observed.system_release[observed.systems.index(s)]] for s in systems}


def test_siblings_within_the_days_are_one_release_and_those_beyond_another():
    systems = table("2024-03-01", "2024-01-01", "2024-05-01")  # 60 days, then 61
    assert release_names(systems).tolist() == ["F@2024-01-01", "F@2024-01-01", "F@2024-05-01"]
    assert release_names(systems, 59).nunique() == 3
    assert release_names(systems, 61).nunique() == 1


def test_the_days_count_from_the_sibling_before_and_not_across_families():
    monthly = table(*(f"2024-{month:02}-01" for month in range(1, 7)))
    assert set(release_names(monthly)) == {"F@2024-01-01"}
    both = pd.concat([table("2024-01-01"), table("2024-01-02", family="G")])
    assert release_names(both).tolist() == ["F@2024-01-01", "G@2024-01-02"]
    other = both.assign(family="F", organisation=["O", "P"])
    assert release_names(other).tolist() == ["F@2024-01-01", "F@2024-01-02"]


def test_a_name_that_is_given_stands_above_the_rule_and_is_no_link_of_it():
    systems = table("2024-01-01", "2024-02-10", "2024-03-20")
    assert release_names(systems).nunique() == 1
    systems.loc["F-2024-02-10", "release"] = "mine"
    assert release_names(systems).tolist() == ["F@2024-01-01", "mine", "F@2024-03-20"]
    systems["release"] = "one"
    assert set(release_names(systems, 0)) == {"one"}


@pytest.mark.parametrize(
    ("systems", "release"),
    [
        (("falcon-7b", "falcon-40b", "falcon-rw-1b"), "Falcon@2023-05-25"),
        (("bloom", "bloom-7b1", "bloom-560m"), "BLOOM@2022-07-11"),
        (("rwkv-4-169m-pile", "rwkv-4-430m-pile", "rwkv-4-7b-pile"), "RWKV@2022-08-07"),
    ],
)
def test_recipes_that_came_out_in_parts_are_one_release(systems, release):
    assert names_of(OBSERVED, *systems) == {release}
    date = release.split("@")[1]
    assert OBSERVED.release_time[OBSERVED.releases.index(release)] == years_since_origin(date)


def test_later_members_of_these_families_are_releases_of_their_own():
    assert names_of(OBSERVED, "falcon-180b") == {"Falcon@2023-09-06"}
    assert names_of(OBSERVED, "rwkv-4-14b-pile") == {"RWKV@2023-02-14"}


@pytest.mark.parametrize("name", ["joint", "paper"])
def test_no_days_make_every_date_of_a_family_a_release(name):
    spec = load_spec(name).replace(panel__release_days=0)
    observed = observe(load_panel(spec.panel.source), spec)
    systems = load_panel(spec.panel.source).systems.loc[list(observed.systems)]
    dates = systems["release_date"].dt.strftime("%Y-%m-%d")
    expected = (systems["family"] + "@" + dates).tolist()
    assert [observed.releases[i] for i in observed.system_release] == expected
    np.testing.assert_array_equal(observed.release_time[observed.system_release], observed.time)
    assert observed.joined().empty


def test_the_days_are_part_of_the_specification():
    assert SPEC.panel.release_days == 60
    other = SPEC.replace(panel__release_days=30)
    assert other.hash != SPEC.hash and observe(PANEL, other).hash() != OBSERVED.hash()
    with pytest.raises(SpecError, match="release_days"):
        SPEC.replace(panel__release_days=-1)


def test_a_panel_of_ones_own_follows_the_rule_and_its_own_column(tmp_path: Path):
    export_panel("open", tmp_path)
    text = (tmp_path / "systems.csv").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("falcon-rw-1b,"))
    named = line.replace(",Falcon,,", ",Falcon,RefinedWeb only,", 1)
    assert named != line
    (tmp_path / "systems.csv").write_text(text.replace(line, named), encoding="utf-8")
    observed = observe(load_panel(tmp_path), SPEC)
    assert names_of(observed, "falcon-rw-1b") == {"RefinedWeb only"}
    assert names_of(observed, "falcon-7b", "falcon-40b") == {"Falcon@2023-05-25"}
    assert observed.counts()["families"].tolist() == OBSERVED.counts()["families"].tolist()


def test_what_is_filtered_out_does_not_split_a_release():
    systems = PANEL.systems.copy()
    systems.loc[["rwkv-4-1b5-pile", "rwkv-4-3b-pile"], "domain"] = "code"  # 101 days are left out
    observed = observe(dataclasses.replace(PANEL, systems=systems), SPEC)
    assert "rwkv-4-3b-pile" not in observed.systems
    assert names_of(observed, "rwkv-4-169m-pile", "rwkv-4-7b-pile") == {"RWKV@2022-08-07"}


def test_a_release_counts_once_on_the_side_of_its_date():
    change = {"name": "cut", "date": CUT}
    observed = observe(PANEL, SPEC.replace(trend__changes=(change,)))
    table = observed.counts()
    assert table["releases"].sum() == len(observed.releases)
    assert table["systems"].sum() == len(observed.systems)
    sides = OBSERVED.time[OBSERVED.system_release == OBSERVED.releases.index("RWKV@2022-08-07")]
    assert (sides < years_since_origin(CUT)).any() and (sides > years_since_origin(CUT)).any()


def test_of_a_release_on_both_sides_of_a_cut_the_late_members_are_not_forecast():
    late = OBSERVED.systems.index("rwkv-4-7b-pile")
    release = OBSERVED.system_release[late]
    past = before(OBSERVED, CUT)
    assert "rwkv-4-7b-pile" not in past.systems and "rwkv-4-169m-pile" in past.systems
    assert past.release_time[past.releases.index("RWKV@2022-08-07")] == years_since_origin(
        "2022-08-07"
    )
    assert not released_within(OBSERVED, CUT)[release]
    only = OBSERVED.of_systems(np.arange(len(OBSERVED.systems)) == late)
    assert only.release_time.tolist() == [years_since_origin("2022-08-07")]
    seen = released_before(OBSERVED, CUT)
    scored = released_within(OBSERVED, CUT)[OBSERVED.system_release]
    assert not (seen & scored).any()


@pytest.mark.fit
def test_forecasts_do_not_hang_on_late_members_of_releases_of_the_past(small_fit, monkeypatch):
    """RWKV has a release in the window; of an earlier one, what came after the cut is not known."""
    monkeypatch.setattr("densing_bayes.evaluation.leave_out.DRAWS", 100)
    observed = small_fit.observed
    coming = observed.of_systems(released_within(observed, CUT)[observed.system_release])
    assert "RWKV@2023-02-14" in coming.releases

    def forecast(system: str):
        own = observed.cell_system == observed.systems.index(system)
        score = np.where(own, observed.score + 0.05, observed.score)
        return densities_after(small_fit, dataclasses.replace(observed, score=score), CUT)

    as_measured = densities_after(small_fit, observed, CUT)
    np.testing.assert_array_equal(forecast("rwkv-4-7b-pile"), as_measured)
    assert np.abs(forecast("rwkv-4-169m-pile") - as_measured).max() > 1e-6


@pytest.mark.fit
def test_the_report_and_the_densities_say_which_systems_are_one_release(small_fit):
    section = data_section(small_fit, PANEL)
    (joined,) = (table for table in section.tables if table.name == "releases")
    rows = {row[0]: row for row in joined.rows}
    assert len(rows) == len(small_fit.observed.joined())
    assert rows["Falcon@2023-05-25"][1:3] == ("2023-05-25", "2023-06-01")
    assert rows["Falcon@2023-05-25"][3].split(", ") == ["falcon-40b", "falcon-7b", "falcon-rw-1b"]
    assert f"no more than {SPEC.panel.release_days} days" in section.sentences[1]
    assert f"{len(small_fit.observed.releases)} releases" in section.sentences[1]
    systems = {row["system"]: row for row in density_document(small_fit)}
    assert systems["falcon-rw-1b"]["release"] == "Falcon@2023-05-25"
    assert systems["falcon-rw-1b"]["release_date"] == "2023-06-01"
