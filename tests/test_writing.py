"""Files appear whole or not at all."""

import os
import stat

import pytest

from densing_bayes.writing import replacing, write_whole


def test_a_file_is_replaced_when_the_block_ends(tmp_path):
    path = write_whole(tmp_path / "answer.json", b"before")
    with replacing(path) as beside:
        beside.write_bytes(b"after")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"
    assert os.listdir(tmp_path) == ["answer.json"]


def interrupted(path, kind):
    with replacing(path) as beside:
        beside.write_bytes(b"aft")
        raise kind


@pytest.mark.parametrize("kind", [OSError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_the_file_as_it_was(tmp_path, kind):
    path = write_whole(tmp_path / "answer.json", b"before")
    with pytest.raises(kind):
        interrupted(path, kind)
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["answer.json"]


def test_a_file_is_readable_as_the_umask_has_it(tmp_path):
    before = os.umask(0o027)
    try:
        path = write_whole(tmp_path / "answer.json", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
