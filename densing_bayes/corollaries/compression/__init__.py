"""What pruning, distillation and quantisation do to density.

Densities of systems that were not compressed stand in ``quantities``. Public face: ``effects``
(`fit_compression`, `method_table`), ``panel_pairs`` and ``inference_density``.
"""
