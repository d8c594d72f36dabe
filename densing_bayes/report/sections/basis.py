"""Sections of the report on what a fit stands on: model, reference runs, sampling, data, origin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from densing_bayes.display import sentences
from densing_bayes.display.figures.reference import plot_scaling, plot_score_links
from densing_bayes.display.section import Equation, Picture, Section, Table
from densing_bayes.errors import DensingError
from densing_bayes.inputs.dates import date_of
from densing_bayes.joint.variables import listed
from densing_bayes.observed.readings import protocols_of
from densing_bayes.posterior.diagnostics import BFMI_MIN, ESS_MIN, RHAT_MAX, TREE_DEPTH_LIMIT
from densing_bayes.posterior.estimates import estimate
from densing_bayes.posterior.result import CI, Fit
from densing_bayes.quantities import numbers
from densing_bayes.quantities.labels import benchmark_label, unit_of_density

if TYPE_CHECKING:
    from densing_bayes.inputs.panel import Panel

LINKS = {"loss": "loss", "direct": "params and tokens", "size": "params of the systems"}
MOST_SOURCES = 60  # that the data section lists in full


# The model ---------------------------------------------------------------------------------------


def model_section(fit: Fit, ci: float = CI) -> Section:
    """The model in words and equations, and every prior beside its posterior."""
    spec = fit.spec
    rows = tuple(
        (name, text, _posterior_text(fit, name, ci)) for name, text in listed(spec).items()
    )
    return Section(
        "model",
        "The model and its priors",
        _in_words(fit),
        tables=(
            Table(
                (
                    "Prior",
                    "Distribution: central 95%",
                    f"Posterior, {numbers.percent(ci)} interval",
                ),
                rows,
                name="priors",
                note="Parameters of several benchmarks or classes show the range of their medians.",
                left=frozenset({1}),
            ),
        ),
        equations=_equations(fit),
        document=spec.model_dump(mode="json"),
    )


def _in_words(fit: Fit) -> tuple[str, ...]:
    size = f"the size of a system is its '{fit.spec.panel.size}' count."
    together = (
        "Everything is estimated at once, so the interval of a doubling time includes the "
        "uncertainty of all parts."
    )
    if fit.observed.without_runs:
        return (
            "Sizes, dates and scores of the systems give each benchmark's score curve over params "
            "and the mean line of density. Two conventions make up for reference runs: the "
            f"{unit_of_density(fit)} has density 1, and density has no slope in size, so that its "
            f"unit is what size is worth among these systems. {together}",
            f"What longer training or better data add to the scores of larger systems counts as an "
            f"effect of size; {size}",
        )
    return (
        "Losses and scores of a reference family give each benchmark's scaling law and score "
        "curve; scores of systems give their effective params on that curve; densities and "
        f"release dates give the frontier. {together}",
        f"D0 is {numbers.count(fit.spec.panel.reference_tokens)} tokens; {size}",
    )


def _equations(fit: Fit) -> tuple[Equation, ...]:
    """The equations of the model, as its specification has them."""
    spec = fit.spec
    irreducible = "E_k + " if spec.scaling.irreducible else ""
    equations = [
        Equation(
            "Loss of a reference run with N params and D tokens on benchmark k",
            rf"L_k(N, D) = {irreducible}a_k N^{{-\alpha_k}} + b_k D^{{-\beta_k}}",
        ),
        Equation(
            "Score from a loss, or from size and tokens where no loss is known",
            r"S = f_k + \frac{h_k - f_k}{1 + e^{-\gamma_k (l_k - L)}}, \qquad "
            r"S = f_k + \frac{h_k - f_k}{1 + e^{-(\lambda_k \ln N + \ldots)}}",
        ),
        Equation(
            "Density of system m: effective params over params",
            r"\rho_m = \frac{N_{\mathrm{eff},m}}{N_m}, \qquad "
            r"L_k(N_{\mathrm{eff},mk}, D_0) \mapsto S_{mk}",
        ),
    ]
    if fit.observed.without_runs:
        equations = [
            Equation(
                "Score of system m on benchmark k",
                r"S_{mk} = f_k + \frac{h_k - f_k}"
                r"{1 + e^{-g_k (\ln N_{\mathrm{eff},mk} - \theta_k)}}",
            ),
            Equation(
                "Density of system m: effective params over params",
                r"\rho_m = \frac{N_{\mathrm{eff},m}}{N_m}",
            ),
        ]
    size = r" + s (\ln N_m - \overline{\ln N})" if spec.trend.size_slope else ""
    edge = rf"\ln \rho_m = F(t_m) - u_m + w_{{o(m)}}{size} + v_m"
    if spec.trend.frontier == "none":
        edge = edge.replace(" - u_m", " + r_m")
    place = "about the mean trend" if spec.trend.frontier == "none" else "below the frontier"
    equations.append(Equation(f"Its place {place} F at its release date", edge))
    slopes = [change for change in spec.trend.changes if change.slope]
    if slopes and spec.trend.smooth is None and spec.trend.saturation is None:
        equations.append(
            Equation(
                f"Frontier, whose growth rate changes {sentences.change_phrase(fit)}",
                r"F(t) = \mathrm{level} + A_0 t + \sum_c \Delta_c \max(t - t_c, 0)",
            )
        )
    return tuple(equations)


def _posterior_text(fit: Fit, path: str, ci: float) -> str:
    """Posterior of the variable that a prior's name ends with, if there is one."""
    names = [name for name in map(str, fit.posterior.data_vars) if path.endswith(f".{name}")]
    if not names:
        return ""
    draws = fit.posterior[names[0]].transpose("chain", "draw", ...)
    if not draws.size:
        return ""
    middle = np.median(draws.to_numpy(), axis=(0, 1))
    if middle.size == 1:
        said = estimate(draws, "1", ci)
        return f"{numbers.median(said)} ({numbers.limits(said)})"
    return f"{numbers.number(float(middle.min()))} to {numbers.number(float(middle.max()))}"


