"""Settings of the sampler that everything shares unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

TARGET_ACCEPT = 0.95
SEED = 20221130
PRIOR_DRAWS = 2000
LEAST_DRAWS = 10  # of a chain, and as many tuning steps
LEAST_TUNE = 10
LEAST_CHAINS = 1
MAX_SEED = 2**32 - 1  # of every generator of random numbers that takes part

STANDARD: dict[str, Any] = {
    "draws": 1000,
    "tune": 500,
    "chains": 4,
    "seed": SEED,
    "target_accept": TARGET_ACCEPT,
    "sampler": "nutpie",
}
"""Settings of a fit where nothing else is asked for; the store names fits by them, too."""

Sampler = Literal["nutpie", "pymc"]


@dataclass(frozen=True)
class Sampling:
    """How a model is sampled; as of :func:`densing_bayes.fit`."""

    draws: int
    tune: int
    chains: int
    cores: int | None
    seed: int
    target_accept: float = TARGET_ACCEPT
    sampler: Sampler = "nutpie"
    prior: bool = True  # whether draws of the prior are made, too
