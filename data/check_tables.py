"""Check the embedded tables against each other and against published figures.

Run ``python data/check_tables.py`` after any change of a table. Prints one line per check and ends
with status 1 if one fails.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from densing_bayes.corollaries.compression.table import COMPRESSION
from densing_bayes.corollaries.engines.table import TECHNOLOGY
from densing_bayes.corollaries.payback.table import COSTS
from densing_bayes.corollaries.prices.table import PRICES
from densing_bayes.corollaries.scaling.table import LAW_RUNS
from densing_bayes.errors import TableError
from densing_bayes.inputs.panel import Panel, load_events, load_panel
from densing_bayes.inputs.published import load_figures
from densing_bayes.inputs.tables.reading import load_table
from densing_bayes.inputs.tables.releases import release_names

HERE = Path(__file__).parent
Check = tuple[str, bool, str]

SCORES = {
    # (panel, system, benchmark): figure published by the leaderboard or the developer
    ("open", "llama-2-7b", "mmlu"): 0.438,
    ("open", "llama-2-7b", "hellaswag"): 0.7774,
    ("open", "llama-2-7b", "arc_challenge"): 0.5307,
    ("open", "mistral-7b-v0.1", "mmlu"): 0.6416,
    ("open", "falcon-40b", "hellaswag"): 0.8528,
    ("open", "llama-3-8b", "mmlu"): 0.6649,
    ("paper", "gpt-3-175b", "mmlu"): 0.439,
    ("paper", "chinchilla-70b", "mmlu"): 0.675,
    ("paper", "llama-65b", "mmlu"): 0.634,
    ("paper", "llama-2-70b", "bbh"): 0.657,
    ("paper", "llama-3.1-405b", "bbh"): 0.859,
}
READINGS = {
    # (system, benchmark, protocol): figure published by whoever measured it
    ("gpt2", "hellaswag", "euroeval"): 0.2472,
    ("gpt2-xl", "hellaswag", "open-llm-leaderboard-v1"): 0.5139,
    ("qwen3-8b", "mmlu", "report"): 0.7689,
    ("qwen3-8b", "mmlu", "swallow"): 0.765,
    ("kimi-k2-base", "math", "report"): 0.702,
    ("kimi-k2-base", "math", "tencent"): 0.712,
    ("seed-oss-36b-base-wosyn", "math", "report"): 0.613,
    ("olmo-3-1125-32b", "bbh", "ai2-olmo-3"): 0.776,
    ("plamo-3-nict-31b-base", "mmlu", "swallow"): 0.733,
    ("mimo-v2-flash-base", "gsm8k", "report"): None,  # no reference run ties it to anything
}
COPIED = {("gemma-2-2b", "mmlu")}  # a copy that differs from the developer's own card
DOUBTFUL = {  # cells that cannot be what their neighbours say
    ("llama-4-scout", "bbh", "swallow"),
    ("yi-1.5-34b", "hellaswag", "euroeval"),
}
PRICES_OF = {  # USD per million tokens read, as announced
    "oai-davinci003-2022-11": 20.0,
    "oai-gpt35t-0301": 2.0,
    "oai-gpt4-0314": 30.0,
    "ant-claude2": 11.02,
    "oai-gpt4o-0513": 5.0,
    "goo-15flash-cut": 0.075,
}
SIZES = {
    "gpt2-xl": 1_557_611_200,
    "bloom": 176_247_271_424,
    "llama-7b": 6_738_415_616,
    "llama-2-70b": 68_976_648_192,
    "mistral-7b-v0.1": 7_241_732_096,
    "gemma-7b": 8_537_680_896,
    "qwen2-72b": 72_706_203_648,
    "llama-3.1-405b": 405_853_388_800,
}
DATES = {
    "opt-6.7b": "2022-05-02",
    "llama-7b": "2023-02-24",
    "llama-2-7b": "2023-07-18",
    "mistral-7b-v0.1": "2023-09-27",
    "llama-3-8b": "2024-04-18",
    "gemma-2-2b": "2024-07-31",
}
WITHOUT_EMBEDDINGS = {
    # published size without embeddings, rounded as published
    "qwen1.5-7b": 6.5e9,
    "qwen2-72b": 70.21e9,
    "gemma-7b": 7.8e9,
    "gemma-2-9b": 8.2e9,
    "phi-2": 2.5e9,
    "llama-2-7b": 6.4e9,
}


def same_text(wanted: object, found: object) -> str:
    """Say both, or only the one when they agree."""
    return f"{found}" if wanted == found else f"{found}, expected {wanted}"


def check_counts(panels: dict[str, Panel]) -> Iterator[Check]:
    """Sizes of the tables, and enough systems for a trend."""
    wanted = {"open": (147, 585, 90, 4), "paper": (221, 679, 93, 5)}
    for name, panel in panels.items():
        if name not in wanted:
            continue
        found = (len(panel.systems), len(panel.scores), len(panel.runs), len(panel.benchmarks))
        yield (
            f"{name}: systems, scores, runs, benchmarks",
            found == wanted[name],
            same_text(wanted[name], found),
        )
    systems = panels["open"].systems
    usable = systems[
        (systems["domain"] != "code")
        & ~systems["derivation"].eq("quantised")
        & systems["release_date"].between("2019-01-01", "2024-12-31")
    ]
    usable = usable[usable.index.isin(panels["open"].scores["system"])]
    yield "open: at least 110 usable systems 2019 to 2024", len(usable) >= 110, str(len(usable))
    before = usable[usable["release_date"] < "2022-11-30"]
    families, releases = before["family"].nunique(), release_names(before).nunique()
    yield (
        "open: 7 families before ChatGPT",
        families == 7,
        f"{families} families, {releases} releases, {len(before)} systems",
    )
    between = usable["release_date"].between("2022-11-30", "2023-02-23")
    yield "open: one system between ChatGPT and LLaMA", between.sum() == 1, str(between.sum())


def check_values(panels: dict[str, Panel]) -> Iterator[Check]:
    """A few published figures."""
    for (name, system, benchmark), wanted in SCORES.items():
        scores = panels[name].scores
        cell = scores[(scores["system"] == system) & (scores["benchmark"] == benchmark)]["score"]
        good = len(cell) == 1 and abs(cell.iloc[0] - wanted) < 1e-9
        shown = same_text(wanted, float(cell.iloc[0])) if len(cell) else "no such score"
        yield f"{name}: {system} on {benchmark}", good, shown
    systems = panels["open"].systems
    for system, params in SIZES.items():
        found = int(systems["params_total"][system])
        yield f"size of {system}", found == params, same_text(params, found)
    for system, day in DATES.items():
        released = f"{systems['release_date'][system]:%Y-%m-%d}"
        yield f"date of {system}", released == day, same_text(day, released)
    for system, published in WITHOUT_EMBEDDINGS.items():
        size = float(systems["params_nonembedding"][system])
        good = abs(size / published - 1) < 0.02
        yield f"{system} without embeddings", good, f"{size:.4g}, published {published:.4g}"


def check_sizes(panels: dict[str, Panel]) -> Iterator[Check]:
    """Comparable size = total - vocabulary x width where untied; the panels agree on sizes."""
    facts = pd.read_csv(HERE / "embeddings.csv", index_col="system")
    matrix = facts["vocabulary"] * facts["embedding_width"]
    for name, panel in panels.items():
        if name == "current":
            continue  # its sizes are those of the other two, see check_current
        systems = panel.systems.join(matrix.rename("matrix")).join(facts["tied"])
        known = systems[systems["matrix"].notna()]
        tied = known["tied"].astype(bool)
        comparable = known["params_total"] - known["matrix"].where(~tied, 0)
        bare = known["params_total"] - known["matrix"] * np.where(tied, 1, 2)
        for column, rule in (("params_comparable", comparable), ("params_nonembedding", bare)):
            off = known.index[~(np.abs(known[column] / rule - 1) < 0.01)]
            yield (
                f"{name}: {column} follows from embeddings.csv within 1%",
                len(off) == 0,
                f"{len(known)} systems" if len(off) == 0 else ", ".join(off),
            )
        unknown = systems.index[systems["matrix"].isna()]
        basis = systems.loc[unknown, "comparable_basis"]
        blank = systems.loc[unknown, "params_comparable"].isna()
        good = bool((basis == "unknown").all() and blank.all())
        yield f"{name}: unknown comparable sizes are blank", good, f"{len(unknown)} systems"
    left, right = panels["open"].systems, panels["paper"].systems
    for run, width, published in (("7B-4T", 4096, 7_298_617_344), ("13B-5T", 5120, 13_716_198_400)):
        counted = float(panels["open"].runs["params"][run])
        good = counted + 100_352 * width == published
        yield f"{run} leaves out the input embedding only", good, f"{counted:.0f}"
    shared = left.index.intersection(right.index)
    columns = ["params_total", "params_active", "params_comparable", "tokens", "release_date"]
    pair = left.loc[shared, columns], right.loc[shared, columns]
    same = (pair[0] == pair[1]) | (pair[0].isna() & pair[1].isna())
    # token counts may be known to one source only
    same["tokens"] |= pair[0]["tokens"].isna()
    off = shared[~same.all(axis="columns")]
    yield (
        "systems of both panels agree",
        len(off) == 0,
        f"{len(shared)} systems" if len(off) == 0 else ", ".join(off),
    )


def check_runs(panels: dict[str, Panel]) -> Iterator[Check]:
    """The shape of the two reference series."""
    ladder = panels["open"].runs
    finals = ladder[ladder["family"] == "OLMo ladder"]
    multiple = finals["tokens"] / (20 * finals["params"])
    off = np.abs(multiple.to_numpy()[:, None] - np.array([0.5, 1, 2, 5, 10])).min(axis=1)
    yield (
        "open: 30 ladder runs at 0.5 to 10 times 20 tokens a parameter",
        (len(finals) == 30 and bool((off < 1e-3).all())),
        f"{len(finals)} runs",
    )
    checkpoints = int((ladder["annealed"] == "false").sum())
    yield "open: 58 checkpoints", checkpoints == 58, same_text(58, checkpoints)
    panel = panels["paper"]
    for benchmark in panel.benchmarks.index:
        found = (panel.runs_with_loss(benchmark), panel.runs_with_score(benchmark))
        yield f"paper: points on {benchmark}", found == (33, 12), same_text((33, 12), found)


def check_published() -> Iterator[Check]:
    """Second readings, average points and claims against the panel and the paper's counts."""
    panel = load_panel("paper")
    cells = set(zip(panel.scores["system"], panel.scores["benchmark"], strict=True))
    second = pd.read_csv(HERE / "paper" / "alternative_scores.csv")
    strange = [
        pair
        for pair in zip(second["system"], second["benchmark"], strict=True)
        if pair not in cells
    ]
    yield "paper: second readings are of cells of the panel", not strange, f"{len(second)}"
    good = bool(second["score"].between(0, 1).all())
    yield "paper: second readings are shares", good, f"{second['score'].max():.3f} at most"
    figures = pd.read_csv(HERE / "paper" / "figures.csv")["system"].dropna()
    unknown = sorted(set(figures) - set(panel.systems.index))
    yield "paper: systems of the figures are in the panel", not unknown, ", ".join(unknown)
    average = pd.read_csv(HERE / "paper" / "reference_average.csv")
    found = (int(average["params"].notna().sum()), int(average["score"].notna().sum()))
    yield "paper: points of the average", found == (33, 12), same_text((33, 12), found)
    claims = pd.read_csv(HERE / "claims.csv")
    yield "claims: one row each", claims["claim"].is_unique, f"{len(claims)}"
    later = pd.read_csv(HERE / "claims_2026.csv")
    good = list(later.columns) == list(claims.columns) and later["source"].notna().all()
    yield "claims of 2026: same columns, sourced", bool(good), f"{len(later)}"
    twice = set(later["claim"]) & set(claims["claim"])
    yield "claims of 2026: in no other table", later["claim"].is_unique and not twice, ""


