"""Registration of the corollary on life and pay-back."""

from __future__ import annotations

from collections.abc import Mapping

from densing_bayes.corollaries.corollary import Answer, Corollary, Parts
from densing_bayes.corollaries.payback.command import shelf_life_command


def _parts() -> Parts:
    from densing_bayes.corollaries.payback.figures import (
        payback_data,
        training_cost_data,
        waiting_data,
    )
    from densing_bayes.corollaries.payback.model import Payback
    from densing_bayes.corollaries.payback.section import payback_section
    from densing_bayes.corollaries.payback.table import COSTS
    from densing_bayes.corollaries.payback.training_cost import TrainingCostFit
    from densing_bayes.display.figures.data import Source

    return Parts(
        tables=(COSTS,),
        answers=(Answer("payback", "Life and pay-back of a release", payback_section, 25.0),),
        figures={
            "waiting": Source(waiting_data, Mapping, "waiting times by label"),
            "payback": Source(payback_data, Payback, "a pay-back"),
            "training_cost": Source(training_cost_data, TrainingCostFit, "a fit of training costs"),
        },
    )


PAYBACK = Corollary("payback", _parts, {"shelf-life": shelf_life_command})
