"""Registration of the corollary on forecasts."""

from __future__ import annotations

from densing_bayes.corollaries.corollary import Answer, Corollary, Parts
from densing_bayes.corollaries.forecast.command import forecast_command


def _parts() -> Parts:
    from densing_bayes.corollaries.forecast.claims import CLAIMS
    from densing_bayes.corollaries.forecast.figures import score_fan_data
    from densing_bayes.corollaries.forecast.section import level_of_gpt_4
    from densing_bayes.display.figures.data import Source
    from densing_bayes.posterior.result import Fit

    return Parts(
        answers=(Answer("forecast", "8B at the level of GPT-4", level_of_gpt_4),),
        figures={"score_fan": Source(score_fan_data, Fit, "a fit")},
        claims=CLAIMS,
    )


FORECAST = Corollary("forecast", _parts, {"forecast": forecast_command})
