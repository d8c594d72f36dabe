"""The links of the shipped specification against their held-out errors."""

import pytest

from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.quantities.link_errors import link_errors


def test_no_shipped_link_is_clearly_worse_than_its_rival():
    table = link_errors(load_spec("joint"), load_panel("open"))
    for _, row in table.iterrows():
        rival = {"loss": "direct", "direct": "loss"}[row["chosen"]]
        assert row[row["chosen"]] <= row[rival] + 0.005


def test_winogrande_does_not_follow_its_loss():
    table = link_errors(load_spec("joint"), load_panel("open"))
    assert table.loc["winogrande", "direct"] < table.loc["winogrande", "loss"] - 0.02
    assert table.loc["hellaswag", "loss"] == pytest.approx(0.001, abs=0.005)
