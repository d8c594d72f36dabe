"""Panels drawn from the prior: what makes one unusable, and how many of the shipped ones are."""

import dataclasses

import numpy as np
import pytest

from densing_bayes import load_panel, load_spec
from densing_bayes.evaluation.checks import expected_panels
from densing_bayes.evaluation.prior_panels import (
    LEAST_USABLE,
    panel_faults,
    prior_panels,
    usable,
)
from densing_bayes.observed.observations import observe

SPEC = load_spec("joint")
OBSERVED = observe(load_panel("open"), SPEC)


def faults(**changes):
    found = panel_faults(dataclasses.replace(OBSERVED, **changes))
    return [fault for fault, present in found.items() if present]


@pytest.mark.parametrize("name", ["joint", "paper"])
def test_the_panels_that_there_are_are_usable(name):
    spec = load_spec(name)
    assert usable(observe(load_panel(spec.panel.source), spec))


def test_what_is_wrong_with_a_panel_is_named():
    first = OBSERVED.loss_benchmark == 0
    assert faults(loss=np.where(first, 1.0, OBSERVED.loss)) == ["losses of hellaswag hardly fall"]
    tiny = np.where(first & (OBSERVED.loss < 0.7), 0.01, OBSERVED.loss)
    assert faults(loss=tiny) == ["losses of hellaswag fall to next to nothing"]
    at_chance = np.where(OBSERVED.reference_benchmark == 3, 0.5, OBSERVED.reference_score)
    assert faults(reference_score=at_chance) == ["reference scores on winogrande show no curve"]
    at_ceiling = np.where(OBSERVED.cell_benchmark == 2, 0.9, OBSERVED.score)
    assert faults(score=at_ceiling) == ["systems' scores on mmlu are all alike"]


@pytest.mark.parametrize("name", ["joint", "paper"])
def test_half_of_the_panels_that_the_shipped_priors_expect_are_usable(name):
    spec = load_spec(name)
    panels = prior_panels(spec, observe(load_panel(spec.panel.source), spec), panels=100)
    assert panels.usable >= LEAST_USABLE
    assert expected_panels(panels).status == "PASS"


def test_a_prior_of_the_impossible_is_looked_into_and_told():
    far = SPEC.replace(trend__level={"distribution": "normal", "mu": -12.0, "sigma": 0.1})
    row = expected_panels(prior_panels(far, OBSERVED, panels=20))
    assert row.status == "REVIEW" and row.figure < LEAST_USABLE
    assert "systems' scores on" in row.recommendation
    assert "[performance.curve]" in row.recommendation
