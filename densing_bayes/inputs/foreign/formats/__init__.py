"""Forms of files that other people write: a module for each.

What all forms have in common, and how one is recognised, stands in ``foreign``. Public face: the
readers that ``importing`` asks in turn.
"""
