"""Web sessions: a walk through explore, evaluate and re-evaluate with loops, started at a touchpoint."""

# ruff: noqa: E501  (columns read best as lines)

from __future__ import annotations

import numpy as np

from crmcore.datasets.columns import Columns, Ints, children, draw, kept, opaque_ids, texts, utc
from crmcore.datasets.people import FIRST_DAY, LAST_DAY
from crmcore.datasets.records import RecordSet
from crmcore.datasets.traits import Planted, Traits

__all__ = ["STATES", "TOUCHPOINTS", "WALK", "simulate_sessions"]

STATES = ("explore", "evaluate", "re-evaluate", "purchase", "leave")
# from explore, evaluate, re-evaluate (rows) to STATES (columns); after "purchase" and "leave" nothing follows
WALK = ((0.42, 0.30, 0.00, 0.01, 0.27), (0.16, 0.26, 0.22, 0.08, 0.28), (0.10, 0.24, 0.20, 0.16, 0.30))
TOUCHPOINTS = ("search", "social", "direct", "e-mail", "line", "display ad", "referral")
TOUCH_SHARE = (0.27, 0.22, 0.18, 0.10, 0.12, 0.08, 0.03)
LONGEST = 40


def simulate_sessions(
    records: RecordSet, traits: Traits, *, planted: Planted, rng: np.random.Generator
) -> tuple[Columns, Ints]:
    """Events of about one session a person, and the person behind each event.

    Sessions that start from an e-mail turn `email_lift` times as many steps into a purchase (taken from leaving).
    """
    r = children(rng, "who", "touch", "walk", "time", "gap", "ids", "known", "device", "cookie")
    n = len(traits)
    person = draw(r["who"], 0.2 + traits.engagement, n)
    touch = draw(r["touch"], TOUCH_SHARE, n)
    emailed = touch == TOUCHPOINTS.index("e-mail")
    walks = np.repeat(np.array(WALK)[None], 2, axis=0)
    extra = walks[1, :, 3] * (planted.email_lift - 1)
    walks[1, :, 3] += extra
    walks[1, :, 4] -= extra
    edges = walks.cumsum(axis=2)
    state = np.zeros(n, dtype=np.int64)
    active = np.arange(n)
    session, seen, step = [active], [state.copy()], [np.zeros(n, dtype=np.int64)]
    for k in range(1, LONGEST):
        spins = r["walk"].random(len(active))
        state[active] = np.minimum((edges[emailed[active].astype(int), state[active]] <= spins[:, None]).sum(axis=1), 4)
        session.append(active)
        seen.append(state[active].copy())
        step.append(np.full(len(active), k))
        active = active[state[active] < 3]
    s, at, nth = np.concatenate(session), np.concatenate(seen), np.concatenate(step)
    keep = at < 4  # leaving is no event: nothing is logged when a tab closes
    order = np.lexsort((nth[keep], s[keep]))
    s, at = s[keep][order], at[keep][order]
    begin = r["time"].random(n) * float((LAST_DAY - FIRST_DAY).astype(int))
    gap = r["gap"].gamma(0.8, 55.0, len(s))
    first = np.concatenate([[True], s[1:] != s[:-1]])
    gap[first] = 0
    since = np.cumsum(gap)
    since -= since[np.flatnonzero(first)][np.cumsum(first) - 1]
    known = records.truth.one_per_person(r["known"], "web_orders", "members", "line_oa")[person]
    logged_in = (known >= 0) & (r["known"].random(n) < 0.45)
    record_id = kept(records.truth.record_id[known], logged_in)
    cookie = opaque_ids(r["cookie"], 2 * n, prefix="v-")
    browser = person * 2 + (r["cookie"].random(n) < 0.25)  # two browsers each
    device = texts(["phone", "desktop", "tablet"])[draw(r["device"], [0.66, 0.29, 0.05], n)]
    ids = opaque_ids(r["ids"], n, prefix="s-")
    return {
        "session_id": ids[s], "visitor_id": cookie[browser][s], "record_id": record_id[s], "time": utc(begin[s] + since / 86_400, origin=FIRST_DAY),
        "touchpoint": texts(list(TOUCHPOINTS))[touch][s], "state": texts(list(STATES))[at], "device": device[s],
    }, person[s]  # fmt: skip
