"""Figures, the tables that they show, and the images that they become.

Figures of corollaries and of the ledger stand with them; which figure belongs to which answer is
said by the sections. Public face: ``trend``, ``hypotheses``, ``reference``, ``checks``, ``data``
and ``canvas``.
"""
