"""What a careful person would look up in tables that are valid: likely slips, and no errors.

Rules were written down before any table was looked at. A measurement is named if it lies further
from what explains it than one of the normal residuals of its table would with probability 0.01
(:mod:`.outliers`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations, product
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from scipy.special import logit

from densing_bayes.evaluation.outliers import NORMAL, far_limit, robust_distance
from densing_bayes.inputs.dates import date_of, years_since_origin
from densing_bayes.inputs.panel import Panel
from densing_bayes.inputs.tables.schema import TABLES
from densing_bayes.joint import laws
from densing_bayes.observed.arrays import Floats
from densing_bayes.observed.observations import Observations

ALIKE: Final = 0.9  # share of letters in common from which two names are alike
SAME_SIZE: Final = 0.01  # relative difference of sizes that rounding explains
FEWEST: Final = 12  # measurements from which one can be told from the others
LEAST_SPREAD: Final = 0.1  # of logits: scores of one system repeat to about that
LEAST_NOISE: Final = 0.002  # of log loss
EDGE: Final = 0.02  # shares nearer to the floor or ceiling say little more
SHOWN: Final = 5  # names in one line


@dataclass(frozen=True)
class Suspicion:
    """Something that may be a slip.

    Attributes
    ----------
    kind
        One of :data:`KINDS`.
    file, names
        Where: the table, and the keys of the rows.
    text
        What is odd, and what to look up.
    """

    kind: str
    file: str
    names: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.file}, {_some(self.names)}: {self.text}"


class Cells(NamedTuple):
    """Scores with what may explain them; arrays over scores, systems by number."""

    label: list[str]
    group: np.ndarray  # benchmark and protocol
    system: np.ndarray
    share: Floats  # of what guessing leaves
    error: Floats  # of the share, by the number of items
    log_params: Floats
    time: Floats


class Losses(NamedTuple):
    """Losses of finished runs; arrays over losses."""

    label: list[str]
    group: np.ndarray  # benchmark and family
    params: Floats
    tokens: Floats
    loss: Floats


def suspicions(panel: Panel, kinds: Collection[str] | None = None) -> list[Suspicion]:
    """What is worth a look in the tables of a panel; some seconds.

    Parameters
    ----------
    panel
        A valid panel.
    kinds
        Of :data:`KINDS`; all by default.

    Returns
    -------
    list of Suspicion
        Systems under like names, keys that differ by case, space or Unicode form, scores that
        neighbours of the same size and date and the system's other scores do not explain, losses
        that do not fit params and tokens of their runs, and dates that are only bounds.
    """
    return [
        one
        for kind, found in KINDS.items()
        if kinds is None or kind in kinds
        for one in found(panel)
    ]


def suspicions_of(observed: Observations) -> list[Suspicion]:
    """The same of what a fit has seen: like names, scores and losses."""
    organisation = np.array(observed.organisations)[observed.system_organisation]
    sizes = np.exp(observed.log_params)
    chance = observed.chance[observed.cell_benchmark]
    cells = Cells(
        list(observed.cell_label),
        observed.cell_benchmark,
        observed.cell_system,
        (observed.score - chance) / (1.0 - chance),
        _error(observed.score, observed.cell_items) / (1.0 - chance),
        observed.log_params[observed.cell_system],
        observed.time[observed.cell_system],
    )
    losses = Losses(
        list(observed.loss_label),
        observed.loss_benchmark,
        np.exp(observed.loss_log_params) * observed.centre_params,
        np.exp(observed.loss_log_tokens) * observed.centre_tokens,
        observed.loss,
    )
    return [
        *_like_names(list(observed.systems), organisation, observed.time, sizes),
        *_odd_scores(cells),
        *_odd_losses(losses),
    ]


def _names_of(panel: Panel) -> Iterator[Suspicion]:
    systems = panel.systems
    named = systems["organisation"].to_numpy(str)
    sizes = systems["params_total"].to_numpy(float)
    return _like_names(list(map(str, systems.index)), named, _times(systems), sizes)


def _times(systems: pd.DataFrame) -> Floats:
    return np.array([years_since_origin(day) for day in systems["release_date"]])


def _like_names(
    names: list[str], organisation: np.ndarray, time: Floats, sizes: Floats
) -> Iterator[Suspicion]:
    """Systems of one organisation, date and size whose names are alike."""
    where = pd.DataFrame({"organisation": organisation, "time": time})
    for _, rows in where.groupby(["organisation", "time"], sort=False).indices.items():
        for i, j in combinations(rows, 2):
            if abs(np.log(sizes[i] / sizes[j])) < SAME_SIZE and _alike(names[i], names[j]):
                yield Suspicion(
                    "like names",
                    "systems.csv",
                    (names[i], names[j]),
                    f"the same organisation, date ({date_of(time[i]).date()}) and size under like "
                    f"names: one system twice?",
                )


def _alike(one: str, two: str) -> bool:
    """Whether two names have the same words in any order, or nearly the same letters."""
    first, second = (sorted(re.findall(r"[^\W\d_]+|\d+", form(name))) for name in (one, two))
    if first == second:
        return True
    numbers = [[word for word in words if word.isdigit()] for words in (first, second)]
    close = SequenceMatcher(None, form(one), form(two)).ratio() >= ALIKE
    return numbers[0] == numbers[1] and close


def form(name: str) -> str:
    """A name without what is not seen: case, Unicode form, spaces, hyphens and underscores."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\s_\-\u00ad\u200b-\u200f\u2010-\u2015\u2060\ufeff]+", " ", plain).strip()


