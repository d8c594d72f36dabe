"""Curves stated by the scores of two models: the models score so, and the way back."""

import numpy as np
import pytest

from densing_bayes import load_panel, load_spec
from densing_bayes.errors import SpecError
from densing_bayes.joint import laws
from densing_bayes.joint.curves import curve_parameters, two_scores
from densing_bayes.observed.observations import observe

SPEC = load_spec("joint")
CURVE = SPEC.performance.curve
OBSERVED = observe(load_panel("open"), SPEC)
LAW = tuple(np.array(x) for x in ([0.4, 0.5, 0.3], [0.3, 0.2, 0.4], [0.1, 0.2, 0.3],
                                  [0.1, 0.3, 0.2], [0.3, 0.2, 0.2]))  # fmt: skip
ELASTICITY, START = np.array([1.2]), np.array([-0.3, 0.2, -1.0, 0.5])
RISE = np.array([1.0, 2.0, 3.0, 1.5])


def logits(curves, params):
    n, d = np.log(params / OBSERVED.centre_params), OBSERVED.log_reference_tokens
    by_loss = curves.steepness * (curves.midpoint - laws.scaling_loss(n, d, *LAW))
    direct = curves.discrimination * (laws.ability(n, d, ELASTICITY) - curves.difficulty)
    return np.r_[by_loss, direct]


def test_the_two_models_score_what_is_said():
    curves = curve_parameters(CURVE, OBSERVED, LAW, ELASTICITY, START, RISE)
    np.testing.assert_allclose(logits(curves, CURVE.small), START)
    np.testing.assert_allclose(logits(curves, CURVE.large), START + RISE)


def test_start_and_rise_are_found_back():
    curves = curve_parameters(CURVE, OBSERVED, LAW, ELASTICITY, START, RISE)
    start, rise = two_scores(CURVE, OBSERVED, LAW, ELASTICITY, curves)
    np.testing.assert_allclose(start, START)
    np.testing.assert_allclose(rise, RISE)


def test_curves_have_one_prior_and_no_more():
    steep = {"distribution": "lognormal", "median": 12.0, "sigma": 0.7}
    with pytest.raises(SpecError, match="curves have two priors: leave out steepness"):
        SPEC.replace(performance__steepness=steep)
    with pytest.raises(SpecError, match="nothing is said of the curves"):
        SPEC.replace(performance__curve=None)
    with pytest.raises(SpecError, match="must be fewer params than large"):
        SPEC.replace(performance__curve__small=1e12)
