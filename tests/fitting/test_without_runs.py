"""Panels without reference runs: what is identified, what is recovered, and what is refused."""

import csv
import dataclasses
import datetime as dt

import numpy as np
import pytest
from examples import LINE, PANEL, SPEC, SWITCHES, few_systems
from pytensor.compile.mode import Mode

from densing_bayes.errors import DensingError, SpecError
from densing_bayes.fitting.fit import fit
from densing_bayes.inputs.dates import DAYS_PER_YEAR
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.joint.model import assemble
from densing_bayes.ledger.ledger import check_panels
from densing_bayes.observed.observations import observe
from densing_bayes.posterior.estimates import estimate
from densing_bayes.quantities.growth import doubling_time, growth

ALONE = LINE.replace(**SWITCHES["without reference runs"])
ABILITY = {"size": 0.8, "year": 1.2}  # of a system, on a scale that no one knows
CURVES = {"first": (0.25, 0.9, 0.7), "second": (0.0, 0.95, 1.1), "third": (0.5, 0.85, 0.9)}


def without_runs(panel=PANEL):
    empty = {name: getattr(panel, name).iloc[:0] for name in ("runs", "losses", "reference_scores")}
    return dataclasses.replace(panel, **empty)


def written(folder, name, header, rows):
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def leaderboard(tmp_path):
    """A folder with systems and scores of known trend, and no runs."""
    random = np.random.default_rng(5)
    header = ["benchmark", "items", "chance", "format"]
    written(
        tmp_path, "benchmarks", header,
        [(name, 1000, floor, "cloze") for name, (floor, _, _) in CURVES.items()],
    )  # fmt: skip
    systems, scores = [], []
    for release in range(30):
        date = dt.date(2023, 1, 1) + dt.timedelta(days=int(random.integers(0, 730)))
        own = 0.3 * random.standard_normal()
        for params in random.choice([1e9, 3e9, 7e9, 13e9, 34e9, 70e9], 2, replace=False):
            name, years = f"f{release}-{params:.0e}", (date - dt.date(2024, 1, 1)).days / 365.25
            systems.append((name, f"f{release}", f"org{release % 8}", date, params))
            at = ABILITY["size"] * np.log(params / 7e9) + ABILITY["year"] * years + own
            for benchmark, (floor, ceiling, slope) in CURVES.items():
                z = slope * (at + 0.2 * random.standard_normal())
                share = floor + (ceiling - floor) / (1.0 + np.exp(-z))
                scores.append((name, benchmark, f"{random.binomial(1000, share) / 1000}"))
    header = ["system", "family", "organisation", "release_date", "params_total"]
    written(tmp_path, "systems", header, systems)
    written(tmp_path, "scores", ["system", "benchmark", "score"], scores)
    return tmp_path


@pytest.mark.slow
@pytest.mark.ci
def test_growth_is_recovered_in_units_of_size(leaderboard):
    links = {name: {"link": "size"} for name in CURVES}
    spec = load_spec("systems").replace(benchmarks=links, panel__size="total")
    found = fit(spec, load_panel(leaderboard), cores=1, seed=1)
    assert found.verdict == "PASS", found.diagnostics["reasons"]
    # whatever the scale of ability is: a year is worth as much as so many units of ln params
    rate = ABILITY["year"] / ABILITY["size"]
    posterior = estimate(growth(found)["after"] * DAYS_PER_YEAR, "1/year")
    assert posterior["lower"] < rate < posterior["upper"]
    assert posterior["upper"] - posterior["lower"] < 1.0  # and the data say so, not the prior
    days = estimate(doubling_time(growth(found)["after"]), "days", mean=False)
    assert days["lower"] < np.log(2.0) / rate * DAYS_PER_YEAR < days["upper"]
    slopes = found.posterior["discrimination"].mean(("chain", "draw"))
    for benchmark, (_, _, slope) in CURVES.items():
        own = float(slopes.sel(direct_benchmark=benchmark))
        assert own == pytest.approx(slope * ABILITY["size"], rel=0.35)


def test_the_line_is_zero_at_the_mean_date():
    observed = observe(without_runs(few_systems()), ALONE)
    assert observed.without_runs
    np.testing.assert_allclose(observed.pinned_time, observed.time.mean())
    model = assemble(ALONE.replace(trend__changes=()), observed).model
    interpreted = Mode(linker="py", optimizer=None)
    level = model["level"].eval({model["growth_before"]: 2.0}, mode=interpreted)
    assert level == pytest.approx(-2.0 * observed.time.mean())
    assert "level" not in {variable.name for variable in model.free_RVs}


def test_runs_that_are_there_have_no_part_in_it():
    assert (
        observe(few_systems(), ALONE).hash() == observe(without_runs(few_systems()), ALONE).hash()
    )


def test_a_folder_needs_no_runs_and_other_specifications_say_that_they_do(leaderboard):
    panel = load_panel(leaderboard)
    assert panel.runs.empty and panel.reference_scores.empty
    spec = SPEC.replace(benchmarks={name: {"link": "direct"} for name in CURVES})
    with pytest.raises(SpecError, match=r"0 finished reference runs .* Specification 'systems'"):
        observe(panel, spec)
    (leaderboard / "reference_run.csv").write_text("run,params,tokens\n", encoding="utf-8")
    with pytest.raises(DensingError, match=r"reference_run\.csv is there, rename it"):
        load_panel(leaderboard)


def test_links_of_both_kinds_are_refused_and_so_is_another_unit():
    with pytest.raises(SpecError, match="to all benchmarks, or to none"):
        ALONE.replace(benchmarks={"mmlu": {"link": "size"}, "hellaswag": {"link": "loss"}})
    for change in ({"trend__size_slope": True}, {"trend__frontier": "half-normal"}):
        with pytest.raises(SpecError, match="mean line of the systems"):
            ALONE.replace(**change)


def test_systems_of_one_size_say_nothing_of_what_size_is_worth():
    panel = few_systems()
    same = panel.systems.assign(params_total=7e9, params_comparable=7e9)
    with pytest.raises(SpecError, match="about the same params"):
        observe(dataclasses.replace(panel, systems=same), ALONE)


def test_published_claims_are_not_judged(small_fit):
    alone = dataclasses.replace(small_fit, observed=observe(few_systems(), ALONE))
    with pytest.raises(DensingError, match="published claims"):
        check_panels([alone])
