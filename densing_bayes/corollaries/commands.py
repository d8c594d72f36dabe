"""Commands of the corollaries, by name."""

from __future__ import annotations

import typer

from densing_bayes.corollaries.compression.command import compression_command
from densing_bayes.corollaries.drivers.command import drivers_command
from densing_bayes.corollaries.engines.command import devices_command, engines_command
from densing_bayes.corollaries.forecast.command import forecast_command
from densing_bayes.corollaries.payback.command import shelf_life_command
from densing_bayes.corollaries.prices.command import price_command
from densing_bayes.corollaries.scaling.command import scaling_command


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("shelf-life")(shelf_life_command)
    app.command("forecast")(forecast_command)
    app.command("price")(price_command)
    app.command("engines")(engines_command)
    app.command("devices")(devices_command)
    app.command("compression")(compression_command)
    app.command("drivers")(drivers_command)
    app.command("scaling")(scaling_command)