def _like_keys(panel: Panel) -> Iterator[Suspicion]:
    """Keys and names of one column that differ by case, space or Unicode form only."""
    columns: list[tuple[str, Any]] = [
        ("systems", panel.systems.index),
        ("systems", panel.systems["organisation"]),
        ("systems", panel.systems["family"]),
        ("benchmarks", panel.benchmarks.index),
        ("runs", panel.runs.index),
        ("scores", panel.scores["protocol"]),
    ]
    for table, values in columns:
        names = pd.Series(pd.unique(pd.Series(values, dtype=object)).astype(str))
        for _, group in names.groupby(names.map(form), sort=False):
            if len(group) > 1:
                yield Suspicion(
                    "like keys",
                    TABLES[table].file,
                    tuple(group),
                    f"differ only by case, space or Unicode form in column {values.name!r}: "
                    f"one name?",
                )


def _cells_of(panel: Panel) -> Cells:
    scores = panel.scores[panel.scores["flag"] == ""]
    system = panel.systems.index.get_indexer(pd.Index(scores["system"]))
    chance = scores["benchmark"].map(panel.benchmarks["chance"]).to_numpy(float)
    items = scores["benchmark"].map(panel.benchmarks["effective_items"]).to_numpy(float)
    score = scores["score"].to_numpy(float)
    label = scores["system"] + "|" + scores["benchmark"]
    group = scores["benchmark"] + "|" + scores["protocol"]
    return Cells(
        list(map(str, label)),
        pd.factorize(group)[0],
        system,
        (score - chance) / (1.0 - chance),
        _error(score, items) / (1.0 - chance),
        np.log(panel.systems["params_total"].to_numpy(float))[system],
        _times(panel.systems)[system],
    )


def _error(score: Floats, items: Floats) -> Floats:
    """Standard error of a share of so many items."""
    return np.asarray(np.sqrt(np.clip(score * (1.0 - score), 0.25 / items, 0.25) / items))


def _odd_scores(cells: Cells) -> Iterator[Suspicion]:
    """Scores far from those of neighbours in size and date, given the system's other scores."""
    share = np.clip(cells.share, EDGE, 1.0 - EDGE)
    value, error = logit(share), cells.error / (share * (1.0 - share))
    above = np.full(len(value), np.nan)
    for group in np.unique(cells.group):
        rows = np.flatnonzero(cells.group == group)
        if len(rows) >= FEWEST:
            design = np.column_stack(
                [
                    np.ones(len(rows)),
                    cells.log_params[rows],
                    cells.time[rows],
                    cells.time[rows] ** 2,
                ]
            )
            above[rows] = _robust_residual(design, value[rows])
    known = np.flatnonzero(np.isfinite(above))
    if len(known) < FEWEST:
        return
    distance = np.zeros(len(value))
    for group in np.unique(cells.group[known]):
        rows = known[cells.group[known] == group]
        others = np.array([_others(cells, above, known, row) for row in rows])
        residual = _robust_residual(np.column_stack([np.ones(len(rows)), others]), above[rows])
        distance[rows] = robust_distance(residual, LEAST_SPREAD, error[rows])
    limit = far_limit(len(known))
    for row in sorted(known, key=lambda row: -abs(distance[row])):
        if abs(distance[row]) > limit:
            system, _, benchmark = cells.label[row].rpartition("|")
            side = "higher" if distance[row] > 0 else "lower"
            yield Suspicion(
                "score",
                "scores.csv",
                (f"{system}, {benchmark}",),
                f"much {side} than systems of its size and date, and its other scores, lead one to "
                f"expect ({abs(distance[row]):.1f} robust standard deviations): another protocol, "
                f"unit or row?",
            )


def _others(cells: Cells, above: Floats, known: np.ndarray, row: int) -> float:
    """Median of how far a system's scores on other benchmarks lie above their neighbours."""
    same = known[
        (cells.system[known] == cells.system[row]) & (cells.group[known] != cells.group[row])
    ]
    return float(np.median(above[same])) if len(same) else 0.0


