"""Sections that only a report has: what a fit stands on, and its sections in order.

Sections that a command shows, too, stand in ``display.answers`` and in the folders of corollaries.
Public face: ``fit`` (`fit_sections`) and ``basis``.
"""
