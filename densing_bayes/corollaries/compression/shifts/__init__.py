"""Shifts of log density between a system and what it was compressed to: model and design.

What pairs there are stands in ``pairs``, and what the shifts say in ``effects``. Public face:
``model`` and ``score_curves``.
"""
