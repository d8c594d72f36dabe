"""Latents integrated out on lattices, against brute force."""

import dataclasses

import numpy as np
import pytest
from scipy.integrate import quad, trapezoid
from scipy.interpolate import CubicSpline
from scipy.special import logsumexp
from scipy.stats import halfnorm, norm, t

from densing_bayes.inputs.panel import load_panel
from densing_bayes.inputs.specification import load_spec
from densing_bayes.joint import laws
from densing_bayes.joint.marginal.predictive import predictive_densities
from densing_bayes.joint.marginal.shared_parameters import Given
from densing_bayes.observed.observations import observe

SPEC = load_spec("joint")
# Two releases of one organisation, one with two sizes, and a release of another.
SYSTEMS = ("llama-7b", "llama-13b", "llama-2-7b", "mistral-7b-v0.1")


def few():
    panel = load_panel("open")
    panel = dataclasses.replace(
        panel,
        systems=panel.systems.loc[list(SYSTEMS)],
        scores=panel.scores[panel.scores["system"].isin(SYSTEMS)],
    )
    return observe(panel, SPEC.replace(trend__changes=()))


OBSERVED = few()
TAILS = 3.0
TINY = 1e-250  # where a density underflows, far from anything that counts


def parameters(**changes):
    """One draw of plausible values."""
    cells, units = len(OBSERVED.score), len(OBSERVED.releases)
    values = {
        "law": np.array(
            [
                [0.434, 0.406, 0.308],
                [0.262, 0.372, 0.509],
                [0.123, 0.167, 0.162],
                [0.127, 0.267, 0.330],
                [0.262, 0.262, 0.231],
            ]
        ),
        "floor": np.array([0.273, 0.226, 0.255, 0.491]),
        "ceiling": np.array([0.929, 0.928, 0.866, 0.873]),
        "steepness": np.array([15.4, 6.97, 12.02]),
        "midpoint": np.array([0.778, 0.763, 0.809]),
        "discrimination": np.array([0.535]),
        "difficulty": np.array([3.648]),
        "token_elasticity": np.array([0.803]),
        "line": np.array([0.3, 0.3, 0.8, 1.4]),
        "spread": np.array(0.26),
        "shortfall": np.full(units, 1.1),
        "organisation": np.array(0.41),
        "release": np.array(0.0),
        "shift": np.array([0.246, -0.247, -1.724, 0.406])[OBSERVED.cell_benchmark],
        "lean": np.zeros(cells),
        "lean_spread": np.array(0.0),
        "release_lean_spread": np.array(0.0),
        "cell_spread": np.array([0.322, 0.313, 1.214, 0.209])[OBSERVED.cell_benchmark],
        "noise": np.full(cells, 0.008),
        "offset": np.zeros(0),
        "repeat_noise": np.zeros(0),
    } | changes
    return Given(
        **{
            name: np.asarray(value, float)[:, None]
            if name == "law"
            else np.asarray(value, float)[None]
            for name, value in values.items()
        }
    )


def expected(x, k, g, offset=0.0):
    """Expected score of benchmark k at log Neff."""
    n, d = x - np.log(OBSERVED.centre_params), OBSERVED.log_reference_tokens
    split = len(OBSERVED.loss_benchmarks)
    if k < split:
        E, a, alpha, b, beta = g.law[:, 0, k]
        loss = laws.scaling_loss(n, d, E, a, alpha, b, beta)
        z = g.steepness[0, k] * (g.midpoint[0, k] - loss)
    else:
        ability = laws.ability(n, d, g.token_elasticity[0, k - split])
        z = g.discrimination[0, k - split] * (ability - g.difficulty[0, k - split])
    return laws.sigmoid_score(z + offset, g.floor[0, k], g.ceiling[0, k])


def cell_density(c, log_density, g, again=None):
    """Density of a cell's score given the density of its system, on a fine grid of log Neff.

    With a reading again of this one cell, noise is Student-t.
    """
    k, m = OBSERVED.cell_benchmark[c], OBSERVED.cell_system[c]
    centre, sd = OBSERVED.log_params[m] + log_density + g.shift[0, c], g.cell_spread[0, c]
    x = np.linspace(-9, 9, 2001) * sd + centre
    mean = expected(x, k, g)
    error = np.sqrt(laws.score_variance(mean, OBSERVED.cell_items[c], g.noise[0, c]))
    if again is None:
        return trapezoid(norm.pdf(x, centre, sd) * norm.pdf(OBSERVED.score[c], mean, error), x)
    other = expected(x, k, g, g.offset[0, 0])
    noise = np.sqrt(laws.score_variance(other, again.repeat_items[0], g.repeat_noise[0, 0]))
    both = t.pdf(OBSERVED.score[c], TAILS, mean, error) * t.pdf(
        again.repeat_score[0], TAILS, other, noise
    )
    return trapezoid(norm.pdf(x, centre, sd) * both, x)


