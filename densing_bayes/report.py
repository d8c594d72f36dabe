"""Report of a fit: one HTML file that needs no network, the same as Markdown, and all numbers."""

from __future__ import annotations

import base64
import io
import os
import re
import tempfile
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from densing_bayes import tally, wording
from densing_bayes.canvas import figure_of
from densing_bayes.diagnostics import BFMI_MIN, ESS_MIN, RHAT_MAX, TREE_DEPTH_LIMIT
from densing_bayes.documents import (
    claims_document,
    density_document,
    json_text,
    shelf_life_document,
)
from densing_bayes.errors import DensingError
from densing_bayes.fitting import CI, Fit
from densing_bayes.ledger import claims
from densing_bayes.observations import date_of
from densing_bayes.quantities import READINGS, estimate, frontier
from densing_bayes.section import Section
from densing_bayes.summary import trend_summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from densing_bayes.ledger import Judgeable

DENSEST: Final = 20
_COLOURS: Final = {  # of the light figure, to the variables of the page's style sheet
    "#20262e": "var(--ink)",
    "#5b6470": "var(--muted)",
    "#7d8793": "var(--muted)",
    "#8b95a1": "var(--muted)",
    "#ffffff": "var(--paper)",
    "#0072b2": "var(--blue)",
    "#d55e00": "var(--vermilion)",
    "#009e73": "var(--green)",
}


class Picture(NamedTuple):
    """A figure of the report with the words that go with it."""

    name: str
    title: str
    alt: str
    caption: str
    svg: str
    png: bytes


def write_report(
    fit: Fit,
    directory: str | os.PathLike[str],
    ci: float = CI,
    beside: Iterable[Judgeable] = (),
    sections: Iterable[Section] = (),
) -> list[Path]:
    """Write a fit's report: report.html, report.md with its figures, and report.json.

    Parameters
    ----------
    fit
        The fit. If it has not passed, every headline is marked and a banner says why.
    directory
        Folder, made if it does not exist. Reports of that name in it are replaced, each file
        in one step.
    ci
        Probability of the intervals.
    beside
        Fits of other panels, for the ledger of claims.
    sections
        Further sections, such as those of
        :func:`densing_bayes.corollaries.sections.corollary_sections`.

    Returns
    -------
    list of Path
        Files written: report.html, report.md, report.json, then one PNG per figure.

    Raises
    ------
    DensingError
        If the folder cannot be written to.
    """
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ledger = claims([fit, *beside], ci)
        more = list(sections)
        content = _content(fit, ci, ledger) | {
            "sections": [(section, _section_pictures(section)) for section in more]
        }
        document = report_document(fit, ci, content["trend"], ledger, more)
        files = {
            "report.html": _render("report.html.jinja", content).encode(),
            "report.md": _render("report.md.jinja", content).encode(),
            "report.json": (json_text(document) + "\n").encode(),
        } | {
            f"report_{picture.name}.png": picture.png
            for picture in (
                *content["pictures"],
                *content["ledger_pictures"],
                *(picture for _, pictures in content["sections"] for picture in pictures),
            )
        }
        return [_write(folder / name, text) for name, text in files.items()]
    except OSError as error:
        raise DensingError(
            f"cannot write the report to {folder}: {error.strerror}; choose a folder that you may "
            f"write to"
        ) from error


def report_document(
    fit: Fit,
    ci: float = CI,
    trend: dict[str, Any] | None = None,
    ledger: pd.DataFrame | None = None,
    sections: Iterable[Section] = (),
) -> dict[str, Any]:
    """All numbers of the report.

    Returns
    -------
    dict
        ``headline`` (list of key, title, value, interval, sentence), ``verdict``, ``trend`` (as
        ``densing-bayes trend --json``), ``readings`` (density at dates, by reading),
        ``densities``, ``shelf_lives``, ``claims`` (as ``densing-bayes claims --json``),
        ``sections`` (what further ones hold, by name), ``counts``, ``diagnostics``, ``provenance``
        and ``specification``.
    """
    trend = trend_summary(fit, ci) if trend is None else trend
    ledger = claims([fit], ci) if ledger is None else ledger
    density, life = density_document(fit, ci), shelf_life_document(fit, ci=ci)
    return {
        "headline": [item._asdict() for item in wording.headline(fit, trend)],
        "verdict": fit.verdict,
        "ci": ci,
        "trend": trend,
        "readings": readings(fit, ci),
        "densities": density["systems"],
        "shelf_lives": {key: life[key] for key in ("kappa", "frontier", "systems")},
        "claims": claims_document(ledger),
        "sections": {section.name: section.document for section in sections},
        "counts": trend["counts"],
        "diagnostics": fit.diagnostics,
        "provenance": fit.provenance,
        "specification": fit.spec.model_dump(mode="json"),
    }


