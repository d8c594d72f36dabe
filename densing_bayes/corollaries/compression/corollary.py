"""Registration of the corollary on compressed systems."""

from __future__ import annotations

from densing_bayes.corollaries.compression.command import compression_command
from densing_bayes.corollaries.corollary import Answer, Corollary, Parts


def _parts() -> Parts:
    import pandas as pd

    from densing_bayes.corollaries.compression.claims import CLAIMS
    from densing_bayes.corollaries.compression.figures import compression_data, panel_pairs_data
    from densing_bayes.corollaries.compression.section import methods_beside_parents
    from densing_bayes.corollaries.compression.table import COMPRESSION
    from densing_bayes.corollaries.small_model import Posterior
    from densing_bayes.display.figures.data import Source

    return Parts(
        tables=(COMPRESSION,),
        answers=(
            Answer("compression", "Compressed systems", methods_beside_parents, seconds=40.0),
        ),
        figures={
            "compression": Source(compression_data, Posterior, "a fit of pairs"),
            "panel_pairs": Source(panel_pairs_data, pd.DataFrame, "a table of pairs"),
        },
        claims=CLAIMS,
    )


COMPRESSION = Corollary("compression", _parts, {"compression": compression_command})