def check_figures() -> Iterator[Check]:
    """The envelopes of the paper's figures, and its printed slope and R2."""
    figures = pd.read_csv(HERE / "paper" / "figures.csv", parse_dates=["date"])
    printed = {"fig1": (51, 9, 0.00653, 0.934), "fig2": (47, 9, 0.00665, 0.953)}
    for name, (count, on_envelope, slope, r2) in printed.items():
        points = figures[figures["figure"] == name].sort_values("date", kind="stable")
        envelope = points[points["on_envelope"]]
        found = (len(points), len(envelope))
        yield f"{name}: points, of them on the envelope", found == (count, on_envelope), str(found)
        rises = envelope["value"].is_monotonic_increasing
        top = envelope["value"].max() == points["value"].max()
        yield f"{name}: the envelope is the running maximum", rises and top, f"{len(envelope)}"
        days = (envelope["date"] - envelope["date"].min()).dt.days.to_numpy(float)
        log_density = np.log(envelope["value"].to_numpy(float))
        fitted = float(np.polyfit(days, log_density, 1)[0])
        correlation = float(np.corrcoef(days, log_density)[0, 1])
        good = abs(fitted - slope) < 1e-5 and abs(correlation**2 - r2) < 6e-4
        yield (
            f"{name}: least squares on the envelope",
            good,
            (f"{fitted:.5f} a day, R2 {correlation**2:.3f}"),
        )
    curves = pd.read_csv(HERE / "paper" / "reference_curves.csv", index_col="benchmark")
    losses = load_panel("paper")
    for benchmark in losses.benchmarks.index:
        curve = curves.loc[benchmark]
        points = losses.losses[losses.losses["benchmark"] == benchmark].join(
            losses.runs[["params", "tokens"]], on="run"
        )
        points = points.dropna(subset=["params", "tokens"])
        law = curve["a"] * points["params"] ** -curve["alpha"]
        law += curve["b"] * points["tokens"] ** -curve["beta"]
        off = float(np.sqrt(np.mean(np.log(points["loss"] / law) ** 2)))
        yield f"paper: drawn curve passes the losses on {benchmark}", off < 0.1, f"rms {off:.3f}"


