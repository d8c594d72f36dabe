"""Hypotheses about the trend side by side, and answers averaged over them.

Judgements of a single fit stand in ``evaluation``, and what a comparison says in ``display``.
Public face: ``comparison`` (`compare`), ``table`` (`Comparison`), ``averaging`` (`average`) and
``mixtures``.
"""
