"""The store of fits: whole entries or none, and nothing out of date."""

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from densing_bayes import store
from densing_bayes.observations import observe
from densing_bayes.spec import load_hypothesis, load_spec
from densing_bayes.tables import load_panel

SPEC = load_spec("joint")
SEEN = observe(load_panel("open"), SPEC)


def never():
    raise AssertionError("made although it was there")


def test_the_address_is_that_of_what_went_in():
    settings = {"draws": 10} | store.versions()
    name = store.address(SPEC, SEEN, settings)
    assert name == store.address(SPEC.model_copy(update={"description": "x"}), SEEN, settings)
    other = SPEC.under(load_hypothesis("gpt-4"))
    fewer = SEEN.of_systems(SEEN.time > 0)
    changed = [(other, SEEN, settings), (SPEC, fewer, settings), (SPEC, SEEN, {"draws": 11})]
    assert len({name, *(store.address(*each) for each in changed)}) == 4


def test_the_address_hangs_on_the_source_of_the_package():
    assert {"densing-bayes", "source", "pymc", "nutpie"} <= set(store.versions())


def test_the_folder_can_be_moved(monkeypatch, tmp_path):
    monkeypatch.setenv("DENSING_BAYES_CACHE", str(tmp_path))
    assert store.store_folder() == tmp_path


@pytest.mark.fit
def test_a_fit_is_kept_and_found(small_fit, tmp_path):
    first = store.stored_fit("a", SPEC, lambda: small_fit, tmp_path / "new")
    again = store.stored_fit("a", SPEC, never, tmp_path / "new")
    np.testing.assert_array_equal(first.posterior["level"], again.posterior["level"])
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.nc"]


@pytest.mark.fit
def test_a_corrupt_fit_is_made_anew_and_said_so(small_fit, tmp_path, caplog):
    path = tmp_path / "a.nc"
    store.stored_fit("a", SPEC, lambda: small_fit, tmp_path)
    path.write_bytes(path.read_bytes()[:20_000])
    with caplog.at_level(logging.WARNING):
        found = store.stored_fit("a", SPEC, lambda: small_fit, tmp_path)
    assert "cannot be read" in caplog.text and "fitting anew" in caplog.text
    assert found.verdict == small_fit.verdict
    assert store.stored_fit("a", SPEC, never, tmp_path).verdict == small_fit.verdict


def test_a_corrupt_answer_is_made_anew_and_said_so(tmp_path, caplog):
    (tmp_path / "a.json").write_text('{"elpd": [1.0, ')
    with caplog.at_level(logging.WARNING):
        assert store.stored_answer("a", lambda: {"elpd": 1.0}, tmp_path) == {"elpd": 1.0}
    assert "made anew" in caplog.text
    assert store.stored_answer("a", never, tmp_path) == {"elpd": 1.0}


def test_many_may_write_one_answer_at_once(tmp_path):
    content = {"values": list(range(20_000))}
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda _: store.stored_answer("a", lambda: content, tmp_path), range(40))
        )
    assert all(each == content for each in found)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.fit
def test_two_may_write_one_fit_at_once(small_fit, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        found = list(
            pool.map(lambda _: store.stored_fit("a", SPEC, lambda: small_fit, tmp_path), range(2))
        )
    assert all(each.verdict == small_fit.verdict for each in found)
    assert [path.name for path in tmp_path.iterdir()] == ["a.nc"]


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_store(tmp_path, caplog):
    file = tmp_path / "file"
    file.write_text("")
    with caplog.at_level(logging.WARNING):
        assert store.stored_answer("a", lambda: {"x": 1}, file / "sub") == {"x": 1}
    assert "could not be stored" in caplog.text


def test_an_object_is_kept_under_what_it_hangs_on(tmp_path, caplog):
    made = []

    def make():
        made.append(len(made))
        return {"value": len(made)}

    assert store.kept("thing", [1], make, tmp_path) == {"value": 1}
    assert store.kept("thing", [1], make, tmp_path) == {"value": 1}
    assert store.kept("thing", [2], make, tmp_path) == {"value": 2}
    (first, _) = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime)
    first.write_bytes(b"broken")
    assert store.kept("thing", [1], make, tmp_path) == {"value": 3}
    assert "cannot be read" in caplog.text
    assert made == [0, 1, 2]
    assert not list(tmp_path.glob("*.part"))


def test_an_object_that_cannot_be_stored_is_made_all_the_same(tmp_path, caplog):
    answer = store.kept("thing", [1], lambda: {"call": lambda: 1}, tmp_path)
    assert answer["call"]() == 1
    assert "could not be stored" in caplog.text
    assert not list(tmp_path.iterdir())


def test_files_are_made_once_and_again_after_damage(tmp_path, caplog):
    made = []

    def make():
        made.append(1)
        return {"a.html": b"<p>", "b.png": b"\x89PNG"}

    first, again = (store.kept_files("report", ["key"], make, tmp_path) for _ in range(2))
    assert first == again == {"a.html": b"<p>", "b.png": b"\x89PNG"}
    assert len(made) == 1
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(b"damaged")
    assert store.kept_files("report", ["key"], make, tmp_path)["a.html"] == b"<p>"
    assert "cannot be read" in caplog.text
    store.kept_files("report", ["another key"], make, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_the_whole_package_counts_for_files_that_are_kept():
    before = store.whole_package()
    assert before == store.whole_package()
    assert len(before) == 64
