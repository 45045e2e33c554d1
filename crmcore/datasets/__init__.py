"""A simulated brand with known truth: people and records, orders, sessions, posts, surveys, complaints, campaigns.

Everything is made up; mailboxes end in `.example`, which no letter can reach.
"""

from __future__ import annotations

from crmcore._base import lazy_names

__all__ = ["RecordSet", "RecordTruth", "simulate_records"]

__getattr__ = lazy_names(
    __name__,
    {
        "RecordSet": ".records",
        "RecordTruth": ".records",
        "simulate_records": ".records",
    },
)
