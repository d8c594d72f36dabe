"""Graph of the joint model: its variables, their dims, and what depends on what.

    python analyses/model_graph.py

The edges come from the PyMC model itself; only the places of the variables are given here. A
variable without a place is an error. Left out are standardised effects, logits and containers of
data.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from pymc.model_graph import ModelGraph

import densing_bayes as db
from densing_bayes.display.figures.canvas import BLUE, GREEN, GREY, INK, PURPLE, VERMILION

COLUMN, MIDDLE = (0.75, 2.05, 3.35, 4.65), 2.7
HALF_WIDTH, HALF_HEIGHT = 0.6, 0.28
PLACES = {
    "Scaling": {
        "log_params_exponent_mean": (COLUMN[0], 17.6),
        "params_exponent_spread": (COLUMN[1], 17.6),
        "log_tokens_exponent_mean": (COLUMN[2], 17.6),
        "tokens_exponent_spread": (COLUMN[3], 17.6),
        "params_exponent": (COLUMN[0], 16.7),
        "tokens_exponent": (COLUMN[2], 16.7),
        "irreducible_loss": (COLUMN[0], 15.9),
        "params_loss": (COLUMN[1], 15.9),
        "tokens_loss": (COLUMN[2], 15.9),
        "irreducible_share": (COLUMN[0], 14.95),
        "loss_at_centre": (COLUMN[1], 14.95),
        "params_share": (COLUMN[2], 14.95),
        "loss": (COLUMN[3], 15.9),
        "loss_noise": (COLUMN[3], 14.95),
    },
    "Performance": {
        "floor_shift": (COLUMN[0], 13.45),
        "floor": (COLUMN[0], 12.55),
        "ceiling": (COLUMN[1], 12.55),
        "steepness": (COLUMN[0], 11.8),
        "midpoint": (COLUMN[1], 11.8),
        "discrimination": (COLUMN[0], 11.05),
        "difficulty": (COLUMN[1], 11.05),
        "token_elasticity": (COLUMN[2], 11.05),
        "curve_start": (COLUMN[2], 11.8),
        "curve_rise": (COLUMN[2], 12.55),
        "run_spread": (COLUMN[1], 13.45),
        "run_effect": (COLUMN[2], 13.45),
        "reference_noise": (COLUMN[3], 13.45),
        "reference_score": (COLUMN[3], 12.55),
    },
    "Trend": {
        "level": (COLUMN[0], 7.7),
        "growth_before": (COLUMN[1], 7.7),
        "growth_change": (COLUMN[2], 7.7),
        "change_earliest": (COLUMN[3], 7.7),
        "log_density": (MIDDLE, 6.8),
        "size_slope": (COLUMN[0], 5.9),
        "shortfall": (COLUMN[1], 5.9),
        "organisation_effect": (COLUMN[2], 5.9),
        "system_spread": (COLUMN[3], 5.9),
        "shortfall_spread": (COLUMN[1], 5.05),
        "organisation_spread": (COLUMN[2], 5.05),
        "release_effect": (COLUMN[0], 5.05),
        "release_spread": (COLUMN[0], 4.2),
        "slope_step": (COLUMN[0], 8.6),
        "level_step": (COLUMN[1], 8.6),
        "period_effect": (COLUMN[2], 8.6),
        "slope_step_spread": (COLUMN[0], 9.5),
        "level_step_spread": (COLUMN[1], 9.5),
        "period_spread": (COLUMN[2], 9.5),
    },
    "Density": {
        "drift_spread_before": (COLUMN[0], 2.75),
        "drift_spread_change": (COLUMN[1], 2.75),
        "lean_spread": (COLUMN[2], 2.75),
        "organisation_lean": (COLUMN[3], 2.75),
        "drift_before": (COLUMN[0], 1.95),
        "drift_change": (COLUMN[1], 1.95),
        "format_offset": (COLUMN[2], 1.95),
        "benchmark_spread": (COLUMN[3], 1.95),
        "log_effective_params": (MIDDLE, 1.05),
        "score": (MIDDLE, 0.2),
        "protocol_noise": (COLUMN[0], 0.2),
    },
}
COLOURS = {"Scaling": BLUE, "Performance": GREEN, "Trend": VERMILION, "Density": PURPLE}
BOXES = {  # left, bottom, right, top
    "Scaling": (0.05, 14.5, 5.35, 18.35),
    "Performance": (0.05, 10.55, 5.35, 14.2),
    "Trend": (0.05, 3.8, 5.35, 10.25),
    "Density": (0.05, -0.2, 5.35, 3.5),
}
CURVES = {  # variables that act together, the box around them, and where it leaves for the scores
    "loss law": (
        ("params_exponent", "tokens_exponent", "irreducible_loss", "params_loss", "tokens_loss"),
        (0.1, 15.55, 4.0, 17.05),
        (16.7, 5.65, 0.28),
    ),
    "score link": (
        ("floor", "ceiling", "steepness", "midpoint", "discrimination", "difficulty",
         "token_elasticity", "curve_start", "curve_rise"),
        (0.1, 10.67, 4.0, 12.9),
        (11.05, 5.5, 0.12),
    ),
}  # fmt: skip
LABELS = {"loss law": (COLUMN[1], 16.7), "score link": (COLUMN[2], 12.2)}
SYMBOLS = {
    "params_exponent": r"$\alpha$", "tokens_exponent": r"$\beta$", "irreducible_loss": "$E$",
    "params_loss": "$a$", "tokens_loss": "$b$", "loss_noise": r"$\sigma$", "loss": "$L$",
    "loss_at_centre": "$c$", "irreducible_share": "$q$", "params_share": "$p$",
    "log_params_exponent_mean": r"$\mu_\alpha$", "params_exponent_spread": r"$\tau_\alpha$",
    "log_tokens_exponent_mean": r"$\mu_\beta$", "tokens_exponent_spread": r"$\tau_\beta$",
    "floor": "$f$", "ceiling": "$h$", "steepness": r"$\gamma$", "midpoint": "$l$",
    "discrimination": "$g$", "difficulty": r"$\theta$", "token_elasticity": r"$\lambda$",
    "curve_start": "$s_k$", "curve_rise": "$r_k$", "run_effect": "$e$", "run_spread": r"$\upsilon$",
    "reference_noise": r"$\eta$", "protocol_noise": r"$\eta$", "reference_score": "$S$",
    "score": "$S$", "log_density": r"$\ln\rho$", "log_effective_params": "$x$",
    "format_offset": "$o$", "benchmark_spread": r"$\omega$", "drift_before": "$B$",
    "drift_change": "$C$", "level": "$F_0$", "growth_before": "$A$", "growth_change": r"$\Delta$",
    "change_earliest": r"$\tau$", "shortfall": "$u$", "organisation_effect": "$w$",
    "size_slope": "$s$", "system_spread": "$v$", "shortfall_spread": r"$\sigma_u$",
    "slope_step": r"$\eta$", "level_step": r"$\epsilon$", "slope_step_spread": r"$\sigma_\eta$",
    "level_step_spread": r"$\sigma_\epsilon$",
}  # fmt: skip
OBSERVED = ("loss", "reference_score", "score")
DERIVED = ("floor", "params_exponent", "tokens_exponent", "irreducible_loss", "params_loss",
           "tokens_loss", "steepness", "midpoint", "discrimination", "difficulty",
           "drift_before", "drift_change", "organisation_effect", "organisation_lean",
           "release_effect", "period_effect", "slope_step", "level_step",
           "run_effect")  # fmt: skip
HERE = Path(__file__).parent


def hidden(name: str) -> bool:
    """Say whether a variable is left out: it only carries another one."""
    standardised = name.endswith("_offset") and name != "format_offset"
    return standardised or name.endswith(("_logit", "_data"))


def edges() -> tuple[list[tuple[str, str]], dict[str, tuple[str, ...]]]:
    """Edges and dims of the joint model; a curve stands for its variables."""
    model = db.build_model(db.load_spec("joint"), db.load_panel("open"))
    parents = {k: v for k, v in ModelGraph(model).make_compute_graph().items() if not hidden(k)}
    placed = {name for part in PLACES.values() for name in part}
    if placed != set(parents):
        raise SystemExit(f"without a place, or gone: {sorted(placed ^ set(parents))}")
    curve_of = {name: curve for curve, (names, *_) in CURVES.items() for name in names}
    found = {
        (curve_of.get(parent, parent) if child in OBSERVED else parent, child)
        for child, above in parents.items()
        for parent in above
        if not hidden(parent) and not between(curve_of.get(parent), curve_of.get(child))
    }
    return sorted(found), {name: model.named_vars_to_dims.get(name) or () for name in parents}


def between(one: str | None, other: str | None) -> bool:
    """Say whether an edge leads from one curve into another: one arrow stands for all of these."""
    return one is not None and other is not None and one != other


def main() -> None:
    """Draw the graph as SVG."""
    pairs, dims = edges()
    figure = Figure(figsize=(5.9, 16.0))
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set(xlim=(0.0, 5.9), ylim=(-0.6, 18.45), xticks=[], yticks=[])
    ax.axis("off")
    for part, (left, bottom, right, top) in BOXES.items():
        _box(ax, (left, bottom, right, top), COLOURS[part], 0.07)
        ax.text(
            left + 0.12, top - 0.12, part, color=COLOURS[part], weight="bold", size=12, va="top"
        )
    for curve, (names, box, _) in CURVES.items():
        part = next(part for part, places in PLACES.items() if names[0] in places)
        _box(ax, box, COLOURS[part], 0.10)
        ax.text(*LABELS[curve], curve, color=INK, size=10, va="center", ha="center", style="italic")
    at = {name: place for places in PLACES.values() for name, place in places.items()}
    nodes = {
        name: _node(ax, name, place, COLOURS[part], dims[name])
        for part, places in PLACES.items()
        for name, place in places.items()
    }
    (_, law, _), (_, link, _) = CURVES.values()
    inwards = {"arrowstyle": "-|>,head_length=4,head_width=2", "color": INK, "lw": 1.5}
    gap = (COLUMN[0] + COLUMN[1]) / 2.0
    ax.add_patch(FancyArrowPatch((gap, law[1]), (gap, link[3]), shrinkA=0, shrinkB=1, **inwards))
    for parent, child in pairs:
        _arrow(ax, parent, child, at, nodes)
    ax.text(0.12, -0.42, "filled: observed; dashed: follows from its parents; small type: dims",
            size=9, color=INK)  # fmt: skip
    with mpl.rc_context({"svg.hashsalt": "densing_bayes"}):
        figure.savefig(HERE / "model_graph.svg", facecolor="white", metadata={"Date": None})


def _box(ax: Axes, box: tuple[float, float, float, float], colour: str, alpha: float) -> None:
    left, bottom, right, top = box
    style = {"boxstyle": "round,pad=0,rounding_size=0.12", "fc": colour, "ec": "none"}
    size = right - left, top - bottom
    shape = FancyBboxPatch((left, bottom), *size, **style, alpha=alpha, zorder=0)
    ax.add_patch(shape)


def _node(
    ax: Axes, name: str, at: tuple[float, float], colour: str, dims: tuple[str, ...]
) -> FancyBboxPatch:
    x, y = at
    observed = name in OBSERVED
    shape = FancyBboxPatch(
        (x - HALF_WIDTH, y - HALF_HEIGHT), 2 * HALF_WIDTH, 2 * HALF_HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.16", fc=colour if observed else "white", ec=colour,
        lw=1.1, ls=(0, (3, 2)) if name in DERIVED else "-", zorder=3,
    )  # fmt: skip
    ax.add_patch(shape)
    label = "\n".join(_two_lines("change_date" if name == "change_earliest" else name))
    if name in SYMBOLS:
        label = f"{SYMBOLS[name]}  {label}"
    size = 7.8 if max(map(len, _two_lines(name))) < 16 else 7.0
    ax.text(x, y + (0.055 if dims else 0.0), label, size=size, color="white" if observed else INK,
            ha="center", va="center", linespacing=0.9, zorder=4)  # fmt: skip
    ax.text(x, y - HALF_HEIGHT + 0.03, ", ".join(dims), size=6.2, ha="center", va="bottom",
            color="white" if observed else GREY, zorder=4)  # fmt: skip
    return shape


def _two_lines(name: str) -> list[str]:
    if len(name) <= 15:
        return [name]
    cut = min((i for i, letter in enumerate(name) if letter == "_"),
              key=lambda i: abs(i - len(name) / 2))  # fmt: skip
    return [name[: cut + 1], name[cut + 1 :]]


def _arrow(
    ax: Axes,
    parent: str,
    child: str,
    at: dict[str, tuple[float, float]],
    nodes: dict[str, FancyBboxPatch],
) -> None:
    style = {"arrowstyle": "-|>,head_length=4,head_width=2", "color": INK, "lw": 0.8, "alpha": 0.75,
             "zorder": 2}  # fmt: skip
    x, y = at[child]
    if parent not in CURVES:
        ends = {"patchA": nodes[parent], "patchB": nodes[child], "shrinkA": 0, "shrinkB": 1}
        patch = FancyArrowPatch(at[parent], (x, y), **ends, **style)
    else:
        _, (_, _, right, _), (height, gutter, end) = CURVES[parent]
        start = right, y
        if child == "score":  # along the margin
            ax.plot([right, gutter, gutter], [height, height, end], color=INK, lw=1.5, alpha=0.75,
                    zorder=2, solid_joinstyle="round")  # fmt: skip
            start, y = (gutter, end), end
        ends = {"patchB": nodes[child], "shrinkA": 0, "shrinkB": 1}
        patch = FancyArrowPatch(start, (x, y), **ends, **(style | {"lw": 1.5}))
    ax.add_patch(patch)


if __name__ == "__main__":
    main()
