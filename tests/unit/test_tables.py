from __future__ import annotations

import pickle
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from crmcore.errors import (
    BadRows,
    CurrencyMismatch,
    DuplicateIds,
    MissingColumn,
    NaiveDatetime,
    OutOfRange,
    UnknownName,
)
from crmcore.tables import (
    NO_AMOUNT,
    CustomerIndex,
    EventTable,
    MentionTable,
    OrderTable,
    RecordTable,
    ResponseTable,
    TextColumn,
)
from crmcore.values import Direction, Money

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def orders(**more: object) -> dict[str, object]:
    return {"customer": ["a", "b"], "time": [AT, AT], "amount": [1, 2], **more}


class TestTimes:
    @pytest.mark.parametrize("make", [dict, pl.DataFrame, pd.DataFrame, pa.table])
    def test_aware_times_become_utc(self, make: type) -> None:
        local = AT.astimezone(ZoneInfo("Asia/Bangkok"))
        table = OrderTable.from_frame(make(orders(time=[local, local])), currency="THB")
        assert table.time.tolist() == [AT.replace(tzinfo=None)] * 2
        assert table[0].time == AT

    @pytest.mark.parametrize("make", [dict, pl.DataFrame, pd.DataFrame, pa.table])
    def test_naive_times_are_refused_unless_the_call_states_their_zone(self, make: type) -> None:
        frame = make(orders(time=[datetime(2026, 3, 1, 16), datetime(2026, 7, 1, 16)]))
        with pytest.raises(NaiveDatetime, match="column 'time' is a naive datetime"):
            OrderTable.from_frame(frame, currency="THB")
        table = OrderTable.from_frame(frame, currency="THB", zone="Asia/Bangkok")
        assert [t.isoformat() for t in table.time.tolist()] == ["2026-03-01T09:00:00", "2026-07-01T09:00:00"]

    @pytest.mark.parametrize("make", [dict, pl.DataFrame, pd.DataFrame])
    def test_summer_time_the_repeated_and_the_skipped_hour_follow_the_rule(self, make: type) -> None:
        wall = [
            datetime(2026, 1, 1, 12),
            datetime(2026, 7, 1, 12),
            datetime(2026, 10, 25, 2, 30),
            datetime(2026, 3, 29, 2, 30),
        ]
        frame = make({"customer": list("abcd"), "time": wall, "amount": [1, 1, 1, 1]})
        table = OrderTable.from_frame(frame, currency="EUR", zone="Europe/Berlin")
        assert [t.isoformat()[5:16] for t in table.time.tolist()] == [
            "01-01T11:00",
            "07-01T10:00",
            "10-25T00:30",
            "03-29T01:30",
        ]

    def test_iso_text_and_numpy_times_are_read(self) -> None:
        table = OrderTable.from_frame(orders(time=["2026-03-01T16:00:00+07:00", "2026-03-01 09:00Z"]), currency="THB")
        assert len(set(table.time.tolist())) == 1
        days = np.array(["2026-03-01", "2026-03-02"], "datetime64[D]")
        assert OrderTable.from_frame(orders(time=days), currency="THB", zone="UTC")[1].time.day == 2

    def test_all_bad_times_are_named_at_once(self) -> None:
        frame = {
            "customer": ["a"] * 5,
            "time": [AT, datetime(2026, 3, 1), "soon", None, 12],
            "amount": [1, "x", 3, 4, 5.001],
        }
        with pytest.raises(BadRows) as caught:
            OrderTable.from_frame(frame, currency="THB")
        said = str(caught.value)
        assert "time: naive datetimes in 1 row [1]" in said
        assert "time: text that is no ISO 8601 time in 1 row [2] (such as s•••)" in said
        assert "time: missing in 1 row [3]" in said
        assert "time: int where a time is expected in 1 row [4]" in said
        assert "amount: text that spells no number in 1 row [1]" in said
        assert "amount: more than 2 decimals in THB in 1 row [4]" in said
        assert "hint: " in said

    def test_an_unknown_zone_proposes_the_nearest(self) -> None:
        with pytest.raises(UnknownName, match="did you mean 'Asia/Bangkok'"):
            OrderTable.from_frame(orders(), currency="THB", zone="Asia/Bangcok")


