"""Forecasts held against what came: fits to the past of a date, and simple rivals.

Forecasts of what has not come stand in ``quantities``. Public face: ``accuracy`` (`accuracy_at`,
`accuracy_table`).
"""
