"""Every published claim beside its posterior, with a verdict by a fixed rule.

Quantities that are of use without a claim stand in ``quantities`` and ``corollaries``. Public
face: ``ledger`` (`claims`, `load_claims`), ``rule`` (`verdict`) and ``plotted``
(`fit_paper_figures`).
"""
