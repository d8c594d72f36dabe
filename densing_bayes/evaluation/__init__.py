"""How far a fit or a hypothesis can be believed: held-out scores, checks, comparison.

What a fit says of the world is asked in ``quantities``, and how it is shown in ``display``. Public
face: ``checks`` (`check`), ``hypotheses`` (`compare`, `average`), ``backtests``, ``leave_out`` and
``simulation``.
"""
