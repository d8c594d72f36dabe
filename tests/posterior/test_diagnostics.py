"""The gate: what cannot be computed does not pass."""

import numpy as np
import pytest
import xarray as xr

from densing_bayes.evaluation.checks import convergence
from densing_bayes.posterior.diagnostics import diagnose, too_short


def draws(chains=4, count=1000, seed=0):
    random = np.random.default_rng(seed)
    shape = (chains, count)
    posterior = xr.Dataset(
        {
            "level": (("chain", "draw"), random.normal(size=shape)),
            "drift": (("chain", "draw", "benchmark"), random.normal(size=(*shape, 3))),
        }
    )
    statistics = xr.Dataset(
        {
            "diverging": (("chain", "draw"), np.zeros(shape, dtype=bool)),
            "energy": (("chain", "draw"), random.normal(size=shape)),
            "depth": (("chain", "draw"), np.full(shape, 5)),
            "n_steps": (("chain", "draw"), np.full(shape, 31)),
        }
    )
    return posterior, statistics


def test_good_draws_pass_with_constants_among_them():
    posterior, statistics = draws()
    posterior["irreducible"] = 0.0 * posterior["level"]
    posterior["drift"][:, :, 1] = 2.0
    figures, _ = diagnose(posterior, statistics)
    assert figures["verdict"] == "PASS", figures["reasons"]
    assert figures["worst"]["rhat"] in ("level", "drift")


def test_one_chain_fails_and_says_so():
    figures, _ = diagnose(*draws(chains=1, count=4000))
    assert figures["verdict"] == "FAIL"
    assert "R-hat of level cannot be computed (1 chain" in figures["reasons"][0]
    assert not too_short(figures)
    rows = {row.check: row.status for row in convergence(figures)}
    assert rows["largest R-hat"] == "FAIL"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("whole", [True, False])
def test_draws_that_are_no_numbers_fail(bad, whole):
    posterior, statistics = draws()
    if whole:
        posterior["level"] = xr.full_like(posterior["level"], bad)
    else:
        posterior["level"][0, 7] = bad
    figures, _ = diagnose(posterior, statistics)
    assert figures["verdict"] == "FAIL"
    assert any("level cannot be computed" in reason for reason in figures["reasons"])


def test_too_few_draws_and_constant_draws_fail():
    assert diagnose(*draws(count=3))[0]["verdict"] == "FAIL"
    posterior, statistics = draws()
    assert diagnose(0.0 * posterior, statistics)[0]["verdict"] == "FAIL"


def test_an_energy_that_is_no_number_fails():
    posterior, statistics = draws()
    statistics["energy"][2, 5] = np.nan
    figures, _ = diagnose(posterior, statistics)
    assert figures["reasons"] == ["E-BFMI cannot be computed (4 chains, 1000 draws each)"]
