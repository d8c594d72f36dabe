"""What a comparison finds out about each hypothesis: criteria of its fit, and refits.

The functions that :func:`.run` calls work on hypotheses of one structure, which
one compilation serves, and keep every answer in the store.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from densing_bayes.evaluation import leave_out, prior_sensitivity
from densing_bayes.fitting.compiled import structure, with_room
from densing_bayes.fitting.evidence import log_evidence, target
from densing_bayes.fitting.many import Request, Terms, fitter, name_of, run
from densing_bayes.fitting.store import stored_answer
from densing_bayes.inputs.specification import ModelSpec
from densing_bayes.observed.observations import with_changes
from densing_bayes.posterior.result import Fit
from densing_bayes.quantities.growth import growth

DRAWS = 1000  # posterior draws that the criteria use
# Of refits to a part of the data, whose tails reach further: as many leapfrog steps as at 0.95,
# mostly, and no divergent transitions where that left some.
REFIT_ACCEPT = 0.97
SECOND_TRY = ("draws", "target_accept")  # settings that tell one from the first


def by_structure(specs: dict[str, ModelSpec]) -> list[list[str]]:
    """Names of what one compilation serves, the longest work first.

    Those with most changes come first among their like: the pilot of one serves those with fewer.
    """
    groups: dict[str, list[str]] = {}

    def parameters(name: str) -> int:
        return sum(change.slope + change.level for change in specs[name].trend.changes)

    for name in sorted(specs, key=parameters, reverse=True):
        groups.setdefault(structure(with_room(specs[name])), []).append(name)

    def work(names: list[str]) -> int:
        undated = bool(specs[names[0]].trend.undated)
        return len(names) + 2 * undated  # doubled windows, and dates that mix slowly

    return sorted(groups.values(), key=work, reverse=True)


def examined(requests: list[Request], terms: Terms, twice: bool) -> list[dict[str, Any]]:
    """Fit hypotheses of one structure, and find out what the comparison says of each.

    Where a hypothesis needed a second try, its variants get one only with ``twice``.
    """
    fit = fitter(terms)
    answers = []
    for request in requests:
        name, examine = name_of(request, terms), partial(_examine, fit, request, terms)
        answer = stored_answer(f"{name}-criteria", examine, terms.folder, __name__)
        refitted = partial(
            _refitted, fit, terms, answer["evidence"], again=twice or not answer["again"]
        )
        if request.spec.trend.undated:
            answer["window"] = _windows(fit, request, terms, refitted)
        for factor, found in answer["scale"].items():
            if found["k"] > leave_out.K_LIMIT:
                spec = prior_sensitivity.with_scaled_priors(request.spec, float(factor))
                found |= refitted(Request(spec, request.observed))
        answers.append(answer)
    return answers


def _examine(make: Callable[..., Fit], request: Request, terms: Terms) -> dict[str, Any]:
    fit = make(request)
    found, density = leave_out.leave_one_out(fit, DRAWS)
    shared = target(fit)
    evidence = log_evidence(shared.log_density, shared.draws)
    return found | {
        "again": request.fit is None
        and any(fit.provenance["sampler"][key] != terms.settings[key] for key in SECOND_TRY),
        "evidence": evidence._asdict(),
        "scale": {
            str(factor): prior_sensitivity.rescaled(fit, factor)
            for factor in prior_sensitivity.FACTORS
            if prior_sensitivity.change_priors(fit.spec)
        },
        "power": prior_sensitivity.power_scaling(fit, density, DRAWS),
    }


def _windows(
    make: Callable[..., Fit],
    request: Request,
    terms: Terms,
    refitted: Callable[[Request], dict[str, Any]],
) -> dict[str, Any]:
    """Evidence and growth change under halved and doubled windows of the dates."""
    halved = stored_answer(
        f"{name_of(request, terms)}-halved",
        lambda: prior_sensitivity.halved_windows(make(request)),
        terms.folder,
        __name__,
    )
    wide = prior_sensitivity.with_doubled_windows(request.spec)
    doubled = Request(wide, with_changes(request.observed, wide))
    return {"0.5": halved, "2.0": refitted(doubled)}


def _refitted(
    make: Callable[..., Fit],
    terms: Terms,
    own: dict[str, Any],
    request: Request,
    *,
    again: bool,
) -> dict[str, Any]:
    """Evidence against a hypothesis's own, and growth change, from a fit of a variant."""
    found = stored_answer(
        f"{name_of(request, terms)}-refitted-{'twice' if again else 'once'}",
        lambda: _evidence_and_change(make(request, again=again)),
        terms.folder,
        __name__,
    )
    if found["verdict"] != "PASS":
        return {"log_ratio": None, "error": None, "change": None, "k": None}
    return found | {
        "log_ratio": found["value"] - own["value"],
        "error": float(np.hypot(found["error"], own["error"])),
        "k": None,
    }


