"""The paper's own numbers, from its own points and by its own method.

Prints a table and writes paper_reproduction.json, and a figure of the optima of the loss curves.
Ten seconds.

    python analyses/paper_reproduction.py [--out analyses]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import densing_bayes as db
from densing_bayes.inputs import dates
from densing_bayes.inputs.published import (
    load_figures,
    load_reference_average,
    load_reference_curves,
)
from densing_bayes.joint import least_squares
from densing_bayes.quantities import paper_estimator as ls

FITTED = r"-fit-\d+$"  # points that the paper fitted its sigmoid to; the others it held out


def growth() -> dict[str, Any]:
    """Slopes through the plotted points: of the envelope, of each side of ChatGPT, of all."""
    result: dict[str, Any] = {}
    for figure in ("fig1", "fig2", "fig3c"):
        points = load_figures(figure)
        best = points[points["on_envelope"]]
        result[figure] = ls.growth_line(best["date"], best["value"])._asdict()
        result[f"{figure} all points"] = ls.growth_line(points["date"], points["value"])._asdict()
    points = load_figures("fig3c")
    sides = ls.growth_on_sides(points["date"], points["value"])
    result["fig3c before"], result["fig3c after"] = (side._asdict() for side in sides)
    earlier = points["date"] < dates.ORIGIN
    for name, side in (("before", points[earlier]), ("after", points[~earlier])):
        result[f"fig3c {name}, all points"] = ls.growth_line(side["date"], side["value"])._asdict()
    prices = load_figures("fig3a")
    best = prices[prices["on_envelope"]]
    line = ls.growth_line(best["date"], best["value"])
    result["fig3a"] = line._asdict() | {
        "halving_months": np.log(2) / -line.rate / dates.DAYS_PER_MONTH
    }
    return result


def reference_points(panel: db.Panel, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs with params, tokens and loss, and points with loss and score, of a benchmark."""
    if name == "average":
        table = load_reference_average()
        return table[table["params"].notna()], table[table["score"].notna()]
    losses = panel.losses[panel.losses["benchmark"] == name]
    runs = losses.merge(panel.runs[["params", "tokens"]].dropna(), left_on="run", right_index=True)
    scores = panel.reference_scores[panel.reference_scores["benchmark"] == name]
    return runs, scores.merge(losses[["run", "loss"]], on="run")


def curves() -> dict[str, Any]:
    """Optima of the loss curve and the sigmoid of each benchmark, beside the drawn ones."""
    panel, drawn = db.load_panel("paper"), load_reference_curves()
    result: dict[str, Any] = {}
    for name, row in drawn.iterrows():
        runs, points = reference_points(panel, str(name))
        data = [runs[column].to_numpy(float) for column in ("params", "tokens", "loss")]
        loss_curve, score_curve = ls.drawn_curves(str(name))
        fitted = points[points["run"].str.contains(FITTED)]
        free = ls.fit_scores(fitted["loss"], fitted["score"], float(row["floor"]))
        result[str(name)] = {
            "drawn": {key: float(row[key]) for key in ("a", "alpha", "b", "beta")}
            | {"rmse": rms(ls.reference_loss(loss_curve, *data[:2]) - data[2])},
            "optima": least_squares.fit_losses(*data).to_dict("records"),
            "optima in relative error": least_squares.fit_losses(*data, relative=True).to_dict(
                "records"
            ),
            "sigmoid drawn": score_curve._asdict()
            | {"rmse": rms(ls.score_at_loss(score_curve, fitted["loss"]) - fitted["score"])},
            "sigmoid free": free._asdict()
            | {"rmse": rms(ls.score_at_loss(free, fitted["loss"]) - fitted["score"])},
        }
    return result


def rms(errors: Any) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(errors))))


def average_of_benchmarks() -> dict[str, float]:
    """Weights with which the plotted average of the losses is the sum of the benchmarks'."""
    panel, average = db.load_panel("paper"), load_reference_average()
    average = average[average["params"].notna()].set_index("run")["loss"]
    wide = panel.losses.pivot(index="run", columns="benchmark", values="loss").loc[average.index]
    weights, *_ = np.linalg.lstsq(wide.to_numpy(), average.to_numpy(), rcond=None)
    return dict(zip(wide.columns, map(float, weights), strict=True))


def plotted_densities(figure: str, name: str, benchmarks: list[str] | None) -> dict[str, Any]:
    """Densities from a drawn curve and scores of reports, beside the plotted ones."""
    plotted = load_figures(figure).dropna(subset="system").set_index("system")
    loss_curve, score_curve = ls.drawn_curves(name)
    found = ls.estimate_as_paper(
        db.load_panel("paper"), benchmarks, loss_curve=loss_curve, score_curve=score_curve
    ).densities
    both = plotted[["value"]].join(found, how="inner")
    ratio = np.log(both["density"] / both["value"])
    return {
        "systems": len(both),
        "median_ratio": float(np.exp(ratio.median())),
        "within_a_fifth": int((ratio.abs() < np.log(1.2)).sum()),
        "within_two": int((ratio.abs() < np.log(2)).sum()),
        "rank_correlation": float(both["density"].corr(both["value"], method="spearman")),
        "each": {
            str(system): {"plotted": float(row["value"]), "from_score": float(row["density"])}
            for system, row in both.iterrows()
        },
    }


