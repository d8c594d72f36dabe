"""Registration of exponential trends, which other corollaries are made of."""

from __future__ import annotations

from densing_bayes.corollaries.corollary import Corollary, Parts


def _parts() -> Parts:
    from densing_bayes.corollaries.trends.exponential import ExponentialFit
    from densing_bayes.corollaries.trends.figures import exponential_data
    from densing_bayes.display.figures.data import Source

    source = Source(exponential_data, ExponentialFit, "an exponential fit")
    return Parts(figures={"exponential": source})


TRENDS = Corollary("trends", _parts)
