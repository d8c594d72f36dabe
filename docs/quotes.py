"""Single figures that pages quote, each named with the committed result that it comes from.

figures.py carries intervals over by what they say. A figure that stands alone, such as a
probability or a number of releases, could be that of many results, so each is named here: a piece
of a sentence with `{}` where figures stand, and the figures. figures.py writes them into the pages,
and a test holds the pages to them. A piece has to occur once in its page, whatever its line breaks.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import quotes_of_corollaries
from figure_formats import counts, days, decimals, equation, interval, probability, texts

Results = Callable[[str], Any]  # the content of a result by name
Quote = tuple[str, tuple[str, ...]]


def answers(of: Results) -> Iterator[Quote]:
    """README.md: what it says of density, on the current panel and on the open one."""
    panels = ("current", "joint")
    both = [of("headlines")[name] for name in panels]
    averaged = [of("averaged")[name]["averaged"]["evidence"] for name in panels]
    for words, form, figures in (
        (
            "systems of releases, from first to last",
            "{} of {}, {} to {}",
            [(*counts(one, "systems", "releases"), one["first"], one["last"]) for one in both],
        ),
        *(
            (words, "{} days ({} to {})", [_bounded(one[key]) for one in both])
            for words, key in (
                ("in the mean of these four benchmarks", "doubling_days_after"),
                ("of which these four are a sample", "doubling_days_in_general"),
                ("half the params, given a change at ChatGPT", "shelf_life_days"),
            )
        ),
        (
            "given a change at ChatGPT, per year",
            "{} ({} to {}), P(> 0) {}",
            [(*interval(one["change"], 2), probability(one["p_gt_0"])) for one in both],
        ),
        (
            "growth rate before, per year, on few releases",
            "{} ({} to {})",
            [interval(one["before"], 2) for one in both],
        ),
        (
            "doubling time by benchmark, least and most",
            "{}, {} days, and {}, {}",
            [_extremes(one["doubling_days_by_benchmark"]) for one in both],
        ),
        (
            "a new benchmark",
            "{} ({} to {}) days",
            [_bounded(one["doubling_days_by_benchmark"]["new benchmark"]) for one in both],
        ),
        (
            "slope s of log density on log size",
            "{} ({} to {})",
            [interval(one["size_slope"], 2) for one in both],
        ),
        (
            "systems beyond the range of the reference runs",
            "{} of {}",
            [counts(one, "out_of_range", "systems") for one in both],
        ),
        *(
            (words, "{} days ({} to {})", [_bounded(one[key]) for one in averaged])
            for words, key in (
                ("averaged over eleven hypotheses by evidence", "doubling_time_after"),
                ("averaged on benchmarks in general", "doubling_time_in_general"),
            )
        ),
    ):
        yield f"{words} | {form} | {form} |", sum(figures, ())
    yield "![Densities of {} systems", counts(both[0], "systems")


LABELS = {
    "hellaswag": "HellaSwag",
    "arc_challenge": "ARC-Challenge",
    "mmlu": "MMLU",
    "winogrande": "WinoGrande",
}


def _bounded(estimate: dict[str, Any], unit: float = 1.0) -> tuple[str, ...]:
    """Median and limits in a unit, or that there is no bound."""
    values = (estimate[key] for key in ("median", "lower", "upper"))
    return tuple(days(None if value is None else value / unit) for value in values)


def _extremes(times: dict[str, Any]) -> tuple[str, ...]:
    """The benchmarks on which density doubles fastest and slowest, with their median days."""
    medians = {name: one["median"] for name, one in times.items() if name != "new benchmark"}
    fast, slow = min(medians, key=medians.__getitem__), max(medians, key=medians.__getitem__)
    return LABELS[fast], days(medians[fast]), LABELS[slow], days(medians[slow])


def change(of: Results) -> Iterator[Quote]:
    """README.md: whether and when growth changed, on the current panel and on the open one."""
    found = [of("averaged")[name] for name in ("current", "joint")]
    weights = [one["averaged"]["evidence"]["weights"] for one in found]
    later, open_ = ((f"{one['chatgpt']:.2f}", f"{one['smooth']:.2f}") for one in weights)
    words = "that change a probability of {} among the eleven, and most to a rate that keeps"
    yield f"{words} changing (`smooth`, {{}}); on the open panel {{}} and {{}}.", (*later, *open_)
    gaps = (math.log(one["chatgpt"] / one["none"]) for one in weights)
    yield "constant growth (`none`) by {} and {} nats", tuple(f"{gap:.1f}" for gap in gaps)
    dates = sum((texts(one["change_dates"]["unknown-date"]["the change"]) for one in found), ())
    yield "If the date is estimated, it is {} ({} to {}) and {} ({} to {}).", dates


def claims(of: Results) -> Iterator[Quote]:
    """README.md: what it says of published claims."""
    rows = {(row["claim"], row["panel"]): row for row in of("claims_ledger")["claims"]}
    three = "{} days, {} to {}"
    for words, claim, panels in (
        (
            f"is inconclusive on the open panel ({three}) and on the paper's own benchmarks and "
            f"reports ({three}), and contradicted on the panel to the end of 2025 ({three}).",
            "doubling-100-days",
            ("open", "paper", "current"),
        ),
        (
            f"are inconclusive there ({three}), on a frontier through the densities that the paper "
            f"plots ({three}) and on the open panel ({three}), and contradicted on the panel to "
            f"the end of 2025 ({three}).",
            "doubling-3.5-months",
            ("paper", "plotted", "open", "current"),
        ),
    ):
        figures = (interval(rows[claim, panel]["estimate"]) for panel in panels)
        yield words, sum(figures, ())
    for words, claim, panel in (
        ("halving | {} days ({} to {});", "price-halving-2.6-months", "tables"),
        ("fell {}-fold from 2022-12 to 2024-08 ({} to {})", "price-266.7-edge", "tables"),
        ("{} ({} to {}) for the maximum on the", "density-times-moore-88-days", "paper"),
    ):
        yield words, interval(rows[claim, panel]["estimate"])
    observed = rows["price-266.7", "tables"]["estimate"]["median"]
    yield "the cheapest offer of each date {}-fold, as published", (f"{observed:.1f}",)
    half = interval(rows["half-the-params-every-3-months", "open"]["estimate"])
    yield "is inconclusive on all of them ({} days, {} to {}, on the open panel)", half
    within = probability(rows["doubling-at-most-100-days", "paper"]["probability"])
    yield "is supported on the paper's own benchmarks only (P = {})", (within,)
    panels = ("open", "paper", "current", "plotted")
    rose = [rows["growth-rose-by-half", on]["probability"] for on in panels]
    words = "2025 (P = {}, {} and {}); the plotted densities leave this open (P = {})"
    yield words, tuple(map(probability, rose))
    small = [rows["8b-at-gpt-4", on]["probability"] for on in ("open", "paper")]
    yield "by the end of 2025 | P {}; P {} on the paper's panel", tuple(map(equation, small))
    best = rows["8b-at-gpt-4-mmlu", "current"]["estimate"]["median"]
    yield "the best score of such a system in the panel to 2025-12 is {}", (f"{best:.3f}",)


def forecasts_held(of: Results) -> Iterator[Quote]:
    """README.md: how often past forecasts held."""
    shipped = of("backtest")["as shipped"]
    held = [shipped[name]["coverage"]["95"]["share"] for name in ("current", "open")]
    held.append(of("unseen")["open"]["as shipped"]["coverage"]["95"]["share"])
    words = (
        "followed held {} of them; on the open panel, of four dates, {}, and {} of what developers"
    )
    yield words, tuple(f"{share:.2f}" for share in held)


def consequences(of: Results) -> Iterator[Quote]:
    """README.md: what it says of chips and of longer training."""
    chips = of("engines")["density_times_engine"]["compute-per-price"]
    yield "a chip of one price, doubling | {} days ({} to {});", interval(chips)
    methods = of("compression")["methods"]
    for kind, words in (
        ("4 bits", "from {} to {} of the parent's with one scale per group"),
        ("4 bits, per channel", "from {} to {} with one scale per channel"),
    ):
        factors = [row["factor"] for row in methods if row["class"] == kind]
        yield words, decimals(min(factors), max(factors))
    share = of("drivers")["rows"]["open"]["as shipped"]["table"]["law:share"]
    yield "longer training gives a reference model | {} ({} to {}) |", interval(share, 2)


PAYBACK_ROWS = {
    "open": ("on the frontier, 8e9 params", "mistral-7b-v0.1", "llama-2-70b", "llama-3-8b"),
    "paper": ("on the frontier, 8e9 params", "mistral-7b-v0.1", "llama-3-8b", "gemma-2-9b"),
}


DEMANDS = {
    ("open", "density"): "open panel, on the frontier, `density`",
    ("open", "recipe"): "open panel, on the frontier, `recipe`",
    ("open", "system"): "open panel, on the frontier, `system`",
    ("paper", "system"): "paper's panel, gemma-2-9b, `system`",
}
BREAK_EVEN = "{} ({} to {}) | {} ({} to {}) | {} |"


def _break_even(asked: dict[str, Any]) -> tuple[str, ...]:
    """Visits that pay a training back: in all, a day, and a day for nine of ten."""
    table, most = asked["table"], asked["demand_90"]
    return (
        *_bounded(table["visits_needed"], 1e9),
        *_bounded(table["daily_visits_needed"], 1e6),
        days(None if most is None else most / 1e6),
    )


def drivers(of: Results) -> Iterator[Quote]:
    """The page on growth by driver."""
    table = of("drivers")["rows"]["open"]["as shipped"]["table"]
    longer = table["law:overtraining_growth"]["median"]
    yield "would have become denser by {} a year on the open panel", decimals(longer)
    shares = [table[name]["median"] for name in ("share_by_driver", "law:share")]
    yield "The shares of {} and {} bracket", decimals(*shares)
    rows = of("drivers")["rows"]
    first, second = rows["open"], rows["paper"]
    yield (
        "open panel ({} systems, {} releases) | paper's panel ({} systems, {} releases)",
        (
            *counts(first["as shipped"], "systems", "releases"),
            *counts(second["as shipped"], "systems", "releases"),
        ),
    )
    law = counts(second["as shipped"], "law_systems")
    yield "least squares in each draw* | | ({} systems)", law
    left = counts(second["as shipped"], "law_left_out", "systems")
    yield "On the paper's panel {} of the {} systems are left out", left
    slopes = (each["mean form"]["table"]["driver_slope"]["median"] for each in (first, second))
    yield "(mean form: {} and {})", decimals(*slopes)
    apart = (each["as shipped"]["separation"]["correlation"] for each in (first, second))
    yield "posterior correlation of {} (open) and {} (paper)", decimals(*apart)


def engines(of: Results) -> Iterator[Quote]:
    """The page on engines: density times chips."""
    points = {row["engine"]: str(row["points"]) for row in of("engines")["engines"][::-1]}
    for words, name in (
        ("{} dies,", "transistor-density"),
        ("{} GPUs and accelerators", "compute-per-price"),
        ("Wh/L of Li-ion cells | {},", "battery-energy-per-volume"),
        ("Wh/kg of Li-ion cells | {},", "battery-energy-per-mass"),
    ):
        yield words, (points[name],)
    both = of("engines")["density_times_engine"]
    chances = (both[name]["p_at_most_88"] for name in ("compute-per-price", "transistor-density"))
    yield "P(at most 88 days) is {} and {}.", decimals(*chances)


def payback(of: Results) -> Iterator[Quote]:
    """The page on the pay-back of a release."""
    content = of("payback")
    fits = [each["diagnostics"] for each in content["training_cost"]["fits"].values()]
    yield (
        "largest R-hat {}, least bulk ESS {}, least tail ESS {},",
        (
            f"{max(fit['rhat_max'] for fit in fits):.4f}",
            *(f"{min(fit[key] for fit in fits):.0f}" for key in ("ess_bulk_min", "ess_tail_min")),
        ),
    )
    for panel, start in (("open", "the open panel has"), ("paper", "the paper's")):
        halves = map(str, content[panel]["releases_by_half_year"])
        yield f"{start} {{}}, {{}}, {{}} and {{}}" + " releases" * (panel == "open"), tuple(halves)
    for panel, names in PAYBACK_ROWS.items():
        rows = content[panel]["rows"]
        for name in names:
            smooth, *waits = (
                "{} ({} to {})".format(*map(days, (row["median"], row["lower"], row["upper"])))
                for row in (rows[c][name] for c in ("smooth", "density", "recipe", "system"))
            )
            cells = " | ".join(f"{wait}, P = {{}}" for wait in waits)
            passed = (rows[c][name]["p_passed"] for c in ("density", "recipe", "system"))
            yield f"| {name} | {smooth} | {cells} |", tuple(f"{p:.2f}" for p in passed)
    months = content["open"]["two_months"]
    yield f"| two months in any case | | {BREAK_EVEN}", _break_even(months)
    for (panel, kind), words in DEMANDS.items():
        asked = content[panel]["payback"][kind]
        row = f"| {words} | {{}} ({{}} to {{}}) | {BREAK_EVEN}"
        yield row, (*_bounded(asked["table"]["life"]), *_break_even(asked))
    prices = months["price_90"]
    yield "within two months is {} USD per million tokens", (f"{prices['1e+07']:.0f}",)
    yield "at a hundred million, {}.", (f"{prices['1e+08']:.1f}",)
    tables = content["training_cost"]
    yield (
        "GPU-hours of {} systems with known params, tokens and chips, and {} prices",
        (
            str(tables["runs"]),
            str(tables["prices"]),
        ),
    )
    passed = content["paper"]["rows"]["density"]["gemma-2-9b"]["p_passed"]
    yield "was passed at release with P = {} on the paper's panel", (probability(passed),)


def hypotheses(of: Results) -> Iterator[Quote]:
    """The page of what was measured: hypotheses and their evidence."""
    rows = {row["hypothesis"]: row for row in of("hypotheses")["hypotheses"]}
    gap = rows["chatgpt"]["log_evidence"] - rows["none"]["log_evidence"]
    yield "a bend at ChatGPT by {} nats of evidence.", (f"{gap:.1f}",)
    behind = (-rows["none"]["diff_release"], rows["none"]["diff_se_release"])
    words = "By prediction none lies {} nats behind the first with a standard error of {}:"
    yield words, tuple(f"{number:.1f}" for number in behind)
    date = of("hypotheses")["change_dates"]["unknown-date"]["the change"]
    yield "falls at {} (95% interval {} to {}), and", texts(date)
    check = of("evidence_check")
    spread = [check["spread"][name] for name in ("none", "chatgpt", "smooth")]
    words = "Their estimates spread over {} (none), {} (chatgpt), {} (smooth) nats."
    yield words, tuple(f"{number:.2f}" for number in spread)
    pair = [check["none_against_chatgpt"][f"by_{way}"] for way in ("evidence", "savage_dickey")]
    words = "evidence says {} nats and a Savage-Dickey ratio from the larger model alone {} ("
    yield words, tuple(f"{number:.2f}" for number in pair)
    rows = of("multiverse")
    every, without = (rows[name]["doubling_days_after"] for name in ("as shipped", "without mmlu"))
    words = "is {} days with all four and {} ({} to {}) without MMLU"
    yield words, (*interval(every)[:1], *interval(without))


def simulated(of: Results) -> Iterator[Quote]:
    """The page of what was measured: how often the criteria find the truth."""
    none, chatgpt, later = of("which_hypothesis_wins")["wins"]
    right = {
        criterion: none[f"{criterion}: none"] + chatgpt[f"{criterion}: chatgpt"]
        for criterion in ("evidence", "release")
    }
    panels = none["all three passed"] + chatgpt["all three passed"]
    words = "none where there is none, in {} of {} panels; prediction does so in {}."
    yield words, texts(right | {"panels": panels}, "evidence", "panels", "release")
    keys = ("evidence: later", "all three passed", "release: later")
    yield "evidence finds it in {} of {} and prediction in {},", texts(later, *keys)
    wins = of("which_forecast_wins")["wins"]
    found = sum(row[f"best: {row['truth']}"] for row in wins)
    passed = sum(row["all passed"] for row in wins)
    words = "The sum names the truth in {} of {} panels (guessing: {}), a later bend in {} of {}."
    yield (
        words,
        (
            *map(str, (found, passed, round(passed / len(wins)))),
            *texts(wins[-1], "best: later", "all passed"),
        ),
    )


def rolling_cuts(of: Results) -> Iterator[Quote]:
    """The page on backtests: the current panel."""
    found = of("backtest")["as shipped"]["current"]
    windows = [row["covered95"] for row in found["windows"]]
    shares = [found["coverage"]["95"]["share"], *windows[-3:]]
    yield "95% intervals held {} of the scores, and {}, {} and {} in the three", decimals(*shares)
    ratios = found["crps_ratio"]
    words = "CRPS is {} of that of the last level by size, {} of that of least squares on size and "
    rivals = (
        "last level by size",
        "least squares on size and date",
        "line through running maximum",
    )
    yield (
        words + "date, and {} of that of the paper's",
        decimals(*(ratios[name] for name in rivals)),
    )
    yield "the model says (p = {}).", (f"{found['window_means']['p']:.3f}",)


def truths(of: Results) -> Iterator[Quote]:
    """The page on checks: how many fits to panels like the posterior passed."""
    found = of("posterior_calibration")["joint"]
    words = "The committed run is of the open panel: {} of {} fits passed"
    yield words, (str(found["verdicts"]["PASS"]), str(found["replicates"]))


def links(of: Results) -> Iterator[Quote]:
    """The page of what was measured: how well families foresee their largest members."""
    found = of("link_errors")
    yield "{} of these {} scores lie in their 95% intervals", counts(found, "within", "scores")


def recovery(of: Results) -> Iterator[Quote]:
    """The page of what was measured: how often intervals hold the truth of simulated panels."""
    content = of("recovery")
    rows = {row["quantity"]: row for row in content["summary"] if row["scenario"] == "all"}
    ends = (*rows["growth after"]["band50"], rows["growth after"]["band95"][0])
    yield "| quantity | 50% interval, band {} to {} | 95% interval, band {} to 1 |", decimals(*ends)
    labels = {
        "growth before": "growth before",
        "growth after": "growth after",
        "growth change": "growth change",
        "frontier on 2022-11-30": "frontier 2022-11-30",
        "frontier at the end": "frontier at the end",
    }
    for label, name in labels.items():
        covered = (rows[name]["covered50"], rows[name]["covered95"])
        yield f"| {label} | {{}} | {{}} |", decimals(*covered)
    kinds = {row["scenario"]: row for row in content["acceleration"]}
    for label, name in (
        ("as fitted (growth rises)", "as fitted"),
        ("no shortfall", "no shortfall"),
        ("no change", "no change"),
        ("floor: no change, MMLU grows faster than the others and sits on its floor before 2023",
         "floor"),
    ):  # fmt: skip
        figures = counts(kinds[name], "panels", "above95", "below5")
        yield f"| {label} | {{}} | {{}} | {{}} |", figures
    panels, passed = (str(sum(row[key] for row in kinds.values())) for key in ("panels", "passed"))
    yield "`python analyses/recovery.py`: {} panels", (panels,)
    yield "`analyses/recovery.json`. {} fits passed;", (passed,)


def identification(of: Results) -> Iterator[Quote]:
    """The page on what is identified."""
    content = of("identification")
    width = content["remaining_width"]
    ends = (min(width["format_offset"]), max(width["format_offset"]))
    yield "Its posterior is {} to {} times as wide as its prior,", decimals(*ends)
    correlation = content["correlation_of_level_and_mean_format_offset"]
    yield "its correlation with `level` is {}:", decimals(correlation)
    growth = (width["growth_before"][0], content["growth_after"])
    words = "the growth rate keeps {} of its prior width before the change and {} after it."
    yield words, decimals(*growth, digits=3)
    hellaswag, arc, mmlu, winogrande = width["ceiling"]
    words = (
        "HellaSwag and WinoGrande keep {} and {} of the prior's width, ARC-Challenge and MMLU {}"
    )
    yield words + " and {}.", decimals(hellaswag, winogrande, arc, mmlu)
    parts = [
        share
        for name in ("irreducible_share", "params_share", "params_exponent", "tokens_exponent")
        for share in width[name]
    ]
    yield "to between {} and {} of the prior's width", decimals(min(parts), max(parts))
    yield "`drift_spread_change` keeps {} of", decimals(*width["drift_spread_change"])
    yield "even wider than under the prior ({}).", decimals(width["drift_change"][2])


def criteria(of: Results) -> Iterator[Quote]:
    """The page on criteria of comparison."""
    rows = {row["hypothesis"]: row for row in of("hypotheses")["hypotheses"]}
    none, chatgpt = rows["none"], rows["chatgpt"]
    behind = (-none["diff_release"], none["diff_se_release"])
    words = "change lies {} nats behind the best with a standard error of {}."
    yield words, decimals(*behind, digits=1)
    loud = (-none["diff_forecast"], none["diff_se_forecast"])
    words = "none lies {} nats behind the first, with a standard error of {}."
    yield words, decimals(*loud, digits=0)
    gap = chatgpt["log_evidence"] - none["log_evidence"]
    apart = chatgpt["diff_release"] - none["diff_release"]
    words = "bend by {} nats; by prediction the two are {} nats apart."
    yield words, decimals(gap, apart, digits=1)
    wins = of("which_hypothesis_wins")["wins"]
    found = [
        sum(row[f"{criterion}: {row['truth']}"] for row in wins)
        for criterion in ("evidence", "release")
    ]
    panels = sum(row["all three passed"] for row in wins)
    words = "it put the true one first in {} of {} panels, prediction in {}."
    yield words, tuple(map(str, (found[0], panels, found[1])))


def compared(of: Results) -> Iterator[Quote]:
    """The table of the page on criteria: how far each hypothesis is behind the best."""
    rows = of("hypotheses")["hypotheses"]
    best = max(row["log_evidence"] for row in rows)
    for row in rows:
        behind = [
            ("{} ± {}", decimals(-row[f"diff_{by}"], row[f"diff_se_{by}"], digits=1))
            if row[f"diff_{by}"]
            else ("best", ())
            for by in ("release", "forecast")
        ]
        gap = best - row["log_evidence"]
        behind.append(("{}", decimals(gap, digits=1)) if gap else ("best", ()))
        cells = " | ".join(words for words, _ in behind)
        yield f"| `{row['hypothesis']}` | {cells} |", sum((figures for _, figures in behind), ())


def calibration(of: Results) -> Iterator[Quote]:
    """The table of the page on checks: ranks of the truth."""
    content = of("calibration")
    rows = {row["quantity"]: row for row in content["summary"]}
    yield "Of {} fits {} passed;", (str(len(content["rows"])), str(content["verdicts"]["PASS"]))
    for label in (
        "growth before", "growth after", "change of growth", "frontier at the end",
        "shortfall spread", "size slope", "density of the first system",
        "density of the last system", "log likelihood of the scores",
    ):  # fmt: skip
        row = rows.get(label.removesuffix(" of the scores"))
        if row is None:  # truths do not hold what scores depend on under every specification
            continue
        keys = ("mean_rank", "covered50", "covered95", "p")
        yield f"| {label} | {{}} | {{}} | {{}} | {{}} |", decimals(*(row[key] for key in keys))


ENDS = ("lower", "upper")


def prior_panels(of: Results) -> Iterator[Quote]:
    """The page on priors: what they expect to see."""
    content = of("prior_panels")
    shares = decimals(*(content[name]["usable"] for name in ("joint", "paper", "current")))
    yield (
        "{} of panels are usable with `models/joint.toml`, {} with `models/paper.toml` and {} with",
        shares,
    )
    for words, name, benchmark in (
        ("HellaSwag, ARC-Challenge, MMLU", "joint", "hellaswag"),
        ("the same, WinoGrande", "joint", "winogrande"),
        ("1e10 params, MMLU", "paper", "mmlu"),
        ("the same, MATH", "paper", "math"),
    ):
        scores = content[name]["scores"][benchmark]
        cells = (*interval(scores["small"], 2), *interval(scores["large"], 2))
        yield words + " | {} ({} to {}) | {} ({} to {}) |", cells
    ends = (content[name]["neff"][end] / 1e9 for name in ("joint", "paper") for end in ENDS)
    yield (
        "between {} and {} billion params on the open panel, and between {} and {} billion on the",
        tuple(f"{end:.2g}" for end in ends),
    )


LINES = {
    "Fig. 1, running maximum": "fig1",
    "Fig. 1, all points": "fig1 all points",
    "Fig. 2 (MMLU-CF), running maximum": "fig2",
    "Fig. 2, all points": "fig2 all points",
    "Fig. 3c (MMLU) before ChatGPT, running maximum": "fig3c before",
    "Fig. 3c after": "fig3c after",
    "Fig. 3c before, all points": "fig3c before, all points",
    "Fig. 3c after, all points": "fig3c after, all points",
}


SHOWN = (
    "as shipped",
    "comparable params",
    "D0 = 1e12 tokens",
    "exponents near the drawn curves",
    "mean trend",
    "without bbh",
    "second readings",
)


def paper(of: Results) -> Iterator[Quote]:
    """The page on the paper's numbers: lines through its points, and its estimator on trial."""
    growth = of("paper_reproduction")["growth"]
    for label, name in LINES.items():
        line = growth[name]
        figures = (str(line["points"]), f"{line['rate']:.5f}", f"{line['r_squared']:.3f}")
        yield f"| {label} | {{}} | {{}} | {{}} |", figures
    for scenario, rows in of("paper_estimator_on_trial")["scenarios"].items():
        for row in rows:
            low, middle, high = row["rate"]
            bottom, centre, top = row["r_squared"]
            reading = row["reading"].replace("mmlu", "MMLU")
            cells = "{} ({} to {}) | {} ({} to {}) | {} | {}, {} | {} |"
            yield (
                f"| {scenario} | {reading} | {cells}",
                (
                    *decimals(middle, low, high, digits=4),
                    *decimals(centre, bottom, top, row["share_r_squared_above_0.9"]),
                    *decimals(row["points_before"], row["points_after"], digits=0),
                    *decimals(row["share_half_faster"]),
                ),
            )
    content = of("paper_reproduction")
    yield "maximum of the whole figure has A = {} a day.", (f"{growth['fig3c']['rate']:.5f}",)
    for name, curve in content["curves"].items():
        best = min(curve["optima"], key=lambda each: each["rmse"])
        yield (
            f"| {name} | {{}}, {{}} ({{}}) | {{}}, {{}} ({{}}) |",
            tuple(
                number
                for each in (curve["drawn"], best)
                for number in (
                    *decimals(each["alpha"], each["beta"], digits=3),
                    *decimals(each["rmse"], digits=4),
                )
            ),
        )
    line = growth["fig3a"]
    yield (
        "| Fig. 3a, the five cheapest offers | {} | {} (halving in {} months) | {} |",
        (
            str(line["points"]),
            f"{line['rate']:.5f}",
            f"{line['halving_months']:.2f}",
            f"{line['r_squared']:.3f}",
        ),
    )
    ledger = {(row["claim"], row["panel"]): row for row in of("claims_ledger")["claims"]}
    chances = [ledger["8b-at-gpt-4", on]["probability"] for on in ("open", "paper")]
    yield "by the end of 2025 has P {} and P {}:", tuple(map(equation, chances))
    mmlu = content["curves"]["mmlu"]
    words = "a smaller error (MMLU: rms {} against {})"
    sizes = (mmlu["sigmoid free"]["rmse"], mmlu["sigmoid drawn"]["rmse"])
    yield words, decimals(*sizes, digits=3)
    first, second = (content["plotted_densities"][name] for name in ("fig1", "fig3c"))
    words = (
        "the densities of {} systems of Fig. 1 have a median ratio to the plotted ones of {} and"
    )
    figures = decimals(first["median_ratio"], first["rank_correlation"])
    yield words + " a rank correlation with them of {}.", (str(first["systems"]), *figures)
    figures = decimals(second["median_ratio"], second["rank_correlation"])
    yield "{} systems of Fig. 3c have one of {} and {}.", (str(second["systems"]), *figures)
    panels = of("paper_panel")["rows"]
    for name, row in panels.items():
        exponents = row["params_exponent"]
        if name in SHOWN:
            cells = ", ".join(f"{benchmark} {{}}" for benchmark in exponents)
            medians = (each["median"] for each in exponents.values())
            yield f"| {name} | {cells} |", decimals(*medians)
            yield f"| {name} | {{}} |", (str(row["systems"]),)
    shipped = counts(panels["as shipped"], "systems", "releases")
    yield "scores of {} systems in {} releases from", shipped
    kinds = {row["scenario"]: row for row in of("recovery_paper")["acceleration"]}
    figures = (
        *counts(kinds["as fitted"], "panels", "passed"),
        *counts(kinds["no change"], "panels", "passed"),
    )
    words = "Of {} with the change as fitted {} pass; of {} without any change {} does."
    yield words, figures
    fit = of("paper_panel")["fit"]
    words = "The fit passes: R-hat {}, least bulk effective sample size {},"
    yield words, (f"{fit['rhat_max']:.4f}", f"{fit['ess_bulk_min']:.0f}")