def _robust_residual(design: Floats, value: Floats) -> Floats:
    """Residuals of a linear fit that minimises a loss growing linearly far off."""
    scale = np.maximum(np.abs(design).max(axis=0), 1e-12)
    start: Any = np.linalg.lstsq(design / scale, value, rcond=None)[0]
    spread = max(NORMAL * float(np.median(np.abs(value - design / scale @ start))), 1e-6)
    scaled = design / scale

    def residual(theta: Floats) -> Floats:
        return np.asarray(scaled @ theta - value)

    found = least_squares(residual, start, loss="soft_l1", f_scale=spread)
    return np.asarray(value - design / scale @ found.x)


def _losses_of(panel: Panel) -> Losses:
    """Losses of runs that are finished, as far as the table says."""
    runs = panel.runs[(panel.runs["annealed"] != "false") & (panel.runs["checkpoint_of"] == "")]
    runs = runs.dropna(subset=["params", "tokens"])
    losses = panel.losses[panel.losses["run"].isin(runs.index)]
    own = runs.loc[losses["run"]]
    group = losses["benchmark"].to_numpy(str) + np.array("|") + own["family"].to_numpy(str)
    return Losses(
        list(map(str, losses["run"] + "|" + losses["benchmark"])),
        pd.factorize(group)[0],
        own["params"].to_numpy(float),
        own["tokens"].to_numpy(float),
        losses["loss"].to_numpy(float),
    )


def _odd_losses(losses: Losses) -> Iterator[Suspicion]:
    """Runs whose losses do not fit their params and tokens, with the benchmarks that say so."""
    limit, found = far_limit(max(len(losses.loss), 1)), dict[str, list[str]]()
    for group in np.unique(losses.group):
        rows = np.flatnonzero(losses.group == group)
        if len(rows) < FEWEST:
            continue
        measured = losses.params[rows], losses.tokens[rows], losses.loss[rows]
        distance = robust_distance(law_residual(*measured), LEAST_NOISE)
        for row in rows[np.abs(distance) > limit]:
            run, _, benchmark = losses.label[row].rpartition("|")
            found.setdefault(run, []).append(benchmark)
    for run, benchmarks in found.items():
        yield Suspicion(
            "loss",
            "reference_losses.csv",
            (run,),
            f"its loss on {_some(tuple(benchmarks))} does not fit its params and tokens: are "
            f"tokens all that it was trained on, and is the run finished?",
        )


def law_residual(params: Floats, tokens: Floats, loss: Floats) -> Floats:
    """Log loss off the law E + a N^-alpha + b D^-beta, fitted so that a few wild runs have no say.

    The loss of a residual grows with its logarithm far off (Cauchy), in units of a spread that is
    estimated anew once the wild ones have no say. The search starts at several exponents.
    """
    n, d = (np.log(x / np.exp(np.log(x).mean())) for x in (params, tokens))
    middle = float(np.median(loss))

    def residual(theta: Floats) -> Floats:
        return np.asarray(np.log(loss / laws.scaling_loss(n, d, *_constants(theta))))

    def fitted(start: Floats, spread: float) -> Any:
        return least_squares(
            residual, start, bounds=(low, high), loss="cauchy", f_scale=spread, x_scale=0.1
        )

    low = np.log([*[1e-4 * middle] * 3, 0.02, 0.02])
    high = np.log([*[2.0 * middle] * 3, 2.0, 2.0])
    starts = [
        np.log([*[middle / 3.0] * 3, alpha, beta]) for alpha, beta in product((0.15, 0.5), repeat=2)
    ]
    best = min((fitted(start, 5.0 * LEAST_NOISE) for start in starts), key=lambda found: found.cost)
    for _ in range(2):
        spread = max(NORMAL * float(np.median(np.abs(residual(best.x)))), LEAST_NOISE)
        best = fitted(best.x, spread)
    return residual(best.x)


def _constants(theta: Floats) -> tuple[float, ...]:
    """E, a, alpha, b and beta of the logarithms of E, a, b, alpha and beta."""
    E, a, b, alpha, beta = np.exp(theta)
    return E, a, alpha, b, beta


def _odd_dates(systems: pd.DataFrame) -> Iterator[Suspicion]:
    """Dates that are only bounds, and first days of a year, which often stand for the year."""
    bound = systems.index[systems["date_basis"].str.contains("bound", case=False)]
    if len(bound):
        yield Suspicion(
            "date",
            "systems.csv",
            tuple(map(str, bound)),
            "release_date is an upper bound (date_basis), and a trend takes it for the day: look "
            "for the release",
        )
    day = systems["release_date"]
    first = systems.index[(day.dt.month == 1) & (day.dt.day == 1)]
    if len(first):
        yield Suspicion(
            "date",
            "systems.csv",
            tuple(map(str, first)),
            "released on 1 January: the day, or only the year?",
        )


KINDS: Final[dict[str, Callable[[Panel], Iterator[Suspicion]]]] = {
    "like names": _names_of,
    "like keys": _like_keys,
    "score": lambda panel: _odd_scores(_cells_of(panel)),
    "loss": lambda panel: _odd_losses(_losses_of(panel)),
    "date": lambda panel: _odd_dates(panel.systems),
}
"""Kinds of suspicion, and what finds them in a panel."""


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
