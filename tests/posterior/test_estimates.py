"""Which draws are asked for: a word that is not known is refused."""

from types import SimpleNamespace

import pytest

from densing_bayes.corollaries.compression.effects import new_pairs
from densing_bayes.corollaries.drivers.quantities import driver_share
from densing_bayes.corollaries.engines.model import engine_rate, fit_engine
from densing_bayes.corollaries.prices.model import fit_prices
from densing_bayes.corollaries.trends.exponential import growth_of
from densing_bayes.errors import DensingError
from densing_bayes.posterior.estimates import draws_of
from densing_bayes.quantities.growth import growth, is_straight
from densing_bayes.quantities.predictive import predictive

FIT = SimpleNamespace(posterior="the posterior", prior="the prior", draws=None)


def test_draws_are_of_the_group_named():
    assert draws_of(FIT, "posterior") == "the posterior"
    assert draws_of(FIT, "prior") == "the prior"


@pytest.mark.parametrize(
    "asked",
    [
        lambda: draws_of(FIT, "Posterior"),
        lambda: growth_of(FIT, ["2024-01-01"], "Posterior"),
        lambda: engine_rate(FIT, "Posterior"),
        lambda: new_pairs(FIT, "Posterior"),
        lambda: driver_share(FIT, "Posterior"),
        lambda: predictive(FIT, "Posterior"),
    ],
)
def test_another_group_is_refused(asked):
    with pytest.raises(DensingError, match="no group 'Posterior'; use one of posterior, prior"):
        asked()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda: is_straight(FIT, "Frontier"), "no reading 'Frontier'"),
        (lambda: fit_prices("gpt-4", price="Blended"), "no price 'Blended'"),
        (lambda: fit_engine("transistor-density", form="Mean"), "no form 'Mean'"),
    ],
)
def test_other_words_are_refused(asked, said):
    with pytest.raises(DensingError, match=said):
        asked()


@pytest.mark.fit
def test_growth_of_a_word_that_is_not_known_is_refused(small_fit):
    with pytest.raises(DensingError, match="no group 'Posterior'"):
        growth(small_fit, "Posterior")