def check_current(panels: dict[str, Panel]) -> Iterator[Check]:
    """The panel to the end of 2025: what it unites, its protocols, units and flags."""
    panel = panels["current"]
    systems, scores = panel.systems, panel.scores
    found = tuple(len(getattr(panel, name)) for name in ("systems", "scores", "runs", "benchmarks"))
    wanted = (315, 2259, 435, 8)
    yield (
        "current: systems, scores, runs, benchmarks",
        found == wanted,
        same_text(wanted, found),
    )
    years = systems["release_date"].dt
    span = f"{years.strftime('%Y-%m').min()} to {years.strftime('%Y-%m').max()}"
    yield "current: released 2019-02 to 2025-12", span == "2019-02 to 2025-12", span
    readings = scores.set_index(["system", "benchmark", "protocol"])
    for cell, published in READINGS.items():
        value = readings["score"].get(cell)
        good = value is None if published is None else value == published
        yield f"current: {' on '.join(cell[:2])} by {cell[2]}", good, same_text(published, value)
    for name in ("open", "paper"):
        other = panels[name]
        shared = other.systems.index.intersection(systems.index)
        yield (
            f"current: has the systems of {name}",
            len(shared) == len(other.systems),
            f"{len(shared)}",
        )
        columns = ["params_total", "params_active", "params_comparable", "release_date", "family"]
        pair = systems.loc[shared, columns], other.systems.loc[shared, columns]
        same = ((pair[0] == pair[1]) | (pair[0].isna() & pair[1].isna())).all(axis=1)
        off = sorted(shared[~same])
        yield f"current: they are as in {name}", not off, ", ".join(off) or "all"
        kept = scores.merge(other.scores, on=["system", "benchmark", "score"])
        cell = ["system", "benchmark"]
        missing = set(other.scores[cell].itertuples(index=False, name=None)) - COPIED
        missing -= set(kept[cell].itertuples(index=False, name=None))
        yield f"current: has the scores of {name}", not missing, f"{sorted(missing) or 'all'}"
    units = panel.losses.join(panel.runs["family"], on="run")
    several = units.groupby(["family", "benchmark"])["loss_unit"].nunique()
    yield (
        "current: a family has one unit a benchmark",
        bool((several == 1).all()),
        f"{len(several)}",
    )
    used = set(scores["protocol"]) | set(panel.reference_scores["protocol"])
    spare = sorted(set(panel.protocols["protocol"]) - used)
    yield "current: every protocol is used", not spare, ", ".join(spare) or f"{len(used)}"
    five_hundred = scores[(scores["protocol"] == "swallow") & (scores["benchmark"] == "math")]
    steps = five_hundred["score"] * 500
    whole = bool((np.abs(steps - steps.round()) < 1e-6).all())
    yield "current: Swallow's MATH has 500 items", whole, f"{len(five_hundred)} scores"
    doubtful = set(readings.index[readings["flag"] == "doubtful"])
    yield "current: doubtful cells are flagged", doubtful >= DOUBTFUL, f"{len(doubtful)}"
    derived = systems[systems["derivation"].isin(["continued", "upcycled"])]
    orphans = derived.index[derived["parent"] == ""]
    yield "current: what was continued names its parent", orphans.empty, f"{len(derived)}"
    last = panel.reference_scores.set_index(["run", "benchmark"])["score"]
    curve = float(last["32B-w12", "hellaswag"])
    yield (
        "current: the 32B run on HellaSwag at 1.7e12 tokens",
        abs(curve - 0.847) < 0.002,
        f"{curve}",
    )


