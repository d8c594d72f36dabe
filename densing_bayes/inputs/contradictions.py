"""Choices of a specification that contradict each other."""

from __future__ import annotations

from typing import Any


def contradiction(spec: Any) -> str:
    """What contradicts itself in a specification, and what to do; empty if nothing does."""
    linked = {benchmark.link for benchmark in spec.benchmarks.values()}
    if "size" in linked and len(linked) > 1:
        return (
            'link = "size" is the link of panels without reference runs, whose unit is that of '
            "their own systems: give it to all benchmarks, or to none"
        )
    if spec.without_runs and (spec.trend.frontier != "none" or spec.trend.size_slope):
        return (
            'with link = "size" density is measured in params at the mean line of the systems: '
            'set trend.frontier = "none" and trend.size_slope = false'
        )
    if spec.density.walk is not None and spec.trend.walk is None:
        return (
            "density.walk is taken at the steps of trend.walk, which is missing: add a table "
            "[trend.walk], or leave density.walk out"
        )
    if spec.performance.expected_losses and not spec.performance.run_effects:
        return (
            "performance.expected_losses needs run effects, which hold what a run's loss is "
            "other than expected: set performance.run_effects = true"
        )
    if spec.scaling.families and not (spec.scaling.pooling and spec.scaling.irreducible):
        return (
            "scaling.families has laws with a loss that stays, whose exponents scatter: set "
            "scaling.pooling = true and scaling.irreducible = true, or leave families out"
        )
    if spec.performance.score_tails and spec.performance.likelihood != "normal":
        return (
            "performance.score_tails are tails of the normal likelihood: set performance."
            'likelihood = "normal", or leave score_tails out'
        )
    return ""
