"""Fixtures shared by the tests: one real, small fit per run, whatever the number of workers."""

import pytest
from filelock import FileLock

import densing_bayes
from densing_bayes import Fit


@pytest.fixture(scope="session")
def small_fit_file(tmp_path_factory, worker_id):
    """File of a short real fit of the joint specification (about a minute)."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder if worker_id == "master" else folder.parent  # which all workers share
    path = folder / "small.nc"
    with FileLock(f"{path}.lock"):
        if not path.exists():
            densing_bayes.fit("joint", draws=250, tune=300, chains=2, seed=1).save(path)
    return path


@pytest.fixture(scope="session")
def small_fit(small_fit_file):
    """The same fit, loaded."""
    return Fit.load(small_fit_file)
