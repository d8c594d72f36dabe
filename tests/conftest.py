"""Fixtures shared by the tests: one real, small fit per session."""

import pytest

import densing_bayes
from densing_bayes import Fit


@pytest.fixture(scope="session")
def small_fit_file(tmp_path_factory):
    """File of a short real fit of the joint specification (about a minute)."""
    fit = densing_bayes.fit("joint", draws=250, tune=300, chains=2, seed=1)
    return fit.save(tmp_path_factory.mktemp("fit") / "small.nc")


@pytest.fixture(scope="session")
def small_fit(small_fit_file):
    """The same fit, loaded."""
    return Fit.load(small_fit_file)