class TestAmounts:
    def test_major_units_become_minor_units_by_currency(self) -> None:
        assert OrderTable.from_frame(orders(amount=[19.99, "0.10"]), currency="THB").amount_minor.tolist() == [1999, 10]
        assert OrderTable.from_frame(orders(amount=[500, 7]), currency="JPY").amount_minor.tolist() == [500, 7]
        assert OrderTable.from_frame(orders(amount=[1.234, 7]), currency="KWD").amount_minor.tolist() == [1234, 7000]

    def test_every_cent_of_a_float_column_is_exact(self) -> None:
        cents = np.arange(0, 200_000, 7)
        frame = {"customer": ["a"] * len(cents), "time": [AT] * len(cents), "amount": cents / 100}
        assert OrderTable.from_frame(frame, currency="EUR").amount_minor.tolist() == cents.tolist()

    def test_an_amount_without_currency_is_refused(self) -> None:
        with pytest.raises(MissingColumn, match="currency"):
            OrderTable.from_frame(orders())
        with pytest.raises(MissingColumn, match="currency"):
            EventTable.from_frame({"customer": ["a"], "time": [AT], "amount_minor": [5]})

    def test_two_currencies_are_refused(self) -> None:
        with pytest.raises(CurrencyMismatch):
            OrderTable.from_frame(orders(currency=["THB", "USD"]))
        with pytest.raises(CurrencyMismatch):
            OrderTable.from_frame(orders(currency=["THB", "THB"]), currency="USD")
        assert OrderTable.from_frame(orders(currency=["THB", "THB"])).currency == "THB"

    def test_what_is_no_currency_is_refused_at_the_door(self) -> None:
        with pytest.raises(OutOfRange, match="currency = 'baht'"):
            OrderTable.from_frame(orders(), currency="baht")

    def test_an_event_without_amount_is_not_an_event_of_zero(self) -> None:
        frame = {"customer": ["a", "a"], "time": [AT, AT], "amount": [None, 0]}
        table = EventTable.from_frame(frame, currency="THB")
        assert table.amount_minor.tolist() == [NO_AMOUNT, 0]
        assert table.has_amount.tolist() == [False, True]
        assert (table[0].amount, table[1].amount) == (None, Money(0, "THB"))

    def test_an_order_without_amount_is_a_bad_row(self) -> None:
        with pytest.raises(BadRows, match="amount: missing in 1 row"):
            OrderTable.from_frame(orders(amount=[1, None]), currency="THB")


class TestCustomers:
    def test_codes_do_not_depend_on_the_order_of_rows(self) -> None:
        one = OrderTable.from_frame(orders(), currency="THB")
        two = OrderTable.from_frame({k: v[::-1] for k, v in orders().items()}, currency="THB")
        assert one.customers.ids == two.customers.ids == ("a", "b")
        assert one.customer.tolist() == two.customer.tolist()[::-1]

    def test_tables_share_one_index(self) -> None:
        index = CustomerIndex.of(["b", "a", "z"])
        assert OrderTable.from_frame(orders(), currency="THB", customers=index).customers is index

    def test_a_customer_that_the_shared_index_does_not_know_is_a_bad_row(self) -> None:
        with pytest.raises(BadRows, match=r"index.extended\(ids\)"):
            OrderTable.from_frame(orders(), currency="THB", customers=CustomerIndex(("a",)))

    def test_an_extended_index_keeps_old_codes(self) -> None:
        index = CustomerIndex(("m", "a"))
        longer = index.extended(["z", "a", None, "b"])
        assert longer.ids == ("m", "a", "b", "z")
        assert index.extended(["a"]) is index
        assert (longer.code("b"), longer.code("?"), "z" in longer, longer[0]) == (2, -1, True, "m")

    def test_an_index_names_each_customer_once(self) -> None:
        with pytest.raises(DuplicateIds, match="customers"):
            CustomerIndex(("a", "b", "a"))

    def test_an_unknown_visitor_has_no_customer(self) -> None:
        table = EventTable.from_frame({"customer": [None, "a"], "time": [AT, AT]})
        assert table.customer.tolist() == [-1, 0]
        assert table[0].customer is None


