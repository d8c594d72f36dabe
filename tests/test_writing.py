"""Files appear whole or not at all."""

import os
import resource

import pytest

from densing_bayes import writing
from densing_bayes.inputs.panel import export_panel


@pytest.fixture
def full_disk():
    """No file may grow beyond some bytes, which fails as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_all_files_are_written_or_none(tmp_path, full_disk):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(OSError, match="too large"):
        writing.write_files(tmp_path, {"a": b"new", "b": b"x" * 5000})
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_an_export_that_failed_can_be_repeated(tmp_path, request):
    request.getfixturevalue("full_disk")
    with pytest.raises(OSError, match="too large"):
        export_panel("open", tmp_path / "own")
    assert not (tmp_path / "own").exists()
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    export_panel("open", tmp_path / "own")


def test_links_are_followed_and_other_things_are_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("file")
    writing.write_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(OSError, match="it is"):
            writing.write_file(tmp_path / name, b"new")
    with pytest.raises(OSError, match="not a plain file"):
        writing.write_file(tmp_path.joinpath("/dev/full"), b"new")
    assert len(list(tmp_path.iterdir())) == 4


def test_the_longest_name_can_be_written(tmp_path):
    name = "n" * 255
    assert writing.write_file(tmp_path / name, b"content").read_bytes() == b"content"
