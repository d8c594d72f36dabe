"""How long a release lasts, and whether it pays back until then.

Shelf lives on the smooth frontier stand in ``quantities``. Public face: ``model`` (`payback`),
``arrivals`` (`waiting_time`), ``break_even`` and ``training_cost``.
"""
