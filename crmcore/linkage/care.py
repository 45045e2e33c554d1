"""How careful a merge is: the evidence that two groups need, from what the model expects of entities."""

from __future__ import annotations

import enum

import numpy as np

from crmcore.linkage.agglomerate import Cuts

__all__ = ["Care", "cuts_for"]


class Care(enum.StrEnum):
    """How much evidence a merge needs."""

    EAGER = "eager"
    BALANCED = "balanced"
    CAREFUL = "careful"


# Two groups are worth merging when the mean probability between them passes about a quarter. Where the model expects
# few records of one entity, a merge needs a little more, and twice as much where hardly anybody has two; where it
# expects many, the mean is too low (missing cells, no evidence through third records), and the cut falls with the size
# that a merge would reach.
_CUT = {Care.EAGER: 0.15, Care.BALANCED: 0.25, Care.CAREFUL: 0.5}
_RISE, _FALL = 0.2, 0.4  # of the cut: added where entities are small, let off a large entity where they are large
_RARE, _WARY = 0.05, 1.2  # matches a record below which hardly anybody has two records; of the cut, added there
_SMALL_ENTITY, _LARGE_ENTITY = 4, 7  # records: no relief up to here, all of it from there


def cuts_for(care: Care, matches_per_record: float) -> Cuts:
    """Evidence that a merge needs, by the size it would reach.

    Parameters
    ----------
    care : how careful to be
    matches_per_record : expected pairs of one person, divided by the records

    Examples
    --------
    >>> cuts_for(Care.BALANCED, 0.2).at(9), round(cuts_for(Care.BALANCED, 4.0).at(9), 3)
    (0.3, 0.15)
    """
    typical = 1 + 2 * matches_per_record  # records in the entity of a typical record
    rise = _RISE * min(max((2.0 - typical) / 0.5, 0.0), 1.0) + _WARY * max(1 - matches_per_record / _RARE, 0.0)
    base = min(_CUT[care] * (1 + rise), 0.9)
    relief = _FALL * min(max((typical - 2.0) / 1.5, 0.0), 1.0)
    sizes = np.arange(_LARGE_ENTITY + 1)
    large = np.clip((sizes - _SMALL_ENTITY) / (_LARGE_ENTITY - _SMALL_ENTITY), 0.0, 1.0)
    return Cuts(tuple((base * (1 - relief * large)).tolist()))
