"""Settings of the sampler that everything shares unless told otherwise."""

from __future__ import annotations

TARGET_ACCEPT = 0.95
SEED = 20221130
PRIOR_DRAWS = 2000
