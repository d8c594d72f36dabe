"""The likelihood of scores with everything of a release integrated out, given the globals.

The model that it is the likelihood of stands in ``joint``, and what is asked of it in ``fitting``
and ``evaluation``. Public face: ``predictive`` (`predictive_densities`) and ``shared_parameters``
(`given`).
"""
