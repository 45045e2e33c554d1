"""Kernels as users write them: plain functions of columns, here over the house's own rooms. None knows Spark."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import numpy as np

from crmcore.idic.differentiate.buying import BuyingModel, Purchases
from crmcore.tables import EventTable, OrderTable

Columns = dict[str, Any]
UNTIL = datetime(2026, 7, 1, tzinfo=UTC)
ITEMS = 12
BG = BuyingModel(
    model="bg", k=1, theta=tuple(np.log([0.243, 4.414, 0.793, 2.426]).tolist()), covariance=None, log_likelihood=0.0,
    n=2357, unit="week",
)  # fmt: skip


def simulated(n: int, people: int, seed: int) -> Columns:
    """Events that serve every kernel: who, when, how much, which item, which channel, a score and a text."""
    rng = np.random.default_rng(seed)
    words = np.array(["love it", "the worst shop ever", "parcel came late :(", "ok", "great service, thanks!"], object)
    minutes = rng.integers(0, 150 * 24 * 60, n)
    return {
        "customer": np.array([f"c{i}" for i in rng.integers(0, people, n)], object),
        "time": np.datetime64("2026-01-02", "us") + minutes.astype("timedelta64[m]"),
        "amount": np.round(rng.gamma(2.0, 20.0, n), 2),
        "item": rng.integers(0, ITEMS, n),
        "channel": np.array(["search", "e-mail", "social"], object)[rng.integers(0, 3, n)],
        "score": rng.integers(0, 11, n),
        "text": words[rng.integers(0, len(words), n)],
    }


def _orders(columns: Columns) -> OrderTable:
    return OrderTable.from_frame({k: columns[k] for k in ("customer", "time", "amount")}, currency="EUR", zone="UTC")


def order_summaries(columns: Columns) -> Columns:
    if not len(columns["customer"]):
        return {"customer": [], "frequency": np.zeros(0), "recency": np.zeros(0), "spend": np.zeros(0)}
    found = Purchases.of_orders(_orders(columns), until=UNTIL)
    return {
        "customer": list(found.customers.ids),
        "frequency": found.frequency[found.row],
        "recency": found.recency[found.row],
        "spend": found.spend,
    }


def forecasts(columns: Columns) -> Columns:
    found = Purchases.of_orders(_orders(columns), until=UNTIL)
    x, t, age = (a[found.row] for a in (found.frequency, found.recency, found.age))
    return {
        "customer": list(found.customers.ids),
        "expected": BG.expected(x, t, age, horizon=39),
        "p_alive": BG.p_alive(x, t, age),
    }


def sessions(columns: Columns) -> Columns:
    from crmcore.touchpoints.sessions import sessionize

    events = EventTable.from_frame({k: columns[k] for k in ("customer", "time", "channel")}, zone="UTC")
    found = sessionize(events, "ga4")
    return {
        "customer": [events.customers.ids[c] for c in found.customer],
        "start": found.start,
        "events": found.event_count,
        "duration_s": found.duration_s,
    }


def silences(columns: Columns) -> Columns:
    """A trigger: customers of whom nothing was heard for 30 days."""
    who, code = np.unique(columns["customer"].astype(str), return_inverse=True)
    last = np.full(len(who), np.datetime64("1970-01-01", "us"))
    np.maximum.at(last, code, columns["time"])
    late = np.datetime64("2026-06-01", "us") - last > np.timedelta64(30, "D")
    return {"customer": who[late].astype(object), "last": last[late]}


def contact_caps(columns: Columns) -> Columns:
    """Whether a message goes to each customer, and when: events are what was sent before, two in ten days do."""
    from crmcore.calendars import SlidingCap
    from crmcore.idic.interact.consents import ConsentTable
    from crmcore.idic.interact.contact import Audience, Cap, ContactPolicy, Message, SendTable, plan

    people = np.unique(columns["customer"].astype(str)).astype(object)
    n, channels = len(people), ("search", "e-mail", "social")
    sent = {k: columns[k] for k in ("customer", "time", "channel")}
    policy = ContactPolicy(
        "UTC", channels=channels, quiet_hours=("20:00", "08:00"), caps=[SlidingCap(240, 2), Cap(SlidingCap(96, 1),
        channels=["e-mail"])],
    )  # fmt: skip
    said = {"purpose": ["marketing"] * n, "channel": ["e-mail"] * n, "said": ["granted"] * n}
    consents = ConsentTable.from_frame({"person": people, **said, "at": ["2026-01-01T10:00Z"] * n})
    audience = Audience.from_frame({"customer": people, "channels": ["e-mail; social"] * n})
    history = SendTable.from_frame(sent, customers=audience.customers, zone="UTC")
    now = datetime(2026, 5, 30, 12, tzinfo=UTC)
    found = plan(audience, Message("news"), policy=policy, consents=consents, now=now, history=history)
    return {"customer": list(audience.customers.ids), "verdict": found.verdict_code[0], "at": found.at[0]}


def sentiment(columns: Columns) -> Columns:
    from crmcore.listening.sentiment.model import default_model

    table = default_model().score(columns["text"].tolist())
    return {"customer": columns["customer"], "text": columns["text"], "polarity": table.probability[:, 2]}


def nps(columns: Columns) -> Any:
    from crmcore.metrics.survey import NpsCounts

    return NpsCounts.of(columns["score"])


def path_counts(columns: Columns) -> Counter[str]:
    """Paths of channels per customer; all rows of a customer must be in one part."""
    order = np.lexsort((columns["channel"], columns["time"], columns["customer"]))
    who, channel = columns["customer"][order], columns["channel"][order]
    starts = np.flatnonzero(np.concatenate([[True], who[1:] != who[:-1]])) if len(who) else np.zeros(0, int)
    return Counter(" > ".join(p) for p in np.split(channel, starts[1:])) if len(who) else Counter()


def paths(columns: Columns) -> Columns:
    found = path_counts(columns)
    return {"path": list(found), "times": np.array(list(found.values()), np.int64)}


def revenue(columns: Columns) -> Any:
    """Item -> amount."""
    return np.bincount(columns["item"], columns["amount"], minlength=ITEMS)


def gram_rows(columns: Columns) -> Columns:
    """Per customer the items that were bought together: rows of the item Gram matrix, already summed over the batch."""
    who = np.unique(columns["customer"].astype(str), return_inverse=True)[1]
    held = np.zeros((int(who.max(initial=-1)) + 1, ITEMS), np.int64)
    held[who, columns["item"].astype(int)] = 1
    gram = held.T @ held
    i, j = np.nonzero(gram)
    return {"left": i, "right": j, "together": gram[i, j]}


def touchy(columns: Columns) -> Columns:
    """A plug-in's kernel that fails in its own way on a negative amount."""
    if (columns["amount"] < 0).any():
        raise ArithmeticError("a negative amount of somebody")
    who, code = np.unique(columns["customer"].astype(str), return_inverse=True)
    return {"customer": who.astype(object), "spent": np.bincount(code, columns["amount"], minlength=len(who))}


def strict_count(columns: Columns) -> int:
    """A count that names its bad rows as the house does."""
    from crmcore.errors import BadRow, BadRows

    bad = np.flatnonzero(columns["amount"] < 0)
    if len(bad):
        raise BadRows("the batch", (BadRow("amount", "below 0", tuple(bad.tolist())),), "mend them")
    return len(columns["amount"])


PER_CUSTOMER = (order_summaries, forecasts, sessions, silences, contact_caps, sentiment)
COUNTS = (nps, revenue)
