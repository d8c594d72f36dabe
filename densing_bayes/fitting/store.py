"""A store of finished fits, addressed by what went into them.

An entry is named by a hash of specification, data, settings, versions of libraries and the source
of the modules that it comes from, so nothing in it can be out of date. Entries appear whole or not
at all: two processes may write the same one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import logging
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from platformdirs import user_cache_path

from densing_bayes.errors import DensingError, FileFormatError, FitError
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.observations import Observations
from densing_bayes.posterior.result import Fit
from densing_bayes.source import LIBRARIES, source_hash
from densing_bayes.writing import write_file

log = logging.getLogger(__name__)

FOLDER = "DENSING_BAYES_CACHE"  # environment variable that moves the store
FITS = "densing_bayes.fitting.many"  # the module that makes the fits of the store
RESOURCES = ("densing_bayes.models", "densing_bayes.data")


def store_folder() -> Path:
    """Folder of the store: of the environment variable DENSING_BAYES_CACHE, or the user's cache."""
    return Path(os.environ.get(FOLDER) or user_cache_path("densing_bayes"))


@contextmanager
def folder_of(store: bool | str | os.PathLike[str]) -> Iterator[Path]:
    """The folder of the store: a temporary one if nothing is to be kept, or the usual one fails.

    Raises
    ------
    DensingError
        If a folder that was asked for by name cannot be made.
    """
    if store is False:
        with tempfile.TemporaryDirectory() as path:
            yield Path(path)
        return
    folder = store_folder() if store is True else Path(store)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if store is not True:
            raise DensingError(
                f"cannot make the store {folder} ({error.strerror}): name another folder, or "
                f"store=False to keep nothing"
            ) from error
        log.warning(
            "cannot keep fits in %s (%s): going on without; name another folder in %s",
            folder,
            error.strerror,
            FOLDER,
        )
        with tempfile.TemporaryDirectory() as path:
            yield Path(path)
        return
    yield folder


def address(spec: ModelSpec, observed: Observations, settings: dict[str, Any]) -> str:
    """Name of the entry of a fit; settings hold what else it depends on, with :func:`versions`."""
    content = {"spec": spec.hash, "data": observed.hash(), "settings": settings}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def stored_fit(name: str, spec: ModelSpec, make: Callable[[], Fit], folder: Path) -> Fit:
    """The fit of an entry, or else a new one that becomes the entry.

    Parameters
    ----------
    name
        Of :func:`address`.
    spec
        Of the fit, whose name and description an entry need not share.
    make
        Makes the fit.
    folder
        Of the store.
    """
    path = folder / f"{name}.nc"
    if path.exists():
        try:
            fit = Fit.load(path)
            return dataclasses.replace(fit, spec=spec)
        except (FileFormatError, OSError) as error:
            log.warning("the stored fit %s cannot be read (%s): fitting again", path, error)
    fit = make()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fit.save(path)
    except (FitError, OSError) as error:
        log.warning("the fit could not be stored in %s (%s)", folder, error)
    return fit


def stored_answer(
    name: str, make: Callable[[], dict[str, Any]], folder: Path, module: str
) -> dict[str, Any]:
    """What was found out about a fit, as JSON beside it: read, or else made and kept.

    Parameters
    ----------
    name
        Of the entry; the source of the module is added.
    make
        Makes the answer.
    folder
        Of the store.
    module
        Name of the module of this package that finds out.
    """
    path = folder / f"{name}-{source_hash(module)[:12]}.json"
    found = kept_answer(path)
    if found is None:
        found = make()
        keep_answer(path, found)
    return found


