"""Laws of the lifecycle engine, on random workflows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.lifecycle import (
    Case,
    Command,
    Timer,
    Transition,
    Workflow,
    advance,
    as_of,
    decide,
    due,
    history,
    open_case,
    replay,
    replay_log,
)
from crmcore.lifecycle.stepping import states_before
from crmcore.rules import Rule, field
from crmcore.stores import Event, MemoryStore
from crmcore.tables import TextColumn

AT = datetime(2026, 3, 27, 9, tzinfo=UTC)  # two days before clocks change in Europe
COMMANDS = ("alpha", "beta", "gamma")
STARTS = ("entry", "entry", "first entry", "opened", "promised_at")


@st.composite
def workflows(draw: st.DrawFn, *, guards: bool = True, timers: bool = True) -> Workflow:
    """A workflow whose states can all be reached."""
    n = draw(st.integers(1, 4))
    states = [f"s{i}" for i in range(n)]
    ways: dict[tuple[int, str], int | None] = {}
    for i in range(1, n):  # a tree first, so that everything is reached
        ways[draw(st.integers(0, i - 1)), draw(st.sampled_from(COMMANDS))] = i
    reached = {0}
    while True:
        more = {t for (s, _), t in ways.items() if s in reached and t is not None} - reached
        if not more:
            break
        reached |= more
    for i in sorted(set(range(n)) - reached):  # a later branch of the tree took its command
        ways[min(reached), f"go {i}"] = i
        reached.add(i)
    for _ in range(draw(st.integers(0, 12))):
        key = draw(st.integers(0, n - 1)), draw(st.sampled_from(COMMANDS))
        ways.setdefault(key, draw(st.none() | st.integers(0, n - 1)))
    transitions = [Transition("promise", "*", needs="promised_at")]
    for (s, name), t in sorted(ways.items(), key=repr):
        guard = None
        if guards and draw(st.integers(0, 3)) == 0:
            guard = Rule("small", field("x") <= draw(st.integers(0, 3)))
        sets = {"last": name} if draw(st.booleans()) else {}
        transitions.append(
            Transition(name, states[s], None if t is None else states[t], guard=guard, keeps="x", sets=sets)
        )
    made: list[Timer] = []
    for k in range(draw(st.integers(0, 3)) if timers and ways else 0):
        s, name = draw(st.sampled_from(sorted(ways, key=repr)))
        start = draw(st.sampled_from(STARTS))
        early = start == "promised_at" and draw(st.booleans())
        span = -draw(st.integers(1, 90)) if early else draw(st.integers(1, 80))
        repeats = 0 if early else draw(st.integers(0, 3))
        made.append(Timer(f"t{k}", states[s], name, after_minutes=span, start=start, repeats=repeats))
    return Workflow("random", 1, states, "s0", transitions, made)


Act = tuple[int, str, int, int]  # minutes after the one before, command, x, promise in minutes


ACTS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from((*COMMANDS, "promise")), st.integers(0, 4), st.integers(-60, 300)),
    max_size=25,
)


def command(act: Act, at: datetime, i: int) -> Command:
    _, name, x, promise = act
    data: dict[str, object] = {"x": x}
    if name == "promise":
        data = {"promised_at": (at + timedelta(minutes=promise)).isoformat()}
    return Command(name, data, actor="anna", at=at, id=f"c{i}")


def run(flow: Workflow, acts: Sequence[Act], polls: Sequence[int], *, end: int = 2_000) -> tuple[Case, list[Event]]:
    """Case and events after acts, with somebody looking at the clock now and then."""
    opened = open_case(flow, "k", at=AT, data={"x": 1})
    case, events = opened.case, list(opened.events)
    asked = sorted(AT + timedelta(minutes=p) for p in polls)
    at = AT
    for i, act in enumerate(acts):
        at += timedelta(minutes=act[0])
        if act[1] not in flow.known_commands:
            continue
        for poll in [p for p in asked if case.at <= p < at]:
            passed = advance(flow, case, poll)
            case, events = passed.case, [*events, *passed.events]
        outcome = decide(flow, case, command(act, at, i))
        case, events = outcome.case, [*events, *outcome.events]
    for poll in [*(p for p in asked if p >= case.at), max(at, AT + timedelta(minutes=end))]:
        passed = advance(flow, case, poll)
        case, events = passed.case, [*events, *passed.events]
    return case, events


@given(workflows(), ACTS, st.lists(st.integers(0, 2_000), max_size=12))
def test_any_partition_of_time_gives_the_same_events_at_the_same_instants(
    flow: Workflow, acts: list[Act], polls: list[int]
) -> None:
    case, events = run(flow, acts, polls)
    never_looked = run(flow, acts, [])
    assert events == never_looked[1]
    assert case == never_looked[0]
    assert len({e.id for e in events}) == len(events), "something fired twice"
    times = [e.time for e in events]
    assert times == sorted(times)


class MinuteByMinute:
    """The reference for time: a clock that ticks through every minute and looks at every timer."""

    def __init__(self, flow: Workflow, acts: Sequence[Act], end: int) -> None:
        self.flow, self.state, self.entered, self.visit = flow, flow.initial, 0, 0
        self.x, self.promised = 1, None
        self.first = {flow.initial: 0}
        self.done: dict[object, int] = {}
        self.log: list[tuple[int, str]] = [(0, "opened")]
        at, waiting = 0, []
        for act in acts:
            at += act[0]
            waiting.append((at, act))
        for minute in range(max(end, at) + 1):
            self.settle(minute)
            for due_at, act in waiting:
                if due_at == minute and act[1] in flow.known_commands:
                    self.send(minute, act)
                    self.settle(minute)

    def send(self, minute: int, act: Act) -> None:
        _, name, x, promise = act
        if name == "promise":
            self.promised = minute + promise
            self.log.append((minute, "promise"))
        elif (way := self.way(name, x)) is not None:
            self.x = x
            self.take(minute, way)

    def way(self, name: str, x: int) -> Transition | None:
        for way in self.flow.transitions:
            limit = None if way.guard is None else int(str(way.guard).split("at most ")[1][0])
            if way.command == name and self.state in self.flow.sources(way) and (limit is None or x <= limit):
                return way
        return None

    def take(self, minute: int, way: Transition) -> None:
        self.log.append((minute, way.emits))
        if way.target is not None:
            self.state, self.entered, self.visit = way.target, minute, self.visit + 1
            self.first.setdefault(way.target, minute)

    def settle(self, minute: int) -> None:
        while self.fire(minute):
            pass

    def fire(self, minute: int) -> bool:
        for timer in sorted(self.flow.timers, key=lambda t: t.name):
            if self.state not in timer.states:
                continue
            start = {
                "entry": self.entered, "opened": 0, "promised_at": self.promised,
                "first entry": min(self.first.get(s, 10**9) for s in timer.states),
            }[timer.start]  # fmt: skip
            if start is None:
                continue
            key = (timer.name, start, self.visit if timer.start == "entry" else None)
            before = self.done.get(key, 0)
            due_now = [k for k in range(before + 1, timer.repeats + 2) if start + timer.minutes * k <= minute]
            if due_now:
                self.done[key] = due_now[-1]
                way = self.way(timer.command, self.x)
                if way is None:
                    self.log.append((minute, "timer lapsed"))
                else:
                    self.take(minute, way)
                return True
        return False


@settings(max_examples=100)
@given(workflows(), ACTS)
def test_timers_fire_as_a_clock_that_looks_every_minute_would_fire_them(flow: Workflow, acts: list[Act]) -> None:
    _, events = run(flow, acts, [], end=900)
    minutes = [((e.time - AT) // timedelta(minutes=1), e.type) for e in events]
    assert minutes == MinuteByMinute(flow, acts, 900).log


@given(workflows(), ACTS)
def test_replay_of_what_was_decided_is_the_case_and_obeys_its_workflow(flow: Workflow, acts: list[Act]) -> None:
    case, events = run(flow, acts, [])
    assert replay(events) == replay(events, workflows=[flow]) == case
    store = MemoryStore()
    store.append("case:k", events)
    assert replay(store.read("case:k")) == case
    assert Case.from_dict(json.loads(json.dumps(case.to_dict()))) == case
    for i, event in enumerate(events):
        upto = as_of(events, event.time)
        assert upto is not None
        assert upto.version >= i + 1
        assert upto.at == event.time
    trail = history(events)
    assert trail.case == case
    assert sum(trail.minutes().values()) * 60 == (case.at - AT).total_seconds()


@given(workflows(), ACTS, st.permutations(range(6)), st.integers(0, 2_000))
def test_due_does_not_depend_on_the_order_of_cases_and_advance_leaves_nothing_due(
    flow: Workflow, acts: list[Act], order: list[int], minutes: int
) -> None:
    now = AT + timedelta(minutes=minutes)
    cases = []
    for i in range(6):
        case = open_case(flow, f"k{i}", at=AT + timedelta(minutes=7 * i), data={"x": i}).case
        cases.append(case)
    found = due(cases, now, workflows=[flow])
    assert due([cases[i] for i in order], now, workflows=[flow]) == found
    after = [advance(flow, c, now).case for c in cases]
    assert due(after, now, workflows=[flow]) == ()


@given(workflows())
def test_workflows_travel_as_json(flow: Workflow) -> None:
    assert Workflow.from_dict(json.loads(json.dumps(flow.to_dict()))) == flow
    assert flow.diagram().count("[*] -->") == 1


LOGS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "ง"]), st.sampled_from((*COMMANDS, "opened", "odd")), st.integers(0, 40)),
    max_size=40,
)
Row = tuple[str, str, int]


def columns(rows: Sequence[Row]) -> tuple[TextColumn, TextColumn, np.ndarray]:
    time = np.datetime64("2026-05-01", "us") + np.array([r[2] for r in rows], "timedelta64[m]")
    return TextColumn.of([r[0] for r in rows]), TextColumn.of([r[1] for r in rows]), time


def slowly(flow: Workflow, rows: Sequence[Row]) -> dict[str, list[tuple[str, str, str, bool]]]:
    """The reference: every case on its own, step by step."""
    found: dict[str, list[tuple[str, str, str, bool]]] = {}
    for case, activity, _ in sorted(rows, key=lambda r: (r[0], r[2], r[1])):
        steps = found.setdefault(case, [])
        state = steps[-1][2] if steps else flow.initial
        ways = flow.transitions_of(state, activity)
        after = (ways[0].target or state) if ways else state
        steps.append((state, activity, after, bool(ways) or (activity == "opened" and not steps)))
    return found


@given(workflows(guards=False, timers=False), LOGS)
def test_columns_say_what_one_by_one_says(flow: Workflow, rows: list[Row]) -> None:
    replayed = replay_log(flow, *columns(rows))
    expected = slowly(flow, rows)
    assert replayed.case_ids == tuple(sorted(expected))
    got: dict[str, list[tuple[str, str, str, bool]]] = {}
    for i in range(len(replayed)):
        got.setdefault(replayed.case_ids[replayed.case[i]], []).append(
            (
                flow.states[replayed.before[i]],
                replayed.activities[replayed.activity[i]],
                flow.states[replayed.after[i]],
                bool(replayed.legal[i]),
            )
        )
    assert got == expected
    assert sorted(replayed.rows.tolist()) == list(range(len(rows)))


@given(workflows(guards=False, timers=False), ACTS)
def test_a_log_of_what_was_decided_has_no_illegal_step_and_ends_in_the_same_state(
    flow: Workflow, acts: list[Act]
) -> None:
    case, events = run(flow, acts, [])
    column = TextColumn.of(["k"] * len(events))
    time = np.array([e.time.replace(tzinfo=None) for e in events], "datetime64[us]")
    done = replay_log(flow, column, TextColumn.of([e.type for e in events]), time, sequence=np.arange(len(events)))
    assert done.legal.all()
    assert flow.states[done.final[0]] == case.state
    assert done.minutes[0].sum() * 60 == (case.at - AT).total_seconds()


@given(workflows(guards=False, timers=False), LOGS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(flow: Workflow, rows: list[Row], random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    first, second = replay_log(flow, *columns(rows)), replay_log(flow, *columns(shuffled))
    assert first.counts == second.counts
    assert first.to_frame() == second.to_frame()


@given(workflows(guards=False, timers=False), LOGS)
def test_counts_of_shards_of_cases_add_up(flow: Workflow, rows: list[Row]) -> None:
    whole = replay_log(flow, *columns(rows)).counts
    one, two = (replay_log(flow, *columns([r for r in rows if (r[0] < "b") is side])).counts for side in (True, False))
    total = one + two
    assert (total.steps, total.ended) == (whole.steps, whole.ended)
    assert (total.cases, total.events, total.illegal) == (whole.cases, whole.events, whole.illegal)
    assert total.illegal_cases == whole.illegal_cases
    assert {s: round(m, 6) for s, m in total.minutes.items()} == {s: round(m, 6) for s, m in whole.minutes.items()}
    assert one + two == two + one


@settings(max_examples=80)
@given(
    st.integers(1, 4).flatmap(
        lambda n: st.tuples(
            st.lists(st.lists(st.integers(0, n - 1), min_size=3, max_size=3), min_size=n, max_size=n),
            st.lists(st.tuples(st.integers(0, n - 1), st.lists(st.integers(0, 2), max_size=30)), max_size=6),
        )
    ),
    st.integers(1, 40),
)
def test_long_cases_cut_into_pieces_step_as_whole_ones(
    drawn: tuple[list[list[int]], list[tuple[int, list[int]]]], direct: int
) -> None:
    table, cases = np.array(drawn[0], np.int32), drawn[1]
    activity = np.array([a for _, acts in cases for a in acts], np.int32)
    length = np.array([len(acts) for _, acts in cases], np.int64)
    start = np.array([s for s, _ in cases], np.int32)
    expected = []
    for state, acts in cases:
        for a in acts:
            expected.append(state)
            state = table[state, a]
    got = states_before(table, activity, np.cumsum(length) - length, length, start, direct=direct)
    assert got.tolist() == expected
