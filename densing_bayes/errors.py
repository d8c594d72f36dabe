"""Errors that densing_bayes raises on purpose."""


class DensingError(Exception):
    """Root of all errors raised on purpose: the message has the problem, place and mend."""


class TableError(DensingError):
    """A table is missing, unreadable or holds a value that cannot be right."""


class SpecError(DensingError):
    """A specification or hypothesis is unknown, incomplete or contradicts itself."""


class FitError(DensingError):
    """A model could not be built, sampled or asked for the quantity wanted."""


class FileFormatError(DensingError):
    """A saved fit cannot be read, or was written by an incompatible version."""


class NotTestableError(DensingError):
    """A panel cannot say anything about a claim, for the reason given."""
