"""Chips, batteries and devices beside density, and the product of both.

Trends stand in ``trends``, and published claims about chips in ``ledger``. Public face: ``model``
(`fit_engines`, `effective_doubling_time`, `device_table`).
"""
