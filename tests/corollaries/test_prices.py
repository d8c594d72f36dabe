"""Price of inference."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from densing_bayes.corollaries.prices.model import (
    PriceSpec,
    fit_prices,
    fold_reduction,
    halving_time,
    load_prices,
    observed_fold,
    offers_of,
    price_summary,
    score_noise,
)
from densing_bayes.errors import DensingError, TableError
from densing_bayes.inputs.specification import load_corollary

SPEC = load_corollary("prices", PriceSpec)


@pytest.fixture(scope="module")
def fit():
    return fit_prices("gpt-3.5")


def test_the_corrected_points_of_the_paper_are_in_the_table():
    offers = load_prices().set_index("offer")
    assert offers.loc["ant-claude2", "input_price"] == 11.02
    assert offers.loc["ant-claude2", "plotted_price"] == 8.0
    assert offers.loc["oai-gpt4o-0513", "input_price"] == 5.0
    assert offers.loc["oai-gpt4o-0513", "plotted_price"] == 2.5
    assert offers.loc["oai-gpt35t-0301", "input_price"] == 2.0
    assert np.isnan(offers.loc["oai-gpt35t-0301", "plotted_price"])
    assert offers["plotted_price"].notna().sum() == 10


def test_membership_is_the_probability_that_the_score_reaches_the_level():
    offers = load_prices()
    chosen = offers_of(offers, 0.75, SPEC).set_index("label")
    one = offers.set_index("offer").loc["ant-sonnet3"]  # two readings
    mean, error = (one["mmlu"] + one["mmlu_second"]) / 2, score_noise(offers) / np.sqrt(2)
    assert chosen.loc["ant-sonnet3", "member"] == pytest.approx(norm.cdf((mean - 0.75) / error))
    assert chosen["member"].min() >= 0.02
    assert "oai-gpt35t-0301" not in chosen.index


def test_offers_that_define_a_level_belong_to_it():
    chosen = offers_of(load_prices(), "gpt-3.5", SPEC).set_index("label")
    assert (chosen.loc[list(SPEC.levels["gpt-3.5"].always), "member"] == 1.0).all()


def test_blended_price_has_three_tokens_read_for_one_written():
    offers = load_prices()
    read, blended = (offers_of(offers, "gpt-4", SPEC, price) for price in ("input", "blended"))
    first = offers.set_index("offer").loc["oai-gpt4-0314"]
    of = blended.set_index("label").loc["oai-gpt4-0314", "value"]
    assert of == (3 * first["input_price"] + first["output_price"]) / 4
    assert (blended["value"] >= read["value"]).all()


def test_the_embedded_offers_pass_and_prices_fall(fit):
    assert fit.verdict == "PASS", fit.diagnostics["reasons"]
    said = price_summary(fit)
    assert said["p_falls"] > 0.999
    assert said["prior"]["p_falls"] == pytest.approx(0.5, abs=0.05)
    life, fold = halving_time(fit), fold_reduction(fit, "2023-01-01", "2024-01-01")
    np.testing.assert_allclose(fold, 2.0 ** (365 / life), rtol=1e-9)
    assert said["halving_time_days"]["median"] == pytest.approx(float(life.median()))
    assert said["offers"]["entered"] > 80


def test_observed_and_edge_ratio_are_two_numbers(fit):
    """Against the table itself, and against the slope alone."""
    offers = load_prices()
    level = SPEC.levels["gpt-3.5"]
    likely = offers[["mmlu", "mmlu_second"]].mean(axis=1) >= level.score  # as likely as not
    of_level = offers[likely | offers["offer"].isin(level.always)]
    published = 20 / 0.075
    for first, last, fold in (
        ("2022-12-01", "2024-08-31", published),
        ("2023-01-01", "2024-12-09", 20 / 0.035),
    ):
        cheapest = [
            of_level.loc[of_level["date"] <= pd.Timestamp(date), "input_price"].min()
            for date in (first, last)
        ]
        found = observed_fold(fit, first, last)
        assert found["fold"] == pytest.approx(cheapest[0] / cheapest[1])
        assert found["fold"] == pytest.approx(fold)
        assert found["first"]["offer"] == "oai-davinci003-2022-11"
    assert price_summary(fit)["observed"]["fold"] == pytest.approx(266.7, abs=0.05)
    # the edge has one rate throughout, so its ratio is that of the rate over the days between
    years = (pd.Timestamp("2024-08-31") - pd.Timestamp("2022-12-01")).days / 365.25
    by_rate = np.exp(-np.ravel(fit.posterior["growth_before"]) * years)
    edge = np.ravel(fold_reduction(fit, "2022-12-01", "2024-08-31"))
    np.testing.assert_allclose(np.sort(edge), np.sort(by_rate), rtol=1e-6)
    assert np.quantile(edge, 0.999) < published
    with pytest.raises(DensingError, match="no offer of this level by 2020-01-01"):
        observed_fold(fit, "2020-01-01", "2024-08-31")


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("level", ["gpt-3.5", "gpt-4"])
def test_other_seeds_pass_too(level, seed):
    fit = fit_prices(level, seed=seed)
    assert fit.verdict == "PASS", fit.diagnostics["reasons"]


def test_a_known_halving_time_is_recovered():
    random = np.random.default_rng(5)
    days = np.sort(random.integers(0, 900, 70))
    edge = np.log(10.0) - np.log(2.0) / 120 * days
    price = np.exp(edge + 1.5 * np.abs(random.standard_normal(70)))
    seen = random.random(70) < 0.4
    date = pd.Timestamp("2022-12-01") + pd.to_timedelta(days, "D")
    offers = pd.DataFrame(
        {
            "offer": [f"o{i}" for i in range(70)],
            "date": date + pd.to_timedelta(np.where(seen, 60, 0), "D"),
            "date_earliest": date.where(~seen, date - pd.Timedelta(days=10)),
            "input_price": price,
            "output_price": price,
            "mmlu": 0.9,
            "mmlu_second": np.where(np.arange(70) < 10, 0.9 + 0.001 * np.arange(70), np.nan),
        }
    )
    fit = fit_prices(0.7, offers=offers, seed=3)
    assert fit.verdict == "PASS", fit.diagnostics["reasons"]
    low, high = np.quantile(halving_time(fit), [0.005, 0.995])
    assert low < 120 < high


def test_bad_input_is_refused(tmp_path):
    with pytest.raises(DensingError, match=r"no level 'gpt-5': give gpt-3.5, gpt-4, or a score"):
        fit_prices("gpt-5")
    with pytest.raises(DensingError, match="no level '70'"):
        fit_prices(70)
    with pytest.raises(DensingError, match="at least five points, there are 2"):
        fit_prices("gpt-3.5", until="2023-03-10")
    mine = tmp_path / "mine.csv"
    mine.write_text("offer,date,input_price,mmlu\na,2024-01-01,-1,70\n", encoding="utf-8")
    with pytest.raises(TableError) as error:
        load_prices(mine)
    assert "mine.csv, row 2, column 'input_price': -1 is not a positive number" in str(error.value)
    assert "column 'mmlu': 70 looks like a percentage; write 0.7" in str(error.value)
    with pytest.raises(TableError, match="no such file; it needs the columns offer, date"):
        load_prices(tmp_path / "none.csv")
