"""How much of the growth of density goes with longer training.

The growth itself stands in ``quantities``. Public face: ``model`` (`fit_drivers`), ``quantities``
(`drivers_table`) and ``overtraining``.
"""
