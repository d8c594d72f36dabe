"""The store of fits: whole entries or none, and nothing out of date."""

import json
import logging
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from densing_bayes.display import sentences
from densing_bayes.fitting import many, store
from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_hypothesis, load_spec
from densing_bayes.joint import laws
from densing_bayes.ledger import plotted
from densing_bayes.observed.observations import observe
from densing_bayes.source import HERE, imported, source_hash

SPEC = load_spec("joint")
SEEN = observe(load_panel("open"), SPEC)
LAWS = laws.__name__


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
    assert {"source", "pymc", "nutpie"} <= set(store.versions())


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
    assert "cannot be read" in caplog.text and "fitting again" in caplog.text
    assert found.verdict == small_fit.verdict
    assert store.stored_fit("a", SPEC, never, tmp_path).verdict == small_fit.verdict


def test_a_corrupt_answer_is_made_anew_and_said_so(tmp_path, caplog):
    (tmp_path / f"a-{source_hash(LAWS)[:12]}.json").write_text('{"elpd": [1.0, ')
    with caplog.at_level(logging.WARNING):
        assert store.stored_answer("a", lambda: {"elpd": 1.0}, tmp_path, LAWS) == {"elpd": 1.0}
    assert "computed again" in caplog.text
    assert store.stored_answer("a", never, tmp_path, LAWS) == {"elpd": 1.0}


@pytest.mark.parametrize("content", ['{"a": 1}', "[]", '{"sha256": "0", "answer": "{}"}'])
def test_an_answer_that_is_not_what_was_written_is_made_anew(content, tmp_path, caplog):
    store.stored_answer("a", lambda: {"elpd": 1.0}, tmp_path, LAWS)
    (entry,) = tmp_path.iterdir()
    entry.write_text(content)
    assert store.stored_answer("a", lambda: {"elpd": 2.0}, tmp_path, LAWS) == {"elpd": 2.0}
    assert "it is not what was written" in caplog.text


def test_a_store_that_cannot_be_made_is_done_without(tmp_path, caplog, monkeypatch):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file" / "sub", tmp_path / ("n" * 300)):
        monkeypatch.setenv(store.FOLDER, str(folder))
        with store.folder_of(True) as temporary:
            assert temporary.is_dir()
        assert not temporary.exists()
    assert len(caplog.records) == 2 and "going on without" in caplog.text


def test_many_may_write_one_answer_at_once(tmp_path):
    content = {"values": list(range(20_000))}
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda _: store.stored_answer("a", lambda: content, tmp_path, LAWS), range(40))
        )
    assert all(each == content for each in found)
    assert [path.name for path in tmp_path.iterdir()] == [f"a-{source_hash(LAWS)[:12]}.json"]


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
        assert store.stored_answer("a", lambda: {"x": 1}, file / "sub", LAWS) == {"x": 1}
    assert "could not be stored" in caplog.text


JSON = store.Form(
    lambda answer: {"a.json": json.dumps(answer).encode()},
    lambda files: json.loads(files["a.json"]),
)


def test_an_answer_is_kept_under_what_it_depends_on(tmp_path, caplog):
    made = []

    def make():
        made.append(len(made))
        return {"value": len(made)}

    def kept(key):
        return store.kept("thing", key, make, tmp_path, LAWS, JSON)

    assert kept([1]) == kept([1]) == {"value": 1}
    assert kept([2]) == {"value": 2}
    (first, _) = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime)
    first.write_bytes(b"broken")
    assert kept([1]) == {"value": 3}
    assert "cannot be read" in caplog.text
    assert made == [0, 1, 2]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_an_answer_with_a_changed_byte_is_made_anew(place, tmp_path, caplog):
    content = {"values": list(range(3000))}
    store.kept("thing", [1], lambda: content, tmp_path, LAWS, JSON)
    (entry,) = tmp_path.iterdir()
    whole = bytearray(entry.read_bytes())
    whole[int(place * len(whole))] ^= 255
    entry.write_bytes(whole)
    assert store.kept("thing", [1], lambda: content, tmp_path, LAWS, JSON) == content


def test_nothing_of_the_package_can_unpickle():
    """A store may be shared: no file of it runs code when it is read."""
    able = re.compile(r"\b(?:\w*pickle|dill|shelve|marshal|joblib\.load|allow_pickle=True)\b")
    for path in HERE.rglob("*.py"):
        assert not able.search(path.read_text("utf-8")), path


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
    whole = store.hash_of("densing_bayes", *store.RESOURCES)
    assert whole == store.hash_of("densing_bayes", *store.RESOURCES)
    assert whole != store.hash_of(*store.RESOURCES)


# The source that stored answers rest on ----------------------------------------------------------


@pytest.fixture
def copy(tmp_path):
    """The package in a folder of its own, of which the source may be changed."""
    shutil.copytree(HERE, tmp_path / "package", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "package"


def copied(module, copy):
    return copy / Path(module.__file__).relative_to(HERE)


def append(path, line):
    path.write_text(f"{path.read_text('utf-8')}{line}\n", "utf-8")


@pytest.fixture
def key(copy):
    """Keys of the source of fits and of a small model, as it is in the copy."""
    names = (store.FITS, plotted.__name__)

    def read():
        source_hash.cache_clear()
        return [source_hash(name, folder=copy) for name in names]

    yield read
    source_hash.cache_clear()


def test_a_changed_equation_throws_fits_and_small_models_away(copy, key):
    before = key()
    append(copied(laws, copy), "CHANGED = True")
    assert all(new != old for new, old in zip(key(), before, strict=True))


def test_a_changed_sentence_keeps_them(copy, key):
    before = key()
    append(copied(sentences, copy), "CHANGED = True")
    assert key() == before


def test_what_only_a_type_checker_imports_keeps_them(copy, key):
    path = copied(laws, copy)
    append(path, f"if TYPE_CHECKING:\n    from {sentences.__name__} import count")
    before = key()
    append(copied(sentences, copy), "CHANGED = True")
    assert key() == before


def test_a_changed_line_in_a_folder_throws_them_away(copy, key):
    """Also where the import stands within a function, and in what the folder's modules import."""
    (copy / "attic" / "box").mkdir(parents=True)
    files = [copy / "attic" / name for name in ("__init__.py", "box/__init__.py", "box/law.py")]
    for file in files:
        file.write_text("")
    append(copied(laws, copy), "def new():\n    from densing_bayes.attic.box import law")
    before = key()
    for file in files:
        append(file, "CHANGED = True")
        after = key()
        assert all(new != old for new, old in zip(after, before, strict=True))
        before = after


def test_a_small_model_does_not_rest_on_the_joint_one():
    own = imported(plotted.__name__)
    assert store.FITS not in own
    assert imported(many.__name__).keys() - own.keys()


def test_the_source_of_no_module_is_an_error():
    with pytest.raises(ModuleNotFoundError, match=r"no module 'densing_bayes\.nothing'"):
        source_hash("densing_bayes.nothing")
