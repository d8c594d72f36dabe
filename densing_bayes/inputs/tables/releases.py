"""Which systems make one release: the sizes of a family that come out within some weeks."""

from __future__ import annotations

import pandas as pd

from densing_bayes.inputs.tables.schema import RELEASE_DAYS


def release_names(systems: pd.DataFrame, days: int = RELEASE_DAYS) -> pd.Series:
    """Name of the release of each system.

    A release is a recipe: sizes that share data and training come out one after the other, each
    when its training ends. So a system belongs to the release of the sibling before it if no more
    than ``days`` lie between the two. A name in the column ``release`` stands above the rule.

    Parameters
    ----------
    systems
        Columns ``organisation``, ``family``, ``release_date`` and ``release``, "" where the rule
        decides.
    days
        From one sibling to the next; 0 makes every date of a family a release.

    Returns
    -------
    pandas.Series
        The given name, or the family and the date of the release's first member, such as
        ``Falcon@2023-05-25``; with the index of ``systems``.
    """
    ruled = systems[systems["release"] == ""].sort_values("release_date", kind="stable")
    family = [ruled["organisation"], ruled["family"]]
    gap = ruled["release_date"].groupby(family).diff()
    begins = gap.isna() | (gap > pd.Timedelta(days=days))
    first = ruled["release_date"].where(begins).groupby(family).ffill()
    names = ruled["family"].str.cat(first.dt.strftime("%Y-%m-%d"), sep="@")
    return systems["release"].where(systems["release"] != "", names.reindex(systems.index))
