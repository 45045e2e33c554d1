"""Laws of conversations: order of arrival does not matter, stream = batch, parts = whole."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.idic.interact.conversations import Message, Preferences, Statement, Threader, thread
from crmcore.idic.interact.conversations.profiling import information_gain

AT = datetime(2026, 6, 1, tzinfo=UTC)
TEXTS = (
    "order A-1",
    "order B-2",
    "thanks",
    "my blue lamp flickers",
    "the lamp flickers blue",
    "order A-1 lamp",
    "hat?",
)


@st.composite
def messages(draw: st.DrawFn) -> list[Message]:
    n = draw(st.integers(0, 8))
    return [
        Message(
            id=f"m{i}",
            contact=draw(st.sampled_from(["c1", "c2", None])),
            at=AT + timedelta(hours=draw(st.integers(0, 900))),
            channel=draw(st.sampled_from(["mail", "phone"])),
            direction=draw(st.sampled_from(["inbound", "outbound"])),
            text=draw(st.sampled_from(TEXTS)),
        )
        for i in range(n)
    ]


@settings(max_examples=60, deadline=None)
@given(messages(), st.randoms(use_true_random=False))
def test_the_stream_is_the_batch_in_any_order_of_arrival(given_: list[Message], random: object) -> None:
    shuffled = list(given_)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    live = Threader(owners={"A-1": "c1"})
    for m in shuffled:
        joined = live.observe(m)
        assert joined.message == m.id
    assert live.conversations() == thread(given_, owners={"A-1": "c1"})
    found = live.conversations()
    assert sorted(m.id for c in found for m in c.messages) == sorted(m.id for m in given_)
    assert all(c.id == min(c.messages, key=lambda m: m.place).id for c in found)


@st.composite
def statements(draw: st.DrawFn) -> list[Statement]:
    return [
        Statement(
            customer=draw(st.sampled_from(["c1", "c2"])),
            topic="milk",
            value=draw(st.sampled_from(["oat", "soy"])),
            at=AT + timedelta(days=draw(st.integers(0, 5))),
            source=draw(st.sampled_from(["chat", "call"])),
            origin=draw(st.sampled_from(["declared", "inferred", "withdrawn"])),
        )
        for _ in range(draw(st.integers(0, 7)))
    ]


@settings(max_examples=80, deadline=None)
@given(statements(), statements(), st.integers(0, 6))
def test_preferences_add_up_in_any_order_and_one_equals_all(a: list[Statement], b: list[Statement], days: int) -> None:
    now = AT + timedelta(days=days)
    book = Preferences(a) + Preferences(b)
    assert book == Preferences([*reversed(b), *a])
    for (customer, topic), held in book.current(now=now).items():
        assert held == book.of(customer, topic, now=now)
        assert held.statement is None or held.statement.at <= now


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, max_size=60))
def test_information_gain_is_the_entropy_identity_less_the_bias(rows: list[tuple[str, str]]) -> None:
    def entropy(cells: list[object]) -> float:
        return -sum(k / len(cells) * math.log2(k / len(cells)) for k in Counter(cells).values())

    a, t = map(list, zip(*rows, strict=True))
    bias = (len(set(a)) - 1) * (len(set(t)) - 1) / (2 * len(rows) * math.log(2))
    slow = entropy(a) + entropy(t) - entropy(list(rows)) - bias
    found = information_gain(a, t)
    assert found.value == pytest.approx(max(slow, 0), abs=1e-9)
    assert found.value == pytest.approx(information_gain(t, a).value, abs=1e-12)
    assert found.low <= found.value <= found.high


def test_every_order_of_four_messages_gives_the_same_threads() -> None:
    given_ = [
        Message(id=f"m{i}", contact="c1", at=AT + timedelta(hours=i), channel="mail", direction="inbound", text=text)
        for i, text in enumerate(("order A-1", "thanks", "order B-2", "order A-1 lamp"))
    ]
    for order in itertools.permutations(given_):
        live = Threader()
        for m in order:
            live.observe(m)
        assert live.conversations() == thread(given_)
