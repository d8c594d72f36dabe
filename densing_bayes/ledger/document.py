"""The ledger of claims as a JSON document."""

from __future__ import annotations

from typing import Any

import pandas as pd

from densing_bayes.posterior.plain import plain


def claims_document(table: pd.DataFrame) -> dict[str, Any]:
    """The ledger of claims.

    Returns
    -------
    dict
        ``rule``; ``claims``: a list with a record per claim and panel, as the table of
        :func:`densing_bayes.claims` has it, empty cells as null.
    """
    from densing_bayes.ledger.rows import RULE

    return plain({"rule": RULE, "claims": table.to_dict(orient="records")})
