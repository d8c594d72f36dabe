"""The loss law alone: a table of training runs, without systems and benchmarks.

It shares its equation with the joint model, which stands in ``joint.laws``. Public face: ``model``
(`fit_law`, `LawFit`), ``judgement`` (`off_the_law`, `largest_left_out`), ``section``
(`law_report`).
"""
