"""Exponential trends through dated points.

What the points mean is known to the folders that bring them. Public face: ``exponential``
(`fit_exponential`).
"""
