"""Laws of cases: urgency never falls, two forms agree, order of arrival and repeats change nothing."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import ClockPolicy, Targets
from crmcore.lifecycle import Command
from crmcore.recovery.cases import CaseDesk, Complaint, RecoveryPolicy, Triage, read_promise
from crmcore.recovery.cases.confidence import CONFIDENCE
from crmcore.rules import FactTable
from crmcore.stores import MemoryStore
from crmcore.tables import CustomerIndex

NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)
POLICY = RecoveryPolicy(ClockPolicy(BusinessCalendar.always("UTC"), Targets(first_response_minutes=240)))
shares = st.none() | st.floats(0, 1)
cases = st.fixed_dictionaries(
    {"severity": st.integers(1, 4), "reach": st.none() | st.floats(0, 1e8), "value": shares, "distress": shares,
     "earlier": st.integers(0, 5)}
)  # fmt: skip
triages = st.builds(
    Triage, reach_weight=st.floats(0, 3), value_weight=st.floats(0, 3), distress_weight=st.floats(0, 3),
    repeat_steps=st.integers(0, 3),
)  # fmt: skip


def one(triage: Triage, case: dict[str, Any]) -> Any:
    rest = {k: v for k, v in case.items() if k != "severity"}
    return triage.priority(case["severity"], **rest)


def by_hand(triage: Triage, case: dict[str, Any]) -> float:
    severity = max(1, case["severity"] - min(case["earlier"], triage.repeat_steps))
    known = {k: v or 0.0 for k, v in case.items()}
    reach = 1 + triage.reach_weight * math.log10(1 + known["reach"])
    rest = (1 + triage.value_weight * known["value"]) * (1 + triage.distress_weight * known["distress"])
    return float(2 ** (4 - severity)) * reach * rest


@given(triages, cases)
def test_the_score_is_the_formula(triage: Triage, case: dict[str, Any]) -> None:
    assert math.isclose(one(triage, case).score, by_hand(triage, case), rel_tol=1e-12)


@given(triages, cases, cases)
def test_more_of_anything_never_makes_a_case_less_urgent(triage: Triage, a: dict[str, Any], b: dict[str, Any]) -> None:
    low, high = {}, {}
    for name in a:
        first, second = a[name] or 0, b[name] or 0
        low[name], high[name] = sorted((first, second), reverse=name == "severity")
    below, above = one(triage, low), one(triage, high)
    assert above.score >= below.score * (1 - 1e-12)
    assert above.priority <= below.priority


@given(triages, st.lists(cases, min_size=1, max_size=20))
def test_one_case_and_the_table_agree(triage: Triage, many: list[dict[str, Any]]) -> None:
    columns = {name: [np.nan if c[name] is None else c[name] for c in many] for name in many[0]}
    table = triage.table(columns.pop("severity"), **columns)
    for i, case in enumerate(many):
        found = one(triage, case)
        assert (found.priority, found.severity, found.score) == (table.priority[i], table.severity[i], table.score[i])
        assert found.reasons


messages = st.lists(
    st.tuples(st.sampled_from(["mail", "call", "x"]), st.integers(0, 5), st.sampled_from(["late", "rude"]),
              st.integers(0, 20)),
    min_size=1, max_size=6, unique_by=lambda m: m[:2],
)  # fmt: skip


def complaints(rows: list[tuple[str, int, str, int]]) -> list[Complaint]:
    return [
        Complaint(id=str(i), channel=channel, at=NINE + timedelta(days=day), customer="c7", failure=failure)
        for channel, i, failure, day in rows
    ]


@given(messages, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_cases_do_not_depend_on_order_or_repeats_of_messages(rows: list[Any], random: Any) -> None:
    def partition(sent: list[Complaint]) -> set[frozenset[str]]:
        desk, groups = CaseDesk(MemoryStore(), POLICY), {}
        for message in sent:
            case = desk.take(message, now=NINE + timedelta(days=30)).case.id
            groups.setdefault(case, set()).add(message.key)
        assert sorted(groups) == sorted(f.id for f in desk.files())
        return {frozenset(group) for group in groups.values()}

    sent = complaints(rows)
    shuffled = [*sent, *sent]
    random.shuffle(shuffled)
    assert partition(sent) == partition(shuffled)


@given(st.permutations(range(4)))
@settings(max_examples=24, deadline=None)
def test_clocks_do_not_depend_on_the_order_in_which_events_arrive(order: list[int]) -> None:
    names = [("acknowledge", 0.2, {}), ("reply", 1, {}), ("note", 2, {"text": "x"}), ("feel", 3, {"sentiment": 0.5})]
    desk = CaseDesk(MemoryStore(), POLICY)
    case = desk.take(complaints([("mail", 1, "late", 0)])[0], now=NINE).case.id
    for k in order:
        name, hours, data = names[k]
        sent = Command(name, data, actor="agent", at=NINE + timedelta(hours=hours), id=name)
        assert desk.handle(case, sent).accepted
        assert desk.handle(case, sent).accepted  # again, with the same answer
    file = desk.file(case)
    assert len(file.events) == 5
    clocks = file.clocks(POLICY.clocks, now=NINE + timedelta(days=1))
    assert clocks["first response"].minutes == 60
    assert clocks["acknowledgement"].minutes == 12


@given(st.lists(st.integers(0, 2000), min_size=2, max_size=5, unique=True), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_clocks_count_from_the_first_word_whenever_it_arrives(minutes: list[int], random: Any) -> None:
    def read(order: list[int]) -> tuple[Any, ...]:
        desk = CaseDesk(MemoryStore(), POLICY)
        for m in order:
            said = Complaint(id=str(m), channel="mail", at=NINE + timedelta(minutes=m), customer="c7", failure="late")
            case = desk.take(said, now=NINE + timedelta(days=2)).case.id
        file = desk.file(case)
        end = NINE + timedelta(days=3)
        rows = file.clocks(POLICY.clocks, now=end).rows()
        return file.began_at, file.age_minutes(end), [{k: v for k, v in r.items() if k != "case"} for r in rows]

    shuffled = list(minutes)
    random.shuffle(shuffled)
    assert read(sorted(minutes)) == read(shuffled)


FACTS = ("earlier_failures", "broken_promises", "reopened", "critical", "negative", "breached", "public")


def test_confidence_of_one_and_of_a_table_agree_on_every_history() -> None:
    rows = list(itertools.product((0, 1), (0, 1), (0, 1, 2), (0, 1), (0, 1), (0, 1), (0, 1)))
    table = FactTable(
        CustomerIndex.of([f"c{i:03d}" for i in range(len(rows))]),
        {name: np.array([row[i] for row in rows]) for i, name in enumerate(FACTS)},
    )
    found = CONFIDENCE.decide_all(table, now=NINE).outcomes()
    for row, state in zip(rows, found, strict=True):
        assert CONFIDENCE.decide(dict(zip(FACTS, row, strict=True)), now=NINE).outcome == state
    assert set(found) == {"maintain", "regain", "rebuild"}


words = st.sampled_from(
    ["today", "tomorrow", "by 5 pm", "within 2 hours", "in three working days", "next week", "on friday", "soon",
     "2026-06-09", "31 february", "the day after tomorrow", "in a few days", "at 25:00", "by 12:30 tomorrow"]
)  # fmt: skip


@given(st.lists(words, max_size=3), st.integers(0, 20_000))
def test_a_promise_is_never_due_before_it_is_given(parts: list[str], minutes: int) -> None:
    office = BusinessCalendar("Europe/Berlin", {"mon-fri": [("09:00", "12:00"), ("13:00", "17:00")]})
    at = NINE + timedelta(minutes=minutes)
    found = read_promise(f"We will do it {' or '.join(parts)}.", at=at, calendar=office)
    assert found.due is None or found.due >= at
    assert found.understood or found.not_understood or not parts
    assert type(found).from_dict(found.to_dict()) == found


@given(st.text(max_size=200))
def test_any_text_can_be_read_as_a_promise(text: str) -> None:
    read_promise(text, at=NINE, calendar=BusinessCalendar.always("UTC"))


def test_documents_round_trip() -> None:
    said = complaints([("mail", 1, "late", 0)])[0]
    assert Complaint.from_dict(said.to_dict()) == said
    assert RecoveryPolicy.from_dict(POLICY.to_dict()) == POLICY
    file, todo = CaseDesk(MemoryStore(), POLICY).take(attrs.evolve(said, text="My name is Anna"), now=NINE)
    assert type(file).from_dict(file.to_dict()) == file
    assert type(todo).from_dict(todo.to_dict()) == todo
    assert "Anna" not in repr(file) + str(file) + file._repr_html_() + repr(said) + str(todo) + todo._repr_html_()