def _evidence_and_change(fit: Fit) -> dict[str, Any]:
    shared = target(fit)
    change = np.ravel(growth(fit)["change"])
    summary = prior_sensitivity.weighted_summary(change, np.ones(change.size))
    return log_evidence(shared.log_density, shared.draws)._asdict() | {
        "change": summary,
        "verdict": fit.verdict,
    }


def leave_out_exactly(
    requests: dict[str, Request], answers: dict[str, Any], terms: Terms, how: dict[str, Any]
) -> None:
    """Replace the leave-one-out densities that importance sampling cannot give by refits."""
    wanted = {
        name: np.flatnonzero(np.array(answer["release"]["k"]) > leave_out.K_LIMIT).tolist()
        for name, answer in answers.items()
    }
    groups = by_structure({name: requests[name].spec for name in wanted if wanted[name]})
    arguments = [
        ([requests[n] for n in names], [wanted[n] for n in names], terms) for names in groups
    ]
    found = run("exact refits", _densities_without, arguments, **how)
    for name, densities in zip(itertools.chain(*groups), itertools.chain(*found), strict=True):
        own = answers[name]["release"]
        own["exact"] = [release for release, density in densities.items() if density is not None]
        for release in own["exact"]:
            own["elpd"][release] = densities[release]


def careful(terms: Terms) -> Terms:
    """The terms of refits to a part of the data."""
    return terms._replace(settings=terms.settings | {"target_accept": REFIT_ACCEPT})


def _densities_without(
    requests: list[Request], wanted: list[list[int]], terms: Terms
) -> list[dict[int, float | None]]:
    """Density of each wanted release under a fit that has not seen it, by hypothesis.

    None where that fit did not pass.
    """
    whole, fit = fitter(terms), fitter(careful(terms), keep=False)

    def density(request: Request, release: int) -> float | None:
        reduced = request._replace(fit=None, seen=request.observed.system_release != release)

        def answer() -> dict[str, Any]:
            refit = fit(reduced, after=whole(request))
            elpd = leave_out.density_of_release(refit, request.observed, release)
            return {"elpd": elpd, "verdict": refit.verdict}

        found = stored_answer(f"{name_of(reduced, terms)}-left-out", answer, terms.folder, __name__)
        return float(found["elpd"]) if found["verdict"] == "PASS" else None

    return [
        {release: density(request, release) for release in releases}
        for request, releases in zip(requests, wanted, strict=True)
    ]


def forecast_table(requests: dict[str, Request], terms: Terms, how: dict[str, Any]) -> pd.DataFrame:
    """Scores of the half years after five cuts, by hypothesis and cut."""
    groups = by_structure({name: request.spec for name, request in requests.items()})
    cuts = leave_out.cuts_of(next(iter(requests.values())).observed)
    arguments = [([requests[name] for name in names], cuts, terms) for names in groups]
    found = run("forecasts", _scores_after, arguments, **how)
    return pd.DataFrame(
        {"hypothesis": name} | scores
        for name, own in zip(itertools.chain(*groups), itertools.chain(*found), strict=True)
        for scores in own
    )


def _scores_after(
    requests: list[Request], cuts: list[dt.date], terms: Terms
) -> list[list[dict[str, Any]]]:
    """Scores of the half year after each cut, by hypothesis."""
    make = fitter(careful(terms), keep=False)

    def scores(request: Request, cut: dt.date) -> dict[str, Any]:
        seen = leave_out.released_before(request.observed, cut)
        reduced = request._replace(fit=None, seen=seen)

        def answer() -> dict[str, Any]:
            fit = make(reduced)
            found = leave_out.forecast_scores(fit, request.observed, cut)
            return found | {"verdict": fit.verdict, "reasons": fit.diagnostics["reasons"]}

        return stored_answer(
            f"{name_of(reduced, terms)}-{cut}-forecast", answer, terms.folder, __name__
        )

    # Cut by cut: the fit of one hypothesis is a start for the next.
    by_cut = [[scores(request, cut) for request in requests] for cut in cuts]
    return [list(own) for own in zip(*by_cut, strict=True)]
