"""Growth over a range of D0, the tokens of the reference models that density is relative to.

D0 is a part of the definition of density, on which growth depends. Where no one choice is to be
made, the posteriors of several are mixed in equal parts, by the rule of docs/reference-tokens.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from densing_bayes.errors import DensingError
from densing_bayes.evaluation.hypotheses.mixtures import (
    Quantity,
    drawn_once,
    mixture,
    mixture_summary,
)
from densing_bayes.fitting.settings import SEED, STANDARD
from densing_bayes.fitting.store import (
    folder_of,
    keep_answer,
    kept_answer,
    store_folder,
    versions,
)
from densing_bayes.inputs.default import DEFAULT
from densing_bayes.inputs.panel import Panel, as_panel
from densing_bayes.inputs.specification import ModelSpec, as_spec
from densing_bayes.observed.observations import Observations, observe
from densing_bayes.posterior.estimates import estimate
from densing_bayes.posterior.plain import plain
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.progress import Steps
from densing_bayes.quantities.growth import growth

LOWEST, HIGHEST = 1e12, 15e12  # tokens
PARTS = 5  # of the range, equal on the logarithmic scale
IN_PACKAGE = "token_range.json"  # of densing_bayes.data, written by analyses/reference_tokens.py


class TokenRange(NamedTuple):
    """Fits of one model at several D0 in a range. Made by :func:`over_tokens`."""

    low: float
    high: float
    fits: dict[float, Fit]  # by D0


def middles(low: float = LOWEST, high: float = HIGHEST, parts: int = PARTS) -> list[float]:
    """Middles of the parts of a range of tokens that are equal on the logarithmic scale.

    Raises
    ------
    DensingError
        If it is no range, or there are no parts.
    """
    if not 1e6 <= low < high < np.inf or parts < 1:
        raise DensingError(
            f"{low:g} to {high:g} tokens in {parts} parts is no range of D0: give low < high, both "
            f"from 1e6 on, and at least one part"
        )
    share = (np.arange(parts) + 0.5) / parts
    return [float(f"{low * (high / low) ** each:.3g}") for each in share]


def over_tokens(
    spec: ModelSpec | str | os.PathLike[str] = DEFAULT,
    panel: Panel | str | os.PathLike[str] | None = None,
    *,
    low: float = LOWEST,
    high: float = HIGHEST,
    parts: int = PARTS,
    draws: int = 1000,
    seed: int = SEED,
    progress: bool | None = None,
) -> TokenRange:
    """Fit a model at several D0, for :func:`average_over_tokens`. Fits are kept in the store.

    Parameters
    ----------
    spec
        The model, or its name or path; whatever its own D0.
    panel
        A panel, or its name or folder; by default the specification's own.
    low, high
        Ends of the range, in tokens.
    parts
        How many fits: one at the middle of each part.
    draws, seed
        Of each fit. One that does not converge is tried once more.
    progress
        Say what has been done; by default on a terminal only.

    Raises
    ------
    DensingError
        If that is no range, settings or panel are not usable, or there are no reference runs.
    """
    from densing_bayes.fitting.fit import check_settings
    from densing_bayes.fitting.many import Request, Terms, fitter

    settings = STANDARD | {"draws": draws, "seed": seed}
    check_settings(draws, settings["tune"], settings["chains"], seed)
    tokens = middles(low, high, parts)
    spec = as_spec(spec)
    if spec.without_runs:
        raise DensingError(
            f"specification '{spec.name}' has no reference runs, whose tokens D0 are: its density "
            f"is relative to the line of the systems, and does not depend on D0"
        )
    panel = as_panel(panel, spec.panel.source)
    shown = sys.stderr.isatty() if progress is None else progress
    labels = {each: f"fit at D0 = {each:.2g}" for each in tokens}
    steps = Steps(dict.fromkeys(labels.values(), 1.0)) if shown else None
    fits = {}
    with folder_of(True) as folder, steps or nullcontext():
        cores = min(settings["chains"], os.cpu_count() or 1)
        fit = fitter(Terms(settings, versions(), panel.identity, folder, cores))
        for each in tokens:
            own = spec.replace(panel__reference_tokens=each)
            with steps.step(labels[each]) if steps else nullcontext():
                fits[each] = fit(Request(own, observe(panel, own)))
    return TokenRange(low, high, fits)


def average_over_tokens(found: TokenRange, quantity: str | Quantity) -> xr.DataArray:
    """Draws of a quantity from the equal mixture of the posteriors at several D0.

    Parameters
    ----------
    found
        Of :func:`over_tokens`.
    quantity
        As of :func:`.mixture`.

    Returns
    -------
    xarray.DataArray
        Dims (chain, draw), one chain; the coordinate ``reference_tokens`` says whence each draw is.

    Raises
    ------
    DensingError
        If a fit has not passed, or there is no such quantity.
    """
    return mixture(found.fits, _weights(found), quantity, "reference_tokens")


def _weights(found: TokenRange) -> pd.Series:
    failed = [
        f"{each:g} ({fit.verdict})" for each, fit in found.fits.items() if fit.verdict != "PASS"
    ]
    if failed:
        raise DensingError(
            f"not all fits of the range of D0 have passed: at {', '.join(failed)} tokens; fit with "
            f"more draws"
        )
    return pd.Series(1.0 / len(found.fits), index=list(found.fits))


# The answer that belongs beside a fit -------------------------------------------------------------


def identity(spec: ModelSpec, observed: Observations) -> dict[str, str]:
    """Hashes of what fits at all D0 share: model and data."""
    return {
        "spec_hash": spec.replace(panel__reference_tokens=LOWEST).hash,
        "data_hash": replace(observed, log_reference_tokens=0.0).hash(),
    }


def token_document(found: TokenRange, ci: float = CI) -> dict[str, Any]:
    """Answers over a range of D0, with what they belong to.

    Returns
    -------
    dict
        ``spec_hash`` and ``data_hash`` as of :func:`identity`, ``source``, ``created``, ``low`` and
        ``high`` (tokens); what :func:`.mixture_summary` gives; ``at``, for each D0 its
        ``reference_tokens`` and an estimate ``growth_after``.

    Raises
    ------
    DensingError
        If a fit has not passed.
    """
    first = next(iter(found.fits.values()))
    head = identity(first.spec, first.observed) | {
        "source": "made now",
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "low": found.low,
        "high": found.high,
    }
    at = [
        {"reference_tokens": each, "growth_after": estimate(growth(fit)["after"], "1/day", ci)}
        for each, fit in found.fits.items()
    ]
    mixed = mixture_summary(drawn_once(found.fits), _weights(found), "reference_tokens", ci)
    content: dict[str, Any] = plain(head | mixed | {"at": at})
    return content


def make_over_tokens(
    fit: Fit, panel: Panel, ci: float = CI, *, progress: bool | None = None
) -> dict[str, Any]:
    """Fit the model of a fit at several D0, and keep the answer for :func:`over_tokens_of`.

    Parameters and result as of :func:`token_document`, from the tables that the fit has seen.
    """
    draws = int(fit.provenance.get("sampler", {}).get("draws", 0))
    found = over_tokens(fit.spec, panel, draws=max(1000, draws), progress=progress)
    keep_answer(_entry(fit), token_document(found))
    return token_document(found, ci)


def over_tokens_of(fit: Fit) -> dict[str, Any] | None:
    """The answer over a range of D0 that belongs beside a fit.

    Returns
    -------
    dict or None
        As of :func:`token_document`, with ``source`` saying where it was found: the store, or what
        the package brings, of the same model and data. None if there is none.
    """
    found = kept_answer(_entry(fit))
    if found is not None:
        return found | {"source": "store"}
    own = identity(fit.spec, fit.observed)
    for each in in_package():
        if all(each.get(name) == value for name, value in own.items()):
            return each
    return None


def _entry(fit: Fit) -> Path:
    """Where the store has the answer about a model and data: nothing in it is of another source."""
    key = identity(fit.spec, fit.observed) | versions(__name__)
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]
    return store_folder() / f"tokens-{name}.json"


def in_package() -> list[dict[str, Any]]:
    """Answers that come with the package."""
    text = files("densing_bayes.data").joinpath(IN_PACKAGE).read_text(encoding="utf-8")
    return [each | {"source": "package"} for each in json.loads(text)]