def reference_section(fit: Fit, ci: float = CI) -> Section:
    """Scaling laws and score links."""
    observed, span = fit.observed, numbers.percent(ci)
    alone = observed.without_runs
    of_runs = "" if alone else f"{len(observed.reference_score)} scores of reference runs and "
    determined = "" if alone else ", the reference runs that determine it,"
    apart = (
        " A system measured under another protocol than the anchor lies off the curve by the "
        "offset of that protocol."
        if observed.measures
        else ""
    )
    pictures = [
        Picture(
            partial(plot_scaling, fit, ci=ci),
            f"Loss against params of {len(set(observed.loss_label))} losses of reference runs on "
            + ", ".join(benchmark_label(name, observed) for name in observed.loss_benchmarks)
            + " with the fitted law at three token counts.",
            "scaling",
            f"Conditional loss of the reference runs, coloured by their tokens, with the fitted "
            f"law at the fewest, a middle number of and the most tokens ({span} bands).",
            "Scaling laws of the reference runs",
        ),
        Picture(
            partial(plot_score_links, fit, ci=ci),
            f"Score links of {len(observed.benchmarks)} benchmarks with {of_runs}"
            f"{len(observed.score)} scores of systems.",
            "score_links",
            f"Fitted link of each benchmark ({span} band){determined} and the systems at the place "
            "where the posterior median puts them. Dashed: score of guessing. Systems far down at "
            f"the floor lie beyond the left edge.{apart}",
            "From size to score" if alone else "From loss or size to score",
        ),
    ]
    return Section(
        "score-links" if alone else "reference-runs",
        "Score curves" if alone else "Reference runs",
        pictures=tuple(pictures if observed.loss_benchmarks else pictures[1:]),
    )


# What it rests on --------------------------------------------------------------------------------


