"""A simulated brand with known truth: people and records, orders, sessions, posts, surveys, complaints, campaigns.

Everything is made up; mailboxes end in `.example`, which no letter can reach.
"""

from __future__ import annotations

from crmcore._base import lazy_names

__all__ = [
    "Brand",
    "Frames",
    "OrganisationSet",
    "Planted",
    "RecordSet",
    "RecordTruth",
    "Truth",
    "organisations",
    "simulate_brand",
    "simulate_records",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Brand": ".brand",
        "Frames": ".columns",
        "OrganisationSet": ".companies",
        "Planted": ".traits",
        "RecordSet": ".records",
        "RecordTruth": ".records",
        "Truth": ".truth",
        "organisations": ".companies",
        "simulate_brand": ".brand",
        "simulate_records": ".records",
    },
)
