"""The laws, against hand-computed values and their own derivatives."""

import numpy as np
import pytensor.tensor as pt
import pytest

from densing_bayes.joint import laws


def test_scaling_loss_is_the_sum_of_its_parts_at_the_centre():
    assert laws.scaling_loss(0.0, 0.0, 0.5, 0.2, 0.3, 0.1, 0.4) == pytest.approx(0.8)


def test_scaling_loss_falls_to_the_irreducible_loss():
    assert laws.scaling_loss(200.0, 200.0, 0.5, 0.2, 0.3, 0.1, 0.4) == pytest.approx(0.5)


@pytest.mark.parametrize("n", [-3.0, 0.0, 4.0])
def test_slopes_are_derivatives(n):
    step = 1e-6
    up = laws.scaling_loss(n + step, 1.0, 0.5, 0.2, 0.3, 0.1, 0.4)
    down = laws.scaling_loss(n - step, 1.0, 0.5, 0.2, 0.3, 0.1, 0.4)
    assert laws.scaling_loss_slope(n, 0.2, 0.3) == pytest.approx((up - down) / (2 * step), rel=1e-6)
    up, down = (laws.sigmoid_score(n + e, 0.25, 0.9) for e in (step, -step))
    assert laws.sigmoid_slope(n, 0.25, 0.9) == pytest.approx((up - down) / (2 * step), rel=1e-5)


@pytest.mark.parametrize("z", [-1e6, -40.0, 0.0, 40.0, 1e6])
def test_score_stays_between_floor_and_ceiling_at_extremes(z):
    assert 0.25 <= laws.sigmoid_score(z, 0.25, 0.9) <= 0.9


def test_score_is_half_way_at_the_midpoint():
    assert laws.sigmoid_score(0.0, 0.25, 0.85) == pytest.approx(0.55)


def test_score_variance_is_binomial_without_noise():
    assert laws.score_variance(0.3, 100.0, 0.0) == pytest.approx(0.3 * 0.7 / 100)


def test_score_noise_is_the_extra_deviation_at_one_half():
    extra = laws.score_variance(0.5, np.inf, 0.02)
    assert np.sqrt(extra) == pytest.approx(0.02)


def test_doubling_time_is_infinite_without_growth():
    assert laws.doubling_time([0.00693147, 0.0, -1.0]) == pytest.approx([100.0, np.inf, np.inf])


def test_laws_take_numpy_and_pytensor_alike():
    x = pt.vector("x")
    graph = laws.sigmoid_score(-laws.scaling_loss(x, 0.5, 0.5, 0.2, 0.3, 0.1, 0.4), 0.25, 0.9)
    values = np.array([-2.0, 0.0, 3.0])
    expected = laws.sigmoid_score(
        -laws.scaling_loss(values, 0.5, 0.5, 0.2, 0.3, 0.1, 0.4), 0.25, 0.9
    )
    np.testing.assert_allclose(graph.eval({x: values}, mode="FAST_COMPILE"), expected)
