"""Packages: those found in densing_bayes, and the two that hold its tables and specifications."""

from setuptools import find_packages, setup

RESOURCES = {"densing_bayes.data": "data", "densing_bayes.models": "models"}

setup(
    packages=[*find_packages(include=["densing_bayes", "densing_bayes.*"]), *RESOURCES],
    package_dir={"densing_bayes": "densing_bayes", **RESOURCES},
)
