"""Registration of the corollary on prices."""

from __future__ import annotations

from densing_bayes.corollaries.corollary import Answer, Corollary, Parts
from densing_bayes.corollaries.prices.command import price_command


def _parts() -> Parts:
    from densing_bayes.corollaries.prices.claims import CLAIMS
    from densing_bayes.corollaries.prices.model import stored_prices
    from densing_bayes.corollaries.prices.section import both_levels
    from densing_bayes.corollaries.prices.table import PRICES

    return Parts(
        tables=(PRICES,),
        answers=(Answer("prices", "Price of inference", both_levels, seconds=2.0),),
        claims=CLAIMS,
        table_fits=lambda seed: {"prices": stored_prices(seed)},
    )


PRICES = Corollary("prices", _parts, {"price": price_command})
