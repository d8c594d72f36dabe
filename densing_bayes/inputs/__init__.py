"""What comes from outside, checked: tables, published values, specifications, hypotheses.

Nothing here knows a model or its draws, which stand in ``joint`` and ``posterior``. Public face:
``panel`` (`Panel`, `load_panel`), ``specification`` (`ModelSpec`, `load_spec`), ``hypothesis``
(`Hypothesis`), ``tables``, ``foreign`` and ``dates``.
"""
