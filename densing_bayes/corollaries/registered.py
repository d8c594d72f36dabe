"""Every corollary, in the order of the report; a new one adds its line here."""

from __future__ import annotations

from densing_bayes.corollaries.compression.corollary import COMPRESSION
from densing_bayes.corollaries.drivers.corollary import DRIVERS
from densing_bayes.corollaries.engines.corollary import ENGINES
from densing_bayes.corollaries.forecast.corollary import FORECAST
from densing_bayes.corollaries.payback.corollary import PAYBACK
from densing_bayes.corollaries.prices.corollary import PRICES
from densing_bayes.corollaries.scaling.corollary import SCALING
from densing_bayes.corollaries.trends.corollary import TRENDS

COROLLARIES = (
    TRENDS,
    PRICES,
    ENGINES,
    COMPRESSION,
    FORECAST,
    PAYBACK,
    DRIVERS,
    SCALING,
)
