"""Laws of service levels: one case = the table, promises = brute force, clocks and alerts = a walk through minutes."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import ClockEvent, ClockEventTable, ClockHistory, ClockPolicy, Targets, read_clocks
from crmcore.recovery.service import (
    Promise,
    Scope,
    ServiceLog,
    ServicePolicy,
    alerts_between,
    alerts_of,
    service_clocks,
    service_report,
    stages,
)
from crmcore.recovery.service.linting import OTHER
from crmcore.recovery.service.reporting import ServiceReport
from crmcore.tables import TextColumn

MINUTE = timedelta(minutes=1)
FRIDAY = datetime(2026, 3, 27, 13, tzinfo=UTC)  # the clock of Berlin changes on Sunday night
OFFICE = BusinessCalendar("Europe/Berlin", {"mon-fri": [("09:00", "12:00"), ("13:00", "17:00")]})
LONG = BusinessCalendar("Europe/Berlin", {"mon-sun": [("06:00", "22:00")]})
ALWAYS = BusinessCalendar.always("UTC")
WORDS = {
    "priorities": ["p1", "p2", "p3"],
    "segments": ["vip", "std"],
    "accounts": ["acme"],
    "channels": ["mail", "chat"],
}
FACTS = dict(zip(("priority", "segment", "account", "channel"), WORDS.values(), strict=True))


@st.composite
def scopes(draw: st.DrawFn) -> Scope:
    return Scope(**{k: draw(st.lists(st.sampled_from(v), unique=True, max_size=2)) for k, v in WORDS.items()})


@st.composite
def policies(draw: st.DrawFn) -> ServicePolicy:
    some = st.sampled_from([None, 0, 5, 30, 90, 240])
    made = []
    for i in range(draw(st.integers(1, 4))):
        names = ("acknowledgement", "first_response", "next_response", "resolution")
        targets = Targets(**{f"{n}_minutes": draw(some) for n in names})
        own = draw(st.sampled_from([{}, {"acknowledgement": ALWAYS}]))
        calendar = draw(st.sampled_from([None, LONG, ALWAYS]))
        made.append(Promise(f"promise {i}", draw(scopes()), targets, calendar=calendar, calendars=own))
    base = ClockPolicy(OFFICE, priority="p2", on_reopen=draw(st.sampled_from(["resume", "new cycle"])))
    return ServicePolicy(base, made)


@st.composite
def histories(draw: st.DrawFn, case: str) -> ClockHistory:
    """Pauses that priorities change in, hand-overs, reopenings, messages in pauses, merges, stated promises."""
    at = FRIDAY + MINUTE * draw(st.integers(0, 60))
    made = [ClockEvent(at, "created")]
    kinds = st.sampled_from(
        [
            "customer message",
            "agent reply",
            "receipt",
            "pending",
            "open",
            "resolved",
            "reopened",
            "p1",
            "p3",
            "assigned",
        ]
    )
    for kind in draw(st.lists(kinds, max_size=9)):
        at += MINUTE * draw(st.sampled_from([0, 1, 7, 45, 200, 600, 2800]))
        if kind in ("pending", "open"):
            made.append(ClockEvent(at, "status", kind))
        elif kind in ("p1", "p3"):
            made.append(ClockEvent(at, "priority", kind))
        elif kind == "assigned":
            made.append(ClockEvent(at, "assigned", draw(st.sampled_from(["dao", "ann"]))))
        elif kind == "agent reply":
            made.append(ClockEvent(at, kind, visibility=draw(st.sampled_from(["public", "public", "private"]))))
        else:
            made.append(ClockEvent(at, kind))
    return ClockHistory.of(made, case=case)


@st.composite
def logs(draw: st.DrawFn) -> ServiceLog:
    n = draw(st.integers(1, 4))
    events = ClockEventTable.of([draw(histories(str(i))) for i in range(n)])
    facts = {k: [draw(st.sampled_from([None, *v])) for _ in range(n)] for k, v in FACTS.items()}
    return ServiceLog(events, facts)


NOWS = st.integers(0, 9000).map(lambda m: FRIDAY + MINUTE * m)


# --- promises --------------------------------------------------------------------------------------------------------


def fits(scope: Scope, facts: dict[str, str | None]) -> bool:
    return all(facts[name] in words for name, words in scope.asked.items())


def first_by_hand(policy: ServicePolicy, facts: dict[str, str | None]) -> int:
    return next((i for i, p in enumerate(policy.promises) if fits(p.scope, facts)), -1)


@given(policies(), st.lists(st.fixed_dictionaries({k: st.sampled_from([None, "?", *v]) for k, v in FACTS.items()})))
def test_the_first_promise_that_fits_applies_to_one_and_to_all(policy: ServicePolicy, rows: list[dict]) -> None:
    columns = {k: TextColumn.of([row[k] for row in rows]) for k in FACTS}
    found = policy.promises_of(columns, len(rows)).tolist()
    told = [{**row, "priority": row["priority"] or "p2"} for row in rows]
    assert found == [first_by_hand(policy, row) for row in told]
    one = [policy.promise_of(**row) for row in rows]
    assert [-1 if p is None else policy.promises.index(p) for p in one] == found


@given(policies())
def test_gaps_and_shadows_are_those_of_brute_force(policy: ServicePolicy) -> None:
    cells = [dict(zip(FACTS, cell, strict=True)) for cell in itertools.product(*([*v, OTHER] for v in FACTS.values()))]
    taken = [first_by_hand(policy, cell) for cell in cells]
    findings = policy.lint({k: [*v, OTHER] for k, v in FACTS.items()})
    shadowed = {f.promise for f in findings if f.fault.value == "shadowed"}
    assert shadowed == {p.name for i, p in enumerate(policy.promises) if i not in taken}
    gaps = [f.cases for f in findings if f.fault.value == "gap"]
    for cell, by in zip(cells, taken, strict=True):
        told = sum(all(cell[k] in words for k, words in gap.items()) for gap in gaps)
        assert told == (by < 0)  # each case without a promise stands in one gap, no other case in any


@given(policies())
def test_a_policy_survives_json(policy: ServicePolicy) -> None:
    again = ServicePolicy.from_dict(policy.to_dict())
    assert again == policy
    assert again.clock_policy == policy.clock_policy


# --- clocks ----------------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(logs(), policies(), NOWS)
def test_one_case_reads_as_the_table_does(log: ServiceLog, policy: ServicePolicy, now: datetime) -> None:
    read = service_clocks(log, policy, now=now)
    rows = read.to_frame()
    for case in log.cases:
        one = read.case(case)
        mine = [i for i, c in enumerate(rows["case"]) if c == case]
        for i in mine:
            cycle = one[rows["clock"][i]].cycles[rows["cycle"][i] - 1]
            assert cycle.total_minutes == pytest.approx(rows["minutes"][i], abs=1e-9)
            assert (cycle.state.value, cycle.priority) == (rows["state"][i], rows["priority"][i])
            assert cycle.target_minutes == (None if np.isnan(rows["target_minutes"][i]) else rows["target_minutes"][i])
            assert (cycle.terms if cycle.terms != "no promise" else None) == rows["promise"][i]
        told = read.explain(case, "resolution")
        assert sum(s.minutes for s in told.spans if s.counted) == pytest.approx(one["resolution"].minutes or 0.0)


@given(logs(), policies(), NOWS, st.randoms())
def test_order_of_arrival_changes_nothing(
    log: ServiceLog, policy: ServicePolicy, now: datetime, chance: random.Random
) -> None:
    order = list(range(len(log.events)))
    chance.shuffle(order)
    shuffled = ServiceLog(log.events.take(np.array(order)), log.facts)
    a, b = (service_clocks(x, policy, now=now).to_frame() for x in (log, shuffled))
    assert str(a) == str(b)


@given(logs(), NOWS, st.booleans())
def test_priorities_replace_targets_only(log: ServiceLog, now: datetime, office: bool) -> None:
    """Where all promises count by one calendar, no change of priority moves a start, a minute, or a pause."""
    calendar = OFFICE if office else ALWAYS
    plain = ServicePolicy(calendar, [Promise("all", Scope.everything(), Targets(resolution_minutes=90))])
    other = [Promise(p, Scope(priorities=[p]), Targets(resolution_minutes=m)) for p, m in (("p1", 5), ("p3", 500))]
    a, b = (service_clocks(log, p, now=now).table for p in (plain, ServicePolicy(calendar, [*other, *plain.promises])))
    for name in ("case", "clock", "cycle", "started_at", "stopped_at", "minutes"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes()


def open_at(calendar: BusinessCalendar, at: datetime) -> bool:
    wall = at.astimezone(ZoneInfo(calendar.zone))
    clock = f"{wall:%H:%M}"
    if calendar is OFFICE:
        return wall.weekday() < 5 and ("09:00" <= clock < "12:00" or "13:00" <= clock < "17:00")
    return calendar is ALWAYS or "06:00" <= clock < "22:00"


def active_minutes(
    history: ClockHistory, facts: dict, policy: ServicePolicy, now: datetime
) -> tuple[int, float | None]:
    """Walk through every minute of a case: minutes of active resolution, and the target in force at its stop or now."""
    order = {"priority": 1, "status": 2, "reopened": 3, "resolved": 4, "customer message": 1.5}
    made = sorted(history, key=lambda e: (e.at, order.get(e.kind.value, 0), e.to or ""))
    status, minutes, target = "open", 0, None
    facts = {**facts, "priority": facts["priority"] or "p2"}
    left = [e for e in made if e.at <= now]
    if not left:
        return 0, None
    at = left[0].at
    while True:
        while left and left[0].at <= at:
            event = left.pop(0)
            if event.kind.value == "priority":
                facts["priority"] = event.to
            elif event.kind.value == "status":
                status = event.to or ""
            elif event.kind.value == "resolved":
                status = "resolved"
                place = first_by_hand(policy, facts)
                target = None if place < 0 else policy.promises[place].targets.resolution_minutes
            elif event.kind.value in ("reopened", "customer message"):
                status = "open"
        if at >= now:
            break
        place = first_by_hand(policy, facts)
        calendar = (policy.promises[place].calendar if place >= 0 else None) or OFFICE
        minutes += status == "open" and open_at(calendar, at)
        at += MINUTE
    place = first_by_hand(policy, facts)
    if status != "resolved":
        target = None if place < 0 else policy.promises[place].targets.resolution_minutes
    return minutes, target


@settings(max_examples=25)
@given(
    histories("7"), st.fixed_dictionaries({k: st.sampled_from([None, *v]) for k, v in FACTS.items()}), policies(), NOWS
)
def test_active_minutes_are_those_of_a_walk_through_every_minute(
    history: ClockHistory, facts: dict, policy: ServicePolicy, now: datetime
) -> None:
    policy = ServicePolicy(attrs.evolve(policy.base, on_reopen="resume"), policy.promises)
    log = ServiceLog(ClockEventTable.of([history]), {k: [v] for k, v in facts.items()})
    read = service_clocks(log, policy, now=now).of("resolution").table
    minutes, target = active_minutes(history, facts, policy, now)
    if len(read):
        assert read.minutes[-1] == minutes
        assert read.target_minutes[-1] == target or (target is None and np.isnan(read.target_minutes[-1]))
        assert bool(read.breached[-1]) == (target is not None and minutes > target)
    else:
        assert minutes == 0


# --- alerts ----------------------------------------------------------------------------------------------------------

PLAN = (*stages("first response", before=[15], after=[60]), *stages("resolution", before=[60, 10], after=[30]))


@settings(max_examples=25)
@given(logs(), policies(), NOWS, st.lists(st.integers(0, 9000), max_size=3))
def test_alerts_of_a_table_are_those_of_its_cases_each_once(
    log: ServiceLog, policy: ServicePolicy, now: datetime, cuts: list[int]
) -> None:
    since = FRIDAY - MINUTE
    whole = alerts_between(log, PLAN, policy, since=since, until=now)
    read = service_clocks(log, policy, now=now)
    one = [
        alert
        for case in log.cases
        for alert in alerts_of(read.case(case).history, PLAN, policy.clock_policy, since=since, until=now)
    ]
    assert sorted(map(str, whole)) == sorted(map(str, one))
    assert len({a.key for a in whole}) == len(whole)
    bounds = [since, *sorted(at for c in cuts if (at := FRIDAY + MINUTE * c) < now), now]
    parts = [a for a, b in itertools.pairwise(bounds) for a in alerts_between(log, PLAN, policy, since=a, until=b)]
    assert [a.key for a in parts] == [a.key for a in whole]


def random_case(rng: random.Random, case: int) -> ClockHistory:
    at = FRIDAY + MINUTE * rng.randrange(3 * 1440)
    made = [ClockEvent(at, "created")]
    for _ in range(rng.randrange(5)):
        at += MINUTE * rng.choice([3, 50, 300, 1500])
        kind = rng.choice(["pending", "open", "agent reply", "customer message", "resolved"])
        made.append(ClockEvent(at, "status", kind) if kind in ("pending", "open") else ClockEvent(at, kind))
    return ClockHistory.of(made, case=f"{case:05d}")


OPEN = np.array([open_at(OFFICE, FRIDAY + MINUTE * m) for m in range(20 * 1440)])
DONE = np.append(0, np.cumsum(OPEN))  # open minutes before each minute


def alerts_by_hand(history: ClockHistory, target: int, until: int) -> list[tuple[int, int]]:
    """Instants (minute, level) of stages 60 before, at, and 60 after the breach of active resolution; -1 hands back."""
    counts, status, runs = np.zeros(until + 1, bool), "open", np.zeros(until + 1, bool)
    marks = [((e.at - FRIDAY) // MINUTE, e) for e in history]
    stops = []
    for (start, event), end in zip(marks, [*(m for m, _ in marks[1:]), until], strict=True):
        if start > until:
            break
        if event.kind.value == "resolved":
            stops += [start] if status != "resolved" else []
            status = "resolved"
        elif event.kind.value == "status":
            status = event.to or ""
        elif event.kind.value == "customer message":
            status = "open"
        counts[start : min(end, until)] = status == "open"
        runs[start : min(end, until)] = status != "resolved"
        runs[until] = status != "resolved"
        counts[until] = status == "open"
    used = np.cumsum(counts & OPEN[: until + 1])
    before = np.append(0, used[:-1])  # minutes at the start of each minute
    found: list[tuple[int, int]] = []
    for level, wanted in ((1, target - 60), (2, target), (3, target + 60)):
        late = level > 1  # equal is met: it fires where the clock is about to exceed
        holds = runs & ((before > wanted) | ((before == wanted) & (~late | (counts & OPEN[: until + 1]))))
        begun = np.flatnonzero(holds)
        if len(begun):
            first = int(begun[0])
            opening = first + int(np.argmax(OPEN[first:]))  # told in opening hours, unless it stops before that
            alive = opening <= until and runs[first : opening + 1].all()
            if alive:
                found.append((opening, level))
    called = [at for at, level in found if level >= 2]
    for called_at in called[:1]:
        after = [s for s in stops if s > called_at]
        found += [(after[0], -1)] if after else []
    return sorted(found)


@pytest.mark.parametrize("n", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_the_schedule_of_random_cases_equals_brute_force(n: int) -> None:
    rng, target, until = random.Random(7), 200, 12 * 1440
    held = [random_case(rng, i) for i in range(n)]
    policy = ServicePolicy(OFFICE, [Promise("all", Scope.everything(), Targets(resolution_minutes=target))])
    log = ServiceLog(ClockEventTable.of(held))
    plan = stages("resolution", before=[60], after=[60])
    got: dict[str, list[tuple[int, int]]] = {h.case: [] for h in held}
    for a in alerts_between(log, plan, policy, since=FRIDAY - MINUTE, until=FRIDAY + MINUTE * until):
        got[a.case].append(((a.at - FRIDAY) // MINUTE, a.level if a.kind.value == "escalate" else -1))
    wrong = [h for h in held if sorted(got[h.case]) != alerts_by_hand(h, target, until)]
    assert not wrong, (len(wrong), list(wrong[0]), got[wrong[0].case], alerts_by_hand(wrong[0], target, until))
    assert sum(map(len, got.values())) > n


# --- reports ---------------------------------------------------------------------------------------------------------


def kaplan_meier_by_hand(minutes: list[float], seen: list[bool], limit: float) -> float:
    lasting = 1.0
    for at in sorted({m for m, s in zip(minutes, seen, strict=True) if s and m <= limit}):
        ended = sum(m == at and s for m, s in zip(minutes, seen, strict=True))
        lasting *= 1 - ended / sum(m >= at for m in minutes)
    return 1 - lasting


@settings(max_examples=30)
@given(logs(), policies(), NOWS)
def test_groups_add_up_and_shares_are_those_of_hand(log: ServiceLog, policy: ServicePolicy, now: datetime) -> None:
    read = service_clocks(log, policy, now=now)
    if not len(read):
        return
    by = ["priority", "promise", "agent", "month", "channel"]
    report = service_report(read, by=by)
    counts = ("n", "kept", "late", "overdue", "pending", "unpromised", "cancelled")
    for clock in {r.clock for r in report.rows}:
        whole = report.of(clock)
        for name in by:
            parts = [r for r in report.rows if r.clock == clock and r.by == name]
            for count in counts:
                assert sum(getattr(r, count) for r in parts) == getattr(whole, count)
        if clock in ("acknowledgement", "first response") and whole.share:
            table = read.of(clock).table
            rows = np.flatnonzero(~np.isnat(table.started_at) & ~np.isnan(table.target_minutes))
            pairs = [(table.minutes[i], table.target_minutes[i], bool(table.open[i])) for i in rows]
            ratio = [m / t if t else (2.0 if m else 0.0) for m, t, _ in pairs]
            expected = kaplan_meier_by_hand(ratio, [not o for *_, o in pairs], 1.0)
            beyond = max(ratio) < 1 and any(o for *_, o in pairs)  # nobody was looked at so long: nothing can be said
            assert np.isnan(whole.share.value) if beyond else whole.share.value == pytest.approx(expected)
    assert str(ServiceReport.from_dict(report.to_dict())) == str(report)
    assert len(report._repr_html_()) < 6000


def test_read_clocks_of_a_bound_history_needs_no_table() -> None:
    """An application that holds one history binds it alone and gets what the whole log says."""
    log = ServiceLog(ClockEventTable.of([random_case(random.Random(3), 1)]), {"priority": ["p1"]})
    policy = ServicePolicy(ALWAYS, [Promise("p1", Scope(priorities=["p1"]), Targets(resolution_minutes=1))])
    read = service_clocks(log, policy, now=FRIDAY + 9000 * MINUTE)
    case = read.case(log.cases[0])
    assert read_clocks(case.history, policy.clock_policy, now=case.now)["resolution"].breached
