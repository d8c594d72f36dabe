"""Registration of the corollary on longer training and the rest."""

from __future__ import annotations

from densing_bayes.corollaries.corollary import Answer, Corollary, Parts
from densing_bayes.corollaries.drivers.command import drivers_command


def _parts() -> Parts:
    from densing_bayes.corollaries.drivers.data import DriverData
    from densing_bayes.corollaries.drivers.figures import drivers_data, drivers_prior_data
    from densing_bayes.corollaries.drivers.section import driver_section
    from densing_bayes.display.figures.data import Source
    from densing_bayes.posterior.result import Fit

    return Parts(
        answers=(Answer("drivers", "Longer training and the rest", driver_section, seconds=3.0),),
        figures={
            "drivers": Source(drivers_data, Fit, "a fit"),
            "drivers_prior": Source(drivers_prior_data, DriverData, "the data of the drivers"),
        },
    )


DRIVERS = Corollary("drivers", _parts, {"drivers": drivers_command})
