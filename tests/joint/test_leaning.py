"""Leans integrated out by expectation propagation, against the lattice and Monte Carlo."""

import numpy as np
import pytest
from scipy.special import logsumexp
from test_marginal import OBSERVED, SPEC, parameters

from densing_bayes.errors import DensingError
from densing_bayes.joint.marginal.predictive import predictive_densities

LEAN, RELEASE_LEAN = 0.4, 0.3
pytestmark = [pytest.mark.slow, pytest.mark.ci]  # numba compiles for 20 s once on a machine


@pytest.mark.parametrize("release_effects", [True, False])
def test_without_leans_the_densities_are_those_of_the_lattice(release_effects):
    spec = SPEC.replace(trend__release_effects=release_effects)
    units = len(OBSERVED.releases) if release_effects else len(OBSERVED.systems)
    own = parameters(shortfall=np.full(units, 1.1), release=np.array(0.3))
    exact = predictive_densities(spec, OBSERVED, own)
    found = predictive_densities(spec, OBSERVED, own._replace(lean_spread=np.array([1e-6])))
    for name in ("total", "release", "system"):
        assert getattr(found, name) == pytest.approx(getattr(exact, name), abs=0.01)


def test_a_mean_trend_needs_no_edge():
    own = parameters(shortfall=np.zeros(len(OBSERVED.releases)), release=np.array(0.5))
    exact = predictive_densities(SPEC, OBSERVED, own)
    found = predictive_densities(SPEC, OBSERVED, own._replace(lean_spread=np.array([1e-6])))
    assert found.total == pytest.approx(exact.total, abs=0.01)
    assert found.release == pytest.approx(exact.release, abs=0.01)


def test_leans_are_integrated():
    """The lattice at draws of all leans from their priors, averaged."""
    known = np.array([release.startswith("Llama@") for release in OBSERVED.releases])
    own = parameters(lean_spread=np.array(LEAN), release_lean_spread=np.array(RELEASE_LEAN))
    random, count = np.random.default_rng(1), 40_000
    k, m = OBSERVED.cell_benchmark, OBSERVED.cell_system
    benchmarks = len(OBSERVED.benchmarks)

    def drawn(units):
        return random.standard_normal((count, units, benchmarks))

    lean = LEAN * drawn(len(OBSERVED.organisations))[:, OBSERVED.system_organisation[m], k]
    lean += RELEASE_LEAN * drawn(len(OBSERVED.releases))[:, OBSERVED.system_release[m], k]
    plain = parameters()
    many = type(plain)(
        *(
            np.repeat(value, count, axis=1 if name == "law" else 0)
            for name, value in zip(plain._fields, plain, strict=True)
        )
    )
    many = many._replace(shift=plain.shift + lean)
    brute = predictive_densities(SPEC, OBSERVED, many, pointwise=False).total
    value = logsumexp(brute) - np.log(count)
    weight = np.exp(brute - brute.max())
    error = weight.std() / weight.mean() / np.sqrt(count)
    found = predictive_densities(SPEC, OBSERVED, own)
    assert error < 0.05
    assert found.total[0] == pytest.approx(value, abs=3.0 * error + 0.02)
    # All scores are those of a release and those of the others: with what is left out counted.
    left = predictive_densities(SPEC, OBSERVED, own, known, pointwise=False).total[0]
    others = [i for i, name in enumerate(OBSERVED.releases) if not known[i]]
    one_organisation = [
        i
        for i in others
        if OBSERVED.system_organisation[OBSERVED.system_release == i][0]
        == OBSERVED.system_organisation[known[OBSERVED.system_release]][0]
    ]
    after = predictive_densities(SPEC, OBSERVED, own, known).release[0]
    alone = [i for i in others if i not in one_organisation]
    assert left + after[one_organisation].sum() + after[alone].sum() == pytest.approx(
        found.total[0], abs=0.01
    )


def test_leans_given_the_others_are_those_of_the_prior_where_there_are_none():
    """Draws for a release that is alone in its organisation."""
    alone = next(
        i
        for i in range(len(OBSERVED.releases))
        if (
            OBSERVED.system_organisation
            == OBSERVED.system_organisation[OBSERVED.system_release == i][0]
        ).sum()
        == (OBSERVED.system_release == i).sum()
    )
    own = parameters(lean_spread=np.array(LEAN))
    many = type(own)(
        *(
            np.repeat(value, 2000, axis=1 if name == "law" else 0)
            for name, value in zip(own._fields, own, strict=True)
        )
    )
    found = predictive_densities(SPEC, OBSERVED, many, seed=3)
    assert found.lean[:, alone].std() == pytest.approx(LEAN, rel=0.05)
    assert found.organisation[:, alone].std() == pytest.approx(own.organisation[0], rel=0.05)


def test_heavy_tails_of_releases_are_refused_beside_leans():
    own = parameters(lean_spread=np.array(LEAN))
    with pytest.raises(DensingError, match="this fit has release_tails"):
        predictive_densities(SPEC.replace(trend__release_tails=4.0), OBSERVED, own)
