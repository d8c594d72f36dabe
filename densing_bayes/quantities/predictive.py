"""Prior and posterior predictive draws of losses and scores."""

from __future__ import annotations

from typing import Literal

import xarray as xr

from densing_bayes.posterior.draws import stacked
from densing_bayes.posterior.estimates import of_prior
from densing_bayes.posterior.result import Fit


def predictive(
    fit: Fit,
    group: Literal["posterior", "prior"] = "posterior",
    *,
    draws: int = 200,
    seed: int = 0,
) -> xr.Dataset:
    """Draw what the model would have measured.

    Parameters
    ----------
    fit
        A fit; its model is rebuilt from what it saw.
    group
        "posterior", or "prior" for draws that have not seen the data.
    draws
        Number of draws, spread evenly over the posterior.
    seed
        Seed of the draws.

    Returns
    -------
    xarray.Dataset
        ``loss`` (loss_run), ``reference_score`` (reference_run) and ``score`` (cell), each with
        dims (chain, draw) in front.
    """
    prior = of_prior(group)  # before what is slow to import
    import pymc as pm
    from pytensor.compile.mode import Mode

    from densing_bayes.joint.model import assemble

    model = assemble(fit.spec, fit.observed).model
    # Rewrites would join sums of more terms than the interpreter takes.
    interpreted = {"mode": Mode(linker="py", optimizer=None)}  # type: ignore[arg-type]  # see above
    if prior:
        tree = pm.sample_prior_predictive(
            draws, model=model, random_seed=seed, compile_kwargs=interpreted
        )
        return tree["prior_predictive"].dataset
    flat = stacked(fit.posterior, "each")
    step = max(1, flat.sizes["each"] // draws)
    thinned = flat.isel(each=slice(0, None, step)).isel(each=slice(0, draws))
    thinned = thinned.drop_vars(["chain", "draw"]).rename(each="draw").expand_dims("chain")
    tree = pm.sample_posterior_predictive(
        thinned.transpose("chain", "draw", ...),
        model=model,
        freeze_vars=[rv.name for rv in model.free_RVs],
        random_seed=seed,
        progressbar=False,
        compile_kwargs=interpreted,
    )
    return tree["posterior_predictive"].dataset
