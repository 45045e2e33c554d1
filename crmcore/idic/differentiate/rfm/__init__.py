"""Recency, frequency and money: scores that treat equal customers equally, segments, migration, cohorts.

`score` reads orders and gives every customer three scores, `RfmModel` keeps the cut points and applies them to later
dates, `SegmentMap` is proven to be a partition when it is made, and `migration` counts who moved between two dates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.idic.differentiate.rfm.binning import Ties, cut_points, score_values
    from crmcore.idic.differentiate.rfm.facts import RfmFacts, cohorts, rfm_facts
    from crmcore.idic.differentiate.rfm.migrating import Migration, migration
    from crmcore.idic.differentiate.rfm.model import Binning, RfmModel, fit_cuts
    from crmcore.idic.differentiate.rfm.scores import RfmScores, score
    from crmcore.idic.differentiate.rfm.segments import SEGMENTS, NotAPartition, Segment, SegmentMap

__all__ = [
    "SEGMENTS",
    "Binning",
    "Migration",
    "NotAPartition",
    "RfmFacts",
    "RfmModel",
    "RfmScores",
    "Segment",
    "SegmentMap",
    "Ties",
    "cohorts",
    "cut_points",
    "fit_cuts",
    "migration",
    "rfm_facts",
    "score",
    "score_values",
]

__getattr__ = lazy_names(
    __name__,
    {
        "SEGMENTS": ".segments",
        "Binning": ".model",
        "Migration": ".migrating",
        "NotAPartition": ".segments",
        "RfmFacts": ".facts",
        "RfmModel": ".model",
        "RfmScores": ".scores",
        "Segment": ".segments",
        "SegmentMap": ".segments",
        "Ties": ".binning",
        "cohorts": ".facts",
        "cut_points": ".binning",
        "fit_cuts": ".model",
        "migration": ".migrating",
        "rfm_facts": ".facts",
        "score": ".scores",
        "score_values": ".binning",
    },
)