def diagnostics_section(fit: Fit) -> Section:
    """Convergence checks."""
    figures = fit.diagnostics
    worst = figures.get("worst", {})

    def of(name: str) -> str:
        return f" ({worst[name]})" if worst.get(name) else ""

    checks = [
        (
            "R-hat, largest" + of("rhat"),
            f"{figures['rhat_max']:.4f}",
            f"<= {RHAT_MAX}",
            figures["rhat_max"] <= RHAT_MAX,
        ),
        *(
            (
                f"{kind} ESS, smallest" + of(f"ess_{kind.lower()}"),
                f"{figures[f'ess_{kind.lower()}_min']:.0f}",
                f">= {ESS_MIN}",
                figures[f"ess_{kind.lower()}_min"] >= ESS_MIN,
            )
            for kind in ("Bulk", "Tail")
        ),
        ("Divergent transitions", f"{figures['divergences']}", "0", figures["divergences"] == 0),
        (
            "E-BFMI, smallest",
            f"{figures['bfmi_min']:.2f}",
            f">= {BFMI_MIN}",
            figures["bfmi_min"] >= BFMI_MIN,
        ),
        (
            "Tree depth, largest",
            f"{figures['tree_depth_max']}",
            f"< {TREE_DEPTH_LIMIT}",
            figures["tree_depth_max"] < TREE_DEPTH_LIMIT,
        ),
    ]
    rows = tuple((*cells, "passes" if good else "fails") for *cells, good in checks)
    return Section(
        "diagnostics",
        "Diagnostics",
        (sentences.verdict_sentence(fit),),
        tables=(Table(("Check", "Figure", "Limit", "Result"), rows),),
        document=figures,
    )


def data_section(fit: Fit, panel: Panel | None) -> Section:
    """What the model has seen, system by system, and where it is from."""
    observed = fit.observed
    labels = [benchmark_label(name, observed) for name in observed.benchmarks]
    scores = np.full((len(observed.systems), len(labels)), np.nan)
    scores[observed.cell_system, observed.cell_benchmark] = observed.score
    sources = sources_of(fit, panel)
    numbered: dict[str, int] = {}
    rows = []
    for i in np.argsort(observed.time, kind="stable"):
        name = observed.systems[i]
        places = [numbered.setdefault(text, len(numbered) + 1) for text in sources.get(name, [])]
        rows.append(
            (
                name,
                date_of(float(observed.time[i])).date().isoformat(),
                numbers.count(float(np.exp(observed.log_params[i]))),
                *("" if np.isnan(value) else f"{value:.3f}" for value in scores[i]),
                *([", ".join(map(str, sorted(places)))] if sources else []),
            )
        )
    header = ("System", "Released", "Params", *labels, *(["Sources"] if sources else []))
    listed_sources = tuple(f"{number}. {text}" for text, number in numbered.items())
    note = "Scores of the systems as the model has seen them."
    if observed.measures:
        note += (
            " Of several protocols that have measured a system, the first that the specification "
            f"names is shown; it has seen {len(observed.repeat_score)} scores of others, too."
        )
    return Section(
        "data",
        "Data",
        (sentences.counts_sentence(fit), sentences.releases_sentence(fit)),
        ()
        if sources
        else ("The sources are in the tables of the panel, which were not available.",),
        (
            _of_benchmarks(fit, labels),
            *_releases_joined(fit),
            Table(
                header,
                tuple(rows),
                name="data",
                note=note,
                left=frozenset({len(header) - 1}) if sources else frozenset(),
                long=True,
            ),
        ),
        folded=(f"{len(numbered)} sources", listed_sources) if sources else None,
        document={
            "counts": observed.counts().to_dict(orient="index"),
            "releases_joined": [
                {"release": str(name), "systems": row["systems"]}
                | {end: row[end].isoformat() for end in ("first", "last")}
                for name, row in observed.joined().iterrows()
            ],
        },
    )


