"""Forecasts of scores and dates: the command, the figure and the section.

The forecasts themselves are computed in ``quantities``. Public face: ``figures``
(`plot_score_fan`).
"""
