"""Answers about a fit or a comparison, each as one section, for every renderer.

A question has one function here, that makes its sentences, tables, pictures and document. What a
corollary answers is in its folder, and what the ledger says in ``ledger``.
"""
