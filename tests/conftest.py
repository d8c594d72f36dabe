"""Fixtures shared by the tests: one real, small fit per run, whatever the number of workers."""

from collections import Counter

import pytest
from filelock import FileLock

import densing_bayes
from densing_bayes import Fit


def pytest_collection_modifyitems(items):
    """The comparison first, then large modules before small ones.

    So one worker fits for the comparison while the other makes the small fit, which both
    need later, and neither waits.
    """
    count = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path.name != "test_compare.py", -count[item.path], item.path))


@pytest.fixture(autouse=True)
def nothing_is_compiled(request, monkeypatch):
    """Fail where PyTensor would compile a function with numba, which takes up to minutes.

    That is its default: evaluate once with ``mode="FAST_COMPILE"``, or through the engine.
    """
    if "slow" not in request.keywords:
        from pytensor.link.numba.linker import NumbaLinker

        def refuse(*_, **__):
            raise AssertionError("PyTensor's default mode was used: it compiles with numba")

        monkeypatch.setattr(NumbaLinker, "jit_compile", refuse)


@pytest.fixture(scope="session")
def small_fit_file(tmp_path_factory, worker_id):
    """File of a short real fit of the joint specification."""
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
