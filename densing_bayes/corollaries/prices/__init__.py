"""How fast the cheapest inference of a given level becomes cheaper.

Trends stand in ``trends``, and published claims about prices in ``ledger``. Public face: ``model``
(`fit_prices`, `price_summary`).
"""
