"""One coherent brand: people, records, orders, sessions, posts, surveys, complaints, campaigns, and the truth."""

# ruff: noqa: E501  (columns read best as lines)

from __future__ import annotations

from typing import Any, Literal

import attrs
import numpy as np

from crmcore._base import Progress, reporter
from crmcore.datasets.campaigns import simulate_campaigns, simulate_consents, simulate_referrals
from crmcore.datasets.columns import Columns, Frames, children
from crmcore.datasets.complaints import simulate_complaints
from crmcore.datasets.forum import simulate_forum
from crmcore.datasets.orders import simulate_orders
from crmcore.datasets.people import People
from crmcore.datasets.posts import simulate_posts
from crmcore.datasets.records import RecordSet, simulate_records
from crmcore.datasets.sessions import simulate_sessions
from crmcore.datasets.surveys import simulate_surveys
from crmcore.datasets.traits import Planted, simulate_traits
from crmcore.datasets.truth import Truth, ladder_stage

__all__ = ["Brand", "simulate_brand"]

# New parts go to the end: the generators of the others stay what they are.
PARTS = (
    "records",
    "traits",
    "orders",
    "sessions",
    "posts",
    "surveys",
    "complaints",
    "campaigns",
    "consents",
    "referrals",
    "forum",
)


@attrs.frozen(eq=False, repr=False)
class Brand:
    """A simulated brand: what its systems hold, table by table, and what is true.

    Every table is a plain dict of columns (`brand.orders["amount_minor"]`); `to_frames` makes data frames of them.
    Tables point at people by `record_id` only: who is who is for the reader to find out, and for `truth` to judge.

    Examples
    --------
    >>> brand = simulate_brand(300, seed=1)
    >>> sorted(brand.sources), "person_id" in brand.orders
    (['call_centre', 'line_oa', 'members', 'page_inbox', 'web_orders'], False)
    """

    sources: Frames
    orders: Columns
    order_lines: Columns
    sessions: Columns
    posts: Columns
    surveys: Columns
    complaints: Columns
    case_events: Columns
    campaigns: Columns
    consents: Columns
    referrals: Columns
    forum: Columns
    people: People
    truth: Truth

    @property
    def tables(self) -> Frames:
        """All tables by name, sources first."""
        names = [f.name for f in attrs.fields(type(self)) if f.name not in {"sources", "people", "truth"}]
        return Frames({**self.sources, **{name: getattr(self, name) for name in names}})

    def __repr__(self) -> str:
        return f"Brand({len(self.people)} persons, {self.tables!r})"

    def to_frames(self, backend: Literal["polars", "pandas", "pyarrow"]) -> dict[str, Any]:
        """Every table as a data frame of `backend`."""
        return self.tables.to_frames(backend)


def simulate_brand(
    n_customers: int,
    *,
    seed: int | np.random.Generator,
    duplicates: float = 0.8,
    noise: float = 1.0,
    planted: Planted | None = None,
    progress: Progress | bool = False,
) -> Brand:
    """Simulate a brand with known truth.

    Parameters
    ----------
    n_customers : persons
        At least 1; about three in four become buyers. 100,000 take some seconds and well under 1.5 GB.
    seed : int or Generator
        The same seed gives the same brand.
    duplicates, noise
        See `simulate_records`.
    planted : Planted, optional
        Parameters of the planted effects; None takes the documented ones.
    progress : callable or bool
        Called with the stage, steps done and steps in all.

    Returns
    -------
    Brand
        Three years of data (2023 to 2025, UTC), money in minor units of one currency.

    Raises
    ------
    OutOfRange
        If a number is out of range.

    Examples
    --------
    >>> brand = simulate_brand(500, seed=3)
    >>> brand.truth.rival_weakness
    ('Kasten & Co', 'delivery')
    """
    plan = planted or Planted()
    report = reporter(progress)
    rng = children(np.random.default_rng(seed), *PARTS)
    records: RecordSet = simulate_records(
        n_customers, seed=rng["records"], duplicates=duplicates, noise=noise, progress=progress
    )
    record_id = records.truth.record_id
    traits = simulate_traits(n_customers, planted=plan, rng=rng["traits"])
    report("brand", 1, 5)
    orders = simulate_orders(records, traits, planted=plan, rng=rng["orders"])
    report("brand", 2, 5)
    sessions, session_person = simulate_sessions(records, traits, planted=plan, rng=rng["sessions"])
    posts = simulate_posts(records, traits, planted=plan, rng=rng["posts"])
    report("brand", 3, 5)
    surveys = simulate_surveys(orders, traits, record_id=record_id, rng=rng["surveys"])
    complaints = simulate_complaints(orders, traits, record_id=record_id, rng=rng["complaints"])
    report("brand", 4, 5)
    campaigns = simulate_campaigns(records, traits, planted=plan, rng=rng["campaigns"])
    consents = simulate_consents(records, rng=rng["consents"])
    referrals, brought = simulate_referrals(records, traits, orders.first, rng=rng["referrals"])
    forum = simulate_forum(records, traits, planted=plan, rng=rng["forum"])
    stage = ladder_stage(orders.person, orders.orders["time"], brought, n_persons=n_customers)
    report("brand", 5, 5)
    return Brand(
        records.sources, orders.orders, orders.lines, sessions, posts.posts, surveys.surveys, complaints.complaints,
        complaints.events, campaigns.campaigns, consents, referrals, forum.posts, records.people,
        Truth(plan, records.truth, traits, orders, posts, surveys, complaints, campaigns, session_person, brought, stage,
              forum),
    )  # fmt: skip
