"""A fit once it is made: its draws and diagnostics, and how draws become estimates.

How a fit is made stands in ``fitting``, and what is asked of it in ``quantities``. Public face:
``result`` (`Fit`), ``diagnostics`` (`diagnose`) and ``estimates`` (`estimate`, `probability`).
"""
