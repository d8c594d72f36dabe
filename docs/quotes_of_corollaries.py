"""Figures that the pages on corollaries quote, as quotes.py has them for the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from figure_formats import dates, decimals, interval, of_row, probability, small

Results = Callable[[str], Any]
Quote = tuple[str, tuple[str, ...]]


def prices(of: Results) -> Iterator[Quote]:
    """The page on prices: the table of fits, and what the text says of it."""
    content = of("inference_price")
    rows = {row["fit"]: row for row in content["fits"]}
    for name, row in rows.items():
        yield (
            f"| {name} | {{}} | {{}} ({{}} to {{}}) | {{}} ({{}} to {{}}) | {{}} |",
            (
                str(row["offers"]),
                *interval(row["halving_time_days"]),
                *interval(row["fold_reduction"]),
                small(row["p_fold_at_least_266"]),
            ),
        )
    for row in content["changes"]:
        factor = row.get("log_bayes_factor_for_a_change")
        cells = "" if factor is None else " {} |"
        figures = () if factor is None else decimals(factor, digits=1)
        yield (
            f"| {row['fit']} | {{}} ({{}} to {{}}) | {{}} |{cells}",
            (*interval(row["growth_change"], 2), probability(row["p_faster"]), *figures),
        )
    first, window = content["observed"]
    yield (
        "from {} to {} USD, 2022-12 to 2024-08, exactly {} times,",
        (
            f"{first['first']['price']:.0f}",
            f"{first['last']['price']:.3f}",
            f"{first['fold']:.1f}",
        ),
    )
    yield (
        "the cheapest offer fell further, to {} USD: {} times.",
        (
            f"{window['last']['price']:.3f}",
            f"{window['fold']:.0f}",
        ),
    )
    every, early = rows["GPT-3.5 level"], rows["GPT-3.5 level, until 2024-08"]
    yield "**The edge fell by a factor of {}.**", interval(every["fold_reduction"])[:1]
    days = interval(every["halving_time_days"])[0]
    yield "**Halving takes {} days**", (days,)
    yield "and {} with those until 2024-08;", interval(early["halving_time_days"])[:1]
    yield "prices fell faster: {} days.", interval(rows["MMLU 0.80"]["halving_time_days"])[:1]
    yield "differ by a standard deviation of {}", (f"{content['score_noise']:.3f}",)
    published = content["published"]["halving_time_days"]
    yield "the published 2.6 months ({} days)", (f"{published:.0f}",)


MADE = {
    "gemma-2-9b / gemma-2-27b": "distilled",
    "gemma-2-2b / gemma-2-27b": "distilled",
    "llama-3.2-3b / llama-3.1-8b": "pruned and distilled",
    "llama-3.2-1b / llama-3.1-8b": "pruned and distilled",
    "llama-3.1-minitron-4b-width / llama-3.1-8b": "pruned and distilled",
    "minitron-4b / nemotron-4-15b": "pruned and distilled",
    "sheared-llama-2.7b / llama-2-7b": "pruned",
    "glm-130b-int4 / glm-130b": "quantised",
    "yi-1.5-34b / yi-34b": "trained on",
}
# Lowest and highest method of each class, by its first words in the table.
CLASSES = {
    "8 bits": "GPTQ, {}; RTN, {}",
    "4 bits": "plain PTQ, {}; QLoRA-QAT, {}",
    "4 bits, per channel": "HQQ, {}; AutoRound, {}",
    "3 bits": "RTN, {}; AutoRound, {}",
    "pruned and distilled": "Llama-3.2, {}; Minitron, {}",
    "pruned": "Sheared-LLaMA, {}",
    "sparsified": "ProSparse, {}",
    "continued": "depth up-scaling, {}",
}
FEW_PAIRS = 4  # methods with fewer are not spoken of by themselves


def compression(of: Results) -> Iterator[Quote]:
    """The page on compression: methods, pairs of the panels, and the time of a token."""
    content = of("compression")
    methods = {row["method"]: row for row in content["methods"]}
    kinds = {name: [m for m in methods.values() if m["class"] == name] for name in CLASSES}
    for name, words in CLASSES.items():
        own = [each.partition(", {}")[0] for each in words.split("; ")]
        found = [methods[f"{method}, {name}"] if f"{method}, {name}" in methods else
                 next(m for m in kinds[name] if m["method"].startswith(method))
                 for method in own]  # fmt: skip
        cells = words.replace("{}", "{} ({} to {})")
        pairs = str(sum(m["pairs"] for m in kinds[name]))
        figures = sum((of_row(row, "factor") for row in found), (pairs,))
        yield f"| {name} | {{}} | {cells} |", figures
    two = sum(row["pairs"] for row in methods.values() if row["class"] == "2 bits")
    yield "| 2 bits | {} | below 0.01 for most", (str(two),)
    run = content["runs"][0]
    yield "{} pairs of child and parent", (str(run["pairs"]),)
    passed = [row["diagnostics"] for row in content["runs"] if row["verdict"] == "PASS"]
    yield (
        "passes at {} seeds (largest R-hat {}, least bulk ESS {})",
        (
            str(len(passed)),
            f"{max(each['rhat_max'] for each in passed):.4f}",
            f"{min(each['ess_bulk_min'] for each in passed):.0f}",
        ),
    )
    yield "predictive interval; {} of the", (f"{content['prior']['inside_95']:.2f}",)
    highest = (methods["RTN, 8 bits"], methods["ProSparse, sparsified"])
    yield (
        "8-bit RTN with P = {} and ProSparse with {}.",
        tuple(probability(row["p_denser"]) for row in highest),
    )
    continued = probability(methods["depth up-scaling, continued"]["p_denser"])
    yield "Continued training after deepening a system does (P = {}),", (continued,)
    four = next(row for row in content["classes"] if row["class"] == "4 bits")
    yield (
        "(standard deviation of the logarithm {}, {} to {}) than between methods ({}, {} to {})",
        (
            *of_row(four, "parent_spread"),
            *of_row(four, "method_spread"),
        ),
    )
    again = [row["p_new_denser"] for row in kinds["4 bits"]]
    yield (
        "P(a new 4-bit pair is denser than its parent) is {} to {}",
        decimals(min(again), max(again)),
    )
    rows = {f"{row['child']} / {row['parent']}": row for row in content["panel_pairs"]["paper"]}
    for name, made in MADE.items():
        row = rows[name]
        figures = (*of_row(row, "factor"), probability(row["p_denser"]))
        yield f"| {name} | {made} | {{}} ({{}} to {{}}) | {{}} |", figures
    gemma = content["only_gemma"]
    words = (
        "is denser than its parent has P = {}, that no other published pair is {}, both at once {}"
    )
    yield words, decimals(gemma["p_denser"], gemma["p_others_less_dense"], gemma["p_claim"])
    even = content["break_even"]
    yield "4 bits break even where density stays above {} of the parent's", decimals(even["4"])
    yield "8 bits break even at {} and 3 bits at {}", decimals(even["8"], even["3"])
    common = [
        row
        for row in content["quantised"]
        if row["bits"] == 4
        and methods[row["method"]]["class"] == "4 bits"
        and methods[row["method"]]["pairs"] >= FEW_PAIRS
    ]
    factors = [row["inference_factor"] for row in common]
    chances = [row["p_faster_denser"] for row in common]
    yield (
        "lie near there (factor {} to {}, P(above 1) {} to {})",
        decimals(min(factors), max(factors), min(chances), max(chances)),
    )
    yield (
        "by up to {} of its standard deviations:",
        (f"{content['curves']['largest_move_sd']:.1f}",),
    )


FORECASTS = {
    "open": "open",
    "paper": "paper",
    "paper, up to 2024-12-31": "paper up to 2024-12",
}


def forecasts(of: Results) -> Iterator[Quote]:
    """The page on forecasts: the table, and what the text says of it."""
    content = of("forecasts")
    for label, name in FORECASTS.items():
        found = content[name]["date"]["frontier"]
        seen = found["highest_seen"]["score"]
        yield (
            f"| {label} | {found['last_datum']} | {{}} ({{}} to {{}}) | {{}}, "
            f"{found['highest_seen']['system']} | {{}} |",
            (*interval(found["limit"], 3), f"{seen:.3f}", small(found["p_above_limit"])),
        )
        readings = [content[name]["date"][reading] for reading in ("frontier", "best")]
        for words, cell, figures in (
            ("date", "{} ({} to {})", [date for each in readings for date in dates(each)]),
            ("P(by 2025-12-31)", "{}", [small(each["p_by"]) for each in readings]),
        ):
            yield f"| {label}, {words} | {cell} | {cell} |", tuple(figures)
    needed = content["paper"]["params"]["2025-12-31"]
    sizes = (f"{needed[key] / 1e9:.0f}e9" for key in ("median", "lower", "upper"))
    yield "a system on the frontier needs {} ({} to {}) params", tuple(sizes)
    score = content["open"]["date"]["frontier"]["score"]
    yield "GPT-4 has {} on MMLU", (f"{score:.3f}",)
    accuracy = of("forecast_accuracy")
    for panel, words in (("open", "hold {} of the scores on the open panel"),
                         ("paper", "and {} on the paper's")):  # fmt: skip
        yield words, decimals(accuracy[panel]["scores"]["joint model"]["covered95"])
