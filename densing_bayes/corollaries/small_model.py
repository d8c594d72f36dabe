"""The posterior of a small model: sampled by NUTS, with prior draws and a verdict."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xarray as xr

from densing_bayes.fitting.settings import PRIOR_DRAWS, SEED, Sampling

if TYPE_CHECKING:
    import pymc as pm

DEPTH_LIMIT = 10  # of trees: in small models a deep one costs little, so that none need be cut


@dataclass(frozen=True)
class Posterior:
    """Draws of a small model.

    Attributes
    ----------
    draws, prior
        Posterior and prior draws of every named variable, dims (chain, draw, ...).
    diagnostics
        As of :class:`densing_bayes.Fit`.
    provenance
        What the model was fitted to, and how.
    """

    draws: xr.Dataset
    prior: xr.Dataset
    diagnostics: dict[str, Any]
    provenance: dict[str, Any]

    @property
    def verdict(self) -> str:
        """PASS or FAIL."""
        return str(self.diagnostics["verdict"])


def sample_posterior(
    model: pm.Model,
    provenance: dict[str, Any],
    *,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
    target_accept: float = 0.95,
    unreported: tuple[str, ...] = (),
) -> Posterior:
    """Sample a model and judge the draws.

    Parameters
    ----------
    model
        A model whose likelihood is stated; variables without a name of their own are left out.
    provenance
        What is known of the data; settings are added.
    draws, tune, chains, seed, target_accept
        Of the sampler.
    unreported
        Names of latent variables that are neither kept nor judged.

    Returns
    -------
    Posterior
        With the verdict of the gate that every fit passes; nothing is raised if it fails.
    """
    from densing_bayes.fitting.engine.functions import make_engine, sample
    from densing_bayes.joint.variables import drawn
    from densing_bayes.posterior.diagnostics import diagnose

    named = [rv.name for rv in (*model.free_RVs, *model.deterministics)]
    names = [name for name in named if name not in unreported]
    trace = sample(
        make_engine(model, names),
        [],
        Sampling(draws, tune, chains, min(chains, os.cpu_count() or 1), seed, target_accept),
        DEPTH_LIMIT,
    )
    posterior = trace["posterior"].dataset
    diagnostics, _ = diagnose(posterior, trace["sample_stats"].dataset, DEPTH_LIMIT)
    prior = xr.Dataset(
        {
            name: (("chain", "draw", *posterior[name].dims[2:]), values[None])
            for name, values in drawn(model, names, PRIOR_DRAWS, seed).items()
        },
        coords={name: posterior.coords[name] for name in posterior.dims if name in model.coords},
    )
    settings = {
        "seed": seed,
        "sampler": {
            "name": "nutpie",
            "draws": draws,
            "tune": tune,
            "chains": chains,
            "target_accept": target_accept,
        },
    }
    return Posterior(posterior, prior, diagnostics, provenance | settings)