def _of_benchmarks(fit: Fit, labels: list[str]) -> Table:
    """How many scores each benchmark has."""
    observed = fit.observed
    rows = tuple(
        (
            labels[k],
            LINKS[fit.spec.benchmarks[name].link],
            str(int((observed.cell_benchmark == k).sum())),
            str(int((observed.reference_benchmark == k).sum())),
        )
        for k, name in enumerate(observed.benchmarks)
    )
    header = ("Benchmark", "Linked through", "Scores of systems", "Scores of reference runs")
    return Table(header, rows, name="data-benchmarks", left=frozenset({1}))


def _releases_joined(fit: Fit) -> tuple[Table, ...]:
    """Releases of more than one date, if there are any."""
    rows = tuple(
        (str(name), row["first"].isoformat(), row["last"].isoformat(), ", ".join(row["systems"]))
        for name, row in fit.observed.joined().iterrows()
    )
    if not rows:
        return ()
    header = ("Release", "First", "Last", "Systems")
    note = (
        "Releases whose systems came out on more than one date; the first is that of the release."
    )
    return (Table(header, rows, name="releases", note=note, left=frozenset({3})),)


def sources_of(fit: Fit, panel: Panel | None) -> dict[str, list[str]]:
    """Sources of each system's facts and scores; nothing without the tables."""
    if panel is None:
        return {}
    found = {}
    scores = panel.scores
    named = {name: protocols_of(fit.spec, name) for name in fit.observed.benchmarks}
    used = [
        benchmark in named and (not named[benchmark] or protocol in named[benchmark])
        for benchmark, protocol in zip(scores["benchmark"], scores["protocol"], strict=True)
    ]
    sources = scores[used].astype({"source": str}).groupby("system")["source"].agg(list).to_dict()
    for name in fit.observed.systems:
        texts = [str(panel.systems["source"].get(name, "")), *sources.get(name, [])]
        found[name] = [text for text in dict.fromkeys(texts) if text and text != "nan"]
    return found


def tables_of(fit: Fit) -> Panel | None:
    """The embedded panel that a fit has seen; none if it was another or has changed since."""
    from densing_bayes.inputs.panel import load_panel

    try:
        panel = load_panel(fit.spec.panel.source)
    except DensingError:
        return None
    return panel if panel.sha256 == fit.provenance.get("tables_hash") else None


def provenance_section(fit: Fit) -> Section:
    """What made the fit, enough to make it again."""
    source = fit.provenance
    sampler = source["sampler"]
    fallbacks = fit.observed.size_fallbacks
    trained = f" at D0 = {numbers.count(fit.spec.panel.reference_tokens)} tokens"
    tokens = "" if fit.observed.without_runs else trained
    rows = (
        ("Specification", f"{fit.spec.name}: {fit.spec.description}"),
        ("Specification hash", source["spec_hash"]),
        ("Panel", str(source.get("panel", "not named"))),
        ("Hash of the tables", str(source.get("tables_hash", "not known"))),
        ("Hash of the data the model saw", source["data_hash"]),
        ("Density 1", f"{unit_of_density(fit)}{tokens}"),
        (
            "Size of a system",
            fit.spec.panel.size
            + (f" (total for {fallbacks} where it is not known)" if fallbacks else ""),
        ),
        (
            "Sampler",
            f"{sampler['name']}, {sampler['chains']} chains of {sampler['draws']} draws after "
            f"{sampler['tune']} tuning steps, target acceptance {sampler['target_accept']}",
        ),
        ("Seed", str(source["seed"])),
        ("Versions", ", ".join(f"{name} {text}" for name, text in source["versions"].items())),
        (
            "Fitted",
            f"{source['created']}, {source['seconds']['total']:.0f} s on {sampler['cores']} cores",
        ),
    )
    return Section(
        "provenance",
        "Provenance",
        tables=(Table(("What", "Value"), rows, left=frozenset({1})),),
        document=source,
    )