def own_pipeline() -> dict[str, Any]:
    """The whole estimator on the embedded panel, for each optimum of the loss curve."""
    panel = db.load_panel("paper")
    result: dict[str, Any] = {}
    for name in ("mmlu", "average"):
        runs, points = reference_points(panel, name)
        data = [runs[column].to_numpy(float) for column in ("params", "tokens", "loss")]
        fitted = points[points["run"].str.contains(FITTED)]
        drawn_loss, drawn_score = ls.drawn_curves(name)
        free = ls.fit_scores(fitted["loss"], fitted["score"], drawn_score.floor)
        choices = {"drawn curves": (drawn_loss, drawn_score)}
        for number, row in least_squares.fit_losses(*data).iterrows():
            curve = ls.LossCurve(**row[list(ls.LossCurve._fields)])
            choices[f"optimum {int(str(number)) + 1}, drawn sigmoid"] = (curve, drawn_score)
            choices[f"optimum {int(str(number)) + 1}, free sigmoid"] = (curve, free)
        for label, (loss_curve, score_curve) in choices.items():
            benchmarks = ["mmlu"] if name == "mmlu" else None
            found = ls.estimate_as_paper(
                panel, benchmarks, loss_curve=loss_curve, score_curve=score_curve
            )
            lines = {"all": found.growth, "before": found.before, "after": found.after}
            result[f"{name}, {label}"] = {
                "alpha": loss_curve.alpha,
                "systems": len(found.densities),
                "doubling_days": None if not found.growth else np.log(2) / found.growth.rate,
            } | {key: line and line._asdict() for key, line in lines.items()}
    return result


def figure(panel: db.Panel, path: Path) -> None:
    """Profile of the error over alpha: the best over beta and the amounts, plain and relative."""
    names = [*panel.benchmarks.index, "average"]
    drawn = load_reference_curves()
    alphas, betas = np.geomspace(0.03, 0.9, 70), np.geomspace(0.1, 0.6, 300)
    figure, axes = plt.subplots(2, 3, figsize=(10, 5.6), sharex=True, layout="constrained")
    for ax, name in zip(axes.flat, names, strict=True):
        runs, _ = reference_points(panel, name)
        data = [runs[column].to_numpy(float) for column in ("params", "tokens", "loss")]
        for relative, colour, label in (
            (False, "#0072b2", "plain errors (as the paper)"),
            (True, "#d55e00", "relative errors"),
        ):
            surface = least_squares.loss_surface(*data, alphas, betas, relative=relative)
            profile = surface.min(axis=1)
            ax.plot(alphas, profile / profile.min(), color=colour, label=label)
        ax.axvline(drawn.loc[name, "alpha"], color="#5b6470", lw=1, ls=(0, (4, 3)), label="drawn")
        ax.set(xscale="log", ylim=(0.95, 3.0), title=name)
        ax.set_xticks([0.05, 0.1, 0.2, 0.4, 0.8], ["0.05", "0.1", "0.2", "0.4", "0.8"])
        ax.minorticks_off()
    for ax in axes[1]:
        ax.set_xlabel("alpha, the exponent of the params")
    for ax in axes[:, 0]:
        ax.set_ylabel("rms error over the least")
    axes[0, 0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=130)


def lines(content: dict[str, Any]) -> list[str]:
    """The reproduction as tables in Markdown."""
    growth = content["growth"]
    printed = {
        "fig1": "0.0065, R² 0.934",
        "fig2": "0.0066, R² 0.953",
        "fig3c before": "0.0048",
        "fig3c after": "0.0073",
    }
    result = ["| Line through | Points | A, 1/day | R² | Printed |", "|---|---|---|---|---|"]
    for name, line in growth.items():
        result.append(
            f"| {name} | {line['points']} | {line['rate']:.5f} | {line['r_squared']:.3f} | "
            f"{printed.get(name, '')} |"
        )
    head = ["Curve", "drawn alpha, beta", "rms", "optima: alpha, beta (rms)", "of relative errors"]
    result += ["", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for name, curve in content["curves"].items():
        drawn = curve["drawn"]
        cells = [name, f"{drawn['alpha']:.3f}, {drawn['beta']:.3f}", f"{drawn['rmse']:.4f}"]
        for key in ("optima", "optima in relative error"):
            cells.append(
                "; ".join(
                    f"{o['alpha']:.3f}, {o['beta']:.3f} ({o['rmse']:.4f})" for o in curve[key]
                )
            )
        result.append(f"| {' | '.join(cells)} |")
    head = ["Curves", "alpha", "systems", "A all (R²)", "doubling days", "A before", "A after"]
    result += ["", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for name, row in content["pipeline"].items():
        cells = [name, f"{row['alpha']:.3f}", str(row["systems"])]
        cells.append(f"{row['all']['rate']:.4f} ({row['all']['r_squared']:.2f})")
        cells.append(f"{row['doubling_days']:.0f}")
        cells += [
            "-" if row[side] is None else f"{row[side]['rate']:.4f} ({row[side]['points']})"
            for side in ("before", "after")
        ]
        result.append(f"| {' | '.join(cells)} |")
    return result


def main() -> None:
    """Reproduce, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("analyses"))
    arguments = parser.parse_args()
    content = {
        "growth": growth(),
        "curves": curves(),
        "average_weights": average_of_benchmarks(),
        "plotted_densities": {
            "fig3c": plotted_densities("fig3c", "mmlu", ["mmlu"]),
            "fig1": plotted_densities("fig1", "average", None),
        },
        "pipeline": own_pipeline(),
    }
    print("\n".join(lines(content)))
    print(content["average_weights"])
    for name, row in content["plotted_densities"].items():
        print(name, {key: value for key, value in row.items() if key != "each"})
    path = arguments.out / "paper_reproduction.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    figure(db.load_panel("paper"), arguments.out / "paper_reproduction.png")


if __name__ == "__main__":
    main()
