"""The joint model in coordinates that sample well: the same density, other variables.

What is whitened and sampled in them stands in ``fitting``. Public face: ``conditioned``
(`condition`).
"""