def check_costs(panels: dict[str, Panel]) -> Iterator[Check]:
    """Costs against the panels, and hours against what the chips can do."""
    costs = load_table(COSTS)
    yield "costs: rows", len(costs) == 53, same_text(53, len(costs))
    systems = pd.concat([panel.systems for panel in panels.values()])
    systems = systems[~systems.index.duplicated()]
    shared = costs[costs["system"].isin(systems.index)]
    sizes = systems.loc[shared["system"], ["params_active", "tokens"]].to_numpy()
    given = shared[["params", "tokens"]].to_numpy()
    # tokens may be known here only
    off = shared["entry"][~((given == sizes) | np.isnan(sizes)).all(axis=1)]
    yield "costs: params and tokens are those of the panels", off.empty, ", ".join(off)
    unknown = set(costs["system"]) - set(systems.index) - {""}
    yield "costs: systems are in a panel", not unknown, ", ".join(sorted(unknown))
    hours = costs[(costs["quantity"] == "gpu_hours") & costs["params"].notna()]
    done = 6 * hours["params"] * hours["tokens"] / (hours["peak_flops"] * 3600 * hours["value"])
    good = bool(done.between(0.03, 0.6).all())
    yield (
        "costs: chips run at 3% to 60% of their peak",
        good,
        f"{done.min():.2f} to {done.max():.2f}",
    )
    price = costs.set_index("entry")["value"]
    implied = price["deepseek-v3-cost"] / price["deepseek-v3-hours"]
    yield "costs: DeepSeek-V3 at 2 USD an hour", implied == price["h800-2024-12"], f"{implied:.2f}"


