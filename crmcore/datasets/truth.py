"""What is true of a simulated brand, to measure every estimate against."""

# ruff: noqa: E501  (columns read best as lines)

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.datasets.campaigns import CAMPAIGNS, Campaigns
from crmcore.datasets.columns import Columns, Ints, Objects, texts
from crmcore.datasets.complaints import CAUSES, Complaints
from crmcore.datasets.forum import Forum
from crmcore.datasets.orders import Orders
from crmcore.datasets.posts import BURSTS, Burst, Posts
from crmcore.datasets.records import RecordTruth
from crmcore.datasets.sessions import STATES, WALK
from crmcore.datasets.surveys import Surveys
from crmcore.datasets.traits import NEEDS, VALUE_CLASSES, Planted, Traits
from crmcore.datasets.words_posts import ASPECTS, BRANDS

__all__ = ["LADDER", "Truth", "ladder_stage"]

LADDER = ("prospect", "buyer", "regular", "advocate")
REGULAR_ORDERS, REGULAR_DAYS, ADVOCATE_REFERRALS = 3, 90, 2


def ladder_stage(
    person: Ints, time: NDArray[np.datetime64], referrals: Ints, /, *, n_persons: int
) -> NDArray[np.int64]:
    """Ladder stage reached by each person: code of LADDER.

    Parameters
    ----------
    person : (n,) codes
        Buyer of each order.
    time : (n,) instants
        When.
    referrals : (n_persons,) counts
        Buyers brought by each person.
    n_persons : count
        Persons without orders are prospects, whatever they refer.

    Returns
    -------
    (n_persons,) codes
        1 after an order, 2 after 3 orders within 90 days, 3 for a buyer who brought 2 others.

    Examples
    --------
    >>> day = np.datetime64("2025-01-01", "us") + np.array([0, 40, 80, 0]) * np.timedelta64(1, "D")
    >>> ladder_stage(np.array([0, 0, 0, 1]), day, np.array([0, 2, 0]), n_persons=3).tolist()
    [2, 3, 0]
    """
    order = np.lexsort((time, person))
    who, when = person[order], time[order]
    k = REGULAR_ORDERS - 1
    dense = (who[k:] == who[:-k]) & (when[k:] - when[:-k] <= np.timedelta64(REGULAR_DAYS, "D"))
    bought = np.bincount(person, minlength=n_persons) > 0
    stage = bought.astype(np.int64)
    stage[who[k:][dense]] = 2
    stage[bought & (referrals >= ADVOCATE_REFERRALS)] = 3
    return stage


@attrs.frozen(eq=False, repr=False)
class Truth:
    """Everything that was planted; persons are rows of `people`, the tables' rows are those of the brand's tables."""

    planted: Planted
    records: RecordTruth
    traits: Traits
    orders: Orders
    posts: Posts
    surveys: Surveys
    complaints: Complaints
    campaigns: Campaigns
    session_person: Ints  # (session events,)
    referrals: Ints  # (persons,) buyers brought
    ladder: Ints  # (persons,) code of LADDER
    forum: Forum

    def __repr__(self) -> str:
        return f"Truth({len(self.records)} records, {len(self.traits)} persons)"

    @property
    def person_of(self) -> dict[str, str]:
        """Record id -> person id."""
        return dict(zip(self.records.record_id, self.records.person_id[self.records.person], strict=True))

    @property
    def bursts(self) -> tuple[Burst, ...]:
        """Planted bursts of posts."""
        return BURSTS

    @property
    def rival_weakness(self) -> tuple[str, str]:
        """The rival and the aspect at which it fails where the others do not."""
        return BRANDS[1], "delivery"

    @property
    def walk(self) -> tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]:
        """States of a session and the transition shares from the first three of them (touchpoints other than e-mail)."""
        return STATES, WALK

    def records_table(self) -> Columns:
        """One row for each record: its person and household, and what that person is."""
        person = self.records.person
        return {**self.records.columns(), **{k: v[person] for k, v in self.persons_table().items() if k != "person_id"}}

    def persons_table(self) -> Columns:
        """One row for each person: needs, value class, ladder stage and the parameters of the order process."""
        t = self.traits
        return {
            "person_id": self.records.person_id,
            "household_id": self.records.household_id[self.records.household],
            "needs": texts(list(NEEDS))[t.needs],
            "value_class": texts(list(VALUE_CLASSES))[t.value_class],
            "ladder": texts(list(LADDER))[self.ladder],
            "superfan": t.superfan,
            "purchase_rate_weekly": t.purchase_rate,
            "dropout": t.dropout,
            "mean_spend_minor": t.mean_spend,
            "satisfaction": t.satisfaction,
            "active_at_end": self.orders.alive,
            "orders": self.orders.count,
            "referrals": self.referrals,
        }

    def posts_table(self) -> Columns:
        """One row for each post: brand, aspect, tone, spam, burst."""
        p = self.posts
        return {
            "post_id": p.posts["post_id"],
            "brand": texts(list(BRANDS))[p.brand],
            "aspect": _named(ASPECTS, p.aspect),
            "sentiment": p.sentiment,
            "spam": p.spam,
            "burst": _named(tuple(b.topic for b in BURSTS), p.burst),
        }

    def cases_table(self) -> Columns:
        """One row for each complaint: its cause."""
        return {"case_id": self.complaints.complaints["case_id"], "cause": texts(list(CAUSES))[self.complaints.cause]}

    def uplift(self) -> dict[str, float]:
        """Mean true uplift (response if contacted minus response if not) of each campaign."""
        name = self.campaigns.campaigns["campaign"]
        gain = self.campaigns.if_contacted - self.campaigns.if_held_out
        return {c: float(gain[name == c].mean()) for c, *_ in CAMPAIGNS}


def _named(words: tuple[str, ...], codes: Ints) -> Objects:
    """Words by code, None for -1."""
    return texts([*words, None])[codes]
