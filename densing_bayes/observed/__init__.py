"""What the model sees: a panel narrowed by a specification, as index arrays.

The tables stand in ``inputs``, and what the model makes of the arrays in ``joint``. Public face:
``observations`` (`Observations`, `observe`).
"""
