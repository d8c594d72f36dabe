"""Embedded tables of densing_bayes; see README.md beside this file for where they come from."""
