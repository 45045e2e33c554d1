"""Laws of service-level clocks: the minute simulator, any order of arrival, one event at a time, columns = objects."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import (
    ClockEvent,
    ClockEventTable,
    ClockHistory,
    ClockName,
    ClockPolicy,
    ClockTable,
    ClockTerms,
    LiveClocks,
    Targets,
    clock_columns,
    evolve,
    read_clocks,
)
from crmcore.calendars.clocks.events import EventKind

# --- a slow twin, written from the specification alone: it walks through every minute ---------------------------------

ORDER = ["created", "policy", "priority", "assigned", "customer message", "receipt", "agent reply", "status",
         "reopened", "resolved", "closed", "merged"]  # fmt: skip
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MINUTE = timedelta(minutes=1)


def is_open(at: datetime, hours: dict) -> bool:
    wall = at.astimezone(ZoneInfo(hours["zone"]))
    if wall.date().isoformat() in hours["holidays"]:
        return False
    now = wall.hour * 60 + wall.minute
    for opens, closes in hours["schedule"].get(DAYS[wall.weekday()], []):
        a, b = (int(t[:2]) * 60 + int(t[3:]) for t in (opens, closes))
        if a <= now < b:
            return True
    return False


class Counter:
    """Minutes of one cycle, and since when they exceed the target."""

    def __init__(self, at: datetime) -> None:
        self.minutes, self.started, self.stopped, self.late_since, self.target = 0, at, None, None, None

    def look(self, at: datetime, target: int | None, counts: bool) -> None:
        self.target = target
        late = target is not None and (self.minutes > target or (self.minutes == target and counts))
        self.late_since = (self.late_since or at) if late else None
        self.minutes += counts

    def stop(self, at: datetime, target: int | None) -> None:
        if self.stopped is None:
            self.stopped, self.target = at, target
            if target is None or self.minutes <= target:
                self.late_since = None
            elif self.late_since is None:
                self.late_since = at


class Desk:
    """One case, minute by minute."""

    def __init__(self, rules: dict) -> None:
        self.rules, self.status, self.priority, self.terms = rules, "open", "normal", ""
        self.created = self.merged = self.ours = self.agent_last = self.replied = False
        self.ack = self.first = None
        self.next: list[Counter] = []
        self.cycles: list[Counter] = []
        self.gap = self.total_gap = 0  # resolved minutes: of this spell, and of those that ended
        self.paused_too: list[int] = []
        self.waiting = self.work = self.reopened = 0

    def means(self) -> str:
        if self.status in self.rules["pause"]:
            return "paused"
        return "resolved" if self.status in ("resolved", "closed") else "active"

    def target(self, clock: str) -> int | None:
        book = self.rules["terms"].get(self.terms, self.rules["targets"])
        return book.get(self.priority, book["any"]).get(clock)

    def become(self, status: str, at: datetime) -> None:
        was = self.means()
        self.status = status
        if self.means() == "resolved":
            self.cycles[-1].stop(at, self.target("resolution"))
            if self.rules["unanswered"] != "run on":
                for waiting, name in ((self.first, "first"), (self.next[-1] if self.next else None, "next")):
                    if waiting is not None:
                        waiting.stop(at, self.target(name))
                self.replied = True
        elif was == "resolved":
            self.reopened += 1
            self.gap, self.total_gap = 0, self.total_gap + self.gap
            self.cycles.append(Counter(at))
            if self.rules["on_reopen"] == "resume":
                self.cycles[-1].minutes = self.cycles[-2].minutes
                self.cycles[-1].late_since = self.cycles[-2].late_since
            self.paused_too.append(0)

    def happen(self, event: ClockEvent) -> None:
        kind, at, human = event.kind.value, event.at, event.actor != "automation"
        if self.merged:
            return
        if kind in ("priority", "policy"):
            if kind == "priority":
                self.priority = event.to
            else:
                self.terms = event.to if event.to in self.rules["terms"] else ""
        elif kind == "created" and not self.created:
            self.created, self.ours = True, event.actor == "agent"
            self.agent_last = self.replied = self.ours
            self.cycles.append(Counter(at))
            self.paused_too.append(0)
            if not self.ours:
                self.ack, self.first = Counter(at), Counter(at)
            if self.means() == "resolved":
                self.become(self.status, at)
        elif kind == "status" and not self.created:
            self.status = event.to
        elif not self.created:
            return
        elif kind == "status":
            self.become(event.to, at)
        elif kind in ("resolved", "closed"):
            self.become(kind, at)
        elif kind == "reopened" and self.means() != "active":
            self.become("open", at)
        elif kind == "customer message" and human:
            self.agent_last = False
            if self.replied and (not self.next or self.next[-1].stopped is not None):
                self.next.append(Counter(at))
            if self.means() != "active":
                self.become("open", at)
        elif kind == "receipt":
            self.acknowledge(at)
        elif kind == "agent reply" and event.visibility == "public":
            self.acknowledge(at)
            if human:
                self.answer(at)
        elif kind == "merged":
            self.merged = True
            for counter in (self.ack, self.first, *self.next[-1:], self.cycles[-1]):
                if counter is not None:
                    counter.stop(at, None if counter is self.ack else counter.target)

    def acknowledge(self, at: datetime) -> None:
        if self.ack is not None:
            self.ack.stop(at, self.target("acknowledgement"))

    def answer(self, at: datetime) -> None:
        self.agent_last = self.replied = True
        if self.first is not None:
            self.first.stop(at, self.target("first"))
        if self.next:
            self.next[-1].stop(at, self.target("next"))

    def minute(self, at: datetime, opened: bool) -> None:
        if not self.created or self.merged:
            return
        if self.ack is not None and self.ack.stopped is None:
            self.ack.look(at, self.target("acknowledgement"), opened)
        if self.first is not None and self.first.stopped is None:
            self.first.look(at, self.target("first"), opened)
        if self.next and self.next[-1].stopped is None:
            self.next[-1].look(at, self.target("next"), opened)
        if self.means() == "resolved":
            self.gap += opened
            return
        self.cycles[-1].look(at, self.target("resolution"), opened and self.means() == "active")
        self.paused_too[-1] += opened
        with_customer = self.agent_last if self.means() == "active" else self.status == "pending"
        self.waiting += opened and not with_customer
        self.work += opened and self.means() == "active" and not self.agent_last


def simulate(events: list[ClockEvent], rules: dict, now: datetime) -> Desk:
    desk = Desk(rules)
    actors = ["customer", "agent", "automation"]
    todo = sorted(set(events), key=lambda e: (e.at, ORDER.index(e.kind.value), e.to or "", actors.index(str(e.actor))))
    at = min((e.at for e in todo), default=now)
    while at < now:
        while todo and todo[0].at == at:
            desk.happen(todo.pop(0))
        desk.minute(at, is_open(at, rules["hours"]))
        at += MINUTE
    while todo and todo[0].at <= now:
        desk.happen(todo.pop(0))
    desk.minute(now, opened=False)  # a target that changed this very instant
    return desk


# --- random cases ----------------------------------------------------------------------------------------------------

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Bangkok", "Asia/Kathmandu", "Australia/Lord_Howe")
STARTS = (
    datetime(2026, 3, 28, 20, tzinfo=UTC),
    datetime(2026, 10, 24, 20, tzinfo=UTC),
    datetime(2026, 4, 4, 12, tzinfo=UTC),
)
TARGETS = {
    "any": {"acknowledgement": 10, "first": 60, "next": 45, "resolution": 200},
    "urgent": {"first": 15, "next": 0, "resolution": 100},
    "none": {},
}  # fmt: skip
GOLD = {"any": {"first": 5, "next": 20, "resolution": 150}}


@st.composite
def hours(draw: st.DrawFn) -> dict:
    edges = sorted(draw(st.lists(st.integers(0, 24), min_size=2, max_size=4, unique=True)))
    windows = [(f"{a:02d}:00", f"{b:02d}:00") for a, b in zip(edges[::2], edges[1::2], strict=False)]
    always = draw(st.booleans())
    days = DAYS if always else draw(st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True))
    return {
        "zone": draw(st.sampled_from(ZONES)),
        "schedule": dict.fromkeys(days, [("00:00", "24:00")] if always else windows),
        "holidays": draw(st.sampled_from([[], ["2026-03-29"], ["2026-10-25", "2026-04-05"]])),
    }


@st.composite
def rules(draw: st.DrawFn) -> dict:
    return {
        "hours": draw(hours()),
        "pause": ["pending", "on_hold"],
        "targets": TARGETS,
        "terms": {"gold": GOLD},
        "unanswered": draw(st.sampled_from(["run on", "fulfil", "cancel"])),
        "on_reopen": draw(st.sampled_from(["resume", "new cycle"])),
    }


def targets_of(book: dict) -> dict[str, Targets]:
    names = {"first": "first_response_minutes", "next": "next_response_minutes"}
    return {p: Targets(**{names.get(k, f"{k}_minutes"): v for k, v in t.items()}) for p, t in book.items()}


def policy_of(made: dict, resolution: str = "active") -> ClockPolicy:
    h = made["hours"]
    return ClockPolicy(
        BusinessCalendar(h["zone"], h["schedule"], holidays=h["holidays"]),
        targets_of(made["targets"]),
        terms={name: ClockTerms(targets_of(book)) for name, book in made["terms"].items()},
        pause_statuses=made["pause"],
        resolution=resolution,
        unanswered=made["unanswered"],
        on_reopen=made["on_reopen"],
    )


@st.composite
def events(draw: st.DrawFn, start: datetime, *, max_size: int = 10, minutes: int = 2000) -> list[ClockEvent]:
    likely = ["customer message", "agent reply", "status"] * 3 + ["resolved"]
    to = {
        "status": st.sampled_from(["open", "pending", "on_hold", "resolved", "in progress"]),
        "priority": st.sampled_from(["normal", "urgent", "none"]),
        "policy": st.sampled_from(["gold", "tin"]),
        "assigned": st.sampled_from(["ann", "bob"]),
    }

    def one(kind: str) -> ClockEvent:
        at = start + MINUTE * draw(st.one_of(st.sampled_from([0, 60, 61, 240]), st.integers(0, minutes)))
        actor = draw(st.sampled_from([None, None, None, "automation", "agent", "customer"]))
        seen = draw(st.sampled_from(["public", "public", "private"]))
        return ClockEvent(at, kind, draw(to[kind]) if kind in to else None, actor=actor, visibility=seen)

    kinds = draw(st.lists(st.sampled_from([*ORDER, *likely]), max_size=max_size))
    made = [one(kind) for kind in kinds]
    if draw(st.integers(0, 9)):
        at = start + MINUTE * draw(st.sampled_from([0, 0, 0, 7, 61]))
        made.append(ClockEvent(at, "created", actor=draw(st.sampled_from([None, None, "agent", "automation"]))))
    return made


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[ClockEvent], dict, datetime]:
    start = draw(st.sampled_from(STARTS))
    now = start + MINUTE * draw(st.one_of(st.sampled_from([60, 61, 240]), st.integers(0, 2600)))
    return draw(events(start)), draw(rules()), now


@st.composite
def reopened_cases(draw: st.DrawFn) -> tuple[list[ClockEvent], dict, datetime]:
    """Cases that are resolved and come back, with priorities that change at any time, also in the same minute."""
    at = draw(st.sampled_from(STARTS))
    made = [ClockEvent(at, "created")]
    for _ in range(draw(st.integers(1, 3))):
        for kind in ("resolved", "customer message"):
            for priority in draw(st.lists(st.sampled_from(["normal", "urgent"]), max_size=2)):
                at += MINUTE * draw(st.sampled_from([0, 40]))
                made.append(ClockEvent(at, "priority", priority))
            at += MINUTE * draw(st.sampled_from([0, 40, 120]))
            made.append(ClockEvent(at, kind))
    always = {"zone": "UTC", "schedule": {day: [("00:00", "24:00")] for day in DAYS}, "holidays": []}
    return made, {**draw(rules()), "hours": always}, at + MINUTE * draw(st.sampled_from([0, 1, 90]))


# --- the laws --------------------------------------------------------------------------------------------------------


def check_against_the_minutes(case: tuple[list[ClockEvent], dict, datetime]) -> None:
    made, book, now = case
    desk = simulate(made, book, now)
    read = read_clocks(made, policy_of(book), now=now)
    assert read.reopened == desk.reopened
    for name, counters in (
        ("acknowledgement", [desk.ack] if desk.ack else []),
        ("first response", [desk.first] if desk.first else []),
        ("next response", desk.next),
        ("active resolution", desk.cycles),
    ):
        found = [(c.total_minutes, c.started_at, c.stopped_at) for c in read[name].cycles]
        assert found == [(c.minutes, c.started, c.stopped) for c in counters], name
        for cycle, counter in zip(read[name].cycles, counters, strict=True):
            if not (desk.merged and counter.stopped is not None):
                late = counter.target is not None and counter.minutes > counter.target
                assert cycle.breached == late, name
                assert not late or cycle.breaches_at == counter.late_since, name
    for name, minutes in (("customer waiting", desk.waiting), ("agent work", desk.work)):
        assert sum(c.minutes for c in read[name].cycles) == minutes, name
    if desk.cycles:
        assert read["first resolution"].minutes == desk.paused_too[0]
    if desk.cycles and book["on_reopen"] == "resume":
        assert read["total resolution"].minutes == sum(desk.paused_too) + desk.total_gap


@given(cases())
def test_clocks_are_what_a_walk_through_every_minute_finds(case: tuple[list[ClockEvent], dict, datetime]) -> None:
    check_against_the_minutes(case)


@given(reopened_cases())
def test_reopened_clocks_are_what_a_walk_through_every_minute_finds(case: tuple) -> None:
    check_against_the_minutes(case)


@pytest.mark.slow
@settings(max_examples=2000)
@given(cases())
def test_thousands_of_clocks_are_what_a_walk_through_every_minute_finds(
    case: tuple[list[ClockEvent], dict, datetime],
) -> None:
    check_against_the_minutes(case)


def readings(made: list[ClockEvent], policy: ClockPolicy, now: datetime) -> list[tuple]:
    read = read_clocks(ClockHistory.of(made, case="7"), policy, now=now)
    return [
        (
            clock.name.value,
            c.number,
            c.started_at,
            c.stopped_at,
            c.total_minutes,
            c.target_minutes,
            c.due_at,
            c.state.value,
        )
        for clock in read
        for c in clock.cycles
    ]


@given(cases(), st.randoms(use_true_random=False))
def test_order_of_arrival_and_repeats_change_nothing(case: tuple, chance: random.Random) -> None:
    made, book, now = case
    policy = policy_of(book)
    other = [*made, *made[:2]]
    chance.shuffle(other)
    assert ClockHistory.of(made) == ClockHistory.of(other)
    live = LiveClocks.begin(policy, case="7")
    for event in other:
        before = live
        live = evolve(live, event)
        assert before.events == tuple(before.history)
    whole = read_clocks(ClockHistory.of(made, case="7"), policy, now=now)
    assert live.read(now=now) == whole
    assert live.read(now=now, policy=policy_of(book, "total")) == read_clocks(
        ClockHistory.of(made, case="7"), policy_of(book, "total"), now=now
    )


@given(cases())
def test_what_has_not_happened_yet_changes_nothing(case: tuple) -> None:
    made, book, now = case
    policy = policy_of(book)
    so_far = [e for e in made if e.at <= now]
    assert readings(so_far, policy, now) == readings(made, policy, now)


@given(cases(), st.sampled_from(["active", "first", "total"]))
def test_explained_spans_add_up_and_leave_no_hole(case: tuple, resolution: str) -> None:
    made, book, now = case
    read = read_clocks(made, policy_of(book, resolution), now=now)
    for clock in read:
        if not clock.cycles:
            continue
        told = read.explain(clock.name)
        assert told.minutes == clock.minutes
        assert all(s.minutes == 0 or s.counted for s in told.spans)
        assert all(a.end <= b.start for a, b in zip(told.spans, told.spans[1:], strict=False))
        assert sum(told.by_reason().values()) == pytest.approx(told.minutes)
        for cycle in clock.cycles:
            assert read.explain(clock.name, cycle=cycle.number).minutes == cycle.minutes


def rows_of(read: ClockTable) -> list[tuple]:
    fields = ("case", "clock", "cycle", "started_at", "stopped_at", "minutes", "target_minutes", "due_at", "state")
    got = read.to_frame()
    return [tuple(None if x != x else x for x in row) for row in zip(*(got[f] for f in fields), strict=True)]


@given(st.data())
def test_columns_say_what_objects_say(data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(STARTS))
    now = start + MINUTE * data.draw(st.integers(0, 2600))
    policy = policy_of(data.draw(rules()), data.draw(st.sampled_from(["active", "first", "total"])))
    if data.draw(st.booleans()):  # calendars of their own, for a clock and for terms
        always = BusinessCalendar.always("UTC")
        terms = {**policy.terms, "tin": ClockTerms(targets_of(TARGETS), always)}
        policy = attrs.evolve(policy, terms=terms, calendars={"acknowledgement": always})
    histories = [
        ClockHistory.of(data.draw(events(start, max_size=8)), case=f"case {i}")
        for i in range(data.draw(st.integers(1, 4)))
    ]
    table = ClockEventTable.of(histories)
    shuffled = table.take(np.random.default_rng(data.draw(st.integers(0, 99))).permutation(len(table)))
    rows = rows_of(clock_columns(shuffled, policy, now=now, names=list(ClockName)))
    wanted = []
    for history in sorted(histories, key=lambda h: h.case):
        wanted += [(history.case, *row) for row in readings(list(history), policy, now)]
    assert rows == wanted


@given(st.data())
def test_shards_of_a_log_add_up_to_the_whole(data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(STARTS))
    policy = policy_of(data.draw(rules()))
    histories = [ClockHistory.of(data.draw(events(start, max_size=6)), case=name) for name in "ab"]
    whole = ClockEventTable.of(histories)
    first = np.array(data.draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole))), bool)
    parts = whole.take(first) + whole.take(~first)
    now = start + MINUTE * 2000
    assert rows_of(clock_columns(parts, policy, now=now)) == rows_of(clock_columns(whole, policy, now=now))
    of_one = [ClockEventTable.of([h]) for h in histories]
    assert (of_one[1] + of_one[0]).histories() == whole.histories()


@given(cases())
def test_histories_and_tables_survive_frames_and_json(case: tuple) -> None:
    made, book, _now = case
    history = ClockHistory.of(made, case="7")
    assert ClockHistory.from_dict(history.to_dict()) == history
    policy = policy_of(book)
    assert ClockPolicy.from_dict(policy.to_dict()) == policy
    if made:
        table = ClockEventTable.from_frame(ClockEventTable.of([history]).to_frame())
        assert table.history("7") == history
        assert table.histories() == [history]


def test_the_twin_knows_every_kind() -> None:
    assert [k.value for k in EventKind] == ORDER