def t_cell_density(c, log_density, g):
    """The same of a cell that is read once."""
    k, m = OBSERVED.cell_benchmark[c], OBSERVED.cell_system[c]
    centre, sd = OBSERVED.log_params[m] + log_density + g.shift[0, c], g.cell_spread[0, c]
    x = np.linspace(-9, 9, 2001) * sd + centre
    mean = expected(x, k, g)
    error = np.sqrt(laws.score_variance(mean, OBSERVED.cell_items[c], g.noise[0, c]))
    return trapezoid(norm.pdf(x, centre, sd) * t.pdf(OBSERVED.score[c], TAILS, mean, error), x)


def log_system_density(m, g):
    """Log density of a system's scores by the sum of the effects above it."""
    sd, table = g.spread[0], np.linspace(-6.0, 2.0, 81)
    grid = np.linspace(-8.5, 4.5, 131) + g.line[0, m]
    cells = np.flatnonzero(OBSERVED.cell_system == m)
    logs = sum(np.log([cell_density(c, r, g) + TINY for r in grid]) for c in cells)
    of_density = CubicSpline(grid, logs)

    def density(effect):
        x = np.linspace(-8, 8, 321) * sd + g.line[0, m] + effect
        return trapezoid(norm.pdf(x, g.line[0, m] + effect, sd) * np.exp(of_density(x)), x)

    return CubicSpline(table, np.log([density(effect) for effect in table]))


def brute_force(g, left_out=None, later=()):
    """Log density of all scores, or of those of one release given the others, by quadrature.

    Without the ``later`` releases, which stand for the future.
    """
    systems = range(len(OBSERVED.systems))
    curves = [log_system_density(m, g) for m in systems]

    def log_system(m, effect):
        return curves[m](effect)

    def release(j, w):
        members = np.flatnonzero(OBSERVED.system_release == j)
        normal = g.release[0] > 0.0
        scale = g.release[0] if normal else g.shortfall[0, j]
        effect = norm(scale=scale) if normal else halfnorm(scale=scale)

        def integrand(u):
            return np.exp(sum(log_system(m, w - u) for m in members)) * effect.pdf(u)

        return quad(integrand, -6.0 * scale if normal else 0.0, 6.0 * scale, limit=200)[0]

    organisation = {OBSERVED.system_release[m]: OBSERVED.system_organisation[m] for m in systems}

    def total(releases):
        result = 0.0
        for o in set(organisation.values()):
            own = [j for j in releases if organisation[j] == o]
            sd = g.organisation[0]
            grid = np.linspace(-6, 6, 49) * sd
            values = [np.prod([release(j, w) for j in own]) for w in grid]
            result += np.log(trapezoid(norm.pdf(grid, 0, sd) * values, grid))
        return result

    everything = [j for j in range(len(OBSERVED.releases)) if j not in later]
    if left_out is None:
        return total(everything)
    return total(everything) - total([j for j in everything if j != left_out])


@pytest.mark.parametrize(
    "effects", [{}, {"release": np.array(0.5), "shortfall": np.zeros(len(OBSERVED.releases))}]
)
def test_the_density_of_all_scores_is_that_of_brute_force(effects):
    """With shortfalls, and with normal effects of releases about a mean trend."""
    g = parameters(**effects)
    found = predictive_densities(SPEC, OBSERVED, g)
    assert found.total[0] == pytest.approx(brute_force(g), abs=0.01)


def test_readings_of_a_cell_share_its_neff():
    """One cell read twice, far apart, with heavy tails: against quadrature."""
    one = OBSERVED.of_systems(np.array([False, False, False, True]))
    c = int(np.flatnonzero(OBSERVED.cell_system == 3)[0])
    again = dataclasses.replace(
        one,
        measures=("hellaswag|house",),
        measure_benchmark=np.array([0]),
        cell_measure=np.full(len(one.score), -1),
        repeat_score=np.array([0.70]),
        repeat_label=("mistral-7b-v0.1|hellaswag|house",),
        repeat_cell=np.array([0]),
        repeat_measure=np.array([0]),
        repeat_items=np.array([500.0]),
    )
    assert one.score[0] - 0.70 > 0.1
    g = parameters(offset=np.array([-0.4]), repeat_noise=np.array([0.02]), organisation=0.0)
    own = OBSERVED.cell_system == 3
    g = g._replace(line=g.line[:, [3]], shortfall=g.shortfall[:, :1], shift=g.shift[:, own],
                   cell_spread=g.cell_spread[:, own], noise=g.noise[:, own])  # fmt: skip
    heavy = SPEC.replace(performance__score_tails=TAILS)
    found = predictive_densities(heavy, again, g).total[0]

    whole = parameters(offset=np.array([-0.4]), repeat_noise=np.array([0.02]))
    grid = np.linspace(-6.0, 3.0, 601) + whole.line[0, 3]
    sd, scale = whole.spread[0], whole.shortfall[0, 0]
    above = np.linspace(0.0, 8.0 * scale, 801)
    line = whole.line[0, 3] - above
    prior = trapezoid(
        2.0 * norm.pdf(above / scale) / scale * norm.pdf(grid[:, None], line, sd), above
    )
    others = np.ones(len(grid))
    for cell in np.flatnonzero(own)[1:]:
        others *= [t_cell_density(cell, rho, whole) for rho in grid]
    first = np.array([cell_density(c, rho, whole, again) for rho in grid])
    assert found == pytest.approx(np.log(trapezoid(prior * others * first, grid)), abs=0.01)


