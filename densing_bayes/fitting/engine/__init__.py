"""The functions that a sampler calls: graphs recorded as tapes, and the machine for tapes.

No statistics belong here. Public face: ``functions`` (`make_engine`, `sample`).
"""
