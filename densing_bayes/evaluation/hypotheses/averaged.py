"""The averaged answer that belongs beside a fit: where it is found, and how it is made.

What a fit says is conditional on its hypothesis. A comparison of hypotheses under the same model on
the same data says what holds on average over them; :func:`densing_bayes.compare` leaves it in the
store, ``compare --out`` in a file, and the package brings one for the built-in panels.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from densing_bayes.errors import DensingError
from densing_bayes.fitting.store import keep_answer, kept_answer, store_folder, versions
from densing_bayes.inputs.hypothesis import NONE
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.observations import Observations, with_changes
from densing_bayes.posterior.plain import plain
from densing_bayes.posterior.result import CI, Fit

if TYPE_CHECKING:
    from densing_bayes.evaluation.hypotheses.table import Comparison

KINDS = ("evidence", "stacking")  # of weights, the first that there is being the headline
IN_PACKAGE = "averaged.json"  # of densing_bayes.data, written by analyses/averaged.py
MAKER = "densing_bayes.evaluation.hypotheses.comparison"  # averages rest on its source


def identity(spec: ModelSpec, observed: Observations) -> dict[str, str]:
    """Hashes of what all hypotheses of a comparison share: model without changes, and data."""
    bare = spec.under(NONE)
    return {"spec_hash": bare.hash, "data_hash": with_changes(observed, bare).hash()}


def averaged_document(comparison: Comparison, ci: float = CI) -> dict[str, Any]:
    """Averaged answers of a comparison, with what they belong to.

    Returns
    -------
    dict
        ``spec_hash`` and ``data_hash`` as of :func:`identity`; ``source`` and ``created``;
        ``hypotheses``, those compared; ``evidence`` and ``stacking`` as of
        :func:`.average_summary`, those that can be had.
    """
    from densing_bayes.evaluation.hypotheses.averaging import average_summary

    head: dict[str, Any] = dict(identity(comparison.spec, comparison.observed))
    head["source"] = "made now"
    head["created"] = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    head["hypotheses"] = list(comparison.fits)
    content: dict[str, Any] = plain(head | average_summary(comparison, ci))
    return content


def keep_averaged(comparison: Comparison, folder: Path | None = None) -> None:
    """Leave the averaged answers of a comparison in the store, if more than one has a weight."""
    document = averaged_document(comparison)
    if any(len(document[kind]["weights"]) > 1 for kind in KINDS if kind in document):
        names = hashlib.sha256(json.dumps(sorted(document["hypotheses"])).encode()).hexdigest()[:8]
        name = f"{_entry(document)}-{names}.json"
        keep_answer((folder or store_folder()) / name, document)


def _entry(key: dict[str, Any]) -> str:
    """First part of the name of an entry: nothing in the store is of another source."""
    content = json.dumps([key["spec_hash"], key["data_hash"], versions(MAKER)], sort_keys=True)
    return f"averaged-{hashlib.sha256(content.encode()).hexdigest()[:24]}"


def averaged_of(
    fit: Fit, comparison: str | os.PathLike[str] | Comparison | None = None, ci: float = CI
) -> dict[str, Any] | None:
    """The averaged answer that belongs beside a fit.

    Parameters
    ----------
    fit
        A fit.
    comparison
        A comparison, or the ``comparison.json`` of one. By default the one of the store that has
        the most hypotheses, or else the one that the package brings, if model and data are those
        of the fit.
    ci
        Probability of the intervals, of a comparison that is given; those that were written down
        before have their own.

    Returns
    -------
    dict or None
        As of :func:`averaged_document`, with ``source`` saying where it was found and ``kind`` the
        weights of the headline; None if there is none, or no hypothesis of the comparison passed.

    Raises
    ------
    DensingError
        If a comparison that was given is of another model or other data, or its file has none.
    """
    own = identity(fit.spec, fit.observed)
    if comparison is None:
        found = _stored(own) or [each for each in in_package() if _same(each, own)]
    elif isinstance(comparison, str | os.PathLike):
        found = [_of_file(Path(comparison))]
        _check(found[0], own, str(comparison))
    else:
        found = [averaged_document(comparison, ci)]
        _check(found[0], own, "the comparison")
    found = [each for each in found if _kinds(each) and _of_one_stretch(each)]
    if not found:
        return None
    best = max(found, key=lambda each: (len(each["hypotheses"]), each["created"]))
    return best | {"kind": _kinds(best)[0]}


def _kinds(document: dict[str, Any]) -> list[str]:
    return [kind for kind in KINDS if kind in document]


def _of_one_stretch(document: dict[str, Any]) -> bool:
    """Whether averages are of one stretch of time, as they were not in the version before."""
    return all("since" in document[kind] for kind in _kinds(document))


def _same(document: dict[str, Any], own: dict[str, str]) -> bool:
    return all(document.get(name) == value for name, value in own.items())


def _check(document: dict[str, Any], own: dict[str, str], where: str) -> None:
    """Refuse averages of another model or of other data."""
    for name, what in (("spec_hash", "model"), ("data_hash", "data")):
        if document.get(name) != own[name]:
            raise DensingError(
                f"{where} is of another {what} than the fit ({name} {document.get(name)}, that of "
                f"the fit is {own[name]}): compare hypotheses under the specification of the fit, "
                f"on its panel"
            )


def _of_file(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DensingError(
            f"{path}: cannot be read ({error.strerror}); give the comparison.json that "
            f"'densing-bayes compare --out' writes"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DensingError(
            f"{path}: not valid JSON ({error}); give the comparison.json that 'densing-bayes "
            f"compare --out' writes"
        ) from error
    found = content.get("averaged") if isinstance(content, dict) else None
    if not isinstance(found, dict) or "spec_hash" not in found or not _of_one_stretch(found):
        raise DensingError(
            f"{path}: no averages of a comparison in it; give the comparison.json that "
            f"'densing-bayes compare --out' of this version writes"
        )
    return found | {"source": f"file {path.name}"}


def _stored(own: dict[str, str]) -> list[dict[str, Any]]:
    """All that the store has of a model and data; what cannot be read is passed over."""
    entries = map(kept_answer, sorted(store_folder().glob(f"{_entry(own)}-*.json")))
    return [each | {"source": "store"} for each in entries if each is not None]


def in_package() -> list[dict[str, Any]]:
    """Answers that come with the package."""
    text = files("densing_bayes.data").joinpath(IN_PACKAGE).read_text(encoding="utf-8")
    return [each | {"source": "package"} for each in json.loads(text)]
