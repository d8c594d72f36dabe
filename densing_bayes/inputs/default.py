"""What is fitted where nothing else is asked for."""

from typing import Final

DEFAULT: Final = "current"
"""Name of a specification, and of the embedded panel that it is of."""
