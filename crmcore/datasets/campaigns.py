"""Campaigns with a random hold-out and a known uplift, consents with their history, and referrals."""

# ruff: noqa: E501  (columns read best as lines)

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.datasets.columns import Columns, Ints, children, draw, texts, utc
from crmcore.datasets.people import FIRST_DAY
from crmcore.datasets.records import RecordSet
from crmcore.datasets.traits import Planted, Traits

__all__ = ["CAMPAIGNS", "Campaigns", "simulate_campaigns", "simulate_consents", "simulate_referrals"]

CAMPAIGNS = (("spring sale", 450, "e-mail", 90), ("line coupon", 640, "line", 60), ("autumn sale", 1000, "e-mail", 90))
PURPOSES = ("marketing", "profiling", "service")
STATUS = ("granted", "withdrawn", "never asked")


@attrs.frozen(eq=False, repr=False)
class Campaigns:
    """Contacts and hold-outs as a table, and the response probability of each with and without contact."""

    campaigns: Columns
    person: Ints
    if_contacted: NDArray[np.float64]
    if_held_out: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.person)

    def __repr__(self) -> str:
        return f"Campaigns({len(self)} persons in {len(CAMPAIGNS)} campaigns)"


def simulate_campaigns(records: RecordSet, traits: Traits, *, planted: Planted, rng: np.random.Generator) -> Campaigns:
    """Each campaign takes a random half of the members and LINE users and holds a random share of them out."""
    parts: list[tuple[Columns, Ints, NDArray[np.float64], NDArray[np.float64]]] = []
    for (name, day, channel, cost), child in zip(CAMPAIGNS, rng.spawn(len(CAMPAIGNS)), strict=True):
        r = children(child, "record", "who", "hold", "answer", "amount", "time")
        rows = records.truth.one_per_person(r["record"], "members", "line_oa")
        rows = rows[rows >= 0]
        rows = r["who"].permutation(rows[r["who"].random(len(rows)) < 0.5])
        person, n = records.truth.person[rows], len(rows)
        held = r["hold"].random(n) < planted.holdout_share
        base = np.clip(planted.base_response * (0.6 + 0.8 * np.minimum(traits.engagement[person], 2.0) / 2), 0.0, 1.0)
        treated = np.clip(base + np.array(planted.uplift)[traits.needs[person]], 0.0, 1.0)
        bought = r["answer"].random(n) < np.where(held, base, treated)
        opened = ~held & (bought & (r["answer"].random(n) < 0.85) | (r["answer"].random(n) < 0.28))
        amount = (
            np.where(bought, r["amount"].gamma(planted.p, traits.mean_spend[person] / planted.p), 0)
            .round()
            .astype(np.int64)
        )
        wait = r["time"].exponential(2.5, n)
        parts.append(({
            "campaign": np.full(n, name, dtype=object), "record_id": records.truth.record_id[rows], "channel": np.full(n, channel, dtype=object),
            "group": np.where(held, "hold-out", "contacted").astype(object), "sent_at": utc(np.where(held, np.nan, float(day)), origin=FIRST_DAY),
            "cost_minor": np.where(held, 0, cost), "opened": opened, "bought": bought, "amount_minor": amount,
            "bought_at": utc(np.where(bought, day + wait, np.nan), origin=FIRST_DAY),
        }, person, treated, base))  # fmt: skip
    columns = {k: np.concatenate([table[k] for table, *_ in parts]) for k in parts[0][0]}
    return Campaigns(
        columns,
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
        np.concatenate([part[3] for part in parts]),
    )


def simulate_consents(records: RecordSet, *, rng: np.random.Generator) -> Columns:
    """What the holder of each member and LINE record said about each purpose; the latest row of a purpose counts."""
    r = children(rng, "first", "again", "wait", "order")
    rows = np.repeat(records.truth.rows_of("members", "line_oa"), len(PURPOSES))
    purpose = np.tile(np.arange(len(PURPOSES)), len(rows) // len(PURPOSES))
    said = np.where(purpose == 2, 0, draw(r["first"], [0.62, 0.08, 0.30], len(rows)))
    changes = np.flatnonzero((said == 0) & (purpose < 2) & (r["again"].random(len(rows)) < 0.12))
    wait = (1 + r["wait"].exponential(120.0, len(changes)) * 86_400).astype(np.int64).astype("timedelta64[s]")
    time = records.truth.time[rows]
    row = np.append(rows, rows[changes])
    order = r["order"].permutation(len(row))
    never = np.append(said, np.ones(len(changes), np.int64)) == 2
    at = np.where(never, np.datetime64("NaT", "us"), np.append(time, time[changes] + wait))
    columns: Columns = {
        "record_id": records.truth.record_id[row],
        "channel": np.where(records.truth.source[row] == "line_oa", "line", "e-mail").astype(object),
        "purpose": texts(list(PURPOSES))[np.append(purpose, purpose[changes])],
        "status": texts(list(STATUS))[np.append(said, np.ones(len(changes), np.int64))],
        "time": at,
    }
    return {k: v[order] for k, v in columns.items()}


def simulate_referrals(
    records: RecordSet, traits: Traits, first: NDArray[np.datetime64], *, rng: np.random.Generator
) -> tuple[Columns, Ints]:
    """Who brought whom: superfans two to six buyers each, a few others one. Returns the table and (persons,) counts.

    `first` is the first order of each person (NaT = never); the referral stands a few days before that of the new buyer.
    """
    r = children(rng, "who", "count", "whom", "record", "gap")
    rows = records.truth.one_per_person(r["record"], "members", "web_orders")
    buyers = np.flatnonzero(~np.isnat(first))
    fans = buyers[traits.superfan[buyers]]
    others = buyers[~traits.superfan[buyers] & (r["who"].random(len(buyers)) < 0.02)]
    referrer = np.append(np.repeat(fans, r["count"].integers(2, 7, size=len(fans))), others)
    # Everybody is brought at most once, and only by somebody whose first order is at least 15 days older.
    queue = buyers[np.argsort(first[buyers], kind="stable")]
    after = np.searchsorted(first[queue], first[referrer] + np.timedelta64(15, "D"))
    pick = after + (r["whom"].random(len(referrer)) * (len(queue) - after)).astype(np.int64)
    order = r["whom"].permutation(np.flatnonzero(pick < len(queue)))
    _, once = np.unique(pick[order], return_index=True)
    rows_kept = order[np.sort(once)]
    referrer, brought = referrer[rows_kept], queue[pick[rows_kept]]
    gap = (r["gap"].uniform(0.2, 14.0, len(brought)) * 86_400).astype(np.int64).astype("timedelta64[s]")
    columns: Columns = {
        "referrer_record_id": records.truth.record_id[rows[referrer]],
        "referred_record_id": records.truth.record_id[rows[brought]],
        "time": first[brought] - gap,
    }
    return columns, np.bincount(referrer, minlength=len(traits))
