"""Figures that the paper and other reports published, as embedded tables (data/README.md)."""

from __future__ import annotations

from importlib.resources import files

import pandas as pd


def load_figures(figure: str | None = None) -> pd.DataFrame:
    """Points plotted in Figs 1 to 3 of the Nature MI paper, read off its vector graphics.

    Parameters
    ----------
    figure
        "fig1" (densities on five benchmarks), "fig2" (on MMLU-CF), "fig3a" (prices), "fig3b"
        (compressed systems) or "fig3c" (densities on MMLU); all by default.

    Returns
    -------
    pandas.DataFrame
        Columns figure, quantity, label, date (datetime64), value, on_envelope (bool), source.
    """
    table = _table("paper/figures.csv", "date")
    return table if figure is None else table[table["figure"] == figure].reset_index(drop=True)


def load_reference_curves() -> pd.DataFrame:
    """Constants of the curves drawn in Extended Data Fig. 1, by benchmark and for their average.

    Returns
    -------
    pandas.DataFrame
        Index ``benchmark``; a, alpha, b, beta of the loss (nats), floor, ceiling_minus_floor,
        gamma and midpoint_loss of the score.
    """
    return _table("paper/reference_curves.csv").set_index("benchmark")


def load_reference_average() -> pd.DataFrame:
    """Points that the paper plots as the average over its benchmarks.

    Returns
    -------
    pandas.DataFrame
        Columns run, params, tokens, loss (nats), score; 33 runs without a score, 12 without size.
    """
    return _table("paper/reference_average.csv")


def load_alternative_scores() -> pd.DataFrame:
    """Second readings, by the same protocol, of scores of the panel ``paper``.

    Returns
    -------
    pandas.DataFrame
        Columns system, benchmark, score, shots, source.
    """
    return _table("paper/alternative_scores.csv")


def _table(path: str, *dates: str) -> pd.DataFrame:
    with files("densing_bayes.data").joinpath(path).open(encoding="utf-8") as file:
        return pd.read_csv(file, parse_dates=list(dates))
