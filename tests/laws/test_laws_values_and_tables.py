"""Round trips and arithmetic that hold for every value."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore._frames import read_frame
from crmcore.documents import dumps, loads
from crmcore.tables import EventTable, MentionTable, OrderTable, RecordTable, ResponseTable, TextColumn
from crmcore.values import (
    Case,
    CaseState,
    Consent,
    ConsentRecord,
    ContactKind,
    ContactPoint,
    Direction,
    Interaction,
    Mention,
    Money,
    Offer,
    Order,
    Record,
    Response,
    Severity,
)

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8).filter(
    lambda w: bool(w.strip()) and w not in {"N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NaT"}
)
maybe = words | st.none()
times = st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
maps = st.dictionaries(words, words, max_size=3)
minor = st.integers(-(10**15), 10**15)
thb = st.builds(Money, minor, st.just("THB"))
reals = st.floats(allow_nan=False, width=64)

interactions = st.builds(
    Interaction, maybe, times, maybe, maybe, maybe, st.none() | st.sampled_from(Direction), maybe, st.none() | thb, maps
)
orders = st.builds(Order, maybe, times, thb, maybe, maybe, st.integers(1, 1000), maps)
responses = st.builds(Response, maybe, words, st.none() | reals, maybe, st.none() | times, maybe, maybe)
mentions = st.builds(
    Mention, words, maybe, maybe, st.none() | times, maybe, maybe, maybe, maybe, st.none() | reals, maps
)
records = st.builds(Record, words, words, maps, st.none() | times)
values = st.one_of(
    interactions,
    orders,
    responses,
    mentions,
    records,
    thb,
    st.builds(ContactPoint, st.sampled_from(ContactKind), words, maybe),
    st.builds(ConsentRecord, words, words, words, st.sampled_from(Consent), times, maybe, st.none() | times),
    st.builds(Offer, words, words, st.none() | thb, st.none() | times, st.none(), maps),
    st.builds(
        Case, words, maybe, words, times, maybe, st.sampled_from(Severity), st.sampled_from(CaseState), maybe, maybe
    ),
)


@given(values)
def test_every_value_survives_json(value: object) -> None:
    assert loads(type(value), dumps(value)) == value


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        (EventTable, st.lists(interactions, max_size=6)),
        (OrderTable, st.lists(orders, min_size=1, max_size=6)),
        (ResponseTable, st.lists(responses, max_size=6)),
        (MentionTable, st.lists(mentions, max_size=6, unique_by=lambda m: m.mention_id)),
        (RecordTable, st.lists(records, max_size=6, unique_by=lambda r: r.record_id)),
    ],
)
@given(data=st.data())
def test_a_table_gives_back_the_values_it_was_made_of(kind: type, rows: st.SearchStrategy, data: st.DataObject) -> None:
    made = data.draw(rows)
    table = kind.of(made)
    assert [table[i] for i in range(len(table))] == made
    assert repr(loads(kind, dumps(table))) == repr(table)
    again = loads(kind, dumps(table))
    assert [again[i] for i in range(len(again))] == made
    order = np.arange(len(made))[::-1]
    assert [table.take(order)[i] for i in range(len(made))] == made[::-1]


@given(st.lists(maybe, max_size=20))
def test_text_columns_decode_to_what_they_were_made_of(cells: list[str | None]) -> None:
    column = TextColumn.of(cells)
    assert column.to_list() == cells
    assert column.compact().to_list() == cells
    codes, known = read_frame({"x": cells}).text("x")
    assert (codes.tolist(), known) == (column.codes.tolist(), column.values)


@given(minor, minor, st.integers(-1000, 1000))
def test_money_is_a_group_and_integers_scale_it(a: int, b: int, k: int) -> None:
    x, y = Money(a, "THB"), Money(b, "THB")
    assert x + y == y + x
    assert x + y - y == x
    assert k * (x + y) == k * x + k * y
    assert x + (-x) == Money(0, "THB")


@given(minor, st.integers(1, 50))
def test_split_money_sums_to_the_whole_and_parts_differ_by_one_unit(a: int, n: int) -> None:
    parts = Money(a, "THB").split(n)
    assert sum(parts, Money(0, "THB")) == Money(a, "THB")
    assert max(parts).amount_minor - min(parts).amount_minor <= 1


@given(minor, st.sampled_from(["THB", "JPY", "KWD", "UYW"]))
def test_money_reads_what_it_prints(a: int, currency: str) -> None:
    money = Money(a, currency)
    assert Money.of(str(money).split()[0], currency) == money


@given(values)
def test_no_value_changes_after_it_was_made(value: object) -> None:
    name = attrs.fields(type(value))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, name, None)
