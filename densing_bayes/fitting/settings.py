"""Settings of the sampler that everything shares unless told otherwise."""

from __future__ import annotations

TARGET_ACCEPT = 0.95
SEED = 20221130
PRIOR_DRAWS = 2000
LEAST_DRAWS = 10  # of a chain, and as many tuning steps
LEAST_TUNE = 10
LEAST_CHAINS = 1
MAX_SEED = 2**32 - 1  # of every generator of random numbers that takes part
