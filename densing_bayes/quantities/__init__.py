"""What follows from a posterior: growth, densities, shelf lives, forecasts.

Whether a fit or its hypothesis is to be believed stands in ``evaluation``, and how answers are
shown in ``display``. Public face: ``growth``, ``densities``, ``shelf_life``, ``forecasts``,
``predictive``, ``summary``, ``link_errors``, ``paper_estimator``, ``numbers`` and ``labels``.
"""