def frontier_or_mean(of: Results) -> Iterator[Quote]:
    """The page on definitions of the best."""
    trial = of("paper_estimator_on_trial")
    shares = [row["share_r_squared_above_0.9"] for row in trial["scenarios"]["no growth"]]
    ends = (f"{round(end, 2):.0%}"[:-1] for end in (min(shares), max(shares)))
    words = "Of {} simulated panels without any growth, {}% to {}% have a running maximum whose R²"
    yield words, (str(trial["replicates"]), *ends)


def waiting(of: Results) -> Iterator[Quote]:
    """README.md: what a new user waits for. A test holds the sentence as a whole."""
    report = of("speed/results_first_run")["report"]
    minutes = report["caches empty"]["seconds"] / 60
    yield "(1.4 GB), the first report takes {} minutes (caches empty)", (f"{minutes:.2g}",)
    yield "with nothing changed, it takes {} s", (f"{report['again']['seconds']:.0f}",)


FIGURE = r"((?:[<>=] )?[-\w.]*\w)"
ARRIVALS = {
    ("open", "density"): (90, 180),
    ("open", "system"): (90, 180, 365),
    ("paper", "density"): (90,),
    ("paper", "system"): (90, 180, 365),
}


def arrivals(of: Results) -> Iterator[Quote]:
    """The table of successors on the page on the pay-back of a release."""
    content = of("payback")
    for (panel, kind), shown in ARRIVALS.items():
        rows = {row["days"]: row for row in content[panel]["check"][kind]}
        cells = [f"| {day} | {{}} | {{}} ({{}} to {{}}) | {{}} ({{}} to {{}}) |" for day in shown]
        figures = [
            (str(row["releases"]), *interval(row["observed"], 2), *interval(row["simulated"], 2))
            for row in map(rows.get, shown)
        ]
        yield f"| {panel}, {kind} {' | '.join(cells)}", sum(figures, ())


