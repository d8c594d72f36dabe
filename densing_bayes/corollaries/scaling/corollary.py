"""Registration of the loss law alone, which has a report of its own."""

from __future__ import annotations

from densing_bayes.corollaries.corollary import Corollary, Parts
from densing_bayes.corollaries.scaling.command import scaling_command


def _parts() -> Parts:
    from densing_bayes.corollaries.scaling.table import LAW_RUNS

    return Parts(tables=(LAW_RUNS,))


SCALING = Corollary("scaling", _parts, {"scaling": scaling_command})
