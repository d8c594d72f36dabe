"""Registration of the loss law alone, which has a report of its own."""

from __future__ import annotations

from densing_bayes.corollaries.corollary import Corollary, Parts
from densing_bayes.corollaries.scaling.command import scaling_command

SCALING = Corollary("scaling", Parts, {"scaling": scaling_command}, ("chinchilla.csv",))
