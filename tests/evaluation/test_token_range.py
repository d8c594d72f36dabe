"""Growth over a range of D0: the mixture, what it belongs to, and where it is found."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

import densing_bayes as db
from densing_bayes.cli.main import app
from densing_bayes.display.answers.trend import trend_rows
from densing_bayes.display.headline import headline
from densing_bayes.errors import DensingError
from densing_bayes.evaluation import token_range
from densing_bayes.evaluation.token_range import TokenRange
from densing_bayes.fitting import many
from densing_bayes.quantities.summary import trend_summary


@pytest.fixture(autouse=True)
def nothing_known(tmp_path, monkeypatch):
    """An empty store, and a package that brings nothing."""
    monkeypatch.setenv("DENSING_BAYES_CACHE", str(tmp_path / "store"))
    monkeypatch.setattr(token_range, "in_package", lambda: [])


def at(fit, tokens):
    """The fit as if its D0 were another one, and it had passed."""
    spec = fit.spec.replace(panel__reference_tokens=tokens)
    shift = np.log(tokens / fit.spec.panel.reference_tokens)
    observed = replace(fit.observed, log_reference_tokens=fit.observed.log_reference_tokens + shift)
    passed = fit.diagnostics | {"verdict": "PASS", "reasons": []}
    return replace(fit, spec=spec, observed=observed, diagnostics=passed)


@pytest.fixture
def fits(small_fit):
    return TokenRange(1e12, 15e12, {each: at(small_fit, each) for each in (2e12, 8e12)})


def test_middles_cut_the_range_into_parts_that_are_equal_in_logs():
    found = np.log(token_range.middles(1e12, 16e12, 4))
    assert np.diff(found) == pytest.approx(np.log(2.0), abs=0.01)
    assert found[0] == pytest.approx(np.log(1e12) + np.log(2.0) / 2.0, abs=0.01)
    assert len(token_range.middles()) == 5
    for low, high, parts in ((2e12, 1e12, 5), (1e3, 1e12, 5), (1e12, np.inf, 5), (1e12, 2e12, 0)):
        with pytest.raises(DensingError, match="is no range of D0"):
            token_range.middles(low, high, parts)


def test_a_model_without_reference_runs_has_no_d0():
    with pytest.raises(DensingError, match=r"'systems' has no reference runs, .* depend on D0"):
        token_range.over_tokens("systems")


def test_the_mixture_has_as_many_draws_of_each_fit():
    random = np.random.default_rng(3)
    fits = {
        tokens: SimpleNamespace(
            verdict="PASS",
            rate=xr.DataArray(mean + random.standard_normal((4, 500)), dims=("chain", "draw")),
        )
        for tokens, mean in ((1e12, 0.0), (2e12, 6.0))
    }
    made = TokenRange(1e12, 2e12, fits)
    found = token_range.average_over_tokens(made, lambda fit: fit.rate)
    values, counts = np.unique(found["reference_tokens"], return_counts=True)
    assert dict(zip(values, counts, strict=True)) == {1e12: 2000, 2e12: 2000}
    assert float((found > 3.0).mean()) == pytest.approx(0.5, abs=0.01)
    fits[2e12].verdict = "FAIL"
    with pytest.raises(DensingError, match=r"have passed: at 2e\+12 \(FAIL\) tokens"):
        token_range.average_over_tokens(made, lambda fit: fit.rate)


@pytest.mark.fit
def test_fits_of_a_range_differ_in_d0_and_in_nothing_else(small_fit, monkeypatch):
    asked = []

    def fitter(terms):
        def fit(request):
            asked.append((terms, request))
            return small_fit

        return fit

    monkeypatch.setattr(many, "fitter", fitter)
    found = token_range.over_tokens("joint", low=1e12, high=4e12, parts=2, draws=300)
    assert list(found.fits) == [1.41e12, 2.83e12]
    for (terms, request), tokens in zip(asked, found.fits, strict=True):
        assert request.spec.panel.reference_tokens == tokens
        assert terms.settings["draws"] == 300 and terms.source["panel"] == "open"
        own = token_range.identity(request.spec, request.observed)
        assert own == token_range.identity(small_fit.spec, small_fit.observed)
    changed = small_fit.spec.replace(panel__size="total")
    other = token_range.identity(changed, small_fit.observed)
    assert other["spec_hash"] != own["spec_hash"] and other["data_hash"] == own["data_hash"]


@pytest.mark.fit
def test_the_answer_is_kept_and_said_beside_the_one_at_one_d0(small_fit, fits, monkeypatch):
    assert token_range.over_tokens_of(small_fit) is None
    monkeypatch.setattr(token_range, "over_tokens", lambda *_, **__: fits)
    made = token_range.make_over_tokens(small_fit, db.load_panel("open"), 0.8)
    assert made["source"] == "made now" and made["growth_after"]["ci"] == 0.8
    found = token_range.over_tokens_of(at(small_fit, 5e12))  # whatever the D0 of the fit
    assert found["source"] == "store" and found["growth_after"]["ci"] == 0.95
    assert [each["reference_tokens"] for each in found["at"]] == [2e12, 8e12]
    exact = np.median(db.growth(small_fit)["after"])
    assert found["growth_after"]["median"] == pytest.approx(exact, rel=0.02)

    summary = trend_summary(small_fit, over_tokens=found)
    said = {each.key: each for each in headline(small_fit, summary)}["over_tokens"]
    assert said.title == "Doubling time after ChatGPT, over D0 from 1T to 15T tokens"
    assert "at one D0 its median is between" in said.sentence
    assert said.sentence.count("in the store, of the same model and data") == 1
    labels = [row.label for row in trend_rows(small_fit, summary)]
    assert labels[-3] == "Doubling time after ChatGPT, days, over D0"

    token_range._entry(small_fit).write_text('{"a": 1}', encoding="utf-8")
    assert token_range.over_tokens_of(small_fit) is None


@pytest.mark.fit
def test_what_the_package_brings_counts_only_for_its_own_model_and_data(
    small_fit, fits, monkeypatch
):
    document = token_range.token_document(fits) | {"source": "package"}
    monkeypatch.setattr(token_range, "in_package", lambda: [document])
    assert token_range.over_tokens_of(small_fit)["source"] == "package"
    document["data_hash"] = "0" * 64
    assert token_range.over_tokens_of(small_fit) is None


@pytest.mark.fit
def test_trend_makes_it_on_the_tables_of_the_fit(small_fit_file, fits, monkeypatch):
    def run(*arguments):
        return CliRunner().invoke(app, ["trend", str(small_fit_file), *arguments])

    assert json.loads(run("--json").stdout)["over_tokens"] is None
    monkeypatch.setattr(token_range, "over_tokens", lambda *_, **__: fits)
    shown = run("--over-tokens", "--json", "--ci", "0.9")
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["over_tokens"]["doubling_time_after"]["ci"] == 0.9
    wrong = run("--over-tokens", "--data", "paper")
    assert wrong.exit_code == 2 and "are not those that the fit has seen" in wrong.stderr
