"""The statistical model, stated once: equations, random variables, density of the scores.

How it is sampled stands in ``fitting``, and what follows from its draws in ``quantities``. Public
face: ``model`` (`build_model`), ``laws``, ``marginal`` and ``least_squares``.
"""
