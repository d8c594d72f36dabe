"""Specifications: what is accepted, refused, hashed and replaced."""

import numpy as np
import pytest
from scipy.integrate import quad

from densing_bayes.errors import SpecError
from densing_bayes.inputs.families import (
    Beta,
    Exponential,
    HalfNormal,
    LogitNormal,
    LogNormal,
    Normal,
)
from densing_bayes.inputs.specification import list_specs, load_spec

JOINT = load_spec("joint")


def broken(tmp_path, old, new):
    """The built-in joint specification with one edit, as a user's file."""
    from importlib import resources

    text = resources.files("densing_bayes.models").joinpath("joint.toml").read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    return path


def test_built_in_specifications_load():
    assert "joint" in list_specs()
    for name in list_specs():
        assert load_spec(name).name == name


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("organisation_effects", "organization_effects", "did you mean 'organisation_effects'?"),
        ("[panel]", "[pannel]", "did you mean 'panel'?"),
        ("min_params", "min_parms", "did you mean 'min_params'?"),
        (
            '"lognormal", median = 1.0, sigma = 0.4',
            '"lognormall", median = 1.0, sigma = 0.4',
            "did you mean 'lognormal'?",
        ),
        (
            'loss_at_centre = { distribution = "lognormal", median = 1.0, sigma = 0.4 }',
            'loss_at_centre = { distribution = "normal", mu = 1.0, sigma = 0.7 }',
            "no prior 'normal' here, use one of lognormal, halfnormal",
        ),
        ("median = 1.0, sigma = 0.4", "median = 1.0, sigma = -0.4", "scaling.loss_at_centre.sigma"),
        ("median = 1.0, sigma = 0.4", "median = 1.0, sd = 0.4", "unknown key"),
        ('link = "direct"', 'link = "dierct"', "benchmarks.winogrande.link"),
        ("date = 2022-11-30", 'date = "2022-13-30"', "trend.changes.0.date"),
        ("slope = true\nlevel", "slope = false\nlevel", "slope = true, level = true or both"),
        ('size = "comparable"', 'size = "active-ish"', "panel.size"),
        ("[scaling]", "[scaling", "not valid TOML"),
        ("reference_tokens = 1e12", "reference_tokens = 1.0", "panel.reference_tokens"),
    ],
)
def test_a_broken_file_is_refused_with_the_key_and_the_fix(tmp_path, old, new, said):
    path = broken(tmp_path, old, new)
    with pytest.raises(SpecError) as error:
        load_spec(path)
    assert said in str(error.value)
    assert "mine.toml" in str(error.value)


def test_an_unknown_name_is_refused_with_a_suggestion():
    with pytest.raises(SpecError, match="did you mean 'joint'"):
        load_spec("jiont")


def test_two_changes_on_one_date_are_refused(tmp_path):
    extra = '[[trend.changes]]\nname = "b"\ndate = 2022-11-30\n'
    path = broken(tmp_path, "[[trend.changes]]", extra + "[[trend.changes]]")
    with pytest.raises(SpecError, match="order of date"):
        load_spec(path)


def test_a_specification_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        JOINT.name = "other"


def test_the_hash_follows_content_not_name(tmp_path):
    renamed = load_spec(broken(tmp_path, 'name = "joint"', 'name = "mine"'))
    assert renamed.hash == JOINT.hash
    assert JOINT.replace(density__drift=False).hash != JOINT.hash


def test_replace_validates_again():
    assert JOINT.replace(trend__frontier="none").trend.frontier == "none"
    with pytest.raises(SpecError, match="did you mean 'frontier'"):
        JOINT.replace(trend__frontir="none")
    with pytest.raises(SpecError, match="did you mean 'trend'"):
        JOINT.replace(tren__frontier="none")


def test_a_specification_prints_back(tmp_path):
    content = JOINT.model_dump_json()
    assert type(JOINT).model_validate_json(content) == JOINT


FAMILIES = (
    Normal(distribution="normal", mu=0.4, sigma=1.3),
    LogNormal(distribution="lognormal", median=0.3, sigma=0.7),
    HalfNormal(distribution="halfnormal", sigma=0.5),
    Exponential(distribution="exponential", upper=0.8, tail=0.1),
    Beta(distribution="beta", alpha=2.0, beta=3.0),
    LogitNormal(distribution="logitnormal", median=0.9, sigma=0.8),
)


@pytest.mark.parametrize("prior", FAMILIES, ids=lambda prior: prior.distribution)
def test_density_and_quantiles_of_a_family_are_of_one_law(prior):
    low, middle, high = prior.quantile(np.array([0.1, 0.5, 0.9]))
    assert prior.middle() == pytest.approx(middle)
    for start, end, share in ((low, high, 0.8), (low, middle, 0.4)):
        inside, _ = quad(lambda x: np.exp(prior.log_density(x)), start, end)
        assert inside == pytest.approx(share)


@pytest.mark.parametrize("prior", FAMILIES[:4], ids=lambda prior: prior.distribution)
def test_twice_the_scale_is_twice_as_wide(prior):
    if prior.distribution == "normal":
        widths = [np.diff(each.quantile([0.1, 0.9])) for each in (prior, prior.times(2.0))]
    else:
        widths = [each.quantile(0.8) for each in (prior, prior.times(2.0))]
    assert widths[1] == pytest.approx(2.0 * widths[0])
