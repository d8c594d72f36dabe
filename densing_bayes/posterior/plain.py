"""Answers as JSON holds them: plain values, and no NaN or infinity."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import pandas as pd


def plain(value: Any) -> Any:
    """A value in JSON's own types; NaN and infinity become None, dates ISO strings."""
    match value:
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case np.ndarray():
            return plain(value.tolist())
        case list() | tuple():
            return [plain(item) for item in value]
        case np.generic():
            return plain(value.item())
        case float():
            return value if math.isfinite(value) else None
        case dt.datetime() | dt.date():
            return value.isoformat()
        case None | bool() | int() | str():
            return value
        case _ if value is pd.NaT:
            return None
        case _:
            raise TypeError(f"{type(value).__name__} has no form in JSON")


def json_text(document: Any) -> str:
    """A document as JSON text of one line per item, without NaN."""
    return json.dumps(plain(document), indent=2, allow_nan=False, ensure_ascii=False)
