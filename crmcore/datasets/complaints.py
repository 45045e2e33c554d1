"""Complaints and how they were handled: planted causes, an innocent region, and the history of every case."""

# ruff: noqa: E501  (columns read best as lines)

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.datasets.columns import Columns, Ints, Objects, children, draw, opaque_ids, texts
from crmcore.datasets.orders import Orders
from crmcore.datasets.traits import Traits

__all__ = ["CAUSES", "Complaints", "simulate_complaints"]

CAUSES = ("courier swift", "new box", "staff", "other")
TOPICS = ("late delivery", "damaged goods", "rude service", "wrong item")
CHANNELS = ("call centre", "page inbox", "line", "public post", "e-mail")
EVENTS = ("created", "acknowledged", "first response", "solved", "reopened", "solved", "follow-up")
WORDS = (
    ("my parcel is days late", "where is my order, it was due last week", "ของยังไม่ถึงเลย"),
    ("the box was crushed and the product broken", "arrived damaged", "ของแตกเสียหาย"),
    ("your staff was rude to me", "nobody listened at the counter", "พนักงานพูดจาไม่ดี"),
    ("I got the wrong item", "one piece is missing", "ได้ของผิด"),
)


@attrs.frozen(eq=False, repr=False)
class Complaints:
    """Cases and their events as tables, and why each one arose."""

    complaints: Columns
    events: Columns
    person: Ints  # (cases,)
    order: Ints  # (cases,) row in orders
    cause: Ints  # (cases,) code of CAUSES; "other" also for late or damaged by chance

    def __len__(self) -> int:
        return len(self.person)

    def __repr__(self) -> str:
        return f"Complaints({len(self)} cases, {len(self.events['event'])} events)"


def simulate_complaints(orders: Orders, traits: Traits, *, record_id: Objects, rng: np.random.Generator) -> Complaints:
    """Complain about a third of the late and half of the damaged orders, now and then about staff or anything else.

    The region does not matter, though the north complains more: its orders mostly travel with the courier that is late.
    """
    r = children(rng, "why", "channel", "severity", "agent", "text", "clock", "ids", "order", "delay")
    n_orders = len(orders)
    spins = r["why"].random((n_orders, 4))
    store = orders.orders["channel"] == "store"
    reasons = np.stack(
        [
            orders.late & (spins[:, 0] < 0.34),
            orders.damaged & (spins[:, 1] < 0.50),
            store & (spins[:, 2] < 0.006),
            spins[:, 3] < 0.004,
        ]
    )
    topic_of = np.argmax(reasons, axis=0)
    order = r["order"].permutation(np.flatnonzero(reasons.any(axis=0)))
    topic, person, n = topic_of[order], orders.person[order], len(order)
    swift, box = orders.orders["courier"][order] == "swift", orders.orders["packaging"][order] == "new box"
    cause = np.select([(topic == 0) & swift, (topic == 1) & box, topic == 2], [0, 1, 2], 3)
    channel = draw(r["channel"], [0.34, 0.22, 0.2, 0.12, 0.12], n)
    severity = np.clip(
        np.round(1.4 + 0.9 * (topic == 1) + 0.6 * (topic == 0) + r["severity"].normal(0, 0.8, n)), 1, 4
    ).astype(np.int64)
    agent = r["agent"].integers(24, size=n)
    words = np.empty(n, dtype=object)
    for t, child in zip(range(len(TOPICS)), r["text"].spawn(len(TOPICS)), strict=True):
        rows = np.flatnonzero(topic == t)
        words[rows] = texts(list(WORDS[t]))[draw(child, np.ones(len(WORDS[t])), len(rows))]
    opened = orders.orders["delivered_at"][order] + (r["delay"].exponential(1.2, n) * 86_400).astype(np.int64).astype(
        "timedelta64[s]"
    )
    ids = opaque_ids(r["ids"], n, prefix="k-")
    columns: Columns = {
        "case_id": ids, "record_id": record_id[orders.row[order]], "order_id": orders.orders["order_id"][order], "opened_at": opened,
        "channel": texts(list(CHANNELS))[channel], "public": channel == 3, "topic": texts(list(TOPICS))[topic], "severity": severity,
        "agent": texts([f"agent {i:02d}" for i in range(24)])[agent], "text": words,
        "courier": orders.orders["courier"][order], "region": orders.orders["region"][order], "packaging": orders.orders["packaging"][order],
    }  # fmt: skip
    return Complaints(columns, _history(r["clock"], ids, opened, severity, agent), person, order, cause)


def _history(
    rng: np.random.Generator, ids: Objects, opened: NDArray[np.datetime64], severity: Ints, agent: Ints
) -> Columns:
    """Events of each case in order; agents 20 to 23 answer slowly and their solutions often do not hold."""
    r = children(rng, "gaps", "fate")
    n = len(ids)
    slow = agent >= 20
    mean_h = np.array([0.0, 0.3, 3.0, 30.0, 90.0, 24.0, 72.0])
    gap = r["gaps"].gamma(1.3, mean_h / 1.3, (n, 7)) * np.where(slow, 2.5, 1.0)[:, None]
    fate = r["fate"].random((n, 4))
    solved = fate[:, 0] < 0.93
    reopened = solved & (fate[:, 1] < np.where(slow, 0.30, 0.10) + 0.03 * (severity - 1))
    again = reopened & (fate[:, 2] < 0.88)
    follow = (solved & ~reopened | again) & (fate[:, 3] < 0.55)
    happens = np.stack(
        [np.ones(n, bool), np.ones(n, bool), fate[:, 0] < 0.985, solved, reopened, again, follow], axis=1
    )
    hours = np.cumsum(np.where(happens, gap, 0.0), axis=1)
    case, kind = np.nonzero(happens)
    time = opened[case] + (hours[case, kind] * 3600).astype(np.int64).astype("timedelta64[s]")
    actor = texts([f"agent {i:02d}" for i in range(24)])[agent[case]]
    return {
        "case_id": ids[case], "event": texts(list(EVENTS))[kind], "time": time, "actor": np.where(np.isin(kind, [0, 4]), "customer", actor).astype(object),
    }  # fmt: skip