class TestNames:
    def test_a_column_under_another_name_is_named_in_the_call(self) -> None:
        frame = {"who": ["a"], "when": [AT], "paid": [3]}
        table = OrderTable.from_frame(frame, customer="who", time="when", amount="paid", currency="THB")
        assert table[0].amount == Money(300, "THB")

    def test_a_missing_column_proposes_the_nearest_name(self) -> None:
        with pytest.raises(MissingColumn, match="did you mean 'Customer ID'"):
            OrderTable.from_frame(
                {"Customer ID": [1], "time": [AT], "amount": [1]}, customer="customer_id", currency="THB"
            )

    def test_an_optional_column_that_the_caller_names_must_be_there(self) -> None:
        with pytest.raises(MissingColumn, match="did you mean 'platform'"):
            EventTable.from_frame({"customer": ["a"], "time": [AT], "platform": ["line"]}, channel="plattform")

    def test_a_wrong_direction_proposes_the_right_word(self) -> None:
        with pytest.raises(BadRows, match="did you mean 'inbound'"):
            EventTable.from_frame({"customer": ["a"], "time": [AT], "direction": ["in-bound"]})

    def test_further_columns_are_attributes(self) -> None:
        frame = {"customer": ["a"], "time": [AT], "page": ["/x"], "km": [12000]}
        table = EventTable.from_frame(frame)
        assert table[0].attributes == {"page": "/x", "km": "12000"}
        assert table.attributes["km"].numbers().tolist() == [12000.0]
        assert list(EventTable.from_frame(frame, attributes=["km"]).attributes) == ["km"]


class TestRecords:
    def test_sources_stack_with_their_names_and_columns(self) -> None:
        one = RecordTable.from_frame({"no": [1, 2], "city": ["bath", "york"]}, source="shop", record_id="no")
        two = RecordTable.from_frame({"mail": ["x@y.z"], "city": ["york"], "at": [AT]}, source="web", time="at")
        both = RecordTable.stack([one, two])
        assert both.record_id.tolist() == ["shop:1", "shop:2", "web:0"]
        assert both.columns["city"].codes.tolist() == [0, 1, 1]
        assert both.columns["mail"].to_list() == [None, None, "x@y.z"]
        assert both[2].time == AT
        assert both[0].time is None
        assert RecordTable.stack([both, RecordTable.from_frame({"a": [1]}, source="c")]).sources == ("shop", "web", "c")

    def test_an_id_on_two_rows_is_refused(self) -> None:
        with pytest.raises(DuplicateIds, match="rows \\[2\\]"):
            RecordTable.from_frame({"no": [1, 2, 1]}, record_id="no")

    def test_a_record_without_id_is_refused(self) -> None:
        with pytest.raises(BadRows, match="no: missing in 1 row"):
            RecordTable.from_frame({"no": [1, None]}, record_id="no")

    def test_one_source_twice_collides_by_name_not_silently(self) -> None:
        table = RecordTable.from_frame({"a": [1]}, source="s")
        with pytest.raises(DuplicateIds):
            RecordTable.stack([table, table])