PAGES = {
    "README.md": (answers, change, claims, forecasts_held, consequences, waiting),
    "docs/backtest.md": (rolling_cuts,),
    "docs/checks.md": (calibration, truths),
    "docs/compression.md": (quotes_of_corollaries.compression,),
    "docs/criteria.md": (criteria, compared),
    "docs/drivers.md": (drivers,),
    "docs/engines.md": (engines,),
    "docs/forecasts.md": (quotes_of_corollaries.forecasts,),
    "docs/frontier-or-mean.md": (frontier_or_mean,),
    "docs/identification.md": (identification,),
    "docs/paper.md": (paper,),
    "docs/payback.md": (arrivals, payback),
    "docs/prices.md": (quotes_of_corollaries.prices,),
    "docs/priors.md": (prior_panels,),
    "docs/results.md": (links, hypotheses, recovery, simulated),
}


# Pages --------------------------------------------------------------------------------------------


def quoted(page: str, name: str, of: Results) -> tuple[str, list[str]]:
    """A page with the figures of its quotes, and the pieces that it does not have once."""
    left = []
    for words, figures in _quotes(name, of):
        found = _occurrences(words, page)
        if len(found) != 1:
            left.append(f"{name} has this {len(found)} times, not once: {words}")
            continue
        for number in reversed(range(len(figures))):
            start, end = found[0].span(number + 1)
            page = page[:start] + figures[number] + page[end:]
    return page, left


def places(page: str, name: str, of: Results) -> Iterator[tuple[re.Match[str], int]]:
    """Where a page has its quotes, whose groups are figures, and how many."""
    for words, figures in _quotes(name, of):
        yield from ((found, len(figures)) for found in _occurrences(words, page))


def _quotes(name: str, of: Results) -> Iterator[Quote]:
    return (quote for part in PAGES.get(name, ()) for quote in part(of))


def _occurrences(words: str, page: str) -> list[re.Match[str]]:
    pieces = [r"\s+".join(map(re.escape, part.split(" "))) for part in words.split("{}")]
    return list(re.finditer(FIGURE.join(pieces), page))


def content_of(read: Callable[[str], str]) -> Results:
    """Contents of results, of which the texts are read."""
    return lambda name: json.loads(read(name))
