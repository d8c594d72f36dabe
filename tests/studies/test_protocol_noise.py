"""The priors of protocol noise stand on the second readings."""

from pathlib import Path

import pytest

ANALYSES = Path(__file__).parents[2] / "analyses"


def test_prior_medians_are_the_scatter_of_readings_that_differ(monkeypatch):
    monkeypatch.syspath_prepend(ANALYSES)
    from protocol_noise import protocol_noise

    table = protocol_noise()
    assert len(table) == 5
    for _, row in table.iterrows():
        assert row["prior median"] == pytest.approx(row["rms of those that differ"], rel=0.06)