def check_prices() -> Iterator[Check]:
    """Offers against published figures, and dates in order."""
    prices = load_table(PRICES).set_index("offer")
    yield "prices: rows", len(prices) == 136, same_text(136, len(prices))
    for offer, wanted in PRICES_OF.items():
        found = float(prices.loc[offer, "input_price"])
        yield f"prices: {offer}", found == wanted, same_text(wanted, found)
    seen = prices[prices["date_basis"] == "first seen"]
    late = seen.index[seen["date_earliest"] > seen["date"]]
    yield "prices: no offer before its system", late.empty, ", ".join(late)
    others = prices[prices["date_basis"] != "first seen"]
    yield "prices: only sightings have a range", bool(others["date_earliest"].isna().all()), ""
    drawn = np.sort(load_figures("fig3a")["value"])
    plotted = np.sort(prices["plotted_price"].dropna())
    same = len(drawn) == len(plotted) and np.allclose(drawn, plotted, rtol=0.02)
    yield "prices: plotted ones are the figure's", same, str(plotted)


def check_law_runs() -> Iterator[Check]:
    """Training runs of the loss law alone against what is published of them."""
    runs = load_table(LAW_RUNS)
    yield "chinchilla: rows", len(runs) == 245, same_text(245, len(runs))
    few = (runs["tokens"] / runs["params"]).nsmallest(5).index
    flagged = runs.index[runs["flag"] != ""]
    same = set(few) == set(flagged)
    yield "chinchilla: those with fewest tokens are flagged", same, ", ".join(runs["run"][flagged])