def readings(fit: Fit, ci: float = CI) -> list[dict[str, Any]]:
    """Density under each reading of "best" at each change and at the last release.

    Returns
    -------
    list of dict
        reading and, by ISO date, the estimate of the density.
    """
    observed = fit.observed
    known = observed.change_earliest[observed.change_earliest == observed.change_latest]
    times = [*known, observed.time.max()]
    dates = [date_of(float(time)) for time in times]
    rows = []
    for reading in READINGS:
        draws = frontier(fit, dates, reading)
        rows.append(
            {"reading": reading}
            | {
                date.date().isoformat(): estimate(np.exp(draws.isel(date=i)), "1", ci)
                for i, date in enumerate(dates)
            }
        )
    return rows


def _content(fit: Fit, ci: float, ledger: pd.DataFrame) -> dict[str, Any]:
    """Everything that the templates show."""
    trend = trend_summary(fit, ci)
    density = density_document(fit, ci)["systems"]
    life = {entry["system"]: entry for entry in shelf_life_document(fit, ci=ci)["systems"]}
    observed = fit.observed
    return {
        "w": wording,
        "fit": fit,
        "trend": trend,
        "ci": wording.percent(ci),
        "passed": fit.verdict == "PASS",
        "verdict": wording.verdict_sentence(fit),
        "statements": wording.headline(fit, trend),
        "counts": wording.counts_sentence(fit),
        "names": wording.before_after(fit),
        "trend_rows": wording.trend_rows(fit, trend),
        "benchmark_rows": wording.benchmark_rows(fit, trend),
        "readings": readings(fit, ci),
        "reading_labels": wording.READINGS,
        "densities": density,
        "densest": DENSEST,
        "extrapolated": wording.extrapolation_sentence(density),
        "lives": [life[entry["system"]] for entry in density],
        "checks": _checks(fit),
        "provenance": _provenance(fit),
        "benchmarks": [
            (
                wording.benchmark_label(name),
                "loss" if name in observed.loss_benchmarks else "params and tokens",
                int((observed.cell_benchmark == k).sum()),
                int((observed.reference_benchmark == k).sum()),
            )
            for k, name in enumerate(observed.benchmarks)
        ],
        "pictures": _pictures(fit, trend, ci),
        "ledger": tally.ledger_rows(ledger),
        "ledger_summary": tally.summary_sentence(ledger),
        "ledger_rule": tally.RULE,
        "ledger_reasons": tally.reasons(ledger),
        "ledger_pictures": _ledger_pictures(ledger, ci),
    }