class TestAnswersAndPosts:
    def test_an_unanswered_question_has_no_score(self) -> None:
        table = ResponseTable.from_frame({"customer": ["a", "a"], "question": ["nps", "csat"], "score": [0, None]})
        assert (table[0].score, table[1].score) == (0.0, None)

    def test_an_answer_without_question_is_refused(self) -> None:
        with pytest.raises(BadRows, match="question: missing"):
            ResponseTable.from_frame({"customer": ["a"], "question": [None]})

    def test_a_post_collected_twice_is_refused(self) -> None:
        with pytest.raises(DuplicateIds, match="mentions"):
            MentionTable.from_frame({"mention_id": ["1", "1"], "text": ["a", "b"]})

    def test_posts_without_ids_are_numbered_and_linked_authors_are_customers(self) -> None:
        table = MentionTable.from_frame({"text": ["a", "b"], "customer": [None, "c7"], "reach": [10, None]})
        assert [m.mention_id for m in (table[0], table[1])] == ["0", "1"]
        assert (table[1].customer, table[0].reach, table[1].reach) == ("c7", 10.0, None)


class TestColumns:
    def test_a_table_survives_pickle(self) -> None:
        table = EventTable.from_frame({"customer": ["a", None], "time": [AT, AT], "page": ["/x", None]})
        again = pickle.loads(pickle.dumps(table))
        assert [again[i] for i in range(2)] == [table[i] for i in range(2)]
        assert again.customers.code("a") == 0

    def test_arrays_are_read_only_and_the_callers_stay_writeable(self) -> None:
        mine = np.array([0, 1], np.int32)
        none = TextColumn.empty(2)
        table = OrderTable(
            mine,
            np.array([AT.replace(tzinfo=None)] * 2, "M8[us]"),
            [1, 2],
            "THB",
            none,
            none,
            [1, 1],
            {},
            CustomerIndex(("a", "b")),
        )
        with pytest.raises(ValueError, match="read-only"):
            table.customer[0] = 1
        mine[0] = 1

    def test_columns_of_another_length_are_refused(self) -> None:
        none = TextColumn.empty(2)
        with pytest.raises(OutOfRange, match=r"OrderTable.customer = '1 rows': expected 2 rows"):
            OrderTable(
                [0],
                np.array(["2026-01-01"] * 2, "M8[us]"),
                [1, 2],
                "THB",
                none,
                none,
                [1, 1],
                {},
                CustomerIndex(("a",)),
            )

    def test_a_compact_column_has_only_the_words_that_rows_use(self) -> None:
        column = TextColumn.of(["a", "b", None, "c"]).take(np.array([3, 2, 1, 3])).compact()
        assert (column.values, column.codes.tolist()) == (("c", "b"), [0, -1, 1, 0])

    def test_no_row_equals_a_word_that_nobody_said(self) -> None:
        assert not TextColumn.of(["a", None]).equals("z").any()


@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow", None])
def test_every_table_writes_the_flavour_that_was_read(backend: str | None) -> None:
    make = {"polars": pl.DataFrame, "pandas": pd.DataFrame, "pyarrow": pa.table, None: dict}[backend]
    table = EventTable.from_frame(
        make(
            {
                "customer": ["a", None],
                "time": [AT, AT],
                "amount": [1.5, None],
                "direction": ["inbound", None],
                "x": ["1", None],
            }
        ),
        currency="THB",
    )
    out = table.to_frame()
    assert type(out).__module__.split(".")[0] == (backend or "builtins")
    again = EventTable.from_frame(out)
    assert [again[0], again[1]] == [table[0], table[1]]
    assert again[0].direction is Direction.INBOUND


@pytest.mark.slow
def test_a_million_records_of_eight_columns_are_read_within_seconds() -> None:
    import time

    rng = np.random.default_rng(1)
    words = np.array([f"word {i}" for i in range(50_000)], object)
    frame = pl.DataFrame({f"c{j}": words[rng.integers(0, 50_000, 1_000_000)].tolist() for j in range(8)})
    begun = time.perf_counter()
    assert len(RecordTable.from_frame(frame)) == 1_000_000
    assert time.perf_counter() - begun < 20
