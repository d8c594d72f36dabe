"""How fits are made and kept: start, coordinates, whitening, chains, modes, the store.

What is asked of a fit does not belong here, except the evidence that weighs its modes. Public
face: ``fit`` (`fit`), ``compiled`` (`compile_fit`), ``many`` (`fitter`), ``built_in``
(`built_in_fit`), ``settings`` and ``store``.
"""
