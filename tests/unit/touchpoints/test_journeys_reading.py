"""The door of journeys: order, ties, arrival, what is left out, what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from crmcore.errors import BadRows, MissingColumn, NaiveDatetime, OutOfRange, UnknownName, WrongType
from crmcore.tables import EventTable
from crmcore.touchpoints.journeys import Journeys, journeys

ROWS = {
    "customer": ["b", "a", "b", None, "a"],
    "step": ["buy", "ad", "ad", "ad", None],
    "time": [f"2026-03-0{d}T09:00Z" for d in (2, 1, 1, 1, 3)],
}


def test_rows_come_in_any_order_and_journeys_stand_by_id() -> None:
    walks = journeys(ROWS)
    assert [w.steps for w in walks] == [("ad",), ("ad", "buy")]
    assert walks.row.tolist() == [1, 2, 0]
    assert dict(walks.left_out) == {"no customer": 1, "no step": 1}
    assert "1 rows left out: no step" in str(walks)


def test_steps_at_one_instant_keep_the_order_of_their_rows() -> None:
    rows = {"customer": ["a"] * 4, "step": ["z", "m", "a", "m"], "time": ["2026-01-01T00:00Z"] * 4}
    assert journeys(rows)[0].steps == ("z", "m", "a", "m")


def test_what_had_not_arrived_yet_was_not_known() -> None:
    rows = {
        "customer": ["a"] * 3,
        "step": ["ad", "store", "buy"],
        "time": ["2026-03-01T09:00Z", "2026-03-01T10:00Z", "2026-03-01T11:00Z"],
        "arrived": [None, "2026-03-02T02:00Z", None],
    }
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    then = journeys(rows, arrival="arrived", as_of=noon)
    assert then[0].steps == ("ad", "buy")
    assert dict(then.left_out) == {"arrived later": 1}
    assert journeys(rows, arrival="arrived")[0].steps == ("ad", "store", "buy")
    early = journeys(rows, as_of=datetime(2026, 3, 1, 10, tzinfo=UTC))
    assert early[0].steps == ("ad", "store")


def test_an_event_table_has_cases_and_attributes_as_grains() -> None:
    table = EventTable.from_frame(
        {
            "customer": ["c1", "c1", "c2"],
            "time": ["2026-03-01T09:00Z", "2026-03-01T08:00Z", "2026-03-01T09:00Z"],
            "touchpoint": ["shop", "ad", "shop"],
            "reference": ["k1", "k1", None],
            "account": ["x", "x", "x"],
        }
    )
    assert [w.steps for w in journeys(table)] == [("ad", "shop"), ("shop",)]
    assert [w.steps for w in journeys(table, grain="case")] == [("ad", "shop")]
    account = journeys(table, grain="account")
    assert account[0].steps == ("ad", "shop", "shop")
    assert account.customer.tolist() == [-1]  # two customers share it


def test_session_codes_make_journeys_and_minus_one_is_none() -> None:
    table = {"step": list("abcd"), "time": [f"2026-01-01T00:0{i}Z" for i in range(4)]}
    walks = journeys(table, grain=np.array([10, -1, 2, 10]))
    assert walks.id == ("02", "10")
    assert [w.steps for w in walks] == [("c",), ("a", "d")]


def test_errors_say_what_where_and_the_way_out() -> None:
    with pytest.raises(MissingColumn, match="no column 'customer'"):
        journeys({"step": ["a"], "time": ["2026-01-01T00:00Z"]})
    with pytest.raises(MissingColumn, match="did you mean 'session'"):
        journeys({**ROWS, "session": ["1"] * 5}, grain="sesion")
    with pytest.raises(NaiveDatetime):
        journeys({**ROWS, "time": ["2026-01-01"] * 5})
    with pytest.raises(BadRows, match="missing"):
        journeys({**ROWS, "time": ["2026-01-01T00:00Z", None, None, None, None]})
    with pytest.raises(OutOfRange, match="one a row"):
        journeys(ROWS, grain=[1, 2])
    with pytest.raises(UnknownName, match="did you mean 'buy'"):
        journeys(ROWS).code_of("bye")


def test_no_id_shows_in_reprs() -> None:
    rows = {"customer": ["secret-anna"], "step": ["ad"], "time": ["2026-01-01T00:00Z"]}
    walks = journeys(rows)
    for text in (repr(walks), str(walks), walks._repr_html_(), repr(walks[0])):
        assert "anna" not in text


def test_no_events_make_no_journeys() -> None:
    walks = journeys({"customer": [], "step": [], "time": []})
    assert len(walks) == 0
    assert walks.to_frame() == {"journey": [], "customer": [], "step": [], "time": [], "row": []}


def test_take_keep_and_rename() -> None:
    walks = Journeys.of([["ad", "shop", "buy"], ["ad"], ["shop", "buy"]])
    assert [w.steps for w in walks.take([2, 0])] == [("shop", "buy"), ("ad", "shop", "buy")]
    assert [w.steps for w in walks.take(walks.length > 2)] == [("ad", "shop", "buy")]
    assert [w.steps for w in walks.keep(walks.step != walks.code_of("ad"))] == [("shop", "buy"), (), ("shop", "buy")]
    assert walks.renamed({"shop": "ad"})[0].steps == ("ad", "ad", "buy")


def test_labels_are_read_at_the_first_row() -> None:
    walks = journeys({**ROWS, "step": list("vwxyz")})
    assert walks.labels(["late", "web", "app", None, "shop"]).to_list() == ["web", "app"]


def test_columns_that_are_no_columns_are_refused() -> None:
    with pytest.raises(OutOfRange, match="pass one column"):
        journeys(ROWS, grain=np.zeros((5, 2), np.int64))
    with pytest.raises(WrongType, match="grain"):
        journeys(ROWS, grain=3)
    with pytest.raises(NaiveDatetime):
        journeys(ROWS, as_of=datetime(2026, 1, 1))
    with pytest.raises(OutOfRange, match="one instant a row"):
        journeys(ROWS, arrival=np.array(["2026-01-01"], "datetime64[us]"))
    with pytest.raises(BadRows, match="finite seconds"):
        Journeys.of([["a"]], times_s=[[float("nan")]])
