"""Registration of the corollary on chips, batteries and devices."""

from __future__ import annotations

from densing_bayes.corollaries.corollary import Answer, Corollary, Parts
from densing_bayes.corollaries.engines.command import devices_command, engines_command


def _parts() -> Parts:
    import pandas as pd

    from densing_bayes.corollaries.engines.claims import CLAIMS
    from densing_bayes.corollaries.engines.figures import doubling_times_data
    from densing_bayes.corollaries.engines.model import stored_engines
    from densing_bayes.corollaries.engines.section import device_section, engine_section
    from densing_bayes.corollaries.engines.table import TECHNOLOGY
    from densing_bayes.display.figures.data import Source

    return Parts(
        tables=(TECHNOLOGY,),
        answers=(
            Answer("engines", "Engines beside density", engine_section),
            Answer("devices", "What a device holds", lambda fit, ci, seed: device_section(fit, ci)),
        ),
        figures={"doubling_times": Source(doubling_times_data, pd.DataFrame, "a table of engines")},
        claims=CLAIMS,
        table_fits=stored_engines,
    )


ENGINES = Corollary("engines", _parts, {"engines": engines_command, "devices": devices_command})