def kept_answer(path: Path) -> dict[str, Any] | None:
    """The answer of an entry; None, and said so, where there is none or not what was written."""
    if not path.exists():
        return None
    try:
        return _unsealed(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        log.warning("the stored answer %s cannot be read (%s): computed again", path, error)
        return None


def keep_answer(path: Path, answer: dict[str, Any]) -> None:
    """Write an answer as an entry; where that fails, it is said, and nothing is lost but that."""
    try:
        write_file(path, _sealed(answer).encode())
    except OSError as error:
        log.warning("the answer could not be stored in %s (%s)", path.parent, error)


def _sealed(answer: dict[str, Any]) -> str:
    """An answer as JSON, with the hash by which it is known to be what was written."""
    text = json.dumps(answer)
    return json.dumps({"sha256": _sha256(text), "answer": text})


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _unsealed(content: str) -> dict[str, Any]:
    sealed = json.loads(content)
    text = sealed.get("answer") if isinstance(sealed, dict) else None
    if not isinstance(text, str) or sealed.get("sha256") != _sha256(text):
        raise ValueError("it is not what was written")
    answer: dict[str, Any] = json.loads(text)
    return answer


class Form[Answer](NamedTuple):
    """How an answer becomes files by name, and is made from them again. Nothing is unpickled."""

    pack: Callable[[Answer], dict[str, bytes]]
    unpack: Callable[[dict[str, bytes]], Answer]


def kept[Answer](
    what: str,
    key: Any,
    make: Callable[[], Answer],
    folder: Path,
    module: str,
    form: Form[Answer],
) -> Answer:
    """An answer of the store: read, or else made and kept, as a zip of files.

    Parameters
    ----------
    what
        First part of its name.
    key
        What it depends on besides the source, specifications and tables of the package, as JSON.
    make
        Makes the answer.
    folder
        Of the store.
    module
        Name of the module of this package that makes it.
    form
        How it is files.

    Returns
    -------
    Answer
        As it is read from its files, also when it has just been made.
    """
    content = json.dumps([key, versions(module), hash_of(*RESOURCES)], sort_keys=True)

    def packed() -> dict[str, bytes]:
        return form.pack(make())

    return form.unpack(_archived(what, content, packed, folder))


def kept_files(
    what: str, key: Any, make: Callable[[], dict[str, bytes]], folder: Path
) -> dict[str, bytes]:
    """Files by name, such as those of a report: read from the store, or else made and kept.

    Parameters
    ----------
    what
        First part of the name of the entry.
    key
        What they depend on besides the package and its data, as JSON.
    make
        Makes the contents of the files.
    folder
        Of the store.
    """
    content = json.dumps([key, libraries(), hash_of("densing_bayes", *RESOURCES)], sort_keys=True)
    return _archived(what, content, make, folder)


def _archived(
    what: str, content: str, make: Callable[[], dict[str, bytes]], folder: Path
) -> dict[str, bytes]:
    """Files of the entry that is named after some content; a zip knows damage by its checksums."""
    path = folder / f"{what}-{_sha256(content)[:32]}.zip"
    if path.exists():
        try:
            with zipfile.ZipFile(path) as archive:
                return {name: archive.read(name) for name in archive.namelist()}
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            log.warning("the stored %s cannot be read (%s): computed again", path, error)
    made = make()
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in made.items():
            archive.writestr(name, contents)
    try:
        write_file(path, whole.getvalue())
    except OSError as error:
        log.warning("%s could not be stored in %s (%s)", what, folder, error)
    return made


def hash_of(*packages: str) -> str:
    """Hash of every file of some packages and their folders."""
    content = hashlib.sha256()
    waiting = [files(package) for package in packages]
    while waiting:
        place = waiting.pop()
        for item in sorted(place.iterdir(), key=lambda item: item.name):
            if item.is_dir():
                if item.name != "__pycache__":
                    waiting.append(item)
            elif not item.name.endswith(".pyc"):
                content.update(item.name.encode() + item.read_bytes())
    return content.hexdigest()


def libraries() -> dict[str, str]:
    """Versions of the libraries that numbers come from; of this package its source stands."""
    return {name: version(name) for name in LIBRARIES}


def versions(module: str = FITS) -> dict[str, str]:
    """Versions of libraries, and a hash of the source of a module with all that it imports."""
    return libraries() | {"source": source_hash(module)}
