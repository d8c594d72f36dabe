"""Files that appear whole or not at all: written beside, then moved."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path


def write_file(path: Path, content: bytes) -> Path:
    """Write one file; as of :func:`write_files`."""
    return write_files(path.parent, {path.name: content})[0]


def write_files(folder: Path, files: dict[str, bytes]) -> list[Path]:
    """Write the files of a folder, by name: all are written beside before the first is moved.

    What stands under a name is replaced; a link is followed, so that what it points to is
    replaced. Files are readable as the user's umask has it.

    Raises
    ------
    OSError
        If the folder cannot be made or written to, the disk is full, or a name is that of a
        device, a pipe or a folder. Nothing is left of what was begun.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    waiting: list[tuple[str, Path]] = []
    try:
        for name, content in files.items():
            target = _plain_file(folder / name)
            # A short name of its own: that of the file may be as long as names can be.
            handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new-", suffix=".part")
            waiting.append((temporary, target))
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o666 & ~_umask())
        while waiting:
            os.replace(*waiting[0])
            waiting.pop(0)
    finally:
        for temporary, _ in waiting:
            Path(temporary).unlink(missing_ok=True)
        if made and not any(folder.iterdir()):
            folder.rmdir()
    return [folder / name for name in files]


def _plain_file(path: Path) -> Path:
    """Where a path leads, which must be a plain file or nothing yet."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "it is not a plain file", str(path))
    return target


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