def check_technology() -> Iterator[Check]:
    """Values of chips and batteries against published figures."""
    table = load_table(TECHNOLOGY)
    yield "technology: rows", len(table) == 667, same_text(667, len(table))
    given = table["value"].notna() | table["value_high"].notna()
    yield "technology: every point has a value or a limit", bool(given.all()), ""
    chips = table[(table["quantity"] == "compute per price") & (table["kind"] == "chip")]
    rtx = float(chips.loc[chips["label"] == "NVIDIA GeForce RTX 4090", "value"].iloc[0])
    wanted = 82.6e12 / 1599.0
    yield "technology: RTX 4090", abs(rtx / wanted - 1) < 1e-3, f"{rtx:.4g}"


def check_compression(panels: dict[str, Panel]) -> Iterator[Check]:
    """Pairs: counts, sizes as in the panels, scores that are in the panels too."""
    table = load_table(COMPRESSION)
    found = (len(table), table["child"].nunique(), table["parent"].nunique())
    yield (
        "compression: scores, children, parents",
        found == (768, 207, 28),
        same_text((768, 207, 28), found),
    )
    wrong = []
    for _, row in table.iterrows():
        basis = row["size_basis"].split("; ")
        for column, where in (("child_params", basis[0]), ("parent_params", basis[-1])):
            if where != "as named":
                panel, system = where.split("/")
                sizes = panels[panel].systems.loc[system]
                known = sizes["params_comparable"]
                known = known if known > 0 else sizes["params_total"]
                if row[column] != known:
                    wrong.append(f"{row['child']} {column}")
    yield "compression: sizes are those of the panels", not wrong, ", ".join(wrong) or "all"
    scores = panels["paper"].scores.set_index(["system", "benchmark"])["score"]
    shared = [
        (row["child"], abs(row["child_score"] - scores[row["child"], row["benchmark"]]))
        for _, row in table[table["protocol"] == "panel"].iterrows()
        if (row["child"], row["benchmark"]) in scores.index
    ]
    off = [child for child, gap in shared if gap > 0.001]
    yield (
        "compression: children in the paper's panel have their scores there",
        len(shared) >= 10 and not off,
        f"{len(shared)} scores, differing: {', '.join(off) or 'none'}",
    )


def main() -> int:
    """Run all checks; 0 if all hold."""
    try:
        panels = {name: load_panel(name) for name in ("open", "paper", "current")}
        events = load_events()
    except TableError as error:
        print(error)
        return 1
    results = [
        *check_counts(panels),
        *check_values(panels),
        *check_sizes(panels),
        *check_runs(panels),
        *check_current(panels),
        *check_figures(),
        *check_published(),
        *check_prices(),
        *check_technology(),
        *check_law_runs(),
        *check_costs(panels),
        *check_compression(panels),
        ("events: ChatGPT", str(events.at["chatgpt", "date"])[:10] == "2022-11-30", "2022-11-30"),
    ]
    for name, good, text in results:
        print(f"{'ok  ' if good else 'FAIL'} {name}: {text}")
    failed = sum(not good for _, good, _ in results)
    print(f"{len(results) - failed} of {len(results)} checks hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
