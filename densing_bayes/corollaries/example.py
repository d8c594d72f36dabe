"""The system that examples of the report are about."""

from __future__ import annotations

SMALL = 8e9  # params of the example
