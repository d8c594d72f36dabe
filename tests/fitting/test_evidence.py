"""Bridge sampling on densities whose integral is known in closed form."""

import numpy as np
import pytest
from scipy.special import betaln, gammaln
from scipy.stats import multivariate_normal, norm

from densing_bayes.fitting.evidence import Target, log_evidence, savage_dickey

CHAINS, DRAWS = 4, 1000


def regression(random, columns, observations=40, prior_sd=2.0, noise=0.7):
    """Conjugate linear regression: log joint, exact posterior draws and exact log evidence."""
    x = random.standard_normal((observations, columns))
    y = x @ random.standard_normal(columns) + noise * random.standard_normal(observations)
    precision = x.T @ x / noise**2 + np.eye(columns) / prior_sd**2
    covariance = np.linalg.inv(precision)
    mean = covariance @ x.T @ y / noise**2

    def log_density(beta):
        fit = norm.logpdf(y, beta @ x.T, noise).sum(axis=1)
        return fit + norm.logpdf(beta, 0.0, prior_sd).sum(axis=1)

    draws = random.multivariate_normal(mean, covariance, (CHAINS, DRAWS))
    marginal = noise**2 * np.eye(observations) + prior_sd**2 * x @ x.T
    return log_density, draws, multivariate_normal.logpdf(y, np.zeros(observations), marginal)


@pytest.mark.parametrize("columns", [1, 8, 60])
def test_linear_regression(columns):
    log_density, draws, exact = regression(
        np.random.default_rng(columns), columns, 2 * columns + 20
    )
    found = log_evidence(log_density, draws)
    assert found.value == pytest.approx(exact, abs=0.05)
    assert found.error < 0.05


def test_binomial_with_a_skewed_posterior():
    """Beta posterior on the logit scale: 1 success of 12, far from normal."""
    successes, trials = 1, 12
    random = np.random.default_rng(1)
    p = random.beta(1 + successes, 1 + trials - successes, (CHAINS, DRAWS, 1))
    choose = gammaln(trials + 1) - gammaln(successes + 1) - gammaln(trials - successes + 1)

    def log_density(theta):
        log_p, log_q = -np.logaddexp(0, -theta[:, 0]), -np.logaddexp(0, theta[:, 0])
        return choose + (successes + 1) * log_p + (trials - successes + 1) * log_q

    found = log_evidence(log_density, np.log(p / (1 - p)))
    exact = choose + betaln(1 + successes, 1 + trials - successes)
    assert found.value == pytest.approx(exact, abs=0.05)


def test_the_error_is_of_the_size_of_the_spread():
    """Over repetitions the estimates scatter as their errors say."""
    values, errors = [], []
    for seed in range(30):
        random = np.random.default_rng(100 + seed)
        draws = random.standard_t(8, (CHAINS, 200, 3))

        def log_density(x):
            return (-(8 + 1) / 2 * np.log1p(x**2 / 8)).sum(axis=1)

        found = log_evidence(log_density, draws, seed, points=200)
        values.append(found.value)
        errors.append(found.error)
    exact = 3 * (gammaln(4) + 0.5 * np.log(8 * np.pi) - gammaln(4.5))
    z = (np.array(values) - exact) / np.array(errors)
    assert 0.6 < z.std() < 1.6
    assert abs(z.mean()) < 0.8


def test_points_without_density_are_no_trouble():
    """A proposal may step over an edge: the density is zero there, not undefined."""

    def log_density(x):
        return np.where(x[:, 0] > 0, norm.logpdf(x[:, 0]), -np.inf)

    draws = np.abs(np.random.default_rng(3).standard_normal((CHAINS, DRAWS, 1)))
    assert log_evidence(log_density, draws).value == pytest.approx(np.log(0.5), abs=0.05)


def test_savage_dickey_agrees_with_the_ratio_of_evidences():
    random = np.random.default_rng(5)
    log_density, draws, exact = regression(random, 6)
    x = Target(log_density, draws, ("a", "b", "c", "d", "e", "f"))
    # The smaller model: the first coefficient at zero, the others as they are.
    smaller_density, smaller_draws = _without_first(log_density, draws, random)
    smaller = log_evidence(smaller_density, smaller_draws)
    found = savage_dickey(x, "a", norm.logpdf(0.0, 0.0, 2.0))
    error = np.hypot(found.error, smaller.error)
    assert found.value == pytest.approx(smaller.value - exact, abs=3 * error + 0.05)


def _without_first(log_density, draws, random):
    flat = draws.reshape(-1, draws.shape[-1])
    mean, covariance = flat.mean(axis=0), np.cov(flat.T)
    gain = covariance[1:, 0] / covariance[0, 0]
    conditional = covariance[1:, 1:] - np.outer(gain, covariance[0, 1:])
    given = random.multivariate_normal(mean[1:] - gain * mean[0], conditional, (CHAINS, DRAWS))

    def smaller(rest):
        whole = np.concatenate([np.zeros((len(rest), 1)), rest], axis=1)
        return log_density(whole) - norm.logpdf(0.0, 0.0, 2.0)

    return smaller, given
