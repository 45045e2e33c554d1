"""Laws of handing out work: nobody ineligible is ever chosen, order does not matter, loads stay even."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.calendars import BusinessCalendar
from crmcore.recovery.employees import (
    Absence,
    Agent,
    AloneLimit,
    Assigned,
    Certificate,
    Desk,
    Empowerment,
    Prefer,
    SkillMatrix,
    SupportRule,
    Work,
    eligibility,
    route_all,
)
from crmcore.values import Money

NOW = datetime(2026, 6, 3, 5, tzinfo=UTC)  # Wednesday, noon in Bangkok
HOUR_AGO, IN_AN_HOUR = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
EARLY = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("08:00", "12:00")]})
DAY = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
SKILLS = ("refund", "thai")
GRADES = ("agent", "supervisor")
LIMITS = Empowerment(
    GRADES,
    [
        AloneLimit(grade="agent", action="refund", at_most=Money(500, "THB")),
        AloneLimit(grade="supervisor", action="refund"),
    ],
)

agents = st.builds(
    lambda hours, away, capacity, grade: {"hours": hours, "away": away, "capacity": capacity, "grade": grade},
    st.sampled_from([None, EARLY, DAY]),
    st.sampled_from([(), (Absence(HOUR_AGO, IN_AN_HOUR),), (Absence(NOW, IN_AN_HOUR),), (Absence(HOUR_AGO, NOW),)]),
    st.sampled_from([1.0, 2.0, 3.5]),
    st.sampled_from([*GRADES, "intern"]),
)  # fmt: skip
certificates = st.tuples(
    st.integers(0, 5), st.sampled_from(SKILLS), st.integers(1, 3), st.sampled_from([None, "2026-06-02", "2026-06-03"])
)
works = st.tuples(
    st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 3), max_size=2), st.integers(1, 4),
    st.sampled_from([0.5, 1, 2]), st.sampled_from([0, 400, 500, 501]), st.sampled_from(["", "a0"]), st.integers(0, 3),
    st.sampled_from(["", "a1"]),
)  # fmt: skip


def built(people: list, held: list, asked: list) -> tuple[Desk, list[Work]]:
    desk = Desk(
        zone="Asia/Bangkok",
        agents=[Agent(id=f"a{i}", **row) for i, row in enumerate(people)],
        skills=SkillMatrix.of(
            [Certificate(agent=f"a{i}", skill=s, level=n, expires=e) for i, s, n, e in held if i < len(people)],
            skills=SKILLS,
        ),
        limits=LIMITS,
        support=SupportRule(most_hard=2),
    )
    listed = [
        Work(
            id=f"w{i}", at=NOW - timedelta(minutes=ago), needs=needs, severity=severity, units=units,
            action="refund" if amount else "", amount=Money(amount, "THB") if amount else None,
            not_to=(banned,) if banned else (), prefers=prefers, due=NOW + timedelta(minutes=10 * ago) if ago else None,
        )
        for i, (needs, severity, units, amount, banned, ago, prefers) in enumerate(asked)
    ]  # fmt: skip
    return desk, listed


def may(desk: Desk, who: Agent, work: Work, open_units: float, hard: int) -> bool:
    """The same rules, written once more and slowly."""
    for certificate_skill, level in work.needs.items():
        own = [c for c in (desk.skills[i] for i in range(len(desk.skills))) if c.agent == who.id]
        good = [c for c in own if c.skill == certificate_skill and c.level >= level]
        if not any(c.expires is None or c.expires.isoformat() >= "2026-06-03" for c in good):
            return False
    if who.hours is EARLY or any(a.start <= NOW < a.end for a in who.away) or who.id in work.not_to:
        return False
    if work.amount is not None and not (
        who.grade == "supervisor" or (who.grade == "agent" and work.amount.amount_minor <= 500)
    ):
        return False
    return open_units + work.units <= who.capacity and not (work.severity == 1 and hard >= 2)


@settings(max_examples=80, deadline=None)
@given(st.lists(agents, max_size=6), st.lists(certificates, max_size=8), st.lists(works, max_size=10),
       st.randoms(use_true_random=False))  # fmt: skip
def test_each_piece_goes_to_the_first_of_those_who_may_or_to_nobody(people, held, asked, rng) -> None:
    desk, listed = built(people, held, asked)
    found = route_all(listed, desk=desk, now=NOW)
    units, taken, hard = (dict.fromkeys(desk.ids, 0.0) for _ in range(3))
    last = dict.fromkeys(desk.ids, -1)
    order = sorted(listed, key=lambda w: (w.due is None, w.due or NOW, w.severity, w.at, w.id))
    assert [r.work for r in found.routes] == [w.id for w in order]
    for work, route in zip(order, found.routes, strict=True):
        able = [a for a in desk.agents if may(desk, a, work, units[a.id], int(hard[a.id]))]
        able.sort(
            key=lambda a: (
                bool(work.prefers) and a.id != work.prefers, round((units[a.id] + work.units) / a.capacity, 9),
                taken[a.id], last[a.id], a.id,
            )
        )  # fmt: skip
        if not able:
            assert not isinstance(route, Assigned)
            assert [r.id for r in route.refused] == list(desk.ids)
            assert all(r.reasons for r in route.refused)
            continue
        assert isinstance(route, Assigned)
        assert (route.agent, route.eligible) == (able[0].id, len(able))
        units[route.agent] += work.units
        taken[route.agent] += 1
        hard[route.agent] += work.severity == 1
        last[route.agent] = 0
    assert found.load.open_units.tolist() == list(units.values())
    assert all(u <= c + 1e-9 for u, c in zip(found.load.open_units, found.capacity, strict=True))
    shuffled = list(listed)
    rng.shuffle(shuffled)
    assert route_all(shuffled, desk=desk, now=NOW).routes == found.routes


@settings(max_examples=80, deadline=None)
@given(
    st.lists(agents, max_size=5),
    st.lists(certificates, max_size=8),
    st.lists(works, max_size=12),
    st.permutations(list(Prefer)),
    st.integers(0, 5),
    st.integers(0, 9),
)
def test_heaps_and_columns_hand_out_alike(people, held, asked, prefer, kept: int, start: int) -> None:
    desk, listed = built(people, held, asked)
    numbers = np.random.default_rng(start)
    load = desk.load(
        open_units={a: float(numbers.integers(0, 3)) for a in desk.ids},
        taken={a: int(numbers.integers(0, 3)) for a in desk.ids},
        last_taken={a: NOW + timedelta(hours=int(numbers.integers(-2, 2))) for a in desk.ids},
    )
    heaps = route_all(listed, desk=desk, now=NOW, load=load, prefer=prefer[:kept])
    most, eligibility.MOST_POOLS = eligibility.MOST_POOLS, 0
    try:
        columns = route_all(listed, desk=desk, now=NOW, load=load, prefer=prefer[:kept])
    finally:
        eligibility.MOST_POOLS = most
    assert heaps.routes == columns.routes
    assert heaps.load.to_frame() == columns.load.to_frame()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 8), st.lists(st.sampled_from([0.5, 1.0, 2.0, 4.0]), min_size=1, max_size=60), st.integers(0, 10**6)
)
def test_loads_are_at_least_as_even_as_round_robin(n: int, sizes: list[float], seed: int) -> None:
    desk = Desk(zone="UTC", agents=[Agent(id=f"a{i}", capacity=1000) for i in range(n)])
    before = np.random.default_rng(seed).integers(0, 4, n).astype(float)
    listed = [Work(id=f"w{i:03d}", at=NOW, units=size) for i, size in enumerate(sizes)]
    load = desk.load(open_units=dict(zip(desk.ids, before.tolist(), strict=True)))
    ours = route_all(listed, desk=desk, now=NOW, load=load).load
    turns = before.copy()
    for i, size in enumerate(sizes):
        turns[i % n] += size
    assert ours.open_units.max() - ours.open_units.min() <= max(np.ptp(before), max(sizes)) + 1e-9
    if len(set(sizes)) == 1 and not before.any():
        robin = np.abs(turns[:, None] - turns).sum() / (2 * n * turns.sum())
        assert ours.gini() <= robin + 1e-12
