"""The table of how far protocols disagree, against offsets that are known."""

import dataclasses

import numpy as np
import pytest
import xarray as xr
from examples import few_systems

from densing_bayes.errors import DensingError
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.observed.observations import observe
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.protocols import protocol_differences
from densing_bayes.report.sections.protocols import protocol_section


@pytest.fixture(scope="module")
def known():
    """A fit with the same offset of every protocol at all draws, and one that is not sure."""
    spec = load_spec("current")
    observed = observe(few_systems(load_panel("current")), spec)
    measures, benchmarks = list(observed.measures), list(observed.benchmarks)
    offset = np.full((2, 50, len(measures)), -0.5)
    offset[..., measures.index("mmlu|olmes")] = np.linspace(-1.0, 1.0, 100).reshape(2, 50)
    by = ("chain", "draw", "measure")
    flat = np.ones((2, 50, len(benchmarks)))
    draws = xr.Dataset(
        {
            "protocol_offset": (by, offset),
            "measure_noise": (by, np.full(offset.shape, 0.02)),
            "floor": (("chain", "draw", "benchmark"), 0.25 * flat),
            "ceiling": (("chain", "draw", "benchmark"), 0.95 * flat),
            "protocol_noise": (("chain", "draw", "benchmark"), 0.01 * flat),
        },
        coords={"measure": measures, "benchmark": benchmarks},
    )
    return Fit(xr.DataTree.from_dict({"posterior": draws}), spec, observed, {}, {})


def test_the_difference_is_that_of_the_link_at_a_middling_score(known):
    table = protocol_differences(known).set_index(["benchmark", "protocol"])
    row = table.loc[("mmlu", "report")]
    share = (row["at"] - 0.25) / 0.7
    odds = share / (1.0 - share) * np.exp(-0.5)
    assert row["difference"] == pytest.approx(0.7 * (odds / (1.0 + odds) - share))
    assert row["difference_lower"] == row["difference_upper"] == row["difference"]
    assert (row["noise"], row["anchor_noise"]) == (0.02, 0.01)


def test_every_reading_beside_the_anchors_is_counted_once(known):
    observed, table = known.observed, protocol_differences(known)
    beside = int((observed.cell_measure >= 0).sum())
    assert table["systems"].sum() == beside + len(observed.repeat_score)
    assert (table["both"] <= table["systems"]).all()


def test_the_section_names_those_that_differ_for_sure(known):
    section = protocol_section(known)
    assert section.sentences[0].startswith("14 of 15 protocols")
    assert len(section.tables[0].rows) == 15


def test_a_fit_of_one_protocol_has_no_such_table(known):
    spec = load_spec("joint")
    observed = observe(few_systems(), spec)
    with pytest.raises(DensingError, match="no offsets of protocols"):
        protocol_differences(dataclasses.replace(known, spec=spec, observed=observed))