def _checks(fit: Fit) -> list[tuple[str, str, str, bool]]:
    """Convergence checks: name, figure, limit, passed."""
    figures = fit.diagnostics
    worst = figures.get("worst", {})

    def of(name: str) -> str:
        return f" ({worst[name]})" if worst.get(name) else ""

    return [
        (
            "R-hat, largest" + of("rhat"),
            f"{figures['rhat_max']:.4f}",
            f"<= {RHAT_MAX}",
            figures["rhat_max"] <= RHAT_MAX,
        ),
        (
            "Bulk ESS, smallest" + of("ess_bulk"),
            f"{figures['ess_bulk_min']:.0f}",
            f">= {ESS_MIN}",
            figures["ess_bulk_min"] >= ESS_MIN,
        ),
        (
            "Tail ESS, smallest" + of("ess_tail"),
            f"{figures['ess_tail_min']:.0f}",
            f">= {ESS_MIN}",
            figures["ess_tail_min"] >= ESS_MIN,
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


def _provenance(fit: Fit) -> list[tuple[str, str]]:
    source = fit.provenance
    sampler = source["sampler"]
    rows = [
        ("Specification", f"{fit.spec.name}: {fit.spec.description}"),
        ("Specification hash", source["spec_hash"]),
        ("Panel", str(source.get("panel", "not named"))),
        ("Hash of the tables", str(source.get("tables_hash", "not known"))),
        ("Hash of the data the model saw", source["data_hash"]),
        ("Reference tokens D0", wording.count(fit.spec.panel.reference_tokens)),
        (
            "Size of a system",
            fit.spec.panel.size
            + (
                f" (total for {fit.observed.size_fallbacks} where it is not known)"
                if fit.observed.size_fallbacks
                else ""
            ),
        ),
        (
            "Sampler",
            f"{sampler['name']}, {sampler['chains']} chains of {sampler['draws']} draws "
            f"after {sampler['tune']} tuning steps, target acceptance "
            f"{sampler['target_accept']}",
        ),
        ("Seed", str(source["seed"])),
        ("Versions", ", ".join(f"{name} {text}" for name, text in source["versions"].items())),
        (
            "Fitted",
            f"{source['created']}, {source['seconds']['total']:.0f} s on {sampler['cores']} cores",
        ),
    ]
    return rows


def _pictures(fit: Fit, trend: dict[str, Any], ci: float) -> list[Picture]:
    from densing_bayes.plots import figures

    names = wording.before_after(fit)
    observed = fit.observed
    last = trend["density_at_last_release"]
    span = wording.percent(ci)
    edge = (
        f"{wording.median(last['frontier'], 2)} times the reference family on {last['date']} "
        f"({span} interval {wording.limits(last['frontier'], 2)})"
    )
    times = trend["doubling_time_days"]
    sides = (
        ""
        if names is None
        else " Doubling time "
        + ", ".join(
            f"{name}: {wording.median(times[key])} days ({wording.limits(times[key])})"
            for name, key in zip(names, ("before", "after"), strict=True)
        )
        + "."
    )
    rates = "; ".join(
        f"{row.label} {row.median} ({row.limits})"
        for row in wording.trend_rows(fit, trend)
        if "1/day" in row.label
    )
    words = {
        "frontier": (
            "Densities and the frontier",
            f"Scatter of the densities of {len(observed.systems)} systems over release dates with "
            f"the frontier, which stands at {edge}.{sides}",
            f"Capability density of each system (median, {span} interval) and the frontier F, the "
            "upper edge of the trend (line and band). A density of 1 is that of the reference "
            "family. Open circles are extrapolated beyond the sizes of the reference runs. "
            "Names: systems that were the densest at their date.",
        ),
        "growth": (
            "Growth rates",
            f"Posterior densities of the growth rates over their priors. {rates}.",
            f"Posterior of the growth rate of the frontier with median and {span} interval; "
            "in grey the prior at the same scale.",
        ),
        "scaling": (
            "Scaling laws of the reference runs",
            f"Loss against params of {len(set(observed.loss_label))} losses of reference runs on "
            + ", ".join(map(wording.benchmark_label, observed.loss_benchmarks))
            + " with the fitted law at three token counts.",
            f"Conditional loss of the reference runs, coloured by their tokens, with the fitted "
            f"law at the fewest, a middle number of and the most tokens ({span} bands).",
        ),
        "score_links": (
            "From loss or size to score",
            f"Score links of {len(observed.benchmarks)} benchmarks with "
            f"{len(observed.reference_score)} scores of reference runs and "
            f"{len(observed.score)} scores of systems.",
            f"Fitted link of each benchmark ({span} band), the reference runs that determine it, "
            "and the systems at the place where the posterior median puts them. Dashed: score of "
            "guessing. Systems far down at the floor lie beyond the left edge.",
        ),
    }
    return [
        Picture(name, *words[name], _svg(figure, name), _png(figure))
        for name, figure in figures(fit, ci).items()
    ]


def _ledger_pictures(ledger: pd.DataFrame, ci: float) -> list[Picture]:
    """The figure of the ledger; none if no panel can test a claim about a value."""
    from densing_bayes.ledger_plot import plot_claims, shown

    if not len(shown(ledger)):
        return []
    figure = figure_of(plot_claims(ledger))
    picture = Picture(
        "claims",
        "Published values on our posteriors",
        f"Medians and {wording.percent(ci)} intervals of claimed quantities over their published "
        f"values, by panel. {tally.summary_sentence(ledger)}",
        "Each posterior over the value that was published for it: 1 is the published value, the "
        "grey band what rounds to it, a cross the rival that would make the claim uninformative.",
        _svg(figure, "claims"),
        _png(figure),
    )
    return [picture]


def _section_pictures(section: Section) -> list[Picture]:
    if section.figure is None:
        return []
    svg, png = _svg(section.figure, section.name), _png(section.figure)
    return [Picture(section.name, section.title, section.alt, section.caption, svg, png)]


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def _svg(figure: Figure, name: str) -> str:
    """The figure as SVG to stand in a page: colours by style sheet, ids of its own."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'\b(id="|url\(#|xlink:href="#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r'(<svg [^>]*?)width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg [^>]*?)height="[^"]*"', r"\1", text, count=1)
    text = text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
    for colour, variable in _COLOURS.items():
        text = re.sub(rf"(fill|stroke): {colour}", rf"\1: {variable}", text, flags=re.IGNORECASE)
    return re.sub(r"\n\s*", "\n", text)


def _render(template: str, content: dict[str, Any]) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(
            lambda name: resources.files("densing_bayes").joinpath(name).read_text("utf-8")
        ),
        autoescape=template.endswith(".html.jinja"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode()
    return environment.get_template(template).render(content)


def _write(path: Path, content: bytes) -> Path:
    """Write a file in one step, readable as the user's umask has it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path