def test_a_release_left_out_is_that_of_brute_force():
    g = parameters()
    found = predictive_densities(SPEC, OBSERVED, g)
    for j in (0, 1):
        assert found.release[0, j] == pytest.approx(brute_force(g, j), abs=0.01)


def test_densities_of_systems_multiply_to_that_of_their_release():
    """p(all) = p(one) p(other | one): the chain rule, with one system of a release left out."""
    g = parameters()
    pair = np.flatnonzero(OBSERVED.system_release == OBSERVED.system_release[0])
    assert len(pair) == 2
    whole = predictive_densities(SPEC, OBSERVED, g)
    rest = OBSERVED.of_systems(np.arange(len(OBSERVED.systems)) != pair[0])
    cells = OBSERVED.cell_system != pair[0]
    kept = g._replace(
        line=g.line[:, np.arange(len(OBSERVED.systems)) != pair[0]],
        shift=g.shift[:, cells],
        cell_spread=g.cell_spread[:, cells],
        noise=g.noise[:, cells],
    )
    without = predictive_densities(SPEC, rest, kept)
    assert whole.system[0, pair[0]] == pytest.approx(whole.total[0] - without.total[0], abs=1e-3)


def test_effects_of_releases_and_systems_alone_agree_where_they_must():
    """Without organisations and with one system each, it matters not whose the shortfall is."""
    single = OBSERVED.of_systems(np.array([True, False, True, True]))
    cells = np.isin(OBSERVED.cell_system, [0, 2, 3])
    g = parameters(organisation=0.0)
    g = g._replace(
        line=g.line[:, [0, 2, 3]],
        shift=g.shift[:, cells],
        cell_spread=g.cell_spread[:, cells],
        noise=g.noise[:, cells],
    )
    own = SPEC.replace(trend__release_effects=False)
    one, two = (predictive_densities(spec, single, g) for spec in (SPEC, own))
    np.testing.assert_allclose(one.total, two.total, atol=2e-3)
    np.testing.assert_allclose(one.release.sum(), one.total[0], atol=1e-6)


def test_narrow_spreads_are_no_trouble():
    """Narrow spreads make the lattice fine; between them the density changes smoothly."""
    spreads = [0.05, 0.0501, 0.0502]
    totals = [
        predictive_densities(SPEC, OBSERVED, parameters(spread=np.array(s))).total[0]
        for s in spreads
    ]
    assert np.diff(totals, 2)[0] == pytest.approx(0.0, abs=1e-4)
    assert abs(totals[1] - totals[0]) < 0.01


def test_beta_binomial_scores_are_close_to_normal_ones_of_the_same_moments():
    counts = SPEC.replace(performance__likelihood="beta-binomial")
    g = parameters()
    rounded = dataclasses.replace(
        OBSERVED, score=np.round(OBSERVED.score * OBSERVED.cell_items) / OBSERVED.cell_items
    )
    normal = predictive_densities(SPEC, rounded, g).total[0]
    discrete = predictive_densities(counts, rounded, g).total[0]
    # A probability of a count is a density of its score over the number of items.
    assert discrete + np.log(rounded.cell_items).sum() == pytest.approx(normal, abs=0.5)


def test_a_forecast_is_that_of_brute_force():
    """Of a release that comes, given those before: of its organisation, or of none known."""
    g = parameters()
    names = [release.partition("@")[0] for release in OBSERVED.releases]
    first, second, other = (names.index(name) for name in ("Llama", "Llama-2", "Mistral"))
    past = np.zeros(len(names), dtype=bool)
    past[first] = True
    found = predictive_densities(SPEC, OBSERVED, g, past).release[0]
    assert found[second] == pytest.approx(brute_force(g, second, later=[other]), abs=2e-3)
    assert found[other] == pytest.approx(brute_force(g, other, later=[second]), abs=2e-3)


def test_conditioning_on_the_past_only():
    """Given nothing, a release's density is its own alone."""
    g = parameters()
    nothing = np.zeros(len(OBSERVED.releases), dtype=bool)
    alone = predictive_densities(SPEC, OBSERVED, g, nothing)
    assert alone.total[0] == pytest.approx(0.0, abs=1e-6)
    given_others = predictive_densities(SPEC, OBSERVED, g)
    assert logsumexp(alone.release - given_others.release) != 0.0
    single = np.bincount(OBSERVED.system_organisation)[OBSERVED.system_organisation] == 1
    single_release = OBSERVED.system_release[single][0]
    differs = np.abs(alone.release - given_others.release)[0] > 1e-6
    assert not differs[single_release] and differs.sum() == len(OBSERVED.releases) - 1
